//! What a publisher does: look at the own extension, create it, add a version.

use super::super::form;
use super::super::message::{Asked, Reply};
use super::super::vsix::{self, Package};
use super::{Marketplace, Version, failure, named};

impl Marketplace {
    /// The token's publishers have to be asked for the right to a publisher.
    fn granted(&self, asked: &Asked, publisher: &str) -> Result<(), Reply> {
        let Some(allowed) = self.allowed(asked) else {
            // The real one has no body here, so the client can only show the status.
            return Err(Reply::new(401, "").with("www-authenticate", "Basic realm=\"Marketplace\""));
        };
        match allowed
            .iter()
            .any(|one| one.eq_ignore_ascii_case(publisher))
        {
            true => Ok(()),
            false => Err(failure(
                403,
                &format!(
                    "Access Denied: the caller needs the following permission(s) on the resource \
                     /{publisher} to perform this action: Publish extensions"
                ),
            )),
        }
    }

    /// The extension as its owner sees it: with what is not validated.
    pub fn own(&mut self, asked: &Asked, publisher: &str, name: &str) -> Reply {
        if let Err(reply) = self.granted(asked, publisher) {
            return reply;
        }
        let flags = asked.query("flags").and_then(|flags| flags.parse().ok());
        let flags = flags.unwrap_or(0);
        let found = self.extension(&asked.base(), publisher, name, flags, true);
        self.looked(publisher, name);
        match found {
            Some(extension) => Reply::json(200, &extension),
            None => failure(
                404,
                &format!("The extension '{publisher}.{name}' does not exist."),
            ),
        }
    }

    pub fn create(&mut self, asked: &Asked) -> Reply {
        if self.allowed(asked).is_none() {
            return self.granted(asked, "").err().unwrap_or_default();
        }
        let package = match vsix::read(&asked.body) {
            Ok(package) => package,
            Err(message) => return failure(400, &message),
        };
        let known = self.versions.iter().any(|one| {
            one.package.publisher == package.publisher && one.package.name == package.name
        });
        if known {
            let text = format!(
                "The extension '{}' already exists in the Marketplace for publisher '{}'.",
                package.name, package.publisher
            );
            return failure(409, &text);
        }
        self.add(asked, package, &asked.body, None, 201)
    }

    pub fn update(&mut self, asked: &Asked, publisher: &str, name: &str) -> Reply {
        self.put(asked, publisher, name, &asked.body, None)
    }

    /// The package and its signature come as two parts.
    pub fn update_signed(&mut self, asked: &Asked, publisher: &str, name: &str) -> Reply {
        let parts = form::fields(asked).unwrap_or_default();
        let part = |wanted: &str| {
            let found = parts.iter().find(|part| part.name == wanted);
            found.map(|part| part.value.clone())
        };
        match (part("vsix"), part("sigzip")) {
            (Some(package), Some(signature)) => {
                self.put(asked, publisher, name, &package, Some(signature))
            }
            _ => failure(400, "The package or its signature is missing."),
        }
    }

    fn put(
        &mut self,
        asked: &Asked,
        publisher: &str,
        name: &str,
        bytes: &[u8],
        signature: Option<Vec<u8>>,
    ) -> Reply {
        if let Err(reply) = self.granted(asked, publisher) {
            return reply;
        }
        let package = match vsix::read(bytes) {
            Ok(package) => package,
            Err(message) => return failure(400, &message),
        };
        if package.publisher != publisher || package.name != name {
            let text = "The extension's publisher and name must be those of the address.";
            return failure(400, text);
        }
        self.add(asked, package, bytes, signature, 200)
    }

    fn add(
        &mut self,
        asked: &Asked,
        package: Package,
        bytes: &[u8],
        signature: Option<Vec<u8>>,
        status: u16,
    ) -> Reply {
        if let Err(reply) = self.granted(asked, &package.publisher) {
            return reply;
        }
        let numbers: Vec<&str> = package.version.split('.').collect();
        if numbers.len() > 4 || numbers.iter().any(|number| number.parse::<u32>().is_err()) {
            let text = format!("Version '{}' must be one to four numbers.", package.version);
            return failure(400, &text);
        }
        let taken = self
            .versions
            .iter()
            .any(|one| named(&one.package) == named(&package));
        if taken {
            let text = format!(
                "Version number {} of {}.{} already exists on the Marketplace.",
                package.version, package.publisher, package.name
            );
            return failure(409, &text);
        }
        let (publisher, name) = (package.publisher.clone(), package.name.clone());
        self.stored.push(named(&package));
        self.versions.push(Version {
            package,
            bytes: bytes.to_owned(),
            signature,
            waiting: self.validated_after,
            failure: self.validation_failure.clone(),
        });
        let shown = self.extension(&asked.base(), &publisher, &name, 0, true);
        Reply::json(status, &shown.unwrap_or_default())
    }
}
