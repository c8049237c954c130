package simulator

import "testing"

// However this machine is written, a webhook may go to it.
func TestPermitDecidesAsTheClientDoes(t *testing.T) {
	t.Parallel()
	for host, here := range map[string]bool{
		"LOCALHOST": true, "localhost.": true, "a.localhost": true, "127.0.0.1": true, "127.0.0.2": true, "[::1]": true, "[::ffff:127.0.0.1]": true,
		"localhost.example.com": false, "10.0.0.1": false, "[::2]": false, "0.0.0.0": false,
	} {
		if err := (Webhooks{HTTP: true}).permit("http://" + host + ":8787/hook"); (err == nil) != here {
			t.Errorf("http to %s: %v", host, err)
		}
		if err := (Webhooks{}).permit("https://" + host + ":8787/hook"); (err == nil) != here {
			t.Errorf("https to %s: %v", host, err)
		}
	}
}
