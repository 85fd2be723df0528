package readers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers/csvfile"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/jsonlines"
	"pushbatch/readers/textfile"
)

const (
	sampleSize = 64 << 10 // decompressed bytes that detection looks at

	// DefaultMaxRecord is the longest record that is read, in bytes of its
	// text as UTF-8.
	DefaultMaxRecord = 1 << 20
)

// Options say what is known of an input beforehand. The zero Options have
// everything detected.
type Options struct {
	Format      string    // auto, csv, parquet, ndjson
	Delimiter   string    // one character of ASCII or its name (comma, semicolon, tab, pipe); empty or auto: detected
	Encoding    string    // auto, or a name that the web's encoding standard knows, such as windows-1250, or cp850
	Compression string    // auto, none, gzip, zstd
	MaxRecord   int       // bytes; 0 means DefaultMaxRecord
	Stdin       io.Reader // what "-" reads; nil means the process's standard input
}

// inputFormat is one line of the table of input formats.
type inputFormat struct {
	name    string
	endings []string // of file names; the content goes first
	open    func(context.Context, *opening) (batch.Source, error)
}

// formats is the table of input formats. A new format is one package and one line.
func formats() []inputFormat {
	return []inputFormat{
		{name: "csv", endings: []string{".csv", ".tsv", ".txt"}, open: openCSV},
		{name: "parquet", endings: []string{".parquet"}, open: openParquet},
		{name: "ndjson", endings: []string{".ndjson", ".jsonl", ".json"}, open: openNDJSON},
	}
}

// Formats lists the names that Options.Format takes besides auto.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// opening is an input on its way to become a Source: what was found so far.
type opening struct {
	options  Options
	info     blob.Info
	identity batch.Identity
	text     text   // bytes, decompressed, and how they become text
	head     []byte // first decompressed bytes, at most sampleSize
	sample   string // head as UTF-8 text after the byte order mark
}

// OpenFile opens a file or an object that pushbatch has made. A pipe in its place,
// which would be waited for, is refused.
func OpenFile(ctx context.Context, location string) (blob.Info, batch.Source, error) {
	info, err := blob.Stat(ctx, location)
	if err == nil && !info.Rereadable() {
		err = fmt.Errorf("%s is no file: somebody else may have prepared it: move it away", location)
	}
	if err != nil {
		return info, nil, err
	}
	source, err := Open(ctx, info, Options{})
	return info, source, err
}

// Open finds out what an input is, reads its header and returns its rows. The
// error is an *inputerror.Error unless ctx ended; nothing is left open then.
//
// The content decides what an input is (compression, encoding, format); its
// name only where the content leaves it open. Options that contradict the
// content are an error. The partition folders of the input's path (key=value)
// are columns after its own, see batch.Column.
func Open(ctx context.Context, info blob.Info, options Options) (batch.Source, error) {
	if options.MaxRecord <= 0 {
		options.MaxRecord = DefaultMaxRecord
	}
	in, err := newInput(ctx, info, options.Stdin)
	if err != nil {
		return nil, inputerror.Locate(ctx, info.Location, 0, 0, err)
	}
	source, err := open(ctx, in, options)
	if err != nil {
		return nil, errors.Join(inputerror.Locate(ctx, info.Location, 0, 0, err), in.close())
	}
	if in.stream != nil {
		in.stream.opened = true
	}
	return withPartitions(source, info.Partitions), nil
}

func open(ctx context.Context, in *input, options Options) (batch.Source, error) {
	o := &opening{options: options, info: in.info, text: text{unpacked: &unpacked{input: in}}}
	var err error
	if o.identity, err = identify(ctx, in.info); err != nil {
		return nil, err
	}
	if err := o.unpack(ctx); err != nil {
		return nil, err
	}
	format, err := o.findFormat()
	if err != nil {
		return nil, err
	}
	return format.open(ctx, o)
}

func identify(ctx context.Context, info blob.Info) (batch.Identity, error) {
	fingerprint, err := blob.Fingerprint(ctx, info)
	return batch.Identity{
		URI: info.URI, Size: info.Size, ModTime: info.ModTime, ETag: info.ETag, Fingerprint: fingerprint,
	}, err
}

// longestMagic is more than the first bytes of any compression.
const longestMagic = 8

