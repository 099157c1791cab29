package web

import (
	"bytes"
	"fmt"
	"image/color"
	"image/jpeg"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"picday/store"
)

// shot publishes a picture of one colour into job00001, taken at a second.
func (b *adminBed) shot(file string, second, width, height int, c color.Color) store.Photo {
	b.Helper()
	path := "job00001/A/individuals/" + file
	at := store.Place{Path: path, Shown: path, Job: "job00001", Album: "A", Area: "individuals"}
	return b.picture(b.other, at, width, height, c, store.Camera{Serial: "1", TakenAt: time.Date(2026, 5, 4, 9, 0, second, 0, time.UTC)})
}

// What is chosen on the contact sheet, and how it is cut there, is what an export has.
func TestTheContactSheetSaysWhatIsExported(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("eva", 0)
	b.addOperator("max", b.acct.ID)
	cookie, stranger := b.session("eva"), b.session("max")
	b.take("job00001", "ID;Last;First\n1;Abel;Ann\n2;Berg;Bo\n")
	people := b.listed("job00001")
	ann, bo := people[0], people[1]
	red, green := b.shot("1.jpg", 1, 640, 960, color.RGBA{220, 0, 0, 255}), b.shot("2.jpg", 2, 640, 960, color.RGBA{0, 220, 0, 255})
	blue := b.shot("3.jpg", 3, 1200, 900, color.RGBA{0, 0, 220, 255})
	b.tx(func(tx *store.Tx) error {
		for p, s := range map[int64]int64{red.ID: ann.ID, green.ID: ann.ID, blue.ID: bo.ID} {
			if _, err := tx.Assign(store.Assignment{PhotoID: p, SubjectID: s, Way: store.ByOperator}); err != nil {
				return err
			}
		}
		return nil
	})
	at, file := placeURL("sheet", "acme", "job00001"), placeURL("downloads", "acme", "job00001")+"/export.zip"
	post := func(path string, want int, fields ...string) {
		t.Helper()
		form := url.Values{}
		for i := 0; i < len(fields); i += 2 {
			form.Set(fields[i], fields[i+1])
		}
		if w := b.ask("POST", path, form, "Cookie", cookie); w.Code != want {
			t.Errorf("%s %v: %d %.300s", path, fields, w.Code, w.Body)
		}
		if w := b.ask("POST", path, form, "Cookie", stranger); w.Code != http.StatusNotFound {
			t.Errorf("%s, of another account: %d", path, w.Code)
		}
	}
	exported := func() string {
		t.Helper()
		w := b.ask("GET", file, nil, "Cookie", cookie)
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		text, all := "", b.files(w.Body.Bytes())
		for _, name := range sortedNames(all) {
			m, err := jpeg.Decode(bytes.NewReader(all[name]))
			b.must(err)
			r, g, bl, _ := m.At(240, 300).RGBA()
			text += name + map[bool]string{r > g && r > bl: " red ", g > r && g > bl: " green ", bl > r && bl > g: " blue "}[true]
		}
		return text
	}
	if html := b.page(cookie, at); strings.Count(html, `type="radio"`) != 3 || strings.Count(html, ` exported"`) != 1 || !strings.Contains(html, "cut lying") || !strings.Contains(html, "top-25") {
		t.Error(html)
	}
	if got := exported(); got != "1.jpg green " {
		t.Error("the latest is not exported:", got)
	}
	pose := fmt.Sprintf("pose-%d", ann.ID)
	post(at, http.StatusSeeOther, pose, fmt.Sprint(red.ID), "back", at)
	if got := exported(); got != "1.jpg red " {
		t.Error("the chosen one is not exported:", got)
	}
	if html := b.page(cookie, at); !strings.Contains(html, fmt.Sprintf(`name="%s" value="%d" checked`, pose, red.ID)) {
		t.Error(html)
	}
	post(at, http.StatusConflict, pose, fmt.Sprint(blue.ID)) // of somebody else
	post(at, http.StatusNotFound, pose, "x")
	post(at, http.StatusNotFound, "pose-999", fmt.Sprint(red.ID))
	if w := b.ask("POST", placeURL("sheet", "lincoln", ""), url.Values{pose: {fmt.Sprint(green.ID)}}, "Cookie", cookie); w.Code != http.StatusNotFound {
		t.Errorf("somebody of another place: %d", w.Code)
	}
	post(subjectURL(ann.ID)+"/pose", http.StatusSeeOther, "photo", fmt.Sprint(green.ID))
	post(subjectURL(ann.ID)+"/pose", http.StatusConflict, "photo", fmt.Sprint(blue.ID))
	post(subjectURL(ann.ID)+"/pose", http.StatusSeeOther, "photo", "0")
	if got := exported(); got != "1.jpg green " {
		t.Error("not the latest again:", got)
	}

	// A photo that lies is exported once somebody has said how it is cut.
	if html := b.page(cookie, subjectURL(bo.ID)); !strings.Contains(html, "left out of exports until") {
		t.Error(html)
	}
	crop := photoURL(blue.ID) + "/crop"
	for _, bad := range []string{"101", "-1", "x", ""} {
		post(crop, http.StatusBadRequest, "top", bad, "left", "50")
		post(placeURL("crop", "acme", "job00001"), http.StatusBadRequest, "top", bad)
	}
	post(crop, http.StatusSeeOther, "top", "0", "left", "100", "back", subjectURL(bo.ID))
	if html := b.page(cookie, subjectURL(bo.ID)); !strings.Contains(html, "Cut by hand") || !strings.Contains(html, "left-100 top-0") {
		t.Error(html)
	}
	if got := exported(); got != "1.jpg green 2.jpg blue " {
		t.Error(got)
	}
	post(crop, http.StatusSeeOther, "by", "rule", "back", "//evil.example/")
	if got := exported(); got != "1.jpg green " {
		t.Error(got)
	}
	post(placeURL("crop", "acme", "job00001"), http.StatusSeeOther, "top", "90")
	if html := b.page(cookie, at); !strings.Contains(html, "top-90") {
		t.Error(html)
	}
}

