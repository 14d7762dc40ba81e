//! What content is, whatever its name says. Pure; looks at magic numbers and at a few telling
//! lines, and never runs a pattern engine over a whole file.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

/// A kind of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    /// A zip archive, perhaps behind other bytes.
    Zip,
    /// A tar archive.
    Tar,
    /// A gzip stream.
    Gzip,
    /// One that the gate does not unpack; its name.
    Opaque(&'static str),
}

/// Recognises an archive by its first bytes, or a zip archive by its last.
pub fn archive(bytes: &[u8]) -> Option<Archive> {
    const OPAQUE: [(&[u8], &str); 14] = [
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07", "rar"),
        (b"\x04\x22\x4d\x18", "lz4"),
        (b"LZIP", "lzip"),
        (b"\x5d\0\0\x80\0", "lzma"),
        (b"\x1f\x9d", "compress"),
        (b"MSCF\0\0\0\0", "cabinet"),
        (b"!<arch>\n", "ar"),
        (b"070701", "cpio"),
        (b"hsqs", "squashfs"),
        (b"xar!", "xar"),
    ];
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Some(Archive::Zip);
    }
    if bytes.starts_with(b"\x1f\x8b\x08") {
        return Some(Archive::Gzip);
    }
    if is_tar(bytes) {
        return Some(Archive::Tar);
    }
    let opaque = OPAQUE.iter().find(|(magic, _)| bytes.starts_with(magic));
    if let Some((_, name)) = opaque.filter(|(_, name)| *name != "bzip2" || is_bzip2(bytes)) {
        return Some(Archive::Opaque(name));
    }
    if bytes.starts_with(b"\x04\0\0\0") && bytes.get(16..24) == Some(b"{\"files\"") {
        return Some(Archive::Opaque("asar"));
    }
    ends_as_zip(bytes).then_some(Archive::Zip)
}

/// A level digit and the block or end-of-stream magic follow `BZh`.
fn is_bzip2(bytes: &[u8]) -> bool {
    let block = bytes.get(4..10);
    block == Some(b"1AY&SY") || block == Some(b"\x17\x72\x45\x38\x50\x90")
}

/// POSIX.1-1988 "ustar", or an older header whose checksum is right.
fn is_tar(bytes: &[u8]) -> bool {
    let Some(header) = bytes.get(..512) else {
        return false;
    };
    if &header[257..262] == b"ustar" {
        return true;
    }
    let field = header[148..156].iter().filter(|byte| byte.is_ascii_digit());
    let stated = field.fold(0_u32, |sum, digit| {
        sum.wrapping_mul(8).wrapping_add(u32::from(digit - b'0'))
    });
    if header[0] == 0 || stated == 0 {
        return false;
    }
    let checksum = |(at, byte): (usize, &u8)| match at {
        148..156 => u32::from(b' '),
        _ => u32::from(*byte),
    };
    header.iter().enumerate().map(checksum).sum::<u32>() == stated
}

/// Whether a zip archive was put behind other content: an image that unpacks.
fn ends_as_zip(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(22 + 1024)..];
    let Some(at) = memmem::rfind(tail, b"PK\x05\x06") else {
        return false;
    };
    let size = tail
        .get(at + 12..at + 16)
        .and_then(|size| size.try_into().ok());
    let size = usize::try_from(u32::from_le_bytes(size.unwrap_or([0xff; 4]))).unwrap_or(usize::MAX);
    let end = bytes.len() - tail.len() + at;
    let directory = end.checked_sub(size).and_then(|start| bytes.get(start..));
    size > 0 && directory.is_some_and(|there| there.starts_with(b"PK\x01\x02"))
}

/// Python byte-code by its magic number (CPython's `importlib/_bootstrap_external.py`): the
/// number of a release, `\r\n`, and a marshalled code object at one of three offsets.
pub fn is_bytecode(bytes: &[u8]) -> bool {
    let Some(&[low, high, b'\r', b'\n']) = bytes.first_chunk::<4>() else {
        return false;
    };
    // CPython 3.0 to 3.x, CPython 2.x, and PyPy's own counts.
    let number = u16::from_le_bytes([low, high]);
    let known = matches!(number, 3000..=4200 | 20121..=62211 | 48..=480);
    let code = |at: usize| matches!(bytes.get(at), Some(b'c' | 0xe3));
    known && (code(8) || code(12) || code(16))
}

