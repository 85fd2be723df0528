package simulator

import (
	"slices"
	"strconv"
	"time"
)

// listingTime is the form of createdAt and modifiedAt: UTC without a zone.
const listingTime = "2006-01-02T15:04:05"

// registrationBody is a registration as a get answers it.
type registrationBody struct {
	RegistrationID string     `json:"registrationId"`
	ApplicationID  string     `json:"applicationId,omitempty"`
	IsPrimary      *bool      `json:"isPrimary,omitempty"` // web push has none
	SystemData     systemBody `json:"systemData"`
	AdditionalData entries    `json:"additionalData,omitempty"`
}

type systemBody struct {
	CloudType            string `json:"cloudType"`
	RegistrationEnabled  bool   `json:"registrationEnabled"`
	NotificationsEnabled bool   `json:"notificationsEnabled"`
	GeofencingSdk        bool   `json:"geofencingSdk"`
	SdkVersion           string `json:"sdkVersion"`
	AppVersion           string `json:"appVersion"`
	OS                   string `json:"os,omitempty"`
	OSVersion            string `json:"osVersion,omitempty"`
	DeviceManufacturer   string `json:"deviceManufacturer,omitempty"`
	DeviceModel          string `json:"deviceModel"`
	DeviceSecure         bool   `json:"deviceSecure"`
	OSLanguage           string `json:"osLanguage"`
	DeviceTimezoneOffset string `json:"deviceTimezoneOffset"`
	DeviceName           string `json:"deviceName"`
}

func (st *store) registration(d *device) registrationBody {
	return registrationBody{
		RegistrationID: d.id, ApplicationID: st.applicationID(d.app), IsPrimary: d.primaryBody(), AdditionalData: d.additional,
		SystemData: traitsOf(d),
	}
}

func (d *device) primaryBody() *bool {
	if d.web {
		return nil
	}
	return &d.primary
}

// attributesBody is what every form of a person has.
type attributesBody struct {
	ExternalID string `json:"externalId,omitempty"`
	FirstName  string `json:"firstName,omitempty"`
	LastName   string `json:"lastName,omitempty"`
	MiddleName string `json:"middleName,omitempty"`
	Gender     string `json:"gender,omitempty"`
}

// contacts makes one-member objects: [{"number":"…"}].
func contacts(name string, values []string) []map[string]string {
	var list []map[string]string
	for _, v := range values {
		list = append(list, map[string]string{name: v})
	}
	return list
}

// personBody is the answer of personalize.
type personBody struct {
	attributesBody
	Birthday           string   `json:"birthday,omitempty"`
	Tags               []string `json:"tags,omitempty"`
	CustomAttributes   entries  `json:"customAttributes,omitempty"`
	ContactInformation struct {
		Phones []map[string]string `json:"phones,omitempty"`
		Emails []map[string]string `json:"emails,omitempty"`
		Push   []registrationBody  `json:"push,omitzero"`
	} `json:"contactInformation"`
}

func (st *store) personalized(p *person, withPush bool) personBody {
	b := personBody{attributesBody: p.attributesBody, Birthday: p.birthday, Tags: p.tags, CustomAttributes: p.custom}
	b.ContactInformation.Phones = contacts("number", p.phones)
	b.ContactInformation.Emails = contacts("address", p.emails)
	if !withPush {
		return b
	}
	b.ContactInformation.Push = []registrationBody{}
	for _, id := range p.devices {
		if d := st.devices[id]; !d.web {
			b.ContactInformation.Push = append(b.ContactInformation.Push, st.registration(d))
		}
	}
	return b
}

