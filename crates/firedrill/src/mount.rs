//! Folders of the host inside the virtual file system: copied in before anything runs, never written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use firedrill_scenario::Drill;
use firedrill_topology::ComputerId;

/// Most files of one mounted folder.
const MAX_FILES: usize = 2_000;
/// Most bytes of one mounted folder.
const MAX_BYTES: u64 = 64 << 20;
/// Deepest folder below a mounted one.
const MAX_DEPTH: usize = 16;

/// A folder that the caller allows scripts to see.
#[derive(Debug, Clone)]
pub(crate) struct Mount {
    /// On this machine.
    pub(crate) folder: PathBuf,
    /// For scripts: `C:\Data`.
    pub(crate) path: String,
}

impl std::str::FromStr for Mount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (folder, path) = text.split_once('=').map_or((text, None), |(folder, path)| (folder, Some(path)));
        let drive = |path: &str| path.len() > 2 && path.as_bytes()[0].is_ascii_alphabetic() && path[1..].starts_with(":\\");
        match path {
            _ if folder.is_empty() => Err("a mount is written FOLDER=C:\\Path".into()),
            Some(path) if drive(path) => Ok(Self { folder: folder.into(), path: path.trim_end_matches('\\').into() }),
            Some(path) => Err(format!("`{path}` is not a path with a drive, like C:\\Data")),
            None => match Path::new(folder).file_name().and_then(|name| name.to_str()) {
                Some(name) => Ok(Self { folder: folder.into(), path: format!("C:\\{name}") }),
                None => Err("this folder has no name of its own: write FOLDER=C:\\Path".into()),
            },
        }
    }
}

/// Why a folder cannot be mounted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MountError {
    /// The operating system says no.
    #[error("{0}")]
    Unreadable(std::io::ErrorKind),
    /// More than a script may see at once.
    #[error("it has more than {MAX_FILES} files, {MAX_BYTES} bytes or {MAX_DEPTH} folders one in the other")]
    TooMuch,
}

impl From<std::io::Error> for MountError {
    fn from(error: std::io::Error) -> Self {
        Self::Unreadable(error.kind())
    }
}

/// Copies the files of a folder that are wanted below a path of a computer. Links are left out: they lead elsewhere.
pub(crate) fn folder(
    drill: &mut Drill,
    computer: ComputerId,
    host: &Path,
    path: &str,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<(), MountError> {
    let (mut files, mut bytes) = (0usize, 0u64);
    let mut open = vec![(host.to_path_buf(), path.to_owned(), 0)];
    while let Some((folder, below, depth)) = open.pop() {
        let mut entries = std::fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let (kind, name) = (entry.file_type()?, entry.file_name());
            let Some(name) = name.to_str() else { continue };
            let inside = format!("{below}\\{name}");
            if kind.is_dir() && !name.starts_with('.') {
                if depth == MAX_DEPTH {
                    return Err(MountError::TooMuch);
                }
                open.push((entry.path(), inside, depth + 1));
            } else if kind.is_file() && wanted(name) {
                files += 1;
                bytes += entry.metadata()?.len();
                if files > MAX_FILES || bytes > MAX_BYTES {
                    return Err(MountError::TooMuch);
                }
                drill.fabric_mut().write_file(computer, &inside, Arc::from(std::fs::read(entry.path())?));
            }
        }
    }
    Ok(())
}
