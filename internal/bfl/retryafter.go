package bfl

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds a wait that a server asks for, so that a mistake of its cannot stop a run
// for good.
const maxRetryAfter = time.Hour

// retryAfter returns how long a refusal asks to wait: by Retry-After (seconds or a date, RFC 9110
// section 10.2.3), by its body, or, for too many calls, by X-RateLimit-Reset (seconds or Unix time;
// sources disagree).
func retryAfter(status int, header http.Header, body time.Duration, now time.Time) time.Duration {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		// The server's dates are by the server's clock.
		now = date
	}
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return seconds2duration(seconds)
	}
	if date, err := http.ParseTime(value); err == nil {
		return bounded(date.Sub(now))
	}
	if body > 0 || status != http.StatusTooManyRequests {
		return bounded(body)
	}
	reset, err := strconv.ParseFloat(strings.TrimSpace(header.Get("X-RateLimit-Reset")), 64)
	if err != nil || math.IsNaN(reset) {
		return 0
	}
	if reset > 1e9 {
		// No wait is 30 years long; a moment is.
		reset -= float64(now.Unix())
	}
	return seconds2duration(reset)
}

// seconds2duration converts a wait, and bounds it.
func seconds2duration(seconds float64) time.Duration {
	if !(seconds > 0) { // also for what is no number
		return 0
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}

func bounded(d time.Duration) time.Duration { return min(max(d, 0), maxRetryAfter) }
