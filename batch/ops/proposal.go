package ops

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"pushbatch/batch"
)

//go:embed headers.txt
var headerText string

// headerWords are the words of headers.txt by plainHeader, and what they stand for;
// those that are no names of targets with what they tell in front, as in "gender m".
var headerWords = sync.OnceValue(func() map[string]string {
	words := make(map[string]string)
	for line := range strings.Lines(headerText) {
		meaning, list, _ := strings.Cut(line, ":")
		at := strings.LastIndexByte(meaning, ' ') + 1
		for word := range strings.FieldsSeq(list) {
			words[meaning[:at]+plainHeader(word)] = meaning[at:]
		}
	}
	return words
})

// countryTarget stands for the column that region_from may name.
const countryTarget = "country"

// IsCountryColumn reports whether a column's name says that it holds each row's country.
func IsCountryColumn(name string) bool { return headerWords()[plainHeader(name)] == countryTarget }

// plainHeader makes names comparable that people write: letters and digits in
// lower case, without accents. Đ and ß become what people write for them.
func plainHeader(name string) string {
	var b strings.Builder
	name = strings.TrimSuffix(name, "__c") // of Salesforce's own fields
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case r == 'đ':
			b.WriteByte('d')
		case r == 'ß':
			b.WriteString("ss")
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Proposal is what a mapping could say of one column.
type Proposal struct {
	Column string
	Option string // as a mapping has it, {to: email} or a target; empty: not understood
	Looks  string // what the cells look like
	Note   string // what to think of before it is used; may be empty
}

// enough is the part of a column's cells that must look as its name says.
const enough = 0.8

// Propose says what a mapping of an operation could say of every column of an
// input, by its name and by what its cells look like. What is not certain is not
// understood: a proposal may be missing, it is not wrong.
func Propose(operation *Operation, header batch.Header, profiles []Profile) []Proposal {
	p := &proposer{operation: operation, schema: newSchema(), header: header, profiles: profiles, country: -1}
	list := make([]Proposal, len(header))
	claims := make(map[string][]int) // target -> columns
	targets := make([]string, len(header))
	for i := range header {
		targets[i] = p.targetOf(i)
		if targets[i] == countryTarget {
			p.country = i
			if len(claims[countryTarget]) > 0 { // it is not known which one is the phone number's
				p.country = -1
			}
		}
		claims[targets[i]] = append(claims[targets[i]], i)
	}
	for target, rest := range map[string]string{"firstName": "lastName", "lastName": "firstName"} {
		for _, i := range claims[target] {
			if len(claims[rest]) == 0 && headerWords()["whole "+plainHeader(header[i].Name)] != "" {
				targets[i] = ""
			}
		}
	}
	for i, c := range header {
		list[i] = Proposal{Column: c.Name, Looks: profiles[i].Text()}
		switch t := targets[i]; {
		case t == countryTarget:
			list[i].Note = "each row's country, for region_from"
		case t != "" && p.chosen(claims[t], i) && !p.isOneOfPhones(i, targets):
			list[i].Option, list[i].Note = p.option(i, t)
		case t != "":
			list[i].Note = "another column is " + t + " too: choose one"
		}
		if list[i].Option == "" && list[i].Note == "" {
			list[i].Note = p.attribute(i)
		}
	}
	return list
}

type proposer struct {
	operation *Operation
	schema    *schema
	header    batch.Header
	profiles  []Profile
	country   int // column with a country code; -1: none
}

// targetOf is the target that a column's name stands for, in the spelling of
// the platform; empty: not known, not taken by the operation, or unlike its
// cells.
func (p *proposer) targetOf(i int) string {
	name := p.header[i].Name
	if m, err := p.schema.find(name); err == nil && m.def != nil && m.def.shape != objectShape {
		form := slices.Contains([]string{"tags", "birthday", "gender", "email", "phoneNumber"}, m.def.name)
		if !p.operation.takes(m.def) || form && !p.profiles[i].suits(m.def.name, name) {
			return ""
		}
		return m.String()
	}
	target := headerWords()[plainHeader(name)]
	if target == countryTarget {
		if p.profiles[i].isCountry() {
			return target
		}
		return ""
	}
	if target == "" || !p.operation.takes(p.schema.targets[fold(target)]) || !p.profiles[i].suits(target, name) {
		return ""
	}
	return target
}

// suits reports whether the cells of a column look as those of a target do.
func (p *Profile) suits(target, header string) bool {
	if p.Cells-p.Looks[LookNullWord] == 0 {
		return target != "registrationId"
	}
	switch target {
	case "email":
		return p.share(LookEmail, LookSpaces) >= enough
	case "phoneNumber":
		return p.share(LookPhone, LookDialled, LookWhole, LookZeros, LookSpaces) >= enough
	case "birthday":
		_, share, ambiguous := p.days()
		return share >= enough && !ambiguous
	case "gender":
		_, share := p.genders(plainHeader(header))
		return share >= enough
	case "tags":
		return p.share(LookObject, LookEmail, LookNumber, LookComma, LookEither) == 0
	case "firstName", "lastName", "middleName":
		return p.share(LookWord, LookText, LookSpaces) >= enough
	}
	return p.share(LookObject, LookArray, LookEmail, LookComma, LookThousands, LookEither) == 0
}

// isCountry reports whether the cells are ISO 3166 codes.
func (p *Profile) isCountry() bool {
	if p.many || p.Cells == 0 {
		return false
	}
	for word := range p.words {
		c := regionColumn{}
		if c.read(&batch.Row{Values: []batch.Value{batch.TextValue(word)}}); c.region == "" {
			return false
		}
	}
	return len(p.words) > 0
}

// chosen picks the one column of several that mean the same target: the one in the
// platform's own words, else the only one. A mobile number goes before others.
func (p *proposer) chosen(columns []int, i int) bool {
	for _, suits := range []func(string) bool{
		isMobile,
		func(name string) bool {
			m, _ := p.schema.find(name)
			return m.def != nil && fold(name) == fold(m.String())
		},
		func(name string) bool { return strings.HasPrefix(plainHeader(name), "external") },
	} {
		if some := slices.DeleteFunc(slices.Clone(columns), func(c int) bool { return !suits(p.header[c].Name) }); len(some) > 0 {
			columns = some
		}
	}
	return len(columns) == 1 && columns[0] == i
}

func isMobile(name string) bool {
	plain := plainHeader(name)
	return slices.ContainsFunc([]string{"mob", "movil", "handy", "cel", "msisdn", "portable", "komor", "cep", "моб", "κινητο"}, func(part string) bool { return strings.Contains(plain, part) })
}

// isOneOfPhones reports whether a column with a general name, such as Phone, stands
// beside another one that holds phone numbers, which its name does not tell.
func (p *proposer) isOneOfPhones(i int, targets []string) bool {
	name := p.header[i].Name
	if targets[i] != "phoneNumber" || isMobile(name) || fold(name) == "phonenumber" {
		return false
	}
	for other, target := range targets {
		if target == "" && p.profiles[other].share(LookPhone, LookDialled) >= enough {
			return true
		}
	}
	return false
}

// option is what the mapping says of a column that means a target.
func (p *proposer) option(i int, target string) (option, note string) {
	profile := &p.profiles[i]
	var options []string
	switch target {
	case "birthday":
		layouts, _, _ := profile.days()
		if len(layouts) > 0 && !slices.Equal(layouts, []string{"YYYY-MM-DD"}) {
			options = append(options, "layout: ["+strings.Join(layouts, ", ")+"]")
		}
		options = append(options, "invalid: omit")
	case "gender":
		values, _ := profile.genders(plainHeader(p.header[i].Name))
		if len(values) > 0 {
			options = append(options, "values: {"+strings.Join(values, ", ")+"}", "invalid: omit")
		}
	case "phoneNumber":
		if profile.share(LookPhone) < 1 && p.country >= 0 {
			options = append(options, "region_from: "+YAMLText(p.header[p.country].Name))
		} else if profile.share(LookPhone) < 1 {
			note = "national numbers need their country: add region: HR"
		}
	}
	if words := profile.NullWords(); len(words) > 0 && target != "registrationId" { // without an id the row is rejected
		options = append(options, "empty_values: ["+yamlTexts(words)+"]")
	}
	if profile.Looks[LookSpaces] > 0 {
		options = append(options, "trim: true")
	}
	if len(options) == 0 {
		return YAMLText(target), note
	}
	return "{to: " + YAMLText(target) + ", " + strings.Join(options, ", ") + "}", note
}

// attribute says what a column that is not understood would be as an attribute.
func (p *proposer) attribute(i int) string {
	holder := "customAttributes"
	if !p.operation.takes(p.schema.targets[fold(holder)]) {
		holder = "additionalData"
	}
	if profile := &p.profiles[i]; profile.Cells > 0 && p.operation.takes(p.schema.targets[fold(holder)]) {
		options := "to: " + YAMLText(holder+"."+p.header[i].Name) + profile.typeOptions()
		if words := profile.NullWords(); len(words) > 0 {
			options += ", empty_values: [" + yamlTexts(words) + "]"
		}
		return fmt.Sprintf("as an attribute that the account has defined: {%s}", options)
	}
	return ""
}

// typeOptions are the options of an attribute whose cells are no plain text. 1,234
// and 1.234 tell nothing of the decimal sign: other cells must.
func (p *Profile) typeOptions() string {
	layouts, days, ambiguous := p.days()
	comma, thousands, plain, either := p.Looks[LookComma] > 0, p.Looks[LookThousands] > 0, p.Looks[LookNumber] > 0, p.Looks[LookEither] > 0
	switch numbers := p.share(LookWhole, LookNumber, LookComma, LookThousands, LookEither) >= enough; {
	case p.share(LookBoolean) >= enough:
		return ", type: boolean"
	case days >= enough && slices.Equal(layouts, []string{"YYYY-MM-DD"}):
		return ", type: date"
	case days >= enough && !ambiguous:
		return ", type: date, layout: [" + strings.Join(layouts, ", ") + "]"
	case !numbers || comma && (thousands || plain):
	case comma:
		return `, type: number, decimal: ","`
	case thousands, plain && either:
		return `, type: number, decimal: "."`
	case !either:
		return ", type: number"
	}
	return ""
}

// genders are the words of a column and the platform's for them, as entries of
// values:, and which part of the cells they are. In Spanish M may be a woman
// (mujer) where H is a man, in Hungarian F a man: single letters need both sexes.
func (p *Profile) genders(header string) (values []string, share float64) {
	letters, sexes := make(map[string]bool), make(map[string]bool)
	for word := range p.words {
		letters[plainHeader(word)] = true
	}
	var known, all int64
	single, translated := false, false
	for _, word := range sortedByCount(p.words) {
		all += p.words[word]
		plain := plainHeader(word)
		to := headerWords()["gender "+plain]
		if plain == "m" && !letters["f"] && (letters["h"] || header == "sexo" || header == "genero") {
			if to = ""; letters["h"] {
				to = "FEMALE"
			}
		}
		if to == "" {
			continue
		}
		known += p.words[word]
		sexes[to], single, translated = true, single || len([]rune(plain)) == 1, translated || !strings.EqualFold(word, to)
		values = append(values, YAMLText(word)+": "+to)
	}
	if all == 0 || single && len(sexes) < 2 || letters["h"] && letters["f"] && letters["m"] {
		return nil, 0
	}
	if !translated {
		values = nil
	}
	return values, float64(known) / float64(all)
}
