package cli

import "testing"

// However this machine is written, the simulator may listen there, and nowhere else.
func TestListenAddress(t *testing.T) {
	t.Parallel()
	for host, here := range map[string]bool{
		"LOCALHOST": true, "localhost.": true, "a.localhost": true, "127.0.0.1": true, "127.0.0.2": true, "[::1]": true, "[::ffff:127.0.0.1]": true,
		"localhost.example.com": false, "10.0.0.1": false, "[::2]": false, "0.0.0.0": false,
	} {
		if _, err := listenAddress(host + ":8787"); (err == nil) != here {
			t.Errorf("%s: %v", host, err)
		}
	}
	if got, err := listenAddress(":8787"); err != nil || got != "127.0.0.1:8787" {
		t.Errorf("a port alone is %q, %v", got, err)
	}
}
