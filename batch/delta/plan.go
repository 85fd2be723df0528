package delta

import "errors"

// Action is what the plan does with a row. Whatever is invalid is rejected all
// the same.
type Action uint8

// The actions, four bits a row in the plan.
const (
	Send       Action = iota // as ever
	Unchanged                // skipped: what it says was acknowledged
	Superseded               // skipped: a later row of its device, or an equal one, is sent
	Duplicate                // rejected: another row of its device says something else
	Adopted                  // skipped, and taken as acknowledged

	actionBits        = 7
	repeated   Action = 8 // flag: its device stood in the input before, with other content
)

// Counts are the rows of a plan by what they are to the State.
type Counts struct {
	New       int64 `json:"new"`
	Changed   int64 `json:"changed"`
	Unchanged int64 `json:"unchanged"`
	TooOld    int64 `json:"too_old"`
	Vanished  int64 `json:"vanished"` // devices of the State that the input does not name

	Send       int64 `json:"to_send"` // rows, those of vanished devices not counted
	Adopted    int64 `json:"adopted,omitempty"`
	Rejected   int64 `json:"rejected,omitempty"`   // with a legible registration id
	Unreadable int64 `json:"unreadable,omitempty"` // rejected, and which device is meant cannot be read
	Idle       int64 `json:"nothing_to_do,omitempty"`
	Repeated   int64 `json:"repeated_devices,omitempty"`
	Superseded int64 `json:"superseded,omitempty"`
	Duplicates int64 `json:"duplicate_device,omitempty"` // rows that --on-duplicate reject refuses
	Known      int64 `json:"known"`                      // devices of the State
}

// Plan says of each row of a run what to do with it. It lies in the run folder,
// so that a resumed run goes on with it.
type Plan struct {
	Run    string `json:"run"`    // name of the run in the State
	Serial int64  `json:"serial"` // of the State that the plan was made for
	First  bool   `json:"first,omitempty"`
	Rows   int64  `json:"rows"`
	Counts Counts `json:"counts"`
	Mirror bool   `json:"mirror,omitempty"` // vanished devices are rows after the others
	Note   File   `json:"note"`             // of the rows that are about to be sent
	// Settings stands for the caller's settings that requests were made with.
	Settings string `json:"settings,omitempty"`
	// UnsureTo is the last row that an earlier execution may have sent without
	// knowing the answer: a later no to it proves nothing.
	UnsureTo int64 `json:"unsure_to,omitempty"`

	actions []byte
}

// next takes one more row and returns its number, which begins at 1.
func (p *Plan) next() int64 {
	if p.Rows%2 == 0 {
		p.actions = append(p.actions, 0)
	}
	p.Rows++
	return p.Rows
}

func (p *Plan) mark(row int64, a Action) {
	p.actions[(row-1)/2] |= byte(a) << (4 * ((row - 1) % 2))
}

func (p *Plan) bits(row int64) Action {
	if row < 1 || row > p.Rows {
		return Send
	}
	return Action(p.actions[(row-1)/2]>>(4*((row-1)%2))) & 15
}

// Action is what to do with a row; it may be called from several goroutines.
func (p *Plan) Action(row int64) Action { return p.bits(row) & actionBits }

// IsRepeated reports whether a row's device stood in the input before, with other
// content.
func (p *Plan) IsRepeated(row int64) bool { return p.bits(row)&repeated != 0 }

// ToSend is the number of rows that are not passed over, those that are invalid and
// those of vanished devices included.
func (p *Plan) ToSend() int64 {
	c := &p.Counts
	n := c.Send + c.Rejected + c.Unreadable + c.Idle + c.Duplicates
	if p.Mirror {
		n += c.Vanished
	}
	return n
}

// SendRow is the number of the nth row that is not passed over, or of the last
// row when there are not so many: what a canary of n rows looks at.
func (p *Plan) SendRow(n int64) int64 {
	for row := int64(1); row <= p.Rows; row++ {
		if p.Action(row) == Send {
			if n--; n == 0 {
				return row
			}
		}
	}
	return p.Rows
}

// Actions is what to do with each row, for a file in the run folder: half a byte a row.
func (p *Plan) Actions() []byte { return p.actions }

// SetActions takes what Actions was. A plan that was read from JSON lacks it until then.
func (p *Plan) SetActions(actions []byte) error {
	if int64(len(actions)) != (p.Rows+1)/2 {
		return errors.New("read the plan: it is not as long as its input")
	}
	p.actions = actions
	return nil
}
