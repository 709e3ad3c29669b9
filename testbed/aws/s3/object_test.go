package s3_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/s3"
)

// TestPresign: a presigned URL is valid for an hour, as the caller that it was made for, and without other credentials.
func TestPresign(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 22, 9, 30, 0, 0, time.UTC)
	server := s3.New(&api.Backend{Clock: func() time.Time { return now }}, nil)
	caller := api.Caller{Account: "111111111111", Role: "Deployer", Region: "us-east-1"}
	url := server.Presign(&api.Request{Caller: caller, Now: now, Host: "aws.invalid"}, []byte("layer"))
	secure := server.Presign(&api.Request{Caller: caller, Now: now, Host: "aws.invalid", TLS: true}, []byte("layer"))
	if !strings.HasPrefix(url, "http://aws.invalid/") || !strings.HasPrefix(secure, "https://aws.invalid/") {
		t.Errorf("presigned %s, over TLS %s", url, secure)
	}
	tests := []struct {
		name, url, authorization string
		later                    time.Duration
		want                     string // the content or the error
	}{
		{"in time", url, "", time.Hour, "layer"},
		{"too late", url, "", time.Hour + 1, "AccessDenied: Request has expired"},
		{"an unknown URL", url + "x", "", 0, "AccessDenied: Access Denied"},
		{"with credentials", url, "AWS4-HMAC-SHA256 …", 0, "InvalidArgument: Only one auth mechanism allowed; only " +
			"the " +
			"X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be " +
			"specified"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			hr := httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
			if tt.authorization != "" {
				hr.Header.Set("Authorization", tt.authorization)
			}
			if !s3.IsPresigned(hr) {
				t.Error("the URL is not a presigned one")
			}
			r := &api.Request{Now: now.Add(tt.later)}
			got := ""
			err := server.Open(r, hr)
			if err == nil {
				var content any
				content, err = server.Operations()["s3:GetObject"](r)
				if err == nil {
					got = string(content.([]byte))
				}
				if r.Caller != caller {
					t.Errorf("the caller is %+v, want %+v", r.Caller, caller)
				}
			}
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestRange: a part of an object is answered with 206, and a part beyond its end is refused.
func TestRange(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 22, 9, 30, 0, 0, time.UTC)
	server := s3.New(&api.Backend{Clock: func() time.Time { return now }}, nil)
	url := server.Presign(&api.Request{Now: now, Host: "aws.invalid"}, []byte("0123456789"))
	for _, tt := range []struct {
		name, header string
		status       int
		body, span   string
	}{
		{"none", "", http.StatusOK, "0123456789", ""},
		{"the first bytes", "bytes=0-3", http.StatusPartialContent, "0123", "bytes 0-3/10"},
		{"beyond the end", "bytes=8-20", http.StatusPartialContent, "89", "bytes 8-9/10"},
		{"after the end", "bytes=10-20", http.StatusRequestedRangeNotSatisfiable, "", ""},
		{"not valid", "lines=1-2", http.StatusOK, "0123456789", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			hr := httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			if tt.header != "" {
				hr.Header.Set("Range", tt.header)
			}
			r := &api.Request{Now: now}
			if err := server.Open(r, hr); err != nil {
				t.Fatal(err)
			}
			answer, err := server.Operations()["s3:GetObject"](r)
			w := httptest.NewRecorder()
			s3.Write(w, "id", answer, err)
			span := w.Header().Get("Content-Range")
			if w.Code != tt.status || err == nil && w.Body.String() != tt.body || span != tt.span {
				t.Errorf("%d %q %q", w.Code, w.Body, span)
			}
		})
	}
}