/// Whether a file is text, as far as its beginning tells.
pub fn is_text(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(8192)]).is_none()
}

/// How a text reveals that it is Python, whatever its name is.
pub fn python(file: &str, bytes: &[u8]) -> Option<String> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines = text.splitn(3, |byte| *byte == b'\n').map(clip);
    let (first, second) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    if first.starts_with(b"#!") && is_python_interpreter(first) {
        let line = String::from_utf8_lossy(first);
        return Some(format!("its first line is `{}`", line.trim_end()));
    }
    if [first, second].into_iter().any(is_coding_line) {
        return Some("it declares a source encoding (PEP 263)".to_owned());
    }
    if [first, second]
        .iter()
        .any(|line| line.starts_with(b"# /// script"))
    {
        return Some("it holds inline script metadata (PEP 723)".to_owned());
    }
    statements(file, text)
}

fn clip(line: &[u8]) -> &[u8] {
    &line[..line.len().min(120)]
}

fn is_python_interpreter(line: &[u8]) -> bool {
    let line = line.to_ascii_lowercase();
    [
        &b"python"[..],
        b"pypy",
        b"uv run",
        b"pipx run",
        b"ipython",
        b"jython",
    ]
    .iter()
    .any(|word| memmem::find(&line, word).is_some())
}

/// PEP 263: `coding[:=]` in a comment of the first two lines.
fn is_coding_line(line: &[u8]) -> bool {
    let comment = line.trim_ascii_start();
    let at = comment
        .starts_with(b"#")
        .then(|| memmem::find(comment, b"coding"));
    let behind = at.flatten().and_then(|at| comment.get(at + "coding".len()));
    matches!(behind, Some(b':' | b'='))
}

fn statements(file: &str, text: &[u8]) -> Option<String> {
    // One pass over the line breaks; few lines begin with one of these letters.
    let starts = memchr::memchr_iter(b'\n', text).map(|at| at + 1);
    let telling = |at: &usize| matches!(text.get(*at), Some(b'a' | b'c' | b'd' | b'f' | b'i'));
    let found = std::iter::once(0)
        .chain(starts)
        .filter(telling)
        .any(|at| is_statement(line_at(text, at)));
    if !found {
        return None;
    }
    // A look at the whole file only now, which few files reach.
    let lines: Vec<&[u8]> = lines_to_judge(file, text);
    // Methods stand below their class; nothing else counts when it is indented.
    let is_method = |line: &[u8]| line.starts_with(b"def ") && is_statement(line);
    let counts = |line: &&&[u8]| is_statement(line) || is_method(line.trim_ascii_start());
    let statements = lines.iter().filter(counts).count();
    let count = |ends: &[u8]| {
        let ends_so = |line: &&&[u8]| line.last().is_some_and(|last| ends.contains(last));
        lines.iter().filter(ends_so).count()
    };
    let braces = count(b";{") * 20 > lines.len();
    let dense = statements * 2 >= lines.len();
    (!braces && (statements >= 2 || dense))
        .then(|| format!("{statements} of its lines are Python statements"))
}

fn line_at(text: &[u8], at: usize) -> &[u8] {
    let line = &text[at..];
    let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
    clip(line[..end].trim_ascii_end())
}

/// The lines that are not blank; of a document only those outside of fenced code.
fn lines_to_judge<'text>(file: &str, text: &'text [u8]) -> Vec<&'text [u8]> {
    let document = [".md", ".markdown", ".mdx"]
        .iter()
        .any(|end| file.ends_with(end));
    let mut fenced = false;
    let outside = |line: &&[u8]| {
        let fence = document && (line.starts_with(b"```") || line.starts_with(b"~~~"));
        fenced ^= fence;
        !fenced && !fence
    };
    text[..text.len().min(1 << 18)]
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| !line.is_empty())
        .filter(outside)
        .collect()
}

