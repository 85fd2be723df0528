package owners

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/undo"
	"pushbatch/readers"
)

// needed are the columns that make a table an inventory of people's devices.
var needed = []string{"registration_id", "application_id", "person_id", "external_id", "phone", "email"}

// FromInventory writes what an inventory says of its devices. partial: it does not
// have all devices, or no manifest beside it says that it has.
func FromInventory(ctx context.Context, location string, log *undo.Log) (partial bool, err error) {
	info, source, err := readers.OpenFile(ctx, location)
	if err != nil {
		return false, fmt.Errorf("read the inventory: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	var columns []int
	for _, name := range needed {
		at := source.Header().Index(name)
		if at < 0 {
			return false, fmt.Errorf("%s has no column %s: an inventory made by export --people was expected", location, name)
		}
		columns = append(columns, at)
	}
	channel := source.Header().Index("channel")
	for row, err := range source.Rows(ctx, batch.Position{}) {
		if err != nil {
			return false, fmt.Errorf("%s: %w", location, err)
		}
		cell := func(i int) string { return row.Values[columns[i]].String() }
		r := undo.Record{Kind: undo.KindPerson, Device: cell(0), Application: cell(1)}
		r.Web = channel >= 0 && row.Values[channel].String() == "webpush"
		if p := (undo.Person{ID: cell(2), ExternalID: cell(3), Phone: cell(4), Email: cell(5)}); p != (undo.Person{}) {
			r.Person = &p
		}
		if r.Before, err = registration(source.Header(), row.Values); err != nil {
			return false, fmt.Errorf("%s: row %d: %w", location, row.SourceNum(), err)
		}
		if err := log.Append(r); err != nil {
			return false, err
		}
	}
	return !whole(ctx, info), nil
}

// registration makes a registration of the columns that an update writes.
func registration(header batch.Header, values []batch.Value) (json.RawMessage, error) {
	r := map[string]json.RawMessage{}
	for i, c := range header {
		text := values[i].String()
		if text == "" {
			continue
		}
		switch c.Name {
		case "is_primary":
			r["isPrimary"] = json.RawMessage(text)
		case "registration_enabled":
			r["systemData"] = json.RawMessage(`{"registrationEnabled":` + text + `}`)
		case "additional_data":
			r["additionalData"] = json.RawMessage(text)
		}
	}
	return json.Marshal(r)
}

// manifest is what is read of the manifest beside an inventory.
type manifest struct {
	Partial   string `json:"partial"`
	FromInput bool   `json:"from_input"`
	Files     []struct {
		Path string `json:"path"`
	} `json:"files"`
}

// whole reports whether the manifest beside an inventory says that it has every
// device of the account. A second table of a folder has its name in that of its
// manifest.
func whole(ctx context.Context, info blob.Info) bool {
	uri := filepath.ToSlash(info.URI)
	folder, name := uri[:strings.LastIndexByte(uri, '/')+1], path.Base(uri)
	for _, beside := range []string{"_manifest." + name + ".json", "_manifest.json"} {
		var m manifest
		if blob.GetJSON(ctx, folder+beside, &m) == nil && len(m.Files) == 1 && path.Base(m.Files[0].Path) == name {
			return m.Partial == "" && !m.FromInput
		}
	}
	return false
}
