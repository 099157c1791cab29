package series

import (
	"fmt"
	"maps"
	"slices"
)

// Counters are the numbers of cameras' files, by camera.
type Counters map[string]*counter

type counter struct {
	prefix  string
	numbers []uint16 // sorted, each once
}

// CountersOf are the numbers of the files of photos. Files without a camera's number are
// left out.
func CountersOf(photos []Photo) Counters {
	all := Counters{}
	for key, lane := range byCamera(photos) {
		c := &counter{}
		for _, s := range lane {
			if s.counter >= 0 {
				c.numbers = append(c.numbers, uint16(s.counter))
				c.prefix, _ = counterOf(s.File)
			}
		}
		if len(c.numbers) > 0 {
			slices.Sort(c.numbers)
			c.numbers = slices.Compact(c.numbers)
			all[key] = c
		}
	}
	return all
}

// A Gap is what is missing between two files of a camera: From and To are the numbers of
// the first and the last that did not come.
type Gap struct {
	Prefix   string // of the files' names
	From, To int
	N        int
}

// String names the missing files, without their ending.
func (g Gap) String() string {
	if g.N == 1 {
		return fmt.Sprintf("%s%04d", g.Prefix, g.From)
	}
	return fmt.Sprintf("%s%04d–%s%04d", g.Prefix, g.From, g.Prefix, g.To)
}

// mostMissing is how many pictures may be missing in a gap: where more are, a camera was
// used for something else, or another card was in it.
const mostMissing = 50

// Gaps finds what is missing in the numbers of cameras, all albums of a job together.
func Gaps(albums ...Counters) (gaps []Gap) {
	all := map[string]*counter{}
	for _, album := range albums {
		for key, c := range album {
			if all[key] == nil {
				all[key] = &counter{prefix: c.prefix}
			}
			all[key].numbers = append(all[key].numbers, c.numbers...)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		c := all[key]
		slices.Sort(c.numbers)
		c.numbers = slices.Compact(c.numbers)
		n := len(c.numbers)
		for i, was := range c.numbers {
			next := c.numbers[(i+1)%n]
			missing := ahead(int(was), int(next)) - 1
			if i == n-1 && n < 2 || missing < 1 || missing > mostMissing {
				continue
			}
			from, to := int(was)+1, int(next)-1
			if from >= wrap {
				from = 1
			}
			if to < 1 {
				to = wrap - 1
			}
			gaps = append(gaps, Gap{c.prefix, from, to, missing})
		}
	}
	return gaps
}
