package doctor

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// oddTransport replaces the answers to one operation.
type oddTransport struct{ operation, body string }

func (o oddTransport) Do(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultClient.Do(r)
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if err != nil || name != o.operation {
		return response, err
	}
	response.Body.Close()
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader([]byte(o.body))), int64(len(o.body))
	response.Header.Del("X-Amz-Crc32")
	return response, nil
}

// TestOddAnswers checks that no answer that AWS does not give ends the process, and that
// the checks which do not need it are made.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	x := newFixture(t)
	env := load(t, "dev")
	x.aws.ResetCalls()
	x.examine(t, env, "")
	var operations []string
	for _, c := range x.aws.Calls() {
		if !slices.Contains(operations, c.Operation) && c.Operation != "GetCallerIdentity" {
			operations = append(operations, c.Operation)
		}
	}
	for _, operation := range operations {
		for name, body := range map[string]string{
			"no members": "{}",
			"null items": `{"services":[null],"failures":[null],"taskDefinition":null,"images":[null],` +
				`"imageDetails":[null],"serviceDeployments":[null],"taskArns":[null],"tasks":[null],"Rules":[null],` +
				`"Targets":[null],"taskDefinitionArns":[null],"Parameter":null}`,
			"empty items": `{"services":[{}],"failures":[{}],"taskDefinition":{},"images":[{}],"imageDetails":[{}],` +
				`"serviceDeployments":[{}],"taskArns":["x"],"tasks":[{}],"Rules":[{}],"Targets":[{}],"Parameter":{}}`,
		} {
			t.Run(operation+"/"+name, func(t *testing.T) {
				t.Parallel()
				config := x.accounts["dev"].With(func(c *aws.Config) {
					c.RetryMaxAttempts, c.HTTPClient = 1, oddTransport{operation, body}
				}).Config
				report, err := Examine(t.Context(), env, config, []string{"backend"})
				if err != nil || len(report.Findings) == 0 {
					t.Errorf("%+v, %v", report, err)
				}
			})
		}
	}
}
