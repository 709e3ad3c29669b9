//go:build slow

package dashboard

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"deployer/internal/fleet"
	"deployer/internal/rollout"
)

// browserNames are the programs that a headless Chromium may be.
var browserNames = []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"}

// browser starts a headless Chromium, or skips the test if none is installed. Complaints
// are what it wrote to its console, such as violations of the content security policy.
func browser(t *testing.T) (ctx context.Context, complaints func() []string) {
	t.Helper()
	program := ""
	for _, name := range browserNames {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no Chromium is installed: on Debian, apt-get install chromium-headless-shell")
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.WindowSize(1100, 900))...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	var mu sync.Mutex
	var said []string
	listen := func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *log.EventEntryAdded:
			said = append(said, e.Entry.Text+" "+e.Entry.URL)
		case *runtime.EventExceptionThrown:
			said = append(said, e.ExceptionDetails.Text+" "+e.ExceptionDetails.URL)
		}
	}
	if err := chromedp.Listen(ctx, listen); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, protocol(log.Enable, cdp.Empty{})); err != nil {
		t.Fatal(err)
	}
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return said
	}
}

// protocol returns a step that sends a command of the browser's protocol.
func protocol[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// value returns a step that checks the value of a JavaScript expression.
func value[T comparable](t *testing.T, expression string, want T) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		got, err := chromedp.Evaluate[T](expression)(ctx, target)
		if err != nil {
			return err
		}
		if got != want {
			t.Errorf("%s is %v, want %v", expression, got, want)
		}
		return nil
	})
}

// until returns a step that waits until a JavaScript expression is true.
func until(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(time.Minute))
}

