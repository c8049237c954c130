package bfl

import (
	"net"
	"net/url"
	"strings"
)

// IsLoopback reports whether a URL leads to this machine by its very name, whatever a name server
// says: to an address of the loopback network, or to localhost or a name under it, however they are
// written. What is no URL with a host does not.
func IsLoopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && isLoopback(u.Hostname())
}

// sameHost reports whether two URLs lead to one program of one host, which may see what the other
// may: they have one scheme, one port, and one host by name. Of this machine, localhost with the
// names under it, 127.0.0.1 and ::1 are one host. Every other address of the loopback network is
// one of its own: another program can listen there, for another user.
func sameHost(a, b *url.URL) bool {
	host := hostKey(canonicalHost(a))
	return host != "" && host == hostKey(canonicalHost(b)) && portOf(a) == portOf(b) && strings.EqualFold(a.Scheme, b.Scheme)
}

// hostKey returns what hosts that are one have in common.
func hostKey(host string) string {
	ip := net.ParseIP(host)
	switch {
	case ip == nil && isLoopback(host), ip.Equal(net.IPv6loopback), ip.Equal(net.IPv4(127, 0, 0, 1)):
		return "localhost"
	case ip != nil:
		return ip.String()
	}
	return host
}

// canonicalHost returns the host of an address in the form in which hosts are compared.
func canonicalHost(u *url.URL) string {
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}

// isLoopback reports whether a host is this machine by its very name.
func isLoopback(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// IsLoopbackHost reports whether a host, without a port, is this machine.
func IsLoopbackHost(host string) bool { return isLoopback(host) }
