package ops

import (
	"strings"

	"pushbatch/batch"
)

// ChangeFor is what a mapping could say of a column so that cells such as this
// one are taken, or left out: an option as it is written, empty when there is
// none. code is the problem that the cell has today.
func ChangeFor(use ColumnUse, code string, cell batch.Value) string {
	look := LookOf(cell)
	days, isDay := strings.CutPrefix(string(look), string(LookDay))
	switch {
	case use.Use != Sent || use.Index < 0:
		return ""
	case look == LookNullWord:
		return "empty_values: [" + YAMLText(trimSpace(cell.Text)) + "]"
	case look == LookSpaces && (code == codeSpaceAround || code == codeInvisibleCharacter):
		return "trim: true"
	case code == codeNumberInvalid && look == LookComma:
		return `decimal: ","`
	case code == codeNumberInvalid && look == LookThousands:
		return `decimal: "."`
	case code == codeDateInvalid && isDay:
		return "layout: " + days
	case code == codePhoneInvalid && (look == LookDialled || look == LookWhole):
		return "region: XX (the country's code, such as HR)"
	}
	return changeAtWorst(use, code)
}

// changeAtWorst leaves out cells that nothing mends, where a row can do without.
func changeAtWorst(use ColumnUse, code string) string {
	target, err := newSchema().find(use.Target)
	if err != nil || target.def == nil || target.def.identity || target.def.name == "identity" || target.def.name == "registrationId" || target.def.name == "appCode" {
		return ""
	}
	if code == codeGenderInvalid || code == codeBooleanInvalid {
		return "values: {…}"
	}
	return "invalid: omit"
}
