package lambdahost

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// A process is one bootstrap with a Runtime API of its own, as in an execution
// environment: what it is sent and what it may answer depends on nobody else.
type process struct {
	host   *Host
	number int
	cmd    *exec.Cmd
	ln     net.Listener
	server *http.Server
	logs   *logPipe

	work     chan *invocation // from run to the request for the next invocation
	begun    time.Time
	ready    chan struct{} // closed by the first request for an invocation
	initFail chan struct{} // closed when an initialisation error was posted
	exited   chan struct{} // closed when the process is reaped and its logs are read

	mu       sync.Mutex
	current  *invocation // handed out and not completed
	asking   bool        // a request for an invocation is open
	initBody []byte      // the initialisation error as it was posted
	measured ProcessStats
}

// startProcess starts the next bootstrap. When the error is not nil the
// process does not run.
func (h *Host) startProcess() (*process, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	logs, err := newLogPipe(h.logs)
	if err != nil {
		ln.Close()
		return nil, err
	}
	p := &process{
		host: h, ln: ln, logs: logs,
		work: make(chan *invocation), ready: make(chan struct{}), initFail: make(chan struct{}),
		exited: make(chan struct{}),
	}
	p.server = &http.Server{Handler: p}
	stream := fmt.Sprintf("%s/[%s]%s", time.Now().UTC().Format("2006/01/02"), version, strings.ReplaceAll(newUUID(),
		"-", ""))
	p.cmd = &exec.Cmd{
		Path: h.opts.Bootstrap, Args: []string{h.opts.Bootstrap}, Dir: h.opts.Dir,
		Env:    h.opts.environ(h.function, ln.Addr().String(), stream),
		Stdout: logs.w, Stderr: logs.w,
		SysProcAttr: sysProcAttr(),
	}
	h.mu.Lock()
	h.processes = append(h.processes, p)
	p.number = len(h.processes)
	h.mu.Unlock()
	started := make(chan error)
	go p.run(started)
	return p, <-started
}

// run is the life of the process. It keeps to one thread, because on Linux the
// process would be killed with the thread that started it.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p.begun = time.Now()
	if err := p.cmd.Start(); err != nil {
		p.logs.close()
		p.ln.Close()
		p.ended(err.Error())
		started <- err
		return
	}
	go p.server.Serve(p.ln)
	started <- nil
	_ = p.cmd.Wait()    // how it ended is in ProcessState
	kill(p.cmd.Process) // its children
	p.logs.close()
	p.server.Close()
	p.ended(p.cmd.ProcessState.String())
}

func (p *process) ended(how string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.measured.Exit = how
	close(p.exited)
}

// alive reports whether the process can take an invocation.
func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// kill ends the process at once and returns when it is gone.
func (p *process) kill() {
	if p.alive() {
		kill(p.cmd.Process)
		<-p.exited
	}
}

// shutdown ends the process politely and returns when it is gone.
func (p *process) shutdown() {
	if !p.alive() {
		return
	}
	terminate(p.cmd.Process)
	select {
	case <-p.exited:
	case <-time.After(shutdownGrace):
		p.kill()
	}
}

func (p *process) stats() ProcessStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.measured
}
