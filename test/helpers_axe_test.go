package test

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"sync"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe-core 4.14.1 (npm package axe-core, file axe.min.js, MPL-2.0) finds what makes a page
// hard to use for people who do not see it, or have no mouse. Only tests use it, and it
// is here so that they need no package registry.
//
//go:embed axe.min.js.gz
var axeCompressed []byte

var axe = sync.OnceValues(func() (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(axeCompressed))
	if err != nil {
		return "", err
	}
	source, err := io.ReadAll(r)
	return string(source), err
})

const violations = `axe.run(document, { resultTypes: ['violations'] }).then((r) =>
	(r.passes.length < 10 ? ['axe has looked at nothing'] : []).concat(r.violations.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.map((n) => n.html.slice(0, 120)).join(' | '))))`

// accessible requires that axe finds nothing wrong with the open page.
func (b *browser) accessible(name string) {
	b.t.Helper()
	var found []string
	var there bool
	if b.eval("window.axe !== undefined", &there); !there {
		source, err := axe()
		if err != nil {
			b.t.Fatal(err)
		}
		b.do(chromedp.Evaluate("(() => {"+source+"\n})()", nil))
	}
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	b.do(chromedp.Evaluate(violations, &found, await))
	for _, v := range found {
		b.t.Errorf("%s: %s", name, v)
	}
}
