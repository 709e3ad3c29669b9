package ecr_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// layered returns an env with a repository that has one image and its config blob.
func layered(t *testing.T) (w *emulatortest.Env, configuration string) {
	t.Helper()
	w = emulatortest.New(t, emulator.Options{})
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"web"}`)
	const text = `{"architecture":"arm64","os":"linux"}`
	upload(t, w, text)
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"digest":%q,"size":%d},"layers":[]}`,
		emulatortest.ManifestType, emulatortest.Digest(text), len(text))
	_, err := w.ECR(dev).PutImage(t.Context(), &ecr.PutImageInput{RepositoryName: aws.String("web"),
		ImageManifest: &manifest, ImageTag: aws.String("v1")})
	if err != nil {
		t.Fatal(err)
	}
	return w, text
}

// upload uploads a layer in parts.
func upload(t *testing.T, w *emulatortest.Env, parts ...string) {
	t.Helper()
	client := w.ECR(dev)
	begun, err := client.InitiateLayerUpload(t.Context(),
		&ecr.InitiateLayerUploadInput{RepositoryName: aws.String("web")})
	if err != nil {
		t.Fatal(err)
	}
	at := int64(0)
	for _, part := range parts {
		last := at + int64(len(part)) - 1
		got, err := client.UploadLayerPart(t.Context(), &ecr.UploadLayerPartInput{RepositoryName: aws.String("web"),
			UploadId:      begun.UploadId,
			PartFirstByte: &at, PartLastByte: &last, LayerPartBlob: []byte(part)})
		if err != nil || *got.LastByteReceived != last {
			t.Fatalf("%+v, %v", got, err)
		}
		at = last + 1
	}
	want := emulatortest.Digest(strings.Join(parts, ""))
	got, err := client.CompleteLayerUpload(t.Context(), &ecr.CompleteLayerUploadInput{RepositoryName: aws.String("web"),
		UploadId: begun.UploadId, LayerDigests: []string{want}})
	if err != nil || *got.LayerDigest != want {
		t.Fatalf("%+v, %v", got, err)
	}
}

