//! Writes small wheels (PyPA binary distribution format 1.0) without any build tool.

use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use xtask::artifact::Digest;

/// A wheel to be written.
pub struct Wheel<'text> {
    /// The distribution's name, which needs no normalising.
    pub name: &'text str,
    /// Core metadata beside name and version: lines such as `Requires-Dist: x`.
    pub metadata: &'text [&'text str],
    /// Console scripts: `name = module:function`.
    pub scripts: Vec<String>,
    /// Paths in the wheel and what they hold.
    pub files: Vec<(String, String)>,
}

impl Wheel<'_> {
    /// Writes the wheel, version 1.0, into a folder.
    pub fn write(&self, folder: &Utf8Path) -> Utf8PathBuf {
        let info = format!("{}-1.0.dist-info", self.name);
        let metadata = format!(
            "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\n{}\n",
            self.name,
            self.metadata.join("\n")
        );
        let scripts = format!("[console_scripts]\n{}\n", self.scripts.join("\n"));
        let format =
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        let mut files = self.files.clone();
        files.push((format!("{info}/METADATA"), metadata));
        files.push((format!("{info}/WHEEL"), format.to_owned()));
        files.push((format!("{info}/entry_points.txt"), scripts));
        let mut record: String = files
            .iter()
            .map(|(path, _)| format!("{path},,\n"))
            .collect();
        record.push_str(&format!("{info}/RECORD,,\n"));
        files.push((format!("{info}/RECORD"), record));
        let path = folder.join(format!("{}-1.0-py3-none-any.whl", self.name));
        let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        for (name, text) in files {
            archive.start_file(name, options).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
        path
    }
}

/// A requirements file that holds these wheels by their hashes.
pub fn requirements(folder: &Utf8Path, wheels: &[Utf8PathBuf]) -> Utf8PathBuf {
    let line = |wheel: &Utf8PathBuf| {
        let name = wheel.file_name().unwrap().split('-').next().unwrap();
        let digest = Digest::of(&std::fs::read(wheel).unwrap());
        format!("{name} @ file://{wheel} --hash={digest}\n")
    };
    let path = folder.join("requirements.txt");
    std::fs::write(&path, wheels.iter().map(line).collect::<String>()).unwrap();
    path
}
