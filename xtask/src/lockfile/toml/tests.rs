//! What is plain is read as the library reads it; what is not is left to the library.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::samples;
use super::{Table, Value, library, plain};
use crate::error::Error;

/// All that readers can see of a table.
fn shown(table: &Table<'_>) -> String {
    let mut text = String::new();
    for (key, value) in table.iter() {
        assert!(std::ptr::eq(table.get(key).unwrap(), value), "{key:?}");
        write!(text, "{key:?}: {}, ", shown_value(value)).unwrap();
    }
    format!("{{{text}}}")
}

fn shown_value(value: &Value<'_>) -> String {
    let list = value.as_list().map(|list| list.iter().map(shown_value));
    let table = value.as_table().map(shown);
    let scalar = (value.as_str(), value.as_integer(), value.as_bool());
    let list = list.map(|list| list.collect::<Vec<_>>().join(", "));
    format!("{} {scalar:?} {list:?} {table:?}", value.start())
}

fn by_library(text: &str) -> Option<String> {
    let explain = |_, message: &str| Error::failure(message);
    library::read(text, explain).ok().map(|table| shown(&table))
}

/// Whether a text is plain, after holding it against the library.
fn is_plain(text: &str) -> bool {
    let found = plain::read(text).map(|table| shown(&table));
    if found.is_some() {
        assert_eq!(found, by_library(text), "{text}");
    }
    found.is_some()
}

#[test]
fn what_tools_write_is_plain() {
    let plain = |text: &str| assert!(is_plain(text), "{text}");
    plain("");
    plain("\n \t\r\n# a comment: é\t\n");
    plain("a = 'b'");
    plain("a-1_Z = \"é \t'\" # why\r\n\"b c\"\t=\t'\\d\"'");
    plain("a = \"\\\"\"\nb = \"\\\\\"\nc = \"x\\\"y\\\\\"\n\"\\\"\" = ''\n\"\" = \"\"\n");
    plain("a = true\nb = false\nc = 0\nd = 10\ne = 999999999999999999\n3 = 3 # 3\n");
    plain("a = []\nb = [ ]\nc = [1,2 , 3,]\nd = [ # why\n\n  'a' , # b\n \"c\"\n]\n");
    plain("a = [[], [[1]], {}, {b = [\n1\n]}]");
    plain("a = {}\nb = { }\nc = {d=1}\ne = { f = {g = 'h'}, \"i\" = [{j = 1}] }\n");
    plain("a = 1\n[b]\na = 1\n[c]\n[ d . \"e f\" ] # why\na = 1");
    plain("[a]\n[a.b]\n[a.c.d]\n[a.c.e]\n[f.g]\n[f.h]\n[[f.i]]\n");
    plain("[[a]]\n[[a]]\nb = 1\n[a.b-c]\n[[a.d]]\n[[a.d]]\n[a.d.e]\n[[a]]\n[[a.d]]\n");
    let many = |keys: std::ops::Range<u32>| keys.map(|key| format!("key{key} = {key}\n"));
    plain(&many(0..100).collect::<String>());
    plain(&format!(
        "[a.b]\n{}[a.c]\n[[a.d]]",
        many(0..40).collect::<String>()
    ));
}

#[test]
fn what_is_odd_is_left_to_the_library() {
    let odd = |text: &str| {
        assert!(!is_plain(text), "{text}");
        assert!(by_library(text).is_some(), "{text}");
    };
    odd("\u{feff}a = 1");
    odd("a.b = 1");
    odd("a = {b.c = 1}");
    odd("a = {b = 1,}");
    odd("a = {\nb = 1 }");
    odd("'a' = 1");
    odd("a = \"\\u00e9\\n\"");
    odd("a = \"\"\"b\nc\"\"\"\nd = '''\ne'''\n");
    odd("a = \"\"\"\"\"\"");
    odd("a = ''''''");
    odd("a = 1.5");
    odd("a = [-1, +2, 0x3, 0o4, 0b1, 1_000, inf, nan]");
    odd("a = 1979-05-27");
    odd("a = 1979-05-27 07:32:00Z");
    odd("a = 1000000000000000000");
    odd("[a.b]\n[a]");
    odd(&format!("a = {}{}", "[".repeat(9), "]".repeat(9)));
    odd(&format!("[{}a]", "a.".repeat(9)));
}

