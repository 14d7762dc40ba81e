//! What a trial does to a stand-in beside making its requests fail, and what is true of it.

use super::it::publish::places::Faulty;
use super::outcome::Truth;
use super::registries::client;
use super::registries::digest::{blake2_256, sha256};
use super::registries::front::Front;
use super::registries::open_vsx::{self, OpenVsx};
use super::registries::warehouse::{File, Warehouse};

/// A file of a release: its name and its bytes.
pub type Named = (String, Vec<u8>);

/// A stand-in under trial.
pub trait Stand: Faulty {
    /// Where it is.
    fn address(&self) -> String;
    /// Shows what is sent from now on only after so many reads.
    fn hide(&self, reads: usize);
    /// Shows everything at once.
    fn show(&self);
    /// Lets somebody else have been faster with other bytes under this name.
    fn occupy(&self, file: &Named);
    /// The bytes under a name, as readers get them.
    fn served(&self, name: &str) -> Option<Vec<u8>>;
    /// Everything it has stored on request, each as often as it was stored.
    fn stored(&self) -> Vec<String>;
}

/// What is true of a stand-in that should have these files.
pub fn truth(stand: &dyn Stand, files: &[Named]) -> Truth {
    let mut truth = Truth::default();
    for (name, bytes) in files {
        match stand.served(name) {
            None => truth.missing += 1,
            Some(served) if served != *bytes => truth.foreign += 1,
            Some(_) => {}
        }
    }
    let mut stored = stand.stored();
    let count = stored.len();
    stored.sort();
    stored.dedup();
    truth.twice = stored.len() < count;
    truth
}

fn get(address: &str, path: &str) -> Option<Vec<u8>> {
    let reply = client::ask(address, "GET", path, &[], b"");
    (reply.status == 200).then_some(reply.body)
}

impl Stand for Front<Warehouse> {
    fn address(&self) -> String {
        self.url()
    }

    fn hide(&self, reads: usize) {
        self.service().visible_after = reads;
    }

    fn show(&self) {
        let mut service = self.service();
        service.visible_after = 0;
        for file in &mut service.files {
            file.hidden = 0;
        }
    }

    fn occupy(&self, (name, bytes): &Named) {
        let mut other = bytes.clone();
        other.push(b'\n');
        let kind = match name.ends_with(".whl") {
            true => "bdist_wheel",
            false => "sdist",
        };
        self.service().files.push(File {
            project: "demo-server".to_owned(),
            version: "1.0.0".to_owned(),
            name: name.clone(),
            kind: kind.to_owned(),
            sha256: sha256(&other),
            blake2: blake2_256(&other),
            bytes: other,
            form: Vec::new(),
            attestations: None,
            hidden: 0,
        });
    }

    fn served(&self, name: &str) -> Option<Vec<u8>> {
        let place = {
            let service = self.service();
            let file = service.files.iter().find(|file| file.name == name)?;
            Warehouse::place(file)
        };
        get(&self.url(), &place)
    }

    fn stored(&self) -> Vec<String> {
        Front::stored(self)
    }
}

impl Stand for Front<OpenVsx> {
    fn address(&self) -> String {
        self.url()
    }

    fn hide(&self, reads: usize) {
        self.service().active_after = reads;
    }

    fn show(&self) {
        let mut service = self.service();
        service.active_after = 0;
        for version in &mut service.versions {
            version.waiting = 0;
        }
    }

    /// The registry keeps the bytes as they came, so that a change to what it has is enough.
    fn occupy(&self, (_, bytes): &Named) {
        let bearer = format!("Bearer {}", open_vsx::TOKEN);
        let headers = [("authorization", bearer.as_str())];
        let reply = client::ask(&self.url(), "POST", "/api/-/publish", &headers, bytes);
        assert_eq!(reply.status, 201, "{:?}", reply.value());
        let mut service = self.service();
        let version = service.versions.last_mut().unwrap();
        version.bytes.push(b'\n');
    }

    fn served(&self, _: &str) -> Option<Vec<u8>> {
        get(&self.url(), "/storage/example/demo/example.demo-1.0.0.vsix")
    }

    fn stored(&self) -> Vec<String> {
        Front::stored(self)
    }
}
