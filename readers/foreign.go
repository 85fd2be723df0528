package readers

import (
	"bytes"
	_ "embed" // foreign.txt
	"encoding/binary"
	"path"
	"strconv"
	"strings"

	"pushbatch/readers/inputerror"
)

// parquetBegin is the first four bytes of every Parquet file.
const parquetBegin = "PAR1"

//go:embed foreign.txt
var foreignText string

// foreignSigns are the lines of foreign.txt by what a file is known by.
var foreignSigns = func() map[string][]foreignSign {
	signs := make(map[string][]foreignSign)
	for line := range strings.Lines(foreignText) {
		by, rest, _ := strings.Cut(line, " ")
		if quoted, err := strconv.QuotedPrefix(rest); err == nil {
			sign, _ := strconv.Unquote(quoted) // it is one
			signs[by] = append(signs[by], foreignSign{sign, strings.TrimSpace(rest[len(quoted):])})
		}
	}
	return signs
}()

type foreignSign struct{ sign, found string }

// refuseForeign says what a file is that has the first sign which fits; nil: none does.
func refuseForeign(by string, fits func(sign string) bool) error {
	for _, f := range foreignSigns[by] {
		if fits(f.sign) {
			return inputerror.New(inputerror.CodeFormat, "it is %s", f.found)
		}
	}
	return nil
}

// foreignBinary recognises files of other programs by name and first bytes, and
// says what to do. Where the encoding is named, what is no text in another one may
// be some in that.
func foreignBinary(location string, head []byte, encodingNamed bool) error {
	name := strings.ToLower(path.Base(strings.ReplaceAll(location, "\\", "/")))
	if err := refuseForeign("name", func(sign string) bool { return name == sign }); err != nil {
		return err
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) && isWorkbook(head) {
		return inputerror.New(inputerror.CodeFormat, "it is an Excel workbook (.xlsx): save it as \"CSV UTF-8\" in Excel")
	}
	err := refuseForeign("bytes", func(sign string) bool {
		return bytes.HasPrefix(head, []byte(sign)) && (sign != "ORC" || !isText(head)) // a header may begin so
	})
	if err != nil || encodingNamed || isText(head) {
		return err
	}
	if err := refuseForeign("ending", func(sign string) bool { return strings.HasSuffix(name, sign) }); err != nil {
		return err
	}
	return inputerror.New(inputerror.CodeFormat, "it is a binary file of another program, no table: leave it out, or export it as CSV, NDJSON or Parquet")
}

// isText reports whether the beginning of a file has no more NUL and control
// characters than text may have by accident. What editors and terminals write does
// not count: tab, line ends, bell, backspace, escape.
func isText(head []byte) bool {
	for _, b := range boms {
		if bytes.HasPrefix(head, b.mark) {
			return true
		}
	}
	head = head[:min(len(head), 4096)]
	units := make([]uint16, 0, len(head))
	switch guessEncoding(head) {
	case "UTF-16LE":
		for i := 0; i+1 < len(head); i += 2 {
			units = append(units, binary.LittleEndian.Uint16(head[i:]))
		}
	case "UTF-16BE":
		for i := 0; i+1 < len(head); i += 2 {
			units = append(units, binary.BigEndian.Uint16(head[i:]))
		}
	default:
		for _, b := range head {
			units = append(units, uint16(b))
		}
	}
	nuls, controls := 0, 0
	for _, u := range units {
		switch {
		case u == 0:
			nuls++
		case u <= 6 || u >= 0x0E && u <= 0x1A || u >= 0x1C && u <= 0x1F || u >= 0xFFFE:
			controls++
		}
	}
	return (nuls < 8 || nuls*10 < len(units)) && (controls < 3 || controls*50 < len(units))
}

// isWorkbook looks for the names that every workbook has among its first
// entries.
func isWorkbook(head []byte) bool {
	return bytes.Contains(head, []byte("xl/")) || bytes.Contains(head, []byte("[Content_Types].xml")) ||
		bytes.Contains(head, []byte("opendocument.spreadsheet"))
}

// refuseForeignText does the same for text.
func refuseForeignText(sample string) error {
	begin := strings.ToLower(strings.TrimLeft(sample[:min(len(sample), 4096)], " \t\r\n"))
	if isArray(begin) {
		return inputerror.New(inputerror.CodeFormat, "it is a JSON array: write one object a line (jq -c '.[]' FILE > FILE.ndjson)")
	}
	return refuseForeign("text", func(sign string) bool { return strings.HasPrefix(begin, sign) })
}

// isArray tells a JSON array from a CSV header such as [id],[name].
func isArray(begin string) bool {
	inside, found := strings.CutPrefix(begin, "[")
	inside = strings.TrimLeft(inside, " \t\r\n")
	return found && (inside == "" || strings.ContainsRune("{[\"]-0123456789", rune(inside[0])))
}
