package bfl

import (
	"strings"
	"unicode"

	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// maxText bounds a text of a server that is shown, in bytes.
const maxText = 500

// queries are those of URLs. A sample's signature is in its query.
var queries = lazyregexp.New(`(https?://[^\s?"'<>]*)\?[^\s"'<>]*`)

// clean makes a text of a server fit to be shown and logged. The account's key and the secret of
// webhooks are taken out, should the server repeat them, and so are the signatures of URLs; control
// and formatting characters, which could draw over a terminal, become spaces; and the whole becomes
// one line of limited length.
func (c *Client) clean(s string) string {
	if len(s) >= maxErrorBody {
		// What was cut off may have been the rest of a secret. The end would only be shown if
		// nearly all before it is space.
		s = s[:maxErrorBody-min(maxErrorBody, max(len(c.key), len(c.webhookSecret)))]
	}
	if c.webhookSecret != "" {
		// Before spaces are touched: this secret is the user's own text.
		s = strings.ReplaceAll(s, c.webhookSecret, "[secret]")
	}
	s = strings.ToValidUTF8(s, " ")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, s)
	if c.key != "" {
		s = strings.ReplaceAll(s, c.key, "[key]")
	}
	s = queries().ReplaceAllString(s, "$1")
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + " ..."
	}
	return s
}
