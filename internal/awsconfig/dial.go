package awsconfig

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// dialFunc opens a connection to an address, as [http.Transport] calls it.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dialer opens connections.
type dialer struct {
	tcp      *net.Dialer
	settings *tls.Config
}

func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return d.tcp.DialContext(ctx, network, address)
}

// dialTLS opens a connection and makes the TLS handshake. Its error is a [net.OpError] of
// a dial, because nothing of a request was sent.
func (d dialer) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	plain, err := d.tcp.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	settings := d.settings.Clone()
	if settings.ServerName == "" {
		settings.ServerName, _, _ = net.SplitHostPort(address) // the transport gives host and port
	}
	conn := tls.Client(plain, settings)
	if err := conn.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, &net.OpError{Op: "dial", Net: network, Addr: plain.RemoteAddr(), Err: err}
	}
	return conn, nil
}

// opened are connections that no call has used yet, by scheme and address.
type opened struct {
	mu    sync.Mutex
	conns map[[2]string][]net.Conn
}

func (o *opened) add(scheme, address string, conn net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conns == nil {
		o.conns = map[[2]string][]net.Conn{}
	}
	key := [2]string{scheme, address}
	o.conns[key] = append(o.conns[key], conn)
}

// take returns a connection and forgets it; nil if there is none.
func (o *opened) take(scheme, address string) net.Conn {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := [2]string{scheme, address}
	all := o.conns[key]
	if len(all) == 0 {
		return nil
	}
	o.conns[key] = all[1:]
	return all[0]
}

// first returns a dial function that takes an opened connection if there is one.
func (o *opened) first(scheme string, dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if conn := o.take(scheme, address); conn != nil {
			return conn, nil
		}
		return dial(ctx, network, address)
	}
}

// close closes the connections.
func (o *opened) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, all := range o.conns {
		for _, conn := range all {
			conn.Close()
		}
	}
	o.conns = nil
}
