package config

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

func (w Web) validate() error {
	for key, addr := range map[string]string{"web.public": w.Public, "web.admin": w.Admin} {
		if addr == "" {
			continue
		}
		_, port, err := net.SplitHostPort(addr)
		if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 {
			return fmt.Errorf("%s = %q: give an address with its port, such as \"127.0.0.1:8480\", or \"\" for none", key, addr)
		}
	}
	if w.Public == w.Admin && w.Public != "" {
		return fmt.Errorf("web.public and web.admin are both %q: give each its own port", w.Public)
	}
	u, err := url.Parse(w.PublicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(w.PublicURL, "?#") || strings.HasSuffix(w.PublicURL, "/") {
		return fmt.Errorf("web.public_url = %q: give the beginning of a link, such as \"https://pics.example.com\", without a slash at its end", w.PublicURL)
	}
	return nil
}
