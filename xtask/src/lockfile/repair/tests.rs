//! What is repaired, and what is not.

use camino::Utf8Path;

use super::super::kind_of;
use super::*;

fn run(text: &str) -> Result<Outcome> {
    run_as("poetry.lock", text)
}

fn run_as(name: &str, text: &str) -> Result<Outcome> {
    let input = Input {
        text,
        path: Utf8Path::new(name),
        shipping_groups: &["main".to_owned()],
        beside: &|_| None,
    };
    repair(kind_of(name).unwrap(), &input)
}

fn repaired(text: &str) -> Repaired {
    match run(text).unwrap() {
        Outcome::Repaired(repaired) => repaired,
        Outcome::Sound(_) => panic!("it reads well:\n{text}"),
    }
}

fn block(name: &str, rest: &str) -> String {
    format!("[[package]]\nname = \"{name}\"\nversion = \"1.0\"\n\n{rest}")
}

const END: &str = "[metadata]\nlock-version = \"2.0\"\ncontent-hash = \"00\"\n";
const EXTRAS: &str = "[package.extras]\nx = [\"z\"]\n\n";
const OTHER_EXTRAS: &str = "[package.extras]\ny = [\"z\"]\n\n";
const DEPENDENCIES: &str = "[package.dependencies]\nb = \"*\"\n\n";
const OTHER_DEPENDENCIES: &str = "[package.dependencies]\nq = \"*\"\n\n";

#[test]
fn orphans_are_left_out() {
    let check = |own: &str, orphan: &str| {
        let sound = block("a", own) + &block("c", "") + END;
        let broken = block("a", &format!("{own}{orphan}")) + &block("c", "") + END;
        let found = repaired(&broken);
        assert_eq!(found.text, sound, "{own}{orphan}");
        assert_eq!(found.steps.len(), 1, "{:?}", found.steps);
        assert_eq!(found.reads.unwrap().packages.len(), 2);
    };
    check(EXTRAS, OTHER_EXTRAS);
    check(EXTRAS, EXTRAS);
    check(DEPENDENCIES, OTHER_DEPENDENCIES);
    check(DEPENDENCIES, &format!("{OTHER_DEPENDENCIES}{OTHER_EXTRAS}"));
    check(EXTRAS, &format!("{OTHER_DEPENDENCIES}{OTHER_EXTRAS}"));
    check(&format!("{DEPENDENCIES}{EXTRAS}"), OTHER_EXTRAS);
    let source = "[package.source]\ntype = \"url\"\nurl = \"u\"\n\n";
    check(&format!("{EXTRAS}{source}"), OTHER_EXTRAS);
}

#[test]
fn orphans_at_the_end_are_left_out() {
    let own = "[package.metadata]\na = 1\n";
    let project = "version = 1\n[[package]]\nname = \"p\"\nsource = { virtual = \".\" }\n";
    let orphan = "[package.metadata]\nb = 1\n[package.metadata.requires-dev]\n";
    let found = run_as("uv.lock", &format!("{project}{own}{orphan}")).unwrap();
    let Outcome::Repaired(found) = found else {
        panic!("it reads well");
    };
    assert_eq!(found.text, format!("{project}{own}"));
}

#[test]
fn a_repair_says_what_it_did_and_shows_it() {
    let text = block("a", &format!("{DEPENDENCIES}{EXTRAS}{OTHER_EXTRAS}")) + &block("c", "") + END;
    let found = repaired(&text);
    let step = "left out [package.extras] on line 11, which a deleted package has left behind \
                package a";
    assert_eq!(found.steps, [step]);
    assert_eq!(found.lost, ["b"]);
    let difference = "@@ -8,9 +8,6 @@\n [package.extras]\n x = [\"z\"]\n \n-[package.extras]\n-y = \
                      [\"z\"]\n-\n [[package]]\n name = \"c\"\n version = \"1.0\"\n";
    assert_eq!(found.difference, difference);
    let twice = format!("{EXTRAS}{OTHER_EXTRAS}");
    let found = repaired(&(block("a", &twice) + &block("c", &twice) + END));
    assert_eq!(found.steps.len(), 2);
    assert!(
        found.difference.contains("\n@@ -15,9 +12,6 @@\n"),
        "{}",
        found.difference
    );
}

#[test]
fn a_lost_package_is_still_missed() {
    let project = "version = 1\n[[package]]\nname = \"p\"\nsource = { virtual = \".\" }\n\
                   dependencies = [{ name = \"a\" }]\n[package.metadata]\nx = 1\n";
    let found = run_as("uv.lock", &format!("{project}[package.metadata]\ny = 1\n")).unwrap();
    let Outcome::Repaired(found) = found else {
        panic!("it reads well");
    };
    assert_eq!(found.text, project);
    let missed = found.reads.unwrap_err();
    assert!(
        missed.contains("p: it depends on a of any version"),
        "{missed}"
    );
    let error = run_as("uv.lock", project).unwrap_err();
    assert_eq!(error.message, missed);
}

