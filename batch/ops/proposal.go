package ops

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"pushbatch/batch"
)

// headerNames are what people and other systems call the platform's targets, in
// English, German, Croatian and Spanish, in the form of plainHeader. A name that
// means several things ("name", "id", "token") is not among them.
var headerNames = map[string]string{
	"registrationId": "registrationid pushregistrationid pushregid infobipregistrationid",
	"externalId": "externalid externaluserid customerid customernumber customerno clientnumber userid crmid contactid memberid membernumber subscriberkey " +
		"kundennummer kundennr kundenid mitgliedsnummer kundenreferenz " +
		"idkupca sifrakupca brojkupca kupacid idkorisnika korisnikid brojkorisnika sifrakorisnika " +
		"idcliente clienteid numerodecliente numerocliente codigocliente codigodecliente idusuario usuarioid",
	"phoneNumber": "phonenumber phone mobile mobilephone mobilenumber cell cellphone cellphonenumber msisdn telephone telephonenumber tel smsnumber mobilephonenumber " +
		"telefon telefonnummer telefonnr handy handynummer mobil mobilnummer mobiltelefon rufnummer " +
		"brojtelefona brojmobitela mobitel mob telefonskibroj kontakttelefon " +
		"telefono numerodetelefono movil celular telefonomovil numerodemovil telefonocelular",
	"email": "email emailaddress mail mailaddress primaryemail emailaddr " +
		"emailadresse mailadresse epostadresse epost " +
		"emailadresa eposta adresaeposte elektronickaposta eadresa " +
		"correo correoelectronico direcciondecorreo direccionemail direcciondecorreoelectronico",
	"firstName":  "firstname givenname forename fname vorname rufname ime nombre nombredepila primernombre",
	"lastName":   "lastname surname familyname lname nachname familienname zuname prezime apellido apellidos",
	"middleName": "middlename secondname zweitervorname mittelname srednjeime segundonombre",
	"birthday": "birthday birthdate dateofbirth dob bday geburtstag geburtsdatum gebdatum gebtag geborenam " +
		"datumrodenja rodendan datumrodjenja rodjendan fechadenacimiento fechanacimiento fnacimiento nacimiento cumpleanos",
	"gender": "gender sex geschlecht spol genero sexo",
	"tags":   "tags labels etiquetas oznake schlagworte schlagworter stichworte",
}

// countryNames are what people call the column with each row's country.
const countryNames = "country countrycode countryiso iso2 land landercode laendercode lander landkz zemlja drzava kodzemlje kodrzave pais codigopais codigodepais isocountry mailingcountrycode"

// headerTargets are the targets by plainHeader.
var headerTargets = func() map[string]string {
	targets := make(map[string]string)
	for target, names := range headerNames {
		for name := range strings.FieldsSeq(names) {
			targets[name] = target
		}
	}
	for name := range strings.FieldsSeq(countryNames) {
		targets[name] = countryTarget
	}
	return targets
}()

// countryTarget stands for the column that region_from may name.
const countryTarget = "country"

