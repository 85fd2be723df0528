package ops_test

import (
	"fmt"
	"strings"
	"testing"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

// Headers as other systems write them, with cells as they have them. want has the
// target of each column, - for one that must not be understood.
var headerStyles = map[string][]string{ // column, target, cells
	"English CRM":           {"Customer ID|externalId|C-1,C-2", "First Name|firstName|Ana,Ben", "Last Name|lastName|Horvat,Smith", "E-mail|email|a@x.com,b@x.com", "Mobile Phone|phoneNumber|+385911234567,+447911123456", "Date of Birth|birthday|1990-01-31,1985-12-01", "Sex|gender|M,F", "Points|-|12,15", "Name|-|Ana Horvat,Ben Smith", "Notes|-|x,y"},
	"English shop":          {"email_address|email|a@x.com,b@x.com", "given_name|firstName|Ana,Ben", "family_name|lastName|Horvat,Smith", "telephone|phoneNumber|020 7946 0958,020 7946 0959", "Country|-|GB,GB", "labels|tags|a|b", "ID|-|1,2"},
	"two phones":            {"Phone|-|+385911234567,", "Mobile|phoneNumber|+385911234567,+385911234568", "Fax|-|+38511234567,"},
	"two ids":               {"Customer ID|-|1,2", "User ID|-|7,8", "Email|email|a@x.com,"},
	"external goes first":   {"Customer ID|-|1,2", "External ID|externalId|7,8"},
	"German CRM":            {"Kundennummer|externalId|4711,4712", "Vorname|firstName|Jörg,Eva", "Nachname|lastName|Groß,Maier", "E-Mail-Adresse|email|j@x.de,e@x.de", "Mobilnummer|phoneNumber|0171 1234567,0160 1234567", "Geburtsdatum|birthday|31.01.1990,01.12.1985", "Geschlecht|gender|m,w", "Name|-|Groß,Maier", "Punkte|-|1.234,5;2,0", "Land|-|DE,AT"},
	"German shop":           {"Kunden-Nr.|externalId|1,2", "Anrede|-|Herr,Frau", "Handy|phoneNumber|+491711234567,", "Geb.-Datum|birthday|1.2.1990,11.12.1985", "Telefon|-|+4930123456,"},
	"Croatian CRM":          {"Šifra kupca|externalId|77,78", "Ime|firstName|Đuro,Živa", "Prezime|lastName|Čić,Šarić", "E-pošta|email|d@x.hr,z@x.hr", "Broj mobitela|phoneNumber|091 234 5678,098 765 4321", "Datum rođenja|birthday|31.01.1990.,", "Spol|gender|M,Ž", "Bodovi|-|1.234,5;12", "Država|-|HR,AT"},
	"Croatian whole name":   {"Ime|-|Đuro Čić,Živa Šarić", "Mail|email|d@x.hr,z@x.hr", "Ime i prezime|-|Đuro Čić,"},
	"Croatian dates":        {"Ime|firstName|Đuro,Živa", "Prezime|lastName|Čić,Šarić", "Datum rođenja|birthday|31.1.1990,1.12.1985", "Telefon|phoneNumber|+385 91 234 5678,"},
	"Spanish CRM":           {"ID cliente|externalId|9,10", "Nombre|firstName|José,María", "Apellidos|lastName|García López,Ruiz", "Correo electrónico|email|j@x.es,m@x.es", "Teléfono móvil|phoneNumber|+34612345678,612345679", "Fecha de nacimiento|birthday|31/01/1990,01/12/1985", "Género|gender|H,M", "Etiquetas|tags|a;b,c"},
	"Spanish shop":          {"Nombre completo|-|José García,", "Nombre|-|José García,", "Sexo|-|M,M", "Cumpleaños|-|01/02/1990,03/04/1985", "Correo|email|j@x.es,", "Móvil|phoneNumber|612345678,612345679"},
	"American dates":        {"DOB|birthday|01/31/1990,12/01/1985", "Email|email|a@x.com,"},
	"ambiguous dates":       {"DOB|-|01/02/1990,03/04/1985", "Birthday|-|1/2/1990,"},
	"days of a spreadsheet": {"Birthdate|-|32904,31000", "Gender|-|1,2"},
	"OneSignal":             {"player_id|-|29f375b1-5b9f-4014-ac6a-87fe70b100e9,", "subscription_id|-|29f375b1-5b9f-4014-ac6a-87fe70b100e8,", "identifier|-|fcmtoken,", "external_user_id|externalId|u1,u2", `tags|-|{"a":"1"},`, "device_type|-|1,0", "language|-|en,de", "last_active|-|2024-01-31 10:00:00,", "invalid_identifier|-|f,t", "country|-|US,"},
	"Braze":                 {"external_id|externalId|u1,u2", "braze_id|-|5f1e2d3c4b5a69788796a5b4,", "first_name|firstName|Ana,Ben", "last_name|lastName|Horvat,Smith", "email|email|a@x.com,b@x.com", "phone|phoneNumber|+15551234567,", "dob|birthday|1990-01-31,", "gender|gender|M,F", "country|-|US,HR", "device_id|-|29f375b1-5b9f-4014-ac6a-87fe70b100e9,", "push_token|-|abc,", `custom_attributes|customAttributes|{"a":1},`},
	"Firebase":              {"localId|-|AbC123,", "email|email|a@x.com,", "emailVerified|-|true,false", "displayName|-|Ana Horvat,", "phoneNumber|phoneNumber|+385911234567,", "photoUrl|-|https://x,", "createdAt|-|1700000000000,", "token|-|abc:def,"},
	"Salesforce":            {"Id|-|003xx000004TmiQAAS,", "AccountId|-|001xx000003DGb0AAG,", "FirstName|firstName|Ana,Ben", "LastName|lastName|Horvat,Smith", "Name|-|Ana Horvat,", "Email|email|a@x.com,", "Phone|-|(555) 123-4567,", "MobilePhone|phoneNumber|(555) 123-4568,", "Birthdate|birthday|1990-01-31,", "External_Id__c|externalId|X1,X2", "Salutation|-|Ms.,Mr."},
	"platform's words":      {"registrationId|registrationId|29f375b1-5b9f-4014-ac6a-87fe70b100e9,", "identity.email|email|a@x.com,", "customAttributes.tier|customAttributes.tier|gold,", "attributes.firstName|firstName|Ana,", "isPrimary|-|true,"},
	"named otherwise":       {"Email|-|yes,no", "Phone|-|iPhone,Pixel", "Gender|-|gold,silver", "Tags|-|{\"a\":1},", "Mobile|-|yes,no"},
	"HubSpot":               {"Record ID|-|101,102", "First Name|firstName|Ana,Ben", "Last Name|lastName|Horvat,Kovač", "Email|email|a@x.hr,b@x.hr", "Phone Number|-|+385 1 234 5678,", "Mobile Phone Number|phoneNumber|+385 91 234 5678,091/234-5679", "Infobip Push Registration ID|registrationId|29f375b1-5b9f-4014-ac6a-87fe70b100e9,", "Contact owner|-|Tom S,"},
	"MoEngage":              {"uid|-|m1,m2", "Birthday|birthday|1990-01-31T00:00:00.000Z,1991-01-31T00:00:00.000Z", "Gender|gender|female,male", "Mobile Number (Standard)|-|919876543210,919876543211", "Push Token|-|t1,t2"},
	"Dynamics 365":          {"(Do Not Modify) Contact|-|{29F375B1-5B9F-4014-AC6A-87FE70B100E0},", "Full Name|-|Ana Horvat,", "Email|email|a@x.hr,b@x.hr", "Mobile Phone|-|+385912345678,", "mobilephone|-|+385912345678,", "Phone Number|-|+38512345678,", "Birthday|birthday|1/31/1990,12/1/1985", "gendercode|-|1,2"},
	"Shopify":               {"Customer ID|externalId|6000000000001,6000000000002", "Phone|-|+385912345678,+385912345679", "Default Address Phone|-|091 234 5678,098 765 4321", "Tags|tags|vip,newsletter"},
	"Klaviyo, Mixpanel":     {"$distinct_id|-|m1,m2", "$email|email|a@x.com,b@x.com", "$phone_number|phoneNumber|+14155552671,", "$first_name|firstName|Ana,Ben", "$last_name|lastName|Smith,Rao", "$name|-|Ana Smith,", `$ios_devices|-|["tok1"],[]`},
	"SAP":                   {"KUNNR|-|0000004711,0000004712", "NAME1|-|Maier,Groß", "SMTP_ADDR|-|e@x.de,j@x.de", "MOB_NUMBER|-|0171 1234567,0171 1234568", "GBDAT|-|19900131,19851201", "SEXKZ|-|2,1"},
	"French CRM":            {"N° client|externalId|C1,C2", "Prénom|firstName|Éloïse,François", "Nom|lastName|Lefèvre,Dupont", "Courriel|email|e@x.fr,f@x.fr", "Téléphone portable|phoneNumber|06 12 34 56 78,0712345678", "Téléphone|-|01 12 34 56 78,", "Date de naissance|birthday|31/01/1990,01/12/1985", "Sexe|gender|F,H", "Pays|-|FR,BE", "Code postal|-|01000,75001"},
	"French whole name":     {"Nom|-|Lefèvre Éloïse,Dupont François", "Adresse e-mail|email|e@x.fr,f@x.fr"},
	"Italian CRM":           {"Codice cliente|externalId|C1,C2", "Nome|firstName|Niccolò,Lucia", "Cognome|lastName|Rossi,D'Angelo", "Cellulare|phoneNumber|333 1234567,347-1234567", "Telefono|-|06 12345678,", "Data di nascita|birthday|31/01/1990,01/12/1985", "Sesso|gender|M,F", "Intestatario|-|Rossi Niccolò,"},
	"Polish CRM":            {"Nr klienta|externalId|7,8", "Imię|firstName|Łukasz,Święta", "Nazwisko|lastName|Żółć,Ćma", "Telefon|phoneNumber|601 234 567,602 234 567", "Data urodzenia|birthday|31.01.1990,01.12.1985", "Płeć|-|M,K", "Punkty|-|1 234,12"},
	"Serbian CRM":           {"Шифра купца|externalId|1,2", "Име|firstName|Ђорђе,Љиљана", "Презиме|lastName|Чолић,Шарић", "Е-пошта|email|dj@x.rs,lj@x.rs", "Број мобилног телефона|phoneNumber|064 1234567,063/123-4567", "Датум рођења|birthday|31.1.1990.,1.12.1985.", "Пол|gender|М,Ж", "ИД уређаја|-|u1,u2"},
	"Russian CRM":           {"Код клиента|externalId|1,2", "Имя|firstName|Анна,Борис", "Фамилия|lastName|Иванова,Петров", "Телефон|-|8 495 123-45-67,", "Мобильный телефон|phoneNumber|+7 (912) 345-67-89,8 (912) 345-67-80", "Пол|gender|женский,мужской"},
	"Turkish CRM":           {"Müşteri No|externalId|1,2", "Ad|-|İbrahim,Ayşe", "Soyad|lastName|Şahin,Yıldız", "Cep Telefonu|phoneNumber|0532 123 45 67,0533 123 45 67", "Doğum Tarihi|birthday|31.01.1990,01.12.1985", "Cinsiyet|gender|Erkek,Kadın"},
	"Greek CRM":             {"Κωδικός πελάτη|-|1,2", "Όνομα|firstName|Γιώργος,Ελένη", "Επώνυμο|lastName|Παπαδόπουλος,Νικολάου", "Κινητό τηλέφωνο|phoneNumber|694 123 4567,6941234568", "Ημερομηνία γέννησης|birthday|31/01/1990,01/12/1985", "Φύλο|-|Άρρεν,Θήλυ"},
	"Arabic CRM":            {"رقم العميل|-|١٢٣,124", "رقم الجوال|-|٠٥٠١٢٣٤٥٦٧,0501234568", "رقم الهاتف|-|+966501234567,+966501234568", "الجنس|-|ذكر,أنثى"},
	"Portuguese CRM":        {"Código do cliente|externalId|1,2", "Nome|firstName|João,Inês", "Sobrenome|lastName|Conceição,Araújo", "Celular|phoneNumber|(11) 91234-5678,11912345679", "CPF|-|123.456.789-09,987.654.321-00", "Sexo|gender|M,F"},
	"Hungarian CRM":         {"Vezetéknév|lastName|Őry,Szűcs", "Keresztnév|firstName|Ödön,Éva", "Név|-|Őry Ödön,Szűcs Éva", "Születési dátum|birthday|1990.01.31.,1985.12.01.", "Gender|-|F,N", "Telefonszám|phoneNumber|+36 30 123 4567,"},
	"Slovene CRM":           {"Šifra stranke|externalId|1,2", "Priimek|lastName|Čeh,Ažman", "Mobilni telefon|phoneNumber|041 234 567,031 234 567", "Datum rojstva|birthday|31. 1. 1990,1. 12. 1985"},
	"days with hyphens":     {"Birthday|-|01-12-1985,03-04-1990", "Geboortedatum|-|05-06-1980,"},
	"Dutch CRM":             {"Klantnummer|externalId|1,2", "Voornaam|firstName|Jan,Eva", "Achternaam|lastName|Berg,Smit", "Mobiel|phoneNumber|06-12345678,0612345679", "Geboortedatum|birthday|31-01-1990,01-12-1985", "Geslacht|-|M,V"},
	"two countries":         {"Phone|phoneNumber|+385912345678,091 234 5678", "Country|-|HR,HR", "Land|-|DE,DE"},
	"unload of a warehouse": {"REGISTRATION_ID|registrationId|r1,r2", "FIRST_NAME|firstName|Ana,Ben", "PHONE|phoneNumber|385912345678,385912345679", "email_hash|-|5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99,", `ATTRS|-|{"a":1},\N`},
	"inventory":             {"registration_id|registrationId|d1,d2", "person_id|-|7,8", "external_id|externalId|u1,u2", "phone|phoneNumber|385911234567,385911234568", "os|-|iOS,Android", "application_id|-|A,A"},
}

func TestPropose(t *testing.T) {
	t.Parallel()
	if len(headerStyles) < 20 {
		t.Fatalf("%d header styles", len(headerStyles))
	}
	for name, columns := range headerStyles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var names []string
			profiles := make([]ops.Profile, len(columns))
			for i, column := range columns {
				parts := strings.SplitN(column, "|", 3)
				names = append(names, parts[0])
				separator := ","
				if strings.Contains(parts[2], ";") && !strings.Contains(parts[2], "@") && parts[0] != "Etiquetas" {
					separator = ";"
				}
				for cell := range strings.SplitSeq(parts[2], separator) {
					profiles[i].Add(batch.TextValue(cell))
				}
			}
			proposals := ops.Propose(ops.Named("personalize"), header(names...), profiles)
			text := string(ops.AppendMapping(nil, "personalize", "x.csv", proposals))
			m, err := ops.ParseMapping("map.yaml", []byte(text))
			if err != nil {
				t.Fatalf("the mapping does not load: %v\n%s", err, text)
			}
			binding, err := ops.Named("personalize").Bind(header(names...), ops.Options{HasAppCode: true, Mapping: m, Constants: []ops.Constant{}})
			uses := map[string]string{}
			if bind, ok := err.(*ops.BindError); ok { //nolint:errorlint // Bind returns no other
				for _, u := range bind.Columns {
					uses[u.Column] = use(u)
				}
				for _, p := range bind.Problems {
					if p.Code != "column_missing" {
						t.Errorf("%s: %s\n%s", p.Code, p.Message, text)
					}
				}
			} else {
				for _, u := range binding.Columns {
					uses[u.Column] = use(u)
				}
			}
			for i, column := range columns {
				if want := strings.SplitN(column, "|", 3)[1]; uses[names[i]] != want {
					t.Errorf("%s became %s, want %s\n%s", names[i], uses[names[i]], want, text)
				}
			}
		})
	}
}

