package simulator

import "strconv"

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c == 0x7f {
			return appendEscaped(dst, s)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendEscaped(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// writer appends the members of JSON objects.
type writer struct {
	dst   []byte
	comma bool
}

func (w *writer) raw(text string) { w.dst = append(w.dst, text...) }

func (w *writer) open(c byte) {
	w.dst = append(w.dst, c)
	w.comma = false
}

func (w *writer) close(c byte) {
	w.dst = append(w.dst, c)
	w.comma = true
}

func (w *writer) item() {
	if w.comma {
		w.dst = append(w.dst, ',')
	}
	w.comma = true
}

func (w *writer) name(name string) {
	w.item()
	w.dst = appendString(w.dst, name)
	w.dst = append(w.dst, ':')
}

// text writes a member unless s is empty.
func (w *writer) text(name, s string) {
	if s != "" {
		w.name(name)
		w.dst = appendString(w.dst, s)
	}
}

func (w *writer) boolean(name string, b bool) {
	w.name(name)
	w.dst = strconv.AppendBool(w.dst, b)
}

func (w *writer) number(name string, n int64) {
	w.name(name)
	w.dst = strconv.AppendInt(w.dst, n, 10)
}

func (w *writer) texts(name string, list []string) {
	if len(list) == 0 {
		return
	}
	w.name(name)
	w.open('[')
	for _, s := range list {
		w.item()
		w.dst = appendString(w.dst, s)
	}
	w.close(']')
}

func (w *writer) entries(name string, list []entry) {
	if len(list) == 0 {
		return
	}
	w.name(name)
	w.open('{')
	for _, e := range list {
		w.name(e.name)
		w.raw(e.json)
	}
	w.close('}')
}
