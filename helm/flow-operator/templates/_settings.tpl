{{/*
The values under `settings` as environment variables: httpListen becomes FLOW_HTTP_LISTEN, a list becomes comma-separated.
*/}}
{{- define "flow-operator.settings" -}}
{{- range $name, $value := .Values.settings }}
{{- if kindIs "slice" $value }}{{ $value = join "," $value }}{{ end }}
{{- if kindIs "float64" $value }}{{ $value = int64 $value }}{{ end }}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
- name: FLOW_{{ $name | snakecase | upper }}
  value: {{ toString $value | quote }}
{{- end }}
{{- end }}
{{- end }}
