package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/spf13/pflag"

	"pushbatch/batch/ops"
)

// Where a setting's value comes from; the earlier wins.
const (
	fromFlag    = "flag"
	fromEnv     = "environment"
	fromFile    = "file"
	fromRun     = "run" // what a resumed run was started with
	fromDefault = "default"
)

// envAliases are the variables of the platform's own name for a flag.
var envAliases = map[string]string{
	"base-url": "INFOBIP_BASE_URL",
	"app-code": "INFOBIP_APP_CODE",
}

// What the variables of this program, and those that have the platform's own name, begin
// with.
const (
	variablePrefix = "PUSHBATCH_"
	platformPrefix = "INFOBIP_"
)

func envName(flag string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// origin is where one setting comes from: the source and, there, its name. That of
// a fixed flag may have been given elsewhere, too.
type origin struct {
	source, name string
	passedOver   *givenSetting
}

// givenSetting is a value that is not taken.
type givenSetting struct {
	where  string
	values []string
}

// resolve fills every flag that was not given on the command line from the
// environment, then from the --config file, and says where each value comes
// from. Unknown keys of the file are an error. Fixed flags are left as they are.
func resolve(fs *pflag.FlagSet, getenv func(string) (string, bool), fixed ...string) (map[string]origin, error) {
	from := make(map[string]origin)
	var failed error
	fs.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(fixed, f.Name) {
			from[f.Name] = origin{source: fromRun, passedOver: variableOf(f, getenv)}
		} else if failed == nil {
			from[f.Name], failed = resolveFlag(fs, f, getenv)
		}
	})
	if failed != nil {
		return nil, failed
	}
	if file, _ := fs.GetString("config"); file != "" {
		failed = resolveFile(fs, from, file, getenv)
	}
	turnOff(fs, from)
	return from, failed
}

// outdone are switches and the settings that mean the opposite.
var outdone = map[string]string{"quiet": "verbose", "simulate": "base-url"}

// turnOff turns a switch off where a stronger source asks for the opposite: a -v of the
// command line means more than a quiet of the file.
func turnOff(fs *pflag.FlagSet, from map[string]origin) {
	strength := func(name string) int { return slices.Index([]string{fromFile, fromEnv, fromFlag}, from[name].source) }
	for name, opposite := range outdone {
		if on := strength(name); on >= 0 && strength(opposite) > on && fs.Lookup(opposite).Value.String() != "false" {
			_ = fs.Lookup(name).Value.Set("false")
			from[name] = from[opposite]
		}
	}
}

func resolveFlag(fs *pflag.FlagSet, f *pflag.Flag, getenv func(string) (string, bool)) (origin, error) {
	if f.Changed {
		return origin{source: fromFlag, name: "--" + f.Name}, nil
	}
	if v := variableOf(f, getenv); v != nil {
		if err := setFlag(fs, f.Name, v.values); err != nil {
			return origin{}, usageError("environment variable %s: %v", v.where, err)
		}
		return origin{source: fromEnv, name: v.where}, nil
	}
	return origin{source: fromDefault}, nil
}

// variableOf is what a variable sets a flag to; nil: none does.
func variableOf(f *pflag.Flag, getenv func(string) (string, bool)) *givenSetting {
	for _, name := range []string{envName(f.Name), envAliases[f.Name]} {
		if value, _ := getenv(name); name != "" && value != "" {
			return &givenSetting{name, splitList(f, value)}
		}
	}
	return nil
}

// splitList splits the value of a variable that stands for a flag that may be
// given more than once: one value a line.
func splitList(f *pflag.Flag, value string) []string {
	if f.Value.Type() == "stringArray" {
		return strings.Split(strings.TrimRight(value, "\n"), "\n")
	}
	return []string{value}
}

func setFlag(fs *pflag.FlagSet, name string, values []string) error {
	for _, value := range values {
		if err := fs.Set(name, value); err != nil {
			return readable(err)
		}
	}
	return nil
}

// valueKinds say what the flags of a type take.
var valueKinds = map[string]string{
	"float64": "a number", "int": "a whole number", "int64": "a whole number",
	"duration": "a duration such as 30s or 5m", "bool": "true or false",
}

// readable says of a value that its flag cannot have what was expected.
func readable(err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err
	}
	kind, known := valueKinds[invalid.GetFlag().Value.Type()]
	if !known {
		return err
	}
	return fmt.Errorf("--%s %q: %s was expected", invalid.GetFlag().Name, invalid.GetValue(), kind)
}

