package readers

import (
	"slices"
	"strings"
	"testing"

	"pushbatch/batch"
)

// TestEncodingChoices: the encoding that a text was written in is among those that
// fit, with its letters, and those are not that make no words of it.
func TestEncodingChoices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		not  []string
	}{
		"windows-1250": {"id;ime\n1;Đurđica Šarić\n2;Željko Čović\n", []string{"windows-1251", "windows-1253", "koi8-r", "shift_jis"}},
		"windows-1252": {"id;name\n1;Jürgen Groß\n2;François Núñez\n", []string{"windows-1251", "koi8-r"}},
		"iso-8859-15":  {"N° client;Prénom\n1;Éloïse\n2;François\n", []string{"windows-1251", "koi8-r", "cp850", "cp437"}},
		"windows-1251": {"id,name\n1,Наталья Щукина\n2,Ёлкин\n", []string{"koi8-r", "cp866"}},
		"iso-8859-2":   {"id,name\n1,Małgorzata Śląska\n", []string{"windows-1252", "windows-1251"}},
		"shift_jis":    {"id,name\n1,山田太郎\n", []string{"windows-1250"}},
		"gb18030":      {"id,name\n1,王小明\n", nil},
		"cp850":        {"id,name\n1,Jürgen Köln Jäger\n2,Größe\n", []string{"windows-1252", "windows-1250", "gb18030"}},
		"cp852":        {"id,ime\n1,Đurđa Žarko\n2,Šimić\n", []string{"windows-1250", "windows-1252", "shift_jis"}},
		"cp866":        {"id,name\n1,Наталья Щукина\n", []string{"windows-1251", "gb18030"}},
		"windows-1254": {"id,name\n1,André", []string{"gb18030", "big5", "shift_jis", "euc-kr", "cp850"}}, // the last letter is no cut one
		"windows-1253": {"id,name\n1,Γιώργος Παπαδόπουλος\n", []string{"koi8-r"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stored, err := encodingNamed(name).NewEncoder().String(c.text)
			if err != nil {
				t.Fatal(err)
			}
			var fit []string
			right := false
			for _, choice := range fittingEncodings([]byte(stored)) {
				fit = append(fit, choice.Names...)
				if slices.Contains(choice.Names, name) {
					right = choice.Letters == letters(c.text) && slices.Equal(choice.Cells, cells(c.text))
				}
			}
			if !right {
				t.Errorf("%s is not offered as it reads: %q", name, fit)
			}
			for _, not := range c.not {
				if slices.Contains(fit, not) {
					t.Errorf("%s makes no words of it, and is offered", not)
				}
			}
		})
	}
}

// TestEncodingAdvice: the row's message names what fits and how it reads, whether
// the first such letter stands in what detection looks at or after it.
func TestEncodingAdvice(t *testing.T) {
	t.Parallel()
	row := "1;Sari\xe6\n" // ć in windows-1250, æ in windows-1252
	for name, text := range map[string]string{
		"in the sample": "id;name\n" + row,
		"behind it":     "id;name\n" + strings.Repeat("0;nobody\n", sampleSize/8) + row,
	} {
		source := openFile(t, write(t, "names.csv", text), Options{})
		var said string
		for r, err := range source.Rows(t.Context(), batch.Position{}) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Err != nil {
				said = r.Err.Message
			}
		}
		for _, part := range []string{"windows-1252 or", "(æ)", "windows-1250 or iso-8859-2 (ć)", "--encoding"} {
			if !strings.Contains(said, part) {
				t.Errorf("%s: %q lacks %q", name, said, part)
			}
		}
		if choices := EncodingChoices(source); len(choices) < 2 || !slices.Contains(choices[0].Cells, "Sariæ") {
			t.Errorf("%s: %+v", name, choices)
		}
	}
}

// TestCodePages: a code page of DOS has several names, and a file in one is read.
func TestCodePages(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"cp850", "CP-850", "ibm850", "IBM_850", "850", "dos-850"} {
		source := openFile(t, write(t, "d.csv", "id,name\n1,K\x94ln\n"), Options{Encoding: name})
		for r, err := range source.Rows(t.Context(), batch.Position{}) {
			if err != nil || r.Values[1].Text != "Köln" {
				t.Errorf("%s: %q, %v", name, r.Values[1].Text, err)
			}
		}
	}
	for number := range codePages {
		if encodingNamed("cp"+number) == nil {
			t.Errorf("cp%s is unknown", number)
		}
	}
	for _, name := range []string{"cp", "cp999", "", "ibm"} {
		if encodingNamed(name) != nil {
			t.Errorf("%q is no encoding", name)
		}
	}
}
