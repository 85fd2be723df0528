package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// counts is what the server says of the requests since it was asked last.
type counts struct {
	Requests int           `json:"requests"`
	First    time.Time     `json:"first"`
	Last     time.Time     `json:"last"`
	Busiest  int           `json:"busiest"` // requests within any one second
	Since    time.Duration `json:"-"`
}

// serve answers every request after a delay and notes when it came. It ends
// with its standard input, that is with whoever started it.
func serve(delay time.Duration) error {
	var mu sync.Mutex
	var arrivals []time.Time
	mux := http.NewServeMux()
	mux.HandleFunc("/counts", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(w).Encode(countsOf(arrivals))
		arrivals = arrivals[:0]
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		arrivals = append(arrivals, time.Now())
		mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(delay)
		w.Header()["Content-Type"] = jsonType
		_, _ = io.WriteString(w, "{}")
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return (&http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}).Serve(listener)
}

var jsonType = []string{"application/json"}

func countsOf(arrivals []time.Time) counts {
	c := counts{Requests: len(arrivals)}
	if len(arrivals) == 0 {
		return c
	}
	c.First, c.Last = arrivals[0], arrivals[len(arrivals)-1]
	first := 0
	for i, at := range arrivals {
		for at.Sub(arrivals[first]) >= time.Second {
			first++
		}
		c.Busiest = max(c.Busiest, i-first+1)
	}
	return c
}

// server is a serve of its own process.
type server struct {
	base string
	cmd  *exec.Cmd
	end  io.Closer
}

func (b *bench) startServer(delay time.Duration) (*server, error) {
	cmd := exec.Command(b.self, "part", "serve", delay.String())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	base, err := bufio.NewReader(stdout).ReadString('\n')
	return &server{base: strings.TrimSpace(base), cmd: cmd, end: stdin}, err
}

func (s *server) stop() {
	_ = s.end.Close()
	_ = s.cmd.Wait() // it has nothing to say any more
}

// counts reads and resets what the server counted.
func (s *server) counts() (c counts, err error) {
	resp, err := http.Get(s.base + "/counts")
	if err != nil {
		return c, err
	}
	defer resp.Body.Close()
	err = json.NewDecoder(resp.Body).Decode(&c)
	c.Since = c.Last.Sub(c.First)
	return c, err
}
