//! Files that have no place in an extension, by name, by content and inside of others.

use super::super::package::*;
use super::Case;
use super::Spoil::{Add, InWheel, Package as Parts, Replace};
use super::container::{CENTRAL, LOCAL, patch, without_last_record};

pub const CASES: &[Case] = &[
    ("python-bytecode", "by name", Add("extension/a.PYC", b"x")),
    (
        "python-bytecode",
        "by folder",
        Add("extension/__pycache__/a.bin", b"x"),
    ),
    (
        "python-bytecode",
        "renamed",
        Parts(|package| {
            package.add_allowed("extension/media/icon2.png", bytecode());
        }),
    ),
    (
        "python-bytecode",
        "in the wheel",
        InWheel("example_server/__pycache__/a.cpython-311.pyc", b"x"),
    ),
    (
        "packaging-source",
        "pyproject.toml",
        Add("extension/pyproject.toml", b"x"),
    ),
    (
        "packaging-source",
        "setup.py",
        Add("extension/setup.py", b"x"),
    ),
    (
        "packaging-source",
        "a lock file",
        Add("extension/sub/poetry.lock", b"x"),
    ),
    (
        "packaging-source",
        "egg-info",
        Add("extension/a.egg-info/x.txt", b"x"),
    ),
    (
        "packaging-source",
        "more requirements",
        Parts(|package| {
            package.add("extension/python_server/requirements-dev.txt", "x");
        }),
    ),
    (
        "virtual-environment",
        "its configuration",
        Add("extension/env/pyvenv.cfg", b"x"),
    ),
    (
        "virtual-environment",
        "site-packages",
        Add("extension/lib/site-packages/a.py", b"x"),
    ),
    (
        "version-control",
        ".git",
        Add("extension/sub/.git/config", b"x"),
    ),
    (
        "version-control",
        ".gitignore",
        Parts(|package| {
            package.add("extension/.gitignore", "x");
        }),
    ),
    (
        "private-key",
        "in a script",
        Parts(|package| {
            package.replace("extension/dist/extension.js", private_key());
        }),
    ),
    ("private-key", "by name", Add("extension/id_ed25519", b"x")),
    (
        "private-key",
        "in the wheel",
        Parts(|package| {
            *package = Package::with_wheel(&wheel(&[(
                "example_server/data.txt",
                private_key().as_bytes(),
            )]));
        }),
    ),
    (
        "private-key",
        "in a nested archive",
        Parts(|package| {
            package.add_allowed(
                "extension/a.bin",
                gzip(&tar(&[("b/c.txt", private_key().as_bytes())])),
            );
        }),
    ),
    (
        "secret-token",
        "in a script",
        Parts(|package| {
            package.replace("extension/dist/extension.js", token());
        }),
    ),
    (
        "secret-token",
        "in the wheel",
        Parts(|package| {
            *package = Package::with_wheel(&wheel(&[("example_server/a.py", token().as_bytes())]));
        }),
    ),
    ("environment-file", ".env", Add("extension/.env", b"x")),
    (
        "environment-file",
        "in the wheel",
        InWheel("example_server/.env", b"x"),
    ),
    ("python-source", "by name", Add("extension/a.py", b"x")),
    (
        "python-source",
        "trailing dot",
        Add("extension/a.Py.", b"x"),
    ),
    (
        "python-source",
        "beside the wheel",
        Parts(|package| {
            package.add("extension/python_server/main.py", PYTHON);
        }),
    ),
    (
        "python-source",
        "a script by its first line",
        Add(
            "extension/bin/run",
            b"#!/usr/bin/env -S python3 -u\nprint()\n",
        ),
    ),
    (
        "python-source",
        "an encoding line",
        Add("extension/media/a.txt", b"# -*- coding: utf-8 -*-\nx\n"),
    ),
    (
        "python-source",
        "renamed to a text",
        Add("extension/media/a.txt", PYTHON.as_bytes()),
    ),
    (
        "python-source",
        "under the script's name",
        Replace("extension/dist/extension.js", PYTHON.as_bytes()),
    ),
    (
        "python-source",
        "under the readme's name",
        Replace("extension/readme.md", PYTHON.as_bytes()),
    ),
    (
        "python-source",
        "in a zip",
        Parts(|package| {
            package.add_allowed("extension/a.zip", zip(&[("src/b.py", PYTHON)]));
        }),
    ),
    (
        "python-source",
        "in a renamed zip in a zip, renamed",
        Parts(|package| {
            let inner = zip(&[("data", zip(&[("b.txt", PYTHON)]))]);
            package.add_allowed("extension/media/a.png", inner);
        }),
    ),
    (
        "python-source",
        "in an archive behind an image",
        Parts(|package| {
            let mut image = b"\x89PNG\r\n\x1a\n and pixels".to_vec();
            image.extend(zip(&[("b.py", PYTHON)]));
            package.replace("extension/media/icon.png", image);
        }),
    ),
    (
        "python-source",
        "in a tar",
        Parts(|package| {
            package.add_allowed("extension/a.dat", tar(&[("b.py", PYTHON.as_bytes())]));
        }),
    ),
    (
        "python-source",
        "in a tar.gz",
        Parts(|package| {
            package.add_allowed(
                "extension/a.dat",
                gzip(&tar(&[("b/c.dat", PYTHON.as_bytes())])),
            );
        }),
    ),
    (
        "python-source",
        "in a gzip",
        Parts(|package| {
            package.add_allowed("extension/b.py.gz", gzip(b"x"));
        }),
    ),
    ("notebook", "by name", Add("extension/a.ipynb", b"x")),
    (
        "notebook",
        "by content",
        Add(
            "extension/media/a.json",
            b"{\"cells\": [], \"metadata\": {}, \"nbformat\": 4}",
        ),
    ),
    ("tests", "a folder", Add("extension/dist/test/a.js", b"x")),
    ("tests", "a name", Add("extension/dist/a.test.js", b"x")),
    (
        "tests",
        "a top-level package of the wheel",
        InWheel("tests/test_a.py", b"x"),
    ),
    (
        "source-map",
        "by name",
        Add("extension/dist/extension.js.map", b"x"),
    ),
    (
        "source-map",
        "by content",
        Add(
            "extension/media/a.json",
            b"{\"version\":3,\"sources\":[\"a.ts\"],\"mappings\":\"AAAA\"}",
        ),
    ),
    (
        "source-map",
        "inside the script",
        Parts(|package| {
            package.replace("extension/dist/extension.js", inline_map());
        }),
    ),
    (
        "typescript-source",
        "by name",
        Add("extension/src/a.ts", b"x"),
    ),
    (
        "opaque-archive",
        "7z",
        Add("extension/a.bin", b"7z\xbc\xaf\x27\x1c\0\x04"),
    ),
    (
        "opaque-archive",
        "xz",
        Add("extension/a.bin", b"\xfd7zXZ\0\0\x04"),
    ),
    (
        "opaque-archive",
        "zstd",
        Add("extension/a.bin", b"\x28\xb5\x2f\xfd\0"),
    ),
    (
        "opaque-archive",
        "bzip2",
        Add("extension/a.bin", b"BZh91AY&SY\0\0"),
    ),
    (
        "opaque-archive",
        "nested too deep",
        Parts(|package| {
            package.add_allowed("extension/a.zip", nested_zips(12));
        }),
    ),
    (
        "opaque-archive",
        "damaged",
        Add("extension/a.zip", b"PK\x03\x04 and nothing"),
    ),
    (
        "opaque-archive",
        "encrypted",
        Parts(|package| {
            let inner = zip(&[("b.txt", "x")]);
            let inner = patch(patch(inner, CENTRAL, 8, &[1]), LOCAL, 6, &[1]);
            package.add_allowed("extension/a.zip", inner);
        }),
    ),
    (
        "opaque-archive",
        "an entry that is not listed",
        Parts(|package| {
            let inner = without_last_record(zip(&[("a.txt", "x"), ("b.py", "x")]));
            package.add_allowed("extension/a.zip", inner);
        }),
    ),
    (
        "not-allowed",
        "another file",
        Parts(|package| {
            package.add("extension/notes.txt", "x");
        }),
    ),
    (
        "not-allowed",
        "beside the extension",
        Parts(|package| {
            package.add("notes.txt", "x");
        }),
    ),
    (
        "not-allowed",
        "an empty folder",
        Parts(|package| {
            package.add("extension/empty/", "");
        }),
    ),
    (
        "not-allowed",
        "a fourth file in the bundle",
        Parts(|package| {
            package.add("extension/python_server/README.txt", "x");
        }),
    ),
];

