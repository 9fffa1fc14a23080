package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"strings"
	"syscall"
	"text/template"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/otp"
)

//go:embed demo.txt
var demoText string

func demoCommand() *cobra.Command {
	var base int
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "demo",
		GroupID: "run",
		Short:   "Serve an example campus on this machine, with people to try it",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if base < 0 || base+lastOffset > math.MaxUint16 {
				return hint(fmt.Errorf("no ports begin at %d", base), "choose others: sekisho demo --base-port 21812")
			}
			dir, err := os.MkdirTemp("", "sekisho-demo-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			d, err := prepareDemo(cmd.Context(), dir, portsFrom(base))
			if err != nil {
				return err
			}
			services, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", portsFrom(base).services))
			var s *server
			if err == nil {
				defer services.Close()
				s, err = open(cmd.Context(), d.Config, cmd.ErrOrStderr())
			}
			if errors.Is(err, syscall.EADDRINUSE) {
				return hint(err, "choose other ports: sekisho demo --base-port 21812")
			}
			if err != nil {
				return err
			}
			d.listening(s)
			if err := d.serveServices(services); err != nil {
				return errors.Join(err, s.drain())
			}
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(d)
			} else {
				err = d.print(cmd.OutOrStdout())
			}
			return errors.Join(err, s.run(cmd.Context()))
		},
	}
	cmd.AddCommand(demoCodeCommand())
	cmd.Flags().IntVar(&base, "base-port", 0, "first `port`: RADIUS here, the others up to 7 above it (default: the usual ones)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON and go on serving")
	return cmd
}

// demo is what a person, or a script, needs to try it.
type demo struct {
	Users   map[string]demoUser `json:"users"`
	RADIUS  demoDoor            `json:"radius"`
	LDAP    demoLDAP            `json:"ldap"`
	Web     demoWeb             `json:"web"`
	Metrics string              `json:"metrics"`
	Config  string              `json:"config"`
	Store   string              `json:"store"`

	alice     otp.Token
	hosts     []string // of the web services
	listeners []string
}

type demoUser struct {
	Password  string `json:"password"`
	OTPSecret string `json:"otp_secret,omitempty"`
}

type demoDoor struct {
	Auth   string `json:"auth"`
	Acct   string `json:"acct"`
	Secret string `json:"secret"`
}

type demoLDAP struct {
	URL             string `json:"url"`
	LDAPS           string `json:"ldaps"`
	Base            string `json:"base"`
	People          string `json:"people"`
	ServiceDN       string `json:"service_dn"`
	ServicePassword string `json:"service_password"`
	CA              string `json:"ca"` // file
}

type demoWeb struct {
	Inside   string   `json:"inside"`
	Outside  string   `json:"outside"`
	Services []string `json:"services"`
}

func (d *demo) listening(s *server) {
	auth, acct := s.radius.Addrs()
	d.RADIUS = demoDoor{Auth: auth[0].String(), Acct: acct[0].String(), Secret: demoSecret}
	d.Metrics = "http://" + s.socket.Addr().String()
	d.listeners = s.listeners()
}

// serveServices serves the web services until their socket is closed.
func (d *demo) serveServices(socket net.Listener) error {
	services, err := newDemoServices(d.Web.Outside, d.hosts)
	if err == nil {
		go services.Serve(socket)
	}
	return err
}

func (d *demo) print(w io.Writer) error {
	now := time.Now()
	return template.Must(template.New("demo").Parse(demoText)).Execute(w, map[string]any{
		"Alice": d.Users["alice"].Password, "Bob": d.Users["bob"].Password, "Carol": d.Users["carol"].Password,
		"Code": d.alice.Code(now), "Left": int(d.alice.Left(now).Seconds()),
		"OTP":  self() + " demo code " + d.Users["alice"].OTPSecret,
		"Self": self(), "Auth": d.RADIUS.Auth, "Acct": d.RADIUS.Acct, "Secret": d.RADIUS.Secret, "LDAP": d.LDAP, "Web": d.Web,
		"Config": d.Config, "Metrics": d.Metrics, "Listeners": d.listeners,
	})
}

// self is how this program is called again: by `go run` it lies where nobody
// wants to type.
func self() string {
	path, err := os.Executable()
	if err != nil || strings.Contains(path, "go-build") {
		return "go run ./cmd/sekisho"
	}
	return path
}

// demoCodeCommand stands in for alice's telephone.
func demoCodeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "code SECRET",
		Short: "Print the code that a device with this secret shows now, as alice's telephone would",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			secret, err := secretText.DecodeString(strings.ToUpper(args[0]))
			if err != nil {
				return hint(errors.New("SECRET is not base32"), "take it from the demo's screen")
			}
			fmt.Fprintln(cmd.OutOrStdout(), otp.Token{Secret: secret}.Code(time.Now()))
			return nil
		},
	}
}
