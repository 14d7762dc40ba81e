//! Forms that Poetry chooses; the integration tests compare many more with the real one.

use super::*;

fn show(work: impl FnOnce(&Algebra) -> Outcome<Marker>) -> String {
    work(&Algebra::default()).unwrap().to_string()
}

#[test]
fn a_marker_is_read_and_put_into_its_shortest_form() {
    let check = |text: &str, expected: &str| assert_eq!(show(|all| all.parse(text)), expected);
    check("", "");
    check(
        "python_version>='3.8' and python_version<\"3.9\"",
        "python_version == \"3.8\"",
    );
    check(
        "python_version == '3.8' or python_version == '3.9'",
        "python_version >= \"3.8\" and python_version < \"3.10\"",
    );
    check(
        "python_full_version == '3.8'",
        "python_full_version == \"3.8.0\"",
    );
    check("sys.platform == 'linux'", "sys_platform == \"linux\"");
    check("\"arm\" in platform_machine", "\"arm\" in platform_machine");
    check(
        "os_name == 'nt' and (os_name == 'nt' or extra == 'a')",
        "os_name == \"nt\"",
    );
    check("os_name == 'nt' or os_name != 'nt'", "");
    check("os_name == 'nt' and os_name == 'posix'", "<empty>");
    check(
        "sys_platform != 'linux' and sys_platform != 'win32'",
        "sys_platform != \"linux\" and sys_platform != \"win32\"",
    );
}

#[test]
fn a_wrong_marker_names_the_place() {
    let check = |text: &str, expected: &str| {
        let fault = Algebra::default().parse(text).unwrap_err();
        assert_eq!(fault.to_string(), expected);
    };
    check(
        "os_name == 'nt' xor os_name == 'a'",
        "invalid marker `os_name == 'nt' xor os_name == 'a'`: expected `and`, `or` or the end \
         at column 17",
    );
    check(
        "(os_name == 'nt'",
        "invalid marker `(os_name == 'nt'`: expected `)` at column 17",
    );
    check(
        "os_name == nt",
        "invalid marker `os_name == nt`: expected a quoted value at column 12",
    );
    check(
        "python_version >= 'three'",
        "invalid marker for `python_version`: >= three",
    );
    assert!(Algebra::default().parse(&"(".repeat(100_000)).is_err());
}

#[test]
fn markers_combine() {
    let both = |one: &str, two: &str, expected: &str| {
        let found = show(|all| all.intersect(&all.parse(one)?, &all.parse(two)?));
        assert_eq!(found, expected);
    };
    both(
        "python_version >= '3.8'",
        "python_full_version < '3.11.0'",
        "python_version >= \"3.8\" and python_full_version < \"3.11.0\"",
    );
    both(
        "python_version < '3.8' or os_name == 'nt'",
        "python_version >= '3.8'",
        "os_name == \"nt\" and python_version >= \"3.8\"",
    );
    let either = |one: &str, two: &str, expected: &str| {
        let found = show(|all| all.unite(&all.parse(one)?, &all.parse(two)?));
        assert_eq!(found, expected);
    };
    either("python_version < '3.8'", "python_version >= '3.8'", "");
    either(
        "os_name == 'nt' and extra == 'a'",
        "os_name == 'nt' and extra == 'b'",
        "os_name == \"nt\" and (extra == \"a\" or extra == \"b\")",
    );
}

#[test]
fn extras_are_decided_or_dropped() {
    let text = "os_name == 'nt' and extra == 'A_b' or extra == 'c'";
    let with = |extras: &[&str]| {
        let extras: Vec<String> = extras.iter().map(ToString::to_string).collect();
        show(|all| all.with_extras(&all.parse(text)?, &extras))
    };
    assert_eq!(with(&["a-b"]), "os_name == \"nt\"");
    assert_eq!(with(&["c", "a-b"]), "");
    assert_eq!(with(&[]), "<empty>");
    let plain = show(|all| all.without_extras(&all.parse("os_name == 'nt' and extra == 'a'")?));
    assert_eq!(plain, "os_name == \"nt\"");
}