// Somebody gets another name, ID or code on the page, but nobody else's, and is removed; the
// photos stay.
func TestAPersonIsChangedOnThePages(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("eva", 0)
	b.addOperator("max", b.other.ID)
	cookie, stranger := b.session("eva"), b.session("max")
	b.take("", "ID;Code;Last;First\n12;AAAA;Abel;Ann\n13;BBBB;Berg;Bo\n")
	b.put("12", "Ann")
	ann := b.listed("")[0]
	at := subjectURL(ann.ID)
	post := func(cookie, path string, fields ...string) int {
		t.Helper()
		form := url.Values{"first": {"Ann"}, "last": {"Abel"}, "id": {"12"}, "code": {"AAAA"}}
		for i := 0; i < len(fields); i += 2 {
			form.Set(fields[i], fields[i+1])
		}
		return b.ask("POST", path, form, "Cookie", cookie).Code
	}
	if html := b.page(cookie, at); !strings.Contains(html, `<bdi>12.jpg</bdi>`) || !strings.Contains(html, "Ann Abel") {
		t.Error(html)
	}
	for i, try := range []struct {
		fields []string
		code   int
	}{
		{[]string{"id", "13"}, http.StatusConflict},
		{[]string{"code", "bbbb"}, http.StatusConflict},
		{[]string{"code", ""}, http.StatusBadRequest},
		{[]string{"first", strings.Repeat("x", 201)}, http.StatusBadRequest},
		{[]string{"last", " von \n Abel ", "class", "5b", "code", "CCCC"}, http.StatusSeeOther},
	} {
		if code := post(cookie, at, try.fields...); code != try.code {
			t.Errorf("%d: %d", i, code)
		}
	}
	if s := b.listed("")[1]; s.Name() != "Ann von Abel" || s.Class != "5b" || s.Code != "CCCC" || s.Listed != store.OnList {
		t.Errorf("%+v", s)
	}
	for _, path := range []string{at, at + "/remove", at + "/pose"} {
		if code := post(stranger, path); code != http.StatusNotFound {
			t.Errorf("%s, of another account: %d", path, code)
		}
	}
	if code := post(cookie, at+"/remove"); code != http.StatusSeeOther || len(b.listed("")) != 1 {
		t.Errorf("%d, %d people", code, len(b.listed("")))
	}
	if w := b.ask("GET", at, nil, "Cookie", cookie); w.Code != http.StatusNotFound {
		t.Errorf("somebody who was removed: %d", w.Code)
	}
	if b.photo("12").Link == "" || !b.photo("12").WithdrawnAt.IsZero() {
		t.Error("the photo has gone too")
	}
}
