package promote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/image"
)

// FuzzBody compares the streamed request with that of encoding/json, whatever the sizes
// of the reads.
func FuzzBody(f *testing.F) {
	for _, content := range []string{"", "a", "ab", "abc", "abcd", strings.Repeat("\xff\x00", 5000)} {
		f.Add([]byte(content), uint64(7))
	}
	f.Fuzz(func(t *testing.T, content []byte, seed uint64) {
		in := &ecr.UploadLayerPartInput{RegistryId: aws.String("111111111111"), RepositoryName: aws.String("a\"b"),
			UploadId: aws.String("id"), PartFirstByte: aws.Int64(5), PartLastByte: aws.Int64(int64(len(content)) + 4)}
		b, err := newBody(in, content)
		must(t, err)
		random := rand.New(rand.NewPCG(seed, 0))
		for range 2 { // once for the signature, once to send it
			var got bytes.Buffer
			for chunk := make([]byte, 64); ; {
				n, err := b.Read(chunk[:1+random.IntN(64)])
				got.Write(chunk[:n])
				if err == io.EOF {
					break
				}
				must(t, err)
			}
			if got.Len() != b.Len() {
				t.Errorf("%d bytes, but Len is %d", got.Len(), b.Len())
			}
			var sent struct {
				RegistryID, RepositoryName, UploadID string
				PartFirstByte, PartLastByte          int64
				LayerPartBlob                        []byte
			}
			must(t, json.Unmarshal(got.Bytes(), &sent))
			if !bytes.Equal(sent.LayerPartBlob, content) || sent.RepositoryName != "a\"b" || sent.UploadID != "id" ||
				sent.PartFirstByte != 5 || sent.PartLastByte != int64(len(content))+4 ||
				sent.RegistryID != "111111111111" {
				t.Errorf("sent %s", got.Bytes())
			}
			_, err := b.Seek(0, io.SeekStart)
			must(t, err)
		}
		all, err := io.ReadAll(b)
		must(t, err)
		_, err = b.Seek(0, io.SeekStart)
		must(t, err)
		must(t, iotest.TestReader(b, all))
	})
}

