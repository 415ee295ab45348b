//! Which scenarios a command line means.

use std::path::Path;
use std::sync::Arc;

use firedrill_scenario::{DiskFiles, Loader, Scenario};
use firedrill_syntax::Diagnostic;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::cli::Selection;
use crate::exit::Exit;

/// Deepest folder below a given one that is searched; links that lead in circles end here.
const MAX_FOLDERS_DEEP: usize = 32;

/// Most scenario files of one selection.
const MAX_FILES: usize = 100_000;

/// What a selection gave.
pub(crate) struct Selected {
    /// Scenarios in order of their paths.
    pub(crate) scenarios: Vec<Arc<Scenario>>,
    /// Problems and warnings of all files read.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Why a selection means nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelectError {
    /// A path does not exist.
    #[error("there is no file or folder `{0}`")]
    NotFound(String),
    /// A folder cannot be read.
    #[error("the folder `{path}` cannot be read: {reason}")]
    Unreadable {
        /// The folder.
        path: String,
        /// What the operating system says.
        reason: String,
    },
    /// Too many files, or folders too deep.
    #[error("the selection has more than {MAX_FILES} files, or folders more than {MAX_FOLDERS_DEEP} deep")]
    TooMany,
    /// `file.yaml:42` beyond the end of the file.
    #[error("`{path}` has {lines} lines; there is no line {line}")]
    NoSuchLine {
        /// The file.
        path: String,
        /// The line asked for.
        line: usize,
        /// How many there are.
        lines: usize,
    },
    /// A glob that is none.
    #[error("`{glob}` is not a glob: {reason}")]
    BadGlob {
        /// As given.
        glob: String,
        /// Why.
        reason: String,
    },
}

impl SelectError {
    /// How a program ends that was asked for this: a glob is wrong in itself, a path only selects nothing here.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::BadGlob { .. } => Exit::Usage,
            Self::NotFound(_) | Self::Unreadable { .. } | Self::TooMany | Self::NoSuchLine { .. } => Exit::NothingSelected,
        }
    }
}

/// Reads everything that the paths name and keeps what the filters let through.
pub(crate) fn select(selection: &Selection) -> Result<Selected, SelectError> {
    let names = globs(&selection.name)?;
    let mut files = DiskFiles;
    let mut loader = Loader::new(&mut files);
    let mut selected = Selected { scenarios: Vec::new(), diagnostics: Vec::new() };
    for (path, line) in files_of(&selection.paths)? {
        match loader.load(&path) {
            Ok(loaded) => {
                if let Some(line) = line {
                    check_line(&loaded.scenario, &path, line)?;
                }
                selected.diagnostics.extend(loaded.warnings);
                if lets_through(&loaded.scenario, names.as_ref(), &selection.tag) {
                    selected.scenarios.push(loaded.scenario);
                }
            }
            Err(problems) => selected.diagnostics.extend(problems),
        }
    }
    Ok(selected)
}

/// Scenario files below the paths, sorted, each once, with the line that was asked for.
pub(crate) fn files_of(paths: &[String]) -> Result<Vec<(String, Option<usize>)>, SelectError> {
    let mut found = Vec::new();
    for path in paths {
        let (path, line) = split_line(path);
        let metadata = std::fs::metadata(path).map_err(|_| SelectError::NotFound(path.to_owned()))?;
        if metadata.is_dir() {
            let mut below = Vec::new();
            walk(path, 0, &mut below)?;
            below.sort();
            found.extend(below.into_iter().map(|path| (path, None)));
        } else {
            found.push((path.to_owned(), line));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|entry| seen.insert(entry.clone()));
    Ok(found)
}

/// `file.yaml:42` as file and line; a path that exists with the colon is the path itself.
fn split_line(path: &str) -> (&str, Option<usize>) {
    if Path::new(path).exists() {
        return (path, None);
    }
    match path.rsplit_once(':') {
        Some((file, line)) => match line.parse() {
            Ok(line) => (file, Some(line)),
            Err(_) => (path, None),
        },
        None => (path, None),
    }
}

fn walk(folder: &str, depth: usize, found: &mut Vec<String>) -> Result<(), SelectError> {
    if depth > MAX_FOLDERS_DEEP || found.len() > MAX_FILES {
        return Err(SelectError::TooMany);
    }
    let unreadable = |error: std::io::Error| SelectError::Unreadable { path: folder.to_owned(), reason: error.kind().to_string() };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let path = format!("{}/{name}", folder.trim_end_matches('/'));
        let kind = entry.file_type().map_err(unreadable)?;
        // Folders that start with a dot are nobody's scenarios.
        if kind.is_dir() && !name.starts_with('.') {
            walk(&path, depth + 1, found)?;
        // Nor are pipes and devices, which could keep a reader waiting for ever.
        } else if (kind.is_file() || kind.is_symlink()) && (name.ends_with(".yaml") || name.ends_with(".yml")) {
            found.push(path);
        }
    }
    Ok(())
}

fn globs(patterns: &[String]) -> Result<Option<GlobSet>, SelectError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let bad = |glob: &str, error: &globset::Error| SelectError::BadGlob { glob: glob.to_owned(), reason: error.kind().to_string() };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).case_insensitive(true).build().map_err(|error| bad(pattern, &error))?);
    }
    set.build().map(Some).map_err(|error| bad("", &error))
}

fn lets_through(scenario: &Scenario, names: Option<&GlobSet>, tags: &[String]) -> bool {
    names.is_none_or(|names| names.is_match(&*scenario.name))
        && (tags.is_empty() || tags.iter().any(|tag| scenario.tags.iter().any(|t| **t == **tag)))
}

fn check_line(scenario: &Scenario, path: &str, line: usize) -> Result<(), SelectError> {
    let lines = scenario.source.line_count();
    if line == 0 || line > lines {
        return Err(SelectError::NoSuchLine { path: path.to_owned(), line, lines });
    }
    Ok(())
}
