package environment

import (
	"deployer/internal/image"
)

// The ECR strategies.
const (
	Local        = "local"         // images come from the environment's own account and region
	CrossAccount = "cross_account" // images come from ecr_account_id in ecr_account_region
)

// Strategy decides the account and region of an environment's images.
type Strategy struct {
	Name string // [Local] or [CrossAccount]
	Why  string // what decided it: "set by ecr_strategy", or the rule that derived it
}

// String returns the strategy and what decided it: "strategy local: set by ecr_strategy".
func (s Strategy) String() string { return "strategy " + s.Name + ": " + s.Why }

// DeriveStrategy returns the strategy of a file that does not set ecr_strategy. Its
// rules, and their order, are those of the migration from schema version 6 to 7.
func DeriveStrategy(env, ecrAccountID string) Strategy {
	switch {
	case env == "dev":
		return Strategy{Local, "ecr_strategy is not set, and env is dev"}
	case ecrAccountID != "":
		return Strategy{CrossAccount, "ecr_strategy is not set, and ecr_account_id is"}
	}
	return Strategy{Local, "ecr_strategy is not set, and neither is ecr_account_id"}
}

// strategy reads the strategy and the keys that it needs.
func (s section) strategy(e *Environment) {
	e.ECRAccountID = s.account("ecr_account_id")
	e.ECRAccountRegion = s.text("ecr_account_region")
	if e.ECRAccountRegion != "" && !image.ValidRegion(e.ECRAccountRegion) {
		s.fault("ecr_account_region", "is "+quote(e.ECRAccountRegion)+", not an AWS region",
			`write it like "us-east-1"`)
	} else {
		s.checkPartition(e, "ecr_account_region", e.ECRAccountRegion)
	}
	at := "ecr_strategy"
	switch name := s.text("ecr_strategy"); name {
	case Local, CrossAccount:
		e.Strategy = Strategy{name, "set by ecr_strategy"}
	case "":
		e.Strategy = DeriveStrategy(e.Name, e.ECRAccountID)
		at = "ecr_account_id"
	default:
		s.fault("ecr_strategy", "is "+quote(name), `write "local" or "cross_account"`)
		return
	}
	if e.Strategy.Name != CrossAccount {
		return
	}
	if isNull(s.values["ecr_account_id"]) || s.values["ecr_account_id"].Value == "" {
		s.reader.fault(s.place(at),
			"No ECR repository found: the strategy is cross_account, but `ecr_account_id` is not set",
			`add the line: ecr_account_id: "123456789012"  # the account that owns the images`)
	}
	if isNull(s.values["ecr_account_region"]) || s.values["ecr_account_region"].Value == "" {
		s.reader.fault(s.place(at),
			"No ECR repository found: the strategy is cross_account, but `ecr_account_region` is not set",
			`add the line: ecr_account_region: "us-east-1"  # the region of that account's registry`)
	}
}

// account returns an account id, "" if it is not set. An id without quotes is a
// warning, because some YAML readers take 012345670123 for an octal number.
func (s section) account(key string) string {
	id := s.text(key)
	if id == "" {
		return ""
	}
	if !image.ValidAccountID(id) {
		s.fault(key, "is "+quote(id)+", not an AWS account id",
			`write its 12 digits in quotes, like "123456789012"`)
		return ""
	}
	if s.values[key].Style == 0 {
		s.warn(key, "is a number without quotes", "write \""+id+"\": some readers of YAML change it")
	}
	return id
}
