// Package config reads picday.toml. An empty file is a valid configuration: all keys have
// defaults. An unknown key is an error that names its line.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"picday/internal/areas"
	"picday/internal/rendition"
	"picday/internal/zone"
)

// DefaultPath is read when neither --config nor $PICDAY_CONFIG names a file.
const DefaultPath = "/etc/picday/picday.toml"

// JailGroup is the Unix group of the accounts: sshd jails its members. It is no
// key of the file.
const JailGroup = "picday-sftp"

// Config is the whole configuration. The doc tags are what an admin reads about
// a key, in picday.toml(5) and in the file that the package installs; see keys.go.
type Config struct {
	UploadDir string `toml:"upload_dir" doc:"One folder per account, the root of what it sees over SFTP. This directory and everything above it must belong to root, and only root may write there."`
	DataDir   string `toml:"data_dir" doc:"The catalogue, the key of the links, originals and renditions. Neither directory may lie in the other."`
	RunDir    string `toml:"run_dir" doc:"The socket over which picday asks picdayd what it is doing. It is best on a file system in memory, so that an answer needs no disk; picdayd makes the directory if it may."`
	HelperDir string `toml:"helper_dir" doc:"The sockets of root's helper, which does for operators what [web] may lists. systemd makes them: whoever changes this changes picday-helper.socket and picday-account-helper.socket too."`
	Reserve   int    `toml:"reserve_megabytes" doc:"Room on the disk of data_dir that uploads are not to take: they wait while less is free. A file of that size is kept besides, and deleted when the disk is full, so that the catalogue can always be opened, and a deletion be noted."`
	TimeZone  string `toml:"time_zone" doc:"The time zone of new accounts, by its IANA name: Europe/Berlin. A camera that does not write its own is taken to be set to its account's. Empty = the machine's."`
	Language  string `toml:"language" doc:"en or de: the language of the connection cards of new accounts, and of pages for a browser that prefers neither. An operator chooses another one on the pages."`
	LogLevel  string `toml:"log_level" doc:"What picdayd logs: debug, info, warn or error."`

	Upload   Upload   `toml:"upload" doc:"When an upload counts as complete, and how long things are kept."`
	Images   Images   `toml:"images" doc:"What is decoded. A picture beyond a limit is a problem and not a photo."`
	SSHD     SSHD     `toml:"sshd" doc:"How the machine's own sshd is configured, checked and reloaded."`
	Web      Web      `toml:"web" doc:"What picdayd serves over HTTP. TLS is left to what stands in front of it."`
	Receipts Receipts `toml:"receipts" doc:"What uploaders find in their own SFTP view."`

	Notify Notify `toml:"notify" doc:"What operators are told by mail and programs by webhook. Uploads never wait for either."`
	Mail   Mail   `toml:"mail" doc:"The mail server. An operator gets mail if he has an address: picday operator email."`

	Webhooks []Webhook `toml:"webhook" doc:"One table for each program that is told, as in this example. Deliveries are tried again for a week, in the order of the events of an account."`
}

// Upload says when a file counts as complete and how long things are kept.
type Upload struct {
	Settle       Duration `toml:"settle" doc:"How long an upload must be quiet before it can be a problem. A whole photo that nobody has open is taken after a twentieth of it; what is open or changing is looked at again after longer."`
	SettleUnsure Duration `toml:"settle_unsure" doc:"The same where the file system cannot tell whether a file is still open (NFS, FUSE), and for a picture that lacks nothing but its end marker."`
	DeleteGrace  Duration `toml:"delete_grace" doc:"From the deletion of a file by the uploader to the end of its photo's link. WinSCP deletes a file just before it puts the new one in its place."`
	StrayKeep    Duration `toml:"stray_keep" doc:"Layout portraits: files with a name that is no ID are deleted after this."`
	TrashKeep    Duration `toml:"trash_keep" doc:"How long a photo whose file was deleted can be brought back."`
	Rescan       Duration `toml:"rescan" doc:"How often everything is looked at again."`
	MaxActivity  int      `toml:"max_activity" doc:"How many lines of activity are kept for one account, at least 100; the oldest go first. None is kept for longer than 400 days."`
	MaxFiles     int      `toml:"max_files" doc:"How many files one account may hold, those of active jobs apart. Beyond it what is new waits, and one problem says so; what is there stays, and can be overwritten, moved and deleted."`
	MaxFolders   int      `toml:"max_folders" doc:"How many folders of one account are watched. Beyond it what is new is not looked into, and one problem says so; a folder with files that were taken always is."`
	Individuals  []string `toml:"individuals" doc:"Further names of the folder individuals in an album, of all accounts: [\"Einzel\", \"Einzelfotos\"]. Case does not matter. picday account areas gives one account names of its own. After a change and a restart of picdayd, what is in such folders is looked at again."`
	Group        []string `toml:"group" doc:"The same for the folder group: [\"Gruppe\"]."`
}

