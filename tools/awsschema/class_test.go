package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// source is a class as the bindings have it, shortened.
const source = `
export function queuePartToHclTerraform(struct?: QueuePart): any {
  const attrs = {
    mode: {
      value: cdktn.stringToHclTerraform(struct!.mode),
      isBlock: false,
      type: "simple",
      storageClassType: "string",
    },
  };
  // remove undefined attributes
}
export class QueuePartOutputReference extends cdktn.ComplexObject {
  // mode - computed: false, optional: false, required: true
  private _mode?: string;
}
export class Queue extends cdktn.TerraformResource {
  // arn - computed: true, optional: false, required: false
  public get arn() {
    return this.getStringAttribute('arn');
  }
  // names - computed: true, optional: true, required: false
  private _names?: string[];
  // part - computed: false, optional: false, required: true
  private _part = new QueuePartOutputReference(this, "part");
  protected synthesizeHclAttributes() {
    const attrs = {
      names: {
        value: cdktn.listMapperHcl(cdktn.stringToHclTerraform, false)(this._names),
        isBlock: false,
        type: "set",
        storageClassType: "stringList",
      },
      part: {
        value: queuePartToHclTerraform(this._part.internalValue),
        isBlock: true,
        type: "list",
        storageClassType: "QueuePartList",
      },
    };
  }
}
`

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mapping, err := json.Marshal(map[string]any{"sourcesContent": []string{source}})
	if err != nil {
		t.Fatal(err)
	}
	compiled := "x\n//# sourceMappingURL=data:application/json;base64," + base64.StdEncoding.EncodeToString(mapping)
	if err := os.MkdirAll(filepath.Join(dir, "lib", "sqs-queue"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lib", "sqs-queue", "index.js"), []byte(compiled), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := read(dir, "sqs_queue")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"version":0,"block":{"attributes":{"arn":{"type":"string","computed":true},` +
		`"names":{"type":["set","string"],"optional":true,"computed":true}},"block_types":{"part":{` +
		`"nesting_mode":"list","block":{"attributes":{"mode":{"type":"string","required":true}}},` +
		`"min_items":1,"max_items":1}}}}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}
