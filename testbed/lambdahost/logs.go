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

// mark is what flush writes into a log pipe. A pipe keeps the order of writes and does not split a write this short.
// When the mark is read, everything that the process wrote before has been read.
var mark = []byte("\x00\x00lambdahost flush\x00\x00\n")

// A logPipe carries the standard output and error of one process to a sink.
type logPipe struct {
	r, w    *os.File // w stays open for the marks
	sink    *logSink
	flushed chan struct{} // receives a value for every mark
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

// copy writes whole lines to the sink. When the process exited, it writes an incomplete last line as a line of its own.
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

// flush returns when every line that the process has written is in the sink. It must not be called concurrently.
func (l *logPipe) flush() {
	if _, err := l.w.Write(mark); err != nil {
		return // the process exited, and close waits
	}
	select {
	case <-l.flushed:
	case <-l.drained:
	}
}

// close returns when the pipe is read to its end, after the process exited. A child that left the process group may
// hold the pipe open, so it waits for a second at most.
func (l *logPipe) close() {
	l.w.Close()
	// Where pipes have no deadlines, it waits for the end only.
	_ = l.r.SetReadDeadline(time.Now().Add(time.Second))
	<-l.drained
}
