// Package tables is how the lists of package contract look in a terminal.
package tables

import (
	"cmp"
	"fmt"
	"strings"

	"picday/internal/bytesize"
	"picday/internal/contract"
	"picday/internal/localtime"
	"picday/internal/terminal"
)

// The tables are named after what is in a row.
var (
	Accounts      = terminal.Table[contract.Account]{Head: "ACCOUNT\tLAYOUT\tSTATE\tALLOWED FROM\tZONE\tCREATED", Row: account}
	AccountLogins = terminal.Table[contract.AccountLogin]{Head: "LOG-IN\tSTATE\tLAST DAY\tMADE", Row: accountLogin}
	Jobs          = terminal.Table[contract.Job]{Head: "ACCOUNT\tJOB\tSTATE\tALBUMS\tPHOTOS\tPROBLEMS\tARRIVED\tCHANGED", Row: job}
	Subjects      = terminal.Table[contract.Subject]{Head: "CLASS\tNAME\tID\tCODE\tLIST\tPHOTOS", Row: subject}
	Missing       = terminal.Table[contract.Missing]{Head: "CLASS\tNAME\tID\tCODE\tWHY\tFILE", Row: missing}
	Proposals     = terminal.Table[contract.Proposal]{Head: "NUMBER\tACCOUNT\tALBUM\tSTATE\tSINCE\tFROM AND TO\tPHOTOS", Row: proposal}
	Photos        = terminal.Table[contract.Photo]{Head: "ACCOUNT\tPATH\tPIXELS\tSIZE\tPUBLISHED\tFLAGS\tURL", Row: photo}
	Problems      = terminal.Table[contract.Problem]{Head: "ACCOUNT\tPATH\tREASON\tSINCE\tWHAT TO DO", Row: problem}
	Pictures      = terminal.Table[contract.Picture]{Head: "SHA256\tPIXELS\tSIZE\tTAKEN\tCAMERA\tSHOWN FROM\tUNTIL\tENDS", Row: picture}
	Trash         = terminal.Table[contract.TrashedPhoto]{Head: "ACCOUNT\tPATH\tSHA256\tWITHDRAWN\tBY\tENDS", Row: trashed}
	Operators     = terminal.Table[contract.Login]{Head: "NAME\tROLE\tSEES\tMAIL\tMADE", Row: operator}
	Events        = terminal.Table[contract.Notice]{Head: "EVENT\tTIME\tWHAT\tDELIVERED", Row: event}
	Deliveries    = terminal.Table[contract.Delivery]{Head: "TO\tSTATE\tSINCE\tWHY", Row: delivery}
	Tokens        = terminal.Table[contract.Login]{Head: "NAME\tSEES\tMADE", Row: login}
)

var when = localtime.Format

func account(a contract.Account) []string {
	state, from := "enabled", "anywhere"
	if !a.Enabled {
		state = "disabled"
	}
	if len(a.AllowFrom) > 0 {
		from = a.Networks()
	}
	if a.Damaged {
		state, from = "damaged", "see picday doctor"
	}
	return []string{a.Account, string(a.Layout), state, from, a.TimeZone, when(a.CreatedAt)}
}

func accountLogin(l contract.AccountLogin) []string {
	state, until := "enabled", "-"
	switch {
	case l.Ended:
		state = "ended"
	case !l.Enabled:
		state = "disabled"
	}
	if l.Until != nil {
		until = *l.Until
	}
	return []string{l.Name, state, until, when(l.CreatedAt)}
}

func job(j contract.Job) []string {
	photos := fmt.Sprint(j.Photos)
	if j.Expected > 0 {
		photos += fmt.Sprint(" of ", j.Expected)
	}
	return []string{j.Account, j.Job, string(j.State), fmt.Sprint(j.Albums), photos, fmt.Sprint(j.Problems), string(j.Arrival), when(j.ChangedAt)}
}

func photo(p contract.Photo) []string {
	return []string{p.Account, p.Path, pixels(p.Width, p.Height), bytesize.Format(p.Bytes), when(p.IngestedAt), strings.Join(p.Flags, " "), p.URL}
}

func pixels(width, height int) string { return fmt.Sprintf("%d×%d", width, height) }

func problem(p contract.Problem) []string {
	note := p.Message
	if p.DeleteAfter != nil {
		note += " It is deleted after " + when(*p.DeleteAfter) + "."
	}
	if p.IgnoredBy != "" {
		note = "Nothing: " + p.IgnoredBy + " said on the pages that it is no photo."
	}
	return []string{p.Account, p.Path, string(p.Reason), when(p.Since), note}
}

func picture(p contract.Picture) []string {
	until, ends := "now", "-"
	if !p.Current {
		until, ends = when(*p.ReplacedAt), when(*p.ExpiresAt)
	}
	taken := cmp.Or(strings.Replace(p.TakenLocal, "T", " ", 1), "-")
	return []string{p.SHA256[:12], pixels(p.Width, p.Height), bytesize.Format(p.Bytes), taken, cmp.Or(p.Camera, "-"), when(p.IngestedAt), until, ends}
}

func trashed(p contract.TrashedPhoto) []string {
	ends := when(p.ExpiresAt)
	if p.HasFile {
		ends = "not while its file is there"
	}
	return []string{p.Account, p.Path, p.SHA256[:12], when(p.WithdrawnAt), cmp.Or(p.WithdrawnBy, "uploader"), ends}
}

func operator(l contract.Login) []string {
	mail := cmp.Or(l.Email, "-")
	if len(l.EmailAbout) > 0 {
		mail += " (" + strings.Join(l.EmailAbout, ", ") + ")"
	}
	return []string{l.Name, l.Role, l.Sees(), mail, when(l.CreatedAt)}
}

func event(e contract.Notice) []string {
	to := "to nobody"
	if n := len(e.Deliveries); n > 0 {
		to = fmt.Sprintf("%d of %d", n-e.Undelivered(), n)
	}
	for _, d := range e.Deliveries {
		if d.State != "delivered" {
			to += "; " + d.State + ": " + d.To
			if d.Error != "" {
				to += " (" + d.Error + ")"
			}
		}
	}
	return []string{e.ID, when(e.At), e.Message, to}
}

func delivery(d contract.Delivery) []string {
	why := cmp.Or(d.Error, "-")
	if d.Next != nil && d.Tries > 0 {
		why += ", the next try is at " + when(*d.Next)
	}
	return []string{d.To, d.State, when(d.At), why}
}

func login(l contract.Login) []string { return []string{l.Name, l.Sees(), when(l.CreatedAt)} }