#[test]
fn conflicts_are_resolved_only_without_doubt() {
    let ours = block("a", "");
    let sound = format!("{ours}{END}");
    let check = |conflict: &str| {
        assert_eq!(
            repaired(&format!("{conflict}{END}")).text,
            sound,
            "{conflict}"
        );
    };
    check(&format!("<<<<<<< HEAD\n{ours}=======\n{ours}>>>>>>> x\n"));
    check(&format!(
        "<<<<<<< HEAD\n||||||| base\n=======\n{ours}>>>>>>> x\n"
    ));
    check(&format!(
        "<<<<<<< HEAD\n{ours}||||||| base\nold\n=======\nold\n>>>>>>> x\n"
    ));
    let refuse = |conflict: &str, reason: &str| {
        let error = run(&format!("{conflict}{END}")).unwrap_err();
        assert!(
            error.message.contains("an unresolved merge conflict"),
            "{error}"
        );
        let hint = error.hints.last().unwrap();
        assert_eq!(
            hint,
            &format!("not repaired: the conflict on line 1 {reason}")
        );
    };
    let differ = "has two sides that differ, and either could be right";
    refuse(&format!("<<<<<<< HEAD\n{ours}=======\n>>>>>>> x\n"), differ);
    refuse(
        "<<<<<<< a\n1\n||||||| b\n2\n=======\n3\n>>>>>>> c\n",
        differ,
    );
    refuse("<<<<<<< a\n1\n", "has no end");
    refuse("<<<<<<< a\n1\n>>>>>>> b\n", "has no middle");
    refuse(
        "<<<<<<< a\n<<<<<<< a\n=======\n>>>>>>> b\n",
        "has another one in it",
    );
}

#[test]
fn what_is_not_certain_stays() {
    let check = |name: &str, text: &str, reason: &str| {
        let error = run_as(name, text).unwrap_err();
        let hint = error.hints.last().unwrap();
        assert!(hint.contains(reason), "{hint}\nis not\n{reason}");
    };
    let clash = block(
        "a",
        &format!("{EXTRAS}[package.extras]\nx = [\"other\"]\n\n"),
    ) + END;
    let reason = "`x` stands in both tables [package.extras] behind package a and differs, so line \
                  8 may be the right one";
    check("poetry.lock", &clash, reason);
    let none = "this damage has no certain repair";
    check("poetry.lock", &format!("{END}{END}"), none);
    check("poetry.lock", &block("a", ""), none);
    check("Cargo.lock", "version = 9\n", none);
    check("requirements.txt", "a>=1\n", none);
    let many: String = (0..60)
        .map(|_| block("a", &format!("{EXTRAS}{OTHER_EXTRAS}")))
        .collect();
    check(
        "poetry.lock",
        &format!("{many}{END}"),
        "more than 50 changes",
    );
    let conflicts = "<<<<<<< a\nx\n=======\nx\n>>>>>>> b\n".repeat(20_000);
    check("poetry.lock", &conflicts, "more than 50 changes");
    let orphans = block("a", &EXTRAS.repeat(20_000));
    check("poetry.lock", &orphans, "more than 50 changes");
}

#[test]
fn a_file_that_reads_well_is_left_alone() {
    let sound = run(&(block("a", EXTRAS) + END)).unwrap();
    assert!(matches!(sound, Outcome::Sound(lock) if lock.packages.len() == 1));
}

#[test]
fn no_cut_and_no_odd_byte_makes_it_panic() {
    let poetry = block("a", &format!("{DEPENDENCIES}{EXTRAS}{OTHER_EXTRAS}")) + END;
    let conflict = format!("<<<<<<< é\n{poetry}||||||| b\n=======\n{poetry}>>>>>>> x\n");
    let cargo = "version = 4\n[[package]]\nname = \"p\"\nversion = \"1.0.0\"\ndependencies = [\n \
                 \"a 1.0.0 (registry+x)\",\n]\n[[package]]\nname = \"a\"\nversion = \
                 \"1.0.0\"\nsource = \"registry+x\"\n";
    let uv = "version = 1\n[[package]]\nname = \"p\"\nsource = { virtual = \".\" }\ndependencies = \
              [{ name = \"p\", extra = [\"x\"] }]\n[package.dev-dependencies]\nd = [{ name = \"p\" \
              }]\n";
    let pip = "-r é.txt\n--hash\na[x] @ git+https://u:p@h/r@v1#egg=a[x]&y ; m \\\n --hash=\n\
               # via x, y\n-e ./é[x]\na (==1.0)\n";
    let files = [
        ("poetry.lock", poetry.as_str()),
        ("poetry.lock", &conflict),
        ("Cargo.lock", cargo),
        ("uv.lock", uv),
        ("requirements.txt", pip),
    ];
    for (name, text) in files {
        for (at, character) in text.char_indices() {
            let (before, behind) = text.split_at(at);
            let behind = &behind[character.len_utf8()..];
            for odd in ["", "\u{0}", "\"", "é", "[", "\n", "= ", "@", "#"] {
                drop(run_as(name, &format!("{before}{odd}{behind}")));
            }
            drop(run_as(name, before));
            drop(run_as(name, behind));
        }
    }
}
