//! The container image of a server, as an OCI archive made without a container engine. Pure.
//!
//! An image is the layers of a base, one layer with the locked dependencies and one with the wheel.
//! Both are written below `/app`: packages into `/app/site-packages`, which `PYTHONPATH` names, and
//! scripts into `/app/bin`. A folder of our own works on every base, on `python:slim`, whose
//! interpreter lies below `/usr/local`, and on Debian's, which looks for packages in
//! `dist-packages` and forbids pip; an environment made by `venv` would hold the paths of one
//! interpreter and the time at which it was made. What `PYTHONPATH` does not do is to read `.pth`
//! files: whoever builds is told of each.
//!
//! A program that Cargo builds is an image, too: one layer with it above a base. It is linked
//! statically, so that it runs on every base, and in the containers of other images it is put into.
//!
//! Files of the dependencies carry a fixed time, not the commit's, so that their layer is the same
//! for every commit with the same lock file: a new version moves the wheel's layer and nothing else.

pub mod archive;
pub mod base;
pub mod binary;
pub mod configuration;
pub mod layer;
pub mod reference;
pub mod requirement;
pub mod running;
pub mod search;
pub mod tag;
pub mod unpack;

use crate::error::{Error, Result};

/// The annotation and label that names the commit; what deploys an image writes the same one.
pub const COMMIT: &str = "io.mcp-shipyard.commit";

/// The annotation and label that names the wheel by its sha256.
pub const WHEEL: &str = "io.mcp-shipyard.wheel.sha256";

/// The label by which a registry of MCP servers knows that an image is the server's.
pub const SERVER_NAME: &str = "io.modelcontextprotocol.server.name";

/// Where packages are.
pub const SITE_PACKAGES: &str = "app/site-packages";

/// Where scripts are.
pub const SCRIPTS: &str = "app/bin";

/// Where programs are.
pub const PROGRAMS: &str = "usr/local/bin";

/// What other data of a distribution is put below.
pub const PREFIX: &str = "app";

/// The server's home and working folder, the only one it may write to.
pub const HOME: &str = "data";

/// What an image is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// `linux/amd64`.
    Amd64,
    /// `linux/arm64`.
    Arm64,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Platform; 2] = [Platform::Amd64, Platform::Arm64];

    /// The platform of a word such as `linux/amd64`.
    ///
    /// # Errors
    /// Another word.
    pub fn parse(word: &str) -> Result<Platform> {
        let mut all = Platform::ALL.into_iter();
        all.find(|platform| platform.word() == word).ok_or_else(|| {
            Error::usage(format!(
                "unknown platform {word:?}; known: linux/amd64, linux/arm64"
            ))
        })
    }

    /// The word for it, as container engines have it.
    pub fn word(self) -> &'static str {
        match self {
            Platform::Amd64 => "linux/amd64",
            Platform::Arm64 => "linux/arm64",
        }
    }

    /// The architecture in OCI documents.
    pub fn architecture(self) -> &'static str {
        match self {
            Platform::Amd64 => "amd64",
            Platform::Arm64 => "arm64",
        }
    }

    /// What Cargo calls it.
    pub fn triple(self) -> &'static str {
        match self {
            Platform::Amd64 => "x86_64-unknown-linux-gnu",
            Platform::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// The machine in the tags of wheels and in markers.
    pub fn machine(self) -> &'static str {
        match self {
            Platform::Amd64 => "x86_64",
            Platform::Arm64 => "aarch64",
        }
    }
}

/// The C library of a base, which decides what wheels run on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Libc {
    /// glibc 2.x, the x.
    Glibc(u32),
    /// musl 1.x, the x.
    Musl(u32),
}

impl Libc {
    /// What most bases have at least.
    pub const DEFAULT: Libc = Libc::Glibc(28);

    /// Reads `glibc-2.28` or `musl-1.2`.
    pub fn parse(text: &str) -> Option<Libc> {
        let minor = |prefix: &str| -> Option<u32> {
            let digits = text.strip_prefix(prefix)?;
            digits.parse().ok().filter(|minor| *minor <= 99)
        };
        match minor("glibc-2.") {
            Some(minor) => (minor >= 17).then_some(Libc::Glibc(minor)),
            None => minor("musl-1.").map(Libc::Musl),
        }
    }

    /// As it is written in the configuration.
    pub fn word(self) -> String {
        match self {
            Libc::Glibc(minor) => format!("glibc-2.{minor}"),
            Libc::Musl(minor) => format!("musl-1.{minor}"),
        }
    }

    /// The platform tags of wheels that run with it, the most demanding first (PEP 600, PEP 656,
    /// and the older names of three of them).
    pub fn tags(self, platform: Platform) -> Vec<String> {
        let machine = platform.machine();
        let oldest = match platform {
            Platform::Amd64 => 5,
            Platform::Arm64 => 17,
        };
        let mut tags = Vec::new();
        match self {
            Libc::Glibc(newest) => {
                for minor in (oldest..=newest).rev() {
                    tags.push(format!("manylinux_2_{minor}_{machine}"));
                    let older = match minor {
                        17 => "manylinux2014",
                        12 => "manylinux2010",
                        5 => "manylinux1",
                        _ => continue,
                    };
                    tags.push(format!("{older}_{machine}"));
                }
            }
            Libc::Musl(newest) => {
                for minor in (0..=newest).rev() {
                    tags.push(format!("musllinux_1_{minor}_{machine}"));
                }
            }
        }
        tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_go_down_to_the_oldest_and_have_their_older_names() {
        let check = |libc: &str, platform, expected: &[&str], count: usize| {
            let tags = Libc::parse(libc).unwrap().tags(platform);
            assert_eq!(tags.len(), count, "{tags:?}");
            for tag in expected {
                assert!(tags.iter().any(|found| found == tag), "{tag}: {tags:?}");
            }
        };
        let amd64 = Platform::Amd64;
        check(
            "glibc-2.28",
            amd64,
            &[
                "manylinux_2_28_x86_64",
                "manylinux2014_x86_64",
                "manylinux1_x86_64",
            ],
            27,
        );
        check("glibc-2.17", Platform::Arm64, &["manylinux2014_aarch64"], 2);
        check(
            "musl-1.2",
            amd64,
            &["musllinux_1_2_x86_64", "musllinux_1_0_x86_64"],
            3,
        );
    }

    #[test]
    fn other_libraries_are_none() {
        for text in [
            "",
            "glibc",
            "glibc-2.5",
            "glibc-2.x",
            "musl-2.0",
            "glibc-2.100000",
        ] {
            assert_eq!(Libc::parse(text), None, "{text}");
        }
        assert_eq!(Libc::parse("glibc-2.36").unwrap().word(), "glibc-2.36");
    }
}
