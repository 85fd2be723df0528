package blob

import (
	_ "embed" // s3_errors.md
	"strings"
)

// Codes of ours beside those of S3.
const (
	codeNoCredentials = "no_credentials"
	codeNoProfile     = "no_profile"
	codeCredentials   = "credentials_refused"
	codeSSO           = "sso_expired"
	codeUnreachable   = "unreachable"
	codeKMS           = "kms" // those that begin with KMS.
	codeNoConditions  = "no_conditional_writes"
	codeRedirect      = "TemporaryRedirect"
)

// s3Words say what a code means, and what to do about it.
type s3Words struct{ meaning, remedy string }

//go:embed s3_errors.md
var s3ErrorTable string

// s3Known are the codes of s3_errors.md.
var s3Known = readS3Words(s3ErrorTable)

func readS3Words(table string) map[string]s3Words {
	known := make(map[string]s3Words)
	for line := range strings.Lines(table) {
		if cells := strings.Split(strings.Trim(line, "|\n"), "|"); len(cells) == 3 {
			for code := range strings.FieldsSeq(cells[0]) {
				known[code] = s3Words{strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])}
			}
		}
	}
	return known
}
