//go:build ignore

// Generate makes the sample files beside it. The same seed gives the same
// bytes; all people in them are invented. After a change here, from the
// module's root:
//
//	go run testdata/rows/generate.go
//
// devices.csv: 1,200 valid devices of 1,200 people, for personalize.
// depersonalize.csv, update.csv: some of these devices, for the commands of that name.
// bad-rows.csv: for personalize, a row for every kind of damage, named in
// column _damage (columns that begin with _ are passed over), with good rows between.
package main

import (
	"encoding/csv"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

const (
	seed    = 20261123
	devices = 1200
	updates = 400
	resets  = 300
)

// origin is a people's names and where its phones are registered.
type origin struct {
	regions     []string
	women, men  []string
	familyNames []string
}

var origins = []origin{
	{
		[]string{"HR", "BA", "SI"},
		[]string{"Đurđica", "Željka", "Ana-Marija", "Lucija", "Živa"},
		[]string{"Šime", "Đuro", "Krešimir", "Žarko", "Luka"},
		[]string{"Kovačević", "Žižić", "Šarić", "Đukić", "Horvat", "Čačić-Babić"},
	},
	{
		[]string{"DE", "AT", "CH"},
		[]string{"Zoë", "Käthe", "Änne", "Jana"},
		[]string{"Jürgen", "Götz", "Björn", "Max"},
		[]string{"Müller", "Groß", "Weiß-Löwe", "von der Höh", "Schäfer"},
	},
	{
		[]string{"FR", "ES", "PT", "BR", "MX"},
		[]string{"Chloé", "Inês", "Begoña", "Maëlle", "María José"},
		[]string{"François", "João", "Íñigo", "Andrés", "Loïc"},
		[]string{"Núñez", "Gonçalves", "Lefèvre", "D'Órs", "Peña, hijo", "Brandão"},
	},
	{
		[]string{"PL", "CZ", "SK", "HU", "RO"},
		[]string{"Małgorzata", "Růžena", "Ľubica", "Ágnes", "Ștefania"},
		[]string{"Łukasz", "Jiří", "Ďuro", "Győző", "Răzvan"},
		[]string{"Wiśniewska", "Dvořák", "Kováč", "Őrsi", "Țăndărică", "Źdźbło"},
	},
	{
		[]string{"SE", "DK", "NO", "IS", "FI", "EE", "LV", "LT"},
		[]string{"Åsa", "Sølvi", "Þóra", "Päivi", "Ülle", "Ieva"},
		[]string{"Bjørn", "Øyvind", "Guðmundur", "Väinö", "Õnne", "Jānis"},
		[]string{"Ångström", "Sørensen", "Jónsdóttir", "Mäkelä", "Bērziņš", "Žukauskas"},
	},
	{
		[]string{"TR", "AZ"},
		[]string{"Işıl", "Gülşen", "Çiğdem"},
		[]string{"İsmail", "Oğuz", "Ümit"},
		[]string{"Yılmaz", "Öztürk", "Çağlayan", "Əliyev"},
	},
	{
		[]string{"US", "GB", "IE", "AU", "NZ", "ZA", "CA"},
		[]string{"Siobhán", "Grace", "Mary Ann", "Niamh"},
		[]string{"Seán", "William", "Thandolwethu", "Jack"},
		[]string{"O'Neil", "Smith-Jones", "King, Jr.", "McDonald", `Reed "Red" Hall`, "van Wyk"},
	},
	{
		[]string{"UA", "BG", "RS", "MK", "KZ"},
		[]string{"Олена", "Наталія", "Љиљана", "Цвета", "Айгүл"},
		[]string{"Ярослав", "Їжак", "Ђорђе", "Петър", "Нұрлан"},
		[]string{"Шевченко", "Ґалаґан", "Његош", "Щерев", "Қасымов"},
	},
	{
		[]string{"GR", "CY"},
		[]string{"Ελένη", "Χρυσάνθη", "Ζωή"},
		[]string{"Γιώργος", "Άγγελος", "Ξενοφών"},
		[]string{"Παπαδόπουλος", "Οικονόμου", "Χατζηδάκη"},
	},
	{
		[]string{"AE", "SA", "EG", "MA", "JO"},
		[]string{"فاطمة", "ليلى", "نور الهدى"},
		[]string{"محمد", "يوسف", "عبد الله"},
		[]string{"الحسيني", "بن سعيد", "المصري"},
	},
	{
		[]string{"IL"},
		[]string{"רחל", "נעמה", "שירה"},
		[]string{"דוד", "יואב", "אליעזר"},
		[]string{"כהן", "בן־דוד", "מזרחי"},
	},
	{
		[]string{"CN", "TW", "HK", "SG"},
		[]string{"小雨", "芳", "美玲"},
		[]string{"偉", "国强", "子軒"},
		[]string{"王", "李", "歐陽", "張"},
	},
	{
		[]string{"JP"},
		[]string{"さくら", "結衣", "アンナ"},
		[]string{"翔太", "健", "タケシ"},
		[]string{"佐藤", "髙橋", "渡邊"},
	},
	{
		[]string{"KR"},
		[]string{"서연", "지우", "하은"},
		[]string{"민준", "도윤", "성호"},
		[]string{"김", "이", "남궁"},
	},
	{
		[]string{"IN", "NP"},
		[]string{"प्रिया", "अनन्या", "लक्ष्मी"},
		[]string{"अर्जुन", "कृष्ण", "विक्रम"},
		[]string{"शर्मा", "त्रिपाठी", "श्रेष्ठ"},
	},
	{
		[]string{"TH"},
		[]string{"สมหญิง", "น้ำฝน"},
		[]string{"สมชาย", "ณัฐพล"},
		[]string{"ศรีสุข", "วงศ์ใหญ่"},
	},
	{
		[]string{"VN", "ID", "PH", "KE", "NG"},
		[]string{"Nguyệt", "Sri Wahyuni", "Wanjikũ", "Adébáyọ̀"},
		[]string{"Đức", "Agus", "Ẹniọlá", "Mwangi"},
		[]string{"Nguyễn", "Trần Thị", "dela Cruz", "Ọlátúnjí"},
	},
}

var (
	tagSets    = []string{"", "news", "news|sport", "vip|news|beta", "⚽|sport", "🎉 party|vip", "Größe XL", "新規|news", "early-bird"}
	tiers      = []string{"gold", "silver", "bronze", "", "gold, since 2019"}
	mailHosts  = []string{"example.com", "example.org", "example.net"}
	deviceHead = []string{
		"registrationId", "externalId", "phoneNumber", "email", "firstName", "lastName",
		"birthday", "gender", "tags", "customAttributes.tier", "customAttributes.points:number",
	}
)

type samples struct {
	*rand.Rand
	phones map[string]bool // given out
}

func main() {
	log.SetFlags(0)
	dir := flag.String("o", "testdata/rows", "folder to write to")
	flag.Parse()

	s := &samples{rand.New(rand.NewPCG(seed, 1)), map[string]bool{}}
	people := make([][]string, devices)
	for i := range people {
		people[i] = s.device(i)
	}
	write(*dir, "devices.csv", deviceHead, people)
	write(*dir, "depersonalize.csv", []string{"registrationId"}, s.depersonalize(people))
	write(*dir, "update.csv", updateHead, s.update(people))
	write(*dir, "bad-rows.csv", badHead, s.bad())
}

func write(dir, name string, head []string, rows [][]string) {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		log.Fatal(err)
	}
	w := csv.NewWriter(f)
	if err := w.WriteAll(slices.Insert(rows, 0, head)); err != nil {
		log.Fatal(err)
	}
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
}

