//! The virtual file system: what exports write and imports read, per computer.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_topology::ComputerId;

use crate::fabric::Fabric;

/// Files by computer and path in lower case with back slashes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Files {
    content: BTreeMap<(ComputerId, String), Arc<[u8]>>,
}

/// Windows compares paths without regard to case and takes either slash.
fn key(path: &str) -> String {
    path.trim().replace('/', "\\").to_lowercase()
}

impl Fabric {
    /// A file of the virtual file system, by computer and path (case does not matter).
    pub fn read_file(&self, computer: ComputerId, path: &str) -> Option<Arc<[u8]>> {
        self.files.content.get(&(computer, key(path))).cloned()
    }

    /// Writes a file of the virtual file system.
    pub fn write_file(&mut self, computer: ComputerId, path: &str, content: Arc<[u8]>) {
        Arc::make_mut(&mut self.files).content.insert((computer, key(path)), content);
    }
}
