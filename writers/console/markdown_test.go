package console

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRenderMarkdown(t *testing.T) {
	t.Parallel()
	const text = "Intro with `code` and\n[a link](s3.md), [another](https://example.com).\n\n<!-- test: exit 1 -->\n```sh\nrun  it\n```\n\n" +
		"## A heading\n\n- one\n  goes on\n- two\n\n| code | meaning |\n|---|---|\n| 0 | fine \\| done |\n\n" +
		"| a | b | what to do |\n|---|---|---|\n| `x` | y | z |\n"
	const want = "Intro with code and a link (pushbatch help s3), another.\n\n    run  it\n\n" +
		"A HEADING\n\n- one goes on\n- two\n\n  0  fine | done\n\n  x\n      y\n      What to do: z"
	if diff := cmp.Diff(want, Markdown(text)); diff != "" {
		t.Error(diff)
	}
}
