package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"deployer/internal/dashboard"
	"deployer/internal/doctor"
	"deployer/internal/ecsservice"
	"deployer/internal/fleet"
	"deployer/internal/rollout"
)

// dashboardRevisions is how many revisions of a service the dashboard lists.
const dashboardRevisions = 20

func (a *app) dashboardCommand() *cobra.Command {
	var listen, once string
	cmd := &cobra.Command{
		Use:   "dashboard [-e ENV...]",
		Short: "Serve a local web page of what runs, rollouts, history, problems",
		Long: `The page shows what status, history and doctor show, for all environments whose
files are found, or those that are named. It is read again every five seconds
while a browser has it open. It only reads, and only this machine can reach it.
--once writes one file instead, which needs no other: for CI, or a status page.`,
		Example: `deployer dashboard
deployer dashboard -e staging -e prod --listen 127.0.0.1:8484
deployer dashboard -e prod --once status.html`,
		Annotations: permissions(union(statusPermissions, historyPermissions, doctorPermissions)...),
		Args:        arguments(),
	}
	files := filesFlag(cmd)
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0",
		"serve at this loopback `ADDRESS`; port 0: any free")
	cmd.Flags().StringVar(&once, "once", "", "write the page to `FILE` and end")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if once != "" && cmd.Flags().Changed("listen") {
			return wrongUsage("--listen and --once exclude each other")
		}
		if err := dashboard.CheckAddress(listen); err != nil {
			return &usageError{err.Error(), a.onLoopback(listen)}
		}
		if len(*files) == 0 {
			for _, one := range allEnvironments() {
				*files = append(*files, one.file)
				if file, err := a.findEnvironment(one.name); err == nil && file == one.file {
					a.remember(one)
				}
			}
		}
		sources, err := a.sources(*files, nil)
		if err != nil {
			return err
		}
		p := newPlaces(sources)
		if once != "" {
			return a.writeDashboard(cmd.Context(), p, once)
		}
		return a.serveDashboard(cmd.Context(), p, listen)
	}
	return cmd
}

// union returns the permissions of several commands, each once. A permission that one
// command needs is not optional.
func union(lists ...[]string) (all []string) {
	for _, one := range slices.Concat(lists...) {
		action, _, _ := strings.Cut(one, " ")
		if !slices.Contains(all, action) {
			all = append(all, action)
		}
	}
	slices.Sort(all)
	return all
}

// writeDashboard writes the page to a file, which is replaced as a whole. A file that cannot be written is reported
// before AWS is read.
func (a *app) writeDashboard(ctx context.Context, p *places, file string) error {
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return hinted(a.corrected(file, filepath.Join(file, "dashboard.html")), "writing %s: it is a directory", file)
	}
	part, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return notWritten(file, err)
	}
	defer os.Remove(part.Name())
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	var page bytes.Buffer
	if err := dashboard.Write(ctx, &page, p, time.Now()); err != nil {
		return errors.Join(fmt.Errorf("making the page: %w", err), part.Close())
	}
	_, err = part.Write(page.Bytes())
	err = errors.Join(err, part.Chmod(0o644), part.Close())
	if err == nil {
		err = os.Rename(part.Name(), file)
	}
	if err != nil {
		return notWritten(file, err)
	}
	a.note("%s is written", file)
	return nil
}

// onLoopback returns the command line with the port of an address on 127.0.0.1, "" if the address has none.
func (a *app) onLoopback(address string) string {
	port := address[strings.LastIndexByte(address, ':')+1:]
	right := net.JoinHostPort("127.0.0.1", port)
	if dashboard.CheckAddress(right) != nil {
		return ""
	}
	return a.corrected(address, right)
}

// serveDashboard serves the page until ctx ends.
func (a *app) serveDashboard(ctx context.Context, p *places, address string) error {
	listener, err := dashboard.Listen(ctx, address)
	if other := a.corrected(address, "127.0.0.1:0"); err != nil && other != "" {
		return hinted(other, "%w; port 0 is any free port", err)
	} else if err != nil {
		return err
	}
	page := dashboard.NewServer(p)
	server := &http.Server{Handler: page, ReadHeaderTimeout: 10 * time.Second}
	var reading sync.WaitGroup
	reading.Go(func() { page.Run(ctx) })
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	fmt.Fprintf(a.out, "http://%s/\n", listener.Addr())
	a.note("the dashboard is served until interrupted")
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the dashboard: %w", err)
	}
	reading.Wait()
	return nil
}

// places is what the dashboard shows: environments, each connected to once.
type places struct {
	reader  *fleet.Reader
	sources []fleet.Source
	opened  []func(context.Context) (fleet.Place, error)
}

func newPlaces(sources []fleet.Source) *places {
	p := &places{sources: sources}
	for i := range p.sources {
		p.opened = append(p.opened, onceOpen(p.sources[i].Open))
		p.sources[i].Open = p.opened[i]
	}
	p.reader = fleet.New(p.sources...)
	return p
}

// onceOpen returns a function that connects to an environment until that succeeds once.
func onceOpen(open func(context.Context) (fleet.Place, error)) func(context.Context) (fleet.Place, error) {
	var mu sync.Mutex
	var known *fleet.Place
	return func(ctx context.Context) (fleet.Place, error) {
		mu.Lock()
		defer mu.Unlock()
		if known != nil {
			return *known, nil
		}
		place, err := open(ctx)
		if err == nil {
			known = &place
		}
		return place, err
	}
}

// Fleet implements [dashboard.Source].
func (p *places) Fleet(ctx context.Context) *fleet.Fleet { return p.reader.Read(ctx) }

// History implements [dashboard.Source].
func (p *places) History(ctx context.Context, name, service string) (*rollout.History, error) {
	place, err := p.open(ctx, name)
	if err != nil {
		return nil, err
	}
	w, ok := place.Env.Labelled(service)
	if !ok {
		return nil, fmt.Errorf("%s has no service or task %q", name, service)
	}
	client := rollout.New(ecsservice.New(place.Config))
	return client.History(ctx, ecsservice.TargetOf(place.Env, w), dashboardRevisions)
}

// Doctor implements [dashboard.Source].
func (p *places) Doctor(ctx context.Context, name string) (*doctor.Report, error) {
	place, err := p.open(ctx, name)
	if err != nil {
		return nil, err
	}
	return doctor.Examine(ctx, place.Env, place.Config, nil)
}

func (p *places) open(ctx context.Context, name string) (fleet.Place, error) {
	for i, s := range p.sources {
		if s.Name == name {
			return p.opened[i](ctx)
		}
	}
	return fleet.Place{}, fmt.Errorf("there is no environment %s", cmp.Or(name, "without a name"))
}
