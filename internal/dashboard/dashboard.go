// Package dashboard shows what runs in the environments of a project as a web page: what
// each service runs, live rollouts, what the doctor found, and the history of each service.
// It only reads. A [Server] keeps the page current; [Write] writes it to a file.
package dashboard

import (
	"context"
	"embed"
	"html/template"
	"io"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"deployer/internal/doctor"
	"deployer/internal/fleet"
	"deployer/internal/rollout"
)

// Source is where the page's contents come from. Its methods are called concurrently, but
// Fleet only by one at a time.
type Source interface {
	// Fleet reads what runs, with an error for each environment that cannot be read.
	Fleet(context.Context) *fleet.Fleet

	// History reads the deployments of a service of an environment, newest first.
	History(ctx context.Context, environment, service string) (*rollout.History, error)

	// Doctor checks an environment.
	Doctor(ctx context.Context, environment string) (*doctor.Report, error)
}

// maxReads is how many histories and reports are read at a time.
const maxReads = 4

//go:embed page.html style.css script.js
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"lower": strings.ToLower, "stamp": stamp}).
	ParseFS(files, "page.html"))

func asset(name string) string {
	text, _ := files.ReadFile(name) // it is part of the program
	return string(text)
}

// stamp returns a time as the page has it without a script.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// render returns a part of the page.
func render(part string, data any) string {
	var b strings.Builder
	if err := templates.ExecuteTemplate(&b, part, data); err != nil {
		panic(err) // only a template that does not fit its data fails, and the tests render each
	}
	return b.String()
}

// Write reads everything once and writes the page with all histories as one file, which
// needs no other. What could not be read is said in the page. The error is that of w.
func Write(ctx context.Context, w io.Writer, source Source, now time.Time) error {
	f := source.Fleet(ctx)
	p := page{Static: true, Style: template.CSS(asset("style.css")), Script: template.JS(asset("script.js")),
		Policy: policyOf(asset("style.css"), asset("script.js")), Board: boardOf(f, now)}
	p.Project = p.Board.Project
	var g errgroup.Group
	g.SetLimit(maxReads)
	p.Reports = make([]report, len(f.Environments))
	for i, e := range f.Environments {
		g.Go(func() error { p.Reports[i] = readReport(ctx, source, e); return nil })
		for _, s := range e.Services {
			h := &history{Environment: e.Name, Service: s.Name}
			p.Histories = append(p.Histories, h)
			g.Go(func() error { h.read(ctx, source, f); return nil })
		}
	}
	_ = g.Wait() // what failed is part of the page
	return templates.ExecuteTemplate(w, "page", p)
}
