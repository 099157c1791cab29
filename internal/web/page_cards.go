package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"picday/internal/names"
	"picday/store"
)

func cardsURL(account, job string) string {
	return "/cards/" + url.PathEscape(account) + "/" + url.PathEscape(job)
}

type cardsPageData struct {
	Job       store.Job
	May       bool
	Back      string // this page's address
	Quiet     int    // minutes
	Proposals []proposalRow
	Decided   []proposalRow // approved, and may be undone
	Queue     []cardRow
	MoreQueue bool
	Counts    []whyCount // photos that are nobody's
	Nobodys   []cardRow
	People    []personRow
	Pages     pageLinks
	followed
}

func (cardsPageData) section() string { return "jobs" }

// A cardRow is the photo of a card, or one that is nobody's.
type cardRow struct {
	store.CardPhoto
	Why  string
	At   *store.Photo // where the doubt began
	Form string
}

// Texts are what the codes in the photo say.
func (c cardRow) Texts() string {
	if c.Codes == nil {
		return ""
	}
	var all []string
	for _, code := range c.Codes.Codes {
		all = append(all, code.Text)
	}
	return strings.Join(all, " ")
}

type whyCount struct {
	Why string
	N   int
}

type personRow struct {
	store.Subject
	Shown []store.Photo
}

// A proposalRow is a proposal in runs of photos that change alike.
type proposalRow struct {
	store.Proposal
	Runs []proposedRun
}

type proposedRun struct {
	First, Last  store.Photo
	N            int
	Was, Becomes string
}

const (
	cardsPerPage  = 50
	peoplePerPage = 60
	photosOfOne   = 12
)

// countCards tells a job's page of its cards. A job without any costs one look.
func (v *visit) countCards(page *jobPageData) error {
	counts, err := v.view.CardCounts(v.Context(), page.Job)
	if err != nil {
		return err
	}
	for why, n := range counts {
		switch {
		case slices.Contains(store.CardsInDoubt, why):
			page.Doubt += n
		case slices.Contains(store.Unassigned, why):
			page.Nobodys += n
		}
	}
	open, err := v.view.Proposals(v.Context(), store.ProposalQuery{State: store.ProposalOpen, Job: page.Job, Limit: cardsPerPage})
	if err != nil {
		return err
	}
	page.Proposals = len(open)
	page.People, err = v.view.HasPeople(v.Context(), store.Scope{AccountID: page.accountID(v), JobID: page.Job.ID})
	page.Cards = len(counts) > 0 || page.People
	return err
}

func (p *jobPageData) accountID(v *visit) int64 {
	a, err := v.view.Account(v.Context(), p.Job.Account)
	if err != nil {
		return -1 // of nobody
	}
	return a.ID
}

func cardsPage(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	job, err := v.view.Job(v.Context(), v.PathValue("account"), v.PathValue("job"))
	if err != nil {
		return err
	}
	page := cardsPageData{
		Job: job, May: v.role.May(store.Work), Back: cardsURL(job.Account, job.Name), Quiet: int(job.Cards.Quiet / time.Minute), followed: following,
	}
	if page.Proposals, err = v.proposalRows(store.ProposalQuery{State: store.ProposalOpen, Job: job, Limit: cardsPerPage}); err != nil {
		return err
	}
	if page.Decided, err = v.proposalRows(store.ProposalQuery{State: store.ProposalApproved, Job: job, Limit: cardsPerPage}); err != nil {
		return err
	}
	if page.Queue, err = v.cardRows(job, store.CardsInDoubt, cardsPerPage+1); err != nil {
		return err
	}
	if len(page.Queue) > cardsPerPage {
		page.Queue, page.MoreQueue = page.Queue[:cardsPerPage], true
	}
	counts, err := v.view.CardCounts(v.Context(), job)
	if err != nil {
		return err
	}
	for _, why := range store.Unassigned {
		if n := counts[why]; n > 0 {
			page.Counts = append(page.Counts, whyCount{v.t(why.Message()), n})
		}
	}
	if page.Nobodys, err = v.cardRows(job, store.Unassigned, cardsPerPage); err != nil {
		return err
	}
	if err := v.people(&page); err != nil {
		return err
	}
	return render(w, v, http.StatusOK, "cards", page)
}

func (v *visit) cardRows(job store.Job, why []store.Why, limit int) (rows []cardRow, err error) {
	all, err := v.view.Cards(v.Context(), store.CardQuery{Job: job, Why: why, Limit: limit})
	for _, c := range all {
		row := cardRow{CardPhoto: c, Why: v.t(c.Why.Message()), Form: photoURL(c.ID)}
		if c.At != 0 {
			if p, err := v.view.Photo(v.Context(), c.At); err == nil {
				row.At = &p
			}
		}
		rows = append(rows, row)
	}
	return rows, err
}

