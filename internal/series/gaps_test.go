package series

import (
	"fmt"
	"strings"
	"testing"
)

// What is missing in the numbers of a camera is named, over all albums, and over the end of
// its counter; what another camera took, or a shoot in between, is no gap.
func TestGapsInTheNumbersOfCameras(t *testing.T) {
	album := func(serial string, numbers ...int) Counters {
		var all []Photo
		for _, n := range numbers {
			all = append(all, Photo{File: fmt.Sprintf("IMG_%04d.JPG", n), Serial: serial})
		}
		return CountersOf(append(all, Photo{File: "cover.jpg", Serial: serial}))
	}
	for _, c := range []struct {
		what, want string
		albums     []Counters
	}{
		{"none", "", []Counters{album("1", 1, 2, 3)}},
		{"one and two", "IMG_0003 IMG_0006–IMG_0007", []Counters{album("1", 2, 1, 4, 5, 8)}},
		{"two albums take turns", "", []Counters{album("1", 1, 3, 5), album("1", 2, 4)}},
		{"two cameras", "IMG_0002 IMG_0003", []Counters{album("1", 1, 3), album("2", 2, 4)}},
		{"the counter begins again", "IMG_9999–IMG_0001", []Counters{album("1", 9997, 9998, 2, 3)}},
		{"the same file twice", "", []Counters{album("1", 1, 2), album("1", 2, 3)}},
		{"another shoot in between", "", []Counters{album("1", 1, 2, 300, 301)}},
		{"no number", "", []Counters{album("1")}},
		{"one photo", "", []Counters{album("1", 5)}},
	} {
		var got []string
		for _, g := range Gaps(c.albums...) {
			got = append(got, g.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, not %q", c.what, got, c.want)
		}
	}
}
