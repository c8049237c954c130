package s3

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Location says where objects are kept.
type Location struct {
	// Bucket is the bucket's name, and Prefix what the names of all objects begin with.
	Bucket, Prefix string
	Region         string
	// Endpoint is the URL of a store that is not Amazon's.
	Endpoint string
	// Profile is the one of the shared credentials file to use, "" for the usual one.
	Profile string
	// PathStyle names the bucket in the path rather than in the host's name.
	PathStyle bool
	// Encryption is the server's: "", "AES256" or "aws:kms", which may have a KMSKey.
	Encryption, KMSKey string
}

// String is the location as people write it.
func (l Location) String() string { return "s3://" + l.Bucket + "/" + l.Prefix }

const defaultEndpoint = "https://s3.amazonaws.com"

// connect returns a client. Credentials are those that the tools of Amazon find: of the
// environment, of the shared file, or of the machine.
func connect(l Location) (*minio.Client, encrypt.ServerSide, error) {
	u, err := url.Parse(cmp.Or(l.Endpoint, defaultEndpoint))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, nil, fmt.Errorf("the endpoint %q is not an address such as https://minio.example.com", l.Endpoint)
	}
	if u.Scheme == "http" && !bfl.IsLoopback(u.Hostname()) {
		return nil, nil, fmt.Errorf("the endpoint %q is not encrypted, which only a store on this machine may be. Use https", l.Endpoint)
	}
	lookup := minio.BucketLookupAuto
	if l.PathStyle {
		lookup = minio.BucketLookupPath
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert,errcheck // it is one
	transport.MaxIdleConnsPerHost, transport.ResponseHeaderTimeout = 64, time.Minute
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{Profile: l.Profile}, &credentials.IAM{},
		}),
		Secure: u.Scheme == "https", Region: l.Region, BucketLookup: lookup, Transport: transport,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", l, err)
	}
	sse, err := encryption(l)
	return client, sse, err
}

func encryption(l Location) (encrypt.ServerSide, error) {
	switch strings.ToLower(l.Encryption) {
	case "":
		return nil, nil
	case "aes256":
		return encrypt.NewSSE(), nil
	case "aws:kms":
		return encrypt.NewSSEKMS(l.KMSKey, nil)
	}
	return nil, fmt.Errorf("the encryption %q is not known. Use AES256 or aws:kms", l.Encryption)
}