// FuzzManifest: a manifest of any content is read or refused.
func FuzzManifest(f *testing.F) {
	f.Add(`{"config":{"digest":"sha256:00","size":1},"layers":[{"digest":"x","size":-1}],"manifests":[{}]}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseManifest(text, "", digestOf([]byte(text)))
		if err != nil {
			return
		}
		for _, d := range m.blobs {
			if !image.ValidDigest(d.Digest) || d.Size <= 0 {
				t.Errorf("accepted %+v", d)
			}
		}
	})
}

// TestParseManifest tests what is refused.
func TestParseManifest(t *testing.T) {
	t.Parallel()
	good := digestOf([]byte("blob"))
	for _, tt := range []struct{ name, text, want string }{
		{"a size of 0", `{"layers":[{"digest":"` + good + `","size":0}]}`,
			"the manifest DIGEST: it gives blob " + good + " the size 0"},
		{"a layer elsewhere", `{"layers":[{"digest":"` + good + `","size":1,"urls":["https://example.com"]}]}`,
			"the manifest DIGEST: layer " + good + " is not in ECR but at a URL, such as a base layer of Windows: " +
				"push the image with all its layers"},
		{"another hash", `{"manifests":[{"digest":"sha512:00"}]}`,
			`the index DIGEST refers to the digest "sha512:00": only SHA-256 is supported`},
		{"not JSON", `<html>`, "reading the manifest DIGEST: invalid character '<' looking for beginning of value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			digest := digestOf([]byte(tt.text))
			_, err := parseManifest(tt.text, "", digest)
			if err == nil {
				t.Fatal("it was accepted")
			}
			if diff := cmp.Diff(strings.ReplaceAll(tt.want, "DIGEST", digest), err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, err := parseManifest("{}", "", good)
	want := "the manifest that ECR returned has the digest " + digestOf([]byte("{}")) + ", not " + good
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("a changed manifest: %v", err)
	}
}

// TestInOrder tests that children come before their parents, and that an index in
// itself is refused.
func TestInOrder(t *testing.T) {
	t.Parallel()
	all := map[string]*manifest{
		"a": {digest: "a", children: []string{"b", "c"}}, "b": {digest: "b", children: []string{"c"}},
		"c": {digest: "c"},
		"x": {digest: "x", children: []string{"y"}}, "y": {digest: "y", children: []string{"x"}},
	}
	order, err := inOrder("a", all, map[string]bool{})
	must(t, err)
	got := ""
	for _, m := range order {
		got += m.digest
	}
	if got != "cba" {
		t.Errorf("order %s", got)
	}
	if _, err := inOrder("x", all, map[string]bool{}); err != errCycle {
		t.Errorf("a cycle: %v", err)
	}
}

// TestMemory measures the heap while five blobs of about 40 MiB are copied in parts of
// 20 MiB, the largest that ECR could ask for.
func TestMemory(t *testing.T) {
	s := &sink{sizes: map[string]int64{}}
	place := Place{Registry: image.Registry{AccountID: "111111111111", Region: "us-east-1"}, Repository: name,
		Config: aws.Config{HTTPClient: s, Credentials: aws.CredentialsProviderFunc(
			func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
			})}}
	m := &manifest{digest: digestOf(nil)}
	p := &Plan{from: newRepository(place), to: newRepository(place), Tagged: true, missing: []*manifest{m},
		absent: map[string]bool{}}
	sum, written := sha256.New(), int64(0)
	for i := range int64(5) { // zeros, in different numbers
		d := descriptor{Size: 40<<20 + i}
		_, err := io.CopyN(sum, zeros{}, d.Size-written)
		must(t, err)
		written = d.Size
		d.Digest = fmt.Sprintf("sha256:%x", sum.Sum(nil))
		m.blobs = append(m.blobs, d)
		p.absent[d.Digest], s.sizes[d.Digest] = true, d.Size
		p.Bytes += d.Size
	}
	s.base = heap()
	var last Progress
	must(t, p.Run(t.Context(), func(now Progress) { last = now }))
	if last.Bytes != p.Bytes {
		t.Fatalf("copied %d bytes of %d", last.Bytes, p.Bytes)
	}
	const limit = maxAtOnce*maxPart + 8<<20
	if grown := int64(s.peak.Load()) - int64(s.base); grown > limit {
		t.Errorf("the heap grew by %d MiB, more than %d MiB", grown>>20, limit>>20)
	} else {
		t.Logf("the heap grew by %d MiB", grown>>20)
	}
}

// sink answers ECR's calls for layers, with zeros as content, and keeps nothing. It
// measures the live heap at the end of each request that has a part.
type sink struct {
	sizes map[string]int64 // by digest
	base  uint64
	peak  atomic.Uint64
	mu    sync.Mutex
}

func (s *sink) Do(r *http.Request) (*http.Response, error) {
	answer := func(status int, text string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{},
			Body: io.NopCloser(strings.NewReader(text))}, nil
	}
	if r.Method == http.MethodGet {
		var first, last int64
		span := strings.TrimPrefix(r.Header.Get("Range"), "bytes=")
		if _, err := fmt.Sscanf(span, "%d-%d", &first, &last); err != nil {
			return nil, err
		}
		response, _ := answer(http.StatusPartialContent, "")
		response.Header.Set("Content-Range", "bytes "+span+r.URL.Path)
		response.Body = io.NopCloser(io.LimitReader(zeros{}, last-first+1))
		return response, nil
	}
	switch target := r.Header.Get("X-Amz-Target"); {
	case strings.HasSuffix(target, ".UploadLayerPart"):
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
		s.measure()
	case strings.HasSuffix(target, ".InitiateLayerUpload"):
		return answer(http.StatusOK, `{"uploadId":"u","partSize":`+strconv.Itoa(maxPart)+`}`)
	case strings.HasSuffix(target, ".GetDownloadUrlForLayer"):
		var in struct{ LayerDigest string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			return nil, err
		}
		return answer(http.StatusOK, fmt.Sprintf(`{"downloadUrl":"https://example.com/%d"}`, s.sizes[in.LayerDigest]))
	}
	return answer(http.StatusOK, `{}`)
}

// measure notes the largest heap.
func (s *sink) measure() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peak.Store(max(s.peak.Load(), heap()))
}

// heap returns how much of the heap is in use, without garbage.
func heap() uint64 {
	runtime.GC()
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	return now.HeapAlloc
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