// listedBody is a person as the listing shows it.
type listedBody struct {
	CreatedAt  string `json:"createdAt"`
	ModifiedAt string `json:"modifiedAt"`
	ID         int64  `json:"id"`
	attributesBody
	BirthDate          string   `json:"birthDate,omitempty"`
	Type               string   `json:"type"`
	Origin             string   `json:"origin"`
	ModifiedFrom       string   `json:"modifiedFrom"`
	Tags               []string `json:"tags,omitempty"`
	CustomAttributes   entries  `json:"customAttributes,omitempty"`
	ContactInformation struct {
		Phone   []map[string]string `json:"phone,omitempty"`
		Email   []map[string]string `json:"email,omitempty"`
		Push    []listedDeviceBody  `json:"push,omitempty"`
		Webpush []listedDeviceBody  `json:"webpush,omitempty"`
	} `json:"contactInformation"`
}

func (st *store) listed(p *person) listedBody {
	b := listedBody{
		CreatedAt: listingText(p.created), ModifiedAt: listingText(p.modified), ID: int64(p.id), attributesBody: p.attributesBody,
		BirthDate: p.birthDate(), Type: p.kind(), Origin: "API", ModifiedFrom: "PUSH", Tags: p.tags, CustomAttributes: p.custom,
	}
	b.ContactInformation.Phone = contacts("number", p.phones)
	b.ContactInformation.Email = contacts("address", p.emails)
	for _, id := range p.devices {
		d := st.devices[id]
		list := &b.ContactInformation.Push
		if d.web {
			list = &b.ContactInformation.Webpush
		}
		*list = append(*list, st.listedDevice(d))
	}
	return b
}

// listedDeviceBody has fewer fields than a get, and its booleans are strings.
type listedDeviceBody struct {
	ApplicationID  string           `json:"applicationId,omitempty"`
	RegistrationID string           `json:"registrationId"`
	IsPrimary      *bool            `json:"isPrimary,omitempty"`
	AdditionalData entries          `json:"additionalData,omitempty"`
	SystemData     listedSystemBody `json:"systemData"`
}

type listedSystemBody struct {
	CloudType            string `json:"cloudType"`
	RegistrationEnabled  string `json:"registrationEnabled"`
	NotificationsEnabled string `json:"notificationsEnabled"`
	SdkName              string `json:"sdkName"`
	SdkVersion           string `json:"sdkVersion"`
	AppVersion           string `json:"appVersion"`
	OS                   string `json:"os,omitempty"`
	OSVersion            string `json:"osVersion,omitempty"`
	DeviceModel          string `json:"deviceModel"`
}

func (st *store) listedDevice(d *device) listedDeviceBody {
	t := traitsOf(d)
	return listedDeviceBody{
		ApplicationID: st.applicationID(d.app), RegistrationID: d.id, IsPrimary: d.primaryBody(), AdditionalData: d.additional,
		SystemData: listedSystemBody{
			CloudType: t.CloudType, RegistrationEnabled: strconv.FormatBool(d.enabled),
			NotificationsEnabled: strconv.FormatBool(t.NotificationsEnabled), SdkName: "MobileMessaging SDK",
			SdkVersion: t.SdkVersion, AppVersion: t.AppVersion, OS: t.OS, OSVersion: t.OSVersion, DeviceModel: t.DeviceModel,
		},
	}
}

func (p *person) birthDate() string {
	if p.birthday == "" {
		return ""
	}
	return p.birthday[:len(time.DateOnly)]
}

func (p *person) kind() string {
	if p.lead {
		return "LEAD"
	}
	return "CUSTOMER"
}

// state is a person in the state dump: without id and times, which depend on the
// order in which people were made, and with every set sorted.
func (p *person) state() any {
	sorted := func(list []string) []string { return slices.Sorted(slices.Values(list)) }
	return struct {
		attributesBody
		Birthday         string   `json:"birthday,omitempty"`
		Type             string   `json:"type"`
		Tags             []string `json:"tags,omitempty"`
		CustomAttributes entries  `json:"customAttributes,omitempty"`
		Phones           []string `json:"phones,omitempty"`
		Emails           []string `json:"emails,omitempty"`
		Devices          []string `json:"devices,omitempty"`
	}{
		p.attributesBody, p.birthday, p.kind(), sorted(p.tags), sortedEntries(p.custom),
		sorted(p.phones), sorted(p.emails), sorted(p.devices),
	}
}
