package inventory

import (
	"fmt"
	"hash/maphash"
	"time"

	"pushbatch/batch"
	"pushbatch/writers/table"
)

// clockMargin is how far the platform's clock may be behind ours.
const clockMargin = 10 * time.Minute

// eachRow calls a function for every gathered row, in order.
type eachRow func(fn func(cells []batch.Value) error) error

// firstPass is what must be known of all lines before the first is written.
type firstPass struct {
	partitions map[string]bool
	attributes map[string]string // name -> type, for AdditionalColumns
	counter    *counter
	id         int // cell of the registration id

	seed  maphash.Seed
	last  map[uint64]int64 // devices of people who changed during the walk -> their last line
	stale int64
	rows  int64 // that are published
}

// look reads all lines once, and twice more when people changed during a walk:
// a device that went from one person to another meanwhile may have been met at
// both. Only the last line of such a device counts; the devices to look at are
// as many as changed, not as many as there are.
func (o *Options) look(eachRow eachRow) (*firstPass, error) {
	s := &firstPass{
		partitions: make(map[string]bool), attributes: make(map[string]string), counter: newCounter(o.All),
		seed: maphash.MakeSeed(), last: make(map[uint64]int64), id: o.cell("registration_id"),
	}
	if err := s.findMoved(o, eachRow); err != nil {
		return nil, err
	}
	by := o.cell(o.PartitionBy)
	additional := o.cell(additionalColumn)
	line := int64(0)
	return s, eachRow(func(cells []batch.Value) error {
		line++
		if s.isStale(cells, line) {
			s.stale++
			return nil
		}
		s.rows++
		s.counter.add(cells)
		if o.PartitionBy != "" {
			s.partitions[o.partitionOf(cells, by)] = true
			if len(s.partitions) > maxPartitions {
				return fmt.Errorf("column %s has more than %d values: name another one with --partition-by", o.PartitionBy, maxPartitions)
			}
		}
		if o.Additional == AdditionalColumns {
			return s.addAttributes(cells[additional])
		}
		return nil
	})
}

func (o *Options) cell(name string) int { return o.All.Index(name) }

func (s *firstPass) findMoved(o *Options, eachRow eachRow) error {
	modified := o.cell("modified_at")
	if o.Since.IsZero() || modified < 0 {
		return nil
	}
	since := o.Since.Add(-clockMargin).UTC().Format("2006-01-02T15:04:05.000Z")
	err := eachRow(func(cells []batch.Value) error {
		if cells[modified].Text >= since {
			s.last[s.hash(cells)] = 0
		}
		return nil
	})
	if err != nil || len(s.last) == 0 {
		return err
	}
	line := int64(0)
	return eachRow(func(cells []batch.Value) error {
		line++
		h := s.hash(cells)
		if _, watched := s.last[h]; watched {
			s.last[h] = line
		}
		return nil
	})
}

func (s *firstPass) hash(cells []batch.Value) uint64 { return s.hashID(cells[s.id].Text) }

func (s *firstPass) hashID(id string) uint64 { return maphash.String(s.seed, id) }

// isStale reports whether a later line tells of the same device.
func (s *firstPass) isStale(cells []batch.Value, line int64) bool {
	if len(s.last) == 0 {
		return false
	}
	last, watched := s.last[s.hash(cells)]
	return watched && last != line
}

func (s *firstPass) addAttributes(v batch.Value) error {
	for name, raw := range table.Attributes(v) {
		if _, known := s.attributes[name]; !known && len(s.attributes) >= maxAttributes {
			return fmt.Errorf("additional_data has more than %d names: take --additional-data json or map", maxAttributes)
		}
		s.attributes[name] = attributeType(s.attributes[name], raw)
	}
	return nil
}
