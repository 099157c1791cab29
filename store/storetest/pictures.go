package storetest

import (
	"bytes"
	"image"
	"image/jpeg"

	"github.com/nfnt/resize"

	"picday/internal/testphoto"
)

// Pictures makes n different ones: two portraits for each landscape.
func Pictures(n int) []Picture {
	all := make([]Picture, n)
	for i := range all {
		p := Picture{Width: 4000, Height: 6000, LargeW: 800, LargeH: 1200, ThumbW: 267, ThumbH: 400}
		if i%3 == 2 {
			p = Picture{Width: 6000, Height: 4000, LargeW: 1200, LargeH: 800, ThumbW: 400, ThumbH: 267}
		}
		p.Large = testphoto.Make(testphoto.Spec{Width: p.LargeW, Height: p.LargeH, Seed: uint64(i + 1), Quality: 80, Noise: 30})
		img, _, err := image.Decode(bytes.NewReader(p.Large))
		if err != nil {
			panic(err) // our own bytes
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, resize.Resize(uint(p.ThumbW), uint(p.ThumbH), img, resize.Bilinear), nil); err != nil {
			panic(err)
		}
		p.Thumb = b.Bytes()
		all[i] = p
	}
	return all
}

// Hostile are names that must appear as text.
var Hostile = []string{`script>.jpg`, `"><img src=x onerror=alert(1)>.jpg`, `'; alert(1) ;'.jpg`, `{{.Operator}} ${1}.jpg`, `Überraschung & Söhne 100%.jpg`}

// Season is what a photo office has after one: studios with jobs, the first
// with an album of many photos, and two schools.
func Season() Plan {
	plan := Plan{Pictures: Pictures(24)}
	for _, name := range []string{"acme", "brightside", "klick"} {
		a := Account{Name: name, Layout: "jobs", Problem: 4}
		for j := range 14 {
			job := Job{Name: jobName(j)}
			if j%3 == 1 {
				job.State = "active"
			}
			for c := range 2 + j%5 {
				job.Albums = append(job.Albums, Album{Name: "Class " + string(rune('1'+c/2)) + string(rune('a'+c%2)), Individuals: 30 + 3*c, Group: c % 4})
			}
			if name == "acme" && j == 0 {
				job.Albums = append(job.Albums,
					Album{Name: "Everybody", Individuals: 5000, Group: 12},
					Album{Name: `<b>"Odd" & 'ends' <script>alert(1)<`, Files: Hostile})
			}
			a.Jobs = append(a.Jobs, job)
		}
		plan.Accounts = append(plan.Accounts, a)
	}
	return Plan{Pictures: plan.Pictures, Accounts: append(plan.Accounts,
		Account{Name: "lincoln", Layout: "portraits", People: 3000, Problem: 3}, Account{Name: "meadow", Layout: "portraits", People: 3000})}
}

func jobName(i int) string {
	return "job000" + string(rune('0'+i/10)) + string(rune('0'+i%10))
}
