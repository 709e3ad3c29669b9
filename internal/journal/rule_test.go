package journal

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
)

// TestBest checks that only what a revision can have is read.
func TestBest(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]Best{
		"":                                  {},
		"12@2026-01-22T10:15:30Z":           {Number: 12, Time: eventTime.UnixNano()},
		"12@2026-01-22T10:15:30.000000005Z": {Number: 12, Time: eventTime.UnixNano() + 5},
		"12":                                {},
		"@2026-01-22T10:15:30Z":             {},
		"-1@2026-01-22T10:15:30Z":           {},
		"1000000@2026-01-22T10:15:30Z":      {},
		"99999999999999999999@2026-01-22T10:15:30Z": {},
		"12@1500-01-22T10:15:30Z":                   {},
		"12@9999-01-22T10:15:30Z":                   {},
		"12@yesterday":                              {},
	} {
		if got := ParseBest(value); got != want {
			t.Errorf("ParseBest(%q) = %v, want %v", value, got, want)
		}
		if want != (Best{}) && want.String() != value {
			t.Errorf("%v.String() = %q, want %q", want, want.String(), value)
		}
	}
}

// TestRule checks the tag of the convergence rule: that it fits, that it is read back, and
// that what no revision can have counts as absent.
func TestRule(t *testing.T) {
	t.Parallel()
	long := Rule{
		Base:          maxNumber - 1,
		Configuration: Configuration{maxNumber - 2, maxNumber - 1}, Demand: NewerConfiguration,
		Request: strings.Repeat("r", 36), Principal: Principal("arn:aws:iam::111111111111:role/" + strings.Repeat("n",
			64)),
	}
	long.Best = Best{Time: eventTime.UnixNano() - 1, Number: maxNumber - 1}
	if text := long.String(); len(text) > maxValue {
		t.Errorf("%d characters: %s", len(text), text)
	}
	if diff := cmp.Diff(long, parseRule(long.String(), maxNumber)); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]Rule{
		"":                       {},
		"base=7":                 {Base: 7},
		"base=12":                {},
		"base=-1 best=x":         {},
		"base=3.5 config=13":     {},
		"config=3":               {Configuration: Configuration{3, 3}},
		"config=3/5":             {Configuration: Configuration{3, 5}},
		"config=3/50":            {},
		"config=0/5":             {},
		"manual=force":           {Demand: Forced},
		"manual=please next=now": {},
	} {
		if diff := cmp.Diff(want, parseRule(text, 12)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// TestPrincipal checks that STS's and ECS's forms of one principal are the same.
func TestPrincipal(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]string{
		"arn:aws:sts::111111111111:assumed-role/shop_deployer/s": "111111111111:role/shop_deployer",
		"arn:aws:iam::111111111111:role/shop_deployer":           "111111111111:role/shop_deployer",
		"arn:aws-cn:iam::111111111111:role/teams/shop_deployer":  "111111111111:role/shop_deployer",
		"arn:aws:sts::111111111111:assumed-role/SSO_8fe2/a@b.c":  "111111111111:role/SSO_8fe2",
		"arn:aws:iam::111111111111:user/ada":                     "111111111111:user/ada",
		"arn:aws:iam::111111111111:root":                         "111111111111:root",
		"arn:aws:iam::111111111111:role/a,b":                     "111111111111:role/a_b",
		"ada":                                                    "",
		"":                                                       "",
	} {
		if got := Principal(arn); got != want {
			t.Errorf("Principal(%q) = %q, want %q", arn, got, want)
		}
	}
	if got, want := RolePrincipal("111111111111", "shop_deployer"), "111111111111:role/shop_deployer"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestServiceName checks that the names of long services differ and fit.
func TestServiceName(t *testing.T) {
	t.Parallel()
	if got := ServiceName("c", "web"); got != "c/web" {
		t.Error(got)
	}
	cluster, service := strings.Repeat("c", 255), strings.Repeat("s", 254)
	a, b := ServiceName(cluster, service+"a"), ServiceName(cluster, service+"b")
	if a == b || len(a) != maxValue || Value(a) != a {
		t.Errorf("%q and %q", a, b)
	}
}

// TestWhose checks whose a revision with a journal is.
func TestWhose(t *testing.T) {
	t.Parallel()
	const deployer = "arn:aws:sts::111111111111:assumed-role/deployer/deployer"
	registered := eventTime.Add(time.Minute)
	own := Entry{
		Cause: event.Cause{ID: "e1", Time: eventTime}, Service: "c/web",
		Rule: Rule{Base: 6, Best: Best{eventTime.UnixNano() - 1, 5}, Principal: Principal(deployer)},
	}
	with := func(change func(*Entry)) Entry { e := own; change(&e); return e }
	old := map[string]string{keyEventID: "e1", keyTime: "2026-01-22T10:15:30Z", keyBase: arn + "f:6",
		keyBest: "5@2026-01-22T10:15:29Z"}
	edited := func(key, value string) map[string]string {
		all := map[string]string{key: value}
		for k, v := range old {
			if k != key {
				all[k] = v
			}
		}
		return all
	}
	for _, tt := range []struct {
		name           string
		entry          Entry
		tags           map[string]string // instead of the entry's
		by             string
		foreign, other bool
		base, best     int
	}{
		{name: "the deployer's own", entry: own, by: deployer, base: 6, best: 5},
		{name: "registeredBy is the role", entry: own, by: "arn:aws:iam::111111111111:role/path/deployer", base: 6,
			best: 5},
		{name: "registeredBy is not known", entry: own, base: 6, best: 5},
		{name: "copied by a person", entry: own, by: "arn:aws:iam::111111111111:user/ada", foreign: true},
		{name: "copied in another account", entry: own, by: "arn:aws:iam::222222222222:role/deployer", foreign: true},
		{name: "another service's", entry: with(func(e *Entry) { e.Service = "c/web-eu" }), by: deployer, foreign: true,
			other: true},
		{name: "another cluster's", entry: with(func(e *Entry) { e.Service = "prod/web" }), by: deployer, foreign: true,
			other: true},
		{name: "another service's, copied", entry: with(func(e *Entry) { e.Service = "c/web-eu" }),
			by:      "arn:aws:iam::1:root",
			foreign: true},
		{name: "base above the revision", entry: with(func(e *Entry) { e.Rule.Base = 8 }), by: deployer},
		{name: "best above the base", entry: with(func(e *Entry) { e.Rule.Best.Number = 7 }), by: deployer, base: 6},
		{name: "time of 1500", entry: with(func(e *Entry) {
			e.Cause.Time = time.Date(1500, 1, 1, 0, 0, 0, 0,
				time.UTC)
		}),
			by: deployer, foreign: true},
		{name: "time two days after the registration", entry: with(func(e *Entry) {
			e.Cause.Time = registered.AddDate(0,
				0, 2)
		}),
			by: deployer, foreign: true},
		{name: "of an earlier version", tags: old, by: deployer, base: 6, best: 5},
		{name: "of an earlier version, base above the revision", tags: edited(keyBase, arn+"f:36000"), by: deployer},
		{name: "of an earlier version, base below 0", tags: edited(keyBase, arn+"f:-1"), by: deployer},
		{name: "of an earlier version, copied to another family", tags: edited(keyBase, arn+"g:6"), by: deployer,
			foreign: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.tags == nil {
				tt.tags = map[string]string{}
				for _, tag := range tt.entry.Tags() {
					tt.tags[tag.Key] = tag.Value
				}
			}
			got := Parse(Revision{ARN: arn + "f:7", Number: 7, Registered: registered, Tags: tt.tags,
				RegisteredBy: tt.by,
				Service:      "c/web"})
			if got.Foreign != tt.foreign || got.Other != tt.other || got.Rule.Base != tt.base ||
				got.Rule.Best.Number != tt.best || tt.foreign != (got.Cause.ID == "") {
				t.Errorf("%+v", got)
			}
		})
	}
}
