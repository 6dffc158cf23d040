// A reverse proxy that keeps connections as Knative's queue-proxy does.
module sync-trigger.internal/test/cluster/queue-proxy

go 1.26.0
