package ops

// pageBytes is how much memory texts of many rows share. A row that is not
// finished keeps one page alive.
const pageBytes = 64 << 10

// pages gives out pieces of memory that are never used again: one allocation
// serves the texts of a few hundred rows.
type pages struct{ free []byte }

// keep returns a copy of b.
func (p *pages) keep(b []byte) []byte {
	if len(b) > pageBytes/8 {
		return append([]byte(nil), b...)
	}
	if len(b) > len(p.free) {
		p.free = make([]byte, pageBytes)
	}
	n := copy(p.free, b)
	kept := p.free[:n:n]
	p.free = p.free[n:]
	return kept
}
