// A reverse proxy with the transport of Knative's queue-proxy (knative.dev/serving pkg/queue/sharedmain buildTransport,
// knative.dev/pkg/network newHTTPTransport: Go's default one, 1,000 idle connections for one host, no compression), whose
// idle timeout can be scaled. Prints its port.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"
)

func main() {
	target := flag.String("target", "", "where requests go")
	idle := flag.Duration("idle", 90*time.Second, "how long an idle connection is kept; 90 s is Go's default")
	flag.Parse()
	to, err := url.Parse(*target)
	exitOn(err)

	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.MaxIdleConns = 1000
	transport.MaxIdleConnsPerHost = 1000
	transport.ForceAttemptHTTP2 = false
	transport.DisableCompression = true
	transport.IdleConnTimeout = *idle

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	exitOn(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	exitOn(http.Serve(listener, &httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1,
		Rewrite:       func(request *httputil.ProxyRequest) { request.SetURL(to) },
	}))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
