package cloudformation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// looped loads a template of loops over its parameter Names.
func looped(resources, names string) (*Template, error) {
	return Load([]byte("Transform: AWS::LanguageExtensions\n"+
		"Parameters:\n  Names: {Type: CommaDelimitedList}\n  One: {Type: String, Default: one}\n"+resources),
		Parameters{Account: "111111111111", Region: "eu-west-1", Stack: "s", Values: map[string]string{"Names": names}})
}

func TestForEach(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, template string
		want           map[string]string // names of queues by logical id
	}{
		{"a parameter", `
Resources:
  Fn::ForEach::Queues:
    - Name
    - !Ref Names
    - "Queue&{Name}": {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name}}
`, map[string]string{"Queuewebapi": "web-api", "Queueworker": "worker"}},
		{"a list, beside other resources", `
Resources:
  Other: {Type: AWS::SQS::Queue, Properties: {QueueName: other}}
  Fn::ForEach::Queues:
    - Name
    - [a, b]
    - "${Name}Queue": {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${One}-${Name}-&{Name}"}}
`, map[string]string{"Other": "other", "aQueue": "one-a-a", "bQueue": "one-b-b"}},
		{"a loop in a loop", `
Resources:
  Fn::ForEach::Outer:
    - X
    - [a, b]
    - Fn::ForEach::Inner:
        - "Y"
        - ["1", "2"]
        - "Q${X}${Y}": {Type: AWS::SQS::Queue, Properties: {QueueName: !Join ["-", [!Ref X, !Ref "Y"]]}}
`, map[string]string{"Qa1": "a-1", "Qa2": "a-2", "Qb1": "b-1", "Qb2": "b-2"}},
		{"in properties", `
Resources:
  Q:
    Type: AWS::SQS::Queue
    Properties:
      Fn::ForEach::Properties:
        - Property
        - [Queue]
        - "${Property}Name": "the-${Property}"
`, map[string]string{"Q": "the-Queue"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			loaded, err := looped(tt.template, "web-api,worker")
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, q := range loaded.Queues() {
				got[q.LogicalID] = q.Name
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestForEachSections checks that conditions and outputs can have loops.
func TestForEachSections(t *testing.T) {
	t.Parallel()
	loaded, err := looped(`
Conditions:
  Fn::ForEach::Conditions:
    - Name
    - !Ref Names
    - "Is&{Name}": !Equals [!Ref One, !Ref Name]
Resources:
  Fn::ForEach::Queues:
    - Name
    - !Ref Names
    - "Queue&{Name}": {Type: AWS::SQS::Queue, Condition: "Is&{Name}", Properties: {QueueName: !Ref Name}}
Outputs:
  Fn::ForEach::Outputs:
    - Name
    - !Ref Names
    - "Arn&{Name}": {Condition: "Is&{Name}", Value: !GetAtt ["Queue&{Name}", Arn]}
`, "one,two")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Arnone": "arn:aws:sqs:eu-west-1:111111111111:one"}
	if diff := cmp.Diff(want, loaded.Outputs()); diff != "" {
		t.Error(diff)
	}
}

func TestForEachErrors(t *testing.T) {
	t.Parallel()
	const queue = `{Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name}}`
	loop := func(name, operands string) string {
		return "Resources:\n  Queue: {Type: AWS::SQS::Queue}\n  Fn::ForEach::" + name + ": " + operands + "\n"
	}
	tests := []struct{ name, template, want string }{
		{"two names with one id", loop("Queues", `[Name, !Ref Names, {"Queue&{Name}": `+queue+`}]`),
			`section Resources: Fn::ForEach::Queues: duplicate key "Queuewebapi"`},
		{"an id of another resource", loop("Queues", `[Name, [eue], {"Qu${Name}": `+queue+`}]`),
			`section Resources: duplicate key "Queue"`},
		{"an id that is not alphanumeric", loop("Queues", `[Name, [web-api], {"Queue${Name}": `+queue+`}]`),
			`section Resources: name "Queueweb-api" is not alphanumeric`},
		{"a key without the identifier", loop("Queues", `[Name, [a], {Other: `+queue+`}]`),
			`the key "Other" has neither ${Name} nor &{Name}`},
		{"a parameter that is no list", loop("Queues", `[Name, !Ref One, {"Queue${Name}": `+queue+`}]`),
			"its collection is neither a list nor a Ref to a CommaDelimitedList"},
		{"two operands", loop("Queues", `[Name, [a]]`), "it takes an identifier, a collection and a fragment"},
		{"the name of a resource", loop("Queue", `[Name, [a], {"Q${Name}": `+queue+`}]`),
			"the name of the loop is the logical id of a resource"},
		{"the identifier of the loop around it", loop("A",
			`[Name, [a], {"Fn::ForEach::B": [Name, [b], {"Q${Name}": `+queue+`}]}]`),
			"Fn::ForEach::B: the identifier Name is that of a loop around it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := looped(tt.template, "web-api,webapi"); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
	_, err := Load([]byte(loop("Queues", `[Name, [a], {"Q${Name}": `+queue+`}]`)), Parameters{Stack: "s"})
	if err == nil || !strings.Contains(err.Error(), "it needs the Transform AWS::LanguageExtensions") {
		t.Errorf("without the transform: %v", err)
	}
}
