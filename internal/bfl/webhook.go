package bfl

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// WebhookHeader is the header with a webhook's signature.
const WebhookHeader = "X-BFL-Signature"

// VerifyWebhook reports whether a webhook's signature, the value of WebhookHeader, fits its raw
// body: "sha256=" and the HMAC-SHA256 of the body in hexadecimal, keyed with the secret that the
// request named. Nothing fits an empty secret. It takes the same time however much of the signature
// is right.
func VerifyWebhook(secret string, body []byte, header string) bool {
	text, ok := strings.CutPrefix(header, "sha256=")
	if !ok || secret == "" {
		return false
	}
	signature, err := hex.DecodeString(text)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body) // a hash never fails
	return hmac.Equal(signature, mac.Sum(nil))
}
