package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

// Webhook is where the API says that a task has ended.
type Webhook struct {
	// URL is what the API calls: an https address, or an http one of this machine.
	URL string
	// Listen is the address to receive at, "host:port"; the host may be empty.
	Listen string
	// SecretEnv is the name of the environment variable that holds the secret of the signatures.
	SecretEnv string
	Range     hcl.Range
}

// webhookSchema's names are none of a provider's own, since the arguments of both are kept
// together.
var webhookSchema = schema.Body{In: "a webhook block", Args: []string{"url", "listen", "secret_env"}}

// maxWebhookURL is the limit of the API's schema.
const maxWebhookURL = 2083

// webhook decodes the webhook block of a provider.
func (d *decoder) webhook(b *settingsBlock, blocks []*hcl.Block) {
	for _, block := range d.First("The webhook block of this provider", blocks) {
		content, diags := webhookSchema.Read(block.Body)
		d.addWithHints(diags, map[string]string{
			"secret": "A secret must not stand in a shared file. Put it into an environment variable, and write the variable's name as secret_env. If you have shared the file already, choose a new secret.",
		})
		for _, name := range webhookSchema.Args {
			if content.Args[name] == nil && slices.Contains(schema.Misspelt(diags), name) {
				continue
			}
			if content.Args[name] == nil {
				d.add(missingInWebhook(block.DefRange, name))
				continue
			}
			b.args[name] = content.Args[name]
		}
	}
}

func missingInWebhook(at hcl.Range, name string) *hcl.Diagnostic {
	return diag.Problem(at, "Missing required argument", "A webhook block needs %s. url is what the API calls, as in \"https://example.com/fluxbatch\". listen is where the calls arrive on this machine, as in \"127.0.0.1:8788\". secret_env is the name of the environment variable with the secret that signs them.", name)
}

// webhook evaluates what the webhook block says, where there is one.
func (e *evaluator) webhook(s *scope, b *settingsBlock, p *Provider) {
	hook := &Webhook{Range: b.at}
	for _, argument := range []struct {
		name string
		set  func(text string, at hcl.Range)
	}{
		{"url", func(text string, at hcl.Range) { e.webhookURL(hook, text, at) }},
		{"listen", func(text string, at hcl.Range) { e.webhookListen(p, hook, text, at) }},
		{"secret_env", func(text string, at hcl.Range) { e.webhookSecret(hook, text, at) }},
	} {
		if b.args[argument.name] == nil {
			continue
		}
		p.Webhook = hook
		v, at, ok := e.setting(s, b, argument.name, cty.String)
		switch {
		case ok:
			argument.set(v.AsString(), at)
		case !b.tainted:
			// Nothing was wrong with the value but that it is null.
			e.fail(&b.node, missingInWebhook(at, argument.name))
		}
	}
	if p.Webhook != nil && p.Region == "global" && p.Endpoint == "" {
		e.add(diag.Warning(hook.Range, "Webhook without a region", "The API does not say where to ask for a task that has a webhook, and behind the global endpoint that can be any region. Set the region, as in region = \"eu\"."))
	}
}

func (e *evaluator) webhookURL(hook *Webhook, text string, at hcl.Range) {
	if reason := refusedWebhookURL(text); reason != "" {
		e.add(diag.Problem(at, "Invalid webhook URL", "%s", reason))
	}
	hook.URL = text
}

// refusedWebhookURL says why the API cannot be asked to call a URL; "" where it can.
func refusedWebhookURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(text, " \t"):
		// It may have a secret in it.
		return "This is not a URL such as https://example.com/fluxbatch."
	case u.Scheme == "http" && !bfl.IsLoopback(u.String()):
		return "The API calls https:// addresses only. http:// is for simulators on this machine."
	case u.User != nil || u.Fragment != "":
		return "A webhook's URL must not have a user name or a fragment."
	case len(text) > maxWebhookURL:
		return fmt.Sprintf("The API takes URLs of up to %d bytes, but this one has %d.", maxWebhookURL, len(text))
	}
	return ""
}

func (e *evaluator) webhookListen(p *Provider, hook *Webhook, text string, at hcl.Range) {
	_, port, err := net.SplitHostPort(text)
	n, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || n == 0 {
		e.add(diag.Problem(at, "Invalid listen address", "%q is not an address of this machine with a port, such as "+
			"\"127.0.0.1:8788\" or \":8788\".", text))
		return
	}
	hook.Listen = text
	for _, other := range e.settings.Providers {
		if other != p && other.Webhook != nil && other.Webhook.Listen == text {
			e.add(diag.Problem(at, "Listen address used twice", "Another provider receives its webhooks at %s already. Give each provider its own address, and a URL that leads to it.", text))
			return
		}
	}
}

func (e *evaluator) webhookSecret(hook *Webhook, text string, at hcl.Range) {
	switch {
	case keyShaped().MatchString(text) && strings.ToUpper(text) != text:
		e.add(diag.Problem(at, "Secret in a file", "This looks like a secret itself. A secret must not stand in a shared file. Put it into an environment variable, and write the variable's name here. If you have shared the file already, choose a new secret."))
		e.sources.conceal(at)
		return
	case !envName().MatchString(text):
		e.add(diag.Problem(at, "Invalid variable name", "secret_env is the name of an environment variable, such as "+
			"\"FLUXBATCH_WEBHOOK_SECRET\"."))
		return
	}
	hook.SecretEnv = text
}
