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

// givenSetting is a value that a variable or the config file gives a flag.
type givenSetting struct {
	source, name string // as in origin
	values       []string
}

// where names what gives the value.
func (g *givenSetting) where(flag string) string {
	if g.source == fromFile {
		return g.name + ": " + flag
	}
	return g.name
}

// resolve fills every flag that was not given on the command line from the
// environment, then from the --config file, and says where each value comes
// from. Unknown keys of the file are an error. Fixed flags are left as they are.
func resolve(fs *pflag.FlagSet, getenv func(string) (string, bool), fixed ...string) (map[string]origin, error) {
	from, entries := make(map[string]origin), make(map[string]*configEntry)
	if config := fs.Lookup("config"); config != nil {
		var err error
		from["config"], err = resolveFlag(fs, config, getenv, nil)
		if file := config.Value.String(); err == nil && file != "" {
			entries, err = readConfig(file, fs)
		}
		if err != nil {
			return nil, err
		}
	}
	var failed error
	fs.VisitAll(func(f *pflag.Flag) {
		if _, done := from[f.Name]; failed == nil && !done {
			from[f.Name], failed = resolveFlag(fs, f, getenv, entries[f.Name], fixed...)
		}
	})
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

// resolveFlag fills one flag; entry is what the config file says of it, or nil.
func resolveFlag(fs *pflag.FlagSet, f *pflag.Flag, getenv func(string) (string, bool), entry *configEntry, fixed ...string) (origin, error) {
	kept := slices.Contains(fixed, f.Name)
	if f.Changed && !kept {
		return origin{source: fromFlag, name: "--" + f.Name}, nil
	}
	given, err := givenBy(f, getenv, entry)
	switch {
	case err != nil:
		return origin{}, err
	case kept:
		return origin{source: fromRun, passedOver: given}, nil
	case given == nil:
		return origin{source: fromDefault}, nil
	}
	if err := setFlag(fs, f.Name, given.values); err != nil {
		return origin{}, given.refuse(f.Name, err)
	}
	return origin{source: given.source, name: given.name}, nil
}

func (g *givenSetting) refuse(flag string, err error) error {
	if g.source == fromEnv {
		return usageError("environment variable %s: %v", g.name, err)
	}
	return usageError("%s: %v", g.where(flag), err)
}

// givenBy is what a variable, else the config file, sets a flag to; nil: nothing does.
func givenBy(f *pflag.Flag, getenv func(string) (string, bool), entry *configEntry) (*givenSetting, error) {
	_, takesMany := f.Value.(pflag.SliceValue)
	for _, name := range []string{envName(f.Name), envAliases[f.Name]} {
		value, _ := getenv(name)
		switch {
		case name == "" || value == "":
		case f.Value.Type() == "stringArray": // one value a line
			return &givenSetting{fromEnv, name, strings.Split(strings.TrimRight(value, "\n"), "\n")}, nil
		default:
			return &givenSetting{fromEnv, name, []string{value}}, nil
		}
	}
	if entry == nil {
		return nil, nil
	}
	given := &givenSetting{source: fromFile, name: entry.where}
	texts := entry.values
	if entry.null != "" && f.Name == "null-literal" { // a null sets nothing, but is itself what that may be
		texts = []string{entry.null}
	}
	var err error
	if given.values, err = expandAll(texts, getenv); err == nil && len(given.values) > 1 && !takesMany {
		err = errors.New("one value was expected, not a list")
	}
	if err != nil {
		return nil, given.refuse(f.Name, err)
	}
	return given, nil
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

// configEntry is what a config file says of a flag.
type configEntry struct {
	where  string // file and line
	values []string
	null   string // the word, where the value is null
}

// readConfig reads a YAML file of flags. Scalars keep the text they are written in,
// so that a number or a yes stays what the user typed.
func readConfig(path string, fs *pflag.FlagSet) (map[string]*configEntry, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError("read --config: %v", err)
	}
	if err := ops.CheckYAML(data); err != nil {
		return nil, usageError("%s: %v", path, err)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil { // without the excerpt, which might show a secret
		return nil, usageError("%s: %s", path, yaml.FormatError(err, false, false))
	}
	entries := make(map[string]*configEntry)
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		m, ok := doc.Body.(ast.MapNode)
		if !ok {
			return nil, usageError("%s: a list of keys and values was expected", path)
		}
		for it := m.MapRange(); it.Next(); {
			key := strings.ReplaceAll(scalarText(it.Key()), "_", "-")
			e := &configEntry{where: fmt.Sprintf("%s, line %d", path, it.Key().GetToken().Position.Line), values: valueTexts(it.Value())}
			if null, ok := it.Value().(*ast.NullNode); ok {
				e.null = null.GetToken().Value
			}
			switch {
			case entries[key] != nil:
				return nil, usageError("%s: %s is given twice", e.where, key)
			case key == "config":
				return nil, usageError("%s: a config file does not name another", e.where)
			case fs.Lookup(key) == nil || key == "help":
				return nil, usageError("%s: unknown key %q%s", e.where, key, didYouMean(key, flagNames(fs, "")))
			}
			entries[key] = e
		}
	}
	return entries, nil
}

func flagNames(fs *pflag.FlagSet, prefix string) (names []string) {
	fs.VisitAll(func(f *pflag.Flag) { names = append(names, prefix+f.Name) })
	return names
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

// variableUse is a variable in a value, or a dollar sign that means itself.
var variableUse = regexp.MustCompile(`\$\$|\$\{[^}]*\}`)

// expandAll replaces ${NAME} by the variable's value; $$ stands for one $.
func expandAll(values []string, getenv func(string) (string, bool)) (expanded []string, err error) {
	valueOf := func(use string) string {
		if use == "$$" {
			return "$"
		}
		name := use[2 : len(use)-1]
		value, ok := getenv(name)
		if !ok {
			err = cmp.Or(err, fmt.Errorf("the environment variable %s is not set", name))
		}
		return value
	}
	for _, value := range values {
		expanded = append(expanded, variableUse.ReplaceAllStringFunc(value, valueOf))
	}
	return expanded, err
}
