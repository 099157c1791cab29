package contract

import (
	"testing"
	"time"

	"picday/internal/test/uploads"
)

func TestHistoryBeginsWithThePictureThatIsShown(t *testing.T) {
	s := uploads.New(t)
	const path = "acme/job1/A/x.jpg"
	for _, content := range []string{"first", "second", "third"} {
		s.Write(path, content)
		s.Publish(path)
	}
	all, err := History(t.Context(), s.Store, s.Photo(path), time.Hour)
	s.Must(err)
	if len(all) != 3 {
		t.Fatalf("%+v", all)
	}
	for i, v := range all {
		if v.Path != "job1/A/x.jpg" || v.Current != (i == 0) || (v.ReplacedAt == nil) != v.Current {
			t.Errorf("%d: %+v", i, v)
		}
		if !v.Current && v.ExpiresAt.Sub(*v.ReplacedAt) != time.Hour {
			t.Errorf("%d is kept until %v", i, v.ExpiresAt)
		}
	}
	if all[0].SHA256 != s.Photo(path).SHA.String() || all[0].Bytes != 5 || all[1].Bytes != 6 {
		t.Errorf("%+v", all)
	}
}
