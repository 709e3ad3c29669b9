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
	server := &http.Server{Handler: aws, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	return "http://" + listener.Addr().String(), server.Close, nil
}
