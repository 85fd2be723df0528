package inventory

import (
	"context"
	"errors"

	"pushbatch/batch"
)

// eachOf calls fn for every row of a table that was published before.
func eachOf(ctx context.Context, source batch.Source, fn func(cells []batch.Value) error) error {
	for row, err := range source.Rows(ctx, batch.Position{}) {
		if err != nil {
			return err
		}
		if row.Err != nil {
			return row.Err
		}
		if err := fn(row.Values); err != nil {
			return err
		}
	}
	return nil
}

// eachID calls fn for every registration id of a table that was published before.
func (o *Options) eachID(ctx context.Context, location string, fn func(id string)) error {
	source, err := o.Open(ctx, location)
	if err != nil {
		return err
	}
	id := source.Header().Index(idColumn)
	err = eachOf(ctx, source, func(cells []batch.Value) error {
		fn(cellAt(cells, id).Text)
		return nil
	})
	return errors.Join(err, source.Close())
}

// cellAt is a value of a row that was read again, as inventories keep it; null where
// at is -1.
func cellAt(cells []batch.Value, at int) batch.Value {
	if at < 0 {
		return batch.Value{}
	}
	return kept(cells[at])
}

// kept is a value as inventories keep it.
func kept(v batch.Value) batch.Value {
	switch v.Kind {
	case batch.Null, batch.Bool:
		return v
	case batch.Timestamp:
		if t, ok := batch.PlatformTime(v.Text); ok {
			return timestamp(t)
		}
	}
	return batch.TextValue(v.String())
}
