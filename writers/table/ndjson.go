package table

import (
	"pushbatch/batch"
	"pushbatch/batch/jsonappend"
)

// ndjsonEncoder makes an object a line, with every column in every line.
type ndjsonEncoder struct {
	names [][]byte // ,"name":
	texts []bool   // the column's values are not JSON yet
}

// NDJSON encodes rows as JSON lines.
func NDJSON(columns []Column) Encoder {
	e := &ndjsonEncoder{}
	for _, c := range columns {
		e.names = append(e.names, append(jsonappend.String([]byte{','}, c.Name), ':'))
		e.texts = append(e.texts, c.Type == Text || c.Type == Timestamp)
	}
	return e
}

func (e *ndjsonEncoder) AppendHeader(dst []byte) []byte { return dst }

func (e *ndjsonEncoder) AppendRow(dst []byte, cells []batch.Value) []byte {
	begin := len(dst)
	for i, v := range cells {
		dst = append(dst, e.names[i]...)
		switch {
		case v.Kind == batch.Null:
			dst = append(dst, "null"...)
		case e.texts[i]:
			dst = jsonappend.String(dst, v.Text)
		default:
			dst = append(dst, v.Text...)
		}
	}
	dst[begin] = '{'
	return append(dst, '}', '\n')
}
