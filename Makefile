# What a newcomer guesses. Every target does its own set-up on a Debian or
# Ubuntu that has Go.

GO    ?= go
BIN    = bin
DEPS   = packaging/deps.sh

BUILD_DEPS = gcc libc6-dev libjpeg-dev liblcms2-dev
RUN_DEPS   = openssh-server openssh-client passwd
TEST_DEPS  = $(RUN_DEPS) openssh-sftp-server putty-tools lftp rclone curl util-linux procps iproute2 sshfs fuse3 e2fsprogs xfsprogs btrfs-progs mount nftables nginx-light caddy man-db mandoc bash-completion zsh fish chromium libimage-exiftool-perl libjpeg-turbo-progs libvips-tools
PACKAGE_TEST_DEPS = git dpkg-dev mmdebstrap systemd-container lintian piuparts rpm binutils sshpass
PEER_DEPS  = libjpeg-turbo-progs libvips-dev libvips-tools libimage-exiftool-perl sqlite3 pkg-config findutils wrk nginx-light caddy inotify-tools proftpd-core proftpd-mod-crypto

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT     = mvdan.cc/gofumpt@v0.12.0

.PHONY: build help man demo screenshots test check bench torture fuzz install test-deps deb rpm release test-package clean

build: ## the two programs, their manual pages and completion, in bin/
	@$(DEPS) $(BUILD_DEPS)
	GO='$(GO)' packaging/compile.sh "$$(packaging/version.sh)" $(BIN)/
	@SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null)} packaging/man.sh $(BIN) $(BIN)

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

man: build ## the manual pages, in bin/man: man -l bin/man/picday.1.gz

demo: build ## the main job, on a private sshd; leaves nothing behind
	@$(DEPS) $(RUN_DEPS) sshpass util-linux curl
	@$(GO) build -o $(BIN)/ ./test/demo/photos
	@test/demo/demo.sh

screenshots: build ## docs/screenshots, of the pages of a private installation
	@$(DEPS) $(RUN_DEPS) sshpass util-linux chromium pngquant
	@$(GO) build -o $(BIN)/ ./test/demo/screenshots
	@test/demo/screenshots.sh

test-deps: ## what tests need: real clients, web servers, a browser; for running one test by itself
	@$(DEPS) $(BUILD_DEPS) $(TEST_DEPS)

test: test-deps ## everything that must hold; as root also what needs real Unix accounts
	@[ "$$(id -u)" != 0 ] || $(DEPS) $(PACKAGE_TEST_DEPS)
	@test/run.sh

check: ## vet, staticcheck, gofumpt, import floors, file size
	@$(DEPS) $(BUILD_DEPS)
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	@unformatted=$$($(GO) run $(GOFUMPT) -l .); \
	if [ -n "$$unformatted" ]; then echo "gofumpt these:"; echo "$$unformatted"; exit 1; fi
	$(GO) test -count=1 ./internal

bench: ## the numbers of docs/benchmarks.md, measured on this machine
	@$(DEPS) $(BUILD_DEPS) $(TEST_DEPS) $(PEER_DEPS)
	@test/bench/run.sh

torture: ## the long proofs
	@$(DEPS) $(BUILD_DEPS) $(TEST_DEPS)
	@PICDAY_TORTURE=1 $(GO) test -count=1 -timeout 80m ./...

FUZZTIME = 1m

fuzz: ## every fuzz target for FUZZTIME each, what they find stays as a test case
	@$(DEPS) $(BUILD_DEPS)
	@test/fuzz.sh $(FUZZTIME)

install: ## what make has built, and the units, into /usr/local; then see README
	@for program in picday picdayd; do [ -x $(BIN)/$$program ] || \
	    { echo "$(BIN)/$$program is not built yet: run make first, as yourself, then sudo make install" >&2; exit 1; }; done
	install -D -m 0755 -t $(DESTDIR)/usr/local/bin $(BIN)/picday
	install -D -m 0755 -t $(DESTDIR)/usr/local/sbin $(BIN)/picdayd
	install -d $(DESTDIR)/etc/systemd/system
	sed 's,/usr/sbin/,/usr/local/sbin/,' systemd/picdayd.service >$(DESTDIR)/etc/systemd/system/picdayd.service
	sed 's,/usr/sbin/,/usr/local/sbin/,' systemd/picday-watch.service >$(DESTDIR)/etc/systemd/system/picday-watch.service
	sed 's,/usr/bin/,/usr/local/bin/,' systemd/picday-mirror@.service >$(DESTDIR)/etc/systemd/system/picday-mirror@.service
	install -m 0644 -t $(DESTDIR)/etc/systemd/system systemd/picday-firewall.* systemd/picday-logins.* systemd/picday-watch.timer systemd/picday-*helper.socket
	for unit in picday-helper@.service picday-account-helper@.service; do sed 's,/usr/bin/,/usr/local/bin/,' systemd/$$unit >$(DESTDIR)/etc/systemd/system/$$unit; done
	install -D -m 0644 -t $(DESTDIR)/usr/local/share/man/man1 $(BIN)/man/picday.1.gz
	install -D -m 0644 -t $(DESTDIR)/usr/local/share/man/man5 $(BIN)/man/picday.toml.5.gz
	install -D -m 0644 -t $(DESTDIR)/usr/local/share/man/man8 $(BIN)/man/picdayd.8.gz
	install -D -m 0644 $(BIN)/completion/picday.bash $(DESTDIR)/usr/local/share/bash-completion/completions/picday
	install -D -m 0644 -t $(DESTDIR)/usr/local/share/zsh/site-functions $(BIN)/completion/_picday
	install -D -m 0644 -t $(DESTDIR)/usr/local/share/fish/vendor_completions.d $(BIN)/completion/picday.fish

deb: ## dist/picday_*.deb, for Debian 12, 13 and Ubuntu 24.04
	@$(DEPS) $(BUILD_DEPS) git
	@GO=$(GO) packaging/build.sh deb

rpm: ## dist/picday-*.rpm from the same parts; tried on no machine yet
	@$(DEPS) $(BUILD_DEPS) git
	@GO=$(GO) packaging/build.sh rpm

release: ## the next version, VERSION=1.1.0: changelog, commit, tag and packages; pushes nothing
	@$(DEPS) $(BUILD_DEPS) git
	@GO=$(GO) packaging/release.sh '$(VERSION)'

test-package: ## install, upgrade, remove and purge the .deb in booted Debians
	@$(DEPS) $(BUILD_DEPS) $(TEST_DEPS) $(PACKAGE_TEST_DEPS)
	PICDAY_PACKAGE=must $(GO) test -count=1 -timeout 60m -v ./packaging

clean: ## take away what was built
	rm -rf $(BIN) dist packaging/build
