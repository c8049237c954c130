package bfl_test

import (
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

func TestIsLoopback(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"http://127.0.0.1:8787": true, "http://127.0.0.2": true, "http://127.9.9.9": true, "http://[::1]:8787/v1": true, "http://localhost": true, "http://LOCALHOST:8787": true,
		"http://localhost.:8787": true, "http://eu.LocalHost.": true, "http://[::ffff:127.0.0.1]:1": true, "HTTP://simulator.localhost": true,
		"http://[::ffff:7f00:1]":       true,
		"http://localhost.example.com": false, "http://notlocalhost": false, "http://127.0.0.1.example.com": false, "https://api.bfl.ai": false,
		"http://10.0.0.1": false, "http://[::2]": false, "http://0.0.0.0": false, "localhost": false, "localhost:8787": false, "127.0.0.1": false, "": false, "%": false,
	} {
		if got := bfl.IsLoopback(address); got != want {
			t.Errorf("IsLoopback(%q) = %v", address, got)
		}
	}
}

func TestSameHost(t *testing.T) {
	t.Parallel()
	same := [][2]string{
		{"http://127.0.0.1:8787", "http://localhost:8787/x"},
		{"http://[::1]:8787", "http://LOCALHOST.:8787"},
		{"http://a.localhost", "http://b.localhost:80"},
		{"http://[::ffff:127.0.0.1]:1", "http://127.0.0.1:1"},
		{"http://127.0.0.2:1", "http://[::ffff:127.0.0.2]:1"},
		{"https://API.bfl.ai", "https://api.bfl.ai.:443/v1"},
		{"https://10.0.0.5/", "HTTPS://10.0.0.5:443"},
	}
	different := [][2]string{
		{"http://127.0.0.1:8787", "http://127.0.0.2:8787"},
		{"http://127.0.0.1:8787", "http://127.0.0.1:8788"},
		{"http://127.0.0.1:443", "https://127.0.0.1"},
		{"http://localhost:8787", "http://127.1.2.3:8787"},
		{"http://localhost", "http://notlocalhost"},
		{"https://api.bfl.ai", "https://api.eu.bfl.ai"},
		{"https://api.bfl.ai", "http://api.bfl.ai:443"},
		{"http://", "http://"},
		{"", ""},
		{"%", "%"},
	}
	for i, pairs := range [][][2]string{same, different} {
		for _, p := range pairs {
			if want := i == 0; bfl.SameHost(p[0], p[1]) != want || bfl.SameHost(p[1], p[0]) != want {
				t.Errorf("SameHost(%q, %q) is not %v", p[0], p[1], want)
			}
		}
	}
}
