package ops

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

// TestPlainPhoneAgreesWithLibrary holds the short way for E.164 digits to the
// library's verdict over every region: its example numbers of each kind, those
// with digits changed, cut or added, and random ones.
func TestPlainPhoneAgreesWithLibrary(t *testing.T) {
	t.Parallel()
	book := newPhoneBook()
	random := rand.New(rand.NewPCG(1, 2))
	regions := slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions()))
	short, valid := 0, 0
	for _, example := range exampleNumbers() {
		for range 4 {
			s, v := checkPlainPhone(t, book, mutate(random, example), "")
			short, valid = short+s, valid+v
		}
		checkPlainPhone(t, book, mutate(random, example), regions[random.IntN(len(regions))])
	}
	if short*10 < valid*8 {
		t.Errorf("the short way recognised %d of %d valid numbers, want at least 80 %%", short, valid)
	}
	t.Logf("the short way recognised %d of %d valid numbers", short, valid)
}

// checkPlainPhone compares the verdicts about one number and counts them.
func checkPlainPhone(t *testing.T, book *phoneBook, number, region string) (short, valid int) {
	t.Helper()
	want, why := parsePhone(number, region)
	if why == "" {
		valid = 1
	}
	got, ok := book.plain(number, region)
	if !ok {
		return 0, valid
	}
	if why != "" || got != want {
		t.Errorf("number %q in region %q: the short way says %q, the library says %q %s", number, region, got, want, why)
	}
	return 1, valid
}

func exampleNumbers() []string {
	var list []string
	add := func(n *phonenumbers.PhoneNumber) {
		if n != nil {
			list = append(list, phonenumbers.Format(n, phonenumbers.E164)[1:])
		}
	}
	for _, region := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions())) {
		for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
			add(phonenumbers.GetExampleNumberForType(region, kind))
		}
	}
	for _, code := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedGlobalNetworkCallingCodes())) {
		add(phonenumbers.GetExampleNumberForNonGeoEntity(code))
		list = append(list, strconv.Itoa(code)+"12345678")
	}
	return list
}

// mutate changes up to three digits, or cuts or adds some.
func mutate(random *rand.Rand, number string) string {
	digits := []byte(number)
	for range random.IntN(4) {
		at := random.IntN(len(digits))
		switch random.IntN(6) {
		case 0:
			if len(digits) > 5 {
				digits = slices.Delete(digits, at, at+1)
			}
		case 1:
			digits = append(digits, byte('0'+random.IntN(10)))
		default:
			digits[at] = byte('0' + random.IntN(10))
		}
	}
	if random.IntN(2) == 0 {
		return "+" + string(digits)
	}
	return string(digits)
}

func BenchmarkPlainPhone(b *testing.B) {
	book := newPhoneBook()
	numbers := exampleNumbers()
	for b.Loop() {
		for _, n := range numbers[:100] {
			book.plain(n, "")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/number")
}

// No country's numbers are all left to the library, which takes fifty times as
// long: its prefixes are understood, anchors and all.
func TestEveryNumberingPlanIsUnderstood(t *testing.T) {
	t.Parallel()
	for _, region := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions())) {
		if plan := newNumberingPlan(phonenumbers.GetCountryCodeForRegion(region)); plan.unknown {
			t.Errorf("the numbering plan of %s is not understood", region)
		}
	}
	if _, ok := newPhoneBook().plain("818012345678", ""); !ok {
		t.Error("a Japanese number takes the long way")
	}
}
