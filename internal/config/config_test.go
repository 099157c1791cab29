package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"picday/internal/rendition"
)

func TestEmptyFileIsTheDefault(t *testing.T) {
	for _, text := range []string{"", "\n# nothing\n", "[upload]\n[images]\n"} {
		if c, err := Parse([]byte(text)); err != nil || !reflect.DeepEqual(c, Default()) {
			t.Errorf("%q: %+v %v", text, c, err)
		}
	}
}

// Every key, with a value that is not its default.
const everything = `
upload_dir = "/u"
data_dir = "/d"
run_dir = "/r"
helper_dir = "/h"
reserve_megabytes = 5
time_zone = "Asia/Kathmandu"
language = "de"
log_level = "debug"
[upload]
settle = "2s"
settle_unsure = "1m"
delete_grace = "3s"
stray_keep = "24h"
trash_keep = "48h"
rescan = "5m"
max_activity = 5000
max_files = 6000
max_folders = 700
individuals = ["Einzel"]
group = ["Gruppe"]
[images]
max_megapixels = 200
max_megapixels_progressive = 50
max_scans = 10
max_trailer_megabytes = 7
decode_time = "5s"
decode_megabytes = 512
workers = 3
[[images.rendition]]
name = "only"
longest = 100
quality = 50
[sshd]
config = "/s/config"
drop_in = "/s/drop_in"
keys_dir = "/s/keys"
reload = []
host = "pics.example"
port = 2222
[web]
public = ""
admin = "127.0.0.1:1"
public_url = "https://pics.example"
proxies = ["127.0.0.1", "10.1.2.3/24"]
admin_hosts = ["admin.example"]
may = ["job.add"]
may_activate = false
[receipts]
enabled = false
[notify]
quiet = "2m"
problem_age = "5h"
waiting = "30m"
disk_floor_megabytes = 7
keep = "100h"
[mail]
server = "mail.example:465"
tls = "tls"
ca_file = "/ca.pem"
user = "picday"
password_file = "/password"
from = "photos@example.org"
every = "1m"
[[webhook]]
name = "shop"
url = "https://shop.example/x?y=z"
secret_file = "/secret"
ca_file = "/ca.pem"
accounts = ["acme"]
`

func TestEveryKeyIsRead(t *testing.T) {
	c, err := Parse([]byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		UploadDir: "/u", DataDir: "/d", RunDir: "/r", HelperDir: "/h", Reserve: 5, TimeZone: "Asia/Kathmandu", Language: "de", LogLevel: "debug",
		Upload: Upload{
			Duration(2 * time.Second), Duration(time.Minute), Duration(3 * time.Second),
			Duration(24 * time.Hour), Duration(48 * time.Hour), Duration(5 * time.Minute), 5000, 6000, 700,
			[]string{"Einzel"},
			[]string{"Gruppe"},
		},
		Images: Images{3, []rendition.Spec{{Name: "only", Longest: 100, Quality: 50}}, 200, 50, 10, 7, Duration(5 * time.Second), 512},
		SSHD:   SSHD{"/s/config", "/s/drop_in", "/s/keys", []string{}, "pics.example", 2222},
		Web:    Web{"", "127.0.0.1:1", "https://pics.example", []string{"127.0.0.1", "10.1.2.3/24"}, []string{"admin.example"}, []string{"job.add"}, false},
		Notify: Notify{Duration(2 * time.Minute), Duration(5 * time.Hour), Duration(30 * time.Minute), 7, Duration(100 * time.Hour)},
		Mail:   Mail{"mail.example:465", "tls", "/ca.pem", "picday", "/password", "photos@example.org", Duration(time.Minute)},

		Webhooks: []Webhook{{"shop", "https://shop.example/x?y=z", "/secret", "/ca.pem", []string{"acme"}}},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v\nwant\n%+v", c, want)
	}
	// A key added to Config must be added to the text above.
	differs(t, "", reflect.ValueOf(c), reflect.ValueOf(Default()))
}

