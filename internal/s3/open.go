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

// connect returns a client. Credentials are those that the tools of Amazon find: of the
// environment, of the shared file, or of the machine.
func connect(b *config.Bucket) (*minio.Client, error) {
	u, err := url.Parse(cmp.Or(b.Endpoint, defaultEndpoint))
	if err != nil {
		return nil, err
	}
	lookup := minio.BucketLookupAuto
	if b.PathStyle {
		lookup = minio.BucketLookupPath
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	transport.MaxIdleConnsPerHost, transport.ResponseHeaderTimeout = maxIdle, time.Minute
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{Profile: b.Profile}, &credentials.IAM{Client: &http.Client{Timeout: machineTimeout}},
		}),
		Secure: u.Scheme == "https", Region: b.Region, BucketLookup: lookup, Transport: transport,
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
