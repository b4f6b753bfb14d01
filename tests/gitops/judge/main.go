// judge reads questions about Kubernetes objects as JSON, one a line, and answers each with a line.
//
//	{"ask": "kstatus",   "object": {…}}                   what kstatus (Flux, helm --wait) says: status and message
//	{"ask": "health",    "object": {…}, "script": "…"}    what Argo CD makes of a health.lua: status and message
//	{"ask": "discovery", "object": {…}, "script": "…"}    of a discovery.lua: the actions by name
//	{"ask": "action",    "object": {…}, "script": "…"}    of an action.lua: the merge patches that it sends
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

const longestLine = 16 << 20

type question struct {
	Ask    string          `json:"ask"`
	Object json.RawMessage `json:"object"`
	Script string          `json:"script"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		answer, err := judge(lines.Bytes())
		if err != nil {
			answer = map[string]any{"error": err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			panic(err)
		}
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}

func judge(line []byte) (any, error) {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	// Integers stay int64, as in every client of Kubernetes.
	var object map[string]any
	if err := utiljson.Unmarshal(asked.Object, &object); err != nil {
		return nil, err
	}
	switch asked.Ask {
	case "kstatus":
		result, err := status.Compute(&unstructured.Unstructured{Object: object})
		if err != nil {
			return nil, err
		}
		return map[string]any{"status": result.Status.String(), "message": result.Message}, nil
	case "health", "discovery":
		return run(asked.Script, object)
	case "action":
		return patches(asked.Script, object)
	}
	return nil, fmt.Errorf("cannot %q", asked.Ask)
}
