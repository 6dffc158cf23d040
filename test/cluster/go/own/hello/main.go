// The smallest Knative Service: greets who asks, and writes the id of each CloudEvent to its log.
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		if id := request.Header.Get("Ce-Id"); id != "" {
			fmt.Println("event", id)
			response.WriteHeader(http.StatusAccepted)
			return
		}
		fmt.Fprintln(response, "hello")
	})
	if err := http.ListenAndServe(":"+port, nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
