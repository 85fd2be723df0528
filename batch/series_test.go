package batch_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
)

func TestSeriesCountsWhatCameSince(t *testing.T) {
	t.Parallel()
	var s batch.Series
	s.Reach(500*time.Millisecond, batch.Interval{Succeeded: 3, Requests: 4})
	s.Reach(900*time.Millisecond, batch.Interval{Succeeded: 5, Requests: 6})
	s.Reach(2900*time.Millisecond, batch.Interval{Succeeded: 25, Requests: 6})
	s.Reach(3*time.Second, batch.Interval{Succeeded: 25, Failed: 1, Requests: 9, Throttled: 2})
	want := []batch.Interval{
		{Succeeded: 6, Requests: 6},
		{Succeeded: 10},
		{Succeeded: 9, Requests: 3, Throttled: 2, Failed: 1},
		{},
	}
	if diff := cmp.Diff(want, s.Intervals); diff != "" {
		t.Error(diff)
	}
}

func TestSeriesStaysBoundedAndKeepsItsSum(t *testing.T) {
	t.Parallel()
	var s batch.Series
	var total batch.Interval
	for at := time.Duration(0); at < 30*time.Hour; at += 7 * time.Minute {
		total.Succeeded += 13
		total.Throttled++
		s.Reach(at, total)
		if len(s.Intervals) > 240 {
			t.Fatalf("%d intervals after %v", len(s.Intervals), at)
		}
	}
	if diff := cmp.Diff(total, s.Total()); diff != "" {
		t.Error(diff)
	}
	if s.Step != 512*time.Second {
		t.Errorf("step %v after 30 h, want 512 s", s.Step)
	}
}

func TestSeriesGoesBackAfterACrash(t *testing.T) {
	t.Parallel()
	var s batch.Series
	s.Reach(0, batch.Interval{Failed: 4})
	s.Reach(time.Second, batch.Interval{Failed: 6})
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var resumed batch.Series
	if err := json.Unmarshal(data, &resumed); err != nil {
		t.Fatal(err)
	}
	resumed.Reach(2*time.Second, batch.Interval{Failed: 3, Succeeded: 1})
	want := []batch.Interval{{Failed: 3}, {Succeeded: 1}, {}}
	if diff := cmp.Diff(want, resumed.Intervals); diff != "" {
		t.Error(diff)
	}
}
