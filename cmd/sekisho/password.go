package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sekisho/internal/account"
	"sekisho/internal/passwd"
)

// passwordSource is where a command gets a new password from; without a flag
// it asks at the terminal.
type passwordSource struct {
	stdin   bool
	initial bool
	hash    string
}

func (s *passwordSource) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.stdin, "password-stdin", false, "read the password from standard input, one line")
	cmd.Flags().BoolVar(&s.initial, "initial", false, "make an initial password, print it once; it has to be changed within 30 days")
}

func (s *passwordSource) read(cmd *cobra.Command) (account.Password, error) {
	switch {
	case s.initial:
		return account.Password{Initial: true}, nil
	case s.hash == "-":
		line, err := firstLine(cmd.InOrStdin())
		return account.Password{Hash: strings.TrimSpace(string(line))}, err
	case s.hash != "":
		return account.Password{Hash: s.hash}, nil
	case s.stdin:
		line, err := firstLine(cmd.InOrStdin())
		return account.Password{Typed: line}, err
	case !term.IsTerminal(int(os.Stdin.Fd())):
		return account.Password{}, hint(errors.New("no password, and no terminal to ask for one"),
			"add --password-stdin and pipe it in, or --initial to have one made")
	}
	typed, err := askTwice(cmd.Context(), cmd.ErrOrStderr())
	return account.Password{Typed: typed}, err
}

// firstLine reads one line without its end.
func firstLine(r io.Reader) ([]byte, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 16<<10)).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if len(line) == 0 {
		return nil, errors.New("standard input has an empty first line")
	}
	return line, nil
}

func askTwice(ctx context.Context, to io.Writer) ([]byte, error) {
	first, err := ask(ctx, to, "New password: ")
	if err != nil {
		return nil, err
	}
	second, err := ask(ctx, to, "Once more: ")
	if err != nil {
		return nil, err
	}
	defer clear(second)
	switch {
	case len(first) == 0:
		return nil, errors.New("the password is empty")
	case !bytes.Equal(first, second):
		clear(first)
		return nil, errors.New("the two differ; nothing was changed")
	}
	return first, nil
}

// ask reads a line without echo. When the command is interrupted meanwhile,
// the terminal gets its echo back.
func ask(ctx context.Context, to io.Writer, prompt string) ([]byte, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, fmt.Errorf("ask for a password: %w", err)
	}
	fmt.Fprint(to, prompt)
	defer fmt.Fprintln(to)
	type typed struct {
		text []byte
		err  error
	}
	answer := make(chan typed, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		answer <- typed{text, err}
	}()
	select {
	case a := <-answer:
		if a.err != nil {
			return nil, fmt.Errorf("ask for a password: %w", a.err)
		}
		return a.text, nil
	case <-ctx.Done():
		return nil, errors.Join(errors.New("interrupted; nothing was changed"), term.Restore(fd, before))
	}
}

// warnOf says what may become of the password that was just set.
func (h *house) warnOf(cmd *cobra.Command, pw account.Password) {
	if passwd.LongForRADIUS(pw.Typed) {
		fmt.Fprintf(cmd.ErrOrStderr(), "sekisho: warning: the password is longer than %d octets: with a code behind it, it does not pass through RADIUS\n",
			passwd.WarnOctets)
	}
	if pw.Hash == "" {
		return
	}
	if hash, err := passwd.Parse(pw.Hash); err == nil && hash.Renew(h.pool.Params) {
		fmt.Fprintf(cmd.ErrOrStderr(), "sekisho: warning: the hash (%s) is weaker than one made today; it will be renewed at the next sign-in\n", hash)
	}
}
