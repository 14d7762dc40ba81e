//! Who is asking, and what that one may do.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::model::{Name, Secret};
use crate::service::Access;

use super::tokens::Token;

/// What a caller may do; each may do what the ones before may.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    clap::ValueEnum,
    utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Look at everything but secrets.
    Viewer,
    /// Start, stop, scale, restart, check.
    Operator,
    /// Deploy, update, delete, restore.
    Admin,
}

impl Role {
    /// The word in files and answers.
    pub fn word(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    fn needed(access: Access) -> Role {
        match access {
            Access::View => Role::Viewer,
            Access::Operate => Role::Operator,
            Access::Administer => Role::Admin,
        }
    }
}

/// In which namespaces a caller may do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespaces {
    /// In all.
    All,
    /// In these.
    Only(BTreeSet<Name>),
}

impl Namespaces {
    /// Whether a namespace is one of them.
    pub fn contain(&self, namespace: &Name) -> bool {
        match self {
            Namespaces::All => true,
            Namespaces::Only(names) => names.contains(namespace),
        }
    }
}

/// Who is asking. The layer that reads tokens puts it into the extensions of each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name of the token; `local` where none is needed.
    pub name: String,
    /// What the caller may do.
    pub role: Role,
    /// Where.
    pub namespaces: Namespaces,
    /// The address that the request came from.
    pub address: Option<IpAddr>,
    /// The hash of the token, to look later whether it is still good; none where none was needed.
    pub proof: Option<Secret>,
}

impl Caller {
    /// Somebody of this machine, where no tokens are needed.
    pub fn local(address: Option<IpAddr>) -> Caller {
        Caller {
            name: "local".to_owned(),
            role: Role::Admin,
            namespaces: Namespaces::All,
            address,
            proof: None,
        }
    }

    /// Whoever has a token.
    pub fn of(token: &Token, address: Option<IpAddr>) -> Caller {
        Caller {
            name: token.name.to_string(),
            role: token.role,
            namespaces: if token.namespaces.is_empty() {
                Namespaces::All
            } else {
                Namespaces::Only(token.namespaces.clone())
            },
            address,
            proof: Some(Secret::new(token.sha256.clone())),
        }
    }

    /// Whether the caller may do something in a namespace.
    ///
    /// # Errors
    /// `Forbidden`, and what would be needed.
    pub fn allow(&self, access: Access, namespace: &Name) -> Result<()> {
        if !self.namespaces.contain(namespace) {
            return Err(Error::new(
                Kind::Forbidden,
                format!(
                    "the token {:?} is not for the namespace {namespace}",
                    self.name
                ),
            )
            .hint(format!(
                "mcp-platform token create NAME --role {} --for-namespace {namespace}",
                Role::needed(access).word()
            )));
        }
        self.may(access)
    }

    /// Whether the caller's role allows something, wherever that is.
    ///
    /// # Errors
    /// `Forbidden`, and what would be needed.
    pub fn may(&self, access: Access) -> Result<()> {
        let needed = Role::needed(access);
        if self.role < needed {
            return Err(Error::new(
                Kind::Forbidden,
                format!(
                    "this needs the role {}, and the token {:?} has {}",
                    needed.word(),
                    self.name,
                    self.role.word()
                ),
            )
            .hint(format!(
                "mcp-platform token create NAME --role {}",
                needed.word()
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(role: Role, only: Option<&str>, access: Access, namespace: &str, good: bool) {
        let namespaces = only.map_or(Namespaces::All, |name| {
            Namespaces::Only(BTreeSet::from([Name::label(name).unwrap()]))
        });
        let caller = Caller {
            name: "t".to_owned(),
            role,
            namespaces,
            address: None,
            proof: None,
        };
        let answer = caller.allow(access, &Name::label(namespace).unwrap());
        assert_eq!(answer.is_ok(), good, "{role:?} {access:?} {namespace}");
    }

    #[test]
    fn roles_and_namespaces_decide() {
        check(Role::Viewer, None, Access::View, "a", true);
        check(Role::Viewer, None, Access::Operate, "a", false);
        check(Role::Viewer, None, Access::Administer, "a", false);
        check(Role::Operator, None, Access::Operate, "a", true);
        check(Role::Operator, None, Access::Administer, "a", false);
        check(Role::Admin, None, Access::Administer, "a", true);
        check(Role::Admin, Some("a"), Access::Administer, "a", true);
        check(Role::Admin, Some("a"), Access::View, "b", false);
        check(Role::Viewer, Some("a"), Access::View, "a", true);
    }
}