// people reads a page of who is in a job, with some photos of each.
func (v *visit) people(page *cardsPageData) error {
	account, err := v.view.Account(v.Context(), page.Job.Account)
	if err != nil {
		return err
	}
	all, pages, err := v.turnSubjects(store.SubjectQuery{AccountID: account.ID, JobID: page.Job.ID, Limit: peoplePerPage}, page.Back, "#people")
	if err != nil {
		return err
	}
	page.Pages = pages
	for _, s := range all {
		photos, err := v.view.PhotosOf(v.Context(), s, photosOfOne)
		if err != nil {
			return err
		}
		photos = slices.DeleteFunc(photos, func(p store.Photo) bool { return !p.WithdrawnAt.IsZero() })
		page.People = append(page.People, personRow{s, photos})
	}
	return nil
}

func (v *visit) proposalRows(q store.ProposalQuery) (rows []proposalRow, err error) {
	all, err := v.view.Proposals(v.Context(), q)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		row := proposalRow{Proposal: p}
		type shown struct {
			store.Photo
			was, becomes string
		}
		var photos []shown
		for _, q := range p.Photos {
			photo, err := v.view.Photo(v.Context(), q.PhotoID)
			if err != nil {
				return nil, err
			}
			photos = append(photos, shown{photo, v.namesOf(q.Was), v.namesOf(q.Becomes)})
		}
		slices.SortFunc(photos, func(a, b shown) int { return strings.Compare(names.Key(a.File), names.Key(b.File)) })
		for _, s := range photos {
			if n := len(row.Runs); n > 0 && row.Runs[n-1].Was == s.was && row.Runs[n-1].Becomes == s.becomes {
				row.Runs[n-1].Last = s.Photo
				row.Runs[n-1].N++
				continue
			}
			row.Runs = append(row.Runs, proposedRun{s.Photo, s.Photo, 1, s.was, s.becomes})
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// namesOf names subjects for people: Ann Abel (5b), or the code.
func (v *visit) namesOf(ids []int64) string {
	var all []string
	for _, id := range ids {
		s, err := v.view.Subject(v.Context(), id)
		if err != nil {
			continue
		}
		name := s.Name()
		if name == "" {
			name = s.Code
		}
		if s.Class != "" {
			name += " (" + s.Class + ")"
		}
		all = append(all, name)
	}
	if len(all) == 0 {
		return v.t("nobody")
	}
	return strings.Join(all, ", ")
}

func sayCard(w http.ResponseWriter, v *visit) error {
	p, err := v.photo()
	if err != nil {
		return err
	}
	text := strings.TrimSpace(v.PostForm.Get("code"))
	if text == "" && v.PostForm.Get("say") != "no" {
		return refuse(http.StatusBadRequest, "That is no code. Type what stands on the card; several codes with a space between them.")
	}
	if v.PostForm.Get("say") == "no" {
		text = ""
	}
	if err := v.change(p.ID, func(tx *store.Tx, id int64, operator string) error { return tx.SayCard(id, text, operator) }); err != nil {
		return err
	}
	back := v.PostForm.Get("back")
	if back == "" {
		back = photoURL(p.ID)
	}
	return redirect(w, withDone(back, "card"))
}

func setCardRules(w http.ResponseWriter, v *visit) error {
	job, err := v.view.Job(v.Context(), v.PathValue("account"), v.PathValue("job"))
	if err != nil {
		return err
	}
	minutes, err := strconv.Atoi(v.PostForm.Get("quiet"))
	if err != nil || minutes < 0 || minutes > 30*24*60 {
		return refuse(http.StatusBadRequest, "The quiet time is a number of minutes, up to 43200.")
	}
	rules := store.CardRules{Last: v.PostForm.Get("last") == "yes", RefuseUnknown: v.PostForm.Get("refuse") == "yes", Quiet: time.Duration(minutes) * time.Minute}
	if err := v.changeJob(job, func(tx *store.Tx, job store.Job) error { return tx.SetCardRules(job, rules) }); err != nil {
		return err
	}
	return redirect(w, cardsURL(job.Account, job.Name)+"?done=card-rules")
}

func approveProposal(w http.ResponseWriter, v *visit) error {
	return v.alterProposal(w, (*store.Tx).Approve, "approved")
}

func rejectProposal(w http.ResponseWriter, v *visit) error {
	return v.alterProposal(w, (*store.Tx).Reject, "rejected")
}

func undoProposal(w http.ResponseWriter, v *visit) error {
	return v.alterProposal(w, (*store.Tx).Undo, "undone")
}

func (v *visit) alterProposal(w http.ResponseWriter, what alteration, done string) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	p, err := v.view.Proposal(v.Context(), id)
	if err != nil {
		return err
	}
	if err := v.changeProposal(id, what); err != nil {
		return err
	}
	return redirect(w, cardsURL(p.Account, p.Job)+"?done="+done)
}
