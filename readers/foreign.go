package readers

import (
	"bytes"
	"strings"
)

// parquetBegin is the first four bytes of every Parquet file.
const parquetBegin = "PAR1"

// foreignBinary recognises files that people give in the belief that they are
// tables, and says what to do. The table is of first bytes.
func foreignBinary(head []byte) error {
	for _, f := range [...]struct{ magic, found string }{
		{"PK\x03\x04", "a zip archive: unpack it and give the files inside"},
		{"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls): save it as \"CSV UTF-8\" in Excel"},
		{"%PDF", "a PDF document: export the table as CSV UTF-8 where it was made"},
		{"{\\rtf", "a rich text document: save it as plain text in UTF-8"},
		{"BZh91AY&SY", "bzip2: decompress it, or compress it with gzip or zstd"},
		{"\xfd7zXZ\x00", "xz: decompress it, or compress it with gzip or zstd"},
		{"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it and give the files inside"},
		{"\x04\x22\x4d\x18", "lz4: decompress it, or compress it with gzip or zstd"},
		{"\x1f\x8b", "gzip: leave out --compression to have it decompressed"},
		{"\x28\xb5\x2f\xfd", "zstd: leave out --compression to have it decompressed"},
		{"PARE", "Parquet with an encrypted footer: write it without encryption"},
		{parquetBegin, "Parquet: leave out --format to have it read as such"},
		{"Obj\x01", "an Avro file: write it as Parquet or NDJSON"},
		{"SQLite format 3\x00", "an SQLite database: export the table as CSV"},
	} {
		if !bytes.HasPrefix(head, []byte(f.magic)) {
			continue
		}
		if f.magic == "PK\x03\x04" && isWorkbook(head) {
			return failure(CodeFormat, "it is an Excel workbook (.xlsx): save it as \"CSV UTF-8\" in Excel")
		}
		return failure(CodeFormat, "it is %s", f.found)
	}
	return nil
}

// isWorkbook looks for the names that every workbook has among its first
// entries.
func isWorkbook(head []byte) bool {
	return bytes.Contains(head, []byte("xl/")) || bytes.Contains(head, []byte("[Content_Types].xml"))
}

// foreignText does the same for text.
func foreignText(sample string) error {
	begin := strings.ToLower(strings.TrimLeft(sample[:min(len(sample), 4096)], " \t\r\n"))
	for _, f := range [...]struct{ begin, found string }{
		{"<!doctype html", "a web page (HTML), perhaps a login page that was saved instead of the file: download the CSV again"},
		{"<html", "a web page (HTML), perhaps a login page that was saved instead of the file: download the CSV again"},
		{"<table", "an HTML table, which some programs name .xls: save it as \"CSV UTF-8\" in Excel"},
		{"<?xml", "an XML document: export the table as CSV UTF-8"},
	} {
		if strings.HasPrefix(begin, f.begin) {
			return failure(CodeFormat, "it is %s", f.found)
		}
	}
	if isArray(begin) {
		return failure(CodeFormat, "it is a JSON array: write one object a line (jq -c '.[]' FILE > FILE.ndjson)")
	}
	return nil
}

// isArray tells a JSON array from a CSV header such as [id],[name].
func isArray(begin string) bool {
	inside, found := strings.CutPrefix(begin, "[")
	inside = strings.TrimLeft(inside, " \t\r\n")
	return found && (inside == "" || strings.ContainsRune("{[\"]-0123456789", rune(inside[0])))
}
