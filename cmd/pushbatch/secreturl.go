package main

import "net/url"

// maskedURL is an address without what may be secret in it: the password and
// the query.
func maskedURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		if text == "" {
			return ""
		}
		return "…"
	}
	masked := u.Scheme + "://" + u.Host + u.EscapedPath()
	if u.User != nil {
		masked = u.Scheme + "://…@" + u.Host + u.EscapedPath()
	}
	if u.RawQuery != "" {
		masked += "?…"
	}
	return masked
}
