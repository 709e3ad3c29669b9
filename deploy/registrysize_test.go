package deploy_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"deployer/internal/stack"
	"deployer/testbed/aws/cloudformation"
)

// TestRegistrySize compares the estimated size of the expanded template with the real one, so that the commands that
// are printed for many repositories do not exceed what CloudFormation takes directly.
func TestRegistrySize(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("registry.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const limit = 51200 // see stack.TooLarge
	for _, length := range []int{1, 40, 200} {
		var names []string
		for i := 0; ; i++ {
			names = append(names, fmt.Sprintf("myproject_service_%s%03d", strings.Repeat("a", length), i))
			processed, err := cloudformation.Processed(source, cloudformation.Parameters{Account: dev,
				Region: region, Values: map[string]string{"Repositories": strings.Join(names, ",")}})
			if err != nil {
				t.Fatal(err)
			}
			if stack.TooLarge(names) {
				if len(processed) < limit*95/100 {
					t.Errorf("a template of %d bytes, of %d repositories, is taken to be too large",
						len(processed), len(names))
				}
				break
			}
			if len(processed) > limit {
				t.Fatalf("a template of %d bytes, of %d repositories, is not taken to be too large",
					len(processed), len(names))
			}
		}
	}
}
