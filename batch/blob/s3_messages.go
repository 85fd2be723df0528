package blob

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

// errorMessages are codes in words.
var errorMessages = map[string]string{
	codeNoCredentials:       "no AWS credentials were found",
	codeNoProfile:           "the AWS profile is not to be found",
	codeCredentials:         "the AWS credentials could not be had",
	codeSSO:                 "the AWS SSO session has expired",
	codeUnreachable:         "the service cannot be reached",
	codeNoConditions:        "the service does not know conditional writes",
	codeRedirect:            "the service redirects",
	"AccessDenied":          "access denied",
	"NoSuchBucket":          "there is no such bucket",
	"NoSuchKey":             "there is no such object",
	"ExpiredToken":          "the security token has expired",
	"InvalidToken":          "the security token is not valid",
	"InvalidAccessKeyId":    "the access key is not known",
	"SignatureDoesNotMatch": "the signature does not match",
	"PermanentRedirect":     "the bucket lies in another region",
	"SlowDown":              "the service asks to slow down",
	"ServiceUnavailable":    "the service is not available",
	"InternalError":         "the service has an internal error",
	"RequestTimeTooSkewed":  "this machine's clock is wrong",
	"InvalidObjectState":    "the object is archived",
	"NotImplemented":        "the service does not know this call, or a header of it",
}

// hints say what to do about a code.
var hints = map[string]string{
	codeNoCredentials: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, run aws sso login, or give the pod or " +
		"machine a role; for a public bucket give --s3-no-sign-request",
	codeNoProfile: "check AWS_PROFILE: aws configure list-profiles prints the names (AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE say where)",
	codeCredentials: "check the role (AWS_ROLE_ARN, or role_arn of the profile) and its trust policy, and the service that hands " +
		"credentials out; aws sts get-caller-identity tries the same",
	codeSSO: "run aws sso login",
	codeKMS: "check --s3-sse-kms-key-id: the key must be enabled, lie in the bucket's region and allow kms:GenerateDataKey and kms:Decrypt",
	codeUnreachable: "check the network, the proxy and --s3-endpoint-url (or AWS_ENDPOINT_URL_S3); " +
		"for a host name that begins with the bucket give --s3-path-style",
	"AccessDenied": "the identity needs s3:GetObject and s3:ListBucket to read, s3:PutObject and s3:DeleteObject to write " +
		"(and kms:Decrypt, kms:GenerateDataKey for encrypted objects); aws sts get-caller-identity says which one it is. " +
		"Without s3:ListBucket an object that is not there is refused like this, too",
	"NoSuchBucket":          "check the spelling, and whether the profile and the endpoint are the right account's",
	"NoSuchKey":             "check the spelling: letter case counts",
	"ExpiredToken":          "get a new one (aws sso login, or restart the process that hands it out), then resume",
	"InvalidToken":          "AWS_SESSION_TOKEN does not belong to the access key: set all three variables anew, or none",
	"InvalidAccessKeyId":    "check AWS_ACCESS_KEY_ID, AWS_PROFILE and, for another service, --s3-endpoint-url",
	"SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY: it does not belong to the access key",
	"PermanentRedirect":     "give its region with --s3-region (aws s3api get-bucket-location prints it)",
	"SlowDown":              "it went on for all attempts: try again later, or spread the load over more prefixes",
	"ServiceUnavailable":    "it went on for all attempts: try again later",
	"RequestTimeTooSkewed":  "set the clock (NTP)",
	"InvalidObjectState":    "restore it from its storage class first (aws s3api restore-object)",
	codeNoConditions: "runs in S3 need them (If-Match, If-None-Match): take a service that has them, or a local --out; " +
		"inputs and --to work without",
	"NotImplemented": "where the service knows no checksums, set AWS_REQUEST_CHECKSUM_CALCULATION=when_required",
	codeRedirect:     "only those of a read within the same host (307, 308) are followed: give the right endpoint or region yourself (--s3-endpoint-url, --s3-region)",
}

// synonyms are codes that mean what another does.
var synonyms = map[string]string{
	"Forbidden": "AccessDenied", "NotFound": "NoSuchKey", "ExpiredTokenException": "ExpiredToken", "TokenRefreshRequired": "ExpiredToken",
	"RequestExpired": "ExpiredToken", "MovedPermanently": "PermanentRedirect", "AuthorizationHeaderMalformed": "PermanentRedirect",
	"IllegalLocationConstraintException": "PermanentRedirect", "InternalError": "ServiceUnavailable",
}
