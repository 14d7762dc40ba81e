//! Every rule of the gate as data: its id, what it says, why it matters and how to mend it.
//!
//! The README's table, the SARIF rule list and the check of `[[gate.exception]]` all read
//! [`RULES`]; a test fails when a rule has no case that breaks it alone. What breaks a rule is
//! decided in the other files of this room.

/// One rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable name in kebab-case, used in reports and in `release.toml`.
    pub id: &'static str,
    /// What the rule says, as a short sentence without a full stop.
    pub title: &'static str,
    /// Why breaking it matters.
    pub why: &'static str,
    /// What to do about it.
    pub mend: &'static str,
    /// Whether `[[gate.exception]]` may accept a finding. Rules that protect the container
    /// itself or the one wheel have no exceptions: the rest of the judgement stands on them.
    pub exceptable: bool,
}

/// Finds a rule by its id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

/// The id most like `wrong`, for "did you mean".
pub fn nearest(wrong: &str) -> Option<&'static str> {
    let distance = |rule: &&Rule| strsim::damerau_levenshtein(rule.id, wrong);
    let nearest = RULES.iter().copied().min_by_key(distance)?;
    let close = distance(&nearest) <= 4 || nearest.id.contains(wrong) || wrong.contains(nearest.id);
    close.then_some(nearest.id)
}

/// All rules as a Markdown table, as the README has it.
pub fn table() -> String {
    let row = |rule: &&Rule| {
        let exceptions = if rule.exceptable { "yes" } else { "no" };
        format!(
            "| `{}` | {} | {} | {exceptions} |\n",
            rule.id, rule.title, rule.why
        )
    };
    let rows: String = RULES.iter().map(row).collect();
    format!("| rule | says | why | exceptions |\n|---|---|---|---|\n{rows}")
}