func pick[T any](s *samples, from []T) T { return from[s.IntN(len(from))] }

// device returns the cells of the i-th device. Every fifth person or so is
// known by one identity value only.
func (s *samples) device(i int) []string {
	from := origins[i%len(origins)]
	given, gender := pick(s, from.women), "FEMALE"
	if s.IntN(2) == 0 {
		given, gender = pick(s, from.men), "MALE"
	}
	identity := []string{
		s.externalID(i),
		s.phone(pick(s, from.regions)),
		fmt.Sprintf("person%04d%s@%s", i+1, pick(s, []string{"", "", "+push", ".home"}), pick(s, mailHosts)),
	}
	if only := s.IntN(15); only < len(identity) {
		for k := range identity {
			if k != only {
				identity[k] = ""
			}
		}
	}
	cells := []string{given, pick(s, from.familyNames), s.day(1936, 2010), gender, pick(s, tagSets), pick(s, tiers), s.points()}
	if s.IntN(12) == 0 {
		cells[s.IntN(len(cells))] = ""
	}
	return slices.Concat([]string{s.uuid()}, identity, cells)
}

func (s *samples) externalID(i int) string {
	switch s.IntN(4) {
	case 0:
		return strconv.Itoa(700000 + i)
	case 1:
		return fmt.Sprintf("shop/%c%05d", 'A'+rune(s.IntN(26)), i)
	}
	return fmt.Sprintf("crm-%06d", i+1)
}