// AreaNames are the names of folders that mean an area, for all accounts.
func (u Upload) AreaNames() areas.Names {
	return areas.Names{Individuals: u.Individuals, Group: u.Group}
}

// Images says what renditions are made, and of what: a picture beyond a limit is a
// problem, not decoded. See images.go.
type Images struct {
	Workers    int              `toml:"workers" doc:"How many pictures of one account are decoded at once; 0 = one per core. One decoder more is there for the other accounts."`
	Renditions []rendition.Spec `toml:"rendition" doc:"One table for each size in which every photo is kept; whoever lists one lists all. The first is what <link>.jpg serves. A size that is added or changed is made for the photos that are there already too, in the background."`

	MaxMegapixels            int      `toml:"max_megapixels" doc:"The largest picture, in million pixels."`
	MaxMegapixelsProgressive int      `toml:"max_megapixels_progressive" doc:"The same for progressive JPEGs, which take 6 bytes of memory and more for each pixel."`
	MaxScans                 int      `toml:"max_scans" doc:"The most scans of a progressive JPEG: each visits the whole picture."`
	MaxTrailerMegabytes      int      `toml:"max_trailer_megabytes" doc:"How much may follow the picture in its file, as the film of a motion photo does. Beyond it a file is a problem, and is not read to its end."`
	DecodeTime               Duration `toml:"decode_time" doc:"CPU time for one picture, 1s to 1h."`
	DecodeMegabytes          int      `toml:"decode_megabytes" doc:"Memory for one decoder, and by estimate for all that work at once. At least 256."`
}

// SSHD says how the machine's own sshd is configured, checked and reloaded.
type SSHD struct {
	Config  string   `toml:"config" doc:"Checked with sshd -t and -T before and after every change; never written."`
	DropIn  string   `toml:"drop_in" doc:"The one file that picday writes for sshd. Its configuration must include it, and before any Match that means accounts: in sshd the first one wins."`
	KeysDir string   `toml:"keys_dir" doc:"The accounts' public keys."`
	Reload  []string `toml:"reload" doc:"The command that makes sshd read its configuration again; [] = do not."`
	Host    string   `toml:"host" doc:"Shown on connection cards; empty = the machine's name."`
	Port    int      `toml:"port" doc:"Shown on connection cards, and closed to strangers by picday firewall. It does not change where sshd listens."`
}

// Web says where pictures and pages are served.
type Web struct {
	Public    string `toml:"public" doc:"Address and port for published pictures, which anybody who knows a link may fetch; empty = off."`
	Admin     string `toml:"admin" doc:"Address and port for the administration pages, the API and metrics, all after log-in; empty = off."`
	PublicURL string `toml:"public_url" doc:"How the world reaches the published pictures: the beginning of every link that is shown."`

	Proxies    []string `toml:"proxies" doc:"The web servers in front of picday, as addresses or networks: [\"127.0.0.1\"]. Only they are believed for whom they ask (X-Forwarded-For), and they have no limit of connections for one address. Empty = who connects is who asks."`
	AdminHosts []string `toml:"admin_hosts" doc:"The names by which browsers and programs reach the administration listener: [\"admin.example.com\"]. Every other name is refused, because any name can be made to lead here. Addresses and localhost are always right. Empty = the machine's name and those in sshd.host and web.public_url."`

	May []string `toml:"may" doc:"What else operators may do on the pages, which root's helper does for them: any of job.add, job.remove, trash.restore, account.add, account.passwd, account.key, account.allow, account.disable, account.enable, login.add, login.until, login.remove. Whoever takes picdayd over can do what is listed here, and nothing else that takes root. What is not listed the pages show as a command. Only root may be able to write this file."`

	MayActivate bool `toml:"may_activate" doc:"Operators put jobs on sale and plan them again on the pages; false = only picday job activate and plan do."`
}

