package main

import (
	"context"
	_ "embed"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/account"
	"sekisho/internal/keyring"
	"sekisho/internal/otp"
	"sekisho/internal/passwd"
	"sekisho/internal/reason"
	"sekisho/internal/store"
)

//go:embed demo.toml
var demoConfig string

//go:embed demo.txt
var demoText string

// Where the demo listens, from its base port on; without one each service
// has its usual port.
const (
	demoRADIUS  = 1812
	demoMetrics = 9180
	demoSecret  = "testing123"

	metricsOffset = 6 // 1 to 5: accounting, LDAP, LDAPS, web inside, web outside
)

func demoCommand() *cobra.Command {
	var base int
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "demo",
		GroupID: "run",
		Short:   "Serve an example campus on this machine, with people to try it",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if base < 0 || base+metricsOffset > math.MaxUint16 {
				return hint(fmt.Errorf("no ports begin at %d", base), "choose others: sekisho demo --base-port 21812")
			}
			dir, err := os.MkdirTemp("", "sekisho-demo-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			d, err := prepareDemo(cmd.Context(), dir, base)
			if err != nil {
				return err
			}
			s, err := open(cmd.Context(), d.Config, cmd.ErrOrStderr())
			if errors.Is(err, syscall.EADDRINUSE) {
				return hint(err, "choose other ports: sekisho demo --base-port 21812")
			}
			if err != nil {
				return err
			}
			d.listening(s)
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(d)
			} else {
				err = d.print(cmd.OutOrStdout())
			}
			return errors.Join(err, s.run(cmd.Context()))
		},
	}
	cmd.AddCommand(demoCodeCommand())
	cmd.Flags().IntVar(&base, "base-port", 0, "first `port`: RADIUS here, metrics 6 above it (default: 1812 and 9180)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON and go on serving")
	return cmd
}

// demo is what a person, or a script, needs to try it.
type demo struct {
	Users   map[string]demoUser `json:"users"`
	RADIUS  demoDoor            `json:"radius"`
	Metrics string              `json:"metrics"`
	Config  string              `json:"config"`
	Store   string              `json:"store"`

	alice     otp.Token
	listeners []string
}

type demoUser struct {
	Password  string `json:"password"`
	OTPSecret string `json:"otp_secret,omitempty"`
}

type demoDoor struct {
	Auth   string `json:"auth"`
	Secret string `json:"secret"`
}

// prepareDemo writes configuration, keys and people into dir.
func prepareDemo(ctx context.Context, dir string, base int) (*demo, error) {
	radius, watch := demoRADIUS, demoMetrics
	if base != 0 {
		radius, watch = base, base+metricsOffset
	}
	d := &demo{
		Users:  make(map[string]demoUser),
		Config: filepath.Join(dir, "config.toml"),
		Store:  filepath.Join(dir, "state", "sekisho.db"),
	}
	text := strings.NewReplacer("@RADIUS@", fmt.Sprint(radius), "@METRICS@", fmt.Sprint(watch), "@SECRET@", demoSecret).Replace(demoConfig)
	if err := os.WriteFile(d.Config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Dir(d.Store), 0o700); err != nil {
		return nil, err
	}
	if err := keyring.New(time.Now()).Write(filepath.Join(dir, "keys")); err != nil {
		return nil, err
	}
	h, err := openHouse(ctx, d.Config, store.Options{})
	if err != nil {
		return nil, err
	}
	defer h.close()
	return d, d.populate(ctx, h)
}

// populate adds alice with a code device, bob without one, and carol, whose
// account is disabled.
func (d *demo) populate(ctx context.Context, h *house) error {
	people := h.accounts()
	for _, name := range []string{"alice", "bob", "carol"} {
		password := passwd.Random(0)
		event := h.booked(string(reason.AccountAdded), "demo")
		if _, err := people.Add(ctx, store.Person{Name: name}, account.Password{Typed: []byte(password)}, event); err != nil {
			return err
		}
		d.Users[name] = demoUser{Password: password}
	}
	if err := people.Disable(ctx, "carol", h.booked(string(reason.AccountDisabled), "demo")); err != nil {
		return err
	}
	token, err := people.Enrol(ctx, "alice", account.Enrolment{}, h.booked(string(reason.OTPEnrolled), "demo"))
	if err != nil {
		return err
	}
	alice := d.Users["alice"]
	alice.OTPSecret = secretText.EncodeToString(token.Secret)
	d.Users["alice"], d.alice = alice, token
	return nil
}

// secretText is how authenticators take a secret that is typed.
var secretText = base32.StdEncoding.WithPadding(base32.NoPadding)

func (d *demo) listening(s *server) {
	d.RADIUS = demoDoor{Auth: s.radius.Addrs()[0].String(), Secret: demoSecret}
	d.Metrics = "http://" + s.socket.Addr().String()
	d.listeners = s.listeners()
}

func (d *demo) print(w io.Writer) error {
	now := time.Now()
	return template.Must(template.New("demo").Parse(demoText)).Execute(w, map[string]any{
		"Alice": d.Users["alice"].Password, "Bob": d.Users["bob"].Password, "Carol": d.Users["carol"].Password,
		"Code": d.alice.Code(now), "Left": int(d.alice.Left(now).Seconds()),
		"OTP":  self() + " demo code " + d.Users["alice"].OTPSecret,
		"Self": self(), "Auth": d.RADIUS.Auth, "Secret": d.RADIUS.Secret,
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
