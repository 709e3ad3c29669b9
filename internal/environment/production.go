package environment

import (
	"strconv"
	"strings"
)

// production returns why the environment is production, or "" if it is not. Its name
// counts even if is_prod is false: a push that deploys production by mistake is worse
// than one that does not deploy.
func (s section) production(env string) string {
	if s.flag("is_prod", false) {
		return "is_prod is true"
	}
	reason := productionName(env)
	if reason != "" && !isNull(s.values["is_prod"]) {
		s.note("is_prod", "is false, but "+reason+": it counts as production",
			"to let pushes deploy it, name their tags in deployer.auto_deploy")
	}
	return reason
}

// productionName returns why an environment of that name is production, or "": its
// name, or a part of it between "-" or "_", is one of four words.
func productionName(env string) string {
	for part := range strings.FieldsFuncSeq(env, func(r rune) bool { return r == '-' || r == '_' }) {
		switch strings.ToLower(part) {
		case "prod", "production", "prd", "live":
			if part == env {
				return "env is " + strconv.Quote(env)
			}
			return "env has the part " + strconv.Quote(part)
		}
	}
	return ""
}
