package bfl

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// endpoint is the address of an API, and with it the rule where the account's key may go.
type endpoint struct {
	url      url.URL
	loopback bool
	// domain is the registrable domain that all hosts of the provider share, "" for one that has
	// none: then the key goes to the one host only.
	domain string
}

// URLError is an address that a call must not be made to.
type URLError struct {
	// Host is the address's host as far as it has one.
	Host string
	// Reason says why, as a clause.
	Reason string
}

func (e *URLError) Error() string {
	if e.Host == "" {
		return "the address is refused: " + e.Reason
	}
	return fmt.Sprintf("the address on %s is refused: %s", e.Host, e.Reason)
}

// Retryable reports that another attempt does not help: no call is made.
func (e *URLError) Retryable() bool { return false }

// parseEndpoint reads the address of an API.
func parseEndpoint(address string) (endpoint, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return endpoint{}, &URLError{"", `an endpoint looks like "https://api.bfl.ai"`}
	}
	host := canonicalHost(u)
	e := endpoint{
		url:      url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")},
		loopback: isLoopback(host),
	}
	switch {
	case u.User != nil:
		return endpoint{}, &URLError{host, "it has a user name in it, which an endpoint cannot have"}
	case u.RawQuery != "" || u.Fragment != "":
		return endpoint{}, &URLError{host, "it has a query or a fragment, which an endpoint cannot have"}
	case u.Scheme == "http" && !e.loopback:
		const reason = "http would send the key in plain text. Use https, except on this machine"
		return endpoint{}, &URLError{host, reason}
	case u.Scheme != "https" && u.Scheme != "http":
		return endpoint{}, &URLError{host, "only https is used, and http on this machine"}
	}
	e.domain = registrableDomain(host)
	return e, nil
}

// resolve returns the address of a path below the endpoint.
func (e *endpoint) resolve(path, query string) string {
	u := e.url
	// The host is a field of its own: no path, however it is written, leads elsewhere.
	u.Path += path
	u.RawQuery = query
	return u.String()
}

// resultURL is where the endpoint's tasks can be polled, should the API not say where else.
func (e *endpoint) resultURL(id string) string {
	return e.resolve("/v1/get_result", url.Values{"id": {id}}.Encode())
}

// allowsKey returns an error unless the key may be sent to the address: to the provider's own host,
// or over https to a host under the same registrable domain. Regions answer for each other there.
func (e *endpoint) allowsKey(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return &URLError{"", "it is not a valid URL"}
	}
	host := canonicalHost(u)
	switch {
	case u.User != nil:
		return &URLError{host, "it has a user name in it"}
	case e.loopback:
		// Another port, or another address, is another program, maybe another user's.
		if !sameHost(u, &e.url) {
			return &URLError{host, "the key is only sent to " + e.url.Host}
		}
		return nil
	case u.Scheme != "https":
		return &URLError{host, "the key is only sent over https"}
	case host == canonicalHost(&e.url):
		return nil
	case e.domain == "" || registrableDomain(host) != e.domain:
		return &URLError{host, "the key is only sent to the provider's own hosts"}
	}
	return nil
}

// allowsDownload returns an error unless an image may be fetched from the address: https, or http
// where the provider itself is on this machine.
func (e *endpoint) allowsDownload(u *url.URL) error {
	host := canonicalHost(u)
	switch {
	case host == "":
		return &URLError{"", "it is not a valid URL"}
	case u.User != nil:
		return &URLError{host, "it has a user name in it"}
	case u.Scheme == "https", u.Scheme == "http" && e.loopback && isLoopback(host):
		return nil
	}
	return &URLError{host, "images are only fetched over https"}
}

// registrableDomain returns the domain that one owner has registered, such as bfl.ai for
// api.eu.bfl.ai. It is "" for addresses, for single names, for names that anybody can have names
// under, and for those outside ASCII, whose spellings vary.
func registrableDomain(host string) string {
	if net.ParseIP(host) != nil || strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		return ""
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return domain
}
