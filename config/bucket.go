package config

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

// Bucket is a place in an S3-compatible object store. Credentials are never part of a
// configuration.
type Bucket struct {
	// Name is the bucket's, and Prefix what the names of all objects begin with, without a slash at
	// its end.
	Name, Prefix string
	Region       string
	// Endpoint, when not "", is the base URL of a store that is not Amazon's.
	Endpoint string
	// Profile, when not "", is the one of the shared credentials file to use.
	Profile string
	// PathStyle says whether the bucket is named in the path, or in the host's name. Nil leaves that
	// to the endpoint: in the path for all but the great stores.
	PathStyle *bool
	// Encrypt asks the store to encrypt what it keeps, with the key KMSKey where that is not "".
	Encrypt bool
	KMSKey  string
}

// Where what is shared is kept: each block has the argument for what names of objects begin with.
var (
	stateBucketSchema  = bucketSchema(`a state "s3" block`, "key")
	imagesBucketSchema = bucketSchema(`an images "s3" block`, "prefix")
)

func bucketSchema(in, prefix string) schema.Body {
	return schema.Body{In: in, Args: []string{"bucket", prefix, "region", "endpoint", "profile", "use_path_style", "encrypt", "kms_key_id"}}
}

// credentialHints answer who looks for where the credentials of a bucket are written.
var credentialHints = map[string]string{"access_key": credentialHint, "secret_key": credentialHint, "token": credentialHint}

const credentialHint = "Credentials never stand in a configuration. Put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of the shared credentials file with profile."

// isKept reports whether a block names a kind of place that there is.
func (d *decoder) isKept(block *hcl.Block) bool {
	kind := block.Labels[0]
	switch {
	case kind == "s3", kind == "local" && block.Type == "state":
		return true
	case block.Type == "state":
		d.add(diag.Problem(block.LabelRanges[0], "Unsupported kind of state",
			`There is no state %q. Write state "local" { path = "..." } for a file, or state "s3" { ... } for a bucket.%s`,
			kind, diag.DidYouMean(kind, []string{"local", "s3"})))
	default:
		d.add(diag.Problem(block.LabelRanges[0], "Unsupported kind of store",
			`There is no store %q for images. Write images "s3" { ... } for a bucket. Without it they are files beside the configuration.`, kind))
	}
	return false
}

// keeping decodes where the state is, or where images are kept besides their files.
func (d *decoder) keeping(m *module, settings *settingsBlock, block *hcl.Block) {
	switch {
	case block.Type == "images":
		d.bucketBlock(m, block, &imagesBucketSchema, (*evaluator).imagesBucket)
	case block.Labels[0] == "s3":
		d.bucketBlock(m, block, &stateBucketSchema, (*evaluator).stateBucket)
	default:
		content, diags := stateSchema.Read(block.Body)
		d.add(diags...)
		if attr := content.Args["path"]; attr != nil {
			settings.args["path"] = attr
		}
	}
}

func (d *decoder) bucketBlock(m *module, block *hcl.Block, s *schema.Body, apply func(*evaluator, *scope, *settingsBlock)) {
	content, diags := s.Read(block.Body)
	d.addWithHints(diags, credentialHints)
	b := &settingsBlock{node: node{name: block.Type, at: block.DefRange}, block: block, args: content.Args, apply: apply}
	m.settings = append(m.settings, b)
	m.add(&b.node, b)
}

func (e *evaluator) stateBucket(s *scope, b *settingsBlock) {
	if bucket := e.bucket(s, b, "key"); bucket != nil {
		if bucket.Prefix == "" {
			e.add(diag.Problem(b.at, "Missing key", `The state needs a key, which the names of its objects begin with, such as key = "shop/state".`))
			return
		}
		e.settings.StateBucket = bucket
	}
}

func (e *evaluator) imagesBucket(s *scope, b *settingsBlock) {
	e.settings.ImagesBucket = e.bucket(s, b, "prefix")
}

// bucket evaluates the arguments of a bucket, nil where they are wrong.
func (e *evaluator) bucket(s *scope, b *settingsBlock, prefix string) *Bucket {
	text := func(name string) string {
		if v, _, ok := e.setting(s, b, name, cty.String); ok {
			return v.AsString()
		}
		return ""
	}
	flag := func(name string) *bool {
		if v, _, ok := e.setting(s, b, name, cty.Bool); ok {
			return new(v.True())
		}
		return nil
	}
	encrypt := flag("encrypt")
	bucket := &Bucket{
		Name: text("bucket"), Prefix: strings.Trim(text(prefix), "/"), Region: text("region"), Endpoint: strings.TrimSuffix(text("endpoint"), "/"),
		Profile: text("profile"), PathStyle: flag("use_path_style"), Encrypt: encrypt != nil && *encrypt, KMSKey: text("kms_key_id"),
	}
	switch {
	case b.args["bucket"] == nil:
		e.add(diag.Problem(b.at, "Missing bucket", `Name the bucket, as in bucket = "art".`))
		return nil
	case bucket.Name == "":
		return nil // What is wrong with it was said.
	case bucket.Endpoint != "" && refusedStore(bucket.Endpoint) != "":
		e.add(diag.Problem(b.args["endpoint"].Expr.Range(), "Invalid endpoint", "%s", refusedStore(bucket.Endpoint)))
		return nil
	case bucket.KMSKey != "" && !bucket.Encrypt:
		e.add(diag.Problem(b.args["kms_key_id"].Expr.Range(), "Key without encryption", "kms_key_id is the key that the store encrypts with. Set encrypt = true as well, or remove it."))
		return nil
	}
	return bucket
}

// refusedStore says why a URL cannot be that of a store, "" where it can.
func refusedStore(endpoint string) string {
	reason := refusedEndpoint(endpoint)
	if strings.HasPrefix(reason, "The key travels") {
		return "The images and what they were made from travel to it, so an endpoint must start with https:// or be on this machine."
	}
	return reason
}