pub const PYTHON: &str =
    "import os\n\n\ndef main():\n    print(os.name)\n\n\nclass Server:\n    pass\n";
pub const KEY: &str = "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn0aGbHqkd1Xv2p7c9LmNoPqRsTuVwXyZ12";

/// A private key that no scanner of this repository takes for one.
pub fn private_key() -> String {
    format!("-----BEGIN {} KEY-----\n{KEY}\n", "PRIVATE")
}

pub fn token() -> String {
    format!(
        "const token = \"{}{}\";\n",
        "ghp_", "q9Zk3Lw7Xc2Vb5Nm8Rt4Yp6Hd1Fg0JsAbCdE"
    )
}

pub fn bytecode() -> Vec<u8> {
    // CPython 3.11's magic number, no flags, a time and a size, and a code object.
    let mut bytes = vec![
        0xa7, 0x0d, b'\r', b'\n', 0, 0, 0, 0, 1, 2, 3, 4, 9, 0, 0, 0, 0xe3, 0, 0, 0, 0,
    ];
    bytes.resize(64, 0);
    bytes
}

pub fn inline_map() -> String {
    format!(
        "run();\n//# sourceMappingURL=data:application/json;base64,{}\n",
        "eyJ2ZXJzaW9uIjoz".repeat(9)
    )
}

pub fn nested_zips(depth: usize) -> Vec<u8> {
    (0..depth).fold(b"x".to_vec(), |inner, _| zip(&[("inner.zip", inner)]))
}
