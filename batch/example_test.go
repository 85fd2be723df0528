package batch_test

import (
	"context"
	"fmt"
	"iter"

	"pushbatch/batch"
)

// names is a source of rows with one column.
type names []string

func (names) Name() string             { return "names" }
func (names) Header() batch.Header     { return batch.Header{{Name: "name", Kind: batch.Text}} }
func (names) Identity() batch.Identity { return batch.Identity{URI: "names"} }
func (names) Close() error             { return nil }

func (n names) Rows(_ context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		for i := from.Row; i < int64(len(n)); i++ {
			row := batch.Row{
				Pos: batch.Position{Row: i}, Next: batch.Position{Row: i + 1},
				Values: []batch.Value{batch.TextValue(n[i])},
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// greeting is the request of a row. Two greetings of one person go one at a time.
type greeting string

func (g greeting) Keys() []string { return []string{string(g)} }

func (g greeting) Send(context.Context) (batch.Outcome, error) {
	return batch.Outcome{Status: batch.Succeeded, Message: "hello " + string(g), Attempts: 1}, nil
}

// printer is a sink for people.
type printer struct{}

func (printer) Write(r *batch.Result) error {
	_, err := fmt.Println(r.Row.Num, r.Status, r.Message)
	return err
}
func (printer) Flush() (batch.Mark, error) { return nil, nil }
func (printer) Close() error               { return nil }

func Example() {
	greet := func(row *batch.Row) (batch.Request, *batch.Outcome) {
		name := row.Values[0].Text
		if name == "" {
			return nil, &batch.Outcome{Status: batch.Rejected, Code: "name_missing", Message: "the name is empty"}
		}
		return greeting(name), nil
	}
	job := batch.New(batch.Config{
		Inputs:      []batch.Input{{Source: names{"Ana", "", "Bo", "Ana"}, Map: greet}},
		Sink:        printer{},
		MaxInFlight: 2,
	})
	if err := job.Run(context.Background()); err != nil {
		fmt.Println("stopped:", err)
	}
	tally := job.Tally()
	fmt.Println(tally.Rows, "rows,", tally.Statuses[batch.Failed]+tally.Statuses[batch.Rejected], "bad, most often", tally.TopCodes()[0])
	// Output:
	// 1 succeeded hello Ana
	// 2 rejected the name is empty
	// 3 succeeded hello Bo
	// 4 succeeded hello Ana
	// 4 rows, 1 bad, most often name_missing
}
