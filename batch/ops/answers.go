package ops

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// answerDiffers names the fields of a request that its 2xx answer does not
// repeat, in the platform's terms. An answer that says nothing of the device or
// person (empty, {}) differs in nothing.
func answerDiffers(sent, answer []byte) []string {
	request, reply := jsonMap(sent), jsonMap(answer)
	if len(request) == 0 || len(reply) == 0 {
		return nil
	}
	var c answerComparison
	if identity := mapOf(request["identity"]); identity != nil {
		if id, given := identity["externalId"]; given {
			c.field("externalId", id, reply["externalId"])
		}
		c.contact("phoneNumber", identity["phoneNumber"], reply, "phone", "number")
		c.contact("email", identity["email"], reply, "email", "address")
	}
	fields, found := mapOf(request["attributes"]), reply
	if fields == nil {
		fields = request
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch name {
		case "identity":
		case "customAttributes", "additionalData":
			c.members(name+".", mapOf(fields[name]), mapOf(found[name]))
		case "systemData":
			c.members("", mapOf(fields[name]), mapOf(found[name]))
		default:
			c.field(name, fields[name], found[name])
		}
	}
	return c.differ
}

// answerComparison gathers the fields that differ.
type answerComparison struct{ differ []string }

func (c *answerComparison) members(prefix string, sent, found map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		c.field(prefix+name, sent[name], found[name])
	}
}

func (c *answerComparison) field(name string, sent, found any) {
	if sent == nil && found != nil && textOf(found) != "" || sent != nil && !sameValue(sent, found) {
		c.differ = append(c.differ, name)
	}
}

// contact looks for a phone number or address among those of a person; a person
// without contact information was answered in a short form.
func (c *answerComparison) contact(name string, sent any, reply map[string]any, list, member string) {
	contact := mapOf(reply["contactInformation"])
	text, ok := sent.(string)
	if !ok || contact == nil {
		return
	}
	for _, key := range []string{list, list + "s"} {
		all, _ := contact[key].([]any)
		for _, one := range all {
			if found, _ := mapOf(one)[member].(string); strings.EqualFold(strings.TrimPrefix(found, "+"), text) {
				return
			}
		}
	}
	c.differ = append(c.differ, name)
}

// sameValue reports whether an answer repeats a value: numbers by what they are,
// days with or without a time, tags among those that are there.
func sameValue(sent, found any) bool {
	switch sent := sent.(type) {
	case []any:
		there, _ := found.([]any)
		return !slices.ContainsFunc(sent, func(tag any) bool { return !slices.Contains(there, tag) })
	case json.Number:
		a, ok := new(big.Rat).SetString(textOf(found))
		b, valid := new(big.Rat).SetString(sent.String())
		return ok && valid && a.Cmp(b) == 0
	case string:
		text := textOf(found)
		return text == sent || len(sent) >= 10 && len(text) >= 10 && isDay(sent[:10]) && text[:10] == sent[:10]
	}
	return strings.EqualFold(textOf(sent), textOf(found))
}

// jsonMap reads an object; anything else is none.
func jsonMap(data []byte) map[string]any {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var m map[string]any
	if d.Decode(&m) != nil {
		return nil
	}
	return m
}

func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}
