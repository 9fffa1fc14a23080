package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sekisho/internal/book"
	"sekisho/internal/store"
)

func whyCommand() *cobra.Command {
	var lang string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "why REFERENCE",
		GroupID: "ask",
		Short:   "Tell in plain words what was decided under a reference",
		Example: "  sekisho why 7F3K-92QD",
		Args:    cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			switch lang {
			case "":
				lang = h.cfg.Site.Languages[0]
			case "ja", "en":
			default:
				return hint(fmt.Errorf("language %q is not spoken here", lang), "choose from ja, en")
			}
			story, err := h.book().Why(cmd.Context(), args[0])
			switch {
			case errors.Is(err, store.ErrReference):
				return hint(err, "it stands at the end of the message that the person saw")
			case errors.Is(err, store.ErrUnknown):
				return hint(fmt.Errorf("nothing was booked under %s", args[0]),
					"have it read out again, or look by name: sekisho audit search --user NAME")
			case err != nil:
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(story)
			}
			return story.Tell(cmd.OutOrStdout(), lang)
		}),
	}
	cmd.Flags().StringVar(&lang, "lang", "", "ja or en; empty: the site's first")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON")
	return cmd
}

func (h *house) book() *book.Book { return &book.Book{Store: h.store} }
