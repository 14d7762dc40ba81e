//! What `[target]` and `[profile]` may say.

use super::*;
use crate::config;

const START: &str = "schema = 1\nname = \"demo\"\n[server]\npath = \"server\"\n\
                     console-script = \"demo\"\n[prove.stdio]\n[prove.call]\ntool = \"ping\"\n";

fn parse(rest: &str) -> Result<Publish, String> {
    let text = format!("{START}{rest}");
    let parsed = config::parse(&text, "release.toml");
    parsed
        .map(|config| config.publish)
        .map_err(|error| error.message)
}

#[test]
fn without_a_word_there_is_a_local_target_and_its_profile() {
    let publish = parse("").unwrap();
    let path = LOCAL_PATH.into();
    assert_eq!(publish.targets[0].place, Place::Local { path });
    assert_eq!(publish.profile("local").unwrap().targets, ["local"]);
    assert_eq!(publish.patience, Patience::default());
}

#[test]
fn every_kind_is_read_with_its_defaults() {
    let publish = parse(
        "[publish]\nwait = \"2 minutes\"\npause = \"10ms\"\nattempts = 3\n\
         [target.test]\nkind = \"pypi\"\nrepository = \"testpypi\"\n\
         [target.own]\nkind = \"pypi\"\nurl = \"http://127.0.0.1:1/a/\"\n\
         [target.try]\nkind = \"install-test\"\nfrom = \"test\"\n\
         [target.github]\nkind = \"github\"\nrepository = \"one/two\"\n\
         [target.oci]\nkind = \"oci\"\nrepository = \"ghcr.io/one/two\"\nplain-http = true\n\
         [target.open]\nkind = \"open-vsx\"\nurl = \"http://127.0.0.1:2/\"\n\
         [target.market]\nkind = \"marketplace\"\ncredential = \"oidc\"\n\
         [target.mcp]\nkind = \"mcp\"\nlogin = \"github\"\n\
         [profile.all]\ntargets = [\"test\", \"try\", \"mcp\"]\n\
         [[profile.all.skip]]\ntarget = \"mcp\"\nreason = \"not yet\"\n",
    )
    .unwrap();
    assert_eq!(publish.patience.wait, Duration::from_secs(120));
    assert_eq!(publish.patience.pause, Duration::from_millis(10));
    assert_eq!(publish.patience.attempts, 3);
    let place = |name| &publish.target(name).unwrap().place;
    let index = Index::Named("testpypi".into());
    let attestations = true;
    let expected = Place::Pypi {
        index,
        attestations,
    };
    assert_eq!(place("test"), &expected);
    let api = GITHUB_API.to_owned();
    let repository = "one/two".to_owned();
    assert_eq!(place("github"), &Place::Github { repository, api });
    let url = "http://127.0.0.1:2".to_owned();
    assert_eq!(place("open"), &Place::OpenVsx { url });
    assert_eq!(publish.profile("all").unwrap().skips[0].target, "mcp");
    for (kind, place) in KINDS.iter().zip(publish.targets.iter().map(|it| &it.place)) {
        assert!(KINDS.contains(&place.word()), "{kind}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let check = |rest: &str, expected: &str| {
        let message = parse(rest).unwrap_err();
        assert!(message.contains(expected), "{message}");
    };
    check(
        "[target.a]\nkind = \"ftp\"\n",
        "unknown kind `ftp`; known: local, pypi",
    );
    check("[target.a]\nkind = \"pypi\"\n", "either `repository`");
    check("[target.\"a b\"]\nkind = \"local\"\n", "letters, digits");
    check(
        "[target.a]\nkind = \"github\"\nrepository = \"one\"\n",
        "owner/name",
    );
    check(
        "[target.a]\nkind = \"local\"\npath = \"../x\"\n",
        "not a folder of its own",
    );
    check(
        "[target.a]\nkind = \"local\"\ntoken = \"x\"\n",
        "unknown key `target.a.token`",
    );
    check(
        "[target.a]\nkind = \"oci\"\nrepository = \"ghcr.io/a/b\"\ntakes = \"all\"\n",
        "`takes` is `all`; known: release, image",
    );
    check("[profile.a]\n", "name at least one target");
    check(
        "[profile.a]\ntargets = [\"b\"]\n",
        "unknown target `b`; known: local",
    );
    check("[profile.a]\ntargets = [\"local\", \"local\"]\n", "twice");
    check(
        "[profile.a]\ntargets = [\"local\"]\n[[profile.a.skip]]\ntarget = \"local\"\nreason = \"\"\n",
        "is empty: say why",
    );
    check(
        "[target.i]\nkind = \"install-test\"\nfrom = \"x\"\n[profile.a]\ntargets = [\"i\"]\n",
        "installs from `x`",
    );
    let secret = "[target.a]\nkind = \"pypi\"\nurl = \"http://u:hush@127.0.0.1/\"\n";
    check(secret, "`url` holds a user");
    assert!(!parse(secret).unwrap_err().contains("hush"));
    check(
        "[target.i]\nkind = \"install-test\"\nfrom = \"local\"\n[profile.a]\n\
         targets = [\"local\", \"i\"]\n[[profile.a.skip]]\ntarget = \"local\"\nreason = \"x\"\n",
        "which is left out: leave `i` out too",
    );
    check(
        "[target.b]\nkind = \"local\"\n[profile.a]\ntargets = [\"local\", \"b\"]\n",
        "`b` is the same place as `local`",
    );
    check(
        "[target.a]\nkind = \"oci\"\nrepository = \"ghcr.io/a/b\"\n[target.b]\nkind = \"oci\"\n\
         repository = \"ghcr.io/a/b\"\ntakes = \"image\"\n[profile.c]\ntargets = [\"a\", \"b\"]\n",
        "`b` is the same place as `a`",
    );
    check("[publish]\nwait = \"soon\"\n", "`publish.wait` is `soon`");
    check("[publish]\nattempts = 0\n", "from 1 to 20");
}

#[test]
fn a_profile_makes_the_tag_when_users_take_releases_from_it() {
    let targets = "[target.test]\nkind = \"pypi\"\nrepository = \"testpypi\"\n\
                   [target.index]\nkind = \"pypi\"\nrepository = \"pypi\"\n\
                   [target.try]\nkind = \"install-test\"\nfrom = \"index\"\n\
                   [target.oci]\nkind = \"oci\"\nrepository = \"ghcr.io/one/two\"\n\
                   [target.hub]\nkind = \"github\"\nrepository = \"one/two\"\n";
    let check = |profile: &str, expected: Tagging| {
        let publish = parse(&format!("{targets}[profile.it]\n{profile}")).unwrap();
        assert_eq!(
            publish.profile("it").unwrap().tagging,
            expected,
            "{profile}"
        );
        assert_eq!(publish.profile("local").unwrap().tagging, Tagging::Left);
    };
    check("targets = [\"local\", \"oci\", \"test\"]", Tagging::Left);
    check("targets = [\"index\", \"try\", \"oci\"]", Tagging::Left);
    check("targets = [\"index\"]", Tagging::Made);
    check("targets = [\"test\", \"hub\"]", Tagging::Made);
    check("targets = [\"hub\"]\ntag = false", Tagging::Left);
    check("targets = [\"oci\"]\ntag = true", Tagging::Made);
    let problem = |text: &str| parse(text).unwrap_err();
    let local = problem("[profile.local]\ntargets = [\"local\"]\ntag = true");
    assert!(local.contains("makes no tag"), "{local}");
    let word = problem("[profile.it]\ntargets = [\"local\"]\ntag = \"yes\"");
    assert!(word.contains("`tag` is true or false"), "{word}");
    for remote in ["", "--force", "a b", "https:x"] {
        let remote = problem(&format!("[version]\npush-tag = \"{remote}\""));
        assert!(remote.contains("the name of a remote"), "{remote}");
    }
}