// Receipts says whether uploaders are told in their SFTP view what became of their files.
type Receipts struct {
	Enabled bool `toml:"enabled" doc:"picdayd keeps a report of each planned job, or of a school, in the folder _picday of the account: report.txt for people and report.csv for programs. Uploaders can read it, and neither change nor remove it. false = it removes them."`
}

// Duration is a time.Duration written as Go writes it: "90s", "1h30m".
type Duration time.Duration

// UnmarshalText parses the Go notation.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as \"1s\", \"10m\" or \"720h\"", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText is the inverse of UnmarshalText.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.Std().String()), nil }

// Std is the duration as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Default is the configuration of an empty file.
func Default() Config {
	return Config{
		UploadDir: "/srv/picday",
		DataDir:   "/var/lib/picday",
		RunDir:    "/run/picday",
		HelperDir: "/run/picday-helper",
		Reserve:   64,
		Language:  "en",
		LogLevel:  "info",
		Upload: Upload{
			Settle:       Duration(time.Second),
			SettleUnsure: Duration(30 * time.Second),
			DeleteGrace:  Duration(60 * time.Second),
			StrayKeep:    Duration(168 * time.Hour),
			TrashKeep:    Duration(720 * time.Hour),
			Rescan:       Duration(time.Hour),
			MaxActivity:  100_000,
			MaxFiles:     1_000_000,
			MaxFolders:   50_000,
			Individuals:  []string{},
			Group:        []string{},
		},
		Images: Images{
			Renditions: []rendition.Spec{
				{Name: "large", Longest: 1600, Quality: 85},
				{Name: "thumb", Longest: 400, Quality: 80},
			},
			MaxMegapixels:            210, // phones have up to 200
			MaxMegapixelsProgressive: 120, // phones save up to 108 as progressive
			MaxScans:                 64,
			MaxTrailerMegabytes:      64,
			DecodeTime:               Duration(30 * time.Second),
			DecodeMegabytes:          1024,
		},
		SSHD: SSHD{
			Config:  "/etc/ssh/sshd_config",
			DropIn:  "/etc/ssh/sshd_config.d/00-picday.conf",
			KeysDir: "/etc/picday/keys",
			Reload:  []string{"systemctl", "reload", "ssh"},
			Port:    22,
		},
		Web: Web{
			Public:    "127.0.0.1:8480",
			Admin:     "127.0.0.1:8481",
			PublicURL: "http://127.0.0.1:8480",

			May:         []string{},
			MayActivate: true,

			Proxies:    []string{},
			AdminHosts: []string{},
		},
		Receipts: Receipts{Enabled: true},

		Notify: defaultNotify(),
		Mail:   Mail{TLS: "starttls", Every: Duration(5 * time.Minute)},
	}
}

// Load reads the named file. An empty name means $PICDAY_CONFIG, else
// DefaultPath; only the latter may be absent, and then the defaults hold.
func Load(name string) (Config, error) {
	optional := false
	if name == "" {
		name = os.Getenv("PICDAY_CONFIG")
	}
	if name == "" {
		name, optional = DefaultPath, true
	}
	data, err := os.ReadFile(name)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return Default(), nil
	}
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	c, err := Parse(data)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// Parse reads and validates the text of a configuration.
func Parse(data []byte) (Config, error) {
	c := Default()
	// A file that lists renditions lists all of them: the decoder would
	// otherwise append to the defaults.
	c.Images.Renditions = nil
	dec := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return Config{}, explain(err)
	}
	if c.Images.Renditions == nil {
		c.Images.Renditions = Default().Images.Renditions
	}
	for i := range c.Webhooks {
		if c.Webhooks[i].Accounts == nil {
			c.Webhooks[i].Accounts = []string{}
		}
	}
	if err := c.validate(); err != nil {
		return Config{}, withLine(err, data)
	}
	return c, nil
}

