package csvfile

import (
	"fmt"
	"strings"

	"pushbatch/readers/inputerror"
)

// dialect is how one CSV input is written.
type dialect struct {
	delimiter byte
	alone     bool   // no delimiter was found: the file has one column
	cr        bool   // a carriage return alone ends a record, too
	sepLine   string // the first line, with its end, when it is Excel's sep=
}

var delimiters = [...]struct {
	char byte
	name string
}{{',', "comma"}, {';', "semicolon"}, {'\t', "tab"}, {'|', "pipe"}}

func (d *dialect) described() string {
	text := delimiterName(d.delimiter)
	if d.alone {
		text = "one column"
	}
	if d.sepLine != "" {
		text += " (sep= line)"
	}
	if d.cr {
		text += ", CR line ends"
	}
	return text
}

func delimiterName(char byte) string {
	for _, d := range delimiters {
		if d.char == char {
			return d.name
		}
	}
	if char > ' ' && char < 0x7F {
		return "delimiter " + strings.ToLower(string(rune(char)))
	}
	return fmt.Sprintf(`delimiter \x%02x`, char)
}

// findDialect decides on the delimiter and the line ends by the first records.
func findDialect(want, sample string) (dialect, error) {
	char, err := parseDelimiter(want)
	if err != nil {
		return dialect{}, err
	}
	var d dialect
	sep := byte(0)
	d.sepLine, sep = sepLine(sample)
	body := sample[len(d.sepLine):]
	d.delimiter, d.cr = char, carriageReturns(body)
	if char != 0 {
		return d, nil
	}
	if sep != 0 {
		d.delimiter = sep
		return d, nil
	}
	d.delimiter, d.alone = detectDelimiter(body, d.cr)
	return d, nil
}

// parseDelimiter returns 0 for "find it".
func parseDelimiter(want string) (byte, error) {
	for _, d := range delimiters {
		if want == d.name {
			return d.char, nil
		}
	}
	switch {
	case want == "" || want == "auto":
		return 0, nil
	case want == `\t`:
		return '\t', nil
	case len(want) == 1 && want[0] < 0x80 && !strings.Contains("\"\r\n\x00", want):
		return want[0], nil
	}
	return 0, inputerror.New(inputerror.CodeOption, "--delimiter %q is none: give one ASCII character, or comma, semicolon, tab or pipe", want)
}

// sepLine recognises the line by which Excel is told the delimiter.
func sepLine(sample string) (line string, delimiter byte) {
	end := strings.IndexAny(sample, "\r\n")
	if end < 0 {
		return "", 0
	}
	value := strings.Trim(sample[:end], `"`)
	if len(value) != len("sep=")+1 || !strings.EqualFold(value[:4], "sep=") || value[4] >= 0x80 || value[4] == '"' {
		return "", 0
	}
	if strings.HasPrefix(sample[end:], "\r\n") {
		end++
	}
	return sample[:end+1], value[4]
}

// carriageReturns reports whether the first line end outside quotes is a
// carriage return without a line feed.
func carriageReturns(sample string) bool {
	quoted := false
	for i := range len(sample) {
		switch sample[i] {
		case '"':
			quoted = !quoted
		case '\n':
			if !quoted {
				return false
			}
		case '\r':
			if !quoted {
				return i+1 < len(sample) && sample[i+1] != '\n'
			}
		}
	}
	return false
}

// guessRecords is how many records delimiters are tried on.
const guessRecords = 100

// detectDelimiter tries each delimiter on the first records, quotes respected.
// The one wins that cuts the header into most cells and the rows into as many:
// (cells of the header - 1) times the share of rows that agree with it.
func detectDelimiter(sample string, cr bool) (delimiter byte, alone bool) {
	best, delimiter := 0.0, delimiters[0].char
	for _, d := range delimiters {
		if score := tryDelimiter(sample, dialect{delimiter: d.char, cr: cr}); score > best {
			best, delimiter = score, d.char
		}
	}
	return delimiter, best == 0
}

func tryDelimiter(sample string, d dialect) float64 {
	var header, rows, agree int
	for rest := sample; rows < guessRecords; rows++ {
		end := recordEnd{dialect: d}
		n, found := end.feed(rest)
		if !found {
			break
		}
		cells := len(d.split(rest[:n], nil).cells)
		rest = rest[n:]
		if header == 0 {
			header = cells
		}
		if cells == header {
			agree++
		}
	}
	if rows == 0 { // not one complete record: count in what is there
		return float64(len(d.split(sample, nil).cells) - 1)
	}
	return float64(header-1) * float64(agree) / float64(rows)
}
