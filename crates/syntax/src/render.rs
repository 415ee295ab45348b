//! Diagnostics as people read them.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{LineColumn, Source, Span};

/// Lines longer than this are not shown: an excerpt of a minified file helps nobody.
const LONGEST_LINE: usize = 2_000;

/// Labels further away from the place than this are shown in an excerpt of their own.
const LONGEST_EXCERPT: usize = 32 * 1024;

/// Diagnostics with excerpts of their sources, `file:line:column`, notes and hints; a blank line between two.
///
/// With `color` the output holds ANSI escapes; the words are the same without.
pub fn render(diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    diagnostics.iter().map(|diagnostic| one(diagnostic, &renderer, color)).collect::<Vec<_>>().join("\n")
}

/// Diagnostics as one line each: `file:line:column: error[code]: message (hint: …)`.
pub fn render_plain(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| plain_line(diagnostic) + "\n").collect()
}

pub(crate) fn plain_line(diagnostic: &Diagnostic) -> String {
    let Diagnostic { severity, code, message, source, span, hint, .. } = diagnostic;
    let hint = hint.as_ref().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
    format!("{}: {severity}[{code}]: {message}{hint}", source.place(*span))
}

fn one(diagnostic: &Diagnostic, renderer: &Renderer, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let group = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let group = group.elements(excerpts(diagnostic));
    let group = diagnostic.notes.iter().fold(group, |group, note| group.element(Level::NOTE.message(note.as_str())));
    let report: &[Group<'_>] = &[group];
    let mut out = renderer.render(report);
    out.push('\n');
    if let Some(hint) = &diagnostic.hint {
        let word = if color { "\u{1b}[1m\u{1b}[36mhint\u{1b}[0m" } else { "hint" };
        out.push_str(&format!("\n{word}: {hint}\n"));
    }
    out
}

/// The excerpts of a diagnostic: one for the place and the labels near it, one for each label far away.
fn excerpts(diagnostic: &Diagnostic) -> Vec<Element<'_>> {
    let source = &*diagnostic.source;
    if !is_showable(source, diagnostic.span) {
        let LineColumn { line, column } = source.line_column(diagnostic.span.start);
        let origin = annotate_snippets::Origin::path(&*source.name).line(line).char_column(column);
        return vec![origin.into()];
    }
    let (near, far): (Vec<_>, Vec<_>) = diagnostic
        .labels
        .iter()
        .filter(|(span, _)| is_showable(source, *span))
        .partition(|(span, _)| distance(diagnostic.span, *span) <= LONGEST_EXCERPT);
    let window = near.iter().fold(diagnostic.span, |window, (span, _)| window.to(*span));
    let mut main = Excerpt::of(source, window).annotate(AnnotationKind::Primary, diagnostic.span, None);
    for (span, text) in near {
        main = main.annotate(AnnotationKind::Context, *span, Some(text));
    }
    let mut out = vec![main.snippet.into()];
    for (span, text) in far {
        out.push(Excerpt::of(source, *span).annotate(AnnotationKind::Context, *span, Some(text)).snippet.into());
    }
    out
}

fn distance(a: Span, b: Span) -> usize {
    a.start.abs_diff(b.start)
}

fn line_range(source: &Source, offset: usize) -> (usize, usize) {
    let line = source.line_column(offset).line;
    let start = source.line_start(line).unwrap_or(0);
    let end = source.line_start(line + 1).unwrap_or(source.text.len());
    (start, end)
}

fn is_showable(source: &Source, span: Span) -> bool {
    let (start, end) = line_range(source, span.start);
    end - start <= LONGEST_LINE && !source.text.is_empty()
}

/// A window of whole lines of the source, so that rendering costs what is shown and not the size of the file.
struct Excerpt<'a> {
    source: &'a Source,
    start: usize,
    end: usize,
    snippet: Snippet<'a, annotate_snippets::Annotation<'a>>,
}

