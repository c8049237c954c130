package s3

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluxbatch/fluxbatch/config"
)

// TestAddresses holds where the bucket is named: as use_path_style says, and else as the store wants it.
func TestAddresses(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	for _, tt := range []struct {
		endpoint  string
		pathStyle *bool
		want      string
	}{
		{"", nil, "https://art.s3.eu-central-1.amazonaws.com/x"},
		{"", new(true), "https://s3.eu-central-1.amazonaws.com/art/x"},
		{"https://minio.studio:9000", nil, "https://minio.studio:9000/art/x"},
		{"https://minio.studio:9000", new(true), "https://minio.studio:9000/art/x"},
		{"https://minio.studio:9000", new(false), "https://art.minio.studio:9000/x"},
		{"http://127.0.0.1:9000", nil, "http://127.0.0.1:9000/art/x"},
		{"https://storage.googleapis.com", nil, "https://art.storage.googleapis.com/x"},
	} {
		client, err := connect(&config.Bucket{Name: "art", Region: "eu-central-1", Endpoint: tt.endpoint, PathStyle: tt.pathStyle})
		if err != nil {
			t.Fatal(err)
		}
		u, err := client.PresignedGetObject(t.Context(), "art", "x", time.Minute, nil)
		if err != nil {
			t.Fatal(err)
		}
		u.RawQuery = ""
		if strings.Replace(u.String(), ".dualstack", "", 1) != tt.want {
			t.Errorf("endpoint %q: %s, want %s", tt.endpoint, u, tt.want)
		}
	}
}

// TestProfiles holds which credentials are used: those of a profile that is named, the environment's, and
// those of the profile that the environment names.
func TestProfiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials")
	const text = "[default]\naws_access_key_id = of-default\naws_secret_access_key = s\n[studio]\naws_access_key_id = of-studio\naws_secret_access_key = s\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	for _, tt := range []struct{ named, environment, key, want string }{
		{"", "", "", "of-default"},
		{"", "studio", "", "of-studio"},
		{"", "studio", "of-environment", "of-environment"},
		{"studio", "", "", "of-studio"},
		{"studio", "default", "of-environment", "of-studio"},
		{"unknown", "", "of-environment", "of-environment"},
	} {
		t.Setenv("AWS_PROFILE", tt.environment)
		t.Setenv("AWS_ACCESS_KEY_ID", tt.key)
		t.Setenv("AWS_SECRET_ACCESS_KEY", tt.key)
		client, err := connect(&config.Bucket{Name: "art", Profile: tt.named})
		if err != nil {
			t.Fatal(err)
		}
		if creds, err := client.GetCreds(); err != nil || creds.AccessKeyID != tt.want {
			t.Errorf("%+v: %q, %v", tt, creds.AccessKeyID, err)
		}
	}
}

// TestWhatIsNotThere holds that only an object's absence is taken for that, and that the store's own words
// come to the user.
func TestWhatIsNotThere(t *testing.T) {
	server, at := start(t)
	o, err := openObjects(at)
	check(t, err)
	if _, _, err := o.read(t.Context(), "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an object that is not there: %v", err)
	}
	server.Meddle(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `<Error><Code>KMS.NotFoundException</Code><Message>There is no key other-key</Message></Error>`)
		return true
	})
	if _, err := o.create(t.Context(), "x", nil); errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no key other-key") {
		t.Errorf("a key that is not there: %v", err)
	}
	server.Close()
	if _, _, err := o.read(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "cannot be reached: dial") || strings.Contains(err.Error(), "?") {
		t.Errorf("a store that is not there: %v", err)
	}
}

// TestSilence holds that whoever listens is told of a store that does not answer, once for many requests.
func TestSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told []Silence
		ctx, cancel := context.WithTimeout(ReportSilence(t.Context(), func(s Silence) { told = append(told, s) }), 15*time.Second)
		defer cancel()
		transport := &patient{RoundTripper: deaf{}}
		for range 3 {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://minio.studio:9000/art/x", nil)
			check(t, err)
			go func() {
				if response, err := transport.RoundTrip(r); err == nil {
					_ = response.Body.Close()
				}
			}()
		}
		<-ctx.Done()
		synctest.Wait()
		if len(told) != 1 || told[0] != (Silence{"https://minio.studio:9000", silentFor}) {
			t.Errorf("it was told %v", told)
		}
	})
}

// deaf answers no request.
type deaf struct{}

func (deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}
