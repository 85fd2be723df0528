package simulator

import (
	"hash/fnv"
	"io"
	"math/bits"
	"strconv"
)

type model struct {
	manufacturer, name string
}

// draw takes choices out of one hash, a few bits each.
type draw struct{ h uint64 }

func (d *draw) next(n int) int {
	hi, lo := bits.Mul64(d.h, uint64(n))
	d.h = mix(lo | 1)
	return int(hi)
}

func (d *draw) percent(p int) bool { return d.next(100) < p }

// weighted picks an index; earlier ones are more frequent (about half each).
func (d *draw) weighted(n int) int {
	for i := range n - 1 {
		if d.percent(45) {
			return i
		}
	}
	return n - 1
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
		t = systemBody{CloudType: "WEB", DeviceModel: [...]string{"Chrome", "Firefox", "Safari", "Edge"}[d.weighted(4)]}
	case d.percent(64):
		t = androidTraits(&d)
	default:
		t = appleTraits(&d)
	}
	t.SdkVersion = [...]string{"13.9.1", "13.7.0", "12.18.2", "11.4.0", "8.6.3"}[d.weighted(5)]
	t.AppVersion = [...]string{"5.2.0", "5.1.3", "5.0.0", "4.19.1", "4.12.0", "3.8.7"}[d.weighted(6)]
	place := [...][2]string{
		{"en", "GMT+00:00"},
		{"hr", "GMT+01:00"},
		{"de", "GMT+01:00"},
		{"pt", "GMT-03:00"},
		{"hi", "GMT+05:30"},
		{"ar", "GMT+03:00"},
		{"ja", "GMT+09:00"},
		{"zh", "GMT+08:00"},
		{"uk", "GMT+02:00"},
		{"id", "GMT+07:00"},
	}[d.next(10)]
	t.OSLanguage, t.DeviceTimezoneOffset = place[0], place[1]
	t.NotificationsEnabled = d.percent(71)
	t.DeviceSecure = d.percent(93)
	t.GeofencingSdk = d.percent(12)
	t.RegistrationEnabled, t.DeviceName = of.enabled, t.DeviceModel
	return t
}

func androidTraits(d *draw) systemBody {
	m := [...]model{
		{"samsung", "SM-S921B"},
		{"samsung", "SM-A546B"},
		{"Xiaomi", "23021RAA2Y"},
		{"Google", "Pixel 8"},
		{"HUAWEI", "ANE-LX1"},
		{"OnePlus", "CPH2581"},
		{"motorola", "moto g54 5G"},
	}[d.weighted(7)]
	t := systemBody{CloudType: "GCM", OS: "Android", DeviceManufacturer: m.manufacturer, DeviceModel: m.name}
	if m.manufacturer == "HUAWEI" {
		t.CloudType = "HMS"
	}
	t.OSVersion = strconv.Itoa(15 - d.weighted(7))
	return t
}

func appleTraits(d *draw) systemBody {
	t := systemBody{CloudType: "APNS", OS: "iOS", DeviceManufacturer: "Apple"}
	t.DeviceModel = [...]string{"iPhone15,2", "iPhone14,5", "iPhone16,1", "iPhone12,8", "iPad13,18"}[d.weighted(5)]
	t.OSVersion = [...]string{"18.1", "17.6.1", "17.4", "16.7.8", "15.8.2"}[d.weighted(5)]
	return t
}

type fullName struct{ first, last, gender string }

type namePool struct {
	women, men, last []string
}

// namesOf draws a name; the scripts are those that mobile customers write in.
func namesOf(d *draw) fullName {
	pool := namePoolOf(d.next(10))
	last := pool.last[d.next(len(pool.last))]
	if d.percent(50) {
		return fullName{pool.women[d.next(len(pool.women))], last, "FEMALE"}
	}
	return fullName{pool.men[d.next(len(pool.men))], last, "MALE"}
}

func namePoolOf(script int) namePool {
	return [...]namePool{
		{[]string{"Ana", "Željka", "Đurđica"}, []string{"Ivan", "Krešimir", "Zvonimir"}, []string{"Horvat", "Kovačević", "Šarić", "Žužul"}},
		{[]string{"Emma", "Grace", "Olivia"}, []string{"Jack", "Noah", "Seán"}, []string{"Smith", "O'Brien", "Taylor-Jones"}},
		{[]string{"Jürgen-Maria", "Käthe", "Sophie"}, []string{"Jörg", "Günther", "Max"}, []string{"Müller", "Groß", "von der Heide"}},
		{[]string{"Олена", "Марія", "Ганна"}, []string{"Тарас", "Андрій", "Їжак"}, []string{"Шевченко", "Коваль", "Бондаренко"}},
		{[]string{"Ελένη", "Μαρία"}, []string{"Γιώργος", "Νίκος"}, []string{"Παπαδόπουλος", "Οικονόμου"}},
		{[]string{"فاطمة", "مريم"}, []string{"أحمد", "يوسف"}, []string{"الحسن", "بن علي"}},
		{[]string{"प्रिया", "अनन्या"}, []string{"राहुल", "अर्जुन"}, []string{"शर्मा", "सिंह"}},
		{[]string{"美咲", "陽菜"}, []string{"大翔", "蓮"}, []string{"佐藤", "鈴木", "髙橋"}},
		{[]string{"芳", "秀英"}, []string{"伟", "磊"}, []string{"王", "李", "欧阳"}},
		{[]string{"João Maria", "Conceição"}, []string{"José", "Antônio"}, []string{"da Silva", "Araújo"}},
	}[script]
}
