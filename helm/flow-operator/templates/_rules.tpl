{{/* What the operator may do where runs are, and nothing else. It needs no right on Pods or anything it does not run. */}}
{{- define "flow-operator.rules" -}}
- apiGroups: [flow.unistack.org]
  resources: [steps, workflows, workflowexecutions]
  verbs: [get, list, watch]
- apiGroups: [flow.unistack.org]
  resources: [steps/status, workflows/status, workflowexecutions/status]
  verbs: [update]
# A verb such as suspend is an annotation; it is taken off once it is done.
- apiGroups: [flow.unistack.org]
  resources: [workflowexecutions]
  verbs: [patch]
# The definitions that runs are pinned to.
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, create]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}

{{/* What it may do in its own namespace: leases decide which of several operators acts. */}}
{{- define "flow-operator.ownRules" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, list, create, update, delete]
{{- end }}

{{/*
What it may do in the namespace default: find the API server's own addresses, to deny them to workflows. RBAC limits a list
neither to a label nor to names that are not known before.
*/}}
{{- define "flow-operator.apiServerRules" -}}
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list]
{{- end }}

{{/* The role and its binding: kind ("" or "Cluster"), name, namespace, rules, root. */}}
{{- define "flow-operator.role" -}}
{{- $metadata := dict "name" .name "labels" (include "flow-operator.labels" .root | fromYaml) }}
{{- if .namespace }}{{ $_ := set $metadata "namespace" .namespace }}{{ end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Role
metadata: {{- toYaml $metadata | nindent 2 }}
rules: {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}RoleBinding
metadata: {{- toYaml $metadata | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}Role
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "flow-operator.serviceAccount" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
