package main

import (
	"fmt"
	"math/rand/v2"
)

// columns are the names as pushbatch recognises them.
var columns = [...]string{
	"registrationId", "externalId", "phoneNumber", "email", "firstName", "lastName",
	"birthday", "gender", "tags", "customAttributes.tier", "customAttributes.score",
}

// device is one row. The identity values follow from the device's number
// alone, everything else from the row's.
type device struct {
	RegistrationID string   `parquet:"registrationId" json:"registrationId"`
	ExternalID     string   `parquet:"externalId" json:"externalId"`
	PhoneNumber    string   `parquet:"phoneNumber" json:"phoneNumber"`
	Email          string   `parquet:"email" json:"email"`
	FirstName      string   `parquet:"firstName,dict" json:"firstName"`
	LastName       string   `parquet:"lastName,dict" json:"lastName"`
	Birthday       string   `parquet:"birthday" json:"birthday"`
	Gender         string   `parquet:"gender,dict" json:"gender"`
	Tags           []string `parquet:"tags,list" json:"tags"`
	Tier           string   `parquet:"customAttributes.tier,dict" json:"customAttributes.tier"`
	Score          int64    `parquet:"customAttributes.score" json:"customAttributes.score"`
}

var (
	firstNames = [...]string{"Ana", "Boško", "Chloé", "Đurđa", "Елена", "Γιώργος", "Hana", "Íñigo", "Jürgen", "さくら", "Łukasz", "Mary Ann", "Øyvind", "محمد", "Zoë"}
	lastNames  = [...]string{"Horvat", "Kovačević", "Müller", "Núñez", "O'Neil", "Шевченко", "Smith-Jones", "Παπαδόπουλος", "Wiśniewska", "佐藤", "Ångström", "المصري"}
	genders    = [...]string{"FEMALE", "MALE"}
	tiers      = [...]string{"gold", "silver", "bronze", "none"}
	tagSets    = [...][]string{{"beta"}, {"news"}, {"news", "sport"}, {"vip", "beta"}, {"sport", "vip", "news"}, {"⚽"}} // never empty: a format has many ways to say nothing
)

// fill makes d the row of that number, naming the device of that number.
func (d *device) fill(seed, row, number uint64) {
	ids := rand.NewPCG(seed, number)
	hi, lo := ids.Uint64()&^0xf000|0x4000, ids.Uint64()&^(3<<62)|2<<62 // version 4 of RFC 9562
	d.RegistrationID = fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&(1<<48-1))
	d.ExternalID = fmt.Sprintf("crm-%08d", number)
	d.PhoneNumber = phoneNumber(number)
	d.Email = fmt.Sprintf("person%d@example.com", number)

	r := rand.New(rand.NewPCG(^seed, row))
	d.FirstName = firstNames[r.IntN(len(firstNames))]
	d.LastName = lastNames[r.IntN(len(lastNames))]
	d.Birthday = fmt.Sprintf("%04d-%02d-%02d", 1940+r.IntN(70), 1+r.IntN(12), 1+r.IntN(28))
	d.Gender = genders[r.IntN(len(genders))]
	d.Tags = tagSets[r.IntN(len(tagSets))]
	d.Tier = tiers[r.IntN(len(tiers))]
	d.Score = r.Int64N(1_000_000)
}

// mobilePrefixes are beginnings of mobile numbers of several countries, after
// which every eight digits are a valid number.
var mobilePrefixes = [...]string{"346", "3932", "3933", "4474", "9198", "9199", "5255", "2547", "9053", "8180"}

// phoneNumber returns a number of its own for each of the first billion
// devices, in E.164 form without the plus sign.
func phoneNumber(device uint64) string {
	prefixes := uint64(len(mobilePrefixes))
	return fmt.Sprintf("%s%08d", mobilePrefixes[device%prefixes], device/prefixes%100_000_000)
}