func use(u ops.ColumnUse) string {
	if u.Use == ops.Sent {
		return u.Target
	}
	return "-"
}

// Whatever stands in a header, the mapping loads and names every column.
func FuzzAppendMapping(f *testing.F) {
	for _, name := range []string{"a: b", "# x", `"`, "null", "- x", "a\nb", "{", "\u0085", "\u2028", "é", " lead", "trail ", "a #b", "*x", "&x", "%x", "@x", "`", "\x7f", "1", "1.5", "~", "=", "<<", "?"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if strings.ToValidUTF8(name, "") != name || name == "" {
			return
		}
		var p ops.Profile
		p.Add(batch.TextValue(name))
		proposals := ops.Propose(ops.Named("personalize"), header("registrationId", name), []ops.Profile{{}, p})
		text := ops.AppendMapping(nil, "personalize", name, proposals)
		m, err := ops.ParseMapping("map.yaml", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if _, err := ops.Named("personalize").Bind(header("registrationId", "email", name), ops.Options{HasAppCode: true, Mapping: m}); err != nil && !strings.Contains(err.Error(), "given twice") {
			t.Fatalf("%v\n%s", err, text)
		}
		_ = fmt.Sprint(proposals)
	})
}

// What the comment of a column says of its type is right, or it says nothing: what
// a digit group means other cells must tell.
func TestProposedTypes(t *testing.T) {
	t.Parallel()
	for cells, want := range map[string]string{
		"1,234|950|12,500":     "",
		"1.234|950":            "",
		"1,234|0,5":            `, type: number, decimal: ","`,
		"1.234,5|1.234":        `, type: number, decimal: ","`,
		"1,234.5|1,234":        `, type: number, decimal: "."`,
		"1,234|12.5":           `, type: number, decimal: "."`,
		"12,5|12.5":            "",
		"12|7":                 ", type: number",
		"12.5|7":               ", type: number",
		"01000|75001":          "",
		"0000004711":           "",
		"601 234 567":          "",
		"1 234,5|12":           `, type: number, decimal: ","`,
		"true|false":           ", type: boolean",
		"2024-01-31|":          ", type: date",
		"2024-01-31 00:00:00|": ", type: date",
		"31-12-2020|1-2-2020":  ", type: date, layout: [D-M-YYYY]",
		"1-2-2020|3-4-2020":    "",
	} {
		t.Run(cells, func(t *testing.T) {
			t.Parallel()
			var p ops.Profile
			for cell := range strings.SplitSeq(cells, "|") {
				p.Add(batch.TextValue(cell))
			}
			note := ops.Propose(ops.Named("personalize"), header("x"), []ops.Profile{p})[0].Note
			if want := "as an attribute that the account has defined: {to: customAttributes.x" + want + "}"; note != want {
				t.Errorf("got  %s\nwant %s", note, want)
			}
		})
	}
}

