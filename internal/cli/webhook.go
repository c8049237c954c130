package cli

import (
	"fmt"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/webhook"
)

// webhookOf is what a provider is asked to call, and the secret to sign with; empty for nothing.
type webhookOf struct{ url, secret string }

// maxRings bounds the rings that wait for the executor. It takes them in microseconds; one that is dropped costs a task the time until it is
// looked at anyway.
const maxRings = 4096

// receive starts to receive a provider's webhooks, where its configuration wants any, and says what to ask for.
func (w *workspace) receive(c *connections, provider *config.Provider) (webhookOf, error) {
	hook := provider.Webhook
	if hook == nil {
		return webhookOf{}, nil
	}
	secret := w.app.getenv(hook.SecretEnv)
	if secret == "" {
		return webhookOf{}, fmt.Errorf("the webhooks of provider %s have no secret: the environment variable %s is not set. "+
			"Set it to a long random text of your own, or take the webhook block out", provider.Address, hook.SecretEnv)
	}
	if c.rings == nil {
		c.rings = make(chan string, maxRings)
	}
	rings, log := c.rings, w.app.log
	receiver, err := webhook.Listen(w.app.env.Drain, hook.Listen, webhook.Options{
		Secret: secret,
		Ring: func(id string) {
			log.Rang(provider.Address, id)
			select {
			case rings <- id:
			default:
			}
		},
		Refused: func(reason string) { log.Refused(provider.Address, reason) },
	})
	if err != nil {
		return webhookOf{}, explain("Provider %s cannot receive webhooks at %s: %w.\nAnother apply, or another program, may be listening there. "+
			"Nothing was submitted.", provider.Address, hook.Listen, err)
	}
	// By then every task has ended, or is left to a later run that asks for it.
	c.stops = append(c.stops, func() { _ = receiver.Close() })
	return webhookOf{hook.URL, secret}, nil
}
