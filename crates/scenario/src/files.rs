//! Where files come from.

use std::collections::BTreeMap;

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is none.
    #[error("there is no such file")]
    NotFound,
    /// It is a folder.
    #[error("it is a folder")]
    Folder,
    /// It has more bytes than allowed; nothing was read.
    #[error("it has {0} bytes")]
    TooLarge(u64),
    /// Something else: the words of the operating system.
    #[error("{0}")]
    Other(String),
}

/// A place that files are read from. Paths use `/` and are relative to wherever the user is, or absolute.
pub trait Files {
    /// Reads a file of at most `max_bytes` bytes.
    ///
    /// # Errors
    /// When it cannot be read, or is larger.
    fn read(&mut self, path: &str, max_bytes: u64) -> Result<Vec<u8>, ReadError>;
}

/// Files of this computer.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskFiles;

impl Files for DiskFiles {
    fn read(&mut self, path: &str, max_bytes: u64) -> Result<Vec<u8>, ReadError> {
        use std::io::Read;
        let told = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => ReadError::NotFound,
            std::io::ErrorKind::IsADirectory => ReadError::Folder,
            // The number of the error differs between systems, its kind does not.
            kind => ReadError::Other(kind.to_string()),
        };
        let metadata = std::fs::metadata(path).map_err(told)?;
        if metadata.is_dir() {
            return Err(ReadError::Folder);
        }
        if metadata.len() > max_bytes {
            return Err(ReadError::TooLarge(metadata.len()));
        }
        let mut bytes = Vec::new();
        // Pipes and files that grow have no honest size: never more than one byte beyond the limit is read.
        std::fs::File::open(path).map_err(told)?.take(max_bytes + 1).read_to_end(&mut bytes).map_err(told)?;
        if bytes.len() as u64 > max_bytes {
            return Err(ReadError::TooLarge(bytes.len() as u64));
        }
        Ok(bytes)
    }
}

/// Files that exist only here, for tests and for embedding.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles(pub BTreeMap<String, Vec<u8>>);

impl MemoryFiles {
    /// Adds a file.
    #[must_use]
    pub fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.to_owned(), content.into());
        self
    }
}

impl Files for MemoryFiles {
    fn read(&mut self, path: &str, max_bytes: u64) -> Result<Vec<u8>, ReadError> {
        let bytes = self.0.get(path).ok_or(ReadError::NotFound)?;
        if bytes.len() as u64 > max_bytes { Err(ReadError::TooLarge(bytes.len() as u64)) } else { Ok(bytes.clone()) }
    }
}

/// Whether a path starts at a root or a drive.
pub(crate) fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\']) || path.as_bytes().get(1) == Some(&b':')
}

/// `path` as seen from the folder of the file `from`, with `.` and `..` folded; never touches the disk.
pub(crate) fn join(from: &str, path: &str) -> String {
    let path = path.replace('\\', "/");
    let from = from.replace('\\', "/");
    let folder =
        if is_absolute(&path) { "" } else { from.rsplit_once('/').map_or("", |(folder, _)| if folder.is_empty() { "/" } else { folder }) };
    let whole = if folder.is_empty() || folder.ends_with('/') { format!("{folder}{path}") } else { format!("{folder}/{path}") };
    let root = if whole.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() && root.is_empty() && !path.is_empty() {
        return ".".to_owned();
    }
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fold_without_leaving_their_meaning() {
        for (from, path, whole) in [
            ("scenarios/procedures/p3.yaml", "../../fixtures/contoso.yaml", "fixtures/contoso.yaml"),
            ("p3.yaml", "contoso.yaml", "contoso.yaml"),
            ("p3.yaml", "../contoso.yaml", "../contoso.yaml"),
            ("../a/p3.yaml", "../../b.yaml", "../../b.yaml"),
            ("/x/p3.yaml", "../b.yaml", "/b.yaml"),
            ("/p3.yaml", "b.yaml", "/b.yaml"),
            ("/x/p3.yaml", "../../../b.yaml", "/b.yaml"),
            ("a/p3.yaml", "/b.yaml", "/b.yaml"),
            ("a\\b\\p3.yaml", "..\\c.yaml", "a/c.yaml"),
            ("a/p3.yaml", "./c.yaml", "a/c.yaml"),
            ("p3.yaml", ".", "."),
            ("a/p3.yaml", "..", "."),
        ] {
            assert_eq!(join(from, path), whole, "{from} + {path}");
        }
    }
}
