package ops

import (
	"bytes"
	"encoding/json"
	"strings"
)

// rawMembers calls fn for every member of an object, in the order of the text.
// raw must be valid JSON; what is not an object has no members.
func rawMembers(raw []byte, fn func(name string, value []byte)) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] != '{' {
		return
	}
	for rest := skipSpace(raw[1:]); len(rest) > 0 && rest[0] == '"'; {
		n := rawLength(rest)
		name := rawText(rest[:n])
		rest = skipSpace(skipSpace(rest[n:])[1:]) // behind the colon
		n = rawLength(rest)
		fn(name, rest[:n])
		rest = skipSpace(rest[n:])
		if rest[0] == ',' {
			rest = skipSpace(rest[1:])
		}
	}
}

// rawElements calls fn for every element of an array.
func rawElements(raw []byte, fn func(value []byte)) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] != '[' {
		return
	}
	for rest := skipSpace(raw[1:]); len(rest) > 0 && rest[0] != ']'; {
		n := rawLength(rest)
		fn(rest[:n])
		rest = skipSpace(rest[n:])
		if rest[0] == ',' {
			rest = skipSpace(rest[1:])
		}
	}
}

// rawLength is the length of the value that raw begins with.
func rawLength(raw []byte) int {
	switch raw[0] {
	case '"':
		return rawTextLength(raw)
	case '{', '[':
		return rawNestedLength(raw)
	}
	if n := bytes.IndexAny(raw, ",]} \t\r\n"); n >= 0 {
		return n
	}
	return len(raw)
}

func rawTextLength(raw []byte) int {
	for i := 1; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

func rawNestedLength(raw []byte) int {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i += rawTextLength(raw[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(raw)
}

// rawText is the text of a JSON string; of any other scalar what stands there.
func rawText(raw []byte) string {
	if raw[0] != '"' {
		return string(raw)
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return strings.ToValidUTF8(string(raw[1:len(raw)-1]), "\uFFFD")
	}
	var s string
	_ = json.Unmarshal(raw, &s) // raw is valid JSON
	return s
}

func skipSpace(raw []byte) []byte { return bytes.TrimLeft(raw, " \t\r\n") }