// resolveFile sets what a YAML file of flags says.
func resolveFile(fs *pflag.FlagSet, from map[string]origin, path string, getenv func(string) (string, bool)) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return usageError("read --config: %v", err)
	}
	entries, err := parseConfig(path, data)
	if err != nil {
		return err
	}
	for _, e := range entries {
		f := fs.Lookup(e.key)
		if e.key == "config" {
			return usageError("%s, line %d: a config file does not name another", path, e.line)
		}
		if f == nil || e.key == "help" {
			return e.unknown(path, fs)
		}
		o := from[e.key]
		if o.source != fromDefault && (o.source != fromRun || o.passedOver != nil) {
			continue
		}
		where := fmt.Sprintf("%s, line %d", path, e.line)
		values, err := expandAll(e.textsFor(f), getenv)
		if _, takesMany := f.Value.(pflag.SliceValue); err == nil && len(values) > 1 && !takesMany {
			err = errors.New("one value was expected, not a list")
		}
		if err == nil && o.source == fromRun {
			o.passedOver = &givenSetting{where + ": " + e.key, values}
			from[e.key] = o
			continue
		}
		if err == nil {
			err = setFlag(fs, e.key, values)
		}
		if err != nil {
			return usageError("%s: %s: %v", where, e.key, err)
		}
		from[e.key] = origin{source: fromFile, name: where}
	}
	return nil
}

type configEntry struct {
	key    string
	values []string
	null   string // the word, where the value is null
	line   int
}

// textsFor are the texts that a flag is set to. A null sets nothing, but is itself
// what --null-literal may be.
func (e configEntry) textsFor(f *pflag.Flag) []string {
	if e.null != "" && f.Name == "null-literal" {
		return []string{e.null}
	}
	return e.values
}

func (e configEntry) unknown(path string, fs *pflag.FlagSet) error {
	var names []string
	fs.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return usageError("%s, line %d: unknown key %q%s", path, e.line, e.key, didYouMean(e.key, names))
}

// parseConfig reads the keys of a config file. Scalars keep the text they are
// written in, so that a number or a yes stays what the user typed.
func parseConfig(path string, data []byte) ([]configEntry, error) {
	if err := ops.CheckYAML(data); err != nil {
		return nil, usageError("%s: %v", path, err)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil { // without the excerpt, which might show a secret
		return nil, usageError("%s: %s", path, yaml.FormatError(err, false, false))
	}
	var entries []configEntry
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		m, ok := doc.Body.(ast.MapNode)
		if !ok {
			return nil, usageError("%s: a list of keys and values was expected", path)
		}
		for it := m.MapRange(); it.Next(); {
			e := configEntry{
				key:    strings.ReplaceAll(scalarText(it.Key()), "_", "-"),
				values: valueTexts(it.Value()),
				line:   it.Key().GetToken().Position.Line,
			}
			if null, ok := it.Value().(*ast.NullNode); ok {
				e.null = null.GetToken().Value
			}
			if slices.ContainsFunc(entries, func(o configEntry) bool { return o.key == e.key }) {
				return nil, usageError("%s, line %d: %s is given twice", path, e.line, e.key)
			}
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// valueTexts turns a value, a list, or a map (NAME: VALUE, as --set takes it)
// into the texts a flag is set to.
func valueTexts(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.NullNode:
		return nil
	case *ast.SequenceNode:
		var all []string
		for _, v := range n.Values {
			all = append(all, scalarText(v))
		}
		return all
	case ast.MapNode:
		var all []string
		for it := n.MapRange(); it.Next(); {
			all = append(all, scalarText(it.Key())+"="+scalarText(it.Value()))
		}
		return all
	}
	return []string{scalarText(n)}
}

func scalarText(n ast.Node) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	if s, ok := n.(*ast.LiteralNode); ok {
		return s.Value.Value
	}
	return n.GetToken().Value
}

// expandAll replaces ${NAME} by the variable's value; $$ stands for one $.
func expandAll(values []string, getenv func(string) (string, bool)) ([]string, error) {
	out := make([]string, len(values))
	for i, value := range values {
		var err error
		if out[i], err = expandVariables(value, getenv); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// variableUse is a variable in a value, or a dollar sign that means itself.
var variableUse = regexp.MustCompile(`\$\$|\$\{[^}]*\}`)

func expandVariables(text string, getenv func(string) (string, bool)) (_ string, err error) {
	expanded := variableUse.ReplaceAllStringFunc(text, func(use string) string {
		if use == "$$" {
			return "$"
		}
		name := use[2 : len(use)-1]
		value, ok := getenv(name)
		if !ok {
			err = cmp.Or(err, fmt.Errorf("the environment variable %s is not set", name))
		}
		return value
	})
	return expanded, err
}
