//! Lines come in, nothing goes, and nothing comes twice.

use super::*;

fn entry(group: &'static str, says: &str, commit: &str, breaking: bool) -> Entry {
    let mark = if breaking { "**Breaking** " } else { "" };
    Entry {
        group,
        breaking,
        text: format!("{mark}{says} ({commit})"),
        commit: format!("{commit}{}", "0".repeat(33)),
        says: says.to_owned(),
        by: vec!["Ada".to_owned()],
    }
}

fn told() -> Told {
    Told {
        entries: vec![
            entry("Fixed", "mend widgets", "aaaaaa1", false),
            entry("Added", "turn widgets", "aaaaaa2", false),
            entry("Added", "new shape", "aaaaaa3", true),
        ],
        ..Told::default()
    }
}

/// Merges, and requires that nothing that was there is gone and that a second time adds nothing.
fn check(before: &str, expected: &str) {
    for newline in ["\n", "\r\n"] {
        let before = before.replace('\n', newline);
        let told = told();
        let changelog = Changelog::parse(&before);
        let merged = merge(&changelog, &missing(&changelog, &told, Some("1.0.0")));
        assert_eq!(merged, expected.replace('\n', newline));
        let mut rest = merged.lines();
        for line in before.lines() {
            assert!(
                rest.any(|it| it == line),
                "{line:?} is gone or moved: {merged}"
            );
        }
        let again = Changelog::parse(&merged);
        let nothing = missing(&again, &told, Some("1.0.0"));
        assert!(nothing.is_empty(), "{nothing:?}");
        assert_eq!(merge(&again, &nothing), merged);
    }
}

#[test]
fn groups_are_made_in_their_order() {
    check(
        "# Changelog\n\n## [Unreleased]\n\n## [1.0.0] - 2026-01-01\n\n- x\n",
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- **Breaking** new shape (aaaaaa3)\n- turn widgets (aaaaaa2)\n\n\
         ### Fixed\n\n- mend widgets (aaaaaa1)\n\n### Contributors\n\n- Ada\n\n## [1.0.0] - 2026-01-01\n\n- x\n",
    );
}

#[test]
fn what_people_wrote_stays_where_it_is() {
    check(
        "## [Unreleased]\n\nA word first.\n\n### Added\n* By hand,\n  on two lines.\n\n### Security\n* Hole.\n\n[a]: https://a\n",
        "## [Unreleased]\n\nA word first.\n\n### Added\n* **Breaking** new shape (aaaaaa3)\n* By hand,\n  on two lines.\n\
         * turn widgets (aaaaaa2)\n\n### Fixed\n* mend widgets (aaaaaa1)\n\n### Security\n* Hole.\n\n### Contributors\n\
         * Ada\n\n[a]: https://a\n",
    );
}

#[test]
fn a_section_and_a_file_begin_where_there_is_none() {
    let list = "### Added\n\n- **Breaking** new shape (aaaaaa3)\n- turn widgets (aaaaaa2)\n\n### Fixed\n\n\
                - mend widgets (aaaaaa1)\n\n### Contributors\n\n- Ada\n";
    check(
        "# Changelog\n",
        &format!("# Changelog\n\n## [Unreleased]\n\n{list}"),
    );
    check(
        "# Changelog\n\n## 1.0.0\n- x\n",
        "# Changelog\n\n## Unreleased\n\n### Added\n\n- **Breaking** new shape (aaaaaa3)\n- turn widgets (aaaaaa2)\n\n\
         ### Fixed\n\n- mend widgets (aaaaaa1)\n\n### Contributors\n\n- Ada\n\n## 1.0.0\n- x\n",
    );
}

#[test]
fn what_is_said_already_is_not_said_again() {
    let check = |line: &str, expected: usize| {
        let text =
            format!("## [Unreleased]\n\n### Added\n\n{line}\n\n## [1.0.0]\n\n- mend widgets\n");
        let told = told();
        let found = missing(&Changelog::parse(&text), &told, Some("1.0.0"))
            .entries
            .len();
        assert_eq!(found, expected, "{line}");
    };
    // The line of an older release is another one.
    check("- x", 3);
    check("- Turn *widgets*.", 2);
    check("- Something else, see aaaaaa2.", 2);
    check(
        "- **ui:** Turn widgets ([#1](https://x/1), [bbbbbbb](https://x))",
        2,
    );
    check("- **Breaking** **ui:** New shape", 2);
    check("- Mend\n  widgets\n- [AAAAAA3](https://x)", 1);
    check("- turn widgets twice", 3);
}