#[test]
fn what_is_wrong_is_left_to_the_library() {
    let wrong = |text: &str| {
        assert!(!is_plain(text), "{text}");
        assert_eq!(by_library(text), None, "{text}");
    };
    for twice in [
        "a = 1\na = 1",
        "a = 1\n\"a\" = 1",
        "a = {b = 1, b = 2}",
        "[a]\n[a]",
        "[a]\n[[a]]",
        "[[a]]\n[a]",
        "a = 1\n[a]",
        "a = {}\n[a]",
        "a = {}\n[a.b]",
        "a = {}\n[[a.b]]",
        "a = []\n[[a]]",
        "a = [{}]\n[[a]]",
        "a = [{}]\n[a.b]",
        "a = ''\n[a.b]",
        "[a]\nb = 1\n[a.b]",
        "[a.b]\n[[a]]",
        "[a.b]\n[a.b]",
        "[[a]]\nb = 1\n[a.b]",
        "[[a]]\n[a.b]\n[a.b]",
        "[[a]]\n[[a.b]]\n[a.b]",
    ] {
        wrong(twice);
    }
    let unfinished = "a|a =|a = \"|a = '|a = [|a = [1|a = [1,|a = {|a = {b|a = {b =|a = {b = 1|\
                      a = {b = 1,|[|[a|[a.|[[|[[a|[[a]|a = \"\\|a = \"\\\"";
    unfinished.split('|').for_each(wrong);
    let bad = "= 1|a b = 1|é = 1|a = 1 2|a = 1 b = 2|a = 'b' 'c'|a = 01|a = 1a|a = truer|a = True|\
               a = b|a = [,]|a = [1 2]|a = {,}|a = {b}|a = [}|[]|[[]]|[a..b]|[.a]|[a.]|[a] b = 1|\
               [a]]|[[a] ]|[ [a]]|[a\n]|a\n= 1|a =\n1|a = \"b\nc\"|a = 'b\nc'|a = \"\\q\"";
    bad.split('|').for_each(wrong);
    let control = "\0|\u{c}|a = \"\0\"|a = \"\u{1}\"|a = \"\u{7f}\"|# \u{1}|# \u{7f}|a = '\u{8}'|\
                   a = 1\rb = 2|# a\rb|a = 1\u{a0}|\u{2028}a = 1";
    control.split('|').for_each(wrong);
}

/// Pieces that make TOML about as often as they do not.
const PIECES: [&str; 44] = [
    "a",
    "b",
    "a",
    "b",
    "c-1",
    "\"a\"",
    "\"b.c\"",
    "'a'",
    "a = 1",
    "b = ''",
    "a = {}",
    "b = []",
    " = ",
    "=",
    "1",
    "0",
    "-",
    ".",
    ".",
    ",",
    ", ",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "# x",
    "\"",
    "\\",
    "'",
    "true",
    "é",
    "\0",
    "\n[a]\n",
    "\n[[a]]\n",
    "\n[a.b]\n",
];

/// Numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit
    }

    fn piece(&mut self) -> &'static str {
        PIECES[self.below(PIECES.len())]
    }
}

#[test]
fn made_up_texts_are_read_alike() {
    let mut numbers = Numbers(7);
    let mut plain = 0;
    for _ in 0..40_000 {
        let count = numbers.below(12);
        let text: String = (0..count).map(|_| numbers.piece()).collect();
        plain += usize::from(is_plain(&text));
    }
    assert!(plain > 4_000, "only {plain} are plain");
}

/// Every text with single changes: a piece put in, a part cut out, a line said twice.
#[test]
fn changed_texts_are_read_alike() {
    let text = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\n \
                \"b 1.0 (x)\",\n \"c\",\n]\n\n[[package]]\nname = 'b'\nfiles = [\n    {file = \
                \"b.whl\", hash = \"sha256:0\", size = 12},\n]\nmarkers = \"a == \\\"b\\\"\"\n\n\
                [package.dependencies]\nc = {version = \"^1\", optional = true} # why\n\n\
                [metadata]\n\"checksum a\" = \"é\"\n\n[metadata.files]\nb = []\n";
    assert!(is_plain(text));
    let mut numbers = Numbers(11);
    let mut plain = 0;
    for _ in 0..20_000 {
        let mut changed = text.to_owned();
        for _ in 0..=numbers.below(2) {
            change(&mut changed, &mut numbers);
        }
        plain += usize::from(is_plain(&changed));
    }
    assert!(plain > 2_000, "only {plain} are plain");
}

fn change(text: &mut String, numbers: &mut Numbers) {
    let ends = |text: &str| text.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
    let ends = ends(text);
    let at = ends[numbers.below(ends.len())];
    match numbers.below(3) {
        0 => text.insert_str(at, numbers.piece()),
        1 => {
            let rest = text.split_off(at);
            text.extend(rest.chars().skip(1 + numbers.below(20)));
        }
        _ => {
            let lines: Vec<&str> = text.lines().collect();
            let line = format!("{}\n", lines[numbers.below(lines.len())]);
            let at = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            text.insert_str(at, &line);
        }
    }
}

fn files(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = folder.read_dir_utf8() else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().into_path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// From each line on, as most of these files begin with what is for the fuzz target.
#[test]
fn the_corpus_is_read_alike() {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let found = files(&folder).into_iter();
    let texts = found.filter_map(|path| std::fs::read_to_string(path).ok());
    let plain = |text: &String| {
        let lines = text.match_indices('\n').map(|(at, _)| &text[at + 1..]);
        lines.filter(|rest| is_plain(rest)).count()
    };
    let plain: usize = texts.map(|text| plain(&text)).sum();
    assert!(plain > 100, "only {plain} are plain");
}

/// The real lock files, where they are: they are what is to be read quickly.
#[test]
fn real_lock_files_are_plain() {
    let own = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let shared = samples::shared().map(|shared| files(&shared.join("locks")));
    for path in shared.into_iter().flatten().chain([own]) {
        if matches!(
            path.file_name(),
            Some("Cargo.lock" | "poetry.lock" | "uv.lock")
        ) {
            assert!(is_plain(&std::fs::read_to_string(&path).unwrap()), "{path}");
        }
    }
}
