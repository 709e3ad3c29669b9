package terraform

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// evaluated returns the module of one file. Further files are templates that it reads.
func evaluated(t *testing.T, text string, variables map[string]any) (*Module, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hello.tftpl"), []byte("Hello ${name}%{ if loud }!%{ endif "+
		"}"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(dir, Input{Account: "111111111111", Region: "eu-west-1", Variables: variables})
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, expression, want string }{
		{"a function of the library", `join("-", ["a", "b"])`, `"a-b"`},
		{"the first that is neither null nor empty", `coalesce(null, "", "c")`, `"c"`},
		{"the first list that is not empty", `coalescelist([], ["c"])`, `["c"]`},
		{"the length of a text", `length("äö")`, `2`},
		{"the length of an object", `length({ a = 1, b = 2 })`, `2`},
		{"a text that is replaced", `replace("a.b", ".", "-")`, `"a-b"`},
		{"a pattern that is replaced", `replace("a1b22", "/[0-9]+/", "-")`, `"a-b-"`},
		{"a conditional makes one type", `true ? { a = true } : { b = "x" }`, `{"a":"true"}`},
		{"all true", `[alltrue([]), alltrue([true, false])]`, `[true,false]`},
		{"an id without quotes is a number", `yamldecode("id: 012345670123").id`, `12345670123`},
		{"a merged key", `yamldecode("a: &a {x: 1}\nb: {<<: *a, y: 2}").b.x`, `1`},
		{"a failure", `can(yamldecode("[")) || try(null.x, true)`, `true`},
		{"a template", `templatefile("${path.module}/hello.tftpl", { name = "you", loud = true })`, `"Hello you!"`},
		{"a local", `local.twice`, `"xx"`},
		{"the account", `data.aws_caller_identity.current.account_id`, `"111111111111"`},
		{"an attribute that AWS adds", `aws_sqs_queue.one.arn`, `"arn:aws:sqs:eu-west-1:111111111111:one"`},
		{"an instance of count", `aws_sqs_queue.counted[1].name`, `"counted-1"`},
		{"instances of for_each", `{ for key, queue in aws_sqs_queue.each : key => queue.url }`,
			`{"a":"https://sqs.eu-west-1.amazonaws.com/111111111111/each-a-1"}`},
		{"a block", `aws_sqs_queue.one.part[0].name`, `"p"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := evaluated(t, `
				variable "x" { default = "x" }
				locals { twice = "${var.x}${var.x}" }
				data "aws_caller_identity" "current" {}
				resource "aws_sqs_queue" "one" {
					name = "one"
					part { name = "p" }
				}
				resource "aws_sqs_queue" "counted" {
					count = 2
					name = "counted-${count.index}"
				}
				resource "aws_sqs_queue" "each" {
					for_each = { a = 1 }
					name = "each-${each.key}-${each.value}"
				}
				output "it" { value = `+tt.expression+` }`, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(m.Outputs()["it"])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestErrors checks that what is wrong, and what is not supported, is not passed over.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"a validation", `variable "n" {
			default = 3
			validation {
				condition = var.n < 3
				error_message = "${var.n} is not less than 3"
			}
		}`, "var.n: 3 is not less than 3"},
		{"a precondition", `resource "aws_sqs_queue" "q" {
			lifecycle {
				precondition {
					condition = false
					error_message = "never"
				}
			}
		}`, "aws_sqs_queue.q: never"},
		{"a variable without value", `variable "n" { type = string }`, "var.n: the variable is required"},
		{"a value of another type", `variable "n" {
			type = list(string)
			default = "x"
		}`, "var.n: list of string required, but have string"},
		{"an unknown reference", `output "x" { value = local.y }`, "output x: local.y: the module does not " +
			"declare it"},
		{"a circle", `locals {
			a = local.b
			b = local.a
		}
		output "x" { value = local.a }`, "output x: local.a: local.b: local.a depends on itself"},
		{"an unknown function", `output "x" { value = timestamp() }`,
			`output x: main.tf:1: Call to unknown function: There is no function named "timestamp".`},
		{"a data source", `data "aws_vpc" "v" {}`, "data.aws_vpc.v: the data source is not supported"},
		{"a provider", `provider "aws" {}`, "main.tf:1,1-9: a block of type provider is not supported"},
		{"a dynamic block", `resource "aws_sqs_queue" "q" {
			dynamic "x" {}
		}`, "aws_sqs_queue.q: a block of type dynamic is not supported"},
		{"a wrong for_each", `resource "aws_sqs_queue" "q" { for_each = ["a"] }`,
			"aws_sqs_queue.q: for_each is tuple, not a map or a set"},
		{"an attribute that the module cannot know", `resource "aws_sqs_queue" "q" { name = "q" }
			output "x" { value = aws_sqs_queue.q.fifo_queue }`, "output x: main.tf:2: Unsupported attribute: " +
			"This object " +
			`does not have an attribute named "fifo_queue".`},
		{"no syntax", `output "x" {`, "main.tf:1: Unclosed configuration block: There is no closing brace for " +
			"this block " +
			"before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := evaluated(t, tt.text, nil)
			if err == nil {
				t.Fatal("it is accepted")
			}
			_, got, _ := strings.Cut(err.Error(), "evaluating the module ")
			_, got, _ = strings.Cut(got, ": ")
			if i := strings.Index(got, "main.tf:1,"); i > 0 {
				got = got[i:]
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
