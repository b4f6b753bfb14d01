package main

import (
	"encoding/json"
	"fmt"

	jsonpatch "github.com/evanphx/json-patch"
)

// patches are the merge patches that Argo CD sends after an action: the difference between the object and what the script
// returned; what differs in the status goes to the subresource `status`, and goes first.
func patches(script string, object map[string]any) (any, error) {
	returned, err := run(script, object)
	if err != nil {
		return nil, err
	}
	changed, ok := returned.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the action returned no object")
	}
	before, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(restored(changed, object))
	if err != nil {
		return nil, err
	}
	difference, err := jsonpatch.CreateMergePatch(before, after)
	if err != nil {
		return nil, err
	}
	var patch map[string]any
	if err := json.Unmarshal(difference, &patch); err != nil {
		return nil, err
	}
	answer := map[string]any{}
	if status, differs := patch["status"]; differs {
		answer["status"] = map[string]any{"status": status}
		delete(patch, "status")
	}
	answer["object"] = patch
	return answer, nil
}

// restored puts back the maps that came out of the script as empty lists: Argo CD takes them for maps that were empty.
func restored(changed, before any) any {
	switch changed := changed.(type) {
	case map[string]any:
		if before, ok := before.(map[string]any); ok {
			for key := range changed {
				if old, there := before[key]; there {
					changed[key] = restored(changed[key], old)
				}
			}
		}
	case []any:
		switch before := before.(type) {
		case map[string]any:
			if len(changed) == 0 {
				return before
			}
		case []any:
			for index := range min(len(changed), len(before)) {
				changed[index] = restored(changed[index], before[index])
			}
		}
	}
	return changed
}
