package readers

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"

	"pushbatch/readers/inputerror"
)

// parquetBegin is the first four bytes of every Parquet file.
const parquetBegin = "PAR1"

// foreignMagics are the first bytes of files that people give, or leave in a folder,
// in the belief that they are tables, and what to do about them.
var foreignMagics = [...]struct{ magic, found string }{
	{"PK\x03\x04", "a zip archive: unpack it and give the files inside"},
	{"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls) or another document of Microsoft's old kind: save it as \"CSV UTF-8\" in Excel"},
	{"%PDF", "a PDF document: export the table as CSV UTF-8 where it was made"},
	{"{\\rtf", "a rich text document: save it as plain text in UTF-8"},
	{"BZh91AY&SY", "bzip2: decompress it, or compress it with gzip or zstd"},
	{"\xfd7zXZ\x00", "xz: decompress it, or compress it with gzip or zstd"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it and give the files inside"},
	{"Rar!\x1a\x07", "a RAR archive: unpack it and give the files inside"},
	{"\x04\x22\x4d\x18", "lz4: decompress it, or compress it with gzip or zstd"},
	{"\xff\x06\x00\x00sNaPpY", "snappy: decompress it, or compress it with gzip or zstd"},
	{"\x1f\x8b", "gzip: leave out --compression to have it decompressed"},
	{zstdMagic, "zstd: leave out --compression to have it decompressed"},
	{"PARE", "Parquet with an encrypted footer: write it without encryption"},
	{parquetBegin, "Parquet: leave out --format to have it read as such"},
	{"ARROW1", "an Arrow file (Feather): write it as Parquet"},
	{"\xff\xff\xff\xff", "a stream of Arrow records, or another binary file: write it as Parquet"},
	{"FEA1", "a Feather file: write it as Parquet"},
	{"ORC", "an ORC file: write it as Parquet"},
	{"Obj\x01", "an Avro file: write it as Parquet or NDJSON"},
	{"SEQ\x06", "a Hadoop sequence file: write it as Parquet or NDJSON"},
	{"crc\x00", "a checksum of Hadoop's: leave it out"},
	{"\x89HDF\r\n", "an HDF5 file: write it as Parquet"},
	{"SQLite format 3\x00", "an SQLite database: export the table as CSV"},
	{"\x00\x01\x00\x00Standard ", "an Access database: export the table as CSV"},
	{"\x89PNG\r\n", "a PNG picture: leave it out"},
	{"\xff\xd8\xff", "a JPEG picture: leave it out"},
	{"GIF8", "a GIF picture: leave it out"},
	{"\x00\x00\x00\x01Bud1", "a folder's settings of macOS (.DS_Store): leave it out"},
	{"\x7fELF", "a program: leave it out"},
	{"MZ\x90\x00", "a program: leave it out"},
}

// foreignNames are files that programs leave in folders.
var foreignNames = map[string]string{
	"thumbs.db":   "a cache of pictures that Windows leaves in folders: leave it out",
	"desktop.ini": "a folder's settings of Windows: leave it out",
}

// foreignEndings belong to files that lie beside tables.
var foreignEndings = map[string]string{
	".csv.metadata": "what Athena writes beside a table: leave it out",
	".crc":          "a checksum: leave it out",
}

// foreignBinary recognises files of other programs by name and first bytes, and
// says what to do. Where the encoding is named, what is no text in another one may
// be some in that.
func foreignBinary(location string, head []byte, encodingNamed bool) error {
	name := strings.ToLower(path.Base(strings.ReplaceAll(location, "\\", "/")))
	if found := foreignNames[name]; found != "" {
		return inputerror.New(inputerror.CodeFormat, "it is %s", found)
	}
	for _, f := range &foreignMagics {
		if !bytes.HasPrefix(head, []byte(f.magic)) {
			continue
		}
		if f.magic == "PK\x03\x04" && isWorkbook(head) {
			return inputerror.New(inputerror.CodeFormat, "it is an Excel workbook (.xlsx): save it as \"CSV UTF-8\" in Excel")
		}
		if f.magic == "ORC" && isText(head) {
			continue // a header may begin so
		}
		return inputerror.New(inputerror.CodeFormat, "it is %s", f.found)
	}
	if encodingNamed || isText(head) {
		return nil
	}
	for ending, found := range foreignEndings {
		if strings.HasSuffix(name, ending) {
			return inputerror.New(inputerror.CodeFormat, "it is %s", found)
		}
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

// foreignText does the same for text.
func foreignText(sample string) error {
	begin := strings.ToLower(strings.TrimLeft(sample[:min(len(sample), 4096)], " \t\r\n"))
	for _, f := range [...]struct{ begin, found string }{
		{"<!doctype html", "a web page (HTML), perhaps a login page that was saved instead of the file: download the CSV again"},
		{"<html", "a web page (HTML), perhaps a login page that was saved instead of the file: download the CSV again"},
		{"<table", "an HTML table, which some programs name .xls: save it as \"CSV UTF-8\" in Excel"},
		{"<?xml", "an XML document: export the table as CSV UTF-8"},
		{"version https://git-lfs", "what Git LFS keeps in place of a large file: fetch the file (git lfs pull)"},
	} {
		if strings.HasPrefix(begin, f.begin) {
			return inputerror.New(inputerror.CodeFormat, "it is %s", f.found)
		}
	}
	if isArray(begin) {
		return inputerror.New(inputerror.CodeFormat, "it is a JSON array: write one object a line (jq -c '.[]' FILE > FILE.ndjson)")
	}
	return nil
}

// isArray tells a JSON array from a CSV header such as [id],[name].
func isArray(begin string) bool {
	inside, found := strings.CutPrefix(begin, "[")
	inside = strings.TrimLeft(inside, " \t\r\n")
	return found && (inside == "" || strings.ContainsRune("{[\"]-0123456789", rune(inside[0])))
}
