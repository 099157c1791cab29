package series

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// FuzzAssign: whatever names, clocks and cards an album has, each photo is somebody's whose
// card is among them, or nobody's, in any order of arrival.
func FuzzAssign(f *testing.F) {
	f.Add([]byte{1, 0, 1, 1, 0, 0, 2, 2, 0, 0, 3, 3}, false)
	f.Add([]byte{1, 0, 99, 9, 0, 0, 100, 9, 2, 7, 1, 1, 3, 1, 200, 4}, true)
	f.Fuzz(func(t *testing.T, data []byte, cardLast bool) {
		if len(data) > 400 {
			return
		}
		names := []string{"IMG_%04d.JPG", "P101%04d.JPG", "IMG_0412 (%d).JPG", "Anna %d.jpg", "IMG_20260504_10%04d.jpg", "%d"}
		var photos []Photo
		for i := 0; i+3 < len(data); i += 4 {
			kind, name, number, clock := data[i], data[i+1], int(data[i+2]), int(data[i+3])
			p := Photo{ID: int64(i + 1), Card: Card{Kind: CardKind(kind % 5)}, Group: kind&32 != 0}
			p.File = fmt.Sprintf(names[int(name)%len(names)], (9900+number)%10000)
			if p.Card.Kind == Known {
				p.Card.Subjects = []int64{int64(kind>>5) + 1}
				p.Card.Everyone = kind&64 != 0
			}
			if name&64 != 0 {
				p.Serial = fmt.Sprint(name & 1)
			}
			if clock > 0 {
				p.Taken = time.Unix(int64(clock/4), int64(clock%4)*1000)
			}
			photos = append(photos, p)
		}
		cards := map[int64]Photo{}
		for _, p := range photos {
			if p.Card.Kind == Known {
				cards[p.ID] = p
			}
		}
		r := Assign(photos, cardLast)
		for _, p := range photos {
			w, ok := r.Whose[p.ID]
			card, isCard := cards[w.Card]
			switch {
			case !ok || w.Why == "":
				t.Errorf("nothing is said of %+v", p)
			case p.Card.Kind != NoCard && (w.Why != IsCard || len(w.Subjects) > 0):
				t.Errorf("the card %+v is %+v", p, w)
			case w.Why == ByCard && (!isCard || !slices.Equal(w.Subjects, card.Card.Subjects)):
				t.Errorf("%+v is %+v, by the card %+v", p, w, card)
			case w.Why != ByCard && len(w.Subjects) > 0:
				t.Errorf("%+v is %+v", p, w)
			}
		}
		rand.New(rand.NewPCG(1, uint64(len(data)))).Shuffle(len(photos), func(i, j int) { photos[i], photos[j] = photos[j], photos[i] })
		if again := Assign(photos, cardLast); !reflect.DeepEqual(again, r) {
			t.Errorf("in another order\n%+v\nnot\n%+v", again, r)
		}
	})
}