// unpack finds the compression and reads the head of what is inside. An error
// after what is needed here is left to the reading of the rows, which will
// meet it again, so that the rows before it count.
func (o *opening) unpack(ctx context.Context) error {
	stored, whole, err := readHead(ctx, o.text.input.open)
	if err != nil && len(stored) < longestMagic {
		return err
	}
	o.text.compression, err = findCompression(o.options.Compression, stored, whole)
	if err != nil {
		return err
	}
	if o.head = stored; o.text.compression != nil {
		o.head, _, err = readHead(ctx, o.text.unpacked.open)
		if inner, _ := findCompression("auto", o.head, false); inner != nil {
			return inputerror.New(inputerror.CodeFormat, "it is %s inside %s, compressed twice: decompress it once", inner.name, o.text.compression.name)
		}
	}
	if len(o.head) > 0 {
		return nil
	}
	if err == nil {
		err = inputerror.New(inputerror.CodeEmpty, "it is empty: not even a header is there")
	}
	return err
}

// readHead reads the first bytes of an input; whole says that these are all.
func readHead(ctx context.Context, open func(context.Context, int64) (io.ReadCloser, error)) (head []byte, whole bool, err error) {
	r, err := open(ctx, 0)
	if err != nil {
		return nil, false, err
	}
	defer r.Close()
	head, err = io.ReadAll(io.LimitReader(r, sampleSize))
	return head, err == nil && len(head) < sampleSize, err
}

// findFormat looks at the content, then at what was asked for, then at the
// name.
func (o *opening) findFormat() (*inputFormat, error) {
	name, err := o.sniff()
	if err != nil {
		return nil, err
	}
	for _, f := range formats() {
		if f.name == name {
			return &f, nil
		}
	}
	return nil, inputerror.New(inputerror.CodeOption, "--format %q is none of auto, %s", name, strings.Join(Formats(), ", "))
}

// sniff names the format, and decodes the sample unless it is binary.
func (o *opening) sniff() (string, error) {
	want := o.options.Format
	auto := want == "" || want == "auto"
	if bytes.HasPrefix(o.head, []byte(parquetBegin)) && (auto || want == "parquet") {
		return "parquet", nil
	}
	named := o.options.Encoding != "" && !strings.EqualFold(o.options.Encoding, "auto")
	if err := foreignBinary(o.info.Location, o.head, named); err != nil {
		return "", err
	}
	if want == "parquet" || auto && o.byEnding() == "parquet" {
		return "", inputerror.New(inputerror.CodeFormat, "it is not Parquet, or cut: it does not begin with %s", parquetBegin)
	}
	if err := o.decodeSample(); err != nil {
		return "", err
	}
	if !auto {
		return want, nil
	}
	return o.sniffText()
}

func (o *opening) decodeSample() error {
	enc, err := findEncoding(o.options.Encoding, o.head)
	if err != nil {
		return err
	}
	o.text.encoding = enc
	body := o.head[enc.bom:]
	if enc.decode == nil {
		o.sample = string(body)
		if len(o.head) == sampleSize { // more may follow: whole characters only
			body = body[:bytes.LastIndexByte(body, '\n')+1]
		}
		if !utf8.Valid(body) {
			enc.choices = fittingEncodings(body)
		}
		return nil
	}
	decoded, _ := io.ReadAll(enc.decode(bytes.NewReader(body))) // an error can only be the cut at the sample's end
	o.sample = string(decoded)
	return nil
}

func (o *opening) sniffText() (string, error) {
	if err := refuseForeignText(o.sample); err != nil {
		return "", err
	}
	if name := o.byEnding(); name == "ndjson" || strings.HasPrefix(strings.TrimLeft(o.sample, " \t\r\n"), "{") {
		return "ndjson", nil
	}
	return "csv", nil
}

// byEnding is the format that the name says, or "".
func (o *opening) byEnding() string {
	name := strings.ToLower(o.info.Location)
	for _, packed := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, packed)
	}
	for _, f := range formats() {
		for _, ending := range f.endings {
			if path.Ext(name) == ending {
				return f.name
			}
		}
	}
	return ""
}

// input is what was found, for the package of a text format.
func (o *opening) input() textfile.Input {
	stored := o.text.described()
	if o.text.compression != nil {
		stored += ", " + o.text.compression.name
	}
	decoded := o.text // a copy, which does not keep the sample
	return textfile.Input{
		Name: o.info.Location, Identity: o.identity, Text: &decoded, Limit: o.options.MaxRecord,
		Once: o.text.stream != nil, Stored: stored,
	}
}

func openCSV(ctx context.Context, o *opening) (batch.Source, error) {
	return csvfile.Open(ctx, o.input(), o.options.Delimiter, o.sample)
}

func openNDJSON(ctx context.Context, o *opening) (batch.Source, error) {
	return jsonlines.Open(ctx, o.input())
}
