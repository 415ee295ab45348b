//! PowerShell inside YAML: finding syntax errors before anything runs, and naming them by the line of the file.

use std::sync::Arc;

use firedrill_syntax::{Diagnostic, Located, Source, Span};

use super::Resolver;

/// Longest script of one step in bytes.
const LONGEST_SCRIPT: usize = 1 << 20;

impl Resolver<'_> {
    /// Checks that the text of a step parses.
    pub(super) fn script(&mut self, text: &Located<String>) -> Option<Arc<str>> {
        if text.trim().is_empty() {
            self.error(
                "empty-script",
                text.span,
                "there is no command in this step",
                Some("write PowerShell behind `run:`, or use `wait:` for a step that does nothing".to_owned()),
            );
            return None;
        }
        if text.len() > LONGEST_SCRIPT {
            let message = format!("the script has {} bytes; at most {LONGEST_SCRIPT} are read", text.len());
            self.error("script-too-large", text.span, message, Some("split it over several steps".to_owned()));
            return None;
        }
        let (_, errors) = firedrill_powershell::session::parse(text);
        let failed = !errors.is_empty();
        for error in errors {
            let part = Span::new(error.span.start as usize, error.span.end as usize);
            let span = position_in_yaml(self.source, text.span, text, part);
            let message = lower_first(&error.message);
            self.problems.push(Diagnostic::error("powershell-syntax", self.source, span, message).hint(way_out(error.id)));
        }
        (!failed).then(|| Arc::from(text.value.as_str()))
    }
}

/// One thing to do about a syntax error, by PowerShell's id of it.
fn way_out(id: &str) -> &'static str {
    match id {
        "MissingEndCurlyBrace" => "close the block with `}`",
        "MissingEndParenthesisInExpression" | "MissingEndParenthesisInSubexpression" => "close it with `)`",
        "TerminatorExpectedAtEndOfString" => "close the string with the quote that opens it",
        "EmptyPipeElement" => "put a command between the bars, or remove one of them",
        "ExpectedValueExpression" => "write a value behind the operator",
        _ => "PowerShell runs nothing of a script that does not parse",
    }
}

fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    match chars.next() {
        // `Missing …` becomes `missing …`; `'if' …` and acronyms stay.
        Some(first) if first.is_uppercase() && chars.clone().next().is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(chars).collect::<String>().trim_end_matches('.').to_owned()
        }
        _ => message.trim_end_matches('.').to_owned(),
    }
}

/// The place in the file of a range of bytes of a YAML text value. `raw` is where the value is written: block, plain or
/// quoted. Walks both texts side by side and skips in the file what the value does not have: indentation, quotes.
pub(crate) fn position_in_yaml(source: &Source, raw: Span, value: &str, part: Span) -> Span {
    let text = source.slice(Span::new(raw.start, source.text.len()));
    let mut at = usize::from(text.starts_with(['"', '\'']));
    let quoted = text.starts_with('"');
    let (mut start, mut end) = (None, None);
    for (offset, wanted) in value.char_indices() {
        let skipped = skip_to(&text[at..], wanted, quoted);
        let Some((before, length)) = skipped else { break };
        if offset >= part.start && start.is_none() {
            start = Some(at + before);
        }
        if offset >= part.end {
            end = Some(at + before);
            break;
        }
        at += before + length;
    }
    let start = start.unwrap_or_else(|| at.min(raw.end.saturating_sub(raw.start)));
    let end = end.unwrap_or(at).max(start);
    // An error at the very end points behind the last thing that is there.
    let written = text[..end].trim_end().len();
    let (start, end) = if start > written { (written, written) } else { (start, end.min(written.max(start))) };
    Span::new(raw.start + start, raw.start + end)
}

/// How many bytes lie before a character of the value in the file, and how many bytes write it there.
fn skip_to(text: &str, wanted: char, quoted: bool) -> Option<(usize, usize)> {
    if quoted && text.starts_with('\\') {
        // An escape stands for one character, whichever; `\x41` and longer forms are rare enough to point nearby.
        let length = 1 + text[1..].chars().next().map_or(0, char::len_utf8);
        return Some((0, length));
    }
    if text.starts_with("''") && wanted == '\'' {
        return Some((0, 2));
    }
    // A line end of a folded text is a space in the value.
    let found = text.char_indices().find(|(_, c)| *c == wanted || (wanted == ' ' && *c == '\n'))?;
    Some((found.0, found.1.len_utf8()))
}

#[cfg(test)]
mod tests {
    use firedrill_syntax::{Limits, read_yaml};
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Document {
        run: Located<String>,
    }

    /// Marks the word `HERE` of a script in its file.
    fn place_of_here(yaml: &str) -> (String, String) {
        let source = Source::new("s.yaml", yaml);
        let document: Document = read_yaml(&source, &Limits::DOCUMENT).unwrap();
        let start = document.run.value.find("HERE").unwrap();
        let span = position_in_yaml(&source, document.run.span, &document.run.value, Span::new(start, start + 4));
        (source.slice(span).to_owned(), source.place(span))
    }

    #[test]
    fn every_way_to_write_a_text_keeps_its_places() {
        for (yaml, place) in [
            ("run: Get-X HERE\n", "s.yaml:1:12"),
            ("run: |\n  Get-X\n    Get-Y HERE\n", "s.yaml:3:11"),
            ("run: |\n  Get-X\n\n  if ($a) {\n    HERE\n  }\n", "s.yaml:5:5"),
            ("run: |-\n      Get-X 'ü' HERE\n", "s.yaml:2:17"),
            ("run: >\n  Get-X\n  HERE\n", "s.yaml:3:3"),
            ("run: 'Get-X ''a'' HERE'\n", "s.yaml:1:19"),
            ("run: \"Get-X \\\"a\\\" HERE\"\n", "s.yaml:1:19"),
            ("run: \"Get-X\\nHERE\"\n", "s.yaml:1:14"),
        ] {
            assert_eq!(place_of_here(yaml), ("HERE".to_owned(), place.to_owned()), "{yaml}");
        }
    }
}
