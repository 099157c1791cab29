package config

import (
	"strings"
	"testing"
)

// What is wrong with mail and webhooks is a sentence with the line that it is about.
func TestWrongMailAndWebhooksAreNamedWithTheirLine(t *testing.T) {
	const hook = "[[webhook]]\nname = \"a\"\nurl = \"https://a.example/\"\nsecret_file = \"/s\"\n"
	for text, want := range map[string]string{
		"[notify]\n\nquiet = 30\n":                                                                  "line 3",
		"[notify]\nquiet = \"1ms\"\n":                                                               "line 2: notify.quiet = \"1ms\" is too short",
		"[notify]\ndisk_floor_megabytes = -1\n":                                                     "line 2: notify.disk_floor_megabytes = -1",
		"[mail]\nserver = \"mail.example\"\n":                                                       "line 2: mail.server = \"mail.example\": give the host with its port",
		"[mail]\ntls = \"ssl\"\n":                                                                   "line 2: mail.tls = \"ssl\": use starttls, tls or none",
		"\n[mail]\nserver = \"m.example:25\"\ntls = \"none\"\n":                                     "line 4: mail.tls = \"none\" sends names",
		"[mail]\nserver = \"m.example:25\"\nuser = \"x\"\n":                                         "line 3: mail.user and mail.password_file go together",
		"[mail]\nserver = \"m:25\"\npassword_file = \"/p\"\n":                                       "line 1: mail.user and mail.password_file",
		"[mail]\nserver = \"localhost:25\"\ntls = \"none\"\nuser = \"x\"\npassword_file = \"/p\"\n": "line 4: mail.user with",
		"[mail]\nfrom = \"a b\"\n":                                                                  "line 2: mail.from",
		"[mail]\nfrom = \"A <a@b.example>\"\n":                                                      "line 2: mail.from",
		"[mail]\nca_file = \"ca.pem\"\n":                                                            "line 2: mail.ca_file",
		"[mail]\nevery = \"0s\"\n":                                                                  "line 2: mail.every",
		"[[webhook]]\n":                                                                             "line 1: webhook \"\": give it a name",
		hook + "# x\n" + hook:                                                                       "line 7: webhook \"a\": the name is there twice",
		hook + "[[webhook]]\nname = \"b\"\n":                                                        "line 5: webhook \"b\": url = \"\"",
		hook + "[[webhook]]\nname = \"b\"\nurl = \"ftp://x/\"":                                      "line 7: webhook \"b\": url = \"ftp://x/\"",
		strings.Replace(hook, "https", "http", 1):                                                   "line 3: webhook \"a\": url = \"http://a.example/\": names of jobs",
		strings.Replace(hook, "//a", "//u:p@a", 1):                                                  "line 3: webhook \"a\": the url has a name or password",
		strings.Replace(hook, "\"/s\"", "\"s\"", 1):                                                 "line 4: webhook \"a\": secret_file",
		hook + "ca_file = \"x\"\n":                                                                  "line 5: webhook \"a\": ca_file",
		hook + "sekret = 1\n":                                                                       "line 5: unknown key",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s\n    %v\n    want %s", text, err, want)
		}
	}
	for _, good := range []string{
		hook, strings.Replace(hook, "https://a.example/", "http://127.0.0.1:8080/x", 1), strings.Replace(hook, "https://a.example/", "http://[::1]/x", 1),
		"[mail]\nserver = \"localhost:25\"\ntls = \"none\"\n", "[mail]\nserver = \"[2001:db8::1]:587\"\n",
	} {
		if _, err := Parse([]byte(good)); err != nil {
			t.Errorf("%s\n    %v", good, err)
		}
	}
}
