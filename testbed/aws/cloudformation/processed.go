package cloudformation

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Processed returns a template as CloudFormation stores it after the transform AWS::LanguageExtensions: as JSON, with
// its loops expanded and its functions as they are (CloudFormation user guide, "Troubleshoot the processed template").
func Processed(data []byte, p Parameters) ([]byte, error) {
	document, err := parseYAML(data)
	if err != nil {
		return nil, err
	}
	if _, err := newResolver(document, p); err != nil {
		return nil, fmt.Errorf("expanding template for stack %q: %w", p.Stack, err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(document); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