// TestDownload: a layer can be downloaded by its URL for an hour, without credentials only.
func TestDownload(t *testing.T) {
	t.Parallel()
	w, text := layered(t)
	got, err := w.ECR(dev).GetDownloadUrlForLayer(t.Context(),
		&ecr.GetDownloadUrlForLayerInput{RepositoryName: aws.String("web"),
			LayerDigest: aws.String(emulatortest.Digest(text))})
	if err != nil {
		t.Fatal(err)
	}
	fetch := func(url, authorization string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if authorization != "" {
			request.Header.Set("Authorization", authorization)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	if status, body := fetch(*got.DownloadUrl, ""); status != http.StatusOK || body != text {
		t.Errorf("%d %s", status, body)
	}
	if status, body := fetch(*got.DownloadUrl, emulatortest.Authorization(dev, "us-east-1",
		"s3")); status != http.StatusBadRequest || !strings.Contains(body,
		"<Code>InvalidArgument</Code><Message>Only one auth mechanism allowed") {
		t.Errorf("with credentials: %d %s", status, body)
	}
	if status, body := fetch(*got.DownloadUrl+"x", ""); status != http.StatusForbidden || !strings.Contains(body,
		"<Code>AccessDenied</Code><Message>Access Denied</Message>") {
		t.Errorf("a URL that was not signed: %d %s", status, body)
	}
	w.Clock.Advance(time.Hour + time.Second)
	if status, body := fetch(*got.DownloadUrl, ""); status != http.StatusForbidden || !strings.Contains(body,
		"Request has expired") {
		t.Errorf("after an hour: %d %s", status, body)
	}
}

// TestLayerErrors tests the errors of uploads and downloads.
func TestLayerErrors(t *testing.T) {
	t.Parallel()
	const id = "in the repository with name 'web' in the registry with id '111111111111'"
	w, text := layered(t)
	upload(t, w, "unused")
	client := w.ECR(dev)
	begin := func() *string {
		begun, err := client.InitiateLayerUpload(t.Context(),
			&ecr.InitiateLayerUploadInput{RepositoryName: aws.String("web")})
		if err != nil {
			t.Fatal(err)
		}
		return begun.UploadId
	}
	part := func(upload *string, first, last int64, content string) error {
		_, err := client.UploadLayerPart(t.Context(), &ecr.UploadLayerPartInput{RepositoryName: aws.String("web"),
			UploadId: upload, PartFirstByte: &first, PartLastByte: &last, LayerPartBlob: []byte(content)})
		return err
	}
	complete := func(upload *string, digest string) error {
		_, err := client.CompleteLayerUpload(t.Context(),
			&ecr.CompleteLayerUploadInput{RepositoryName: aws.String("web"), UploadId: upload,
				LayerDigests: []string{digest}})
		return err
	}
	get := func(digest string) error {
		_, err := client.GetDownloadUrlForLayer(t.Context(),
			&ecr.GetDownloadUrlForLayerInput{RepositoryName: aws.String("web"), LayerDigest: &digest})
		return err
	}
	upload, empty := begin(), begin()
	err := part(upload, 1, 3, "abc")
	var invalid *types.InvalidLayerPartException
	if !errors.As(err, &invalid) || *invalid.LastValidByteReceived != -1 || *invalid.UploadId != *upload {
		t.Errorf("%+v", invalid)
	}
	emulatortest.WantError(t, err, "InvalidLayerPartException",
		"Layer part is not continuous: it begins at 1 after 0 bytes")
	emulatortest.WantError(t, part(upload, 0, 9, "abc"), "InvalidLayerPartException",
		"Layer part is not valid: it has 3 bytes, from 0 to 9")
	emulatortest.WantError(t, part(aws.String("x"), 0, 2, "abc"), "UploadNotFoundException",
		"The upload 'x' does not exist "+id)
	if err := part(upload, 0, int64(len(text))-1, text); err != nil {
		t.Fatal(err)
	}
	emulatortest.WantError(t, complete(upload, emulatortest.Digest("other")), "InvalidLayerException",
		"Layer digest ["+emulatortest.Digest("other")+"] does not match the content, whose digest is "+
			emulatortest.Digest(text))
	emulatortest.WantError(t, complete(upload, emulatortest.Digest(text)), "LayerAlreadyExistsException",
		"The layer with digest '"+emulatortest.Digest(text)+"' already exists "+id)
	emulatortest.WantError(t, complete(empty, emulatortest.Digest("")), "EmptyUploadException",
		"The upload with id '"+*empty+"' in the repository with name 'web' in registry with id '111111111111' cannot "+
			"be completed because it does not have any parts")
	emulatortest.WantError(t, get(emulatortest.Digest("other")), "LayersNotFoundException", "The layer with digest '"+
		emulatortest.Digest("other")+"' does not exist within the repository with name 'web' in the registry with id "+
		"'111111111111'")
	emulatortest.WantError(t, get(emulatortest.Digest("unused")), "LayerInaccessibleException",
		"The layer with digest '"+emulatortest.Digest("unused")+"' "+id+" is not associated with an image")
}

// TestDownloadAccess: the caller needs permission to get the URL.
func TestDownloadAccess(t *testing.T) {
	t.Parallel()
	w, text := layered(t)
	get := func() error {
		_, err := w.ECR(prod).GetDownloadUrlForLayer(t.Context(),
			&ecr.GetDownloadUrlForLayerInput{RegistryId: aws.String(dev), RepositoryName: aws.String("web"),
				LayerDigest: aws.String(emulatortest.Digest(text))})
		return err
	}
	emulatortest.WantError(t, get(), "AccessDeniedException",
		"User: arn:aws:iam::333333333333:root is not authorized to perform: ecr:GetDownloadUrlForLayer on resource: "+
			"arn:aws:ecr:us-east-1:111111111111:repository/web because no resource-based policy allows the "+
			"ecr:GetDownloadUrlForLayer action")
	setRepositoryPolicy(t, w, dev, "web", `{"Effect":"Allow","Principal":{"AWS":"333333333333"},`+
		`"Action":"ecr:GetDownloadUrlForLayer"}`)
	if err := get(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string(nil), w.AWS.UnknownOperations()); diff != "" {
		t.Error(diff)
	}
}

// TestReferrers: an artifact is listed under its subject, in pages, by callers who may read images.
func TestReferrers(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"web"}`)
	subject := w.Push(t, dev, "web", "image", "v1")
	for i := range 51 {
		manifest := fmt.Sprintf(`{"mediaType":%q,"artifactType":"application/spdx+json","subject":{"digest":%q},`+
			`"annotations":{"n":"%d"}}`, emulatortest.ManifestType, subject, i)
		_, err := w.ECR(dev).PutImage(t.Context(), &ecr.PutImageInput{RepositoryName: aws.String("web"),
			ImageManifest: &manifest})
		if err != nil {
			t.Fatal(err)
		}
	}
	list := func(key string, token *string) (*ecr.ListImageReferrersOutput, error) {
		return w.ECR(key).ListImageReferrers(t.Context(), &ecr.ListImageReferrersInput{RegistryId: aws.String(dev),
			RepositoryName: aws.String("web"), NextToken: token,
			SubjectId: &types.SubjectIdentifier{ImageDigest: &subject}})
	}
	first, err := list(dev, nil)
	if err != nil || len(first.Referrers) != 50 || *first.Referrers[0].ArtifactType != "application/spdx+json" {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := list(dev, first.NextToken)
	if err != nil || len(second.Referrers) != 1 || second.NextToken != nil {
		t.Errorf("%+v, %v", second, err)
	}
	_, err = list(prod, nil)
	emulatortest.WantError(t, err, "AccessDeniedException",
		"User: arn:aws:iam::333333333333:root is not authorized to perform: ecr:BatchGetImage on resource: "+
			"arn:aws:ecr:us-east-1:111111111111:repository/web because no resource-based policy allows the "+
			"ecr:BatchGetImage action")
	setRepositoryPolicy(t, w, dev, "web", `{"Effect":"Allow","Principal":{"AWS":"333333333333"},`+
		`"Action":"ecr:BatchGetImage"}`)
	if _, err := list(prod, nil); err != nil {
		t.Error(err)
	}
}
