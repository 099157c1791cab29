package web

import (
	"errors"
	"net/http"
	"strings"

	"picday/store"
)

type operatorsPageData struct {
	Operators []store.Operator
	Tokens    []store.Token
	Accounts  []string // that a log-in can be made for; none if the operator sees only one
	Roles     []store.Role
	Self      string
}

func (operatorsPageData) section() string { return "operators" }

func operatorsPage(w http.ResponseWriter, v *visit) (err error) {
	page := operatorsPageData{Roles: store.Roles, Self: v.name}
	if page.Operators, err = v.staff.Operators(v.Context()); err != nil {
		return err
	}
	if page.Tokens, err = v.staff.Tokens(v.Context()); err != nil {
		return err
	}
	if v.view.Everything() {
		if page.Accounts, err = v.view.AccountNames(v.Context()); err != nil {
			return err
		}
	}
	return render(w, v, http.StatusOK, "operators", page)
}

// A secretPage shows what nobody can ask for again.
type secretPage struct {
	Title, Name, Label, Secret, Next string
}

func (secretPage) section() string { return "operators" }

func addOperator(w http.ResponseWriter, v *visit) error {
	name := v.PostForm.Get("name")
	password, err := v.staff.AddOperator(v.Context(), name, v.PostForm.Get("account"), store.Role(v.PostForm.Get("role")))
	if err != nil {
		return err
	}
	return render(w, v, http.StatusOK, "secret", secretPage{v.t("The log-in is made"), name, v.t("Password"), password, v.t("It can be changed by its owner after the log-in, under his name.")})
}

func newOperatorPassword(w http.ResponseWriter, v *visit) error {
	name := v.PathValue("name")
	password, err := v.staff.NewPassword(v.Context(), name)
	if err != nil {
		return err
	}
	return render(w, v, http.StatusOK, "secret", secretPage{v.t("A new password"), name, v.t("Password"), password, v.t("All sessions of the old one have ended.")})
}

func setOperatorRole(w http.ResponseWriter, v *visit) error {
	if err := v.staff.SetRole(v.Context(), v.PathValue("name"), store.Role(v.PostForm.Get("role"))); err != nil {
		return err
	}
	return redirect(w, "/operators?done=role")
}

func removeOperator(w http.ResponseWriter, v *visit) error {
	if err := v.staff.RemoveOperator(v.Context(), v.PathValue("name")); err != nil {
		return err
	}
	return redirect(w, "/operators?done=removed")
}

func addToken(w http.ResponseWriter, v *visit) error {
	name := v.PostForm.Get("name")
	token, err := v.staff.AddToken(v.Context(), name, v.PostForm.Get("account"))
	if err != nil {
		return err
	}
	return render(w, v, http.StatusOK, "secret", secretPage{v.t("The token is made"), name, v.t("Token"), token, v.t("A program sends it with each request: Authorization: Bearer TOKEN.")})
}

func removeToken(w http.ResponseWriter, v *visit) error {
	if err := v.staff.RemoveToken(v.Context(), v.PathValue("name")); err != nil {
		return err
	}
	return redirect(w, "/operators?done=revoked")
}

// A mePageData is about the operator's own log-in.
type mePageData struct {
	Wrong   string // why the password was not changed
	Address string // for mail; "" = none
}

func (mePageData) section() string { return "me" }

func mePage(w http.ResponseWriter, v *visit) error {
	return v.showMe(w, http.StatusOK, "")
}

func (v *visit) showMe(w http.ResponseWriter, status int, wrong string) error {
	address, err := v.staff.OwnAddress(v.Context())
	if err != nil {
		return err
	}
	return render(w, v, status, "me", mePageData{wrong, address})
}

func changeOwnAddress(w http.ResponseWriter, v *visit) error {
	if err := v.staff.SetOwnAddress(v.Context(), strings.TrimSpace(v.PostForm.Get("email"))); err != nil {
		return err
	}
	return redirect(w, "/me?done=address")
}

func changeOwnPassword(w http.ResponseWriter, v *visit) error {
	again := func(status int, wrong string) error { return v.showMe(w, status, wrong) }
	password := v.PostForm.Get("new")
	if password != v.PostForm.Get("again") {
		return again(http.StatusBadRequest, v.t("The new password is not the same both times."))
	}
	cookie, err := v.staff.ChangeOwnPassword(v.Request, v.PostForm.Get("old"), password)
	var later tooOften
	switch {
	case errors.As(err, &later):
		return again(http.StatusTooManyRequests, later.sentence(v.words))
	case errors.Is(err, errBusy):
		return again(http.StatusServiceUnavailable, v.t("Many log in at this moment. Try again in a few seconds."))
	case errors.Is(err, store.ErrNotFound):
		return again(http.StatusForbidden, v.t("The password that you have now is another one."))
	case errors.Is(err, store.ErrPassword):
		return again(http.StatusBadRequest, v.t("Choose a password of 10 to 72 characters."))
	case err != nil:
		return err
	}
	setCookie(w, v.Request, sessionCookie(v.Request, cookie), store.SessionLife)
	return redirect(w, "/me?done=password")
}
