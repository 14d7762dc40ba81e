//! Summaries as GitHub gets them.

use super::*;
use crate::artifact::{self, Check, Digest, Kind, Proof, Source};
use crate::publish::{Part, State, Step, Subject};
use crate::registry::Phase;

fn manifest() -> Manifest {
    let mut manifest = Manifest {
        schema: 1,
        name: "demo".to_owned(),
        version: "1.4.0".to_owned(),
        source: Source {
            commit: "c".repeat(40),
            dirty: false,
            source_date_epoch: 0,
        },
        artifacts: Vec::new(),
        proof: None,
    };
    for (kind, path, bytes) in [
        (Kind::Wheel, "demo-1.4.0-py3-none-any.whl", "wheel"),
        (Kind::Sdist, "demo-1.4.0.tar.gz", "sdist"),
    ] {
        let inputs = BTreeMap::new();
        manifest.put(artifact::seal(
            kind,
            ("demo", "1.4.0"),
            path,
            bytes.as_bytes(),
            inputs,
        ));
    }
    manifest
}

fn step(name: &str, state: State, because: &str, after: &[&str]) -> Step {
    Step {
        name: name.to_owned(),
        target: name.trim_end_matches(":last").to_owned(),
        kind: "pypi",
        phase: Phase::Main,
        part: Part::Own,
        rank: 1,
        state,
        uploads: 0,
        items: Vec::new(),
        after: after.iter().map(|&name| name.to_owned()).collect(),
        because: because.to_owned(),
        hints: Vec::new(),
    }
}

fn sample() -> Plan {
    Plan {
        schema: 1,
        release: Subject {
            name: "demo".to_owned(),
            version: "1.4.0".to_owned(),
            commit: "c".repeat(40),
            wheel: Digest::of(b"wheel"),
        },
        profile: "production".to_owned(),
        steps: vec![
            step("pypi", State::Same, "needs nothing", &[]),
            step(
                "open|vsx",
                State::Absent,
                "beside the <b>other</b>",
                &["pypi"],
            ),
            step(
                "pypi:last",
                State::Unknown,
                "cut off",
                &["pypi", "open|vsx"],
            ),
        ],
        skipped: vec![Skipped {
            target: "ghcr".to_owned(),
            reason: "the organisation is *being* renamed".to_owned(),
        }],
    }
}

fn pages() -> Pages {
    let page = |name: &str, address: &str| Page {
        name: name.to_owned(),
        address: Some(address.to_owned()),
    };
    [
        (
            "pypi",
            page("demo 1.4.0", "https://index.example/project/demo/1.4.0/"),
        ),
        ("open|vsx", page("acme.demo", "javascript:alert(1)")),
    ]
    .map(|(name, page)| (name.to_owned(), page))
    .into()
}

fn row(name: &str, mark: &'static str, detail: &str) -> Row {
    Row {
        name: name.to_owned(),
        mark,
        detail: detail.to_owned(),
    }
}

const COMMIT: &str = "cccccccccccccccccccccccccccccccccccccccc";

#[test]
fn a_release_names_every_file() {
    let mut manifest = manifest();
    manifest.proof = Some(Proof {
        wheel: Digest::of(b"wheel"),
        requirements: Digest::of(b""),
        inputs: BTreeMap::new(),
        checks: vec![Check {
            name: "stdio-stdout".to_owned(),
            detail: "nothing but protocol".to_owned(),
        }],
        tools: Vec::new(),
    });
    let (wheel, sdist) = (Digest::of(b"wheel"), Digest::of(b"sdist"));
    let expected = format!(
        "## ✓ Release: demo 1.4.0\n\nFrom commit `{COMMIT}`.\n\n\
         | file | what | size | sha256 |\n|---|---|---|---|\n\
         | demo-1.4.0-py3-none-any.whl | wheel | 5 B | `{}` |\n\
         | demo-1.4.0.tar.gz | sdist | 5 B | `{}` |\n\n\
         <details><summary>Proved: 1 checks hold</summary>\n\n\
         |  | check | what was seen |\n|---|---|---|\n\
         | ✓ | stdio-stdout | nothing but protocol |\n\n</details>\n",
        wheel.hex(),
        sdist.hex()
    );
    assert_eq!(release(&manifest), expected);
    manifest.source.dirty = true;
    assert!(release(&manifest).contains("never published"));
}

#[test]
fn a_plan_links_to_its_places() {
    let wheel = Digest::of(b"wheel");
    let expected = format!(
        "## Plan: demo 1.4.0 → production\n\nCommit `{COMMIT}`, wheel `{}`.\n\n\
         | step | state | why then | where |\n|---|---|---|---|\n\
         | pypi | same | needs nothing | \
         [demo 1.4.0](<https://index.example/project/demo/1.4.0/>) |\n\
         | open\\|vsx | absent → upload 0 | beside the &lt;b&gt;other&lt;/b&gt;; after pypi | \
         acme.demo |\n\
         | pypi:last | unknown: it could not be asked | cut off; after pypi, open\\|vsx | \
         [demo 1.4.0](<https://index.example/project/demo/1.4.0/>) |\n\n\
         Left out by release.toml:\n\n\
         - ghcr: the organisation is \\*being\\* renamed\n",
        wheel.hex()
    );
    assert_eq!(plan(&sample(), &pages(), Timestamp::UNIX_EPOCH), expected);
}

#[test]
fn what_was_published_says_how_each_step_ended() {
    let ended = [
        row("pypi", "=", "same"),
        row("open|vsx", "✗", "403: @someone said no"),
    ];
    let text = published(&sample(), &ended, &pages());
    assert!(text.starts_with("## ✗ Published in part: demo 1.4.0 → production\n"));
    assert!(text.contains("| open\\|vsx | ✗ 403: &#64;someone said no | acme.demo |\n"));
    let text = published(&sample(), &ended[..1], &pages());
    assert!(text.starts_with("## ✓ Published: demo 1.4.0 → production\n"));
}

#[test]
fn checks_are_summed_up() {
    let held = [row("stdio", "✓", "17 tools")];
    let expected = "## ✓ Prove: 1 hold\n\n|  | check | what was seen |\n|---|---|---|\n\
                    | ✓ | stdio | 17 tools |\n";
    assert_eq!(checks("Prove", "check", &held), expected);
    let failed = [held[0].clone(), row("http", "✗", "no answer")];
    assert!(checks("Prove", "check", &failed).starts_with("## ✗ Prove: 1 of 2 do not hold\n"));
}

#[test]
fn no_summary_is_longer_than_github_takes() {
    assert_eq!(fitted("a\nb\n", 4).as_deref(), Some("a\nb\n"));
    assert_eq!(fitted("a\nb\n", 3), None);
    let long = "| a row |\n".repeat(200_000);
    let fits = fitted(&long, LIMIT).unwrap();
    assert!(fits.len() <= LIMIT && fits.len() > LIMIT - 200);
    let (rows, sentence) = fits.split_at(fits.find('…').unwrap());
    assert!(rows.trim_end().lines().all(|line| line == "| a row |"));
    assert!(sentence.ends_with("have the rest.\n"));
}
