//! The virtual file system: what exports write and imports read, per computer.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_topology::ComputerId;

use crate::fabric::Fabric;
use crate::time::SimTime;

/// Folders that every Windows server has (documented: the layout of a default installation).
const FOLDERS: &[&str] = &[
    "C:\\",
    "C:\\Program Files",
    "C:\\Program Files (x86)",
    "C:\\Program Files\\Common Files",
    "C:\\ProgramData",
    "C:\\Users",
    "C:\\Users\\Administrator",
    "C:\\Users\\Administrator\\AppData",
    "C:\\Users\\Administrator\\AppData\\Local",
    "C:\\Users\\Administrator\\AppData\\Local\\Temp",
    "C:\\Users\\Administrator\\Desktop",
    "C:\\Users\\Administrator\\Documents",
    "C:\\Users\\Public",
    "C:\\Windows",
    "C:\\Windows\\System32",
    "C:\\Windows\\Temp",
];

/// A file or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    /// Path as it was written first.
    path: Arc<str>,
    /// `None` for a folder.
    content: Option<Arc<[u8]>>,
    created: SimTime,
    written: SimTime,
}

/// What is known about a file or folder of the virtual file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Full path, spelt as when it was first written.
    pub path: Arc<str>,
    /// Whether it is a folder.
    pub folder: bool,
    /// Length in bytes; 0 for folders.
    pub length: u64,
    /// When it was made.
    pub created: SimTime,
    /// When it was last written.
    pub written: SimTime,
}

/// Files and folders by computer and path in lower case with back slashes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Files {
    nodes: BTreeMap<(ComputerId, String), Node>,
}

/// Windows compares paths without regard to case and takes either slash.
fn key(path: &str) -> String {
    let plain = path.trim().replace('/', "\\").to_lowercase();
    if plain.len() > 3 { plain.trim_end_matches('\\').to_owned() } else { plain }
}

/// What stands before everything inside of a folder.
fn inside(folder: &str) -> String {
    if folder.ends_with('\\') { folder.to_owned() } else { format!("{folder}\\") }
}

fn entry_of(node: &Node) -> FileEntry {
    FileEntry {
        path: node.path.clone(),
        folder: node.content.is_none(),
        length: node.content.as_ref().map_or(0, |content| content.len() as u64),
        created: node.created,
        written: node.written,
    }
}

impl Fabric {
    /// A file of the virtual file system, by computer and path (case does not matter).
    pub fn read_file(&self, computer: ComputerId, path: &str) -> Option<Arc<[u8]>> {
        self.files.nodes.get(&(computer, key(path)))?.content.clone()
    }

    /// Writes a file of the virtual file system.
    pub fn write_file(&mut self, computer: ComputerId, path: &str, content: Arc<[u8]>) {
        let now = self.now;
        let nodes = &mut Arc::make_mut(&mut self.files).nodes;
        match nodes.get_mut(&(computer, key(path))) {
            Some(node) => {
                node.content = Some(content);
                node.written = now;
            }
            None => {
                let node = Node { path: path.trim().replace('/', "\\").into(), content: Some(content), created: now, written: now };
                nodes.insert((computer, key(path)), node);
            }
        }
    }

    /// A file or folder: one that somebody made, one that holds files, or one that every server has.
    pub fn file_entry(&self, computer: ComputerId, path: &str) -> Option<FileEntry> {
        let key = key(path);
        if let Some(node) = self.files.nodes.get(&(computer, key.clone())) {
            return Some(entry_of(node));
        }
        let folder = |path: &str, at: SimTime| FileEntry { path: path.into(), folder: true, length: 0, created: at, written: at };
        if let Some(known) = FOLDERS.iter().find(|known| known.eq_ignore_ascii_case(&key)) {
            return Some(folder(known, self.start));
        }
        let prefix = inside(&key);
        let ((owner, held), node) = self.files.nodes.range((computer, prefix.clone())..).next()?;
        // Lower case may be longer or shorter than what was written, in bytes: count characters.
        let spelt: String = node.path.chars().take(key.chars().count()).collect();
        (*owner == computer && held.starts_with(&prefix)).then(|| folder(&spelt, node.created))
    }

