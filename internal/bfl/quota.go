package bfl

import (
	"net/http"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// QuotaExhausted reports whether a 429 says that the account has used up what it may spend or make,
// rather than that it does too much at once: waiting some seconds does not help. An answer that
// speaks of both is taken for the latter, since what passes must not end a run.
func (e *APIError) QuotaExhausted() bool {
	if e.StatusCode != http.StatusTooManyRequests {
		return false
	}
	var text strings.Builder
	for _, part := range append(e.fieldTexts(), e.Code, e.Message) {
		text.WriteString(words(part) + ". ")
	}
	said := text.String()
	return aboutQuota().MatchString(said) && !aboutHaste().MatchString(said)
}

func (e *APIError) fieldTexts() []string {
	var texts []string
	for _, f := range e.Fields {
		texts = append(texts, f.Field, f.Message, f.Type)
	}
	return texts
}

// aboutQuota finds words of money and of plans, aboutHaste those of too many calls or tasks at a
// time, in texts of small letters.
var (
	aboutQuota = lazyregexp.New(`\b(quotas?|billing|billed|credits?|pay|payments?|paid|unpaid|invoices?|balance|funds|budget|subscriptions?|` +
		`suspended|deactivated|disabled|spend|spending)\b|` +
		`\b(usage|hard|soft|daily|monthly|annual|plan|trial|account) (limit|cap|allowance)\b|` +
		`\bplan\b[^.]*\b(limits?|allowance|exceed\w*|exhausted|used up|reached)\b|\b(limits?|allowance|exceed\w*|exhausted|used up|reached)\b[^.]*\bplan\b`)
	aboutHaste = lazyregexp.New(`\brates?\b|\bratelimit|\bconcurren|\btoo (many|fast|often|frequent)|\bslow down\b|\bthrottl|\bsimultaneous|\bparallel\b|\bin flight\b|` +
		`\bat (once|a time|the same time)\b|\bactive (tasks?|requests?|jobs?|generations?|images?)\b|\b(running|pending|queued) (tasks?|requests?|jobs?)\b|` +
		`(\bper|\ba|/) ?(s|sec|second|min|minute)\b`)
)

// camel finds where a word of a name such as insufficientQuota begins.
var camel = lazyregexp.New(`([a-z])([A-Z])`)

// words writes names of errors in any style, such as insufficient_quota, as words of small letters.
func words(text string) string {
	text = camel().ReplaceAllString(text, "$1 $2")
	return strings.ToLower(strings.NewReplacer("_", " ", "-", " ").Replace(text))
}
