package config

import "testing"

// However this machine is written, an endpoint and a webhook may be there without https.
func TestLoopbackIsDecidedAsTheClientDoes(t *testing.T) {
	t.Parallel()
	for host, here := range map[string]bool{
		"LOCALHOST": true, "localhost.": true, "a.localhost": true, "127.0.0.1": true, "127.0.0.2": true, "[::1]": true, "[::ffff:127.0.0.1]": true,
		"localhost.example.com": false, "10.0.0.1": false, "[::2]": false, "0.0.0.0": false,
	} {
		address := "http://" + host + ":8787"
		if reason := refusedEndpoint(address); (reason == "") != here {
			t.Errorf("the endpoint %s: %q", address, reason)
		}
		if reason := refusedWebhookURL(address); (reason == "") != here {
			t.Errorf("the webhook %s: %q", address, reason)
		}
	}
}
