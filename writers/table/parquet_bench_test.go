package table

import (
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"pushbatch/batch"
)

// benchDevice is what a program would write without pushbatch: the same columns.
type benchDevice struct {
	ID            string     `parquet:"registration_id,optional,plain"`
	Application   string     `parquet:"application_id,optional,dict"`
	Primary       *bool      `parquet:"is_primary,optional"`
	Cloud         string     `parquet:"cloud_type,optional,dict"`
	Enabled       *bool      `parquet:"registration_enabled,optional"`
	Notifications *bool      `parquet:"notifications_enabled,optional"`
	SDK           string     `parquet:"sdk_version,optional,dict"`
	App           string     `parquet:"app_version,optional,dict"`
	OS            string     `parquet:"os,optional,dict"`
	OSVersion     string     `parquet:"os_version,optional,dict"`
	Model         string     `parquet:"device_model,optional,dict"`
	Exported      *time.Time `parquet:"exported_at,optional,timestamp(millisecond)"`
	Status        string     `parquet:"status,optional,dict"`
}

func benchColumns() (columns []Column) {
	for _, c := range []struct{ name, typ string }{
		{"registration_id", Text},
		{"application_id", Text},
		{"is_primary", Boolean},
		{"cloud_type", Text},
		{"registration_enabled", Boolean},
		{"notifications_enabled", Boolean},
		{"sdk_version", Text},
		{"app_version", Text},
		{"os", Text},
		{"os_version", Text},
		{"device_model", Text},
		{"exported_at", Timestamp},
		{"status", Text},
	} {
		columns = append(columns, Column{Name: c.name, Type: c.typ})
	}
	return columns
}

const benchRows = 100_000

func benchData() (devices []benchDevice, cells [][]batch.Value) {
	yes := true
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := range benchRows {
		when := at.Add(time.Duration(n) * time.Millisecond)
		d := benchDevice{
			"0c2e7f1a-91b3-4d52-8e6f-" + strconv.Itoa(100_000_000_000+n*7919), "FDCC8516470A3AE97FB8AC218D5D0D3D", &yes, "GCM", &yes, &yes,
			"13.9." + strconv.Itoa(n%3), "5.2." + strconv.Itoa(n%9), "Android", strconv.Itoa(9 + n%7), "SM-S92" + strconv.Itoa(n%40), &when, "succeeded",
		}
		devices = append(devices, d)
		boolean := batch.BoolValue(true)
		cells = append(cells, []batch.Value{
			batch.TextValue(d.ID), batch.TextValue(d.Application), boolean, batch.TextValue(d.Cloud), boolean, boolean, batch.TextValue(d.SDK),
			batch.TextValue(d.App), batch.TextValue(d.OS), batch.TextValue(d.OSVersion), batch.TextValue(d.Model),
			{Kind: batch.Timestamp, Text: when.Format("2006-01-02T15:04:05.000Z")},
			batch.TextValue(d.Status),
		})
	}
	return devices, cells
}

// BenchmarkInventoryParquet reports rows a second of the Parquet writer and how
// they compare with parquet-go writing structs of the same columns: with the
// library's own compressor, as a program would, and with ours.
func BenchmarkInventoryParquet(b *testing.B) {
	devices, cells := benchData()
	var bare, same, ours time.Duration
	rows := 0
	for b.Loop() {
		bare += benchBare(b, devices, &zstd.Codec{Level: zstd.SpeedDefault})
		codec, err := newPageCodec()
		if err != nil {
			b.Fatal(err)
		}
		same += benchBare(b, devices, codec)
		ours += benchOurs(b, cells)
		rows += len(cells)
	}
	b.ReportMetric(float64(rows)/ours.Seconds(), "rows/s")
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "of-bare")
	b.ReportMetric(same.Seconds()/ours.Seconds(), "of-bare-same-codec")
}

func benchBare(b *testing.B, devices []benchDevice, codec compress.Codec) time.Duration {
	start := time.Now()
	w := parquet.NewGenericWriter[benchDevice](
		io.Discard, parquet.Compression(codec), parquet.MaxRowsPerRowGroup(parquetGroupRows), parquet.DataPageStatistics(true),
	)
	for i := 0; i < len(devices); i += 512 {
		if _, err := w.Write(devices[i:min(i+512, len(devices))]); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func benchOurs(b *testing.B, cells [][]batch.Value) time.Duration {
	start := time.Now()
	r, err := NewParquet(io.Discard, benchColumns())
	if err != nil {
		b.Fatal(err)
	}
	for _, line := range cells {
		if err := r.Write(line); err != nil {
			b.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}
