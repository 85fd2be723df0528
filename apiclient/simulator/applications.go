package simulator

import (
	"fmt"
	"maps"
	"slices"
)

// applications answers the account's applications with the number of
// registrations of each, those included that belong to nobody. accepted is listed
// too unless it is empty.
func (st *store) applications(accepted string) answer {
	if st.choices.ApplicationsRefused {
		return olderError(403, "FORBIDDEN", "The scope mobile-app-messaging:manage is missing")
	}
	counts := map[string]int64{}
	for _, code := range st.gen.apps {
		counts[code] = 0
	}
	if accepted != "" {
		counts[accepted] = 0
	}
	for _, d := range st.devices {
		counts[d.app]++
	}
	type application struct {
		ApplicationID      string `json:"applicationId"`
		ApplicationCode    string `json:"applicationCode"`
		Name               string `json:"name"`
		RegistrationsCount int64  `json:"registrationsCount"`
	}
	var list []application
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, application{st.applicationID(code), code, "Application " + code, counts[code]})
	}
	return ok(map[string][]application{"applications": list})
}

// applicationID is the id of the application with a code.
func (st *store) applicationID(code string) string {
	if !st.choices.OwnApplicationIDs {
		return code
	}
	return fmt.Sprintf("%016X", hashText("application "+code))
}
