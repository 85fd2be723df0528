package table

import (
	"encoding/json"
	"maps"

	"pushbatch/batch"
)

// Attributes are the members of an object as JSON text, but for those that are null.
func Attributes(v batch.Value) map[string]json.RawMessage {
	if v.Kind == batch.Null {
		return nil
	}
	var all map[string]json.RawMessage
	_ = json.Unmarshal([]byte(v.Text), &all) // it was compacted JSON when it was gathered
	maps.DeleteFunc(all, func(_ string, raw json.RawMessage) bool { return string(raw) == "null" })
	return all
}

// AttributeText is an attribute as text: a string's content, else its JSON.
func AttributeText(raw json.RawMessage) string {
	var s string
	if raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}
