//! Who may publish, and where the token goes.

use super::Case;
use crate::registries::front::Fault;
use crate::registries::github::{Right, TOKEN};

impl Case {
    /// Puts a `gh` before all other programs; the tokens of the environment are gone.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests start the tool from outside"
    )]
    fn with_client(&mut self, script: &str) {
        self.repository
            .environment
            .retain(|(name, _)| name != "GITHUB_TOKEN");
        self.repository.write("bin/gh", script);
        let program = self.repository.root.join("bin/gh");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, mode).unwrap();
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", program.parent().unwrap());
        self.repository.environment.push(("PATH".to_owned(), path));
    }

    fn set(&mut self, name: &str, value: &str) {
        let environment = &mut self.repository.environment;
        environment.retain(|(known, _)| known != name);
        environment.push((name.to_owned(), value.to_owned()));
    }
}

#[test]
fn without_a_token_nothing_is_sent() {
    let mut case = Case::new();
    case.with_client("#!/bin/sh\nexit 1\n");
    case.ends(5, "set GITHUB_TOKEN");
    assert_eq!(case.changes(), 0);
    // What everybody sees can be looked at all the same.
    assert_eq!(case.state("hub"), "absent");
    case.front.service().private = true;
    case.ends(5, "a private repository is seen with a token only");
    assert_eq!(case.changes(), 0);
}

#[test]
fn a_token_that_is_refused_ends_everything() {
    let mut case = Case::new();
    let wrong = "ghp_wrong";
    case.set("GITHUB_TOKEN", wrong);
    case.ends(5, "GITHUB_TOKEN must be valid");
    assert_eq!(case.front.requests(), 1);
    case.set("GITHUB_TOKEN", "not a token");
    case.ends(5, "GITHUB_TOKEN holds no token");
    // One that may only read sees no drafts, and is told 404.
    let reader = ("reader".to_owned(), Right::Read);
    case.front.service().tokens.extend([reader]);
    case.set("GITHUB_TOKEN", "reader");
    case.ends(5, "whose contents it may write");
    assert!(case.front.service().releases.is_empty());
}

#[test]
fn a_repository_that_was_renamed_is_told() {
    let case = Case::new();
    let fault = Fault::Status(301, None);
    case.front.fail(Some("GET"), "/releases?", fault, 9);
    case.ends(1, "was the repository renamed?");
    assert_eq!(case.front.requests(), 1);
}

#[test]
fn tokens_are_taken_in_their_order() {
    let mut case = Case::new();
    case.with_client("#!/bin/sh\nexit 1\n");
    case.set("GH_TOKEN", TOKEN);
    case.publishes();
    case.is_whole();

    let mut case = Case::new();
    // Asked for this server and no other.
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = \"auth token --hostname {}\" ] && echo {TOKEN}\n",
        case.front.authority()
    );
    case.with_client(&script);
    case.publishes();
    case.is_whole();
}

#[test]
fn the_token_goes_to_the_interface_alone() {
    let case = Case::new();
    case.publishes();
    let bearer = format!("Bearer {TOKEN}");
    for asked in case.front.asked() {
        let sent = asked.header("authorization");
        match asked.target.starts_with("/storage/") {
            true => assert_eq!(sent, None, "{}", asked.target),
            false => assert_eq!(sent, Some(bearer.as_str()), "{}", asked.target),
        }
        assert!(!asked.target.contains(TOKEN));
    }
    assert!(case.front.count("GET", "/storage/") > 0);
}

#[test]
fn doctor_says_who_would_publish_and_sends_nothing() {
    let case = Case::new();
    case.front.service().expiration = Some("2026-12-24 00:00:00 UTC".to_owned());
    let look = |expected: &[&str]| {
        let ended = case.repository.xtask(&["doctor", "--to", "all"]);
        let said = format!("{}\n{}", ended.stdout, ended.stderr);
        for text in expected {
            assert!(said.contains(text), "{text}: {said}");
        }
        assert!(!said.contains(TOKEN));
        assert_eq!(case.changes(), 0);
    };
    look(&[
        "identity: owner, by GITHUB_TOKEN",
        "role: may write to owner/demo",
        "expires: 2026-12-24 00:00:00 UTC",
    ]);
    // The user may write, and this token of it may not.
    case.front.service().scopes = Some("gist, read:org".to_owned());
    look(&["its scopes, gist, read:org, do not reach owner/demo"]);
    case.front.service().scopes = None;
    case.front
        .service()
        .tokens
        .insert(TOKEN.to_owned(), Right::Read);
    look(&["role: may not write to owner/demo", "contents: write"]);
    case.front.service().tokens.clear();
    look(&["answers 401"]);
}
