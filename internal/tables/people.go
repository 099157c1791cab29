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
	why := map[string]string{"no-photo": "no photo", "only-card": "only a card", "only-problem": "only a problem", "not-listed": "a portrait of nobody on the list"}[m.Why]
	switch {
	case m.Near != "" && m.Why == "not-listed":
		why += ", where " + m.Near + " is"
	case m.Near != "":
		why += ", but a portrait " + m.Near
	}
	return []string{cmp.Or(m.Class, "-"), nameOf(m.Subject), cmp.Or(m.ExternalID, "-"), cmp.Or(m.Code, "-"), why, cmp.Or(m.Path, "-")}
}

func proposal(p contract.Proposal) []string {
	side := func(codes []string) string { return cmp.Or(strings.Join(codes, " "), "nobody") }
	photos, change := fmt.Sprint(len(p.Photos)), "-"
	if len(p.Photos) > 0 {
		first := p.Photos[0]
		change = side(first.Was) + " → " + side(first.Becomes)
		for _, q := range p.Photos[1:] {
			if side(q.Was) != side(first.Was) || side(q.Becomes) != side(first.Becomes) {
				change += " and others"
				break
			}
		}
		photos += " from " + first.Path
	}
	return []string{fmt.Sprint(p.ID), p.Account, p.Job + "/" + p.Album, string(p.State), when(p.At), change, photos}
}

func nameOf(s contract.Subject) string {
	name := strings.TrimSpace(s.First + " " + s.Last)
	if name == "" && s.Kind != store.Person {
		return string(s.Kind)
	}
	return cmp.Or(name, "-")
}
