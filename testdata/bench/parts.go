package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// part is what this program does as a process of its own: a floor, or the server.
func part(name string, args []string) error {
	switch name {
	case "read":
		return eachRecord(args[0], func([]string) {})
	case "serve":
		delay, err := time.ParseDuration(args[0])
		if err != nil {
			return err
		}
		return serve(delay)
	case "send":
		return send(args[0], args[1], args[2])
	}
	return fmt.Errorf("there is no part %q", name)
}

// eachRecord is the floor of reading: encoding/csv with ReuseRecord.
func eachRecord(path string, do func([]string)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r := csv.NewReader(bufio.NewReaderSize(file, 64<<10))
	r.ReuseRecord = true
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		do(record)
	}
}

// inFlight is how many requests floor and program have under way.
const inFlight = 64

// send is the floor of sending: encoding/csv, a personalize request of three
// values a row by net/http, one result line a row. It checks nothing.
func send(path, base, out string) error {
	results, err := os.Create(out)
	if err != nil {
		return err
	}
	defer results.Close()
	rows, lines := make(chan [3]string, 256), make(chan []byte, 256)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: inFlight, MaxConnsPerHost: inFlight, DisableCompression: true}}
	var senders, writer sync.WaitGroup
	for range inFlight {
		senders.Go(func() {
			for row := range rows {
				lines <- sendOne(client, base, row)
			}
		})
	}
	writer.Go(func() {
		buffered := bufio.NewWriterSize(results, 64<<10)
		for line := range lines {
			_, _ = buffered.Write(line) // the error stays, and Flush returns it
		}
		err = buffered.Flush()
	})
	header := true
	readErr := eachRecord(path, func(record []string) {
		if header {
			header = false
			return
		}
		rows <- [3]string{record[0], record[1], record[2]}
	})
	close(rows)
	senders.Wait()
	close(lines)
	writer.Wait()
	return errors.Join(readErr, err)
}

type floorBody struct {
	Identity struct {
		ExternalID  string `json:"externalId"`
		PhoneNumber string `json:"phoneNumber"`
	} `json:"identity"`
}

func sendOne(client *http.Client, base string, row [3]string) []byte {
	var body floorBody
	body.Identity.ExternalID, body.Identity.PhoneNumber = row[1], row[2]
	data, _ := json.Marshal(&body) // two strings can be marshalled
	req, err := http.NewRequest(http.MethodPost, base+"/people/2/contactInformation/push/"+row[0]+"/personalize", bytes.NewReader(data))
	if err != nil {
		return []byte(row[0] + ",failed\n")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "App bench")
	req.Header.Set("AppCode", "bench")
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return []byte(row[0] + ",failed\n")
	}
	_, _ = io.Copy(io.Discard, resp.Body) // a broken answer is counted by the server
	_ = resp.Body.Close()
	line := append([]byte(row[0]), ',')
	line = strconv.AppendInt(line, int64(resp.StatusCode), 10)
	line = strconv.AppendInt(append(line, ','), time.Since(began).Microseconds(), 10)
	return append(line, '\n')
}