impl<'a> Excerpt<'a> {
    fn of(source: &'a Source, window: Span) -> Self {
        let (start, first_end) = line_range(source, window.start);
        // The end of a span counts only as far as its line is readable.
        let (last_start, last_end) = line_range(source, window.end.saturating_sub(1).max(window.start));
        let end = if last_end - last_start <= LONGEST_LINE && last_end - start <= 2 * LONGEST_EXCERPT { last_end } else { first_end };
        let line = source.line_column(start).line;
        let snippet = Snippet::source(&source.text[start..end]).line_start(line).path(&*source.name).fold(true);
        Self { source, start, end, snippet }
    }

    fn annotate(mut self, kind: AnnotationKind, span: Span, label: Option<&'a str>) -> Self {
        let start = self.source.floor(span.start).clamp(self.start, self.end);
        // Several lines of underlining hide the text: mark to the end of the first line.
        let line_end = self.source.text[start..self.end].find('\n').map_or(self.end, |at| start + at);
        let end = self.source.floor(span.end).clamp(start, line_end);
        let mut annotation = kind.span(start - self.start..end - self.start);
        if let Some(label) = label {
            annotation = annotation.label(label);
        }
        self.snippet = self.snippet.annotation(annotation);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Diagnostic {
        let source = Source::new("contoso.yaml", "pools:\n  - fqdn: pool1.contoso.com\n    bakcup: pool2.contoso.com\n");
        let at = source.text.find("bakcup").unwrap();
        let pool = source.text.find("pool1").unwrap();
        Diagnostic::error("unknown-key", &source, Span::new(at, at + 6), "unknown key `bakcup`")
            .label(Span::new(pool, pool + 17), "in this pool")
            .note("pairs are symmetric")
            .hint("did you mean `backup`?")
    }

    #[test]
    fn excerpt_place_note_and_hint() {
        insta::assert_snapshot!(render(&[sample()], false), @r"
        error[unknown-key]: unknown key `bakcup`
         --> contoso.yaml:3:5
          |
        2 |   - fqdn: pool1.contoso.com
          |           ----------------- in this pool
        3 |     bakcup: pool2.contoso.com
          |     ^^^^^^
          |
          = note: pairs are symmetric

        hint: did you mean `backup`?
        ");
    }

    #[test]
    fn plain_form_is_one_line() {
        assert_eq!(
            render_plain(&[sample()]),
            "contoso.yaml:3:5: error[unknown-key]: unknown key `bakcup` (hint: did you mean `backup`?)\n"
        );
    }

    #[test]
    fn colour_changes_no_words() {
        let mut plain = String::new();
        let mut rest = render(&[sample()], true);
        while let Some(at) = rest.find('\u{1b}') {
            plain.push_str(&rest[..at]);
            let end = rest[at..].find('m').unwrap();
            rest = rest[at + end + 1..].to_owned();
        }
        plain.push_str(&rest);
        assert_eq!(plain, render(&[sample()], false));
    }

    #[test]
    fn excerpts_far_down_a_large_file_keep_their_line_numbers() {
        let text: String = (0..50_000).map(|n| format!("key{n}: value\n")).collect();
        let source = Source::new("large.yaml", &text);
        let first = source.text.find("key0").unwrap();
        let at = source.text.find("key49999").unwrap();
        let diagnostic = Diagnostic::error("c", &source, Span::new(at, at + 8), "second").label(Span::new(first, first + 4), "first");
        let out = render(&[diagnostic], false);
        assert!(out.contains("large.yaml:50000:1"), "{out}");
        assert!(out.contains("1     | key0: value") || out.contains("    1 | key0: value"), "{out}");
    }

    #[test]
    fn a_line_too_long_to_read_is_named_only() {
        let source = Source::new("minified.yaml", "x".repeat(1_000_000));
        let out = render(&[Diagnostic::error("c", &source, Span::at(500_000), "here")], false);
        assert!(out.len() < 500, "{}", out.len());
        assert!(out.contains("minified.yaml:1:500001"), "{out}");
    }
}
