package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/api"
)

func TestPage(t *testing.T) {
	t.Parallel()
	items := []string{"a", "b", "c"}
	tests := []struct {
		name     string
		paging   api.Paging
		want     []string
		wantNext string
		wantErr  string
	}{
		{"the first page", api.Paging{}, []string{"a", "b"}, "Mg==", ""},
		{"the last page", api.Paging{Token: "Mg=="}, []string{"c"}, "", ""},
		{"with a limit", api.Paging{Limit: 1}, []string{"a"}, "MQ==", ""},
		{"with the largest limit", api.Paging{Limit: 3}, items, "", ""},
		{"with a larger limit", api.Paging{Limit: 4}, nil, "", "maxResults must be less than or equal to 3."},
		{"after the end", api.Paging{Token: "NA=="}, nil, "", "Invalid token: NA=="},
		{"with another token", api.Paging{Token: "x"}, nil, "", "Invalid token: x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			page, next, err := api.Page(items, tt.paging, 2, 3)
			if diff := cmp.Diff(tt.want, page); diff != "" || next != tt.wantNext {
				t.Errorf("next page %q, want %q; page (-want +got):\n%s", next, tt.wantNext, diff)
			}
			message := ""
			if err != nil {
				message = err.Message
			}
			if message != tt.wantErr {
				t.Errorf("error %q, want %q", message, tt.wantErr)
			}
		})
	}
}
