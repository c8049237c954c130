package lang

import "testing"

func TestHasLongExponent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"": false, "e": false, "1e999": false, "1e9999": true, "1E+1000": true, "1e-1000": true, "1e-100": false, "x = 2e0001 y": true,
		"ae1000": false, "1e+": false, "1e10x00": false, "1ee1000": false, "1e1e1000": true, "9e1234": true, "\"7e1234\"": true,
	} {
		if got := hasLongExponent([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
