//! Private keys and access tokens in content. Pure. What is found is named by its kind and
//! place; the secret itself is never part of a finding.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use super::rules::{self, Rule};
use super::sniff::line_number;

/// A token that can be told by its beginning.
struct Shape {
    prefix: &'static str,
    name: &'static str,
    /// Characters of the rest, beside ASCII letters and digits.
    more: &'static [u8],
    /// The least length of the rest.
    length: usize,
}

const fn shape(
    prefix: &'static str,
    name: &'static str,
    more: &'static [u8],
    length: usize,
) -> Shape {
    Shape {
        prefix,
        name,
        more,
        length,
    }
}

/// Prefixes and lengths are those their issuers document for secret scanning.
const SHAPES: [Shape; 22] = [
    shape("ghp_", "GitHub personal access token", b"", 36),
    shape("gho_", "GitHub OAuth token", b"", 36),
    shape("ghu_", "GitHub user token", b"", 36),
    shape("ghs_", "GitHub app token", b"", 36),
    shape("ghr_", "GitHub refresh token", b"", 36),
    shape("github_pat_", "GitHub fine-grained token", b"_", 60),
    shape("glpat-", "GitLab personal access token", b"-_", 20),
    shape("npm_", "npm access token", b"", 36),
    shape("pypi-AgE", "PyPI upload token", b"-_", 60),
    shape("AKIA", "AWS access key id", b"", 16),
    shape("ASIA", "AWS temporary access key id", b"", 16),
    shape("AIza", "Google API key", b"-_", 35),
    shape("ya29.", "Google OAuth token", b"-_", 60),
    shape("xoxb-", "Slack bot token", b"-", 24),
    shape("xoxp-", "Slack user token", b"-", 24),
    shape("sk-ant-", "Anthropic API key", b"-_", 60),
    shape("sk-proj-", "OpenAI API key", b"-_", 40),
    shape("hf_", "Hugging Face token", b"", 34),
    shape("sk_live_", "Stripe secret key", b"", 24),
    shape("dop_v1_", "DigitalOcean token", b"", 64),
    shape("SG.", "SendGrid API key", b"-_.", 60),
    shape("AGE-SECRET-KEY-1", "age secret key", b"", 50),
];

/// What is searched for, and how far into a prefix it lies. Prefixes that share a seldom pair
/// of letters share one pass over the content.
const NEEDLES: [(&str, usize); 15] = [
    ("gh", 0),
    ("github_pat_", 0),
    ("glpat-", 0),
    ("npm_", 0),
    ("pypi-AgE", 0),
    ("IA", 2),
    ("AIza", 0),
    ("ya29.", 0),
    ("xox", 0),
    ("sk-", 0),
    ("hf_", 0),
    ("sk_live_", 0),
    ("dop_v1_", 0),
    ("SG.", 0),
    ("AGE-SECRET-KEY-1", 0),
];

static FINDERS: LazyLock<Vec<(Finder<'static>, usize)>> = LazyLock::new(|| {
    let finder = |(needle, into): (&'static str, usize)| (Finder::new(needle), into);
    NEEDLES.map(finder).into()
});

static KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("-----BEGIN "));

/// Everything secret in some content: the rule, and what it is and where.
pub fn find(bytes: &[u8]) -> Vec<(&'static Rule, String)> {
    let mut found = Vec::new();
    if let Some((kind, at)) = private_key(bytes) {
        let line = line_number(bytes, at);
        found.push((&rules::PRIVATE_KEY, format!("{kind} in line {line}")));
    }
    let mut seen = [false; SHAPES.len()];
    for (finder, into) in FINDERS.iter() {
        for at in finder.find_iter(bytes) {
            let Some(at) = at.checked_sub(*into) else {
                continue;
            };
            let shape = SHAPES.iter().position(|shape| is_token(bytes, at, shape));
            if let Some(shape) = shape.filter(|shape| !seen[*shape]) {
                seen[shape] = true;
                let (name, line) = (SHAPES[shape].name, line_number(bytes, at));
                found.push((&rules::SECRET_TOKEN, format!("{name} in line {line}")));
            }
        }
    }
    found
}