// IsCountryColumn reports whether a column's name says that it holds each row's country.
func IsCountryColumn(name string) bool { return headerTargets[plainHeader(name)] == countryTarget }

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
			continue
		}
		claims[targets[i]] = append(claims[targets[i]], i)
	}
	for _, i := range claims["firstName"] { // without a column for the last name it may be the whole name
		if name := plainHeader(header[i].Name); (name == "ime" || name == "nombre") && len(claims["lastName"]) == 0 {
			targets[i] = ""
		}
	}
	for i, c := range header {
		list[i] = Proposal{Column: c.Name, Looks: profiles[i].Text()}
		if t := targets[i]; t != "" && t != countryTarget && p.chosen(claims[t], i) {
			list[i].Option, list[i].Note = p.option(i, t)
		} else if t != "" && t != countryTarget {
			list[i].Note = "another column is " + t + " too: choose one"
		}
		if i == p.country {
			list[i].Note = "each row's country, for region_from"
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
	target := headerTargets[plainHeader(name)]
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
		return p.share(LookPhone, LookDialled, LookWhole, LookSpaces) >= enough
	case "birthday":
		_, share, ambiguous := p.days()
		return share >= enough && !ambiguous
	case "gender":
		_, share := p.genders(plainHeader(header))
		return share >= enough
	case "tags":
		return p.share(LookObject, LookEmail, LookNumber, LookComma) == 0
	case "firstName", "lastName", "middleName":
		return p.share(LookWord, LookText, LookSpaces) >= enough
	}
	return p.share(LookObject, LookArray, LookEmail, LookComma, LookThousands) == 0
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

// chosen picks the one column of several that mean the same target: the one in
// the platform's own words, else the only one. A mobile number goes before others.
func (p *proposer) chosen(columns []int, i int) bool {
	if len(columns) == 1 {
		return true
	}
	best := func(suits func(name string) bool) (int, bool) {
		at := slices.IndexFunc(columns, func(c int) bool { return suits(p.header[c].Name) })
		if at < 0 || slices.ContainsFunc(columns[at+1:], func(c int) bool { return suits(p.header[c].Name) }) {
			return 0, false
		}
		return columns[at], true
	}
	for _, suits := range []func(string) bool{
		func(name string) bool {
			m, _ := p.schema.find(name)
			return m.def != nil && fold(name) == fold(m.String())
		},
		func(name string) bool { return strings.HasPrefix(plainHeader(name), "external") },
		func(name string) bool {
			plain := plainHeader(name)
			return strings.Contains(plain, "mob") || strings.Contains(plain, "movil") || strings.Contains(plain, "handy") || strings.Contains(plain, "cel")
		},
	} {
		if at, found := best(suits); found {
			return at == i
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
		options := "to: " + YAMLText(holder+"."+p.header[i].Name)
		layouts, days, ambiguous := profile.days()
		switch {
		case profile.share(LookComma)+profile.share(LookWhole) >= enough && profile.Looks[LookComma] > 0:
			options += `, type: number, decimal: ","`
		case profile.share(LookThousands)+profile.share(LookWhole)+profile.share(LookNumber) >= enough && profile.Looks[LookThousands] > 0:
			options += `, type: number, decimal: "."`
		case profile.share(LookWhole, LookNumber) >= enough:
			options += ", type: number"
		case profile.share(LookBoolean) >= enough:
			options += ", type: boolean"
		case days >= enough && !ambiguous:
			options += ", type: date, layout: [" + strings.Join(layouts, ", ") + "]"
		}
		if words := profile.NullWords(); len(words) > 0 {
			options += ", empty_values: [" + yamlTexts(words) + "]"
		}
		return fmt.Sprintf("as an attribute that the account has defined: {%s}", options)
	}
	return ""
}

// genders are the words of a column and the platform's for them, as entries of
// values:, and which part of the cells they are. In Spanish M may be a woman
// (mujer) where H is a man.
func (p *Profile) genders(header string) (values []string, share float64) {
	male := []string{"male", "m", "man", "mann", "mannlich", "herr", "muski", "musko", "hombre", "h", "masculino", "varon"}
	female := []string{"female", "f", "woman", "w", "frau", "weiblich", "zenski", "zensko", "z", "mujer", "femenino"}
	hombre := slices.ContainsFunc(sortedByCount(p.words), func(w string) bool { return plainHeader(w) == "h" })
	var known, all int64
	for _, word := range sortedByCount(p.words) {
		all += p.words[word]
		plain, to := plainHeader(word), ""
		switch {
		case plain == "m" && (hombre || header == "sexo" || header == "genero"):
			if hombre {
				to = "FEMALE"
			}
		case slices.Contains(male, plain):
			to = "MALE"
		case slices.Contains(female, plain):
			to = "FEMALE"
		}
		if to == "" {
			continue
		}
		known += p.words[word]
		if !strings.EqualFold(word, to) {
			values = append(values, YAMLText(word)+": "+to)
		}
	}
	if len(values) > 0 { // then only listed words pass
		for _, word := range sortedByCount(p.words) {
			if strings.EqualFold(word, "MALE") || strings.EqualFold(word, "FEMALE") {
				values = append(values, YAMLText(word)+": "+strings.ToUpper(word))
			}
		}
	}
	if all == 0 {
		return nil, 0
	}
	return values, float64(known) / float64(all)
}
