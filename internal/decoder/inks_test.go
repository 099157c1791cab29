package decoder

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	"picday/internal/photo"
)

// A confined child opens no library any more: what it needs for CMYK it must have.
func TestInksInAChild(t *testing.T) {
	if _, err := exec.LookPath("vips"); err != nil {
		t.Skip("needs libvips-tools")
	}
	dir := t.TempDir()
	rgb, cmyk := filepath.Join(dir, "rgb.jpg"), filepath.Join(dir, "cmyk.jpg")
	if err := os.WriteFile(rgb, portrait(), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("vips", "icc_transform", rgb, cmyk, "cmyk", "--input-profile", "srgb").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	pic, err := os.ReadFile(cmyk)
	if err != nil {
		t.Fatal(err)
	}
	f, facts := file(t, pic)
	_, got, err := start(t, Options{}).Render(t.Context(), "acme", f, facts, sizes)
	if err != nil {
		t.Fatal(err)
	}
	want, err := photo.Render(bytes.NewReader(pic), photo.ReadMeta(bytes.NewReader(pic)), facts, photo.DefaultLimits, sizes)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("not what photo makes of it: %v", err)
	}
}
