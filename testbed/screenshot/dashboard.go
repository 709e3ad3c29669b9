package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"deployer/testbed/accounts"
)

// ids are the accounts of the environments, in the order of a release.
var ids = [][2]string{{"dev", accounts.Dev}, {"staging", accounts.Staging}, {"prod", accounts.Prod}}

// dashboard makes some deployments and returns what `deployer dashboard --once` writes of all environments.
func dashboard(ctx context.Context, root, dir string) ([]byte, error) {
	r, program, err := deployed(ctx, root, dir)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var profiles strings.Builder
	args := []string{"dashboard", "--once", filepath.Join(dir, "page.html")}
	for _, one := range ids {
		fmt.Fprintf(&profiles, "[%s]\naws_access_key_id = %s\naws_secret_access_key = any\n", one[0], one[1])
		text, err := os.ReadFile(filepath.Join(root, "examples", "centralized-dev-ecr", one[0]+".yaml"))
		if err != nil {
			return nil, err
		}
		text = append(text, "\naws_profile: "+one[0]+"\n"...)
		if err := os.WriteFile(filepath.Join(dir, one[0]+".yaml"), text, 0o600); err != nil {
			return nil, err
		}
		args = append(args, "-f", one[0]+".yaml")
	}
	credentials := filepath.Join(dir, "credentials")
	if err := os.WriteFile(credentials, []byte(profiles.String()), 0o600); err != nil {
		return nil, err
	}
	run := exec.CommandContext(ctx, program, args...)
	run.Dir = dir
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AWS_") {
			run.Env = append(run.Env, variable)
		}
	}
	run.Env = append(run.Env, "AWS_ENDPOINT_URL="+r.URL, "AWS_SHARED_CREDENTIALS_FILE="+credentials,
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true")
	if out, err := run.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("running deployer dashboard: %w\n%s", err, out)
	}
	return os.ReadFile(filepath.Join(dir, "page.html"))
}

// photograph shows a page to a headless Chromium, without its script so that times are stamps, and writes a picture.
func photograph(ctx context.Context, page []byte, dir, file string) error {
	shown := filepath.Join(dir, "shown.html")
	text := strings.ReplaceAll(string(page), "<script>", `<script type="text/plain">`)
	if err := os.WriteFile(shown, []byte(text), 0o600); err != nil {
		return err
	}
	run := exec.CommandContext(ctx, "chromium-headless-shell", "--no-sandbox", "--hide-scrollbars",
		"--window-size=1100,640", "--screenshot="+file, "file://"+shown)
	if out, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("photographing the page: %w\n%s", err, out)
	}
	return nil
}
