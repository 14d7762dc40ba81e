# Thin wrappers: each target is one `cargo xtask …`, the same as in GitHub Actions.
.PHONY: release audit sbom build bundle check lint test clean doctor

release audit sbom build bundle check lint test doctor:
	cargo xtask $@

# What the tool and the compiler made; the sources stay.
clean:
	cargo clean
	rm -rf dist vscode-extension/dist vscode-extension/python_server vscode-extension/node_modules
