package blob_test

import (
	"crypto/sha1" //nolint:gosec // the SDK names its cache file so
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pushbatch/batch/blob"
	"pushbatch/testdata/s3test"
)

// handsOut serves the good credentials in the forms of the services that hand
// them out, and counts how often it was asked.
type handsOut struct {
	asked  atomic.Int64
	lasts  time.Duration
	refuse atomic.Bool
	saw    atomic.Pointer[http.Request]
}

func (h *handsOut) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // looked at by the tests
	expires := time.Now().Add(h.lasts).UTC()
	switch path := r.URL.Path; {
	case path == "/latest/api/token":
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "600")
		fmt.Fprint(w, "metadata-token")
		return
	case strings.HasSuffix(path, "/iam/security-credentials/"):
		fmt.Fprint(w, "the-role")
		return
	}
	h.asked.Add(1)
	h.saw.Store(r)
	switch path := r.URL.Path; {
	case h.refuse.Load():
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>not allowed to assume the role</Message></Error></ErrorResponse>`)
	case path == "/federation/credentials": // SSO
		_ = json.NewEncoder(w).Encode(map[string]any{"roleCredentials": map[string]any{
			"accessKeyId": s3test.AccessKey, "secretAccessKey": s3test.SecretKey, "sessionToken": "", "expiration": expires.UnixMilli(),
		}})
	case r.Method == http.MethodPost: // STS
		action := r.Form.Get("Action")
		fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials><AccessKeyId>%[2]s</AccessKeyId>`+
			`<SecretAccessKey>%[3]s</SecretAccessKey><SessionToken></SessionToken><Expiration>%[4]s</Expiration></Credentials></%[1]sResult></%[1]sResponse>`,
			action, s3test.AccessKey, s3test.SecretKey, expires.Format(time.RFC3339))
	default: // containers and instances
		_ = json.NewEncoder(w).Encode(map[string]any{
			"Code": "Success", "AccessKeyId": s3test.AccessKey, "SecretAccessKey": s3test.SecretKey, "Token": "", "Expiration": expires,
		})
	}
}

