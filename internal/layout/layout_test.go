package layout

import (
	"strings"
	"testing"
)

var (
	jobsRules      = Rules{Kind: Jobs, Account: "acme"}
	portraitsRules = Rules{Kind: Portraits, Account: "lincoln"}
)

func album(job, album, area, file string) Meaning {
	return Meaning{What: Picture, Job: job, Album: album, Area: area, File: file}
}

func TestJobs(t *testing.T) {
	noise := Meaning{}
	for path, want := range map[string]Meaning{
		"job1/A/x.jpg":                     album("job1", "A", Individuals, "x.jpg"),
		"job1/Class 1/individuals/I_1.JPG": album("job1", "Class 1", Individuals, "I_1.JPG"),
		"job1/A/INDIVIDUALS/x.JpEg":        album("job1", "A", Individuals, "x.JpEg"),
		"job1/A/Group/x.jpeg":              album("job1", "A", Group, "x.jpeg"),
		"job1/A/x.JFIF":                    album("job1", "A", Individuals, "x.JFIF"),
		"job1/group 1/x.jpg":               album("job1", "group 1", Individuals, "x.jpg"),
		"job1/group/x.jpg":                 album("job1", "group", Individuals, "x.jpg"),
		"job1/individuals/group/x.jpg":     album("job1", "individuals", Group, "x.jpg"),
		"job1/A.jpg/x.jpg":                 album("job1", "A.jpg", Individuals, "x.jpg"),
		"job1/A/..jpg.jpg":                 noise,
		"job1/Mu\u0308ller/x.jpg":          album("job1", "M\u00fcller", Individuals, "x.jpg"),
		"job1/M\xfcller/x.jpg":             album("job1", `M\xfcller`, Individuals, "x.jpg"),
		"job1/a\nb/x\x1b[2J.jpg":           album("job1", `a\x0ab`, Individuals, `x\x1b[2J.jpg`),
		"job1/ /x.jpg":                     album("job1", " ", Individuals, "x.jpg"),

		"x.jpg":                {What: Problem, File: "x.jpg", Reason: NoAlbum},
		"job1/x.jpg":           {What: Problem, Job: "job1", File: "x.jpg", Reason: NoAlbum},
		"job1/x.png":           {What: Problem, Job: "job1", File: "x.png", Reason: NoAlbum},
		"job1/A/other/x.jpg":   {What: Problem, Job: "job1", Album: "A", File: "x.jpg", Reason: UnknownFolder},
		"job1/A/group /x.jpg":  {What: Problem, Job: "job1", Album: "A", File: "x.jpg", Reason: UnknownFolder},
		"job1/A/group/b/x.jpg": {What: Problem, Job: "job1", Album: "A", File: "x.jpg", Reason: UnknownFolder},
		"job1/A/x.png":         {What: Problem, Job: "job1", Album: "A", Area: Individuals, File: "x.png", Reason: NotJPEG},
		"job1/A/group/x.jpg2":  {What: Problem, Job: "job1", Album: "A", Area: Group, File: "x.jpg2", Reason: NotJPEG},
		"job1/A/jpg":           {What: Problem, Job: "job1", Album: "A", Area: Individuals, File: "jpg", Reason: NotJPEG},
		"job1/A/group":         {What: Problem, Job: "job1", Album: "A", Area: Individuals, File: "group", Reason: NotJPEG},

		"job1/A/1/2/3/4/5/y.jpg":   {What: Problem, Job: "job1", Album: "A", File: "y.jpg", Reason: UnknownFolder},
		"job1/A/1/2/3/4/5/6/y.jpg": noise, "job1/A/x" + strings.Repeat("/x", 5000): noise,

		"": noise, "/": noise, "/job1/A/x.jpg": noise, "job1//x.jpg": noise, "job1/A/x.jpg/": noise,
		"../A/x.jpg": noise, "job1/../x.jpg": noise, "job1/./x.jpg": noise, "job1/A/x\x00.jpg": noise,
		"job1/A/.jpg": noise, "job1/A/._x.jpg": noise, "job1/.x/x.jpg": noise, ".x/A/x.jpg": noise,
		"job1/A/@eaDir/x.jpg": noise, "job1/__MACOSX/A/x.jpg": noise, "job1/A/x.jpg.filepart": noise,
		"job1/A/1/2/3/4/5/@eaDir/x.jpg": noise, "job1/._x.jpg": noise,
	} {
		if got := jobsRules.Of(path); got != want {
			t.Errorf("Of(%q)\n got %+v\nwant %+v", path, got, want)
		}
	}
}

