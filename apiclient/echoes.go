package apiclient

import (
	"html"
	"net/url"
	"slices"

	"pushbatch/batch/jsonappend"
)

// echoes returns the forms in which a server may send a secret back: as it is,
// escaped for HTML, for a URL and for JSON.
func echoes(secret string) []string {
	if secret == "" {
		return nil
	}
	quoted := string(jsonappend.String(nil, secret))
	forms := []string{
		secret, html.EscapeString(secret), url.QueryEscape(secret), url.PathEscape(secret), quoted[1 : len(quoted)-1],
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}
