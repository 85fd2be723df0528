// Package redact keeps what rows say of people out of what is written about them: a
// value becomes a keyed hash (--redact), or its shape (inspect).
//
//	r, err := redact.New(key)
//	input.Map = r.Mapper(input.Map)           // outcomes without values
//	redact.Cell(batch.TextValue("a@b.hr"))    // letter @ letter . 2×letter
package redact
