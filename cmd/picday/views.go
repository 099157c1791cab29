package main

import (
	"fmt"
	"time"

	"picday/contract"
)

// The JSON that only commands have; package contract has the rest. Field names
// are fixed.

type accountView struct {
	contract.Card
	Password string `json:"password,omitempty"` // only when it was just generated
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
