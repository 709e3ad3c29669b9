// Package proxy forwards TCP connections, and lets them die as networks do.
package proxy

import (
	"context"
	"io"
	"net"
	"sync"
)

// A Proxy forwards connections to one address. It is safe for concurrent use. Close it after use.
type Proxy struct {
	Addr string // where it listens: host and port

	target   string
	listener net.Listener

	mu       sync.Mutex
	open     map[*connection]bool
	accepted int
	news     chan struct{} // closed and made anew with each connection
}

// connection is one forwarded connection.
type connection struct {
	client, server *net.TCPConn
	mu             sync.Mutex
	dropped        bool
}

// Start returns a proxy on the loopback interface for the address target.
func Start(target string) (*Proxy, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{Addr: listener.Addr().String(), target: target, listener: listener, open: map[*connection]bool{},
		news: make(chan struct{})}
	go p.serve()
	return p, nil
}

// Accepted returns how many connections were made.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// Await waits until at least n connections were made: one that a client has opened may still wait to be accepted. It
// returns how many there are, also if the context ends before.
func (p *Proxy) Await(ctx context.Context, n int) int {
	for {
		p.mu.Lock()
		accepted, news := p.accepted, p.news
		p.mu.Unlock()
		if accepted >= n {
			return accepted
		}
		select {
		case <-news:
		case <-ctx.Done():
			return accepted
		}
	}
}

// Reset ends the connections that are open with a reset (TCP RST).
func (p *Proxy) Reset() {
	for _, c := range p.connections() {
		_ = c.client.SetLinger(0) // Close sends a reset then
		c.close()
	}
}

// Drop discards what is sent over the connections that are open, in both directions. Neither side notices.
func (p *Proxy) Drop() {
	for _, c := range p.connections() {
		c.mu.Lock()
		c.dropped = true
		c.mu.Unlock()
	}
}

// Close ends all connections, and accepts no more.
func (p *Proxy) Close() {
	p.listener.Close()
	for _, c := range p.connections() {
		c.close()
	}
}

func (p *Proxy) connections() []*connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*connection
	for c := range p.open {
		all = append(all, c)
	}
	return all
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		c := &connection{client: client.(*net.TCPConn), server: server.(*net.TCPConn)}
		p.mu.Lock()
		p.open[c], p.accepted = true, p.accepted+1
		close(p.news)
		p.news = make(chan struct{})
		p.mu.Unlock()
		go p.forward(c, c.server, c.client)
		go p.forward(c, c.client, c.server)
	}
}

// forward copies one direction of a connection until it ends.
func (p *Proxy) forward(c *connection, to io.Writer, from io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !c.isDropped() {
			_, err = to.Write(buf[:n])
		}
		if err == nil {
			continue
		}
		if !c.isDropped() || from == io.Reader(c.client) {
			c.close() // what the server does on a dropped connection, the client does not notice
		}
		p.mu.Lock()
		delete(p.open, c)
		p.mu.Unlock()
		return
	}
}

func (c *connection) isDropped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped
}

func (c *connection) close() {
	c.client.Close()
	c.server.Close()
}
