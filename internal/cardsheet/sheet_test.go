package cardsheet

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/multi/qrcode"
	single "github.com/makiuchi-d/gozxing/qrcode"

	"picday/internal/codes"
)

// A code of ours is a QR code of version 2, and is read as what it says; another one is
// as large as it has to be.
func TestACardSaysItsCode(t *testing.T) {
	for code, modules := range map[string]int{codes.New(): 25, "12345": 25, "abc": 25, "K7Q2-M4XF-9RTD-AAAAA": 25, "K7Q2-M4XF-9RTD-AAAAAA": 29, "https://x.example/ü/K7Q2": 33} {
		s, err := squareOf(code)
		if err != nil {
			t.Fatal(err)
		}
		if len(s) != modules {
			t.Errorf("%s: %d modules, not %d", code, len(s), modules)
		}
		const scale = 4
		m := image.NewGray(image.Rect(0, 0, scale*(len(s)+8), scale*(len(s)+8)))
		for i := range m.Pix {
			m.Pix[i] = 255
		}
		s.runs(func(x, y, n int) {
			for dx := range n * scale {
				for dy := range scale {
					m.SetGray((x+4)*scale+dx, (y+4)*scale+dy, color.Gray{})
				}
			}
		})
		bitmap, err := gozxing.NewBinaryBitmapFromImage(m)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := single.NewQRCodeReader().Decode(bitmap, nil); err != nil || codes.Key(r.GetText()) != codes.Key(code) {
			t.Errorf("%s: %v, %v", code, r, err)
		}
	}
}

// The sheets of a PDF have every card with its text, as another program shows them, and
// are the same bytes each time.
func TestThePDFHasEveryCard(t *testing.T) {
	for _, tool := range []string{"pdftoppm", "pdftotext"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("poppler-utils are not installed")
		}
	}
	var cards []Card
	for i := range 9 {
		cards = append(cards, Card{Code: fmt.Sprintf("CARD-%d", i), Name: fmt.Sprintf("Łucja Müller-Özdemir Άννα %d", i), Class: "5b"})
	}
	cards[8].Name = strings.Repeat("Long Name ", 30)
	for _, per := range PerSheet {
		var first, again bytes.Buffer
		if err := PDF(&first, "Cards", cards, per); err != nil {
			t.Fatal(err)
		}
		if err := PDF(&again, "Cards", cards, per); err != nil || !bytes.Equal(first.Bytes(), again.Bytes()) {
			t.Errorf("%d to a sheet: other bytes, %v", per, err)
		}
		file := filepath.Join(t.TempDir(), "cards.pdf")
		if err := os.WriteFile(file, first.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := exec.Command("pdftotext", file, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			if want := fmt.Sprintf("Łucja Müller-Özdemir Άννα %d", i); !strings.Contains(strings.Join(strings.Fields(string(text)), " "), want) {
				t.Errorf("%d to a sheet: %s is not in\n%s", per, want, text)
			}
		}
		if per != 1 && per != 8 {
			continue
		}
		if out, err := exec.Command("pdftoppm", "-r", "60", "-png", file, strings.TrimSuffix(file, ".pdf")).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		seen := map[string]bool{}
		pages, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*.png"))
		if err != nil || len(pages) != (9+per-1)/per {
			t.Errorf("%d to a sheet: %d pages, %v", per, len(pages), err)
		}
		for _, p := range pages {
			for _, text := range read(t, p) {
				seen[text] = true
			}
		}
		if len(seen) != 9 {
			t.Errorf("%d to a sheet: %v", per, seen)
		}
	}
}

func read(t *testing.T, file string) (texts []string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		t.Fatal(err)
	}
	all, err := qrcode.NewQRCodeMultiReader().DecodeMultiple(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		t.Errorf("%s: %v", file, err)
	}
	for _, r := range all {
		texts = append(texts, r.GetText())
	}
	return texts
}

// The page for browsers has every card, and takes no name for markup.
func TestThePageHasEveryCard(t *testing.T) {
	var b bytes.Buffer
	cards := []Card{{"A1", "<b>Ann</b>", "5a"}, {"A2", "Bo", "5a"}, {"A3", "Cy", "5b"}}
	if err := HTML(&b, "Cards", cards, 2); err != nil {
		t.Fatal(err)
	}
	if page := b.String(); strings.Count(page, "<section>") != 2 || strings.Count(page, "<article>") != 3 || strings.Contains(page, "<b>") || !strings.Contains(page, "<code>A3</code>") {
		t.Error(page)
	}
	if err := HTML(&b, "", cards, 3); err == nil {
		t.Error("3 cards to a sheet")
	}
}
