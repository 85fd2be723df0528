package batch

import (
	"sync"
	"time"
)

// mapping maps the rows of one input, with more than one mapper where many rows
// are there and the input has them.
type mapping struct {
	job  *Job
	maps []Mapper
	work []chan []Row // of every mapper but the first: rows for the slots from at on
	at   []int64
	done sync.WaitGroup
	all  sync.WaitGroup
}

// partRows is how many rows are worth a goroutine: some ten microseconds.
const partRows = 64

// newMapping begins goroutines for the mappers of an input. They belong to
// whoever feeds it and end with end.
func (j *Job) newMapping(in *Input) *mapping {
	m := &mapping{job: j, maps: append([]Mapper{in.Map}, in.More...)}
	m.at = make([]int64, len(m.maps))
	for i := 1; i < len(m.maps); i++ {
		work := make(chan []Row, 1)
		m.work = append(m.work, work)
		m.all.Go(func() {
			for rows := range work {
				m.part(i, rows)
				m.done.Done()
			}
		})
	}
	return m
}

func (m *mapping) end() {
	for _, work := range m.work {
		close(work)
	}
	m.all.Wait()
}

// ahead maps the first rows into the slots behind the tail, as many as there is
// room for, with all mappers at once. It returns their number; 0: they are better
// mapped one by one.
func (m *mapping) ahead(rows []Row) int {
	if len(m.work) == 0 || len(m.job.waiting) > 0 {
		return 0
	}
	n := m.job.ring.room(len(rows))
	parts := min(n/partRows, len(m.maps))
	if parts < 2 {
		return 0
	}
	begin := 0
	for i := parts - 1; i >= 0; i-- {
		end := begin + (n-begin)/(i+1)
		m.at[i] = m.job.ring.fed + int64(begin)
		if i == 0 {
			m.part(0, rows[begin:end])
			break
		}
		m.done.Add(1)
		m.work[i-1] <- rows[begin:end]
		begin = end
	}
	m.done.Wait()
	return n
}

func (m *mapping) part(i int, rows []Row) {
	for k := range rows {
		m.job.ring.at(m.at[i]+int64(k)).mapRow(&rows[k], m.maps[i], m.job.clock.now)
	}
}

// mapRow maps a row into a slot that is not in the window yet. now is when a row
// that needs no request is finished.
func (s *slot) mapRow(row *Row, mapRow Mapper, now time.Time) {
	s.result.Row = *row
	request, out := mapRow(&s.result.Row)
	s.request, s.carried = request, false
	if out == nil {
		return
	}
	s.result.Outcome = *out
	if s.result.Finished.IsZero() {
		s.result.Finished = now
	}
	s.keepPayload()
}
