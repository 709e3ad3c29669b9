package emulator

import (
	"net"
	"net/http"
	"time"
)

// Serve serves an emulator, or a handler in front of one, on the loopback interface until stop is called. It returns
// the URL for AWS_ENDPOINT_URL.
func Serve(aws http.Handler) (url string, stop func() error, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	url, stop = ServeOn(listener, aws)
	return url, stop, nil
}

// ServeOn is [Serve] on a listener, which stop closes.
func ServeOn(listener net.Listener, aws http.Handler) (url string, stop func() error) {
	server := &http.Server{Handler: aws, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	return "http://" + listener.Addr().String(), server.Close
}
