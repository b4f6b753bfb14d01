// The CustomResourceDefinitions of the Prometheus operator: files of its module, no code.
module flow.unistack.org/tests/helm/prometheus_operator

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
