package decoder

import (
	"bytes"
	"testing"

	"picday/internal/photo"
	testphoto "picday/internal/test/photo"
)

// QR codes are read in a confined child, in the pictures of those accounts for which they
// are asked for; what it says is what package photo says, and renditions are the same.
func TestCodesAreReadInAChild(t *testing.T) {
	p := start(t, Options{Codes: func(account string) bool { return account == "studio" }})
	pic := testphoto.MakeCards(testphoto.Spec{Width: 2400, Height: 1600, Orientation: 6, Noise: 40}, testphoto.Card{Text: "K7Q2", Edge: 0.15, X: 0.25, Y: 0.5, Turn: 90})
	f, facts := file(t, pic)
	_, with, err := p.Render(t.Context(), "studio", f, facts, sizes)
	if err != nil || with.Codes == nil || len(with.Codes.Codes) != 1 || with.Codes.Codes[0].Text != "K7Q2" || with.Codes.Unread {
		t.Fatalf("%+v, %v", with.Codes, err)
	}
	// Stored left of the middle, so seen above it.
	if at := with.Codes.Codes[0].Corners[0]; at.X < 0.3 || at.X > 0.7 || at.Y < 0.1 || at.Y > 0.4 {
		t.Errorf("its upper left corner is at %+v", at)
	}
	_, without, err := p.Render(t.Context(), "school", f, facts, sizes)
	if err != nil || without.Codes != nil {
		t.Fatal(without.Codes, err)
	}
	want, err := photo.Render(bytes.NewReader(pic), photo.ReadMeta(bytes.NewReader(pic)), facts, photo.Limits{}, sizes)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want.Renditions {
		if !bytes.Equal(want.Renditions[i].JPEG, with.Renditions[i].JPEG) || !bytes.Equal(want.Renditions[i].JPEG, without.Renditions[i].JPEG) {
			t.Errorf("%s differs", want.Renditions[i].Name)
		}
	}
}
