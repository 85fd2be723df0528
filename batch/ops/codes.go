package ops

import "pushbatch/batch"

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

	codeChangedSince  = "changed_since"
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
