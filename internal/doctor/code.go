package doctor

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"deployer/internal/version"
)

// Limits of what is downloaded: Lambda takes zips of 50 MB (Lambda quotas).
const (
	maxZip    = 64 << 20
	maxMember = 4 << 20
)

// code reports which environment file and which version the function runs, compared
// with the file at hand and with this command line. Both are read from the function's
// own code, so they are right however it was updated: by SAM, by CloudFormation, or by hand.
// File is the function's DEPLOYER_ENVIRONMENT_FILE.
func (f *findings) code(ctx context.Context, c *checker, file string) {
	const check = "function's file"
	file = cmp.Or(file, "environment.yaml")
	if path.IsAbs(file) {
		f.add(check, Unknown, fmt.Sprintf("not compared with %s: the function reads %s, which is not in its code",
			c.env.File, file), "see the environment_sha256 that its log has at each cold start: sha256sum "+c.env.File)
		return
	}
	archive, err := c.download(ctx)
	switch {
	case errors.Is(err, errNoZip):
		f.add(check, Unknown, fmt.Sprintf("not compared with %s: the function's code is a container image", c.env.File),
			"see the environment_sha256 that its log has at each cold start: sha256sum "+c.env.File)
		return
	case err != nil:
		f.notChecked(c, check, "lambda:GetFunction", c.arn("lambda", "function:"+c.function), err)
		return
	}
	packed, err := member(archive, path.Clean(file))
	sum := sha256.Sum256(packed)
	switch running := hex.EncodeToString(sum[:]); {
	case errors.Is(err, fs.ErrNotExist):
		f.add(check, Problem, fmt.Sprintf("the function's code has no %s: the function does not start", file),
			"pack "+c.env.File+" with it: make deploy env="+c.env.Name)
	case err != nil:
		f.add(check, Unknown, fmt.Sprintf("not compared with %s: %v", c.env.File, err), "try again")
	case running != c.env.SHA256:
		f.add(check, Warning, fmt.Sprintf("the function runs another file than %s: its SHA-256 is %s, and that of "+
			"%[1]s is %[3]s", c.env.File, running, c.env.SHA256), c.deployFile(path.Clean(file)))
	default:
		f.ok(check, "%s, SHA-256 %s", c.env.File, running)
	}
	text, err := member(archive, "version")
	if err == nil {
		f.version(c, strings.TrimSpace(string(text)), version.String())
	}
}

// deployFile returns the fix for a function whose environment file, packed by this
// name, is another than the one at hand.
func (c *checker) deployFile(packed string) string {
	return fmt.Sprintf("if the change is to be deployed: make deploy env=%s; to see it: curl -so code.zip "+
		`"$(aws lambda get-function --region %s --function-name %s --query Code.Location --output text)" && `+
		"unzip -p code.zip %s | diff - %s", c.env.Name, c.env.Region, c.function, packed, c.env.File)
}

// version compares the version of the function's code with this command line's, as
// [version.String] returns it. A build without a version has none to compare.
func (f *findings) version(c *checker, running, own string) {
	const check = "function's version"
	own, _, _ = strings.Cut(own, " ") // a commit may follow
	if running != own && own != "devel" {
		f.add(check, Warning, fmt.Sprintf("the function is version %s, and this command line is %s", running, own),
			"update the function, with the same checkout as the command line: make deploy env="+c.env.Name)
		return
	}
	f.ok(check, "%s", running)
}

var errNoZip = errors.New("the code is not a zip")

// download returns the code of the deployer's function.
func (c *checker) download(ctx context.Context) (*zip.Reader, error) {
	out, err := c.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String(c.function)})
	if err != nil {
		return nil, err
	}
	if out.Code == nil || aws.ToString(out.Code.Location) == "" {
		return nil, errNoZip
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, aws.ToString(out.Code.Location), nil)
	if err != nil {
		return nil, fmt.Errorf("downloading the function's code: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("downloading the function's code: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("downloading the function's code: %s", response.Status)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxZip))
	if err != nil {
		return nil, fmt.Errorf("downloading the function's code: %w", err)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("reading the function's code: %w", err)
	}
	return archive, nil
}

// member returns the content of a file in an archive. The error is [fs.ErrNotExist] if
// there is none.
func member(archive *zip.Reader, name string) ([]byte, error) {
	file, err := archive.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s of the function's code: %w", name, err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxMember))
	if err != nil {
		return nil, fmt.Errorf("reading %s of the function's code: %w", name, err)
	}
	return content, nil
}
