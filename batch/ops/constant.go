package ops

import (
	"fmt"
	"strings"

	"pushbatch/batch"
)

// Constant is a value that every row gets.
type Constant struct {
	Target string // as a header would name it, such as additionalData.score:number
	Value  batch.Value
	where  string // file and line, for messages; empty for --set
}

// ParseConstant reads TARGET=VALUE. What TARGET means, and whether VALUE suits
// it, is checked by Bind.
func ParseConstant(text string) (Constant, error) {
	target, value, found := strings.Cut(text, "=")
	switch {
	case !found || target == "":
		return Constant{}, fmt.Errorf("constant %q: expected TARGET=VALUE", target)
	case value == "":
		return Constant{}, fmt.Errorf("constant %s: the value is empty", target)
	}
	return Constant{Target: target, Value: batch.TextValue(value)}, nil
}

// bareTarget is the target without a declared type.
func (c Constant) bareTarget() string {
	if base, suffix, typed := cutLast(c.Target, ':'); typed {
		if _, err := parseType(suffix); err == nil {
			return base
		}
	}
	return c.Target
}
