#!/bin/sh
# A small base with Debian's Python as an OCI layout in one tar file, for tests that run a server in
# a container: debian-base.sh FILE. It needs root, mmdebstrap and python3, and the package sources of
# this machine; FILE is left alone when it is there. The version of the Python in it is printed.
set -eu
file=$1
if test -s "$file"; then
    cat "$file.python"
    exit 0
fi
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
. /etc/os-release
sources=/etc/apt/sources.list.d/debian.sources
test -e "$sources" || sources=/etc/apt/sources.list
mmdebstrap --quiet --mode=root --variant=minbase --include=python3 \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$VERSION_CODENAME" "$here/root.tar" "$sources"
tar --list --file "$here/root.tar" | sed -n 's,^\./usr/bin/python\(3\.[0-9]*\)$,\1,p' >"$file.python"
python3 - "$here/root.tar" "$(dpkg --print-architecture)" "$here/layout.tar" <<'END'
import gzip, hashlib, io, json, sys, tarfile

root, architecture, layout = sys.argv[1:]
plain = open(root, "rb").read()
files = {"oci-layout": json.dumps({"imageLayoutVersion": "1.0.0"}).encode()}


def put(kind, content):
    digest = hashlib.sha256(content).hexdigest()
    files["blobs/sha256/" + digest] = content
    return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest, "size": len(content)}


layer = put("layer.v1.tar+gzip", gzip.compress(plain, 6, mtime=0))
configuration = {
    "architecture": architecture,
    "os": "linux",
    "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"], "Cmd": ["python3"]},
    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(plain).hexdigest()]},
}
configuration = put("config.v1+json", json.dumps(configuration).encode())
manifest = {"schemaVersion": 2, "config": configuration, "layers": [layer]}
manifest["mediaType"] = "application/vnd.oci.image.manifest.v1+json"
manifest = put("manifest.v1+json", json.dumps(manifest).encode())
manifest["platform"] = {"os": "linux", "architecture": architecture}
index = {"schemaVersion": 2, "manifests": [manifest]}
files["index.json"] = json.dumps(index).encode()
with tarfile.open(layout, "w") as archive:
    for name, content in files.items():
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
END
mv "$here/layout.tar" "$file"
cat "$file.python"
