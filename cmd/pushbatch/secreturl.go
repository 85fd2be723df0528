package main

import (
	"net/url"
)

// maskedURL is an address without what may be secret in it: the password, the
// query, and for a webhook also the path, which often is the secret itself.
func maskedURL(flag, text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		if text == "" {
			return ""
		}
		return "…"
	}
	masked := u.Scheme + "://" + u.Host
	if u.User != nil {
		masked = u.Scheme + "://…@" + u.Host
	}
	if flag != "notify-url" {
		masked += u.EscapedPath()
	} else if u.Path != "" && u.Path != "/" {
		masked += "/…"
	}
	if u.RawQuery != "" {
		masked += "?…"
	}
	return masked
}
