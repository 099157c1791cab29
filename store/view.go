package store

// A View is the catalogue as one reader may see it: the rows of one account, or of all.
// A server must answer each request through the View of its user only, so that no query
// can return the photos of another account.
type View struct {
	s       *Store
	account int64 // 0 = all
}

// All returns the view of all accounts.
func (s *Store) All() View { return View{s, 0} }

// View returns the view of one account, or (0) of all.
func (s *Store) View(accountID int64) View { return View{s, accountID} }

// Everything tells whether this is the view of all accounts.
func (v View) Everything() bool { return v.account == 0 }

// only restricts a query to the rows that the view may see. Rows of removed accounts are
// in no view.
func (v View) only(w *where, column string) {
	w.add("a.state <> 'gone'")
	if v.account != 0 {
		w.add(column+" = ?", v.account)
	}
}
