package delta

import (
	"context"
	"time"
)

// Info is what a State holds.
type Info struct {
	State        string    `json:"state"`
	Operation    string    `json:"operation"`
	BaseURL      string    `json:"base_url"`
	Devices      int64     `json:"devices"`
	Acknowledged int64     `json:"acknowledged"` // devices; of the others nothing is acknowledged
	Oldest       time.Time `json:"oldest_acknowledged_at,omitzero"`
	Newest       time.Time `json:"newest_acknowledged_at,omitzero"`
	WrittenAt    time.Time `json:"written_at,omitzero"`
	Size         int64     `json:"size_bytes"`
	File         string    `json:"file,omitempty"` // Parquet, one row a device
	Run          *RunNote  `json:"last_run,omitempty"`
}

// Info reads the whole State.
func (s *State) Info(ctx context.Context) (*Info, error) {
	i := &Info{
		State: s.store.Location(""), Operation: s.pointer.Operation, BaseURL: s.pointer.BaseURL,
		WrittenAt: s.pointer.WrittenAt, Run: s.pointer.Run,
	}
	if f := s.pointer.Generation; f != nil {
		i.File, i.Size = s.store.Location(f.Name), f.Size
	}
	for d, err := range s.devices(ctx) {
		if err != nil {
			return nil, err
		}
		if i.Devices++; d.RequestHash == "" {
			continue
		}
		i.Acknowledged++
		at := time.UnixMilli(d.AcknowledgedAt).UTC()
		if i.Oldest.IsZero() || at.Before(i.Oldest) {
			i.Oldest = at
		}
		if at.After(i.Newest) {
			i.Newest = at
		}
	}
	return i, nil
}
