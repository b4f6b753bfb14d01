{{/* A ServiceMonitor or a PodMonitor: kind, endpoints (the name of the field), values, root. */}}
{{- define "flow-operator.monitor" -}}
apiVersion: monitoring.coreos.com/v1
kind: {{ .kind }}
metadata:
  name: {{ include "flow-operator.fullname" .root }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "flow-operator.labels" .root | nindent 4 }}
    {{- with .values.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels: {{- include "flow-operator.selector" .root | nindent 6 }}
  {{ .endpoints }}:
    - port: http
      path: /metrics
      # Else a run's `namespace` would become `exported_namespace`, and alerts would name the operator's own.
      honorLabels: true
      interval: {{ .values.interval }}
      {{- with .values.scrapeTimeout }}
      scrapeTimeout: {{ . }}
      {{- end }}
      {{- with .values.metricRelabelings }}
      metricRelabelings: {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
