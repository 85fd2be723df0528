package ops

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
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
