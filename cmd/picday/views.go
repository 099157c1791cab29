package main

import (
	"fmt"
	"time"

	"picday/account"
	"picday/layout"
	"picday/store"
)

// The JSON of the contract. Field names here are fixed.

type accountView struct {
	account.Card
	Password string `json:"password,omitempty"` // only when it was just generated
}

type jobView struct {
	Account   string         `json:"account"`
	Job       string         `json:"job"`
	State     store.JobState `json:"state"`
	Albums    int            `json:"albums"`
	Photos    int            `json:"photos"`
	Problems  int            `json:"problems"`
	ChangedAt time.Time      `json:"changed_at"`
}

type photoView struct {
	Account    string          `json:"account"`
	Path       string          `json:"path"`
	Job        string          `json:"job,omitempty"`
	Album      string          `json:"album,omitempty"`
	Area       string          `json:"area,omitempty"`
	Person     string          `json:"person,omitempty"`
	File       string          `json:"file"`
	SHA256     string          `json:"sha256"`
	Bytes      int64           `json:"bytes"`
	Width      int             `json:"width"`
	Height     int             `json:"height"`
	TakenAt    *time.Time      `json:"taken_at"`
	IngestedAt time.Time       `json:"ingested_at"`
	Flags      []string        `json:"flags"`
	Link       string          `json:"link"`
	URL        string          `json:"url"`
	Renditions []renditionView `json:"renditions"`
}

type renditionView struct {
	Name   string `json:"name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int64  `json:"bytes"`
}

type problemView struct {
	Account     string       `json:"account"`
	Path        string       `json:"path"`
	Reason      store.Reason `json:"reason"`
	Message     string       `json:"message"`
	Since       time.Time    `json:"since"`
	DeleteAfter *time.Time   `json:"delete_after"`
}

type trashView struct {
	Account     string    `json:"account"`
	Path        string    `json:"path"`
	SHA256      string    `json:"sha256"`
	WithdrawnAt time.Time `json:"withdrawn_at"`
	WithdrawnBy string    `json:"withdrawn_by,omitempty"` // an operator; then its file may be there, and it stays at least as long
	ExpiresAt   time.Time `json:"expires_at"`
}

type linkView struct {
	Account     string     `json:"account"`
	Path        string     `json:"path"`
	Person      string     `json:"person,omitempty"`
	Link        string     `json:"link"`
	URL         string     `json:"url"`
	WithdrawnAt *time.Time `json:"withdrawn_at,omitempty"`
}

type operatorView struct {
	Name     string `json:"name"`
	Account  string `json:"account"`            // "" = all
	Password string `json:"password,omitempty"` // only when it was just generated
}

type tokenView struct {
	Name    string `json:"name"`
	Account string `json:"account"` // "" = all
	Token   string `json:"token"`
}

type loginView struct {
	Name      string    `json:"name"`
	Account   string    `json:"account"` // "" = all
	CreatedAt time.Time `json:"created_at"`
}

func photoViewOf(p store.Photo, publicURL string) photoView {
	v := photoView{
		Account: p.Account, Path: p.Path, Job: p.Job, Album: p.Album, Area: p.Area, Person: p.Person, File: p.File,
		SHA256: p.SHA.String(), Bytes: p.Bytes, Width: p.Width, Height: p.Height, IngestedAt: p.IngestedAt,
		Flags: p.Flags, Link: p.Link, URL: publicURL + "/" + p.Link + ".jpg", Renditions: []renditionView{},
	}
	if !p.TakenAt.IsZero() {
		v.TakenAt = &p.TakenAt
	}
	if v.Flags == nil {
		v.Flags = []string{}
	}
	for _, r := range p.Renditions {
		v.Renditions = append(v.Renditions, renditionView{r.Name, r.Width, r.Height, r.Bytes})
	}
	return v
}

func problemViewOf(p store.Problem) problemView {
	v := problemView{Account: p.Account, Path: layout.Shown(p.RawPath), Reason: p.Reason, Message: p.Reason.Message(), Since: p.Since}
	if !p.DeleteAfter.IsZero() {
		v.DeleteAfter = &p.DeleteAfter
	}
	return v
}

// when is a time for people, in their own zone.
func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

func size(bytes int64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.0f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d B", bytes)
}
