{{/* Fails for a network with bits set behind its prefix, with which the operator would not start. A schema cannot count. */}}
{{- define "flow-operator.checkNetworks" -}}
{{- range $name := list "egressAllow" "egressDeny" }}
{{- range $network := index $.Values.settings $name }}
{{- if and (contains "/" $network) (ne (include "flow-operator.hostBits" $network) "0") }}
{{- fail (printf "settings.%s: %s has bits set behind its prefix" $name $network) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* How many groups of a network in CIDR notation have bits set behind the prefix. */}}
{{- define "flow-operator.hostBits" -}}
{{- $size := 16 }}
{{- $groups := list }}
{{- $parts := splitList "/" . }}
{{- $prefix := last $parts | int }}
{{- if contains ":" . }}
{{- $sides := first $parts | splitList "::" }}
{{- $left := first $sides | splitList ":" | compact }}
{{- $right := rest $sides | join "" | splitList ":" | compact }}
{{- $between := repeat (sub 8 (add (len $left) (len $right)) | int) "0:" | splitList ":" | compact }}
{{- range concat $left $between $right }}
{{- $groups = append $groups (printf "0x%s" .) }}
{{- end }}
{{- else }}
{{- $size = 8 }}
{{- $groups = first $parts | splitList "." }}
{{- end }}
{{- $wrong := 0 }}
{{- range $index, $group := $groups }}
{{- $unit := 1 }}
{{- range until (sub (mul (add1 $index) $size) $prefix | max 0 | min $size | int) }}
{{- $unit = mul $unit 2 }}
{{- end }}
{{- if mod (int64 $group) $unit }}{{ $wrong = add1 $wrong }}{{ end }}
{{- end }}
{{- $wrong }}
{{- end }}
