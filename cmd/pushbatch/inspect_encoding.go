package main

import (
	"fmt"
	"io"
	"strings"

	"pushbatch/readers"
	"pushbatch/writers/console"
)

// encodingInspection is an encoding that fits text which is not UTF-8.
type encodingInspection struct {
	Names   []string `json:"names"` // for --encoding; they read the text alike
	Letters string   `json:"letters"`
	Cells   []string `json:"cells,omitempty"` // with --show-values
}

func encodingsOf(choices []readers.EncodingChoice, showValues bool) (all []encodingInspection) {
	for _, c := range choices {
		e := encodingInspection{Names: c.Names, Letters: c.Letters}
		if showValues {
			e.Cells = c.Cells
		}
		all = append(all, e)
	}
	return all
}

func (in *inputInspection) printEncodings(w io.Writer) {
	if len(in.Encodings) == 0 {
		return
	}
	fmt.Fprintf(w, "\n  It is not UTF-8. These encodings fit; give --encoding the one whose letters are right:\n")
	for _, e := range in.Encodings {
		fmt.Fprintf(w, "    %s: %s\n", strings.Join(e.Names, ", "), e.Letters)
		for _, cell := range e.Cells {
			fmt.Fprintf(w, "      %s\n", console.OneLine(cell))
		}
	}
}
