//! Text to typed documents, with limits and our own words.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy};

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::wording;

/// What a document may cost. Going beyond is an error with its own code, never a crash or a hang.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest document in bytes (`document-too-large`).
    pub max_bytes: usize,
    /// Deepest nesting of lists and mappings (`nesting-too-deep`).
    pub max_depth: usize,
    /// Most values in a document (`too-many-values`).
    pub max_nodes: usize,
}

impl Limits {
    /// Limits of documents written by people: 8 MiB, 32 levels, two million values.
    pub const DOCUMENT: Self = Self { max_bytes: 8 * 1024 * 1024, max_depth: 32, max_nodes: 2_000_000 };

    /// Checks the size of a file before anything of it is read.
    ///
    /// # Errors
    /// `document-too-large` when it has more than [`Limits::max_bytes`].
    pub fn check_size(&self, name: &str, bytes: u64) -> Result<(), Box<Diagnostic>> {
        if bytes <= self.max_bytes as u64 {
            return Ok(());
        }
        Err(Box::new(self.too_large(&Source::new(name, ""), bytes)))
    }

    fn too_large(&self, source: &Arc<Source>, bytes: u64) -> Diagnostic {
        let message = format!("the document has {bytes} bytes; at most {} are read", self.max_bytes);
        Diagnostic::error("document-too-large", source, Span::at(0), message)
            .hint("many users are written as one range with `count:`, not one by one")
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DOCUMENT
    }
}

/// Reads a YAML document of one serde type.
///
/// Strict: duplicate keys, anchors, aliases, merge keys, tags and a second document are errors; only `true` and `false`
/// are booleans. Types should say `deny_unknown_fields`, wrap what later checks point at in
/// [`Located`](crate::Located), and avoid `flatten` and `untagged`, which lose places.
///
/// # Errors
/// One diagnostic: the first problem of structure.
pub fn read_yaml<T: DeserializeOwned>(source: &Arc<Source>, limits: &Limits) -> Result<T, Vec<Diagnostic>> {
    if source.text.len() > limits.max_bytes {
        return Err(vec![limits.too_large(source, source.text.len() as u64)]);
    }
    let budget = serde_saphyr::budget! {
        max_depth: limits.max_depth,
        flow_nesting_limit: limits.max_depth,
        max_nodes: limits.max_nodes,
        max_events: limits.max_nodes.saturating_mul(2),
        max_anchors: 0,
        max_aliases: 0,
        max_documents: 2,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        emit_comments: false,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(&source.text, options).map_err(|error| vec![wording::diagnostic(source, &error, limits)])
}