// phone returns a new valid mobile number in E.164 form, without the plus sign
// (as the platform writes it) three times out of four.
func (s *samples) phone(region string) string {
	example := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
	if example == nil {
		log.Fatalf("no example of a mobile number for %s", region)
	}
	digits := phonenumbers.Format(example, phonenumbers.E164)
	for range 10000 {
		number := digits[:len(digits)-5] + fmt.Sprintf("%05d", s.IntN(100000))
		parsed, err := phonenumbers.Parse(number, "")
		if err != nil || !phonenumbers.IsValidNumber(parsed) || s.phones[number] {
			continue
		}
		s.phones[number] = true
		if s.IntN(4) == 0 {
			return number
		}
		return number[1:]
	}
	log.Fatalf("no valid number found for %s", region)
	return ""
}

func (s *samples) day(from, to int) string {
	return fmt.Sprintf("%04d-%02d-%02d", from+s.IntN(to-from), 1+s.IntN(12), 1+s.IntN(28))
}

func (s *samples) points() string {
	switch s.IntN(10) {
	case 0:
		return "0"
	case 1:
		return fmt.Sprintf("%d.%02d", s.IntN(1000), s.IntN(100))
	case 2:
		return "-" + strconv.Itoa(1+s.IntN(50))
	case 3:
		return strconv.FormatInt(9007199254740993+s.Int64N(1<<60), 10) // more digits than a float64 keeps
	}
	return strconv.Itoa(s.IntN(5000))
}

// uuid returns a random UUID (RFC 9562, version 4).
func (s *samples) uuid() string {
	hi, lo := s.Uint64()&^0xf000|0x4000, s.Uint64()&^(3<<62)|2<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&(1<<48-1))
}

func (s *samples) depersonalize(people [][]string) [][]string {
	rows := make([][]string, resets)
	for i := range rows {
		rows[i] = []string{people[i*3][0]}
	}
	return rows
}

var updateHead = []string{
	"registrationId", "isPrimary", "registrationEnabled",
	"additionalData.score:number", "additionalData.vip:boolean", "additionalData.since:date",
}

func (s *samples) update(people [][]string) [][]string {
	booleans := []string{"true", "false"}
	rows := make([][]string, updates)
	for i := range rows {
		rows[i] = []string{people[i*2+1][0], pick(s, booleans), pick(s, booleans), s.points(), pick(s, booleans), s.day(2015, 2026)}
		rows[i][1+s.IntN(5)] = ""
	}
	rows[0][3] = "9223372036854775807" // the platform's largest number
	return rows
}

var badHead = []string{
	"registrationId", "externalId", "phoneNumber", "email", "firstName", "lastName", "middleName", "birthday", "gender", "tags",
	"customAttributes.points:number", "customAttributes.vip:boolean", "customAttributes.since:date", "_damage",
}

// damage is a cell that is put into a row that is good otherwise.
type damage struct{ column, cell, name string }

const (
	registrationID, externalID, phoneNumber, email = "registrationId", "externalId", "phoneNumber", "email"
	points, vip, since                             = "customAttributes.points:number", "customAttributes.vip:boolean", "customAttributes.since:date"
)