    /// Files and folders directly inside of a folder, sorted by name.
    pub fn file_entries(&self, computer: ComputerId, folder: &str) -> Vec<FileEntry> {
        let folder = key(folder);
        let prefix = inside(&folder);
        let mut found: BTreeMap<String, FileEntry> = BTreeMap::new();
        for known in FOLDERS {
            let lower = known.to_lowercase();
            if lower.strip_prefix(&prefix).is_some_and(|rest| !rest.is_empty() && !rest.contains('\\'))
                && let Some(entry) = self.file_entry(computer, known)
            {
                found.insert(lower, entry);
            }
        }
        for ((owner, held), _) in self.files.nodes.range((computer, prefix.clone())..) {
            let Some(rest) = held.strip_prefix(&prefix).filter(|_| *owner == computer) else { break };
            let child = rest.split('\\').next().unwrap_or(rest);
            let path = format!("{prefix}{child}");
            if !child.is_empty()
                && !found.contains_key(&path)
                && let Some(entry) = self.file_entry(computer, &path)
            {
                found.insert(path, entry);
            }
        }
        found.into_values().collect()
    }

    /// Makes a folder with those around it; nothing happens when there is one already.
    pub fn make_folder(&mut self, computer: ComputerId, path: &str) {
        let known =
            self.files.nodes.contains_key(&(computer, key(path))) || FOLDERS.iter().any(|known| known.eq_ignore_ascii_case(&key(path)));
        if !known {
            let path: Arc<str> = path.trim().replace('/', "\\").trim_end_matches('\\').into();
            if let Some((parent, _)) = path.rsplit_once('\\').filter(|(parent, _)| parent.len() > 3) {
                self.make_folder(computer, parent);
            }
            let node = Node { path: path.clone(), content: None, created: self.now, written: self.now };
            Arc::make_mut(&mut self.files).nodes.insert((computer, key(&path)), node);
        }
    }

    /// Removes a file, or a folder with everything inside; false when nothing was there.
    pub fn remove_file(&mut self, computer: ComputerId, path: &str) -> bool {
        let key = key(path);
        let prefix = inside(&key);
        let doomed: Vec<_> = self
            .files
            .nodes
            .range((computer, key.clone())..)
            .map(|(held, _)| held.clone())
            .take_while(|(owner, held)| *owner == computer && held.starts_with(&key))
            .filter(|(_, held)| *held == key || held.starts_with(&prefix))
            .collect();
        let nodes = &mut Arc::make_mut(&mut self.files).nodes;
        for held in &doomed {
            nodes.remove(held);
        }
        !doomed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabric::Options;

    fn fabric() -> Fabric {
        let path = format!("{}/../../fixtures/contoso.yaml", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(path).expect("the fixture can be read");
        let topology = firedrill_topology::load_bytes("contoso", &bytes).into_result().expect("the fixture is valid");
        Fabric::new(Arc::new(topology), Options { seed: 1, start: SimTime(0) })
    }

    #[test]
    fn folders_are_those_that_hold_files_or_were_made() {
        let mut fabric = fabric();
        let computer = ComputerId(0);
        fabric.write_file(computer, "C:\\Logs\\Deep\\a.txt", Arc::from(*b"abc"));
        fabric.make_folder(computer, "D:\\Empty");
        let paths = |fabric: &Fabric, folder: &str| -> Vec<String> {
            fabric.file_entries(computer, folder).iter().map(|entry| entry.path.to_string()).collect()
        };
        assert_eq!(paths(&fabric, "c:/logs"), ["C:\\Logs\\Deep"]);
        assert_eq!(paths(&fabric, "C:\\Logs\\Deep\\"), ["C:\\Logs\\Deep\\a.txt"]);
        assert!(fabric.file_entry(computer, "d:\\empty").is_some_and(|entry| entry.folder));
        assert!(fabric.file_entry(computer, "C:\\Log").is_none(), "a prefix of a name is no folder");
        assert!(fabric.file_entry(ComputerId(1), "C:\\Logs").is_none(), "computers have files of their own");
        assert!(fabric.remove_file(computer, "C:\\LOGS"));
        assert!(fabric.file_entry(computer, "C:\\Logs\\Deep").is_none());
        assert!(!fabric.remove_file(computer, "C:\\Logs"));
    }
}
