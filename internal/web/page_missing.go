package web

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"

	"picday/internal/cardsheet"
	"picday/internal/contract"
	"picday/internal/language"
	"picday/internal/people"
)

type missingPageData struct {
	placeView
	Total   int           // people without a photo
	Class   string        // the only one that is shown
	Classes []classMisses // all of them
	Shown   []classMisses // those with their people
	Strange []personLine  // portraits of nobody on the list
	Cards   cardForm
	CSV     string
	followed
}

// classMisses are those of a class who have no photo.
type classMisses struct {
	Class, URL string
	People     []personLine
	N          int // before a limit
}

// A cardForm asks how cards are to be printed.
type cardForm struct {
	URL, Class string
	Missing    bool
	PerSheet   []int
}

// mostMissing is how many people a page lists, of all classes together.
const mostMissing = 500

func missingPage(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	p, _, err := v.place()
	if err != nil {
		return err
	}
	page := missingPageData{placeView: placeOf(p, "missing"), Class: v.FormValue("class"), followed: following}
	all, err := p.Missing(v.Context())
	if err != nil {
		return err
	}
	here := page.PageURL("missing")
	for _, m := range all {
		line := lineOf(m.Subject)
		if line.Why, line.Path = m.Why, m.Path; m.Why == "not-listed" {
			page.Strange = append(page.Strange, line)
			continue
		}
		page.Total++
		if n := len(page.Classes); n == 0 || page.Classes[n-1].Class != m.Class { // they come by class
			page.Classes = append(page.Classes, classMisses{Class: m.Class, URL: query(here, nil, "class", m.Class)})
		}
		c := &page.Classes[len(page.Classes)-1]
		c.N++
		c.People = append(c.People, line)
	}
	left := mostMissing
	for _, c := range page.Classes {
		if page.Class != "" && c.Class != page.Class {
			continue
		}
		c.People = c.People[:min(len(c.People), left)]
		if left -= len(c.People); len(c.People) > 0 {
			page.Shown = append(page.Shown, c)
		}
	}
	page.Strange = page.Strange[:min(len(page.Strange), mostMissing)]
	page.CSV = query(downloadURL(page.placeView, "missing.csv"), nil, "class", page.Class)
	page.Cards = cardFormOf(page.placeView, page.Class, true)
	return render(w, v, http.StatusOK, "missing", page)
}

// More is how many people of those that were asked for the page does not list.
func (m missingPageData) More() (n int) {
	for _, c := range m.Classes {
		if m.Class == "" || c.Class == m.Class {
			n += c.N
		}
	}
	for _, c := range m.Shown {
		n -= len(c.People)
	}
	return n
}

func cardFormOf(p placeView, class string, missing bool) cardForm {
	return cardForm{downloadURL(p, "cards.pdf"), class, missing, cardsheet.PerSheet}
}

// downloadURL is the address of a file about the people of a place.
func downloadURL(p placeView, file string) string {
	return placeURL("downloads", p.Account, p.Job) + "/" + file
}

// missingCSV gives the list of those without a photo, of one class or of all.
func missingCSV(w http.ResponseWriter, v *visit) error {
	p, _, err := v.place()
	if err != nil {
		return err
	}
	all, err := p.Missing(v.Context())
	if err != nil {
		return err
	}
	if class := v.FormValue("class"); class != "" {
		all = slices.DeleteFunc(all, func(m contract.Missing) bool { return m.Class != class })
	}
	at := placeOf(p, "missing")
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", attachment(harmless(at.Name()+" missing")+".csv"))
	if v.Method == http.MethodHead {
		return nil
	}
	if err := v.downloaded(at.Account, at.Name(), language.M("%d people without a photo, as a list", len(all)).String()); err != nil {
		return err
	}
	_, _ = io.WriteString(w, "\ufeff") // by which Excel knows that it is UTF-8; a failure shows below
	if err := people.WriteCSV(w, all); err != nil {
		v.cut(err)
	}
	return nil
}

// mostCards is how many cards one file can have: it is made in memory.
const mostCards = 2000

// cardsPDF gives cards to print: of everybody, or of those without a photo; of one class or
// of all.
func cardsPDF(w http.ResponseWriter, v *visit) error {
	p, _, err := v.place()
	if err != nil {
		return err
	}
	perSheet, err := strconv.Atoi(v.FormValue("per"))
	if err != nil || !slices.Contains(cardsheet.PerSheet, perSheet) {
		return refuse(http.StatusBadRequest, "A sheet has 1, 2, 4, 6 or 8 cards.")
	}
	cards, err := p.CardsFor(v.Context(), v.FormValue("missing") != "", v.FormValue("class"))
	switch {
	case err != nil:
		return err
	case len(cards) == 0:
		return refuse(http.StatusNotFound, "Nobody needs a card.")
	case len(cards) > mostCards:
		return refuse(http.StatusBadRequest, "These are %d cards, and one file has at most %d. Choose a class.", len(cards), mostCards)
	}
	leave, err := v.makeOne()
	if err != nil {
		return err
	}
	at := placeOf(p, "cards")
	var b bytes.Buffer
	err = cardsheet.PDF(&b, at.Name(), cards, perSheet)
	leave()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", attachment(harmless(at.Name()+" cards")+".pdf"))
	if v.Method == http.MethodHead {
		return nil
	}
	if err := v.downloaded(at.Account, at.Name(), language.M("%d cards to print", len(cards)).String()); err != nil {
		return err
	}
	_, _ = w.Write(b.Bytes()) // fails only if the client is gone
	return nil
}
