package ops

import (
	"bytes"
	"fmt"
)

// Bounds of a YAML file. The parser's time and memory grow with the square of the
// depth, so that a small file of brackets would take the machine.
const (
	maxYAMLBytes = 1 << 20
	maxYAMLDepth = 32
)

// CheckYAML refuses a file that is larger or nested deeper than any mapping or
// configuration is. It looks at the bytes only and is called before parsing.
func CheckYAML(data []byte) error {
	if len(data) > maxYAMLBytes {
		return fmt.Errorf("the file has %d bytes, at most %d are read", len(data), maxYAMLBytes)
	}
	depth, number := 0, 0
	for line := range bytes.Lines(data) {
		number++
		dashes := 0
		for rest := bytes.TrimLeft(line, " "); len(rest) > 1 && rest[0] == '-' && (rest[1] == ' ' || rest[1] == '\t'); dashes++ {
			rest = bytes.TrimLeft(rest[1:], " \t")
		}
		for i, c := range line {
			if c == '#' && (i == 0 || line[i-1] == ' ') {
				break
			}
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(0, depth-1)
			}
			if depth+dashes > maxYAMLDepth {
				return fmt.Errorf("line %d is nested deeper than %d levels", number, maxYAMLDepth)
			}
		}
	}
	return nil
}
