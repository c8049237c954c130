package slots

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// connect reaches the broker and the bucket, which is made where there is none.
func connect(ctx context.Context, o Options) (*nats.Conn, jetstream.KeyValue, error) {
	url := o.URL
	options := append(o.Credentials.options(), nats.Name("fluxbatch"), nats.MaxReconnects(-1), nats.ReconnectWait(look), nats.Timeout(patience))
	conn, err := nats.Connect(url, options...)
	if err != nil {
		return nil, nil, unreachable(url, err)
	}
	js, err := jetstream.New(conn)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		var kv jetstream.KeyValue
		if kv, err = bucketOf(ctx, js); err == nil {
			return conn, kv, nil
		}
	}
	conn.Close()
	return nil, nil, unreachable(url, err)
}

// bucketOf returns the bucket, and makes it with as many replicas as the broker has nodes for.
func bucketOf(ctx context.Context, js jetstream.JetStream) (kv jetstream.KeyValue, err error) {
	if kv, err = js.KeyValue(ctx, bucket); !errors.Is(err, jetstream.ErrBucketNotFound) {
		return kv, err
	}
	for _, replicas := range []int{3, 1} {
		kv, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: bucket, Description: "The slots and budgets of accounts that fluxbatch uses", Replicas: replicas, Storage: jetstream.FileStorage,
		})
		if err == nil {
			return kv, nil
		}
	}
	return nil, err
}

// isFragile reports whether a broker of several nodes has one of them alone keep the bucket: there were fewer when it was
// made. Who may not ask is told nothing.
func isFragile(ctx context.Context, conn *nats.Conn, kv jetstream.KeyValue) bool {
	if conn.ConnectedClusterName() == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	status, err := kv.Status(ctx)
	if err != nil {
		return false
	}
	stored, ok := status.(*jetstream.KeyValueBucketStatus)
	return ok && stored.StreamInfo().Config.Replicas == 1
}

// AwayError says that the broker cannot be used now.
type AwayError struct {
	URL string
	Err error
}

func (e *AwayError) Error() string {
	return fmt.Sprintf("the broker %s, which shares the account's slots, cannot be used: %v", e.URL, e.Err)
}

// Unwrap returns what is wrong with it.
func (e *AwayError) Unwrap() error { return e.Err }

func unreachable(url string, err error) error { return &AwayError{url, err} }

func hashOf(key string) string {
	sum := sha256.Sum256([]byte("fluxbatch slots " + key))
	return hex.EncodeToString(sum[:])
}

// isAccount refuses two names for one account, and one name for two: both would count wrongly.
func (p *Pool) isAccount(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	hash := hashOf(p.options.Key)
	for name, want := range map[string]string{p.options.Account + ".key": hash, "key." + hash: p.options.Account} {
		if _, err := p.kv.Create(ctx, name, []byte(want)); err == nil {
			continue
		}
		there, err := p.kv.Get(ctx, name)
		switch {
		case err != nil:
			return unreachable(p.options.URL, err)
		case string(there.Value()) == want:
		case strings.HasPrefix(name, "key."):
			return fmt.Errorf("the account of this key is called %q by others, and %q here, so that its slots would be counted twice. Give it one name in slots", there.Value(), p.options.Account)
		default:
			return fmt.Errorf("the account %q has another key. Two accounts need two names in slots. If the key was replaced, run: nats kv del %s %s", p.options.Account, bucket, name)
		}
	}
	return nil
}
