package series

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A shot is a photo with its place in the camera's counter.
type shot struct {
	Photo
	counter int // -1 = none
}

var (
	counterRE = regexp.MustCompile(`^(.*?)(\d+)$`)
	copyRE    = regexp.MustCompile(`^(.*\d)( ?\(\d{1,2}\)|[-_ ]\d{1,2})$`)
)

// counterOf takes a name such as IMG_0412.JPG or P1010412.JPG apart. Cameras count with
// the last four of 3, 4, 5 or 7 digits; other numbers are times and dates. The number of a
// copy, as in IMG_0412 (2).JPG, is none.
func counterOf(file string) (prefix string, counter int) {
	stem := strings.TrimSuffix(file, path.Ext(file))
	part := counterRE.FindStringSubmatch(stem)
	if part == nil || len(part[2]) < 3 {
		if c := copyRE.FindStringSubmatch(stem); c != nil {
			part = counterRE.FindStringSubmatch(c[1])
		}
	}
	if part == nil || !strings.Contains("3 4 5 7", strconv.Itoa(len(part[2]))) {
		return stem, -1
	}
	n, _ := strconv.Atoi(part[2][max(0, len(part[2])-4):])
	return part[1], n
}

const wrap = 10000

// ahead is how many shots b is after a by the counter; after 9999 comes 0001, or 0000. It
// is negative if b is rather before a.
func ahead(a, b int) int {
	d := (b - a + wrap) % wrap
	if b < a && b > 0 && d < wrap/2 {
		d-- // without 0000
	}
	if d > wrap/2 {
		d -= wrap
	}
	return d
}

// byCamera sorts photos by camera.
func byCamera(photos []Photo) map[string][]shot {
	by := map[string][]shot{}
	for _, p := range photos {
		prefix, n := counterOf(p.File)
		key := "prefix " + prefix
		switch {
		case p.Serial != "":
			key = "serial " + p.Serial
		case p.Model != "":
			key = "model " + p.Model
		}
		by[key] = append(by[key], shot{p, n})
	}
	return by
}

// order puts a lane in order as far as clock and counter agree. rest is what comes then,
// and lost what has no place in the order at all.
func order(lane []shot) (ordered, rest, lost []shot) {
	timed := slices.ContainsFunc(lane, func(s shot) bool { return !s.Taken.IsZero() })
	for _, s := range lane {
		if timed && s.Taken.IsZero() || !timed && s.counter < 0 {
			lost = append(lost, s)
		} else {
			ordered = append(ordered, s)
		}
	}
	// Nobody knows what a card without a place would end or begin.
	if slices.ContainsFunc(lost, func(s shot) bool { return s.Card.Kind != NoCard }) {
		return nil, ordered, lost
	}
	second := func(s shot) int64 { return s.Taken.Unix() }
	start := firstCounter(ordered)
	slices.SortFunc(ordered, func(a, b shot) int {
		return cmp.Or(cmp.Compare(second(a), second(b)), cmp.Compare(a.Taken.Nanosecond(), b.Taken.Nanosecond()), cmp.Compare(a.ID, b.ID))
	})
	// Within a second the counter decides, counted from the smallest one of that second.
	for from := 0; from < len(ordered); {
		to := from + 1
		for to < len(ordered) && second(ordered[to]) == second(ordered[from]) {
			to++
		}
		group := ordered[from:to]
		if !slices.ContainsFunc(group, func(s shot) bool { return s.counter < 0 }) {
			if timed {
				start = firstCounter(group)
			}
			slices.SortStableFunc(group, func(a, b shot) int {
				return cmp.Compare((a.counter-start+wrap)%wrap, (b.counter-start+wrap)%wrap)
			})
		}
		from = to
	}
	for i := 1; i < len(ordered); i++ {
		if disagree(ordered[i-1], ordered[i]) {
			return ordered[:i], ordered[i:], lost
		}
	}
	return ordered, nil, lost
}

// firstCounter is the counter behind the largest gap, all around from 9999 to 0001.
func firstCounter(all []shot) int {
	var n []int
	for _, s := range all {
		if s.counter >= 0 {
			n = append(n, s.counter)
		}
	}
	if len(n) == 0 {
		return 0
	}
	slices.Sort(n)
	first, gap := n[0], n[0]+wrap-n[len(n)-1]
	for i := 1; i < len(n); i++ {
		if n[i]-n[i-1] > gap {
			first, gap = n[i], n[i]-n[i-1]
		}
	}
	return first
}

// disagree tells whether it is in doubt that b was taken after a.
func disagree(a, b shot) bool {
	same := a.Taken.Equal(b.Taken)
	matters := a.Card.Kind != NoCard || b.Card.Kind != NoCard
	if a.counter < 0 || b.counter < 0 {
		// Clocks that show no fractions cannot tell shots of one second apart.
		coarse := a.Taken.Unix() == b.Taken.Unix() && (a.Taken.Nanosecond() == 0 || b.Taken.Nanosecond() == 0)
		return matters && (same || coarse)
	}
	d := ahead(a.counter, b.counter)
	if d == 0 { // a copy, or another camera's
		return matters || !same
	}
	// Within a second the counter has decided; fractions that both have must agree.
	backwards := a.Taken.Unix() == b.Taken.Unix() && a.Taken.Nanosecond() != 0 && b.Taken.Nanosecond() != 0 && b.Taken.Before(a.Taken)
	return d < 0 || backwards
}