macro_rules! rules {
    ($($name:ident $exceptable:ident $id:literal: $title:literal, why $why:literal, mend $mend:literal;)*) => {
        $(
            #[doc = $title]
            pub static $name: Rule = Rule {
                id: $id,
                title: $title,
                why: $why,
                mend: $mend,
                exceptable: rules!(@ $exceptable),
            };
        )*
        /// Every rule, in the order in which reports list findings: the container first, then
        /// the wheel and its bundle, then the extension, then what must not be there.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
    (@ strict) => { false };
    (@ exceptable) => { true };
}

rules! {
    BROKEN_CONTAINER strict "broken-container": "The file is a complete zip archive",
        why "a container that cannot be read to its end cannot be judged, and editors refuse to install it",
        mend "package it anew: `cargo xtask package`";
    STRAY_BYTES strict "stray-bytes": "Every byte belongs to an entry",
        why "bytes before, between or behind the entries, and comments, are carried along unseen by the tools that list the file",
        mend "package it anew: `cargo xtask package` writes a container without gaps";
    HEADER_MISMATCH strict "header-mismatch": "The central directory and the local headers agree",
        why "readers that trust one header would unpack something else than readers that trust the other",
        mend "package it anew: `cargo xtask package`";
    OVERLAPPING_ENTRIES strict "overlapping-entries": "No two entries share bytes",
        why "overlapping entries are how small zip bombs are built and how one file hides in another",
        mend "package it anew: `cargo xtask package`";
    ENCRYPTED_ENTRY strict "encrypted-entry": "No entry is encrypted",
        why "what is encrypted cannot be judged, and no editor can unpack it",
        mend "package the file without encryption";
    UNSUPPORTED_COMPRESSION strict "unsupported-compression": "Entries are stored or deflated",
        why "VS Code unpacks methods 0 and 8 only; what it cannot unpack, nobody can judge for it",
        mend "package it anew: `cargo xtask package`";
    CORRUPT_ENTRY strict "corrupt-entry": "Every entry unpacks to its stated size and CRC-32",
        why "the file was damaged or edited after packaging",
        mend "package it anew: `cargo xtask package`";
    ENTRY_TOO_LARGE strict "entry-too-large": "No entry is larger than `gate.entry-limit`",
        why "an entry of this size is a mistake or an attempt to exhaust the reader's memory, and it is not looked into",
        mend "leave it out, or raise `entry-limit` under [gate] in release.toml if the extension needs it";
    TOTAL_TOO_LARGE strict "total-too-large": "All entries together stay below `gate.total-limit`",
        why "every user downloads and unpacks all of it",
        mend "leave something out, or raise `total-limit` under [gate] in release.toml";
    COMPRESSION_BOMB strict "compression-bomb": "No entry inflates out of proportion",
        why "a few kilobytes that unpack to many megabytes exhaust the reader's memory or disk",
        mend "leave it out";
    ZIP64 strict "zip64": "The container needs no ZIP64 records",
        why "Open VSX rejects them, and small containers that carry them were written by another tool than the one that packaged the extension",
        mend "package it anew: `cargo xtask package` writes none";
    EXTRA_FIELD exceptable "extra-field": "No central directory record has an extra field",
        why "Open VSX rejects the upload, and extra fields carry time stamps and user ids of the machine that wrote them",
        mend "package it anew: `cargo xtask package` writes none; `zip -X` writes fewer";
    UNSAFE_PATH strict "unsafe-path": "Entry names are plain relative paths",
        why "absolute paths, `..`, drive letters, backslashes and invisible characters write outside the extension's folder or mean different files on different systems",
        mend "rename the file";
    DUPLICATE_ENTRY strict "duplicate-entry": "No name occurs twice",
        why "which of the two is unpacked depends on the reader, so the one that was reviewed may not be the one that runs",
        mend "package it anew: `cargo xtask package`";
    COLLIDING_NAMES strict "colliding-names": "No two names are the same file on another system",
        why "names that differ only in case, Unicode normalisation or trailing dots overwrite each other on Windows and macOS",
        mend "rename one of them";
    SYMLINK strict "symlink": "Entries are regular files",
        why "a link points at whatever is there on the user's machine, and devices and pipes have no business in an extension",
        mend "replace it by the file it points to, or leave it out";
    CONTAINER_MANIFEST strict "container-manifest": "The container's two manifest files are there and name this extension",
        why "editors and registries read name, publisher and version from `extension.vsixmanifest`, not from package.json",
        mend "package it anew: `cargo xtask package`";
    WHEEL_MISSING strict "wheel-missing": "The bundle holds the wheel",
        why "the extension has no server to start",
        mend "`cargo xtask build`, then `cargo xtask bundle`";
    SEVERAL_WHEELS strict "several-wheels": "There is one wheel and no other",
        why "a second wheel is Python source that nobody proved, and the wrong one may get installed",
        mend "`cargo xtask bundle` replaces the bundle folder by exactly its three files";
    WHEEL_DIFFERS strict "wheel-differs": "The wheel is, byte for byte, the one of dist/manifest.json",
        why "the wheel that was built and proved is not the one that users would run",
        mend "`cargo xtask bundle` copies the wheel of dist/ into the extension";
    VERSION_DIFFERS strict "version-differs": "Wheel and extension have one version",
        why "users and reports could not tell which server an extension carries",
        mend "`cargo xtask version --check` shows every place that states a version";
    BUNDLE_UNVERIFIED strict "bundle-unverified": "There is a dist/manifest.json to compare the bundle with",
        why "without it the bundle can only be compared with itself",
        mend "`cargo xtask build`, then `cargo xtask bundle`";
    BUNDLE_MANIFEST strict "bundle-manifest": "The bundle's manifest.json agrees with the wheel, the extension and dist/manifest.json",
        why "the extension checks the wheel against this file before it installs anything",
        mend "`cargo xtask bundle` writes it anew";
    REQUIREMENTS_DIFFER strict "requirements-differ": "The bundle's requirements.txt is the one of dist/manifest.json",
        why "the server would run with other dependencies than those it was proved with",
        mend "`cargo xtask bundle` copies it anew";
    PACKAGE_JSON strict "package-json": "package.json is there and says what an editor needs",
        why "without name, publisher, version and engine no editor loads the extension",
        mend "mend package.json as the finding says";
    ENTRY_POINT_MISSING strict "entry-point-missing": "The file that `main` or `browser` names is there",
        why "the extension installs and then fails to start",
        mend "build it before packaging (`npm run compile`), and let .vscodeignore keep it";
    ICON_MISSING exceptable "icon-missing": "There is an icon that the Marketplace shows",
        why "the Marketplace and the editor's list show a blank tile, and an SVG is refused at upload",
        mend "name a PNG of at least 128 by 128 pixels as `icon` in package.json, and let .vscodeignore keep it";
    LICENSE_MISSING exceptable "license-missing": "There is a license file",
        why "without one nobody may use the extension, and Open VSX refuses it",
        mend "put LICENSE, LICENSE.md or LICENSE.txt beside package.json, and let .vscodeignore keep it";
    PYTHON_BYTECODE exceptable "python-bytecode": "No Python byte-code",
        why "byte-code is source that nobody can review and that another interpreter cannot run",
        mend "delete it; the wheel is the only place for Python code";
    PACKAGING_SOURCE exceptable "packaging-source": "No packaging files, lock files or package metadata",
        why "they belong to the source tree and show that part of it was copied into the extension",
        mend "leave it out: name it in .vscodeignore";
    VIRTUAL_ENVIRONMENT exceptable "virtual-environment": "No virtual environment",
        why "an environment works on the machine that made it only, and carries unreviewed copies of every dependency",
        mend "leave it out: the extension makes its environment on the user's machine";
    VERSION_CONTROL exceptable "version-control": "No version control data",
        why "it holds the history, remote addresses and at times credentials of the repository",
        mend "leave it out: name it in .vscodeignore";
    PRIVATE_KEY exceptable "private-key": "No private keys, key stores or credential files",
        why "everybody who downloads the extension has them",
        mend "leave it out, and replace the key: it must be considered known";
    SECRET_TOKEN exceptable "secret-token": "No access tokens",
        why "everybody who downloads the extension has it",
        mend "take it out, and revoke the token: it must be considered known";
    ENVIRONMENT_FILE exceptable "environment-file": "No `.env` files",
        why "they hold the settings and secrets of one machine",
        mend "leave it out: name it in .vscodeignore";
    PYTHON_SOURCE exceptable "python-source": "No Python source outside the one wheel",
        why "source beside the wheel is code that was not built, proved or sealed, and that may run instead of it",
        mend "delete it; what the server needs belongs into the wheel";
    NOTEBOOK exceptable "notebook": "No notebooks",
        why "notebooks hold source, outputs and often data of the person who ran them",
        mend "leave it out: name it in .vscodeignore";
    TESTS exceptable "tests": "No tests",
        why "tests are source that users never run, and fixtures often hold more than they should",
        mend "leave it out: name it in .vscodeignore";
    SOURCE_MAP exceptable "source-map": "No source maps",
        why "a source map carries the whole source text",
        mend "build without source maps for the release, and name `**/*.map` in .vscodeignore";
    TYPESCRIPT_SOURCE exceptable "typescript-source": "No TypeScript source",
        why "the extension runs the compiled JavaScript; the source only makes every download larger",
        mend "leave it out: name it in .vscodeignore";
    OPAQUE_ARCHIVE exceptable "opaque-archive": "No archive that cannot be looked into",
        why "source and secrets hide well in an archive that is encrypted, damaged, nested too deep or of a kind the gate does not unpack",
        mend "leave it out, or ship it as a plain zip or tar.gz";
    NOT_ALLOWED exceptable "not-allowed": "Nothing but what the extension needs at run time",
        why "what is not needed was packed by accident, and accidents ship secrets",
        mend "leave it out by .vscodeignore, or name it in `allow` under [gate] in release.toml if the extension needs it";
}
