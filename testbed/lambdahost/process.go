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

// A process is one bootstrap with a Runtime API of its own, which is an execution environment.
type process struct {
	host   *Host
	number int
	cmd    *exec.Cmd
	ln     net.Listener
	server *http.Server
	logs   *logPipe

	work     chan *invocation // to the request for the next invocation
	begun    time.Time
	ready    chan struct{} // closed by the first request for an invocation
	initFail chan struct{} // closed when an initialization error was posted
	exited   chan struct{} // closed when the process exited and its logs are read

	mu       sync.Mutex
	current  *invocation // that was handed out and is not completed
	asking   bool        // whether a request for an invocation is open
	initBody []byte      // the initialization error
	measured ProcessStats
}

// startProcess starts a bootstrap.
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
	date, id := time.Now().UTC().Format("2006/01/02"), strings.ReplaceAll(newUUID(), "-", "")
	stream := fmt.Sprintf("%s/[%s]%s", date, version, id)
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

// run starts the process and waits for its exit. It locks its thread, because Linux kills the process when the thread
// that started it exits (PR_SET_PDEATHSIG).
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
	p.mu.Lock()
	p.measured.PID, p.measured.Started = p.cmd.Process.Pid, p.begun
	p.mu.Unlock()
	go p.server.Serve(p.ln)
	started <- nil
	_ = p.cmd.Wait()    // the result is in ProcessState
	kill(p.cmd.Process) // children of the process
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

// alive reports whether the process has not exited.
func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// kill kills the process and returns when it exited.
func (p *process) kill() {
	if p.alive() {
		kill(p.cmd.Process)
		<-p.exited
	}
}

// shutdown terminates the process, kills it after shutdownGrace, and returns when it exited.
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
