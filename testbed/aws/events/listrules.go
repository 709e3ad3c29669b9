package events

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"deployer/testbed/aws/api"
)

type listRulesInput struct {
	EventBusName, NamePrefix, NextToken string

	Limit int
}

// listRules lists the rules of a bus by name, 100 a page. The action has no resource-level permissions (Service
// Authorization Reference, "Actions, resources, and condition keys for Amazon EventBridge").
func (e *Server) listRules(r *api.Request, in listRulesInput) (any, *api.Error) {
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: "*"}); err != nil {
		return nil, err
	}
	id := parseBus(r, in.EventBusName)
	b := e.find(id)
	if b == nil {
		return nil, busNotFound(id.name)
	}
	sorted := slices.SortedFunc(maps.Values(b.rules), func(a, b *rule) int { return cmp.Compare(a.name, b.name) })
	sorted = slices.DeleteFunc(sorted, func(rule *rule) bool { return !strings.HasPrefix(rule.name, in.NamePrefix) })
	page, next, err := api.Page(sorted, api.Paging{Token: in.NextToken, Limit: in.Limit}, 100, 100)
	if err != nil {
		return nil, err
	}
	rules := []api.Object{}
	for _, rule := range page {
		rules = append(rules, rule.describe())
	}
	answer := api.Object{"Rules": rules}
	if next != "" {
		answer["NextToken"] = next
	}
	return answer, nil
}
