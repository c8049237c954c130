package workspace

import (
	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/webhook"
)

// webhookOf is what a provider is asked to call, and the secret to sign with; empty for nothing.
type webhookOf struct{ url, secret string }

// maxRings bounds the rings that wait for the executor. It takes them in microseconds; one that is
// dropped costs a task the time until it is looked at anyway.
const maxRings = 4096

// receive starts to receive a provider's webhooks, where its configuration wants any, and says what
// to ask for.
func (w *Workspace) receive(c *Connections, provider *config.Provider) (webhookOf, error) {
	hook := provider.Webhook
	if hook == nil {
		return webhookOf{}, nil
	}
	secret := w.env.Getenv(hook.SecretEnv)
	if secret == "" {
		return webhookOf{}, &UnsetError{Provider: provider.Address, Variable: hook.SecretEnv, Webhook: true}
	}
	if c.rings == nil {
		c.rings = make(chan string, maxRings)
	}
	rings, log := c.rings, w.env.Log
	receiver, err := webhook.Listen(w.env.Drain, hook.Listen, webhook.Options{
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
		return webhookOf{}, &ListenError{Provider: provider.Address, Address: hook.Listen, Err: err}
	}
	// By then every task has ended, or is left to a later run that asks for it.
	c.stops = append(c.stops, func() { _ = receiver.Close() })
	return webhookOf{hook.URL, secret}, nil
}
