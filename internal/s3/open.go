package s3

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"github.com/fluxbatch/fluxbatch/config"
)

const (
	defaultEndpoint = "https://s3.amazonaws.com"
	// machineTimeout bounds the asking for the credentials of a machine of Amazon's: elsewhere
	// nobody answers.
	machineTimeout = 2 * time.Second
	// maxIdle is how many connections are kept for as many calls at once.
	maxIdle = 64
)

// providers are where credentials come from, as for the tools of Amazon: the environment, the shared
// file, or the machine. A profile that is named comes first.
func providers(profile string) []credentials.Provider {
	all := []credentials.Provider{
		&credentials.EnvAWS{}, &credentials.FileAWSCredentials{Profile: profile}, &credentials.IAM{Client: &http.Client{Timeout: machineTimeout}},
	}
	if profile != "" {
		all[0], all[1] = all[1], all[0]
	}
	return all
}

// connect returns a client.
func connect(b *config.Bucket) (*minio.Client, error) {
	u, err := url.Parse(cmp.Or(b.Endpoint, defaultEndpoint))
	if err != nil {
		return nil, err
	}
	lookup := minio.BucketLookupAuto
	switch {
	case b.PathStyle == nil:
	case *b.PathStyle:
		lookup = minio.BucketLookupPath
	default:
		lookup = minio.BucketLookupDNS
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	transport.MaxIdleConnsPerHost, transport.ResponseHeaderTimeout = maxIdle, mostSilent
	client, err := minio.New(u.Host, &minio.Options{
		Creds:  credentials.NewChainCredentials(providers(b.Profile)),
		Secure: u.Scheme == "https", Region: b.Region, BucketLookup: lookup, Transport: &patient{RoundTripper: transport},
	})
	if err != nil {
		return nil, fmt.Errorf("the bucket %s: %w", b.Name, err)
	}
	return client, nil
}

// encryption is what the store is asked to encrypt with, nil for nothing.
func encryption(b *config.Bucket) (encrypt.ServerSide, error) {
	switch {
	case !b.Encrypt:
		return nil, nil
	case b.KMSKey == "":
		return encrypt.NewSSE(), nil
	}
	return encrypt.NewSSEKMS(b.KMSKey, nil)
}
