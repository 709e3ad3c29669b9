package accounts

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// Serve serves emulated AWS on the loopback interface until stop is called, and
// returns the URL for AWS_ENDPOINT_URL.
func Serve(aws http.Handler) (url string, stop func() error, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: aws, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	return "http://" + listener.Addr().String(), server.Close, nil
}

// BuildBootstrap builds the function's bootstrap for this machine from the
// project in root, and puts it at path. It is the release's but for -trimpath,
// under which every package would be compiled a second time.
func BuildBootstrap(ctx context.Context, root, path string) error {
	build := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc,function", "-ldflags=-s -w", "-o", path, "./cmd/deployer")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the bootstrap: %w\n%s", err, out)
	}
	return nil
}
