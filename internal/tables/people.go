package tables

import (
	"cmp"
	"fmt"
	"strings"

	"picday/internal/contract"
	"picday/store"
)

func subject(s contract.Subject) []string {
	list := map[store.Listed]string{store.OnList: "listed", store.MissingOnList: "missing from it"}[s.Listed]
	return []string{cmp.Or(s.Class, "-"), nameOf(s), cmp.Or(s.ExternalID, "-"), cmp.Or(s.Code, "-"), cmp.Or(list, "-"), fmt.Sprint(s.Photos)}
}

func missing(m contract.Missing) []string {
	why := map[string]string{"no-photo": "no photo", "only-problem": "only a problem", "not-listed": "a portrait of nobody on the list"}[m.Why]
	return []string{cmp.Or(m.Class, "-"), nameOf(m.Subject), cmp.Or(m.ExternalID, "-"), cmp.Or(m.Code, "-"), why, cmp.Or(m.Path, "-")}
}

func nameOf(s contract.Subject) string {
	name := strings.TrimSpace(s.First + " " + s.Last)
	if name == "" && s.Kind != store.Person {
		return string(s.Kind)
	}
	return cmp.Or(name, "-")
}
