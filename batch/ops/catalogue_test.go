package ops_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

// platform are the codes the platform documents, two of the engine and one of the run folder.
var platform = []string{
	"48001", "48012", "48013", "APP_CODE_MISSING", "UNAUTHORIZED", "FORBIDDEN", "BAD_REQUEST", "NOT_FOUND", "TOO_MANY_REQUESTS", "E429",
	"GENERAL_ERROR", "PERSONALIZATION_IMPOSSIBLE", "AMBIGUOUS_PERSONALIZE_CANDIDATES", "USER_MERGE_INTERRUPTED", "EMAIL_INVALID",
	"PHONE_INVALID", "USER_IDENTITY_INVALID", "REQUEST_FORMAT_INVALID", "http_*", "results_unwritable", "lease_lost", "internal",
	"unchanged", "adopted", "superseded", "already_gone",
}

func TestCatalogueHasEveryCodeAndNoOther(t *testing.T) {
	t.Parallel()
	want := map[string]bool{batch.CodeUnmodified: true, batch.CodeTypeMismatch: true}
	for _, code := range platform {
		want[code] = true
	}
	for _, folder := range []string{".", "../../readers/inputerror", "../../apiclient"} {
		for _, code := range declaredCodes(t, folder) {
			want[code] = true
		}
	}
	have := ops.Catalogue()
	if rows := strings.Count(ops.ErrorsTopic(), "\n| `"); rows != len(have) {
		t.Errorf("the topic has %d rows, and %d codes are read", rows, len(have))
	}
	effects := []ops.Effect{ops.Rejects, ops.Fails, ops.Warns, ops.Skips, ops.Stops, ops.Refuses}
	for code, e := range have {
		if e.Meaning == "" || e.Remedy == "" || !slices.Contains(effects, e.Effect) {
			t.Errorf("code %s is not explained", code)
		}
		if !want[code] {
			t.Errorf("code %s is used nowhere", code)
		}
	}
	for code := range want {
		if _, known := have[code]; !known {
			t.Errorf("code %s is not explained", code)
		}
	}
}

// declaredCodes returns the values of a package's string constants whose names
// begin with code or Code.
func declaredCodes(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files in %s: %v", folder, err)
	}
	var codes []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			codes = append(codes, codesOf(n)...)
			return true
		})
	}
	if len(codes) == 0 {
		t.Fatalf("%s declares no code", folder)
	}
	return codes
}

func codesOf(n ast.Node) (codes []string) {
	spec, ok := n.(*ast.ValueSpec)
	if !ok {
		return nil
	}
	for i, name := range spec.Names {
		if !strings.HasPrefix(strings.ToLower(name.Name), "code") || i >= len(spec.Values) {
			continue
		}
		if literal, ok := spec.Values[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
			code, _ := strconv.Unquote(literal.Value)
			codes = append(codes, code)
		}
	}
	return codes
}

func TestExplain(t *testing.T) {
	t.Parallel()
	if e, ok := ops.Explain("http_502"); !ok || e.Code != "http_502" {
		t.Errorf("Explain(http_502) = %v, %v", e, ok)
	}
	for code, like := range map[string]string{"http_401": "UNAUTHORIZED", "E401": "UNAUTHORIZED", "http_403": "FORBIDDEN", "E403": "FORBIDDEN", "http_407": "proxy"} {
		e, _ := ops.Explain(code)
		want, _ := ops.Explain(like)
		want.Code = code
		if diff := cmp.Diff(want, e); diff != "" {
			t.Errorf("%s is not explained as %s:\n%s", code, like, diff)
		}
	}
	if _, ok := ops.Explain("SOMETHING_NEW"); ok {
		t.Error("an unknown code is explained")
	}
}

func TestTemporary(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"timeout": true, "connection_broken": true, "http_503": true, "http_500": true, "http_429": true, "GENERAL_ERROR": true, "answer_invalid": true,
		"http_400": false, "http_404": false, "48013": false, "phone_invalid": false, "PERSONALIZATION_IMPOSSIBLE": false, "http_": false, "http_501": false, "http_505": false, "http_600": false,
	} {
		if got := ops.Temporary(code); got != want {
			t.Errorf("%s: %v, want %v", code, got, want)
		}
	}
}
