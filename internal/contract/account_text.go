package contract

import (
	"fmt"
	"io"
	"strings"

	"picday/internal/language"
)

// As is the card for one of picday account card's formats: "text", "filezilla" or
// "winscp".
func (c Card) As(format string) string {
	switch format {
	case "filezilla":
		return string(c.FileZilla())
	case "winscp":
		return c.WinSCP() + "\n"
	}
	return c.Text()
}

// Show writes for people all that account show has, in English as all that the tool says.
func (a Account) Show(w io.Writer) {
	card := a.Card
	card.Language = language.English
	fmt.Fprint(w, card.Text())
	fmt.Fprintf(w, "\nTime zone of cameras that do not say: %s\n", a.TimeZone)
	fmt.Fprintf(w, "Language of the connection card: %s\n", a.Language)
	if len(a.Individuals) > 0 {
		fmt.Fprintf(w, "Folders that mean individuals, too: %s\n", strings.Join(a.Individuals, ", "))
	}
	if len(a.Group) > 0 {
		fmt.Fprintf(w, "Folders that mean group, too: %s\n", strings.Join(a.Group, ", "))
	}
	if len(a.Logins) > 0 {
		fmt.Fprintf(w, "Log-ins besides: %s (picday account login list %s)\n", strings.Join(a.Logins, ", "), a.Account)
	}
	if !a.Enabled && a.User == a.Account {
		fmt.Fprintf(w, "To let it in again: sudo picday account enable %s\n", a.Account)
	}
}

// ShowNew writes the card of a new account or log-in, with the password if one was made.
func (a Account) ShowNew(w io.Writer) {
	fmt.Fprint(w, a.Text())
	if a.Password != "" {
		fmt.Fprintf(w, "\nPassword (shown only now): %s\n", a.Password)
	}
}
