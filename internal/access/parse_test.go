package access

import (
	"encoding/json"
	"testing"
)

func TestParseCallers(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, org, accounts, want, fault string }{
		{"none", "", "", `{"Organization":"","Accounts":null}`, ""},
		{"organization", organization, "", `{"Organization":"o-a1b2c3d4e5","Accounts":null}`, ""},
		{"accounts, once each, with their zeros", "", "012345670123, 222222222222,012345670123",
			`{"Organization":"","Accounts":["012345670123","222222222222"]}`, ""},
		{"both", organization, devAccount, "", "--org and --accounts exclude each other: give one of them"},
		{"an open organization", "*", "", "",
			`--org "*" is not the id of an organization: write it like o-a1b2c3d4e5 (aws organizations ` +
				`describe-organization)`},
		{"an organizational unit", "ou-ab12-cdefghij", "", "",
			`--org "ou-ab12-cdefghij" is not the id of an organization: write it like o-a1b2c3d4e5 (aws ` +
				`organizations describe-organization)`},
		{"11 digits", "", "12345670123", "",
			`--accounts has "12345670123", which is not an account id: write 12 digits, leading zeros too, and ` +
				`commas between the ids`},
		{"everybody", "", "*", "",
			`--accounts has "*", which is not an account id: write 12 digits, leading zeros too, and commas between ` +
				`the ids`},
		{"an empty one", "", "111111111111,", "",
			`--accounts has "", which is not an account id: write 12 digits, leading zeros too, and commas between ` +
				`the ids`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := ParseCallers(tt.org, tt.accounts)
			if tt.fault != "" {
				if err == nil || err.Error() != tt.fault {
					t.Errorf("got %v, want %s", err, tt.fault)
				}
				return
			}
			got, _ := json.Marshal(c)
			if err != nil || string(got) != tt.want {
				t.Errorf("got %s %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestParseSource(t *testing.T) {
	t.Parallel()
	for _, good := range [][3]string{{"octocat/shop"}, {"octocat/.github"}, {"acme_corp/a.b-c_d", "1", "99"}} {
		if _, err := ParseSource(good[0], good[1], good[2]); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range [][3]string{{""}, {"shop"}, {"/shop"}, {"octocat/"}, {"octocat/.."}, {"octocat/*"}, {"*/shop"},
		{"octocat/shop/x"}, {"octo?at/shop"},
		{"octocat/shop:ref"}, {"octocat@1/shop"}, {"octocat/shop", "1"}, {"octocat/shop", "", "1"},
		{"octocat/shop", "octocat", "1"}, {"octocat/shop", "1", "0"}, {"octocat/shop", "*", "*"}} {
		if s, err := ParseSource(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%q is taken for %+v", bad, s)
		}
	}
}
