//! What is wrong, where, and what to do about it.

use std::fmt;
use std::sync::Arc;

use crate::source::{Source, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document cannot be used.
    Error,
    /// The document can be used, and something in it deserves a second look.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One problem with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Stable name of the kind of problem, `one-sided-pairing`.
    pub code: &'static str,
    /// What is wrong: a fragment in lower case, literals in backticks.
    pub message: String,
    /// The text it is about.
    pub source: Arc<Source>,
    /// The place in it.
    pub span: Span,
    /// Other places that take part, each with a few words.
    pub labels: Vec<(Span, String)>,
    /// Why it is so: background, sources.
    pub notes: Vec<String>,
    /// One thing to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error. `message` is a lower-case fragment; names taken from input go through [`quote`].
    pub fn error(code: &'static str, source: &Arc<Source>, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, source, span, message.into())
    }

    /// A warning. `message` is a lower-case fragment; names taken from input go through [`quote`].
    pub fn warning(code: &'static str, source: &Arc<Source>, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, source, span, message.into())
    }

    fn new(severity: Severity, code: &'static str, source: &Arc<Source>, span: Span, message: String) -> Self {
        Self { severity, code, message, source: source.clone(), span, labels: Vec::new(), notes: Vec::new(), hint: None }
    }

    /// Adds another place that takes part.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push((span, text.into()));
        self
    }

    /// Adds background.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }

    /// Says what to do about it, when there is something to say.
    #[must_use]
    pub fn maybe_hint(mut self, text: Option<String>) -> Self {
        self.hint = text.or(self.hint);
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::render::plain_line(self))
    }
}

impl std::error::Error for Diagnostic {}

/// Problems as they are found. Keeps the first [`Diagnostics::KEPT`] and counts the rest, so that a hostile document
/// costs no more than an honest one.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
    dropped: usize,
    has_errors: bool,
}

impl Diagnostics {
    /// How many are kept.
    pub const KEPT: usize = 200;

    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.has_errors |= diagnostic.severity == Severity::Error;
        if self.items.len() < Self::KEPT {
            self.items.push(diagnostic);
        } else {
            self.dropped += 1;
        }
    }

    /// Adds all of them.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }

    /// Whether any error (as opposed to warnings alone) was added.
    pub fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// Whether more would only be counted: costly searches for better wording can be skipped.
    pub fn is_full(&self) -> bool {
        self.items.len() >= Self::KEPT
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// All that were kept, in the order of the text, plus one line for those that were not.
    pub fn into_vec(mut self) -> Vec<Diagnostic> {
        self.items
            .sort_by(|a, b| (&a.source.name, a.span.start, a.severity, a.code).cmp(&(&b.source.name, b.span.start, b.severity, b.code)));
        if self.dropped > 0
            && let Some(last) = self.items.last()
        {
            let severity = if self.has_errors { Severity::Error } else { Severity::Warning };
            let message = format!("{} more problems of this document are not shown", self.dropped);
            let more = Diagnostic::new(severity, "too-many-problems", &last.source.clone(), Span::at(last.source.text.len()), message);
            self.items.push(more);
        }
        self.items
    }
}

/// A name from input, in backticks: control characters escaped, long ones cut.
pub fn quote(name: &str) -> String {
    const SHOWN: usize = 80;
    if name.is_empty() {
        return "an empty text".to_owned();
    }
    let mut out = String::with_capacity(name.len().min(4 * SHOWN) + 2);
    out.push('`');
    for (count, character) in name.chars().enumerate() {
        if count == SHOWN {
            out.push('…');
            break;
        }
        if character.is_control() || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out.push('`');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_problems_are_counted() {
        let source = Source::new("a.yaml", "x\n");
        let mut all = Diagnostics::new();
        for _ in 0..Diagnostics::KEPT + 7 {
            all.push(Diagnostic::warning("w", &source, Span::at(0), "w"));
        }
        assert!(!all.has_errors());
        all.push(Diagnostic::error("e", &source, Span::at(0), "e"));
        assert!(all.has_errors(), "an error counts even when it is not kept");
        let list = all.into_vec();
        assert_eq!(list.len(), Diagnostics::KEPT + 1);
        assert_eq!(list.last().unwrap().message, "8 more problems of this document are not shown");
        assert_eq!(list.last().unwrap().severity, Severity::Error);
    }

    #[test]
    fn quoting_disarms_terminals_and_novels() {
        assert_eq!(quote("a\u{1b}[31mb\u{202e}"), "`a\\u{1b}[31mb\\u{202e}`");
        assert_eq!(quote(&"x".repeat(100)).chars().count(), 83);
    }
}
