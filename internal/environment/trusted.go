package environment

import (
	"cmp"
	"strconv"

	"deployer/internal/image"
)

// TrustedAccount is another account that runs images of this environment's registry.
type TrustedAccount struct {
	ID     string
	Env    string // its environment; may be ""
	Region string // of its clusters
}

// IsProduction reports whether the account's environment is production by its name.
func (t TrustedAccount) IsProduction() bool { return productionName(t.Env) != "" }

// Bus returns the ARN of the account's default event bus.
func (t TrustedAccount) Bus() string {
	return "arn:" + image.PartitionOf(t.Region).Name + ":events:" + t.Region + ":" + t.ID + ":event-bus/default"
}

// trustedAccounts reads the accounts that may pull images. Items without an id, and the
// environment's own account, are left out.
func (s section) trustedAccounts(e *Environment) {
	items, _ := s.list("ecr_trusted_accounts")
	for i, item := range items {
		path := "ecr_trusted_accounts[" + strconv.Itoa(i) + "]."
		one := s.reader.section(item, path, "account_id", "env", "region")
		t := TrustedAccount{ID: one.account("account_id"), Env: one.text("env"),
			Region: cmp.Or(one.text("region"), e.Region)}
		if t.Region != "" && !image.ValidRegion(t.Region) {
			one.fault("region", "is "+quote(t.Region)+", not an AWS region", `write it like "us-east-1"`)
		} else {
			one.checkPartition(e, "region", t.Region)
		}
		if t.ID != "" && t.ID != e.AccountID {
			e.TrustedAccounts = append(e.TrustedAccounts, t)
		}
	}
}
