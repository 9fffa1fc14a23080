# make test   everything: static checks, unit tests, real programs; with -race
# make quick  what needs no package and no root
# make bench  the comparisons of docs/performance.md, most of an hour
# make build  the one binary

PACKAGES = freeradius-utils oathtool tshark libpam-radius-auth pamtester nginx caddy haproxy \
	ldap-utils python3-ldap3 python3-ldap dovecot-imapd dovecot-ldap apache2 curl openjdk-17-jdk-headless \
	chromium fonts-noto-cjk \
	freeradius hostapd wpasupplicant iproute2 procps \
	ocserv openconnect openvpn openvpn-auth-radius radsecproxy \
	slapd 389-ds-base libnss3-tools openssl samba samba-ad-provision samba-dsdb-modules \
	libnginx-mod-http-auth-pam nslcd libnss-ldapd libpam-ldapd sssd-ldap libnss-sss libpam-sss \
	postfix postfix-ldap php-cli php-ldap libnet-ldap-perl libio-socket-ssl-perl openvpn-auth-ldap
AXE = axe-core@4.14.1
# SQLite is C that a program turned into Go. Without the race detector's checks
# in it, gate's tests need a quarter of the time. What it allocates is not of
# Go's heap, so the detector would not look at that anyway.
RACE = -race -gcflags=modernc.org/sqlite/lib=-race=false
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: build test quick check packages bench

build:
	CGO_ENABLED=0 go build -trimpath -o sekisho ./cmd/sekisho

test: packages check
	go test $(RACE) -timeout 20m ./...

quick:
	go test ./...

check:
	@test -z "$$(gofmt -l .)" || { echo "not gofmt-ed:"; gofmt -l .; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

# The programs that e2e/ runs are installed where that is allowed; elsewhere
# their tests are skipped, or fail under SEKISHO_E2E=required. So is axe-core,
# which looks at the pages in Chromium: npm brings it.
packages:
	@missing=; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing$$missing"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	elif [ -n "$$missing" ]; then echo "missing, and not installed:$$missing"; fi
	@mkdir -p e2e/.axe && cd e2e/.axe && if [ ! -f $(subst @,-,$(AXE)).tgz ] && command -v npm >/dev/null; then \
		npm pack --silent $(AXE) >/dev/null && tar xzf $(subst @,-,$(AXE)).tgz package/axe.min.js; fi

bench:
	go run ./bench
