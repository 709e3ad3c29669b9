package environment

import (
	"slices"
	"strconv"
	"strings"
)

// isProd is the reason of an environment that is production by its file, not its name.
const isProd = "is_prod is true"

// production returns why the environment is production, or "" if it is not. Its name
// counts even if is_prod is false: a push that deploys production by mistake is worse
// than one that does not deploy.
func (s section) production(env string) string {
	if s.flag("is_prod", false) {
		return isProd
	}
	return productionName(env)
}

// noteProduction notes that is_prod is false and undoes nothing, as long as the
// defaults for production apply: the section deployer can replace both of them.
func (s section) noteProduction(e *Environment) {
	if e.Production == "" || e.Production == isProd || isNull(s.values["is_prod"]) {
		return
	}
	var fixes []string
	if e.AutoDeploy.IsEmpty() {
		fixes = append(fixes, "to let pushes deploy it, name their tags in deployer.auto_deploy")
	}
	if slices.Contains(e.DeploySources, productionSource) {
		fixes = append(fixes, "to accept no DEPLOY event from "+productionSource+
			", name the sources in deployer.deploy_sources")
	}
	if len(fixes) > 0 {
		s.note("is_prod", "is false, but "+e.Production+": it counts as production", strings.Join(fixes, "; "))
	}
}

// productionSource is the source of DEPLOY events that production accepts besides its
// own.
const productionSource = "action.production"

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
