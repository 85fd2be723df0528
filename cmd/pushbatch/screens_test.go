package main

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"pushbatch/batch/delta"
	"pushbatch/writers/report"
)

// Every screen can be filled in, whatever of its values is there or not, and says all
// texts that it is given.
func TestScreens(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][2]any{
		"status":     {&runStatus{}, &runStatus{}},
		"delta":      {&delta.Info{}, &delta.Info{}},
		"settings":   {&settingsInForce{}, &settingsInForce{}},
		"checks":     {&findings{}, &findings{}},
		"dry run":    {&dryRunFindings{}, &dryRunFindings{}},
		"inspection": {&inspection{Devices: &duplicateReport{}, Persons: &duplicateReport{}}, &inspection{}},
		"summary":    {&report.Summary{}, &report.Summary{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fillAll(reflect.ValueOf(values[1]).Elem())
			for i, value := range values {
				var b bytes.Buffer
				if err := show(&b, name, value, false); err != nil {
					t.Fatal(err)
				}
				if said := b.String(); strings.Contains(said, "invalid") || strings.Contains(said, "nil") || strings.Contains(said, "{") || i == 1 && !strings.Contains(said, "a text") {
					t.Errorf("%s", said)
				}
			}
		})
	}
}

// fillAll puts a text, 2, true or two elements into everything that is exported.
func fillAll(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("a text")
	case reflect.Int, reflect.Int64, reflect.Int8:
		v.SetInt(2)
	case reflect.Uint8:
		v.SetUint(2)
	case reflect.Float64:
		v.SetFloat(2)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillAll(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillAll(v.Index(0))
		fillAll(v.Index(1))
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fillAll(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("os").Convert(v.Type().Key()), value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(0, 0)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fillAll(v.Field(i))
			}
		}
	}
}
