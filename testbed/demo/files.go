package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// The files of an environment that `make up` leaves running, besides the environment files.
const (
	profilesFile = "aws.config" // profiles dev, staging and prod of the AWS command line and SDKs
	imageFile    = "image.json" // the manifest of an image
	crashFile    = "crash.json" // the manifest of an image whose program exits at once
	denyFile     = "deny.json"  // a policy that denies to read images
)

// deny is the policy of denyFile.
const deny = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ecr:BatchGetImage","Resource":"*"}]}
`

// writeFiles writes what the trials need into a directory: environment files as in the examples, but with the profile
// that reaches each account, and the profiles.
func writeFiles(root, dir, url string) error {
	files := map[string]string{
		imageFile: accounts.Manifest("backend NUMBER") + "\n",
		crashFile: accounts.CrashingManifest("worker NUMBER", 1) + "\n",
		denyFile:  deny,
	}
	var profiles strings.Builder
	for _, e := range cloud.Environments {
		name := e.Name + ".yaml"
		text, err := os.ReadFile(filepath.Join(root, "examples", "centralized-dev-ecr", name))
		if err != nil {
			return err
		}
		files[name] = string(text) + "\naws_profile: " + e.Name + "\n"
		fmt.Fprintf(&profiles, "[profile %s]\naws_access_key_id = %s\naws_secret_access_key = any\nregion = %s\n"+
			"endpoint_url = %s\n\n", e.Name, e.Account, accounts.Region, url)
	}
	files[profilesFile] = profiles.String()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
