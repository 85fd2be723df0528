package simulator

import (
	"fmt"
	"strings"
)

// Choices say what the simulator does where the platform's reference is silent.
// The zero value is the reading that each field's comment names first.
type Choices struct {
	TagsAdd             bool // personalize adds tags instead of replacing them
	AdditionalReplace   bool // an update replaces additionalData instead of merging into it
	NullKeeps           bool // JSON null leaves an attribute as it is instead of deleting it
	DevicesKeepModified bool // a change of a device alone leaves its person's modifiedAt
	PrimaryShared       bool // several devices of a person can be primary
	NamesRefused        bool // names with & < > " / \ : ( ) { } = ; # are refused by personalize
	PersonalizeFree     bool // personalize never answers 429
	BirthdayDate        bool // a birthday is YYYY-MM-DD instead of a date-time
	ApplicationsRefused bool // the key may not read the applications: 403
	OwnApplicationIDs   bool // an application's id differs from its code
}

// choices is the table of ParseChoices and ChoicesHelp: the first value is
// the default.
var choices = []struct {
	name, first, other, what string
	field                    func(*Choices) *bool
}{
	{"tags", "replace", "add", "what personalize does with tags", func(c *Choices) *bool { return &c.TagsAdd }},
	{"additional-data", "merge", "replace", "what an update does with additionalData", func(c *Choices) *bool { return &c.AdditionalReplace }},
	{"null", "delete", "keep", "what null does to an attribute", func(c *Choices) *bool { return &c.NullKeeps }},
	{"device-modifies", "person", "nothing", "whose modifiedAt a change of a device moves", func(c *Choices) *bool { return &c.DevicesKeepModified }},
	{"primary", "one", "many", "how many devices of a person are primary", func(c *Choices) *bool { return &c.PrimaryShared }},
	{"names", "any", "plain", "whether names may have & < > \" / \\ : ( ) { } = ; #", func(c *Choices) *bool { return &c.NamesRefused }},
	{"personalize-limit", "yes", "no", "whether personalize answers 429", func(c *Choices) *bool { return &c.PersonalizeFree }},
	{"birthday", "date-time", "date", "the form of a birthday in personalize", func(c *Choices) *bool { return &c.BirthdayDate }},
	{"applications", "yes", "no", "whether the key may read /push/1/applications (else 403)", func(c *Choices) *bool { return &c.ApplicationsRefused }},
	{"application-id", "code", "own", "whether an application's id is its code", func(c *Choices) *bool { return &c.OwnApplicationIDs }},
}

// ParseChoices reads a list such as tags=add,null=keep. The empty text is all
// defaults.
func ParseChoices(text string) (Choices, error) {
	var c Choices
next:
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		for _, row := range choices {
			switch part {
			case row.name + "=" + row.first:
				continue next
			case row.name + "=" + row.other:
				*row.field(&c) = true
				continue next
			}
		}
		return c, fmt.Errorf("%q is no choice: %s", part, strings.ReplaceAll(ChoicesHelp(), "\n", "; "))
	}
	return c, nil
}

// ChoicesHelp lists the choices, one a line, the default first.
func ChoicesHelp() string {
	lines := make([]string, 0, len(choices))
	for _, row := range choices {
		lines = append(lines, fmt.Sprintf("%s=%s|%s: %s", row.name, row.first, row.other, row.what))
	}
	return strings.Join(lines, "\n")
}