// A change of the mapping that is proposed for a cell takes such cells, and says where
// a person must choose.
func TestChangeFor(t *testing.T) {
	t.Parallel()
	sent := func(target, layouts string) ops.ColumnUse {
		return ops.ColumnUse{Column: "x", Use: ops.Sent, Target: target, Layouts: layouts}
	}
	for _, c := range []struct {
		use              ops.ColumnUse
		code, cell, want string
	}{
		{sent("customAttributes.n", ""), "number_invalid", "12,5", `decimal: ","`},
		{sent("customAttributes.n", ""), "number_invalid", "1.234.567", `decimal: ","`},
		{sent("customAttributes.n", ""), "number_invalid", "1,234.5", `decimal: "."`},
		{sent("customAttributes.n", ""), "number_invalid", "1,234", `decimal: "," where 1,234 is a little more than 1, decimal: "." where it is more than 1000`},
		{sent("customAttributes.n", ""), "number_invalid", "0.5", "invalid: omit"}, // beside cells with a decimal comma
		{sent("birthday", ""), "date_invalid", "31.12.1990", "layout: [YYYY-MM-DD, DD.MM.YYYY]"},
		{sent("birthday", "DD.MM.YYYY"), "date_invalid", "1990/12/31", "layout: [DD.MM.YYYY, YYYY/MM/DD]"},
		{sent("birthday", ""), "date_invalid", "1-2-1990", "layout: [YYYY-MM-DD, D-M-YYYY] (or M-D-YYYY where the month comes first)"},
		{sent("birthday", ""), "date_invalid", " N/A ", `empty_values: [" N/A "]`},
		{sent("phoneNumber", ""), "phone_invalid", "0912345678", "region: XX (the country's code, such as HR)"},
		{sent("registrationId", ""), "null_word", "N/A", ""},
		{ops.ColumnUse{Column: "x", Use: ops.Ignored}, "date_invalid", "x", ""},
	} {
		if got := ops.ChangeFor(c.use, c.code, batch.TextValue(c.cell), ops.ColumnUse{}); got != c.want {
			t.Errorf("%s %q: got %s, want %s", c.use.Target, c.cell, got, c.want)
		}
	}
}
