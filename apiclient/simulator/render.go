package simulator

import (
	"slices"
	"strconv"
	"time"
)

// listingTime is the form of createdAt and modifiedAt: UTC without a zone.
const listingTime = "2006-01-02T15:04:05"

func registrationJSON(d *device) []byte {
	w := writer{dst: make([]byte, 0, 512)}
	w.registration(d)
	return w.dst
}

func (w *writer) registration(d *device) {
	t := traitsOf(d.id)
	w.open('{')
	w.text("registrationId", d.id)
	w.text("applicationId", d.app)
	w.boolean("isPrimary", d.primary)
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
		w.name("push")
		w.open('[')
		for _, id := range p.devices {
			w.item()
			w.registration(st.knownDevice(id))
		}
		w.close(']')
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
	if len(p.devices) > 0 {
		w.name("push")
		w.open('[')
		for _, id := range p.devices {
			w.item()
			w.listedDevice(st.knownDevice(id))
		}
		w.close(']')
	}
	w.close('}')
	w.close('}')
}

// listedDevice has fewer fields than a get, and its booleans are strings.
func (w *writer) listedDevice(d *device) {
	t := traitsOf(d.id)
	w.open('{')
	w.text("applicationId", d.app)
	w.text("registrationId", d.id)
	w.boolean("isPrimary", d.primary)
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