func TestPortraits(t *testing.T) {
	const in = "lincoln/user-pictures/"
	for path, want := range map[string]Meaning{
		in + "201212012.jpg":                      {What: Picture, Person: "201212012", File: "201212012.jpg"},
		in + "0012.JPG":                           {What: Picture, Person: "0012", File: "0012.JPG"},
		in + "0012.jpeg":                          {What: Picture, Person: "0012", File: "0012.jpeg"},
		in + "0012.jfif":                          {What: Picture, Person: "0012", File: "0012.jfif"},
		in + strings.Repeat("9", 32) + ".jpg":     {What: Picture, Person: strings.Repeat("9", 32), File: strings.Repeat("9", 32) + ".jpg"},
		in + strings.Repeat("9", 33) + ".jpg":     {What: Problem, File: strings.Repeat("9", 33) + ".jpg", Reason: BadName},
		in + "12a.jpg":                            {What: Problem, File: "12a.jpg", Reason: BadName},
		in + " 12.jpg":                            {What: Problem, File: " 12.jpg", Reason: BadName},
		in + "12 (1).jpg":                         {What: Problem, File: "12 (1).jpg", Reason: BadName},
		in + "12.jpg.jpg":                         {What: Problem, File: "12.jpg.jpg", Reason: BadName},
		in + "12\n.jpg":                           {What: Problem, File: `12\x0a.jpg`, Reason: BadName},
		in + "\u0661\u0662.jpg":                   {What: Problem, File: "\u0661\u0662.jpg", Reason: BadName},
		in + "12.png":                             {What: Problem, File: "12.png", Reason: BadName},
		in + "12":                                 {What: Problem, File: "12", Reason: BadName},
		in + "class/12.jpg":                       {What: Problem, File: "12.jpg", Reason: BadName},
		in + "a/b/c/d/12.jpg":                     {What: Problem, File: "12.jpg", Reason: BadName},
		in + ".jpg":                               {},
		in + "._12.jpg":                           {},
		in + "12.jpg.1a2b3c4d.partial":            {},
		in:                                        {},
		"lincoln/12.jpg":                          {What: Problem, File: "12.jpg", Reason: UnknownFolder},
		"lincoln/User-Pictures/12.jpg":            {What: Problem, File: "12.jpg", Reason: UnknownFolder},
		"other/user-pictures/12.jpg":              {What: Problem, File: "12.jpg", Reason: UnknownFolder},
		"12.jpg":                                  {What: Problem, File: "12.jpg", Reason: UnknownFolder},
		"lincoln/user-pictures":                   {What: Problem, File: "user-pictures", Reason: UnknownFolder},
		"lincoln/user-pictures/../other/12.jpg":   {},
		"/lincoln/user-pictures/12.jpg":           {},
		"lincoln/user-pictures/@EADIR/12.jpg":     {},
		"lincoln/user-pictures/\u202e12gpj.2.jpg": {What: Problem, File: `\xe2\x80\xae12gpj.2.jpg`, Reason: BadName},
	} {
		if got := portraitsRules.Of(path); got != want {
			t.Errorf("Of(%q)\n got %+v\nwant %+v", path, got, want)
		}
	}
	if got := (Rules{Kind: "other"}).Of("a/b/c.jpg"); got != (Meaning{}) {
		t.Errorf("unknown layout: got %+v", got)
	}
}

func TestFromRoot(t *testing.T) {
	for _, c := range []struct {
		kind                Kind
		account, path, want string
	}{
		{Portraits, "lincoln", "user-pictures/12.jpg", "lincoln/user-pictures/12.jpg"},
		{Portraits, "lincoln", "lincoln/user-pictures/12.jpg", "lincoln/user-pictures/12.jpg"},
		{Portraits, "lincoln", "12.jpg", "12.jpg"},
		{Portraits, "user-pictures", "user-pictures/12.jpg", "user-pictures/12.jpg"}, // cannot be told
		{Jobs, "acme", "user-pictures/12.jpg", "user-pictures/12.jpg"},
	} {
		if got := FromRoot(c.kind, c.account, c.path); got != c.want {
			t.Errorf("%s, %s: %s is %s", c.kind, c.account, c.path, got)
		}
	}
}

func TestScanAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { jobsRules.Of("job00001/Class 1/individuals/IMG_0001.jpg") }); n != 0 {
		t.Errorf("Of allocates %v times for a plain path", n)
	}
}

func BenchmarkOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		jobsRules.Of("job00001/Class 1/individuals/IMG_0001.jpg")
	}
}
