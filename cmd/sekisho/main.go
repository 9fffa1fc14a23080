// Sekisho admits people where single sign-on ends: by RADIUS for VPN
// appliances, by LDAP for old programs and on pages for browsers, with
// one-time codes from outside, one policy, one book.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker for a release.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		complain(err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "sekisho",
		Short:         "Admits people where single sign-on ends: RADIUS, LDAP and web with one-time codes, one policy, one book",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().StringP("config", "c", "/etc/sekisho/config.toml", "configuration `file`")
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "people", Title: "People:"},
		&cobra.Group{ID: "ask", Title: "Ask:"},
	)
	root.AddCommand(
		serveCommand(), demoCommand(), checkCommand(), keysCommand(),
		accountCommand(), otpCommand(), ticketCommand(), sessionsCommand(),
		explainCommand(), whyCommand(), auditCommand(), clientsCommand(), appsCommand(),
	)
	return root
}

func configFile(cmd *cobra.Command) string {
	file, _ := cmd.Flags().GetString("config")
	return file
}

// hinted is an error with what to type next.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

func hint(err error, format string, args ...any) error {
	return hinted{err, fmt.Sprintf(format, args...)}
}

// complain prints an error line and, where there is one, a hint line.
func complain(err error) {
	for line := range strings.SplitSeq(strings.TrimSpace(err.Error()), "\n") {
		fmt.Fprintln(os.Stderr, "sekisho: error:", line)
	}
	if h := (hinted{}); errors.As(err, &h) {
		fmt.Fprintln(os.Stderr, "sekisho: hint:", h.hint)
	}
}
