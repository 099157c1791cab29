// Command screenshots makes the pictures for the screenshots of the README, and then the
// screenshots, of the pages of an installation that has taken in these pictures.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func main() {
	err := fmt.Errorf("usage: screenshots camera DIR | screenshots pages URL PASSWORD DIR")
	switch {
	case len(os.Args) == 3 && os.Args[1] == "camera":
		err = camera(os.Args[2])
	case len(os.Args) == 5 && os.Args[1] == "pages":
		err = pages(os.Args[2], os.Args[3], os.Args[4])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

// pages logs in as the operator demo and saves the screenshots.
func pages(url, password, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		return err
	}
	defer os.RemoveAll(profile)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "en-GB"))
	ctx, end := chromedp.NewExecAllocator(context.Background(), options...)
	defer end()
	ctx, end = chromedp.NewContext(ctx)
	defer end()
	ctx, end = context.WithTimeout(ctx, 3*time.Minute)
	defer end()
	if err := chromedp.Run(ctx, chromedp.Navigate(url+"/login"), chromedp.WaitReady("#name"),
		chromedp.SendKeys("#name", "demo"), chromedp.SendKeys("#password", password), chromedp.Click("main button"), chromedp.WaitReady(".arriving li")); err != nil {
		return err
	}
	for _, page := range []struct {
		name, path, wait string
		width, height    int64
		scheme           string
	}{
		{"overview", "/", ".arriving li", 1200, 800, "light"},
		{"album", "/jobs/acme/autumn-2026/Class%201", ".grid img", 1200, 800, "light"},
		{"problems", "/problems", ".problems", 1200, 800, "dark"},
		{"photo", "", "figure img", 390, 844, "light"},
	} {
		actions := []chromedp.Action{
			emulation.SetDeviceMetricsOverride(page.width, page.height, 1, page.width < 500),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: page.scheme}}),
		}
		if page.path == "" { // the first photo of the album
			actions = append(actions, chromedp.Navigate(url+"/jobs/acme/autumn-2026/Class%201"), chromedp.Click(".grid a", chromedp.ByQuery))
		} else {
			actions = append(actions, chromedp.Navigate(url+page.path))
		}
		var png []byte
		actions = append(actions, chromedp.WaitVisible(page.wait, chromedp.ByQuery),
			chromedp.Poll(`document.readyState === 'complete' && [...document.images].every((i) => i.loading === 'lazy' && !i.complete && i.getBoundingClientRect().top > innerHeight || i.complete && i.naturalWidth > 0)`, nil),
			chromedp.CaptureScreenshot(&png))
		if err := chromedp.Run(ctx, actions...); err != nil {
			return fmt.Errorf("%s: %w", page.name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, page.name+".png"), png, 0o644); err != nil {
			return err
		}
	}
	return nil
}
