package promote

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// streamed sends the content of a part in the request in, without a second copy of it in
// memory: the SDK would encode it twice, which takes more than twice its size.
func streamed(in *ecr.UploadLayerPartInput, content []byte) func(*ecr.Options) {
	replace := func(ctx context.Context, s middleware.SerializeInput, next middleware.SerializeHandler) (
		middleware.SerializeOutput, middleware.Metadata, error) {
		request, ok := s.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("unknown request %T", s.Request)
		}
		body, err := newBody(in, content)
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, err
		}
		if s.Request, err = request.SetStream(body); err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, err
		}
		return next.HandleSerialize(ctx, s)
	}
	return func(o *ecr.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("StreamLayerPart", replace), middleware.After)
		})
	}
}

// body is the JSON of UploadLayerPart, with the part in base64. It can be read again, as
// the signature and retries need.
type body struct {
	head, tail string
	content    []byte
	at         int64 // in the JSON
}

// newBody returns the body for a request. The members' names are those of the Amazon
// ECR API reference.
func newBody(in *ecr.UploadLayerPartInput, content []byte) (*body, error) {
	head, err := json.Marshal(struct {
		RegistryID string `json:"registryId"`
		Repository string `json:"repositoryName"`
		UploadID   string `json:"uploadId"`
		First      int64  `json:"partFirstByte"`
		Last       int64  `json:"partLastByte"`
	}{aws.ToString(in.RegistryId), aws.ToString(in.RepositoryName), aws.ToString(in.UploadId),
		aws.ToInt64(in.PartFirstByte), aws.ToInt64(in.PartLastByte)})
	if err != nil {
		return nil, err
	}
	return &body{head: string(head[:len(head)-1]) + `,"layerPartBlob":"`, tail: `"}`, content: content}, nil
}

func (b *body) encoded() int64 { return int64(base64.StdEncoding.EncodedLen(len(b.content))) }

// Len returns the size of the whole body.
func (b *body) Len() int { return len(b.head) + int(b.encoded()) + len(b.tail) }

// Read implements [io.Reader].
func (b *body) Read(p []byte) (n int, err error) {
	for n < len(p) {
		at := b.at
		var more int
		switch {
		case at < int64(len(b.head)):
			more = copy(p[n:], b.head[at:])
		case at-int64(len(b.head)) < b.encoded():
			more = b.readContent(p[n:], at-int64(len(b.head)))
		case at < int64(b.Len()):
			more = copy(p[n:], b.tail[at-int64(len(b.head))-b.encoded():])
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
		b.at += int64(more)
		n += more
	}
	return n, nil
}

// readContent copies base64 from a position on: in groups of four characters for three
// bytes, as many as fit into p, at least the rest of one.
func (b *body) readContent(p []byte, at int64) int {
	group, skip := int(at/4), int(at%4)
	groups := max(1, len(p)/4)
	raw := b.content[group*3 : min(group*3+groups*3, len(b.content))]
	if skip == 0 && len(p) >= base64.StdEncoding.EncodedLen(len(raw)) {
		base64.StdEncoding.Encode(p, raw)
		return base64.StdEncoding.EncodedLen(len(raw))
	}
	var one [4]byte
	base64.StdEncoding.Encode(one[:], raw[:min(3, len(raw))])
	return copy(p, one[skip:])
}

// Seek implements [io.Seeker].
func (b *body) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.at
	case io.SeekEnd:
		offset += int64(b.Len())
	}
	if offset < 0 {
		return 0, errors.New("seeking before the beginning of the request")
	}
	b.at = offset
	return offset, nil
}
