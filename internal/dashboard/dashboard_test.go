package dashboard

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/rollout"
)

// TestWrite compares the written page with a golden file. UPDATE_GOLDEN=1 rewrites it.
func TestWrite(t *testing.T) {
	t.Parallel()
	got := written(t)
	const golden = "testdata/page.html"
	// The style and the script have files of their own.
	for _, name := range []string{"style.css", "script.js"} {
		if !strings.Contains(got, asset(name)) {
			t.Errorf("%s is not in the page", name)
		}
		got = strings.Replace(got, asset(name), name, 1)
	}
	got = regexp.MustCompile(`sha256-.*?=&#39;`).ReplaceAllString(got, "sha256-HASH&#39;")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func written(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	if err := Write(t.Context(), &b, &fake{condition: rollout.Paused, running: 1}, at); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEscaped: texts of AWS and of events make no element and no attribute.
func TestEscaped(t *testing.T) {
	t.Parallel()
	page := written(t)
	if strings.Contains(page, "<img") || strings.Count(page, "<script") != 1 || strings.Count(page, "</script") != 1 {
		t.Error("a text was not escaped")
	}
	outside := regexp.MustCompile(`(src|href|url\()=?"?(https?:)?//[^"]*`)
	for _, link := range outside.FindAllString(page, -1) {
		if !strings.HasPrefix(link, `href="https://us-east-1.console.aws.amazon.com/ecs/v2/`) {
			t.Errorf("the page refers to %s", link)
		}
	}
}

// served starts a server of a source on this machine.
func served(t *testing.T, source Source) *httptest.Server {
	t.Helper()
	s := NewServer(source)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	server := httptest.NewServer(s)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); stop(); <-done })
	return server
}

// TestChanges follows the page while a rollout goes on: a browser gets the board as soon
// as it is read, and then what changes.
func TestChanges(t *testing.T) {
	t.Parallel()
	source := &fake{condition: rollout.RollingOut, running: 1}
	s := NewServer(source)
	server := httptest.NewServer(s)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	events := bufio.NewScanner(answer.Body)
	next := func() string {
		var text strings.Builder
		for events.Scan() && events.Text() != "" {
			line, ok := strings.CutPrefix(events.Text(), "data: ")
			if !ok {
				t.Errorf("a line of an event is %q", events.Text())
			}
			text.WriteString(line + "\n")
		}
		return text.String()
	}
	if first := next(); !strings.Contains(first, "Reading the environments.") {
		t.Errorf("before anything is read, it shows %s", first)
	}
	s.readBoard(t.Context())
	if text := next(); !strings.Contains(text, "1 of 3 tasks") {
		t.Errorf("it shows %s", text)
	}
	source.set(rollout.Steady, 3)
	s.readBoard(t.Context())
	if text := next(); !strings.Contains(text, "None is going on") {
		t.Errorf("it shows %s", text)
	}
	s.readReports(t.Context())
	if text := next(); !strings.Contains(text, "2 checks, no problem.") {
		t.Errorf("it shows %s", text)
	}
}

// TestServer checks who gets an answer, and with which headers.
func TestServer(t *testing.T) {
	t.Parallel()
	server := served(t, &fake{condition: rollout.Steady, running: 3})
	tests := []struct {
		name, method, path, host string
		status                   int
		kind                     string
	}{
		{"the page", "GET", "/", "", 200, "text/html; charset=utf-8"},
		{"its head", "HEAD", "/", "", 200, "text/html; charset=utf-8"},
		{"by name", "GET", "/", "localhost:8484", 200, "text/html; charset=utf-8"},
		{"by IPv6", "GET", "/", "[::1]:8484", 200, "text/html; charset=utf-8"},
		{"style", "GET", "/style.css", "", 200, "text/css; charset=utf-8"},
		{"script", "GET", "/script.js", "", 200, "text/javascript; charset=utf-8"},
		{"a history", "GET", "/history?environment=prod&service=backend", "", 200, "text/html; charset=utf-8"},
		{"no service", "GET", "/history?environment=x&service=%3Cscript%3E", "", 200, "text/html; charset=utf-8"},
		{"another page", "GET", "/other", "", 404, "text/plain; charset=utf-8"},
		{"another site's name", "GET", "/", "attacker.example", 421, "text/plain; charset=utf-8"},
		{"a name like an address", "GET", "/", "127.0.0.1.attacker.example", 421, "text/plain; charset=utf-8"},
		{"writing", "POST", "/", "", 405, "text/plain; charset=utf-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), tt.method, server.URL+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = tt.host
			answer, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			h := answer.Header
			if answer.StatusCode != tt.status || h.Get("Content-Type") != tt.kind {
				t.Errorf("%d %s, want %d %s", answer.StatusCode, h.Get("Content-Type"), tt.status, tt.kind)
			}
			const want = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'self'; " +
				"script-src 'self'; connect-src 'self'; frame-ancestors 'none'"
			if got := h.Get("Content-Security-Policy"); got != want || h.Get("Cache-Control") != "no-store" {
				t.Errorf("the headers are %v", h)
			}
			if strings.Contains(string(body), "<script>") {
				t.Errorf("it shows %s", body)
			}
		})
	}
}

// TestListen: the page is served to this machine only.
func TestListen(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", ":8484", "0.0.0.0:0", "192.0.2.1:0", "[::]:0", "127.0.0.1", "example.com:0"} {
		if l, err := Listen(t.Context(), address); err == nil {
			l.Close()
			t.Errorf("it listens on %q", address)
		}
	}
	for _, address := range []string{"127.0.0.1:0", "localhost:0"} {
		l, err := Listen(t.Context(), address)
		if err != nil {
			t.Error(err)
			continue
		}
		l.Close()
	}
}

// TestSmall checks that the dashboard stays small: its Go, HTML, CSS and JavaScript together.
func TestSmall(t *testing.T) {
	t.Parallel()
	const most = 800
	lines := 0
	for _, name := range []string{"dashboard.go", "server.go", "view.go", "page.html", "script.js", "style.css"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines += strings.Count(string(text), "\n")
	}
	if lines > most {
		t.Errorf("it has %d lines, want at most %d", lines, most)
	}
}
