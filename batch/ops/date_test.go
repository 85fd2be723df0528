package ops

import "testing"

func TestDateLayouts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ layout, cell, want string }{
		{"DD.MM.YYYY", "05.04.2003", "2003-04-05"},
		{"D.M.YYYY", "5.4.2003", "2003-04-05"},
		{"D. M. YYYY", "15. 4. 2003", "2003-04-15"},
		{"D.M.YYYY", "15.14.2003", ""},
		{"DD.MM.YYYY.", "31.02.2003.", ""},
		{"YYYYMMDD", "20030405", "2003-04-05"},
		{"YYYY_M_D", "2003_4_5", "2003-04-05"},
		{"YYYY_M_D", "2003 4 5", ""},
		{"D/M/YYYY", "05/12/0001", "0001-12-05"},
		{"D/M/YYYY", "05/12/0000", ""},
	} {
		l, err := parseLayout(c.layout)
		if err != nil {
			t.Errorf("%s: %v", c.layout, err)
			continue
		}
		if got, ok := l.parse(c.cell); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%q as %s: %q, want %q", c.cell, c.layout, got, c.want)
		}
	}
	for _, bad := range []string{"", "DD Jan YYYY", "YYYY-MM-DD PM", "DD.MM", "YYYY.DD.DD", "YYYYMD", "DMYYYY"} {
		if _, err := parseLayout(bad); err == nil {
			t.Errorf("layout %q is taken", bad)
		}
	}
}
