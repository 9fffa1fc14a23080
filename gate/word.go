package gate

import (
	"context"
	"time"
)

// Word makes the one word that r's person, whose ticket r presents, may type
// in place of password and code to sign in to r.Opens, once and for a short
// time. It lends what that ticket does. A word that was made before is void.
// The zero Word means that the ticket lends not enough, or is nobody's.
func (g *Gate) Word(ctx context.Context, r Request) (Word, error) { return Word{}, errNotBuilt }

// Word is typed in place of a password.
type Word struct {
	Text  Secret
	Until time.Time
}