// Credentials come from every place that the SDK knows: files, roles of
// containers and machines, tokens of a pod, SSO.
func TestS3CredentialChain(t *testing.T) {
	server := s3test.Start(t)
	server.Put(t, "a.csv", []byte("a"))
	home := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keys := fmt.Sprintf("aws_access_key_id = %s\naws_secret_access_key = %s\n", s3test.AccessKey, s3test.SecretKey)
	session := sha1.Sum([]byte("work")) //nolint:gosec // see above
	file(".aws/sso/cache/"+hex.EncodeToString(session[:])+".json", fmt.Sprintf(
		`{"accessToken":"sso-token","expiresAt":%q,"region":"us-east-1","startUrl":"https://sso.example/start"}`,
		time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	))
	for _, tt := range []struct {
		name  string
		env   func(url string) map[string]string
		asked int64
		saw   func(*http.Request) string
		want  string
	}{
		{name: "profile of the credentials file", env: func(string) map[string]string {
			return map[string]string{"AWS_PROFILE": "night", "AWS_SHARED_CREDENTIALS_FILE": file("credentials", "[night]\n"+keys)}
		}},
		{name: "role of a profile", asked: 1, env: func(url string) map[string]string {
			return map[string]string{
				"AWS_PROFILE": "role", "AWS_ENDPOINT_URL_STS": url,
				"AWS_CONFIG_FILE": file("config", "[profile base]\n"+keys+"[profile role]\nregion = us-east-1\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"),
			}
		}, saw: func(r *http.Request) string { return r.Form.Get("Action") + " " + r.Form.Get("RoleArn") }, want: "AssumeRole arn:aws:iam::1:role/r"},
		{name: "web identity of a pod", asked: 1, env: func(url string) map[string]string {
			return map[string]string{
				"AWS_ROLE_ARN": "arn:aws:iam::1:role/pod", "AWS_ENDPOINT_URL_STS": url, "AWS_REGION": "us-east-1",
				"AWS_WEB_IDENTITY_TOKEN_FILE": file("token", "pod-token"),
			}
		}, saw: func(r *http.Request) string { return r.Form.Get("Action") + " " + r.Form.Get("WebIdentityToken") }, want: "AssumeRoleWithWebIdentity pod-token"},
		{name: "role of a container", asked: 1, env: func(url string) map[string]string {
			return map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/creds", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token"}
		}, saw: func(r *http.Request) string { return r.Header.Get("Authorization") }, want: "container-token"},
		{name: "role of a machine", asked: 1, env: func(url string) map[string]string {
			return map[string]string{"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": url}
		}, saw: func(r *http.Request) string { return r.Header.Get("X-Aws-Ec2-Metadata-Token") }, want: "metadata-token"},
		{name: "SSO", asked: 1, env: func(url string) map[string]string {
			return map[string]string{
				"AWS_PROFILE": "sso", "HOME": home, "AWS_ENDPOINT_URL_SSO": url,
				"AWS_CONFIG_FILE": file("sso", "[sso-session work]\nsso_region = us-east-1\nsso_start_url = https://sso.example/start\n"+
					"[profile sso]\nsso_session = work\nsso_account_id = 111122223333\nsso_role_name = reader\nregion = us-east-1\n"),
			}
		}, saw: func(r *http.Request) string { return r.Header.Get("X-Amz-Sso_bearer_token") }, want: "sso-token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &handsOut{lasts: time.Hour}
			service := httptest.NewServer(h)
			defer service.Close()
			t.Setenv("AWS_ACCESS_KEY_ID", "")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "")
			for name, value := range tt.env(service.URL) {
				t.Setenv(name, value)
			}
			ctx := server.Context(t.Context(), blob.S3Options{})
			for range 3 {
				if _, err := blob.Stat(ctx, server.Location("a.csv")); err != nil {
					t.Fatal(err)
				}
			}
			if n := h.asked.Load(); n != tt.asked {
				t.Errorf("credentials were asked for %d times", n)
			}
			if tt.saw != nil && tt.saw(h.saw.Load()) != tt.want {
				t.Errorf("the service saw %q", tt.saw(h.saw.Load()))
			}
		})
	}
}

// Credentials of a role that run out while a run goes on are fetched again; a
// refusal then says who refused, not that the bucket did.
func TestS3CredentialsRunOut(t *testing.T) { //nolint:paralleltest // it sets the environment, in a loop that the linter does not see
	server := s3test.Start(t)
	server.Put(t, "a.csv", []byte("a"))
	h := &handsOut{lasts: -time.Minute} // over at once
	service := httptest.NewServer(h)
	defer service.Close()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ENDPOINT_URL_STS": service.URL, "AWS_REGION": "us-east-1",
		"AWS_ROLE_ARN": "arn:aws:iam::1:role/pod", "AWS_WEB_IDENTITY_TOKEN_FILE": filepath.Join(t.TempDir(), "token"),
	} {
		t.Setenv(name, value)
	}
	if err := os.WriteFile(os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE"), []byte("pod-token-secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := server.Context(t.Context(), blob.S3Options{})
	if _, err := blob.Stat(ctx, server.Location("a.csv")); err != nil {
		t.Fatal(err)
	}
	first := h.asked.Load()
	for range 2 {
		if _, err := blob.Stat(ctx, server.Location("a.csv")); err != nil {
			t.Fatal(err)
		}
	}
	if h.asked.Load() == first {
		t.Error("credentials that had run out were not fetched again")
	}
	h.refuse.Store(true)
	_, err := blob.Stat(ctx, server.Location("a.csv"))
	if err == nil {
		t.Fatal("no error")
	}
	t.Log(err)
	demandWords(t, err, "s3://bucket/a.csv", "credentials could not be had", "STS AssumeRoleWithWebIdentity: AccessDenied: not allowed", "AWS_ROLE_ARN")
	if strings.Contains(err.Error(), "pod-token-secret") {
		t.Error("the token is in the error")
	}
}

func demandWords(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, want := range words {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q has no %q", err, want)
		}
	}
}
