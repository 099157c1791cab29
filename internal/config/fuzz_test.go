package config

import (
	"strings"
	"testing"
)

// FuzzParse: what is no configuration is an error of one line, and what is one has values
// that other programs can be given.
func FuzzParse(f *testing.F) {
	f.Add(string(Sample()))
	f.Add("upload_dir = \"/srv/a b\"")
	f.Add("[[images.rendition]]\nname = \"large\"\nlongest = 1600\nquality = 85\n")
	f.Add("[upload]\nsettle = \"-1s\"\ndelete_grace = \"9999999h\"\n")
	f.Add("[[webhook]]\nurl = \"http://[::1\"\n")
	f.Add("[web]\nproxies = [\"10.0.0.0/33\"]\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse([]byte(text))
		if err != nil {
			if said := err.Error(); said == "" || strings.Contains(said, "\n") {
				t.Errorf("%q", said)
			}
			return
		}
		for _, dir := range []string{c.UploadDir, c.DataDir, c.RunDir, c.HelperDir, c.SSHD.Config, c.SSHD.DropIn, c.SSHD.KeysDir} {
			if !strings.HasPrefix(dir, "/") || strings.ContainsAny(dir, " \t\r\n\"'\\%") {
				t.Errorf("the path %q", dir)
			}
		}
		if c.UploadDir == c.DataDir || inside(c.UploadDir, c.DataDir) || inside(c.DataDir, c.UploadDir) {
			t.Errorf("uploads in %s, data in %s", c.UploadDir, c.DataDir)
		}
		if c.Upload.Settle < 0 || c.Upload.DeleteGrace < 0 || c.Upload.TrashKeep < 0 || c.Upload.StrayKeep < 0 || len(c.Images.Renditions) == 0 {
			t.Errorf("%+v", c)
		}
		if again := Differences(c, c); len(again) > 0 {
			t.Errorf("it differs from itself: %v", again)
		}
		_, _ = c.Web.ProxyNetworks()
	})
}
