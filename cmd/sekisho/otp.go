package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/account"
	"sekisho/internal/otp"
	"sekisho/internal/reason"
)

// hotpAhead is how many counters a fence burns of a device that counts
// presses: as many as a sign-in looks ahead.
const hotpAhead = 10

func otpCommand() *cobra.Command {
	return family("otp", "people", "Enrol, resync and remove code devices",
		otpEnrol(), otpList(), otpReset(), otpResync(), otpFence(),
		family("clock", "", "Deal with a clock that has jumped", otpClockAccept()))
}

func otpEnrol() *cobra.Command {
	var n account.Enrolment
	var algorithm string
	var hotp, asJSON, noQR bool
	cmd := &cobra.Command{
		Use:   "enrol NAME",
		Short: "Enrol a code device, and show its secret once",
		Args:  cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			var ok bool
			if n.Token.Algorithm, ok = otp.AlgorithmOf(strings.ToUpper(algorithm)); !ok {
				return hint(fmt.Errorf("algorithm %q is not known", algorithm), "choose from SHA1, SHA256, SHA512")
			}
			if n.Token.Digits == 0 {
				n.Token.Digits = h.cfg.OTP.Digits
			}
			n.Token.Period = int(h.cfg.OTP.Period / time.Second)
			if hotp {
				n.Token.Kind = otp.HOTP
			}
			a, err := h.adopt(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			token, err := h.accounts().Enrol(cmd.Context(), a, n, h.booked(string(reason.OTPEnrolled), ""))
			if err != nil {
				return advise(err, a.Name)
			}
			e := newEnrolled(a.Name, n.Label, h.cfg.OTP.Issuer, token)
			if asJSON {
				out := json.NewEncoder(cmd.OutOrStdout())
				out.SetEscapeHTML(false) // the URL is full of &
				return out.Encode(e)
			}
			return e.print(cmd.OutOrStdout(), !noQR)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&n.Label, "label", account.DefaultLabel, "what the person calls the `device`")
	f.IntVar(&n.Token.Digits, "digits", 0, "6 or 8; 0: as configured")
	f.BoolVar(&hotp, "hotp", false, "a button that counts, not a clock")
	f.StringVar(&algorithm, "algorithm", "SHA1", "SHA1, SHA256 or SHA512; many apps know only SHA1")
	f.BoolVar(&n.Add, "add", false, "keep the devices there are")
	f.BoolVar(&n.Replace, "replace", false, "remove the devices there are")
	f.BoolVar(&asJSON, "json", false, "print one line of JSON")
	f.BoolVar(&noQR, "no-qr", false, "draw no QR code")
	cmd.MarkFlagsMutuallyExclusive("add", "replace")
	return cmd
}

func otpList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list NAME",
		Short: "List the code devices of an account",
		Args:  cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			name := h.directory().Canonical(args[0])
			p, err := h.accounts().Profile(cmd.Context(), name)
			if err != nil {
				return advise(err, name)
			}
			for _, d := range p.Devices {
				if !asJSON {
					fmt.Fprintln(cmd.OutOrStdout(), deviceText(d))
					continue
				}
				if err := json.NewEncoder(cmd.OutOrStdout()).Encode(d); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON for each")
	return cmd
}

func otpReset() *cobra.Command {
	return &cobra.Command{
		Use:   "reset NAME",
		Short: "Remove every code device of an account, and end its tickets and application passwords",
		Args:  cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			name := h.directory().Canonical(args[0])
			n, err := h.accounts().Reset(cmd.Context(), name, h.booked(string(reason.OTPReset), ""))
			return report(cmd, err, name, fmt.Sprintf("%s removed, tickets and application passwords ended", count(n, "code device")), "")
		}),
	}
}

func otpResync() *cobra.Command {
	return &cobra.Command{
		Use:   "resync NAME CODE1 CODE2",
		Short: "Find a device that is out of step by two codes in a row, the older one first",
		Args:  cobra.ExactArgs(3),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			name := h.directory().Canonical(args[0])
			label, drift, err := h.accounts().Resync(cmd.Context(), name, []byte(args[1]), []byte(args[2]),
				h.booked(string(reason.OTPResynced), ""))
			return report(cmd, err, name, fmt.Sprintf("device %q resynced%s", label, driftText(drift)), "")
		}),
	}
}

// driftText says what the clock of a device is like.
func driftText(steps int) string {
	switch {
	case steps < 0:
		return fmt.Sprintf("; its clock is slow by %s", count(-steps, "code"))
	case steps > 0:
		return fmt.Sprintf("; its clock is fast by %s", count(steps, "code"))
	}
	return ""
}

func otpFence() *cobra.Command {
	return &cobra.Command{
		Use:   "fence",
		Short: "Declare every code up to now used: after data was lost or restored",
		Args:  cobra.NoArgs,
		RunE: inHouse(func(cmd *cobra.Command, h *house, _ []string) error {
			now := h.now()
			n, err := h.store.Fence(cmd.Context(), now, h.cfg.OTP.Window, hotpAhead, h.booked(string(reason.OTPFenced), ""))
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s moved: codes up to %s and %d after it are used, %d presses of a button\n",
				count(int(n), "code device"), now.Format(time.DateTime), h.cfg.OTP.Window, hotpAhead)
			return nil
		}),
	}
}

func otpClockAccept() *cobra.Command {
	return &cobra.Command{
		Use:   "accept",
		Short: "Declare the clock right as it is now, so that codes are judged again",
		Args:  cobra.NoArgs,
		RunE: inHouse(func(cmd *cobra.Command, h *house, _ []string) error {
			event := h.booked(string(reason.ClockAccepted), "")
			if err := h.store.AcceptClock(cmd.Context(), event); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "the clock is right at %s; codes are judged again\n", event.At.Format(time.RFC3339))
			return nil
		}),
	}
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
