package readertest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/testdata/thorough"
)

const (
	everyPosition = 200 // rows up to which reading goes on at every position
	samples       = 40  // positions tried in longer inputs
)

// TestSource reads the source that open returns in every way the contract
// allows and fails t where two ways differ. open returns a new source of the
// same input each time; TestSource closes it. The input must be readable to
// its end and more than once.
func TestSource(t *testing.T, open func() batch.Source) {
	t.Helper()
	source := open()
	defer source.Close()
	rows := Read(t, source)
	kept := fmt.Sprintf("%#v", rows)
	t.Run("rows", func(t *testing.T) { testRows(t, source, rows) })
	t.Run("again", func(t *testing.T) { testAgain(t, source, open, rows) })
	t.Run("positions", func(t *testing.T) { testPositions(t, source, rows) })
	t.Run("stop", func(t *testing.T) { testStop(t, source, rows) })
	t.Run("cancel", func(t *testing.T) { testCancel(t, source) })
	t.Run("close", func(t *testing.T) { testClose(t, source) })
	if kept != fmt.Sprintf("%#v", rows) {
		t.Error("rows changed after they were yielded: they do not own their memory")
	}
}

// Read returns every row of the source and fails t on an error.
func Read(t testing.TB, source batch.Source) []batch.Row {
	t.Helper()
	rows, err := ReadFrom(t.Context(), source, batch.Position{})
	if err != nil {
		t.Fatalf("%s: %v", source.Name(), err)
	}
	return rows
}

// ReadFrom returns the rows from a position on, and the error that ended them.
func ReadFrom(ctx context.Context, source batch.Source, from batch.Position) ([]batch.Row, error) {
	var rows []batch.Row
	for row, err := range source.Rows(ctx, from) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// testRows checks what every row must have.
func testRows(t *testing.T, source batch.Source, rows []batch.Row) {
	if source.Name() == "" || len(source.Header()) == 0 {
		t.Fatalf("name %q, header %v: want both", source.Name(), source.Header())
	}
	for i, row := range rows {
		switch {
		case row.Pos.Row != int64(i) || row.Next.Row != int64(i)+1:
			t.Fatalf("row %d stands at %+v, the next at %+v", i+1, row.Pos, row.Next)
		case len(row.Values) != len(source.Header()):
			t.Fatalf("row %d has %d values for %d columns", i+1, len(row.Values), len(source.Header()))
		case len(row.Excess) > 0 && row.Err == nil:
			t.Fatalf("row %d has %d values too many and no problem", i+1, len(row.Excess))
		case row.Err != nil && (row.Err.Code == "" || row.Err.Code != strings.ToLower(row.Err.Code) || row.Err.Message == ""):
			t.Fatalf("row %d has a problem without code or message: %+v", i+1, row.Err)
		case i > 0 && (row.Pos.Offset < rows[i-1].Next.Offset || row.Pos.Line < rows[i-1].Next.Line):
			t.Fatalf("row %d stands at %+v, before the end of the row before at %+v", i+1, row.Pos, rows[i-1].Next)
		}
	}
}

// testAgain reads the same source and a new one from the start.
func testAgain(t *testing.T, source batch.Source, open func() batch.Source, rows []batch.Row) {
	other := open()
	defer other.Close()
	if diff := cmp.Diff(source.Header(), other.Header()); diff != "" {
		t.Errorf("header of a second source (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(source.Identity(), other.Identity()); diff != "" {
		t.Errorf("identity of a second source (-first +second):\n%s", diff)
	}
	for _, s := range []batch.Source{source, other} {
		if diff := cmp.Diff(rows, Read(t, s)); diff != "" {
			t.Fatalf("read a second time (-first +second):\n%s", diff)
		}
	}
}

// testPositions goes on where each row begins and ends.
func testPositions(t *testing.T, source batch.Source, rows []batch.Row) {
	for _, i := range positions(len(rows)) {
		for from, want := range map[batch.Position][]batch.Row{rows[i].Pos: rows[i:], rows[i].Next: rows[i+1:]} {
			got, err := ReadFrom(t.Context(), source, from)
			if err != nil {
				t.Fatalf("go on at %+v: %v", from, err)
			}
			if len(want) != len(got) {
				t.Fatalf("go on at %+v: %d rows, want %d", from, len(got), len(want))
			}
			if diff := cmp.Diff(want, got[:len(want):len(want)]); len(want) > 0 && diff != "" {
				t.Fatalf("go on at %+v (-from the start +from there):\n%s", from, diff)
			}
		}
	}
}

func positions(rows int) []int {
	var list []int
	for i := range rows {
		if rows <= thorough.Of(20, everyPosition) || rand.IntN(rows) < thorough.Of(12, samples) {
			list = append(list, i)
		}
	}
	return list
}

// testStop stops after one row and begins again.
func testStop(t *testing.T, source batch.Source, rows []batch.Row) {
	for _, err := range source.Rows(t.Context(), batch.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if got := Read(t, source); len(got) != len(rows) {
		t.Errorf("after stopping in the middle: %d rows, want %d", len(got), len(rows))
	}
}

// testCancel reads under a context that has ended.
func testCancel(t *testing.T, source batch.Source) {
	cause := errors.New("stopped by the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	_, err := ReadFrom(ctx, source, batch.Position{})
	if !errors.Is(err, cause) && !errors.Is(err, context.Canceled) {
		t.Errorf("under an ended context: %v, want its cause", err)
	}
}

func testClose(t *testing.T, source batch.Source) {
	for range 2 {
		if err := source.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

// TestBroken opens an input that is cut, damaged or refused while it is read.
// Opening or reading must fail, and the rows before the failure must be the
// first rows of whole.
// It returns the error.
func TestBroken(t testing.TB, whole []batch.Row, open func() (batch.Source, error)) error {
	t.Helper()
	source, err := open()
	if err != nil {
		return err
	}
	defer source.Close()
	rows, err := ReadFrom(t.Context(), source, batch.Position{})
	if err == nil {
		t.Fatalf("%s: a broken input of %d rows ended after %d as if it were complete", source.Name(), len(whole), len(rows))
	}
	if len(rows) > len(whole) {
		t.Fatalf("%s: %d rows of %d", source.Name(), len(rows), len(whole))
	}
	if diff := cmp.Diff(whole[:len(rows)], rows); len(rows) > 0 && diff != "" {
		t.Fatalf("%s: rows before the failure (-whole +broken):\n%s", source.Name(), diff)
	}
	return err
}