// explain turns the decoder's errors into one sentence with a line number.
func explain(err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		e := strict.Errors[0]
		line, _ := e.Position()
		return fmt.Errorf("line %d: unknown key %q", line, strings.Join(e.Key(), "."))
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		line, col := bad.Position()
		return fmt.Errorf("line %d, column %d: %s", line, col, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return err
}

func (c Config) validate() error {
	for key, path := range map[string]string{
		"upload_dir": c.UploadDir, "data_dir": c.DataDir, "run_dir": c.RunDir, "helper_dir": c.HelperDir,
		"sshd.config": c.SSHD.Config, "sshd.drop_in": c.SSHD.DropIn, "sshd.keys_dir": c.SSHD.KeysDir,
	} {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" {
			return fmt.Errorf("%s = %q: give a clean absolute path", key, path)
		}
		// sshd splits its configuration at blanks and expands %, and a
		// quoted path must not end its own quotes.
		if strings.ContainsAny(path, " \t\r\n\"'\\%") {
			return fmt.Errorf("%s = %q: blanks, quotes, backslashes and %% cannot be written into sshd's configuration", key, path)
		}
	}
	if inside(c.DataDir, c.UploadDir) || inside(c.UploadDir, c.DataDir) {
		return fmt.Errorf("upload_dir %q and data_dir %q: keep one out of the other, uploaders can write in the first", c.UploadDir, c.DataDir)
	}
	if inside(c.RunDir, c.UploadDir) {
		return fmt.Errorf("run_dir %q lies in upload_dir %q: keep it out, uploaders can write there", c.RunDir, c.UploadDir)
	}
	if c.Reserve < 1 || c.Reserve > 1<<20 {
		return fmt.Errorf("reserve_megabytes = %d: use 1 to %d", c.Reserve, 1<<20)
	}
	if c.TimeZone != "" {
		if _, err := zone.Load(c.TimeZone); err != nil {
			return fmt.Errorf("time_zone: %w", err)
		}
	}
	if c.Language != "en" && c.Language != "de" {
		return fmt.Errorf("language = %q: use en or de", c.Language)
	}
	switch c.LogLevel {
	case "debug", "info", "warn", "error":
	default:
		return fmt.Errorf("log_level = %q: use debug, info, warn or error", c.LogLevel)
	}
	for key, d := range map[string]Duration{
		"upload.settle": c.Upload.Settle, "upload.settle_unsure": c.Upload.SettleUnsure,
		"upload.delete_grace": c.Upload.DeleteGrace, "upload.stray_keep": c.Upload.StrayKeep,
		"upload.trash_keep": c.Upload.TrashKeep, "upload.rescan": c.Upload.Rescan,
	} {
		// A bare number reads as nanoseconds: trash_keep = 30 must not empty
		// the trash at once.
		if d.Std() < time.Millisecond {
			return fmt.Errorf("%s = %q is too short: give a time with its unit, such as \"1s\", \"10m\" or \"720h\"", key, d.Std())
		}
	}
	if c.Upload.MaxActivity < 100 {
		return fmt.Errorf("upload.max_activity = %d: use 100 or more", c.Upload.MaxActivity)
	}
	if c.Upload.MaxFiles < 1 || c.Upload.MaxFolders < 1 {
		return fmt.Errorf("upload.max_files = %d, upload.max_folders = %d: use 1 or more", c.Upload.MaxFiles, c.Upload.MaxFolders)
	}
	if err := c.Upload.AreaNames().Check(); err != nil {
		return fmt.Errorf("upload.individuals, upload.group: %w", err)
	}
	if c.Images.Workers < 0 || c.Images.Workers > 1024 {
		return fmt.Errorf("images.workers = %d: use 0 (one per core) to 1024", c.Images.Workers)
	}
	if err := c.Images.validateLimits(); err != nil {
		return err
	}
	return c.validateRest()
}

func (c Config) validateRest() error {
	if len(c.Images.Renditions) == 0 {
		return errors.New("images.rendition: list at least one, the first is what is served")
	}
	seen := map[string]bool{}
	for _, r := range c.Images.Renditions {
		if r.Name == "" || strings.Trim(r.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return fmt.Errorf("images.rendition name %q: use a-z, 0-9 and -", r.Name)
		}
		if seen[r.Name] {
			return fmt.Errorf("images.rendition name %q is there twice", r.Name)
		}
		seen[r.Name] = true
		if r.Longest < 16 || r.Longest > 65535 {
			return fmt.Errorf("images.rendition %q: longest = %d, use 16 to 65535 pixels", r.Name, r.Longest)
		}
		if r.Quality < 1 || r.Quality > 100 {
			return fmt.Errorf("images.rendition %q: quality = %d, use 1 to 100", r.Name, r.Quality)
		}
	}
	if c.SSHD.Port < 1 || c.SSHD.Port > 65535 {
		return fmt.Errorf("sshd.port = %d: use 1 to 65535", c.SSHD.Port)
	}
	return errors.Join(c.Web.validate(), c.validateNotify())
}

// inside tells whether path a lies in or is b.
func inside(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/")
}
