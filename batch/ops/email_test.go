package ops

import (
	"strings"
	"testing"
)

// FuzzPlainAddress holds the short way for plain e-mail addresses to the slow
// one: what it recognises is an address there too, in the same spelling but for
// the letter case of the domain.
func FuzzPlainAddress(f *testing.F) {
	for _, seed := range []string{
		"ana@example.com", "a.b+c@sub.example.org", "a..b@example.com", ".a@example.com", "a@-example.com", "a@example-.com",
		"a@ab--cd.com", "a@xn--bcher-kva.example", "a@1.2", "a@example.c", "A@EXAMPLE.COM", "a@b@c.de", "a@localhost",
		strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat("b", 64) + ".com", "a@exa_mple.com", "\"a\"@example.com",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !isPlainAddress(s) {
			return
		}
		mailbox, why := checkAddress(s)
		if why != "" || !strings.EqualFold(mailbox, s) {
			t.Errorf("the short way takes %q, the slow one says %q %s", s, mailbox, why)
		}
	})
}
