package simulator

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPage = 20
	maxPage     = 1000

	orderCreated  = "createdAt"
	orderModified = "modifiedAt"
)

// listing is a request of the people listing.
type listing struct {
	identifier, kind, sender string
	limit, page              int
	total                    bool
	orderBy                  string // as it was asked
	field                    string // of the order
	descending               bool
	filter                   string
	passes                   condition
}

func readListing(query url.Values, bad *violations) listing {
	l := listing{limit: defaultPage, page: 1, field: orderCreated}
	for name, values := range query {
		if len(values) > 1 {
			bad.add(name, "is repeated")
		}
		l.set(name, values[0], bad)
	}
	if (l.identifier == "") != (l.kind == "") {
		bad.add("identifier", "identifier and type go together")
	}
	return l
}

func (l *listing) set(name, text string, bad *violations) {
	switch name {
	case "identifier":
		l.identifier = text
	case "sender":
		l.sender = text
	case "type":
		l.kind = text
		if !isIdentifierType(text) {
			bad.add(name, "is not a known type")
		}
	case "limit":
		l.limit = readInt(name, text, maxPage, bad)
	case "page":
		l.page = readInt(name, text, 1<<31-1, bad)
	case "includeTotalCount":
		l.total = readFlag(name, text, bad)
	case "orderBy":
		l.setOrder(text, bad)
	case "filter":
		l.setFilter(text, bad)
	default:
		bad.add(name, "unknown parameter")
	}
}

func isIdentifierType(s string) bool {
	const types = " ID EXTERNAL_ID PHONE EMAIL LINE FACEBOOK TELEGRAM PUSH WEB_PUSH LIVE_CHAT VIBER_BOTS INSTAGRAM" +
		" INSTAGRAM_DM TWITTER APPLE_BUSINESS_CHAT KAKAO_SANGDAM OPEN_CHANNEL ZALO_FOLLOWER TIKTOK_BM WHATSAPP "
	return s != "" && !strings.Contains(s, " ") && strings.Contains(types, " "+s+" ")
}

func readInt(name, text string, most int, bad *violations) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		bad.add(name, "must be a whole number from 1 to "+strconv.Itoa(most))
	}
	return n
}

func readFlag(name, text string, bad *violations) bool {
	if text != "true" && text != "false" {
		bad.add(name, "must be true or false")
	}
	return text == "true"
}

func (l *listing) setOrder(text string, bad *violations) {
	field, direction, given := strings.Cut(text, ":")
	if field != orderCreated && field != orderModified {
		bad.add("orderBy", "cannot order by this field")
	}
	if given && direction != "asc" && direction != "desc" {
		bad.add("orderBy", "the direction is asc or desc")
	}
	l.orderBy, l.field, l.descending = text, field, direction == "desc"
}

func (l *listing) setFilter(text string, bad *violations) {
	passes, err := parseFilter(text)
	if err != nil {
		bad.add("filter", err.Error())
	}
	l.filter, l.passes = text, passes
}

// matches are the people of the last listing, kept until anybody changes.
type matches struct {
	filter, field string
	descending    bool
	version       uint64
	people        []*person
}

func (st *store) list(l *listing) answer {
	if l.kind != "" {
		return st.single(l)
	}
	skip, all := (l.page-1)*l.limit, st.matching(l)
	return st.page(l, all[min(skip, len(all)):min(skip+l.limit, len(all))], len(all))
}

// matching are all people who pass the filter, in the order asked for.
func (st *store) matching(l *listing) []*person {
	m := &st.matched
	if m.people != nil && m.filter == l.filter && m.field == l.field && m.descending == l.descending && m.version == st.version {
		return m.people
	}
	people := make([]*person, 0, len(st.people))
	for _, id := range st.ids() {
		if p := st.people[id]; l.passes == nil || l.passes(p) {
			people = append(people, p)
		}
	}
	if l.field == orderModified {
		slices.SortStableFunc(people, func(a, b *person) int { return cmp.Compare(a.modified, b.modified) })
	}
	if l.descending {
		slices.Reverse(people)
	}
	*m = matches{l.filter, l.field, l.descending, st.version, people}
	return people
}

func (st *store) page(l *listing, people []*person, total int) answer {
	body := struct {
		Persons    []listedBody `json:"persons"`
		Limit      int          `json:"limit"`
		Page       int          `json:"page"`
		OrderBy    string       `json:"orderBy,omitempty"`
		TotalCount *int         `json:"totalCount,omitempty"`
	}{Persons: make([]listedBody, 0, len(people)), Limit: l.limit, Page: l.page, OrderBy: l.orderBy}
	for _, p := range people {
		body.Persons = append(body.Persons, st.listed(p))
	}
	if l.total {
		body.TotalCount = &total
	}
	return ok(body)
}

// single answers the one person whom identifier names.
func (st *store) single(l *listing) answer {
	p := st.people[st.identified(l)]
	if p == nil {
		return notFound()
	}
	return ok(st.listed(p))
}

func (st *store) identified(l *listing) personID {
	switch l.kind {
	case "ID":
		n, err := strconv.ParseUint(l.identifier, 10, 32)
		if err != nil {
			return 0
		}
		return personID(n)
	case "EXTERNAL_ID":
		return st.owners["externalId:"+l.identifier]
	case "PHONE":
		return st.owners["phoneNumber:"+l.identifier]
	case "EMAIL":
		return st.owners["email:"+strings.ToLower(l.identifier)]
	case "PUSH", "WEB_PUSH":
		d := st.devices[l.identifier]
		if d == nil || d.web != (l.kind == "WEB_PUSH") || l.sender != "" && l.sender != st.applicationID(d.app) {
			return 0
		}
		return d.person
	default:
		return 0
	}
}
