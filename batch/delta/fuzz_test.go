package delta

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pushbatch/batch"
	"pushbatch/testdata/peak"
)

// FuzzState: whatever stands in a state.json, and in the table that one names, opening
// and reading them ends, with devices or an error that says what to do, takes little
// memory and touches nothing outside.
func FuzzState(f *testing.F) {
	table, pointer := writtenState(f)
	f.Add(pointer, table)
	f.Add([]byte(`{"format":1,"operation":"personalize","base_url":"https://a","serial":1,"generation":{"file":"../../etc/passwd","rows":9,"size":1,"sha256":""}}`), []byte("PAR1"))
	f.Add([]byte(`{"format":1,"operation":"personalize","base_url":"https://a","serial":-1,"run":{"id":"x","open":true,"base":{"file":"devices-00000001-aaaaaaaa.parquet","rows":-1,"size":-1}}}`), table[:len(table)/2])
	f.Add([]byte(strings.Repeat(`{"run":`, 2000)), []byte{})
	f.Add([]byte(strings.Repeat("[", 1<<16)), []byte(strings.Repeat("PAR1", 3)))
	f.Fuzz(func(t *testing.T, pointer, table []byte) {
		peak.AtMost(t, 512<<20)
		sum := sha256.Sum256(table)
		vouched, err := json.Marshal(map[string]any{
			"format": 1, "operation": "personalize", "base_url": "https://a", "serial": 1,
			"generation": File{Name: "devices-00000001-aaaaaaaa.parquet", Rows: 3, Size: int64(len(table)), SHA256: hex.EncodeToString(sum[:])},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, content := range [][]byte{pointer, vouched} {
			folder := t.TempDir()
			if err := errors.Join(os.WriteFile(filepath.Join(folder, pointerFile), content, fileMode),
				os.WriteFile(filepath.Join(folder, "devices-00000001-aaaaaaaa.parquet"), table, fileMode)); err != nil {
				t.Fatal(err)
			}
			readState(t, folder)
		}
	})
}

func readState(t *testing.T, folder string) {
	t.Helper()
	s, err := Open(t.Context(), LocalStore(Disk{}, folder), Options{Operation: "personalize", BaseURL: "https://a", Open: openTable, Files: Disk{}, Folder: folder})
	if err != nil {
		if !errors.As(err, new(*DamagedError)) && !errors.As(err, new(*OtherError)) {
			t.Fatalf("%v says nothing of what to do", err)
		}
		return
	}
	_, _ = s.First(), s.Dead()
	rows := 0
	for d, err := range s.devices(context.Background()) {
		if err != nil {
			if !errors.As(err, new(*DamagedError)) {
				t.Fatalf("%v says nothing of what to do", err)
			}
			return
		}
		if d.RegistrationID == "" {
			t.Fatal("a device without an id")
		}
		if rows++; rows == 100_000 {
			return // rows that repeat cost few bytes
		}
	}
}

// writtenState is a State of a few devices, as it is written.
func writtenState(f *testing.F) (table, pointer []byte) {
	f.Helper()
	folder := f.TempDir()
	s := openState(f, LocalStore(unsynced{}, folder), folder)
	p := planOf(f, s, folder, PlanOptions{}, row{"a", "1"}, row{"b", "2"}, row{"c", "3"})
	begin(f, s, p, folder)
	settle(f, s, outcomesOf(p.Rows, map[int64]*batch.Outcome{1: succeeded, 2: succeeded, 3: timeout}), true)
	var err error
	if pointer, err = os.ReadFile(filepath.Join(folder, pointerFile)); err == nil {
		table, err = os.ReadFile(filepath.Join(folder, s.pointer.Generation.Name))
	}
	if err != nil || s.pointer.Generation.Rows != 3 {
		f.Fatal(s.pointer.Generation.Rows, err)
	}
	return table, pointer
}
