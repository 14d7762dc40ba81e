# Thin wrappers: each target is one `cargo xtask …`, the same as in GitHub Actions.
.PHONY: release audit sbom build bundle check lint test clean doctor image docker-build publish k8s-deploy

# Where `make publish` goes, whether it does (EXECUTE=--execute), and what deploys.
PROFILE ?= local
EXECUTE ?=
MCP_PLATFORM ?= cargo platform
# The file with the token that clients of the deployed server must send.
TOKEN ?= token.txt

release audit sbom build bundle check lint test doctor image:
	cargo xtask $@

# The name that other projects use; no Docker takes part.
docker-build: image

publish:
	cargo xtask publish --to $(PROFILE) $(EXECUTE)

k8s-deploy:
	$(MCP_PLATFORM) deploy mcp-server-jupyter --backend kubernetes --set token=@$(TOKEN)

# What the tool and the compiler made; the sources stay.
clean:
	cargo clean
	rm -rf dist vscode-extension/dist vscode-extension/python_server vscode-extension/node_modules
