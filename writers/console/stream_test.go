package console

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A write waits for a reader no longer than it may, however many write; what is
// dropped is whole writes, and what comes after is taken again.
func TestStreamDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		s := NewStream(w)
		s.WaitAtMost(2 * time.Second)
		start := time.Now()
		ended := make(chan struct{})
		const writers = 20
		for i := range writers {
			go func() {
				fmt.Fprintf(s, "line %d\n", i)
				ended <- struct{}{}
			}()
		}
		for range writers {
			<-ended
		}
		for range 100 {
			fmt.Fprintln(s.escapes(), "dropped")
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("it took %v", took)
		}
		var text strings.Builder
		go func() { _, _ = io.Copy(&text, r); close(ended) }()
		synctest.Wait()
		fmt.Fprintln(s, "taken again")
		w.Close()
		<-ended
		if lines := strings.Split(text.String(), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "line ") || lines[1] != "taken again" {
			t.Errorf("it has %q", lines)
		}
	})
}
