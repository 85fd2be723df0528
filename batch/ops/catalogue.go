package ops

import (
	"strconv"
	"strings"

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

// The effects of codes.
const (
	Rejects Effect = "rejected" // the row is invalid here and was never sent
	Fails   Effect = "failed"   // the platform said no, or all attempts were used
	Warns   Effect = "warning"  // the row went through; there is something to know of it
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

// Explain returns the entry of a code; ok is false for a code of the platform
// that is not known here. An answer without a code is explained by its status.
func Explain(code string) (e Entry, ok bool) {
	family := code
	switch status, isHTTP := strings.CutPrefix(code, "http_"); {
	case code == "http_401", code == "E401":
		family = "UNAUTHORIZED"
	case code == "http_403", code == "E403":
		family = "FORBIDDEN"
	case isHTTP && allDigits(status):
		family = "http_*"
	}
	for _, e := range Catalogue() {
		if e.Code == family {
			e.Code = code
			return e, true
		}
	}
	return Entry{}, false
}

// Temporary reports whether a row that failed with a code needs no mending: what
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

// Again says when to send rows again that failed with a code that no mending of cells
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

// Catalogue is every code that can stand in error_code or end a run: ours, the
// client's, and those the platform documents. It returns a new slice.
func Catalogue() []Entry { //nolint:funlen // a table
	return []Entry{
		// The row's ids and identity.
		{codeRegistrationIDMissing, Rejects, "The row has no registration id.", "Fill the cell; without it the platform cannot tell which device is meant."},
		{codeRegistrationIDInvalid, Rejects, "The registration id has a space, is only dots or has more than 1024 characters.", "Take the id as the app's SDK reported it."},
		{codeIdentityMissing, Rejects, "The row names no person: external id, phone number and e-mail address are all empty.", "Fill at least one of the three."},
		{codeNullWord, Rejects, "A registration id, external id, phone number or e-mail address is a word that stands for no value, such as NULL, N/A or None.", "Fill in the registration id; leave other cells empty, or name the word under empty_values: in the mapping."},
		{codeExternalIDTooLong, Rejects, "The external id has more than 256 characters.", "Use a shorter id."},
		{codePhoneInvalid, Rejects, "The phone number has a length or a country code that does not exist, is national without a region, or has letters or an extension.", "Write it in international form (385912345678, without 00 in front), or name the region with --phone-region."},
		{codeEmailInvalid, Rejects, "The e-mail address is not one that mail could be sent to.", "Give the bare address, name@example.com: 64 bytes before the @, 254 in all, a domain with a dot."},
		{codeAppCodeInvalid, Rejects, "The application code cannot stand in a request header.", "Take it as the platform shows it: plain characters, no spaces."},
		{codeAppCodeMissing, Rejects, "Neither the row nor the run has an application code.", "Fill the column appCode, or give --app-code or INFOBIP_APP_CODE."},

		// Values.
		{codeTextTooLong, Rejects, "The text is longer than the platform keeps: names 255, middle names 50, additionalData 4096 characters.", "Shorten it."},
		{codeGenderInvalid, Rejects, "The gender is neither MALE nor FEMALE.", "Translate other words in the mapping: values: {M: MALE, F: FEMALE}."},
		{codeDateInvalid, Rejects, "The value is not a day of the calendar in the form expected.", "Write YYYY-MM-DD, or name the form in the mapping: layout: DD.MM.YYYY, or a list of them."},
		{codeNumberInvalid, Rejects, "The value is not a number.", "Write 12 or -0.5, or name the decimal sign in the mapping: decimal: \",\" takes 1.234,5; invalid: omit leaves such cells out."},
		{codeNumberTooLarge, Rejects, "The number is beyond 9223372036854775807, the largest the platform keeps.", "Declare the column as :string to keep every digit."},
		{codeBooleanInvalid, Rejects, "The value is neither true nor false, 1/0, yes/no, y/n or t/f.", "Translate other words in the mapping: values: {Y: true, N: false}."},
		{codeTypeMismatch, Rejects, "The file holds another type than the target takes.", "Change the file's type, or declare one in the mapping: type: string."},
		{codeTagEmpty, Rejects, "The list has a tag without a name.", "Remove it from the list."},
		{codeTagsInvalid, Rejects, "The cell begins with [ but is not a JSON array of strings.", "Write [\"one\",\"two\"], or one|two."},
		{codeObjectInvalid, Rejects, "The cell is not a JSON object of plain values.", "Write {\"name\":\"value\"}; lists and objects within are not kept by the platform."},
		{codeMemberUnknown, Rejects, "The object has a member the platform does not know.", "Rename or remove it."},
		{codeAttributeName, Rejects, "The name of an attribute is empty or longer than 256 characters.", "Use a shorter name."},
		{codeAttributeRepeated, Rejects, "The row gives the same attribute twice, by two columns.", "Keep one of them."},
		{codeAttributesTooMany, Rejects, "The row gives more than 10,000 attributes.", "Keep those that are needed."},
		{codeCellEmpty, Rejects, "The cell is empty, and the mapping says empty: reject.", "Fill it."},
		{codeNullNotAllowed, Rejects, "The null literal stands where the platform cannot clear a value.", "Leave the cell empty, or give a value."},
		{codeValueUnlisted, Rejects, "The value is not one that the mapping's values: list.", "Add it to the list, or mend the cell."},

		// Damage.
		{codeSpaceAround, Rejects, "There are spaces before or after the value.", "Remove them, or set trim: true for the column in the mapping."},
		{codeInvisibleCharacter, Rejects, "There is a non-breaking, zero-width or other invisible character in the value.", "Type the value again, or set trim: true in the mapping when it stands at an end."},
		{codeControlCharacter, Rejects, "There is a line break, a tab or another control character in the value. Texts of customAttributes and additionalData may have line breaks and tabs.", "Remove it; line breaks often come from a cell that was typed in two lines."},
		{codeEncodingInvalid, Rejects, "The text is not valid in the file's encoding.", "Name the right one with --encoding: the row's message says which fit, and inspect how they read."},
		{codeSpreadsheetError, Rejects, "A spreadsheet wrote an error such as #REF! or #N/A instead of a value.", "Mend the formula and export again."},
		{codeSpreadsheetScientific, Rejects, "A spreadsheet shortened a long number to scientific notation; its digits are lost.", "Format the column as text and export again from the source."},
		{codeSpreadsheetDecimal, Rejects, "A spreadsheet or data frame turned an id into a decimal number.", "Format the column as text (an integer) and export again."},
		{codeSpreadsheetQuote, Rejects, "The digits stand after a spreadsheet's text mark, an apostrophe or a formula.", "Export the plain value."},

		// Records that could not be decoded.
		{"csv_field_count", Rejects, "The row has more or fewer cells than the header.", "Look for a missing quote or a separator within a value."},
		{"csv_quote", Rejects, "Text follows the closing quote of a cell.", "Double the quotes within the cell."},
		{"header_repeated", Rejects, "The row is the header once more, as after joining files.", "Remove the line."},
		{"nul_character", Rejects, "There is a NUL byte in the row.", "The file is damaged, or in an encoding to be named with --encoding (UTF-16)."},
		{"record_too_large", Rejects, "The record is larger than a record may be.", "Look for an unclosed quote."},
		{"json_invalid", Rejects, "The line is not one JSON object.", "Write one object a line."},
		{"json_duplicate_key", Rejects, "The object names a key twice.", "Keep one of them."},
		{"ndjson_unknown_field", Rejects, "The object has a key that none of the first records has.", "Bring a record with all keys to the top, or remove the key."},
		{"value_out_of_range", Rejects, "A value of the file is outside what its type can say, such as a date beyond the year 9999.", "Mend the value where the file is made."},

		{batch.CodeUnmodified, Rejects, "The row comes from a failed.csv, could not be read in the run before, and nobody has changed its cells since.", "Mend its cells as the message in failed.csv says, or empty the cell _error_message to have the row taken as it stands."},

		{codeCellOmitted, Warns, "A cell does not suit its target and was left out, as the mapping says (invalid: omit).", "Mend the cell if its value is needed."},
		{codeCellNulled, Warns, "A cell does not suit its target and null was sent, as the mapping says (invalid: null).", "Mend the cell if its value is needed."},
		{codeAnswerDiffers, Warns, "The platform took the row, but its answer does not say what was sent.", "Look at the device or person on the platform; an attribute may not be defined there as it was sent."},
		{codeDuplicateDevice, Warns, "The device stands in the input before, with other content; with --on-duplicate reject its rows are rejected.", "Keep the row that counts, or say which with --on-duplicate."},

		{CodeChangedSince, Skips, "undo: the device is no longer as the run left it; it was left alone.", "Look at the device; set it by hand if it should be as before."},
		{codeNothingToUndo, Skips, "undo: the device is as it was before the run.", "Nothing needs to be done."},
		{codeBeforeUnknown, Skips, "undo: nothing tells whose the device was before the run.", "Give a whole inventory of before: undo RUN --from INVENTORY."},
		{codeCannotRestore, Rejects, "undo: the device belonged to a person without any identity, whom no request can name.", "Nothing can bring it back; the app's SDK makes the tie anew when the person signs in."},
		{codePlanInvalid, Rejects, "undo: a row of the plan in the run folder cannot be read.", "Somebody changed the run folder: undo the run anew."},
		{"unchanged", Skips, "The platform has acknowledged this very request before (--delta).", "Nothing needs to be done; --delta-full sends every row."},
		{"adopted", Skips, "--delta-adopt takes the row as acknowledged without sending it.", "Nothing needs to be done."},
		{"superseded", Skips, "A later row of the device is sent, or an equal one (--on-duplicate).", "Nothing needs to be done."},
		{"already_gone", Skips, "A device that the input names no more is not known to the platform either.", "Nothing needs to be done."},
		{codeRowEmpty, Skips, "The line has delimiters only, as spreadsheets write them behind a table.", "Nothing needs to be done."},
		{codeNothingToUpdate, Skips, "The row changes nothing: all its values are empty.", "Nothing needs to be done; fill a cell if something should change."},

		// What the platform says.
		{"48001", Stops, "The platform saw no application code.", "Give --app-code, INFOBIP_APP_CODE or a column appCode; a run that was stopped takes it anew: pushbatch resume RUN --app-code CODE."},
		{"48012", Stops, "The platform does not know the application code. With a code of the row's own, only that row fails.", "Copy the code from the mobile application profile of this account; a run that was stopped takes it anew: pushbatch resume RUN --app-code CODE."},
		{"48013", Fails, "The platform does not know the registration id.", "The app may have been removed, or the id belongs to another application code."},
		{"APP_CODE_MISSING", Stops, "The platform saw no application code.", "Give --app-code, INFOBIP_APP_CODE or a column appCode."},
		{"UNAUTHORIZED", Stops, "The platform refused the credentials.", "Check the API key and that it belongs to this base URL."},
		{"FORBIDDEN", Stops, "The credentials may not do this.", "Give the API key the people and mobile push scopes."},
		{"BAD_REQUEST", Fails, "The platform found the request invalid; the message says where.", "Mend the value it names."},
		{"NOT_FOUND", Fails, "The platform has nothing at this address.", "Check the base URL and the registration id."},
		{"TOO_MANY_REQUESTS", Fails, "The platform kept refusing because of its rate limit.", "Retry the row; lower --rate when others use the account."},
		{"E429", Fails, "The platform kept refusing because of its rate limit.", "Retry the row; lower --rate when others use the account."},
		{"GENERAL_ERROR", Fails, "The platform failed inside, at every attempt.", "Retry the row later."},
		{"PERSONALIZATION_IMPOSSIBLE", Fails, "The device belongs to another person.", "Check which is right; --force-depersonalize takes the device away from the other."},
		{"AMBIGUOUS_PERSONALIZE_CANDIDATES", Fails, "The row's identity values belong to several people.", "Merge those people, or give only the value that is right."},
		{"USER_MERGE_INTERRUPTED", Fails, "The person has another external id already.", "Check the external id, or leave it out."},
		{"EMAIL_INVALID", Fails, "The platform does not accept the e-mail address.", "Mend the address."},
		{"PHONE_INVALID", Fails, "The platform does not accept the phone number.", "Mend the number."},
		{"USER_IDENTITY_INVALID", Fails, "The platform does not accept the identity.", "Check external id, phone number and e-mail address."},
		{"REQUEST_FORMAT_INVALID", Fails, "The platform could not read the request; the message says where.", "Check the attribute's type: it must be as defined on the account."},
		{"http_*", Fails, "The platform, or a proxy before it, answered with this status and no code.", "400, 404, 409, 422 are final for the row; 5xx and 429 may be retried; 401 (UNAUTHORIZED) and 403 (FORBIDDEN) stop the run."},

		// The way to the platform.
		{"timeout", Fails, "No answer came within --timeout, at every attempt.", "Retry the row; the change may have been made."},
		{"connection_refused", Fails, "Nothing listens at the base URL.", "Check --base-url and the network."},
		{"connection_broken", Fails, "The connection was cut before an answer came.", "Retry the row; the change may have been made."},
		{"answer_cut", Fails, "The answer ended too early.", "Retry the row; the change was probably made."},
		{"answer_invalid", Fails, "The answer is neither JSON nor empty.", "A proxy may answer instead of the platform: check --base-url."},
		{"answer_too_large", Fails, "The answer is larger than 1 MiB, or 8 MiB for a page of people.", "Report it with the operation and the status."},
		{"host_unknown", Stops, "The base URL's host has no address.", "Check --base-url and the name server."},
		{"tls_certificate", Stops, "The server's certificate is not trusted.", "Check --base-url; behind a proxy, add its certificate to the system's."},
		{"tls_handshake", Stops, "No encrypted connection came about.", "Check --base-url and proxies on the way."},
		{"proxy", Stops, "The proxy that HTTPS_PROXY names refuses, or the variable holds no address.", "Correct HTTPS_PROXY, or list the platform's host in NO_PROXY."},
		{"redirected", Stops, "The platform points to another address, which is never followed.", "Use the base URL of your account."},
		{"token_invalid", Stops, "The token endpoint's answer has no usable token.", "Check client id, client secret and the base URL."},
		{"lease_lost", Stops, "The run's lease in S3 could not be renewed, so that another process may take the run over.", "Resume the run when the store can be reached."},
		{codeOutage, Stops, "The platform was out of reach for longer than --max-outage.", "Resume the run when it is back."},

		// Columns, mappings and options.
		{codeHeaderMissing, Refuses, "The first line of the input is a row: no column has a known name, and one is named like a value.", "Put a line with the names of the columns in front."},
		{codeColumnUnknown, Refuses, "A column is none of the platform's, or a mapping names one that the input lacks.", "Rename it, map it with --map (inspect --write-map FILE makes a mapping to start from), or pass it over with --ignore-unmapped."},
		{codeColumnRepeated, Refuses, "Two columns or constants have the same target.", "Keep one, or list the other under ignore: in the mapping."},
		{codeColumnMissing, Refuses, "A column that every row needs is not there.", "Add or map it, or give a constant with --set."},
		{codeColumnInvalid, Refuses, "A column declares a type that its target does not take, or its name is too long.", "One of number, boolean, date, string after the colon, for attributes."},
		{codeTargetUnknown, Refuses, "A mapping or constant names a target that does not exist.", "See pushbatch help mapping for the targets."},
		{codeMappingInvalid, Refuses, "The mapping file is not as it should be.", "Mend the line the message names."},
		{codeOptionInvalid, Refuses, "An option has a value that means nothing.", "Mend the option the message names."},

		// Inputs and outputs.
		{"input_unreadable", Stops, "An input could not be read, or not further.", "Check that it exists and may be read, then resume."},
		{"input_changed", Stops, "An input is not the one the run began with.", "Restore it, or begin a new run."},
		{"input_truncated", Stops, "A compressed or two-byte input ends in the middle.", "Fetch it again whole; all rows before the cut are accounted for."},
		{"input_too_large", Stops, "A Parquet page, footer or list, or the window of a zstd stream, is beyond the bound that the message names.", "Write the file again as the message says; a resumed run would stop at the same place."},
		{"input_corrupt", Stops, "A compressed input is damaged.", "Fetch it again; all rows before the damage are accounted for."},
		{"input_not_rereadable", Stops, "Standard input or a pipe cannot be read a second time.", "Put it into a file first to be able to resume."},
		{"input_empty", Refuses, "An input has no header and no record.", "Check what wrote it."},
		{"input_option_invalid", Refuses, "A setting contradicts the input.", "Mend the option the message names."},
		{"format_unsupported", Refuses, "The input is of a format that is not read.", "Export it as CSV, Parquet or NDJSON."},
		{"header_invalid", Refuses, "The header has an unnamed column, or is not text.", "Name every column."},
		{"header_duplicate", Refuses, "Two columns have the same name.", "Rename one of them."},
		{"csv_quote_unclosed", Stops, "A quoted cell is still open at the end of the input.", "Close the quote at the line the message names."},
		{"results_unwritable", Stops, "The results could not be written.", "Make room or permit writing, then resume."},
		{"internal", Stops, "pushbatch met a state that should not exist.", "Report it with the message; the run can be resumed."},
	}
}
