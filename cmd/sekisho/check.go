package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"sekisho/internal/config"
	"sekisho/internal/store"
)

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "check",
		GroupID: "run",
		Short:   "Check the configuration and list every fault with its line",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file := configFile(cmd)
			cfg, err := config.Load(file)
			if faults := (config.Faults{}); errors.As(err, &faults) {
				for _, f := range faults {
					printFault(cmd, f)
				}
				return fmt.Errorf("%s: not usable", file)
			}
			if err != nil {
				return configError(file, err)
			}
			for _, f := range cfg.Warnings {
				printFault(cmd, f)
			}
			text := fmt.Sprintf("%d rules, %d zones, %d RADIUS clients", len(cfg.Rules), len(cfg.Zones().Names()), len(cfg.Radius.Clients))
			if len(cfg.LDAP.Listeners) > 0 {
				text += fmt.Sprintf(", %d LDAP applications", len(cfg.LDAP.Apps))
			}
			if len(cfg.Web.Listeners) > 0 {
				text += fmt.Sprintf(", %d web services", len(cfg.Web.Services))
			}
			if cfg.Directory.Behind() {
				text += ", the people are in the directory behind"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: good: %s\n", file, text)
			tellUnlinked(cmd, cfg)
			return nil
		},
	}
}

// tellUnlinked tells of local accounts that are in the way of people of the
// directory behind. It is nothing of the configuration's, and need not be seen
// by whoever checks that.
func tellUnlinked(cmd *cobra.Command, cfg *config.Config) {
	if !cfg.Directory.Behind() {
		return
	}
	if _, err := os.Stat(cfg.Store.File); err != nil {
		return
	}
	switch n, err := store.UnlinkedIn(cfg.Store.File); {
	case err != nil:
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: can't look for local accounts that are not linked: %v\n", cfg.Store.File, err)
	case n > 0:
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: warning: %s\n", cfg.Store.File, unlinked(n))
	}
}

func printFault(cmd *cobra.Command, f config.Fault) {
	if f.Warning {
		fmt.Fprintln(cmd.ErrOrStderr(), f.Error())
		return
	}
	fmt.Fprintln(cmd.OutOrStdout(), f.Error())
}
