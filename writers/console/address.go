package console

import "net/url"

// HostURL is an address without all that may be secret in the address of a web
// hook: only the scheme and the host are left.
func HostURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return ""
	case err != nil || u.Host == "":
		return "…"
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// MaskedURL is an address without what may be secret in it: the password and
// the query.
func MaskedURL(text string) string {
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
