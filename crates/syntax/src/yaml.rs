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
    /// Limits of documents written by people: 8 MiB, 32 levels, half a million values.
    pub const DOCUMENT: Self = Self { max_bytes: 8 * 1024 * 1024, max_depth: 32, max_nodes: 500_000 };

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
/// The text is read twice: first for its form alone, so that a slipped indentation is called that and not a missing key.
///
/// # Errors
/// One diagnostic: the first problem of structure.
pub fn read_yaml<T: DeserializeOwned>(source: &Arc<Source>, limits: &Limits) -> Result<T, Vec<Diagnostic>> {
    if source.text.len() > limits.max_bytes {
        return Err(vec![limits.too_large(source, source.text.len() as u64)]);
    }
    let refuse = |error| vec![wording::diagnostic(source, &error, limits)];
    // An empty text is no error of form, and the typed reading knows better words for it.
    match serde_saphyr::from_str_with_options::<serde::de::IgnoredAny>(&source.text, options(limits)) {
        Ok(_) | Err(serde_saphyr::Error::Eof { .. }) => {}
        Err(error) => return Err(refuse(error)),
    }
    serde_saphyr::from_str_with_options(&source.text, options(limits)).map_err(refuse)
}

fn options(limits: &Limits) -> serde_saphyr::Options {
    let budget = serde_saphyr::budget! {
        max_depth: limits.max_depth,
        flow_nesting_limit: limits.max_depth,
        max_nodes: limits.max_nodes,
        max_events: limits.max_nodes.saturating_mul(2),
        max_anchors: 0,
        max_aliases: 0,
        max_documents: 2,
    };
    serde_saphyr::options! {
        budget: budget,
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        emit_comments: false,
        with_snippet: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Located;
    use proptest::prelude::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        name: Located<String>,
        #[serde(default)]
        parts: Vec<Located<String>>,
    }

    fn read(text: &str) -> Result<Thing, (&'static str, String)> {
        let limits = Limits { max_bytes: 2_000, max_depth: 8, max_nodes: 100 };
        read_yaml(&Source::new("t.yaml", text), &limits).map_err(|mut all| {
            let first = all.remove(0);
            let place = first.source.line_column(first.span.start);
            (first.code, format!("{}:{} {}", place.line, place.column, first.message))
        })
    }

    #[test]
    fn places_are_those_of_the_text() {
        let source = Source::new("t.yaml", "name: größe\nparts:\n  - a\n  - \"b c\"\n");
        let thing: Thing = read_yaml(&source, &Limits::DOCUMENT).unwrap();
        assert_eq!(source.slice(thing.name.span), "größe");
        assert_eq!(source.slice(thing.parts[1].span), "\"b c\"");
        assert_eq!(&*thing.parts[1].value, "b c");
    }

    #[test]
    fn each_limit_has_its_code() {
        let long = format!("name: {}\n", "x".repeat(3_000));
        assert_eq!(read(&long).unwrap_err().0, "document-too-large");
        let deep = format!("name: {}{}\n", "[".repeat(20), "]".repeat(20));
        assert_eq!(read(&deep).unwrap_err().0, "nesting-too-deep");
        let deep: String = (0..20).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        assert_eq!(read(&deep).unwrap_err().0, "nesting-too-deep");
        let many = format!("name: a\nparts: [{}]\n", "x,".repeat(200));
        assert_eq!(read(&many).unwrap_err().0, "too-many-values");
        assert_eq!(Limits::DOCUMENT.check_size("t.yaml", 100_000_000).unwrap_err().code, "document-too-large");
    }

    #[test]
    fn form_comes_before_meaning() {
        // The unknown key stands first; the broken line is what has to be mended first.
        assert_eq!(read("nmae: a\nparts: [a\n").unwrap_err().0, "yaml-syntax");
        assert_eq!(read("name: *a\n").unwrap_err().0, "anchor");
        assert_eq!(read("name: &a b\n").unwrap_err().0, "anchor");
    }

    proptest! {
        #[test]
        fn arbitrary_text_gets_an_answer(text in r#"([a-z]{1,4}: ?|- |\[|\]|\{|\}|"|'|\n {0,6}|&a|\*a|<<|#|\||>|!t|,|é|\\|\t|0|---\n){0,40}"#) {
            let _ = read(&text);
        }
    }
}
