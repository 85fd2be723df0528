package delta

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"pushbatch/batch/spill"
)

// hashVersion names the canonical form of RequestHash. A State of another
// version is compared with nothing: every row counts as changed.
const hashVersion = 1

// Hash is 128 bits of SHA-256: of a registration id, of a request, or of the
// sequence of a device's requests.
type Hash = spill.Key

// DeviceHash is the hash that a device is sorted by.
func DeviceHash(registrationID string) Hash { return spill.KeyOf(registrationID) }

func shorten(sum [sha256.Size]byte) Hash { return Hash(sum[:spill.KeySize]) }

// Request is what is compared of a row's request.
type Request struct {
	AppCode string // that the request carries, the run's own included
	Method  string
	Path    string // escaped or not, which does not count
	Query   string // encoded; the order of parameters does not count
	Body    []byte // JSON or empty
}

// Hash hashes a request in its canonical form: the order of members and of
// tags does not count, nor does how a number or a character is written (5 and
// 5.0, é and é).
func (r *Request) Hash() Hash {
	path := r.Path
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	query := r.Query
	if strings.Contains(query, "&") {
		parameters := strings.Split(query, "&")
		slices.Sort(parameters)
		query = strings.Join(parameters, "&")
	}
	text := append(make([]byte, 0, 512+len(r.Body)), hashVersion)
	for _, part := range [...]string{r.AppCode, r.Method, path, query} {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	text, _ = appendCanonical(text, r.Body)
	return shorten(sha256.Sum256(text))
}

// sequence is the hash of the requests of a device in input order: that of the
// only one is its own.
func sequence(requests []Hash) Hash {
	if len(requests) == 1 {
		return requests[0]
	}
	all := make([]byte, 0, 1+len(requests)*spill.KeySize)
	all = append(all, hashVersion)
	for i := range requests {
		all = append(all, requests[i][:]...)
	}
	return shorten(sha256.Sum256(all))
}

// appendCanonical appends the JSON value at the beginning of src in canonical
// form and returns what follows it. What is no JSON is appended as it is.
func appendCanonical(dst, src []byte) (_, rest []byte) {
	src = bytes.TrimSpace(src)
	if len(src) == 0 {
		return dst, nil
	}
	switch src[0] {
	case '{':
		return appendSorted(dst, src, '}')
	case '[':
		return appendSorted(dst, src, ']')
	case '"':
		text, rest := cutString(src)
		dst = binary.AppendUvarint(append(dst, '"'), uint64(len(text)))
		return append(dst, text...), rest
	}
	n := bytes.IndexAny(src, ",]} \t\r\n")
	if n < 0 {
		n = len(src)
	}
	if c := src[0]; c == '-' || c >= '0' && c <= '9' {
		return appendNumber(dst, src[:n]), src[n:]
	}
	return append(dst, src[:n]...), src[n:]
}

// appendSorted appends an object or a list with its members in order. The only
// lists that are sent are tags, which are a set.
func appendSorted(dst, src []byte, end byte) (_, rest []byte) {
	begin := len(dst) + 1
	dst = append(dst, src[0])
	ends := make([]int, 0, 16)
	src = src[1:]
	for {
		src = bytes.TrimSpace(src)
		if len(src) > 0 && src[0] == ',' {
			src = bytes.TrimSpace(src[1:])
		}
		if len(src) == 0 {
			break
		}
		if src[0] == end {
			src = src[1:]
			break
		}
		before := len(src)
		dst, src = appendCanonical(dst, src)
		if src = bytes.TrimSpace(src); len(src) > 0 && src[0] == ':' {
			dst, src = appendCanonical(append(dst, ':'), src[1:])
		}
		if len(src) == before { // no JSON: nothing was taken
			dst, src = append(dst, src...), nil
		}
		dst = append(dst, ',')
		ends = append(ends, len(dst))
	}
	return append(sortMembers(dst, begin, ends), end), src
}

// sortMembers sorts what stands in dst from begin on, member after member.
func sortMembers(dst []byte, begin int, ends []int) []byte {
	sorted := true
	for i, at := 1, begin; i < len(ends) && sorted; i++ {
		sorted = bytes.Compare(dst[at:ends[i-1]], dst[ends[i-1]:ends[i]]) <= 0
		at = ends[i-1]
	}
	if sorted {
		return dst
	}
	members, all, at := make([][]byte, len(ends)), slices.Clone(dst[begin:]), 0
	for i, end := range ends {
		members[i], at = all[at:end-begin], end-begin
	}
	slices.SortStableFunc(members, bytes.Compare)
	dst = dst[:begin]
	for _, member := range members {
		dst = append(dst, member...)
	}
	return dst
}

// cutString returns the text of the string at the beginning of src.
func cutString(src []byte) (text, rest []byte) {
	escaped := false
	for i := 1; i < len(src); i++ {
		switch src[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			if !escaped {
				return src[1:i], src[i+1:]
			}
			var plain string
			if json.Unmarshal(src[:i+1], &plain) != nil {
				return src[1:i], src[i+1:]
			}
			return []byte(plain), src[i+1:]
		}
	}
	return src, nil
}

// appendNumber appends a number as its digits without zeros at either end, and
// its exponent.
func appendNumber(dst, number []byte) []byte {
	mantissa, exponent, _ := bytes.Cut(bytes.ToLower(number), []byte("e"))
	mantissa, negative := bytes.CutPrefix(mantissa, []byte("-"))
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	digits := bytes.TrimLeft(slices.Concat(whole, fraction), "0")
	shift, ok := decimal(exponent)
	if !ok {
		return append(dst, number...)
	}
	shift -= len(fraction)
	shortened := bytes.TrimRight(digits, "0")
	shift += len(digits) - len(shortened)
	if len(shortened) == 0 {
		return append(dst, '0')
	}
	if negative {
		dst = append(dst, '-')
	}
	dst = append(append(dst, shortened...), 'e')
	return strconv.AppendInt(dst, int64(shift), 10)
}

// decimal reads the exponent of a number; one that is too large to count with is
// not read.
func decimal(text []byte) (n int, ok bool) {
	if len(text) == 0 {
		return 0, true
	}
	n, err := strconv.Atoi(string(text))
	return n, err == nil && n > -1<<30 && n < 1<<30
}

// hexText is how a hash stands in files.
func hexText(h Hash) string { return hex.EncodeToString(h[:]) }

func parseHash(text string) (h Hash, ok bool) {
	n, err := hex.Decode(h[:], []byte(text))
	return h, err == nil && n == len(h) && len(text) == 2*len(h)
}
