//! The addresses of a repository's pages: issues, commits, comparisons. Pure.

use url::Url;

/// A repository whose pages can be linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its address, without an end.
    pub address: String,
    hosting: Hosting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hosting {
    Github,
    Gitlab,
}

impl Repository {
    /// Reads an address as manifests and git have it: `https://github.com/o/n.git`,
    /// `git@github.com:o/n`, `github:o/n`. Who logs in there is left out. `None` for a service
    /// whose pages are not known.
    pub fn parse(text: &str) -> Option<Repository> {
        let text = text.trim();
        let text = text.strip_prefix("git+").unwrap_or(text);
        let whole = match (text.strip_prefix("github:"), text.strip_prefix("git@")) {
            (Some(path), _) => format!("https://github.com/{path}"),
            (_, Some(rest)) => format!("https://{}", rest.replacen(':', "/", 1)),
            _ => text.to_owned(),
        };
        let url = Url::parse(&whole).ok()?;
        let known = ["https", "http", "ssh", "git"].contains(&url.scheme());
        let (host, hosting) = match url.host_str().filter(|_| known)? {
            "github.com" | "www.github.com" => ("github.com", Hosting::Github),
            "gitlab.com" => ("gitlab.com", Hosting::Gitlab),
            _ => return None,
        };
        let path = url.path().trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        // What follows owner and name on GitHub is a page of it.
        let parts: Vec<&str> = match hosting {
            Hosting::Github => path.split('/').take(2).collect(),
            Hosting::Gitlab => path
                .split("/-/")
                .take(1)
                .flat_map(|it| it.split('/'))
                .collect(),
        };
        let plain = |part: &&str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !part.is_empty() && part.chars().all(plain)
        };
        (parts.len() >= 2 && parts.iter().all(plain)).then(|| Repository {
            address: format!("https://{host}/{}", parts.join("/")),
            hosting,
        })
    }

    fn page(&self, page: &str) -> String {
        let between = match self.hosting {
            Hosting::Github => "",
            Hosting::Gitlab => "/-",
        };
        format!("{}{between}/{page}", self.address)
    }

    /// An issue.
    pub fn issue(&self, number: &str) -> String {
        self.page(&format!("issues/{number}"))
    }

    /// A request to merge.
    pub fn pull(&self, number: &str) -> String {
        match self.hosting {
            Hosting::Github => self.page(&format!("pull/{number}")),
            Hosting::Gitlab => self.page(&format!("merge_requests/{number}")),
        }
    }

    /// A commit.
    pub fn commit(&self, id: &str) -> String {
        self.page(&format!("commit/{id}"))
    }

    /// What is between two tags or commits.
    pub fn compare(&self, from: &str, to: &str) -> String {
        self.page(&format!("compare/{from}...{to}"))
    }

    /// A release.
    pub fn release(&self, tag: &str) -> String {
        match self.hosting {
            Hosting::Github => self.page(&format!("releases/tag/{tag}")),
            Hosting::Gitlab => self.page(&format!("releases/{tag}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_without_who_logs_in() {
        let check = |text: &str, expected: Option<&str>| {
            let found = Repository::parse(text);
            assert_eq!(
                found.as_ref().map(|it| it.address.as_str()),
                expected,
                "{text}"
            );
        };
        let github = Some("https://github.com/o/n.x");
        check("https://github.com/o/n.x", github);
        check("https://github.com/o/n.x.git\n", github);
        check("git+https://github.com/o/n.x.git#readme", github);
        check("https://me:secret@github.com/o/n.x/tree/main", github);
        check("git@github.com:o/n.x.git", github);
        check("ssh://git@github.com:22/o/n.x", github);
        check("github:o/n.x", github);
        check(
            "https://gitlab.com/g/s/n.git",
            Some("https://gitlab.com/g/s/n"),
        );
        for other in [
            "",
            "https://example.org/o/n",
            "/srv/git/n",
            "https://github.com/o",
            "o/n",
            "file:///o/n",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn pages_of_both_services() {
        let github = Repository::parse("github:o/n").unwrap();
        assert_eq!(github.pull("1"), "https://github.com/o/n/pull/1");
        assert_eq!(
            github.compare("v1", "HEAD"),
            "https://github.com/o/n/compare/v1...HEAD"
        );
        assert_eq!(
            github.release("v1"),
            "https://github.com/o/n/releases/tag/v1"
        );
        let gitlab = Repository::parse("https://gitlab.com/o/n").unwrap();
        assert_eq!(gitlab.issue("1"), "https://gitlab.com/o/n/-/issues/1");
        assert_eq!(
            gitlab.pull("1"),
            "https://gitlab.com/o/n/-/merge_requests/1"
        );
        assert_eq!(gitlab.commit("c"), "https://gitlab.com/o/n/-/commit/c");
        assert_eq!(gitlab.release("v1"), "https://gitlab.com/o/n/-/releases/v1");
    }
}
