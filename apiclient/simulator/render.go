package simulator

import (
	"slices"
	"strconv"
	"time"
)

// listingTime is the form of createdAt and modifiedAt: UTC without a zone.
const listingTime = "2006-01-02T15:04:05"

func (st *store) registrationJSON(d *device) []byte {
	w := writer{dst: make([]byte, 0, 512)}
	w.registration(st, d)
	return w.dst
}

func (w *writer) registration(st *store, d *device) {
	t := traitsOf(d)
	w.open('{')
	w.text("registrationId", d.id)
	w.text("applicationId", st.applicationID(d.app))
	if !d.web {
		w.boolean("isPrimary", d.primary)
	}
	w.name("systemData")
	w.open('{')
	w.text("cloudType", t.cloudType)
	w.boolean("registrationEnabled", d.enabled)
	w.boolean("notificationsEnabled", t.notifications)
	w.boolean("geofencingSdk", t.geofencing)
	w.text("sdkVersion", t.sdkVersion)
	w.text("appVersion", t.appVersion)
	w.text("os", t.os)
	w.text("osVersion", t.osVersion)
	w.text("deviceManufacturer", t.manufacturer)
	w.text("deviceModel", t.model)
	w.boolean("deviceSecure", t.secure)
	w.text("osLanguage", t.language)
	w.text("deviceTimezoneOffset", t.timezone)
	w.text("deviceName", t.model)
	w.close('}')
	w.entries("additionalData", d.additional)
	w.close('}')
}

func (w *writer) attributes(p *person) {
	w.text("externalId", p.externalID)
	w.text("firstName", p.first)
	w.text("lastName", p.last)
	w.text("middleName", p.middle)
	w.text("gender", p.gender)
}

// contacts writes one-member objects: [{"number":"…"}].
func (w *writer) contacts(name, memberName string, values []string) {
	if len(values) == 0 {
		return
	}
	w.name(name)
	w.open('[')
	for _, v := range values {
		w.item()
		w.open('{')
		w.text(memberName, v)
		w.close('}')
	}
	w.close(']')
}

// personJSON is the answer of personalize.
func personJSON(st *store, p *person, withPush bool) []byte {
	w := writer{dst: make([]byte, 0, 512)}
	w.open('{')
	w.attributes(p)
	w.text("birthday", p.birthday)
	w.texts("tags", p.tags)
	w.entries("customAttributes", p.custom)
	w.name("contactInformation")
	w.open('{')
	w.contacts("phones", "number", p.phones)
	w.contacts("emails", "address", p.emails)
	if withPush {
		w.devices(st, p, "push", false, w.registration)
	}
	w.close('}')
	w.close('}')
	return w.dst
}

// listed writes a person as the listing shows it.
func (w *writer) listed(st *store, p *person) {
	w.open('{')
	w.text("createdAt", time.Unix(p.created, 0).UTC().Format(listingTime))
	w.text("modifiedAt", time.Unix(p.modified, 0).UTC().Format(listingTime))
	w.number("id", int64(p.id))
	w.attributes(p)
	w.text("birthDate", p.birthDate())
	w.text("type", p.kind())
	w.text("origin", "API")
	w.text("modifiedFrom", "PUSH")
	w.texts("tags", p.tags)
	w.entries("customAttributes", p.custom)
	w.name("contactInformation")
	w.open('{')
	w.contacts("phone", "number", p.phones)
	w.contacts("email", "address", p.emails)
	w.devices(st, p, "push", false, w.listedDevice)
	w.devices(st, p, "webpush", true, w.listedDevice)
	w.close('}')
	w.close('}')
}

// devices writes the devices of one of the two kinds, unless there is none.
func (w *writer) devices(st *store, p *person, name string, web bool, write func(*store, *device)) {
	open := false
	for _, id := range p.devices {
		d := st.knownDevice(id)
		if d.web != web {
			continue
		}
		if !open {
			w.name(name)
			w.open('[')
			open = true
		}
		w.item()
		write(st, d)
	}
	if open {
		w.close(']')
	}
}

// listedDevice has fewer fields than a get, and its booleans are strings.
func (w *writer) listedDevice(st *store, d *device) {
	t := traitsOf(d)
	w.open('{')
	w.text("applicationId", st.applicationID(d.app))
	w.text("registrationId", d.id)
	if !d.web {
		w.boolean("isPrimary", d.primary)
	}
	w.entries("additionalData", d.additional)
	w.name("systemData")
	w.open('{')
	w.text("cloudType", t.cloudType)
	w.text("registrationEnabled", strconv.FormatBool(d.enabled))
	w.text("notificationsEnabled", strconv.FormatBool(t.notifications))
	w.text("sdkName", "MobileMessaging SDK")
	w.text("sdkVersion", t.sdkVersion)
	w.text("appVersion", t.appVersion)
	w.text("os", t.os)
	w.text("osVersion", t.osVersion)
	w.text("deviceModel", t.model)
	w.close('}')
	w.close('}')
}

func (p *person) birthDate() string {
	if p.birthday == "" {
		return ""
	}
	return p.birthday[:len("2006-01-02")]
}

func (p *person) kind() string {
	if p.lead {
		return "LEAD"
	}
	return "CUSTOMER"
}

// stateLine is a person in the state dump: without id and times, which depend
// on the order in which people were made, and with every set sorted.
func stateLine(p *person) []byte {
	w := writer{}
	w.open('{')
	w.attributes(p)
	w.text("birthday", p.birthday)
	w.text("type", p.kind())
	w.texts("tags", slices.Sorted(slices.Values(p.tags)))
	w.entries("customAttributes", sortedEntries(p.custom))
	w.texts("phones", slices.Sorted(slices.Values(p.phones)))
	w.texts("emails", slices.Sorted(slices.Values(p.emails)))
	w.texts("devices", slices.Sorted(slices.Values(p.devices)))
	w.close('}')
	return w.dst
}
