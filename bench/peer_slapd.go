package main

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed slapd.conf
var slapdConf string

// The directory that both show.
const (
	ldapBase       = "dc=example,dc=org"
	serviceAccount = "uid=svc-mail,ou=services," + ldapBase
	servicePass    = "carp-streamer-in-may"
)

func (p person) dn() string { return "uid=" + p.name() + ",ou=people," + ldapBase }

// slapd starts one that knows these people; with devices, each has a token of
// its otp overlay (slapo-otp(5)).
func (b *Bench) slapd(people int, devices bool) (*peer, error) {
	folder, err := b.scratch("slapd")
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(folder, "db"), 0o700); err != nil {
		return nil, err
	}
	conf, entries := filepath.Join(folder, "slapd.conf"), filepath.Join(folder, "people.ldif")
	text := strings.ReplaceAll(slapdConf, "@DIR@", folder)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(entries, ldif(people, devices), 0o600); err != nil {
		return nil, err
	}
	if out, err := exec.Command("/usr/sbin/slapadd", "-q", "-f", conf, "-l", entries).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("slapadd: %w\n%s", err, out)
	}
	to, err := freeTCP()
	if err != nil {
		return nil, err
	}
	p, err := b.launch(folder, "/usr/sbin/slapd", "-d", "0", "-f", conf, "-h", "ldap://"+to.String())
	if err != nil {
		return nil, err
	}
	x := &peer{process: p, name: "slapd", to: to}
	return x, x.accepts()
}

// ldif is the people as slapadd takes them, with the service account.
func ldif(people int, devices bool) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `dn: %[1]s
objectClass: domain
dc: example

dn: ou=people,%[1]s
objectClass: organizationalUnit
ou: people

dn: ou=services,%[1]s
objectClass: organizationalUnit
ou: services

dn: %[2]s
objectClass: account
objectClass: simpleSecurityObject
uid: svc-mail
authzTo: dn:*
userPassword: %[3]s

dn: cn=totp,%[1]s
objectClass: applicationProcess
objectClass: oathTOTPParams
cn: totp
oathOTPLength: 6
oathHMACAlgorithm: 1.2.840.113549.2.7
oathTOTPTimeStepPeriod: 30
oathTOTPTimeStepWindow: 1

`, ldapBase, serviceAccount, servicePass)
	for i := range people {
		p := person(i)
		fmt.Fprintf(&b, "dn: %s\nobjectClass: inetOrgPerson\n", p.dn())
		if devices {
			fmt.Fprintf(&b, "objectClass: oathTOTPUser\noathTOTPToken: cn=device,%s\n", p.dn())
		}
		fmt.Fprintf(&b, "uid: %s\ncn: %s\nsn: %s\nmail: %s\nuserPassword: %s\n\n", p.name(), p.display(), p.name(), p.mail(), ssha)
		if devices {
			fmt.Fprintf(&b, "dn: cn=device,%s\nobjectClass: applicationProcess\nobjectClass: oathTOTPToken\ncn: device\n"+
				"oathTOTPParams: cn=totp,%s\noathSecret:: %s\n\n", p.dn(), ldapBase, base64.StdEncoding.EncodeToString(p.secret()))
		}
	}
	return b.Bytes()
}

// accepts waits until a server takes TCP connections.
func (p *peer) accepts() error {
	for time.Since(p.began) < startWithin {
		conn, err := net.Dial("tcp4", p.to.String())
		if err == nil {
			return conn.Close()
		}
		select {
		case err := <-p.ended:
			p.ended <- err
			return p.fault(err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return p.fault(fmt.Errorf("it does not listen at %v", p.to))
}

// freeTCP is an address with a TCP port that nobody has at present.
func freeTCP() (netip.AddrPort, error) {
	l, err := net.Listen("tcp4", netip.AddrPortFrom(outside, 0).String())
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort(), nil
}