func differs(t *testing.T, name string, a, b reflect.Value) {
	if a.Kind() == reflect.Struct {
		for i := range a.NumField() {
			differs(t, name+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	} else if reflect.DeepEqual(a.Interface(), b.Interface()) {
		t.Errorf("%s is not in the text, or has its default there", name)
	}
}

// What is wrong is said in one line that names the key, or the place.
func TestMistakesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"log_level = \"info\"\nnonsense = 1":                              `line 2: unknown key "nonsense"`,
		"[upload]\nsettel = \"1s\"":                                       `line 2: unknown key "upload.settel"`,
		"[[images.rendition]]\nname = \"a\"\nsize = 1":                    `line 3: unknown key "images.rendition.size"`,
		"log_level = \"info\"\nlog_level = \"warn\"":                      "line 2",
		"[upload]\n[upload]":                                              "line 2",
		"upload_dir = ":                                                   "line 1",
		"[upload]\nsettle = \"soon\"":                                     `"soon" is not a duration`,
		"[upload]\n\ntrash_keep = 30":                                     `upload.trash_keep = "30ns" is too short: give a time with its unit`,
		"[upload]\ndelete_grace = \"0s\"":                                 `upload.delete_grace = "0s"`,
		"[upload]\nstray_keep = \"-1h\"":                                  `upload.stray_keep = "-1h0m0s"`,
		"[upload]\nsettle = \"9999999h\"":                                 `"9999999h" is not a duration`,
		"upload_dir = \"pics\"":                                           `upload_dir = "pics": give a clean absolute path`,
		"upload_dir = \"\"":                                               `upload_dir = ""`,
		"upload_dir = \"/\"":                                              `upload_dir = "/"`,
		"data_dir = \"/a/../b\"":                                          `data_dir = "/a/../b"`,
		"upload_dir = \"/my pics\"":                                       "upload_dir",
		"upload_dir = \"/a%u\"":                                           "upload_dir",
		"[sshd]\ndrop_in = \"/a\\nSubsystem\"":                            "sshd.drop_in",
		"data_dir = \"/srv/picday/data\"":                                 "keep one out of the other",
		"data_dir = \"/srv\"":                                             "keep one out of the other",
		"run_dir = \"/srv/picday/run\"":                                   "run_dir \"/srv/picday/run\" lies in upload_dir",
		"reserve_megabytes = 0":                                           "reserve_megabytes = 0: use 1 to",
		"time_zone = \"CEST\"":                                            "time_zone: \"CEST\" is not a time zone",
		"language = \"fr\"":                                               `language = "fr": use en or de`,
		"log_level = \"loud\"":                                            `log_level = "loud": use debug, info, warn or error`,
		"[images]\nworkers = -1":                                          "images.workers = -1",
		"[images]\nrendition = []":                                        "images.rendition: list at least one",
		"[[images.rendition]]\nname = \"a/b\"":                            `images.rendition name "a/b"`,
		"[[images.rendition]]\nlongest = 100":                             `images.rendition name ""`,
		"[[images.rendition]]\nname = \"a\"\nquality = 9":                 `"a": longest = 0`,
		"[[images.rendition]]\nname = \"a\"\nlongest = 99\nquality = 101": `"a": quality = 101`,
		"[[images.rendition]]\nname=\"a\"\nlongest=99\nquality=1\n[[images.rendition]]\nname=\"a\"\nlongest=99\nquality=1": `"a" is there twice`,
		"[sshd]\nport = 0":                                 "sshd.port = 0",
		"[web]\npublic = \"8480\"":                         `web.public = "8480": give an address with its port`,
		"[web]\nadmin = \":http\"":                         `web.admin = ":http": give an address with its port`,
		"[web]\nadmin = \"h:0\"":                           `web.admin = "h:0"`,
		"[web]\npublic = \"h:1\"\nadmin = \"h:1\"":         "web.public and web.admin are both",
		"[web]\npublic_url = \"pics.example\"":             `web.public_url = "pics.example"`,
		"[web]\npublic_url = \"https://pics.example/\"":    "without a slash at its end",
		"[web]\npublic_url = \"javascript:alert(1)\"":      "web.public_url",
		"[web]\npublic_url = \"https://pics.example?a=b\"": "web.public_url",
		"[web]\nproxies = [\"nginx\"]":                     `web.proxies has "nginx": give addresses or networks`,
		"[web]\nproxies = [\"fe80::1%eth0\"]":              `web.proxies has "fe80::1%eth0"`,
		"[web]\nproxies = [\"::/0\"]":                      `web.proxies has "::/0", which is everybody`,
		"[web]\nadmin_hosts = [\"https://a.example\"]":     `web.admin_hosts has "https://a.example": give names`,
		"[web]\nadmin_hosts = [\"a.example:8481\"]":        "without a port",
		"[sshd]\nport = 99999":                             "sshd.port = 99999",
		"[sshd]\nreload = \"ssh\"":                         "line 2",
		"\x00\x01\xff\xfe":                                 "line 1",
	} {
		_, err := Parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q:\n%v\nwant %s", text, err, want)
		}
	}
}

func TestHugeAndBinaryInput(t *testing.T) {
	for name, data := range map[string][]byte{
		"comment":   append([]byte("#"), bytes.Repeat([]byte("x"), 5<<20)...),
		"key":       bytes.Repeat([]byte("x"), 5<<20),
		"zeros":     make([]byte, 1<<20),
		"brackets":  bytes.Repeat([]byte("["), 1<<20),
		"nested":    append([]byte("x = "), bytes.Repeat([]byte("["), 5000)...),
		"not UTF-8": []byte("log_level = \"\xff\""),
	} {
		_, err := Parse(data)
		if (err == nil) != (name == "comment") {
			t.Errorf("%s: %.100v", name, err)
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%s: a message of %d bytes", name, len(err.Error()))
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "picday.toml")
	if err := os.WriteFile(file, []byte("log_level = \"warn\""), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PICDAY_CONFIG", file)
	if c, err := Load(""); err != nil || c.LogLevel != "warn" {
		t.Errorf("from the environment: %+v %v", c, err)
	}
	t.Setenv("PICDAY_CONFIG", filepath.Join(dir, "nothing"))
	if _, err := Load(""); err == nil {
		t.Error("a file that was named must be there")
	}
	if c, err := Load(file); err != nil || c.LogLevel != "warn" {
		t.Errorf("named: %+v %v", c, err)
	}
	if err := os.WriteFile(file, []byte("bad = 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.HasPrefix(err.Error(), file+": line 1: ") {
		t.Errorf("%v", err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a directory was read")
	}
}

func TestProxyNetworks(t *testing.T) {
	got, err := Web{Proxies: []string{"127.0.0.1", "10.1.2.3/24", "::1", "2001:db8::5/56"}}.ProxyNetworks()
	if want := "[127.0.0.1/32 10.1.2.0/24 ::1/128 2001:db8::/56]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v %v, want %s", got, err, want)
	}
}
