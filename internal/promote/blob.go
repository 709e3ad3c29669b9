package promote

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"deployer/internal/fault"
)

// The sizes of a part in bytes, by ECR's rules: at least 5 MiB unless it is the last, at
// most 20 MiB.
const (
	minPart = 5 << 20
	maxPart = 20 << 20
)

// copyBlob copies a blob in parts, through a buffer that is kept for the next. It
// completes the upload only if the content has the digest. An upload that was cut off
// is left to ECR, which discards it, and starts anew.
func (p *Plan) copyBlob(ctx context.Context, d descriptor, buffer *[]byte, t *tally) error {
	up, err := p.to.begin(ctx, d)
	if err != nil {
		return err
	}
	down := &download{from: p.from, blob: d}
	sum := sha256.New()
	for first := int64(0); first < d.Size; {
		size := min(up.partSize, d.Size-first)
		if int64(cap(*buffer)) < size {
			*buffer = make([]byte, size)
		}
		part := (*buffer)[:size]
		if err := down.read(ctx, part, first); err != nil {
			return err
		}
		sum.Write(part)
		if err := up.part(ctx, part, first); err != nil {
			return err
		}
		first += size
		t.add(size, 0)
	}
	if got := fmt.Sprintf("sha256:%x", sum.Sum(nil)); got != d.Digest {
		return fault.Rejected(ErrCorrupt, "copying "+d.Digest+" from "+p.From.String(),
			fmt.Errorf("its content has the digest %s: it was changed on the way, or in the registry", got),
			"try again; if the digest stays the same, push the image again")
	}
	if err := up.complete(ctx); err != nil {
		return err
	}
	t.add(0, 1)
	return nil
}

// ErrCorrupt is the name of the fault of a blob whose content is not that of its digest.
const ErrCorrupt fault.Name = "CorruptBlob"

// upload is an upload of one blob.
type upload struct {
	to       *repository
	digest   string
	id       *string
	partSize int64
}

func (u *upload) doing() string { return "uploading " + u.digest + " to " + u.to.String() }

// begin begins the upload of a blob.
func (r *repository) begin(ctx context.Context, d descriptor) (*upload, error) {
	u := &upload{to: r, digest: d.Digest}
	ctx, cancel, retry := retried(ctx)
	defer cancel()
	out, err := r.ecr.InitiateLayerUpload(ctx, &ecr.InitiateLayerUploadInput{RegistryId: r.registryID(),
		RepositoryName: &r.Repository}, retry)
	if err != nil {
		return nil, fault.Classify(u.doing(), err)
	}
	u.id, u.partSize = out.UploadId, min(max(aws.ToInt64(out.PartSize), minPart), maxPart)
	return u, nil
}

// part uploads a part. An earlier attempt whose answer was lost may have uploaded it.
func (u *upload) part(ctx context.Context, content []byte, first int64) error {
	ctx, cancel, retry := retried(ctx)
	defer cancel()
	last := first + int64(len(content)) - 1
	in := &ecr.UploadLayerPartInput{RegistryId: u.to.registryID(), RepositoryName: &u.to.Repository, UploadId: u.id,
		PartFirstByte: &first, PartLastByte: &last, LayerPartBlob: []byte{}}
	_, err := u.to.ecr.UploadLayerPart(ctx, in, retry, streamed(in, content))
	var invalid *types.InvalidLayerPartException
	if errors.As(err, &invalid) && aws.ToInt64(invalid.LastValidByteReceived) == last {
		return nil
	}
	return fault.Classify(u.doing(), err)
}

// complete ends the upload.
func (u *upload) complete(ctx context.Context) error {
	ctx, cancel, retry := retried(ctx)
	defer cancel()
	_, err := u.to.ecr.CompleteLayerUpload(ctx, &ecr.CompleteLayerUploadInput{RegistryId: u.to.registryID(),
		RepositoryName: &u.to.Repository, UploadId: u.id, LayerDigests: []string{u.digest}}, retry)
	switch {
	case fault.HasCode(err, "LayerAlreadyExistsException"): // another copy was faster, or the answer was lost
		return nil
	case fault.HasCode(err, "UploadNotFoundException"): // the answer was lost, if the layer is there
		missing, checkErr := u.to.absent(ctx, map[string]descriptor{u.digest: {}})
		if checkErr == nil && len(missing) == 0 {
			return nil
		}
	}
	return fault.Classify(u.doing(), err)
}

// maxDownloads is how often the download of one part is tried.
const maxDownloads = 6

// download reads a blob in parts. ECR redirects to Amazon S3, by a URL that expires.
type download struct {
	from *repository
	blob descriptor
	url  string
}

// read fills buffer with the part of the blob that starts at first.
func (d *download) read(ctx context.Context, buffer []byte, first int64) error {
	doing := "downloading " + d.blob.Digest + " from " + d.from.String()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for failures := 1; ; failures++ {
		if d.url == "" {
			if err := d.locate(ctx, doing); err != nil {
				return err
			}
		}
		err := d.try(ctx, buffer, first)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil || failures == maxDownloads:
			return fault.Unavailable("DownloadFailed", doing, err, "")
		}
		d.url = ""
		if err := fault.Backoff(ctx, failures, doing, err); err != nil {
			return err
		}
	}
}

// locate asks ECR for the URL.
func (d *download) locate(ctx context.Context, doing string) error {
	ctx, cancel, retry := retried(ctx)
	defer cancel()
	out, err := d.from.ecr.GetDownloadUrlForLayer(ctx, &ecr.GetDownloadUrlForLayerInput{
		RegistryId: d.from.registryID(), RepositoryName: &d.from.Repository, LayerDigest: &d.blob.Digest}, retry)
	if err != nil {
		return fault.Classify(doing, err)
	}
	d.url = aws.ToString(out.DownloadUrl)
	return nil
}

// try downloads a part once. The URL grants access, so no error has it.
func (d *download) try(ctx context.Context, buffer []byte, first int64) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return errors.New("ECR's URL is not valid")
	}
	last := first + int64(len(buffer)) - 1
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", first, last))
	var client aws.HTTPClient = http.DefaultClient
	if d.from.Config.HTTPClient != nil {
		client = d.from.Config.HTTPClient
	}
	response, err := client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return errors.New("the connection failed")
	}
	defer response.Body.Close()
	whole := first == 0 && int64(len(buffer)) == d.blob.Size
	switch span := fmt.Sprintf("bytes %d-%d/%d", first, last, d.blob.Size); {
	case response.StatusCode == http.StatusOK && whole:
	case response.StatusCode != http.StatusPartialContent:
		return fmt.Errorf("the answer to a request for a part is %s", response.Status)
	case response.Header.Get("Content-Range") != span:
		return fmt.Errorf("the answer has %q, not %q as the manifest's size says",
			response.Header.Get("Content-Range"), span)
	}
	if _, err := io.ReadFull(response.Body, buffer); err != nil {
		return fmt.Errorf("the download was cut off: %w", err)
	}
	return nil
}
