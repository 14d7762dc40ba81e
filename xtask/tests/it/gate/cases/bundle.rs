//! Bundles and extensions that do not fit together.

use super::super::package::*;
use super::Case;
use super::Spoil::{Edit, Package as Parts, Remove, Replace, Unverified};

pub const CASES: &[Case] = &[
    ("wheel-missing", "no wheel", Remove(WHEEL_PLACE)),
    (
        "several-wheels",
        "beside the right one",
        Parts(|package| {
            package.add(
                "extension/python_server/example_server-1.2.2-py3-none-any.whl",
                wheel(&[("x.txt", b"x")]),
            );
        }),
    ),
    (
        "several-wheels",
        "the same one elsewhere",
        Parts(|package| {
            package.add_allowed("extension/media/a.whl", wheel(&[]));
        }),
    ),
    (
        "several-wheels",
        "renamed",
        Parts(|package| {
            package.add_allowed("extension/media/a.png", wheel(&[]));
        }),
    ),
    (
        "several-wheels",
        "inside an archive",
        Parts(|package| {
            package.add_allowed("extension/media/a.zip", zip(&[("b.bin", wheel(&[]))]));
        }),
    ),
    (
        "wheel-differs",
        "one more file in it",
        Parts(|package| {
            package.replace(WHEEL_PLACE, wheel(&[("x.txt", b"x")]));
        }),
    ),
    (
        "wheel-differs",
        "another name",
        Parts(|package| {
            package.remove(WHEEL_PLACE).add(
                "extension/python_server/example_server-1.2.3-py2-none-any.whl",
                wheel(&[]),
            );
        }),
    ),
    (
        "version-differs",
        "in package.json",
        Parts(|package| {
            package.edit("extension/package.json", "\"1.2.3\"", "\"1.2.4\"");
            package.edit(
                "extension.vsixmanifest",
                "Version=\"1.2.3\"",
                "Version=\"1.2.4\"",
            );
        }),
    ),
    ("bundle-unverified", "no release", Unverified),
    ("bundle-manifest", "missing", Remove(MANIFEST_PLACE)),
    ("bundle-manifest", "not JSON", Replace(MANIFEST_PLACE, b"{")),
    (
        "bundle-manifest",
        "another commit",
        Edit(MANIFEST_PLACE, "\"0123", "\"9123"),
    ),
    (
        "bundle-manifest",
        "a dirty tree",
        Edit(MANIFEST_PLACE, "false", "true"),
    ),
    (
        "bundle-manifest",
        "another name",
        Edit(
            MANIFEST_PLACE,
            "\"name\": \"example-server\"",
            "\"name\": \"other\"",
        ),
    ),
    (
        "bundle-manifest",
        "another digest",
        Parts(|package| {
            let digest = package.manifest.artifacts[0].sha256.hex().to_owned();
            package.edit(MANIFEST_PLACE, &digest, &"0".repeat(64));
        }),
    ),
    ("requirements-differ", "missing", Remove(REQUIREMENTS_PLACE)),
    (
        "requirements-differ",
        "one more line",
        Replace(REQUIREMENTS_PLACE, b"anyio\nevil\n"),
    ),
    // The extension.
    ("package-json", "missing", Remove("extension/package.json")),
    (
        "package-json",
        "not JSON",
        Replace("extension/package.json", b"{,}"),
    ),
    (
        "package-json",
        "no publisher",
        Edit("extension/package.json", "  \"publisher\": \"acme\",\n", ""),
    ),
    (
        "entry-point-missing",
        "not built",
        Remove("extension/dist/extension.js"),
    ),
    (
        "entry-point-missing",
        "another case",
        Edit("extension/package.json", "dist/extension", "dist/Extension"),
    ),
    (
        "entry-point-missing",
        "of a web extension",
        Edit(
            "extension/package.json",
            "\"main\"",
            "\"browser\": \"./dist/web.js\", \"main\"",
        ),
    ),
    ("icon-missing", "absent", Remove("extension/media/icon.png")),
    (
        "icon-missing",
        "not stated",
        Edit(
            "extension/package.json",
            "  \"icon\": \"media/icon.png\",\n",
            "",
        ),
    ),
    ("license-missing", "absent", Remove("extension/LICENSE.txt")),
    (
        "license-missing",
        "stated elsewhere",
        Edit(
            "extension/package.json",
            "\"MIT\"",
            "\"SEE LICENSE IN EULA.md\"",
        ),
    ),
];
