package web

import (
	"net/http"
	"time"

	"picday/internal/contract"
	"picday/store"
)

// A deliveriesPage shows which events have not reached whom, and why.
type deliveriesPage struct {
	Notices []contract.Notice
	More    bool // than are shown
	followed
}

func (deliveriesPage) section() string { return "operators" }

const (
	deliveriesShown = 100
	retriedAtOnce   = 1000 // of one account
)

func deliveriesList(w http.ResponseWriter, v *visit) error {
	page := deliveriesPage{followed: v.follow("catalogue")}
	found, err := v.view.Undelivered(v.Context(), deliveriesShown+1)
	if err != nil {
		return err
	}
	page.More = len(found) > deliveriesShown
	for _, n := range found[:min(len(found), deliveriesShown)] {
		deliveries, err := v.view.Deliveries(v.Context(), n)
		if err != nil {
			return err
		}
		page.Notices = append(page.Notices, contract.NewNotice(n, deliveries))
	}
	return render(w, v, http.StatusOK, "deliveries", page)
}

// retryDeliveries makes what waits or was given up due now: all in the operator's view.
func retryDeliveries(w http.ResponseWriter, v *visit) error {
	var keys []string
	if !v.view.Everything() {
		found, err := v.view.Undelivered(v.Context(), retriedAtOnce)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return redirect(w, "/deliveries?done=retried") // no key would mean all
		}
		for _, n := range found {
			keys = append(keys, n.Key)
		}
	}
	err := v.note(func(tx *store.Tx) error {
		_, err := tx.RetryNotices(keys, time.Now())
		return err
	})
	if err != nil {
		return err
	}
	return redirect(w, "/deliveries?done=retried")
}
