package lambdahost

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"sync"
	"time"
)

// A logSink writes the lines of several processes to one writer.
type logSink struct {
	mu    sync.Mutex
	w     io.Writer
	first error
}

func (s *logSink) write(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.w.Write(line); err != nil && s.first == nil {
		s.first = err
	}
}

func (s *logSink) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}

// mark is what flush puts into a log pipe. Pipes keep the order of writes, and
// a write this short is never torn, so reading the mark means that everything
// the process wrote before it has been read.
var mark = []byte("\x00\x00lambdahost flush\x00\x00\n")

// A logPipe carries the standard output and error of one process to a sink.
type logPipe struct {
	r, w    *os.File // w stays open here for the marks
	sink    *logSink
	flushed chan struct{} // one value for every mark read
	drained chan struct{} // closed at the end of the pipe
}

func newLogPipe(sink *logSink) (*logPipe, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l := &logPipe{r: r, w: w, sink: sink, flushed: make(chan struct{}), drained: make(chan struct{})}
	go l.copy()
	return l, nil
}

// copy passes whole lines on. What follows the last newline goes out as a line
// of its own when the process is gone.
func (l *logPipe) copy() {
	defer close(l.drained)
	defer l.r.Close()
	var line []byte
	for in := bufio.NewReader(l.r); ; {
		part, err := in.ReadBytes('\n')
		rest, marked := bytes.CutSuffix(part, mark)
		line = append(line, rest...)
		switch {
		case marked:
			l.flushed <- struct{}{}
		case err == nil:
			l.sink.write(line)
			line = line[:0]
		default:
			if len(line) > 0 {
				l.sink.write(append(line, '\n'))
			}
			return
		}
	}
}

// flush returns when every line that the process has written so far is in the
// sink. It must not be called twice at a time.
func (l *logPipe) flush() {
	if _, err := l.w.Write(mark); err != nil {
		return // closed: the process is gone, and close does the waiting
	}
	select {
	case <-l.flushed:
	case <-l.drained:
	}
}

// close returns when the pipe is read to its end, after the process is gone. A
// child that left the process group may hold the pipe open: it is not waited
// for longer than a second.
func (l *logPipe) close() {
	l.w.Close()
	// Pipes take deadlines wherever the runtime can poll them; elsewhere the
	// wait is for the end alone.
	_ = l.r.SetReadDeadline(time.Now().Add(time.Second))
	<-l.drained
}
