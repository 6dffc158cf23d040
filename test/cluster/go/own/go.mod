// Small programs of our own for the cluster's images.
module sync-trigger.internal/test/cluster/own

go 1.26.0
