package promote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestCorruptBlob: a blob whose content was changed is not completed, and no manifest
// follows. The error has both digests.
func TestCorruptBlob(t *testing.T) {
	t.Parallel()
	w, digest := newTwo(t)
	o := w.order(digest)
	o.From.Config.HTTPClient = client(func(r *http.Request) (*http.Response, error) {
		response, err := emulatortest.InProcess{AWS: w.aws}.Do(r)
		if err == nil && r.Method == http.MethodGet {
			response.Body = changed{response.Body}
		}
		return response, err
	})
	_, err := promote(t.Context(), o)
	if !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	text := err.Error()
	found := false
	for _, content := range []string{"shared", "amd"} {
		corrupt := "X" + content[1:]
		found = found || strings.HasPrefix(text, "copying "+digestOf([]byte(content))+" from ECR repository ") &&
			strings.Contains(text, "its content has the digest "+digestOf([]byte(corrupt))+": ")
	}
	if !found {
		t.Errorf("the error is %s", text)
	}
	for _, c := range w.aws.Calls() {
		if c.Operation == "CompleteLayerUpload" || c.Operation == "PutImage" {
			t.Errorf("%s was called", c.Operation)
		}
	}
}

// TestCrashes cuts the copy off before or after each of its calls. A second run ends
// complete, with the tag put last, and uploads no blob again that was complete. In
// `go test`, it is every third of the calls.
func TestCrashes(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after=%v", after), func(t *testing.T) {
			t.Parallel()
			n := 1
			for crash(t, n, after) {
				n += crashStep
			}
			if n < 40 {
				t.Errorf("a copy has only %d calls", n-crashStep)
			}
		})
	}
}

// crash runs the copy once with its n-th call cut off, and once more. It reports whether
// there was such a call.
func crash(t *testing.T, n int, after bool) (crashed bool) {
	t.Helper()
	w, digest := newTwo(t)
	o := w.order(digest)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cut := newCutter(emulatortest.InProcess{AWS: w.aws}, n, after, cancel)
	o.From.Config.HTTPClient, o.To.Config.HTTPClient = cut, cut
	_, err := promote(ctx, o)
	if crashed = cut.crashed(); crashed == (err == nil) {
		t.Fatalf("call %d: crashed %v, %v", n, crashed, err)
	}
	complete := w.completed(t)
	w.aws.ResetCalls()
	_, err = promote(t.Context(), w.order(digest))
	must(t, err)
	w.checkComplete(t)
	if puts := w.puts(t); len(puts) > 0 && puts[len(puts)-1].Tag != "v1" {
		t.Errorf("call %d: the last PutImage of the second run is %v", n, puts[len(puts)-1])
	}
	for _, again := range w.completed(t) {
		if slices.Contains(complete, again) {
			t.Errorf("call %d: the second run uploaded %s again", n, again)
		}
	}
	return crashed
}

// completed returns the digests of the uploads that were completed.
func (w *two) completed(t *testing.T) (digests []string) {
	t.Helper()
	for _, c := range w.aws.Calls() {
		if c.Operation == "CompleteLayerUpload" && c.Error == "" {
			var in struct{ LayerDigests []string }
			must(t, decode(c.Body, &in))
			digests = append(digests, in.LayerDigests...)
		}
	}
	return digests
}

// TestLostAnswers: a call whose answer is lost after it took effect is not an error.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload",
		"ecr:PutImage", "s3:GetObject"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			w, digest := newTwo(t)
			w.aws.Inject(emulator.Fault{Operation: operation, Times: 2, Drop: emulator.DropAfter})
			synctest.Test(t, func(t *testing.T) { // the retries wait
				_, err := promote(t.Context(), w.order(digest))
				must(t, err)
			})
			w.checkComplete(t)
		})
	}
}

// TestParts: a layer larger than a part arrives whole.
func TestParts(t *testing.T) {
	t.Parallel()
	w, _ := newTwo(t)
	digest, err := w.dev.PushLayered(t.Context(), name, accounts.Layered{Layers: []string{big}}, "big")
	must(t, err)
	w.aws.ResetCalls()
	p, err := promote(t.Context(), w.order(digest))
	must(t, err)
	parts := 0
	for _, c := range w.aws.Calls() {
		if c.Operation == "UploadLayerPart" {
			parts++
		}
	}
	if p.Bytes != int64(len(big)) || parts != 2 {
		t.Errorf("%d bytes in %d parts", p.Bytes, parts)
	}
	if _, ok := w.images(t, w.prod)[digest]; !ok {
		t.Error("prod does not have the image")
	}
}