// scheme returns a step that chooses a light or a dark page.
func scheme(name string) chromedp.Action[chromedp.Void] {
	return protocol(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

// TestBrowser uses the page with a keyboard in a real browser, while a rollout ends.
func TestBrowser(t *testing.T) {
	ctx, complaints := browser(t)
	source := &fake{condition: rollout.RollingOut, running: 1}
	s := NewServer(source)
	s.readBoard(t.Context())
	s.readReports(t.Context())
	server := httptest.NewServer(s)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	focus := `document.activeElement.textContent`
	steps := []chromedp.Action[chromedp.Void]{
		chromedp.Navigate(server.URL),
		until(`document.getElementById("state").textContent === "live"`),
		value(t, `document.title`, "shop: what runs where"),
		value(t, `document.images.length`, 0),
		value(t, `document.querySelector("#board time").textContent.endsWith(" ago")`, true),
		value(t, `document.querySelector("progress").value`, 1),
		// The keyboard: first comes the link past the header, then the cells.
		chromedp.KeyEvent(kb.Tab), value(t, focus, "Skip to the table"),
		chromedp.KeyEvent(kb.Tab), value(t, focus, "v3"),
		chromedp.KeyEvent(kb.Tab), value(t, focus, "v1"),
		// A change does not take the focus away.
		chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			source.set(rollout.Steady, 3)
			s.readBoard(ctx)
			return nil
		}),
		until(`document.getElementById("board").textContent.includes("None is going on")`),
		value(t, focus, "v1"),
		// A cell leads to its history, which is read when it is opened.
		chromedp.KeyEvent(kb.Enter),
		until(`document.querySelectorAll("#history-prod-backend .timeline li").length === 3`),
		value(t, `document.querySelector("#history-prod-backend").open`, true),
		value(t, focus, "backend in prod"),
		value(t, `document.querySelectorAll("img, [onerror]").length`, 0),
		value(t, `document.querySelector("#history-prod-backend .timeline li").dataset.state`, "succeeded"),
		// A service whose history cannot be read says why.
		chromedp.Evaluate[chromedp.Void](`location.hash = "history-prod-web-api"`),
		until(`document.querySelector("#history-prod-web-api .error") !== null`),
		// Every control has a name.
		value(t, `[...document.querySelectorAll("a, button, progress, summary")]
			.filter(e => !(e.textContent.trim() || e.getAttribute("aria-label"))).length`, 0),
		value(t, `[...document.querySelectorAll("th")].filter(e => !e.scope).length`, 0),
		// Light and dark.
		scheme("dark"),
		value(t, `getComputedStyle(document.body).backgroundColor`, "rgb(15, 20, 26)"),
		scheme("light"),
		value(t, `getComputedStyle(document.body).backgroundColor`, "rgb(255, 255, 255)"),
		// The server ends.
		chromedp.Func(func(context.Context, *chromedp.Target) error {
			server.CloseClientConnections()
			return server.Listener.Close()
		}),
		until(`document.getElementById("state").textContent.startsWith("not connected")`),
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
	for _, text := range complaints() {
		if !strings.Contains(text, "ERR_") { // that the server ended
			t.Errorf("the browser says: %s", text)
		}
	}
}

// TestBrowserFile opens the written page, whose script runs under the page's own policy.
func TestBrowserFile(t *testing.T) {
	ctx, complaints := browser(t)
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte(written(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	err := chromedp.Do(ctx,
		chromedp.Navigate((&url.URL{Scheme: "file", Path: path}).String()),
		until(`document.querySelector("#board time").textContent.endsWith(" ago")`),
		value(t, `getComputedStyle(document.querySelector("table")).borderCollapse`, "collapse"),
		value(t, `document.querySelectorAll("#history-dev-backend .timeline li").length`, 3),
		value(t, `document.querySelectorAll("img, script:not(:last-of-type)").length`, 0),
		chromedp.Click(chromedp.CSS(`td a`)), until(`document.querySelector("#history-dev-backend").open`),
	)
	if err != nil {
		t.Fatal(err)
	}
	if said := complaints(); len(said) > 0 {
		t.Errorf("the browser says: %q", said)
	}
}

// large is a source with three environments of 30 services each, all of which differ.
type large struct{ *fake }

func (l large) Fleet(ctx context.Context) *fleet.Fleet {
	f := l.fake.Fleet(ctx)
	like := f.Environments[0]
	f.Environments, f.Gaps = nil, nil
	for _, name := range []string{"dev", "staging", "prod"} {
		e := like
		e.Name, e.Services = name, nil
		for i := range 30 {
			one := like.Services[0]
			one.Name = fmt.Sprint("s", i)
			e.Services = append(e.Services, one)
			f.Gaps = append(f.Gaps, fleet.Gap{Service: one.Name, Environment: name, Of: "dev", Images: 2})
		}
		f.Environments = append(f.Environments, e)
	}
	return f
}

// TestBrowserPaint checks that a large page is painted within a second of AWS's answers, from the request on.
func TestBrowserPaint(t *testing.T) {
	ctx, _ := browser(t)
	s := NewServer(large{&fake{condition: rollout.Steady, running: 3}})
	begin := time.Now()
	s.readBoard(t.Context()) // the answers are there
	made := time.Since(begin)
	server := httptest.NewServer(s)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	const paint = `performance.getEntriesByName("first-contentful-paint")`
	var painted float64
	err := chromedp.Do(ctx,
		chromedp.Navigate(server.URL),
		until(paint+`.length === 1`),
		value(t, `document.querySelectorAll("#board tbody tr").length`, 30),
		chromedp.Func(func(ctx context.Context, target *chromedp.Target) (err error) {
			painted, err = chromedp.Evaluate[float64](paint+`[0].startTime`)(ctx, target)
			return err
		}),
	)
	if err != nil {
		t.Fatal(err)
	}
	const most = 1000 // milliseconds
	if got := float64(made.Milliseconds()) + painted; got > most {
		t.Errorf("the first paint was %.0f ms after AWS's answers", got)
	}
	t.Logf("the page was made in %s and painted %.0f ms after the request", made, painted)
}
