package dashboard

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"deployer/internal/fleet"
)

// How often what is shown is read again, while a browser has the page open.
const (
	boardInterval  = 5 * time.Second
	doctorInterval = 10 * time.Minute
)

// Server is the page as an HTTP handler for browsers on this machine. It answers only
// requests whose Host is a loopback address, so that no other site's name can lead to it,
// and only GET and HEAD.
type Server struct {
	source Source
	mux    *http.ServeMux

	mu      sync.Mutex
	fleet   *fleet.Fleet
	board   board
	reports []report
	changed chan struct{} // closed when the board or the reports change
	watched chan struct{} // closed when a browser opens the page
	lookers int
}

// NewServer returns a server of a source's contents. It reads nothing before [Server.Run].
func NewServer(source Source) *Server {
	s := &Server{source: source, mux: http.NewServeMux(), fleet: &fleet.Fleet{},
		changed: make(chan struct{}), watched: make(chan struct{})}
	s.mux.HandleFunc("/{$}", s.page)
	s.mux.HandleFunc("/changes", s.changes)
	s.mux.HandleFunc("/history", s.history)
	s.mux.HandleFunc("/style.css", file("style.css", "text/css; charset=utf-8"))
	s.mux.HandleFunc("/script.js", file("script.js", "text/javascript; charset=utf-8"))
	return s
}

// Run reads what is shown until ctx ends: once at the start, and again while a browser
// has the page open.
func (s *Server) Run(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { s.repeat(ctx, boardInterval, s.readBoard) })
	running.Go(func() { s.repeat(ctx, doctorInterval, s.readReports) })
	running.Wait()
}

// repeat calls read now, and at intervals while a browser has the page open.
func (s *Server) repeat(ctx context.Context, interval time.Duration, read func(context.Context)) {
	for {
		read(ctx)
		pause := time.NewTimer(interval)
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		s.mu.Lock()
		watched := s.watched
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-watched:
		}
	}
}

func (s *Server) readBoard(ctx context.Context) {
	f := s.source.Fleet(ctx)
	if ctx.Err() == nil {
		s.change(func() { s.fleet, s.board = f, boardOf(f, time.Now()) })
	}
}

// readReports asks the doctor about each environment of the first board, one by one: it
// makes many calls.
func (s *Server) readReports(ctx context.Context) {
	for {
		s.mu.Lock()
		ready, changed := s.board.Read, s.changed
		s.mu.Unlock()
		if ready {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
	s.mu.Lock()
	environments := s.fleet.Environments
	s.mu.Unlock()
	reports := make([]report, 0, len(environments))
	for _, e := range environments {
		reports = append(reports, readReport(ctx, s.source, e))
	}
	if ctx.Err() == nil {
		s.change(func() { s.reports = reports })
	}
}

// change changes what is shown, and wakes those that look.
func (s *Server) change(set func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set()
	close(s.changed)
	s.changed = make(chan struct{})
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy+
		"; style-src 'self'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	switch {
	case !isLoopback(r.Host):
		const why = "the dashboard answers only to a loopback address, such as 127.0.0.1"
		http.Error(w, why, http.StatusMisdirectedRequest)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "the dashboard only reads", http.StatusMethodNotAllowed)
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// policy is the part of the content security policy that every page has.
const policy = "default-src 'none'; base-uri 'none'; form-action 'none'"

// policyOf returns the content security policy of a page with this style and script in it.
func policyOf(style, script string) string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return policy + "; style-src " + hash(style) + "; script-src " + hash(script)
}

// isLoopback reports whether a Host header or an address to listen on is of this machine.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ErrTaken is the error of [Listen] for a port that another program uses.
var ErrTaken = errors.New("another program uses it")

// CheckAddress returns an error for an address that the page is not served on: one that other machines can reach,
// because the page shows what runs without asking who reads it, or one without a port from 0 to 65535.
func CheckAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !isLoopback(host) {
		return fmt.Errorf("listening on %q: not a loopback address with a port, such as 127.0.0.1:8484: the page "+
			"shows what runs without asking who reads it", address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("listening on %q: %q is no port: write a number up to 65535, or 0 for any free port", address,
			port)
	}
	return nil
}

// Listen opens the address that the page is served on, after [CheckAddress].
func Listen(ctx context.Context, address string) (net.Listener, error) {
	if err := CheckAddress(address); err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	var system *net.OpError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listening on %s: %w", address, ErrTaken)
	case errors.As(err, &system):
		return nil, fmt.Errorf("listening on %s: %w", address, system.Err)
	}
	return listener, err
}

func file(name, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write([]byte(asset(name)))
	}
}

func (s *Server) page(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	p := page{Project: s.board.Project, Board: s.board, Reports: s.reports, Histories: histories(s.fleet)}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(render("page", p)))
}

// histories returns the services of a fleet, whose histories the page reads when they are opened.
func histories(f *fleet.Fleet) (all []*history) {
	for _, e := range f.Environments {
		for _, s := range e.Services {
			all = append(all, &history{Environment: e.Name, Service: s.Name})
		}
	}
	return all
}

// history answers with the history of one service.
func (s *Server) history(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := s.fleet
	s.mu.Unlock()
	h := &history{Environment: r.FormValue("environment"), Service: r.FormValue("service")}
	h.read(r.Context(), s.source, f)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(render("history", h)))
}

// changes sends the parts of the page whenever they change, as server-sent events (HTML
// standard, "Server-sent events").
func (s *Server) changes(w http.ResponseWriter, r *http.Request) {
	s.look()
	defer s.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	for sent := ""; ; {
		s.mu.Lock()
		changed := s.changed
		text := render("board", s.board) + render("reports", s.reports) + render("histories", histories(s.fleet))
		s.mu.Unlock()
		if text != sent {
			sent = text
			data := "data: " + strings.ReplaceAll(text, "\n", "\ndata: ") + "\n\n"
			if _, err := w.Write([]byte(data)); err != nil || out.Flush() != nil {
				return
			}
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		}
	}
}

// look counts a browser that has the page open; leave takes it back.
func (s *Server) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lookers++; s.lookers == 1 {
		close(s.watched)
	}
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lookers--; s.lookers == 0 {
		s.watched = make(chan struct{})
	}
}
