// Package ops says what each operation means: which columns it takes, how the
// values of a row are checked, and which call of the platform the row becomes.
// It is the only place where rows meet the API.
//
//	binding, err := ops.Named("personalize").Bind(source.Header(), ops.Options{
//		HasAppCode: true,
//		Sender:     client, // *apiclient.Client
//	})
//	if err != nil {
//		return err // *ops.BindError: every column that has no place, with the nearest name
//	}
//	request, outcome := binding.Map(&row) // one of the two: to be sent, or rejected or skipped
//
// # Columns
//
// A column is recognised by its name; letter case, spaces, - and _ do not
// count. A type may follow a colon: additionalData.score:number. A column that
// is known but has no use in the operation (email in a depersonalize) is passed
// over and stands in Binding.Columns as NotTaken; so are the columns of an
// inventory that nobody can write, where an exported file is valid input
// (update, depersonalize, get). Any other column is refused.
//
// # Values
//
// Nothing is guessed and nothing is changed without a word; what follows is
// all that happens between a cell and the request.
//
//	every cell          an empty one is not sent, unless the mapping says otherwise; the
//	                    null literal becomes JSON null (names, birthday, gender, tags,
//	                    customAttributes, additionalData) or is refused (all others)
//	ids, phone, e-mail  damage of spreadsheets is refused by name; so are spaces around
//	                    (phone numbers may have them), invisible characters, controls
//	phoneNumber         E.164 digits are sent; formatting is taken off; letters and
//	                    extensions are refused; national numbers need a region
//	gender              MALE or FEMALE in any letter case
//	birthday            YYYY-MM-DD, or a timestamp at midnight; sent as midnight UTC
//	tags                a list, a JSON array, or text split at every , ; and | (a mapping
//	                    may name the one separator); spaces around a tag and repeats go
//	:number             JSON's number syntax, all digits kept, magnitude at most 2^63-1
//	:boolean            true or false in any letter case
//	:date               YYYY-MM-DD or the mapping's layout, a day the calendar has
//	whole numbers       of typed files are written out as digits where text is wanted
//	values: (mapping)   only listed values pass
//	trim: (mapping)     cuts white space and invisible characters off both ends
//
// A row that breaks several rules names them all: codes are joined by
// batch.CodeSeparator, messages by "; ". No message holds a value.
package ops