fn is_statement(line: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] = [
        b"def ",
        b"class ",
        b"from ",
        b"import ",
        b"async def ",
        b"if __name__",
    ];
    if !WORDS.iter().any(|word| line.starts_with(word)) {
        return false;
    }
    let Ok(line) = std::str::from_utf8(line) else {
        return false;
    };
    let code = line.split(" #").next().unwrap_or(line).trim_end();
    let block = code.strip_prefix("async ").unwrap_or(code);
    if let Some(rest) = block.strip_prefix("def ") {
        let named = rest
            .split_once('(')
            .is_some_and(|(name, _)| is_name(name.trim()));
        return named && code.ends_with([':', '(', ',']);
    }
    if let Some(rest) = code.strip_prefix("class ") {
        let name = rest.split(['(', ':', '[']).next().unwrap_or(rest);
        return is_name(name.trim()) && code.ends_with([':', '(', ',']);
    }
    if let Some(rest) = code.strip_prefix("from ") {
        let Some((module, names)) = rest.split_once(" import ") else {
            return false;
        };
        return is_module(module.trim())
            && (names.starts_with('(') || names == "*" || are_imports(names));
    }
    if let Some(modules) = code.strip_prefix("import ") {
        return are_imports(modules);
    }
    code.starts_with("if __name__ ==")
}

fn are_imports(list: &str) -> bool {
    let one = |item: &str| {
        let (module, alias) = item.split_once(" as ").unwrap_or((item, "x"));
        is_module(module.trim()) && is_name(alias.trim())
    };
    list.trim_end_matches([',', '\\', ' '])
        .split(',')
        .all(|item| one(item.trim()))
}

fn is_module(text: &str) -> bool {
    let plain = text.trim_start_matches('.');
    plain.is_empty() && !text.is_empty() || !plain.is_empty() && plain.split('.').all(is_name)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Whether a JSON text is a notebook (nbformat 3 or 4).
pub fn is_notebook(bytes: &[u8]) -> bool {
    is_object(bytes)
        && has_key(bytes, b"\"nbformat\"", |value| value.is_ascii_digit())
        && (has_key(bytes, b"\"cells\"", |value| value == b'[')
            || has_key(bytes, b"\"worksheets\"", |value| value == b'['))
}

/// Whether a JSON text is a source map (ECMA-426).
pub fn is_source_map(bytes: &[u8]) -> bool {
    is_object(bytes)
        && has_key(bytes, b"\"mappings\"", |value| value == b'"')
        && has_key(bytes, b"\"sources\"", |value| value == b'[')
}

fn is_object(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = text
        .iter()
        .take(1024)
        .find(|byte| !byte.is_ascii_whitespace());
    start == Some(&b'{')
}

fn has_key(bytes: &[u8], key: &[u8], value: impl Fn(u8) -> bool) -> bool {
    memmem::find_iter(bytes, key).any(|at| {
        let behind = bytes[at + key.len()..].iter().take(64);
        let mut telling = behind.filter(|byte| !byte.is_ascii_whitespace());
        telling.next() == Some(&b':') && telling.next().is_some_and(|byte| value(*byte))
    })
}

static INLINE_MAP: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new(b"sourceMappingURL=data:"));

/// The line of a source map that is written into the file itself. Code that only writes such
/// lines has no data behind the words.
pub fn inline_source_map(bytes: &[u8]) -> Option<usize> {
    let at = INLINE_MAP.find_iter(bytes).find(|at| {
        let data = bytes[*at + INLINE_MAP.needle().len()..].iter();
        let is_data =
            |byte: &&u8| byte.is_ascii_alphanumeric() || b"/+=;,:%-_.!~*()".contains(byte);
        data.take_while(is_data).count() >= 100
    })?;
    Some(line_number(bytes, at))
}

/// The line, counted from 1, of an offset.
pub fn line_number(bytes: &[u8], at: usize) -> usize {
    memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1
}
