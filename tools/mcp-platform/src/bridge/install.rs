//! The program put into a folder that containers share: how a server on standard input and output
//! gets the bridge into an image that has never heard of it. No shell and no `cp` takes part, so the
//! platform's own image needs neither.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::error::{Error, Result};

/// What the program is called there.
const NAME: &str = "mcp-platform";

/// Copies the program beside its place and moves it there, so that a container that is started twice
/// at once never runs half of it; everybody may run it.
pub(super) fn into(folder: &Path, program: &Path) -> Result<()> {
    let failed = |what: &str, error: std::io::Error| {
        Error::precondition(format!("{}: {what}: {error}", folder.display()))
            .hint("name a folder that is there and that this user may write to")
    };
    let mut source = std::fs::File::open(program)
        .map_err(|error| Error::internal(format!("{}: {error}", program.display())))?;
    let mut copy = tempfile::NamedTempFile::new_in(folder)
        .map_err(|error| failed("no file can be made in it", error))?;
    std::io::copy(&mut source, copy.as_file_mut())
        .and_then(|_| {
            copy.as_file()
                .set_permissions(Permissions::from_mode(0o755))
        })
        .map_err(|error| failed("the program cannot be written", error))?;
    copy.persist(folder.join(NAME))
        .map(drop)
        .map_err(|error| failed("the program cannot be put in place", error.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_there_whole_and_may_be_run_by_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, "of today").unwrap();
        let shared = folder.path().join("shared ü");
        std::fs::create_dir(&shared).unwrap();
        std::fs::write(shared.join(NAME), "of yesterday").unwrap();
        into(&shared, &program).unwrap();
        into(&shared, &program).unwrap();
        let place = shared.join(NAME);
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "of today");
        let mode = std::fs::metadata(&place).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o755);
        assert_eq!(std::fs::read_dir(&shared).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, "").unwrap();
        let error = into(&folder.path().join("absent"), &program).unwrap_err();
        assert!(error.message.contains("absent"), "{error}");
    }
}