var damages = []damage{
	{registrationID, "", "no registration id"},
	{registrationID, "   ", "registration id of spaces only"},
	{registrationID, "7.30012E+15", "registration id in scientific notation"},
	{registrationID, "730012345678.0", "registration id with a trailing .0"},
	{registrationID, "#REF!", "registration id is a spreadsheet's error"},
	{registrationID, "\u00a0c0ffee00-0000-4000-8000-000000000001", "non-breaking space before the registration id"},
	{registrationID, "c0ffee00-0000-4000-8000-000000000002\u200b", "zero-width space behind the registration id"},
	{registrationID, "c0ffee00-0000-4000\a-8000-000000000003", "control character in the registration id"},
	{externalID, "null", "the word null as external id"},
	{externalID, "Null", "the word Null as external id"},
	{externalID, "NULL", "the word NULL as external id"},
	{externalID, strings.Repeat("x", 257), "external id of 257 characters"},
	{externalID, "1.00045E+11", "external id in scientific notation"},
	{externalID, "100045.0", "external id with a trailing .0"},
	{externalID, "#N/A", "external id is a spreadsheet's error"},
	{externalID, "crm\u00a0-77", "non-breaking space in the external id"},
	{externalID, "\ufeffcrm-78", "byte order mark before the external id"},
	{externalID, "crm-79\u200d", "zero-width joiner behind the external id"},
	{externalID, "crm\x02-80", "control character in the external id"},
	{phoneNumber, "not a phone", "letters as phone number"},
	{phoneNumber, "38591", "phone number too short"},
	{phoneNumber, "385911234567890123", "phone number too long"},
	{phoneNumber, "3.85911E+11", "phone number in scientific notation"},
	{phoneNumber, "385911234567.0", "phone number with a trailing .0"},
	{phoneNumber, "0911234567", "national phone number without a region"},
	{phoneNumber, "+999123456789", "phone number of no country"},
	{phoneNumber, "+385000000000", "phone number of zeros"},
	{phoneNumber, "+385911234567 ext 5", "phone number with an extension"},
	{phoneNumber, "#VALUE!", "phone number is a spreadsheet's error"},
	{email, "ana.example.com", "e-mail address without @"},
	{email, "ana@horvat@example.com", "e-mail address with two @"},
	{email, "Ana <ana@example.com>", "e-mail address with a display name"},
	{email, "ana@localhost", "e-mail domain without a dot"},
	{email, "ana horvat@example.com", "space in the e-mail address"},
	{email, "ana@example..com", "e-mail domain with an empty label"},
	{email, strings.Repeat("a", 65) + "@example.com", "local part of 65 characters"},
	{email, "a@" + strings.Repeat("example.", 32) + "com", "e-mail address of more than 254 characters"},
	{email, "#NAME?", "e-mail address is a spreadsheet's error"},
	{"firstName", strings.Repeat("Ж", 256), "first name of 256 characters"},
	{"firstName", "A\x1bna", "control character in the first name"},
	{"lastName", strings.Repeat("é", 256), "last name of 256 characters"},
	{"middleName", strings.Repeat("m", 51), "middle name of 51 characters"},
	{"birthday", "31.01.1990", "birthday in another layout"},
	{"birthday", "1990-02-30", "birthday that no calendar has"},
	{"birthday", "32904", "birthday as a spreadsheet's day number"},
	{"gender", "X", "gender the platform does not know"},
	{points, "many", "text where a number is declared"},
	{points, "12,5", "decimal comma"},
	{points, "9223372036854775808", "number above the platform's limit"},
	{points, "NaN", "not a number"},
	{vip, "perhaps", "text where a boolean is declared"},
	{since, "2026/11/23", "date in another layout"},
	{since, "2025-02-29", "date that no calendar has"},
}

// bad returns the damaged rows, a good one before every fifth.
func (s *samples) bad() [][]string {
	var rows [][]string
	for i, d := range damages {
		if i%5 == 0 {
			rows = append(rows, s.good(len(rows)))
		}
		row := s.good(len(rows))
		row[slices.Index(badHead, d.column)] = d.cell
		row[len(row)-1] = d.name
		rows = append(rows, row)
	}
	nobody := s.good(len(rows))
	nobody[1], nobody[2], nobody[3] = "", "", ""
	nobody[len(nobody)-1] = "no identity value at all"
	several := s.good(len(rows) + 1)
	several[2], several[3], several[7], several[8] = "12", "ana@", "yesterday", "F?"
	several[len(several)-1] = "phone number, e-mail, birthday and gender at once"
	short := s.good(len(rows) + 2)[:4]
	long := append(s.good(len(rows)+3), "one", "two")
	long[len(badHead)-1] = "two cells more than the header"
	return append(rows, nobody, several, short, long, s.good(len(rows)+4))
}

func (s *samples) good(i int) []string {
	return []string{
		s.uuid(), fmt.Sprintf("bad-%03d", i), s.phone("HR"), fmt.Sprintf("row%03d@example.com", i),
		"Ana", "Horvat", "Iva", "1990-01-31", "FEMALE", "news|sport", "12.5", "true", "2024-02-29", "",
	}
}
