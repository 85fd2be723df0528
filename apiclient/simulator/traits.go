package simulator

import (
	_ "embed" // traits.txt
	"hash/fnv"
	"io"
	"math/bits"
	"strings"
)

//go:embed traits.txt
var traitsText string

// traits are what devices and people can be: lists of lists by name. Names of people are
// those of one script in a list.
var traits = readTraits(traitsText)

func readTraits(text string) map[string][][]string {
	all := map[string][][]string{}
	for line := range strings.Lines(text) {
		name, lists, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for list := range strings.SplitSeq(lists, "; ") {
			all[name] = append(all[name], strings.Split(list, ", "))
		}
	}
	return all
}

// draw takes choices out of one hash, a few bits each.
type draw struct{ h uint64 }

func (d *draw) next(n int) int {
	hi, lo := bits.Mul64(d.h, uint64(n))
	d.h = mix(lo | 1)
	return int(hi)
}

func (d *draw) percent(p int) bool { return d.next(100) < p }

// weighted picks a trait; earlier ones are more frequent (about half each).
func (d *draw) weighted(name string) []string {
	lists := traits[name]
	for _, list := range lists[:len(lists)-1] {
		if d.percent(45) {
			return list
		}
	}
	return lists[len(lists)-1]
}

// mix is the finalizer of splitmix64: a bijection that scatters its input.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func hashText(s string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, s) // a hash takes everything
	return mix(h.Sum64())
}

// traitsOf is what a device is: derived from its registration id, but for what
// requests change, so that the same device looks the same in every run.
func traitsOf(of *device) systemBody {
	d := draw{hashText(of.id)}
	var t systemBody
	switch {
	case of.web:
		t = systemBody{CloudType: "WEB", DeviceModel: d.weighted("web")[0]}
	case d.percent(64):
		m := d.weighted("android")
		t = systemBody{CloudType: "GCM", OS: "Android", DeviceManufacturer: m[0], DeviceModel: m[1], OSVersion: d.weighted("android-version")[0]}
		if m[0] == "HUAWEI" {
			t.CloudType = "HMS"
		}
	default:
		t = systemBody{CloudType: "APNS", OS: "iOS", DeviceManufacturer: "Apple", DeviceModel: d.weighted("apple")[0], OSVersion: d.weighted("ios")[0]}
	}
	t.SdkVersion, t.AppVersion = d.weighted("sdk")[0], d.weighted("app")[0]
	place := traits["place"][d.next(len(traits["place"]))]
	t.OSLanguage, t.DeviceTimezoneOffset = place[0], place[1]
	t.NotificationsEnabled = d.percent(71)
	t.DeviceSecure = d.percent(93)
	t.GeofencingSdk = d.percent(12)
	t.RegistrationEnabled, t.DeviceName = of.enabled, t.DeviceModel
	return t
}

// namesOf draws a name; the scripts are those that mobile customers write in.
func namesOf(d *draw) attributesBody {
	script := d.next(len(traits["last"]))
	last := traits["last"][script]
	b := attributesBody{LastName: last[d.next(len(last))], Gender: "MALE"}
	if d.percent(50) {
		b.Gender = "FEMALE"
	}
	first := traits[b.Gender][script]
	b.FirstName = first[d.next(len(first))]
	return b
}
