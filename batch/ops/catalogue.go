package ops

import (
	_ "embed" // errors.md
	"strconv"
	"strings"
	"sync"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// CodeUnknownRegistration is the platform's code of a device that it does not know.
const CodeUnknownRegistration = "48013"

// The codes of rows that are rejected here, and of inputs that cannot be bound.
const (
	codeRegistrationIDMissing = "registration_id_missing"
	codeRegistrationIDInvalid = "registration_id_invalid"
	codeAppCodeInvalid        = "app_code_invalid"
	codeAppCodeMissing        = "app_code_missing"
	codeIdentityMissing       = "identity_missing"
	codeExternalIDTooLong     = "external_id_too_long"
	codeNullWord              = "null_word"
	codeHeaderRepeated        = "header_repeated"
	codePhoneInvalid          = "phone_invalid"
	codeEmailInvalid          = "email_invalid"
	codeTextTooLong           = "text_too_long"
	codeGenderInvalid         = "gender_invalid"
	codeDateInvalid           = "date_invalid"
	codeNumberInvalid         = "number_invalid"
	codeNumberTooLarge        = "number_too_large"
	codeBooleanInvalid        = "boolean_invalid"
	codeTypeMismatch          = batch.CodeTypeMismatch
	codeTagEmpty              = "tag_empty"
	codeTagsInvalid           = "tags_invalid"
	codeObjectInvalid         = "object_invalid"
	codeMemberUnknown         = "member_unknown"
	codeAttributeName         = "attribute_name_invalid"
	codeAttributeRepeated     = "attribute_repeated"
	codeAttributesTooMany     = "attributes_too_many"
	codeCellEmpty             = "cell_empty"
	codeNullNotAllowed        = "null_not_allowed"
	codeValueUnlisted         = "value_unlisted"
	codeSpaceAround           = "space_around"
	codeInvisibleCharacter    = "invisible_character"
	codeControlCharacter      = "control_character"
	codeEncodingInvalid       = "encoding_invalid"
	codeSpreadsheetError      = "spreadsheet_error_cell"
	codeSpreadsheetScientific = "spreadsheet_scientific"
	codeSpreadsheetDecimal    = "spreadsheet_decimal"
	codeSpreadsheetQuote      = "spreadsheet_text_mark"

	codeCellOmitted     = "cell_omitted"
	codeCellNulled      = "cell_nulled"
	codeAnswerDiffers   = "answer_differs"
	codeDuplicateDevice = "duplicate_device"

	codeNothingToUpdate = "nothing_to_update"
	codeRowEmpty        = "row_empty"

	CodeChangedSince  = "changed_since"
	codeNothingToUndo = "nothing_to_undo"
	codeBeforeUnknown = "before_unknown"
	codeCannotRestore = "cannot_restore"
	codePlanInvalid   = "plan_invalid"

	codeHeaderMissing  = "header_missing"
	codeColumnUnknown  = "column_unknown"
	codeColumnRepeated = "column_repeated"
	codeColumnMissing  = "column_missing"
	codeColumnInvalid  = "column_invalid"
	codeTargetUnknown  = "target_unknown"
	codeOptionInvalid  = "option_invalid"
	codeMappingInvalid = "mapping_invalid"

	codeOutage = "outage"
)

// Effect is what an error code means for a row or a run.
type Effect string

// The effects of codes, as the sections of the topic begin.
const (
	Rejects Effect = "rejected" // the row is invalid here and was never sent
	Fails   Effect = "failed"   // the platform said no, or all attempts were used
	Warns   Effect = "warnings" // the row went through; there is something to know of it
	Skips   Effect = "skipped"  // there was nothing to do for the row
	Refuses Effect = "refused"  // the run does not begin: usage, mapping or input
	Stops   Effect = "stopped"  // the run ends before its inputs do; it can be resumed
)

// Entry explains one error code.
type Entry struct {
	Code    string // as error_code has it; http_* stands for every http_<status>
	Effect  Effect
	Meaning string
	Remedy  string
}

// errorsTopic has a section for each Effect, and in it a table of its codes.
//
//go:embed errors.md
var errorsTopic string

// ErrorsTopic is the help topic of error codes, in Markdown: every code that can
// stand in error_code or end a run, ours, the client's, and those the platform
// documents. What Explain knows stands there.
func ErrorsTopic() string { return errorsTopic }

var catalogue = sync.OnceValue(func() map[string]Entry {
	entries, effect := make(map[string]Entry), ""
	plain := strings.NewReplacer("`", "", `\|`, "|")
	for line := range strings.Lines(errorsTopic) {
		if title, found := strings.CutPrefix(line, "## "); found {
			effect, _, _ = strings.Cut(strings.ToLower(title), ":")
		}
		if cells := strings.Split(strings.Trim(line, "| \n"), " | "); len(cells) == 3 && strings.HasPrefix(cells[0], "`") {
			e := Entry{plain.Replace(cells[0]), Effect(effect), plain.Replace(cells[1]), plain.Replace(cells[2])}
			entries[e.Code] = e
		}
	}
	return entries
})

// Explain returns the entry of a code; ok is false for a code of the platform
// that is not known here. An answer without a code is explained by its status.
func Explain(code string) (e Entry, ok bool) {
	family := code
	switch status, isHTTP := strings.CutPrefix(code, "http_"); {
	case code == "http_401", code == "E401":
		family = "UNAUTHORIZED"
	case code == "http_403", code == "E403":
		family = "FORBIDDEN"
	case code == "http_407":
		family = "proxy"
	case isHTTP && allDigits(status):
		family = "http_*"
	}
	if e, ok = catalogue()[family]; ok {
		e.Code = code
	}
	return e, ok
}

// Temporary reports whether a row that failed with a code needs no fixing: what
// kept it from succeeding passes by itself.
func Temporary(code string) bool {
	if text, isHTTP := strings.CutPrefix(code, "http_"); isHTTP {
		status, err := strconv.Atoi(text)
		return err == nil && status < 600 && apiclient.TemporaryStatus(status)
	}
	switch code {
	case "TOO_MANY_REQUESTS", "E429", "GENERAL_ERROR", "INTERNAL_SERVER_ERROR", "BAD_GATEWAY", "SERVICE_UNAVAILABLE",
		"GATEWAY_TIMEOUT", "REQUEST_TIMEOUT", "timeout", "connection_refused", "connection_broken", "answer_cut", "answer_invalid":
		return true
	}
	return false
}

// Again says when to send rows again that failed with a code that no fixing of cells
// helps, and the flags to add then, a space in front. Both are empty for other codes.
func Again(code string) (when, flags string) {
	switch code {
	case "PERSONALIZATION_IMPOSSIBLE":
		return "if these rows are right, take the devices away from the people who have them", " --force-depersonalize"
	case "NOT_FOUND":
		return "check the base URL and the ids; where the URL was wrong, give the right one and send the rows again", ""
	}
	return "", ""
}
