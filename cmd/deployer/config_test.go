package main

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/aws/smithy-go/logging"
)

// TestSDKLog holds that what the SDK has to say is a line of the log like any other.
func TestSDKLog(t *testing.T) { // not in parallel: the log is everybody's
	var out bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})))
	config, err := loadConfig(t.Context(), "us-east-1")
	must(t, err)
	config.Logger.Logf(logging.Warn, "a %s", "warning")
	config.Logger.Logf(logging.Debug, "detail")
	if want := "level=WARN msg=\"from the AWS SDK\" text=\"a warning\"\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