/// A textual private key (RFC 7468): the header and a line of the key itself. Libraries that
/// handle keys hold the header alone.
fn private_key(bytes: &[u8]) -> Option<(String, usize)> {
    KEY.find_iter(bytes).find_map(|at| {
        let rest = &bytes[at + KEY.needle().len()..];
        let rest = &rest[..rest.len().min(600)];
        let end = memmem::find(rest, b"-----")?;
        let label = std::str::from_utf8(&rest[..end]).ok()?;
        let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let key_line = rest[end..]
            .split(|byte| !base64(byte))
            .any(|run| run.len() >= 40);
        (label.contains("PRIVATE KEY") && key_line).then(|| (label.to_ascii_lowercase(), at))
    })
}

fn is_token(bytes: &[u8], at: usize, shape: &Shape) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if !bytes[at..].starts_with(shape.prefix.as_bytes()) {
        return false;
    }
    let starts = at == 0 || !word(&bytes[at - 1]);
    let rest = &bytes[at + shape.prefix.len()..];
    let fits = |byte: &&u8| byte.is_ascii_alphanumeric() || shape.more.contains(byte);
    let length = rest.iter().take(256).take_while(fits).count();
    let token = &rest[..length];
    // Key ids are exactly as long as they are; the others only have a least length.
    let right_length = match shape.prefix {
        "AKIA" | "ASIA" => length == shape.length && !token.iter().any(u8::is_ascii_lowercase),
        _ => length >= shape.length,
    };
    starts && right_length && !is_placeholder(token)
}

/// `xxxxxxxx`, `EXAMPLE` and the like, as documentation has them.
fn is_placeholder(token: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in token {
        seen[usize::from(*byte)] = true;
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let upper = token.to_ascii_uppercase();
    distinct < 8 || memmem::find(&upper, b"EXAMPLE").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules_of(text: &str) -> Vec<&'static str> {
        find(text.as_bytes())
            .into_iter()
            .map(|(rule, _)| rule.id)
            .collect()
    }

    /// Put together here, so that no scanner takes this file for a leak.
    fn token(prefix: &str, length: usize) -> String {
        let rest = "q9Zk3Lw7Xc2Vb5Nm8Rt4Yp6Hd1Fg0Js"
            .chars()
            .cycle()
            .take(length);
        format!("{prefix}{}", rest.collect::<String>())
    }

    #[test]
    fn every_shape_is_found_and_its_secret_is_not_repeated() {
        for shape in &SHAPES {
            let secret = token(shape.prefix, shape.length);
            let secret = if shape.prefix.ends_with("IA") {
                secret.to_ascii_uppercase()
            } else {
                secret
            };
            let found = find(format!("a\nkey = \"{secret}\"\n").as_bytes());
            assert_eq!(found.len(), 1, "{}", shape.name);
            assert_eq!(found[0].1, format!("{} in line 2", shape.name));
        }
    }

    #[test]
    fn words_placeholders_and_short_ones_are_not_tokens() {
        let check = |text: &str| assert!(rules_of(text).is_empty(), "{text}");
        check("npm_config_registry npm_lifecycle_event_of_the_package_that_runs");
        check("ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        check(&format!("AKIA{}EXAMPLE", "IOSFODNN7"));
        check(&token("ghp_", 20));
        check(&format!("x{}", token("npm_", 40)));
    }

    #[test]
    fn a_private_key_is_more_than_its_header() {
        let header = "-----BEGIN RSA PRIVATE KEY-----";
        assert!(rules_of(header).is_empty());
        let key = "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn0aGbHqkd1Xv2p7c9LmNoPqRsTuVwXyZ12";
        assert_eq!(rules_of(&format!("{header}\n{key}\n")), ["private-key"]);
        assert_eq!(
            rules_of(&format!("{{\"k\": \"{header}\\n{key}\"}}")),
            ["private-key"]
        );
        assert!(rules_of(&format!("-----BEGIN CERTIFICATE-----\n{key}\n")).is_empty());
    }
}
