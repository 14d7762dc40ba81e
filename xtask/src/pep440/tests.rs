//! Versions and constraints against what Poetry makes of them.

use super::*;

fn constraint(text: &str) -> Constraint {
    parse(text, Context::Marker).unwrap()
}

#[test]
fn versions_have_one_spelling() {
    let check = |text: &str, expected: &str| {
        assert_eq!(Version::parse(text).unwrap().to_string(), expected);
    };
    check("1.0", "1.0");
    check(" v1!2020.06.020-ALPHA.1 ", "1!2020.6.20a1");
    check("1.0-1", "1.0.post1");
    check("1.0r4.dev", "1.0.post4.dev0");
    check("1.0c2+Ubuntu-1", "1.0rc2+ubuntu.1");
    for text in ["", "one", "1..0", "1.0+", "1.0 2", "99999999999999999999"] {
        assert!(Version::parse(text).is_err(), "{text}");
    }
}

#[test]
fn versions_are_ordered_by_pep_440() {
    let ordered = [
        "1.dev0",
        "1.0a1.dev1",
        "1.0a1",
        "1.0b1",
        "1.0rc1",
        "1.0",
        "1.0+abc",
        "1.0+abc.1",
        "1.0+5",
        "1.0+10",
        "1.0.post0.dev1",
        "1.0.post0",
        "1.0.1",
        "1.10",
        "1!0.1",
    ];
    let versions: Vec<Version> = ordered
        .iter()
        .map(|text| Version::parse(text).unwrap())
        .collect();
    assert!(versions.is_sorted_by(|one, two| one < two));
    assert_eq!(versions[5], Version::parse("1").unwrap());
}

#[test]
fn constraints_are_shown_in_their_shortest_form() {
    let check = |text: &str, expected: &str| assert_eq!(constraint(text).to_string(), expected);
    check("*", "*");
    check("^1.2.3", ">=1.2.3,<2.0.0");
    check("^0.0.3", ">=0.0.3,<0.0.4");
    check("^0", ">=0,<1");
    check("~3.9", ">=3.9,<3.10");
    check("~=3.9", ">=3.9,<4.0");
    check(">=3.6, <4", ">=3.6,<4");
    check(">= 2.7 , != 3.0.*, !=3.1.*", ">=2.7,<3.0 || >=3.2");
    check("!=3.5", "!=3.5");
    check(">1,!=2", ">1,!=2");
    check("~2.7 || ^3.4", ">=2.7,<2.8 || >=3.4,<4.0");
    check(">=3.5,<3.6|>=3.6,<3.8", ">=3.5,<3.8");
    check("<3,>4", "<empty>");
    for text in ["nonsense", ">=", "==1.0.", ">=1.0,abc"] {
        assert!(parse(text, Context::Marker).is_err(), "{text}");
    }
}

#[test]
fn exclusive_bounds_of_distributions_keep_pre_releases_out() {
    let allows = |text: &str, version: &str| {
        let version = Version::parse(version).unwrap();
        parse(text, Context::Distribution).unwrap().allows(&version)
    };
    assert!(!allows("<2", "2.0a1"));
    assert!(allows("<2", "1.9"));
    assert!(allows("2.*", "2.0.dev1"));
    assert!(!allows(">2", "2.post1"));
    assert!(!allows(">2", "2+local"));
    assert!(allows("==2", "2+local"));
    assert!(!allows("!=2", "2+local"));
}

#[test]
fn sets_of_versions_combine() {
    let intersect = |one: &str, two: &str, expected: &str| {
        let both = constraint(one).intersect(&constraint(two));
        assert_eq!(both.to_string(), expected);
    };
    intersect(">=3.6", "<3.8 || >=3.9", ">=3.6,<3.8 || >=3.9");
    intersect("3.7", ">=3.8", "<empty>");
    intersect(">=1,<=2", ">=2", "2");
    let union = |one: &str, two: &str, expected: &str| {
        let either = constraint(one).union(&constraint(two));
        assert_eq!(either.to_string(), expected);
    };
    union("<3.8", ">=3.8", "*");
    union("<3.8", ">3.8", "!=3.8");
    union("3.7", ">3.7", ">=3.7");
}

#[test]
fn regions_cut_the_line_at_every_bound() {
    let constraints = [constraint(">=3.6"), constraint(">=2.7,<3.0 || >=3.4.0")];
    let shown: Vec<String> = regions(&constraints)
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        "<2.7",
        ">=2.7,<3.0",
        ">=3.0,<3.4.0",
        ">=3.4.0,<3.6",
        ">=3.6",
    ];
    assert_eq!(shown, expected);
}
