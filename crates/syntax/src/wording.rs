//! Errors of the YAML reader in the words of this project: no Rust types, no parser jargon, one hint.

use std::sync::Arc;

use serde_saphyr::Error;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::granit_parser::ErrorKind;
use serde_saphyr::localizer::ExternalMessageSource;

use crate::diagnostic::{Diagnostic, quote};
use crate::located::span_of;
use crate::nearest::{all_of, nearest, one_of};
use crate::source::{Source, Span};
use crate::yaml::Limits;

/// Code, message and hint before they get a place.
struct Words {
    code: &'static str,
    message: String,
    hint: Option<String>,
}

fn words(code: &'static str, message: impl Into<String>) -> Words {
    Words { code, message: message.into(), hint: None }
}

impl Words {
    fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }
}

/// The reader's error as a diagnostic of ours.
pub(crate) fn diagnostic(source: &Arc<Source>, error: &Error, limits: &Limits) -> Diagnostic {
    let error = error.without_snippet();
    let span = error.location().map(|location| widen(source, place(source, &location))).unwrap_or_default();
    let (span, Words { code, message, hint }) = match culprit(source, error, span) {
        Some((span, words)) => (span, words),
        None => (span, describe(source, error, span, limits)),
    };
    Diagnostic::error(code, source, span, message).maybe_hint(hint)
}

/// Two slips that YAML only notices later, at a place that looks innocent.
fn culprit(source: &Source, error: &Error, span: Span) -> Option<(Span, Words)> {
    let Error::ExternalMessage { source: origin, .. } = error else { return None };
    let ExternalMessageSource::Parser(scan) = &**origin else { return None };
    let line = source.line_column(span.start).line;
    let text_of = |line: usize| {
        let start = source.line_start(line)?;
        let end = source.line_start(line + 1).unwrap_or(source.text.len());
        Some((start, &source.text[start..end]))
    };
    for (start, text) in [line, line + 1].into_iter().filter_map(text_of) {
        let indentation = text.len() - text.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = text[..indentation].find('\t') {
            let words = words("yaml-syntax", "a tab is used for indentation").hint("indent with spaces");
            return Some((Span::new(start + tab, start + tab + 1), words));
        }
    }
    if !matches!(scan.kind(), ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement | ErrorKind::InvalidIndentation) {
        return None;
    }
    // A list or mapping in brackets that the line before opened and nobody closed.
    let (start, text) = (1..line).rev().filter_map(text_of).find(|(_, text)| !text.trim().is_empty())?;
    let text = text.split(" #").next().unwrap_or(text);
    let mut open = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '[' | '{' => open.push(at),
            ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    let at = start + open.last()?;
    let words = words("yaml-syntax", "a bracket is not closed").hint("add the closing `]` or `}`");
    Some((Span::new(at, at + 1), words))
}

/// The span of a location; errors of the scanner know only line and column.
fn place(source: &Source, location: &serde_saphyr::Location) -> Span {
    if location.span().byte_offset().is_some() || location.line() == 0 {
        return span_of(location);
    }
    let Some(start) = source.line_start(location.line() as usize) else { return Span::at(source.text.len()) };
    let before = source.text[start..].chars().take((location.column() as usize).saturating_sub(1));
    Span::at(start + before.take_while(|c| *c != '\n').map(char::len_utf8).sum::<usize>())
}

/// Parser errors name a single position: mark the word that stands there.
fn widen(source: &Source, span: Span) -> Span {
    if span.end > span.start {
        return span;
    }
    let start = source.floor(span.start);
    let word = source.text[start..].find(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | ']' | '}' | '[' | '{')).unwrap_or(0);
    Span::new(start, start + word)
}

fn describe(source: &Source, error: &Error, span: Span, limits: &Limits) -> Words {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => unknown_key(field, expected),
        Error::SerdeUnknownVariant { variant, expected, .. } => unknown_value(variant, expected),
        Error::SerdeMissingField { field, .. } => {
            words("missing-key", format!("the key `{field}` is missing from this mapping")).hint(format!("add `{field}:`"))
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().map(quote).unwrap_or_else(|| "this key".to_owned());
            words("duplicate-key", format!("{key} stands twice in one mapping")).hint("keep one of the two")
        }
        Error::SerdeInvalidType { unexpected, expected, .. } => wrong_type(unexpected, expected),
        Error::SerdeInvalidValue { unexpected, expected, .. } => {
            words("wrong-value", format!("{} does not fit: {} is expected", found(unexpected), wanted(expected)))
        }
        Error::SerdeInvalidLength { len, expected, .. } => {
            words("wrong-length", format!("{len} entries do not fit: {} is expected", wanted(expected)))
        }
        Error::InvalidScalar { ty, .. } => scalar(source.slice(span).trim(), ty),
        Error::InvalidBooleanStrict { .. } => {
            let text = source.slice(span).trim();
            words("wrong-type", format!("{} is not a truth value", quote(text))).hint("write `true` or `false`")
        }
        Error::NullIntoString { .. } => {
            words("wrong-type", "the value is empty where a text is expected").hint("write the value, or leave the key out")
        }
        Error::Unexpected { expected: "sequence start", .. } if source.slice(span).is_empty() => {
            words("wrong-type", "the value is empty where a list is expected").hint("write `[]`, or leave the key out")
        }
        Error::Unexpected { expected, .. } => unexpected_node(expected),
        Error::Eof { .. } => {
            words("empty-document", "the document is empty").hint("it starts with `name:`, and what else is needed is said then")
        }
        Error::MultipleDocuments { .. } => {
            words("several-documents", "a second document starts here").hint("a file holds one document: remove the `---`")
        }
        Error::MergeKeyNotAllowed { .. } | Error::MergeValueNotMapOrSeqOfMaps { .. } => {
            words("merge-key", "merge keys (`<<`) are not read").hint("write the keys out")
        }
        Error::UnknownAnchor { .. } => anchors(),
        Error::Budget { breach, .. } => budget(breach, limits),
        Error::UnsupportedTag { tag, .. } | Error::TaggedStructFieldName { tag, .. } => {
            words("tag", format!("the tag {} has no meaning here", quote(tag))).hint("remove it")
        }
        Error::ExpectedStringKeyForExternallyTaggedEnum { .. } | Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => {
            words("wrong-type", "one of several named forms is expected here: a name, or a mapping with one key")
        }
        Error::UnexpectedValueForUnitEnumVariant { .. } => {
            words("wrong-type", "this name stands alone and takes no value").hint("remove what follows the colon, and the colon")
        }
        Error::ExpectedMappingEndAfterEnumVariantValue { .. } => {
            words("several-forms", "a second key follows where one form is chosen by one key").hint("keep one of the two")
        }
        Error::ExternalMessage { source: origin, .. } => match &**origin {
            ExternalMessageSource::Parser(error) => syntax(error.kind(), limits),
            _ => words("yaml-syntax", "the document cannot be read"),
        },
        Error::FoldedBlockScalarMustIndentContent { .. } => {
            words("yaml-syntax", "the text of a block (`>` or `|`) must be indented").hint("indent it by two spaces")
        }
        Error::Message { msg, .. } => words("wrong-value", msg.clone()),
        Error::TaggedScalarCannotDeserializeIntoString { .. } => {
            words("wrong-type", "the tag on this value makes it something else than a text").hint("remove the tag")
        }
        _ => words("yaml-syntax", "the document cannot be read here"),
    }
}

fn scalar(text: &str, ty: &str) -> Words {
    let wanted = wanted(ty);
    let out = words("wrong-type", format!("{} is not {wanted}", quote(text)));
    match (wanted.contains("number"), text.parse::<f64>()) {
        (true, Ok(_)) if wanted.contains("from") || wanted.contains("0 or more") => out.hint("choose a number from that range"),
        (true, _) => out.hint("write digits alone, without quotes or a unit"),
        _ => out,
    }
}

fn unknown_key(field: &str, expected: &[&str]) -> Words {
    let message = format!("unknown key {}", quote(field));
    let hint = match nearest(field, expected.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if expected.is_empty() => "no keys are expected here".to_owned(),
        None => format!("the keys here are {}", all_of(expected.iter().copied())),
    };
    words("unknown-key", message).hint(hint)
}

fn unknown_value(variant: &str, expected: &[&str]) -> Words {
    let hint = match nearest(variant, expected.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write {}", one_of(expected.iter().copied())),
    };
    words("unknown-value", format!("{} is not known here", quote(variant))).hint(hint)
}

fn wrong_type(unexpected: &str, expected: &str) -> Words {
    let out = words("wrong-type", format!("{} is expected, {} found", wanted(expected), found(unexpected)));
    match (wanted(expected), found(unexpected).as_str()) {
        ("a list", _) => out.hint("start each entry on its own line with `- `, or write `[a, b]`"),
        ("a mapping", "a list") => out.hint("remove the `- `, or name the key that the list belongs to"),
        _ => out,
    }
}

fn unexpected_node(expected: &str) -> Words {
    let message = match expected {
        "sequence start" => "a list is expected here",
        "mapping start" | "empty mapping start" => "a mapping (`key: value`) is expected here",
        "string scalar" | "scalar" => "a single value is expected here",
        "value" => "a value is expected here",
        "mapping end" => "the mapping should end here",
        _ => "something else is expected here",
    };
    let out = words("wrong-type", message);
    match expected {
        "sequence start" => out.hint("start each entry on its own line with `- `, or write `[a, b]`"),
        "mapping start" | "empty mapping start" => out.hint("write each key with its value on its own line, or `{ key: value }`"),
        "string scalar" | "scalar" => out.hint("a list or mapping stands where one text or number is meant"),
        _ => out,
    }
}

fn anchors() -> Words {
    words("anchor", "anchors (`&name`) and aliases (`*name`) are not read")
        .hint("write the value out; a text that starts with `&` or `*` goes between quotes")
}

fn budget(breach: &BudgetBreach, limits: &Limits) -> Words {
    match breach {
        BudgetBreach::Depth { .. } => too_deep(limits),
        BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. } | BudgetBreach::AliasAnchorRatio { .. } => anchors(),
        BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => {
            words("too-many-values", format!("the document holds more than {} values", limits.max_nodes))
                .hint("split it over several files")
        }
        BudgetBreach::MergeKeys { .. } => words("merge-key", "merge keys (`<<`) are not read").hint("write the keys out"),
        BudgetBreach::Documents { .. } => words("several-documents", "the file holds several documents").hint("keep one"),
        BudgetBreach::SequenceUnbalanced => words("yaml-syntax", "a list or mapping is not closed").hint("add the closing `]` or `}`"),
        _ => words("too-many-values", "the document is larger than the reader allows").hint("split it over several files"),
    }
}

fn too_deep(limits: &Limits) -> Words {
    words("nesting-too-deep", format!("lists and mappings are nested more than {} levels deep", limits.max_depth))
        .hint("no document needs that many: look for a bracket or an indentation too many")
}

/// What was expected, without the names of Rust types.
fn wanted(expected: &str) -> &'static str {
    let expected = expected.trim();
    match expected {
        "u8" | "a u8" => "a whole number from 0 to 255",
        "u16" | "a u16" => "a whole number from 0 to 65535",
        "u32" | "a u32" => "a whole number from 0 to 4294967295",
        "u64" | "a u64" | "usize" | "u128" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "an integer" => "a whole number",
        "f32" | "f64" | "floating point" => "a number",
        "boolean" | "bool" | "a boolean" => "`true` or `false`",
        "map" | "a map" => "a mapping",
        "unit" | "()" => "nothing",
        "string" | "a string" | "a borrowed string" | "str" | "char" | "a character" => "a text",
        _ if expected.starts_with("struct ") || expected.starts_with("map") => "a mapping",
        _ if expected.starts_with("a sequence") || expected.starts_with("sequence") || expected.starts_with("tuple") => "a list",
        _ if expected.starts_with("enum ") || expected.starts_with("variant ") => "one of several named forms",
        _ if expected.starts_with('u') && expected[1..].chars().all(|c| c.is_ascii_digit()) => "a whole number, 0 or more",
        _ => "another kind of value",
    }
}

/// What was found instead. Serde writes `string "x"`, `integer `5``, `map`, `sequence`.
fn found(unexpected: &str) -> String {
    let unexpected = unexpected.trim();
    match unexpected {
        "map" | "a map" => "a mapping".to_owned(),
        "seq" | "sequence" | "a sequence" => "a list".to_owned(),
        "null" | "unit value" | "Option value" => "nothing".to_owned(),
        "string" => "a text".to_owned(),
        _ => match unexpected.split_once(' ') {
            Some(("string", text)) => format!("the text {}", quote(text.trim_matches('"'))),
            Some(("integer", text)) => format!("the number {}", quote(text.trim_matches('`'))),
            Some(("floating", text)) => format!("the number {}", quote(text.trim_start_matches("point ").trim_matches('`'))),
            Some(("boolean", text)) => quote(text.trim_matches('`')),
            _ => "something else".to_owned(),
        },
    }
}

fn syntax(kind: &ErrorKind, limits: &Limits) -> Words {
    use ErrorKind as K;
    match kind {
        K::RecursionLimitExceeded => return too_deep(limits),
        K::UnknownAnchor | K::MissingAnchorOrAliasName | K::AnchorCountOverflow => return anchors(),
        K::MultipleDocumentsUnsupported => {
            return words("several-documents", "a second document starts here").hint("a file holds one document: remove the `---`");
        }
        _ => {}
    }
    let (message, hint) = match kind {
        K::TabNotAllowed | K::TabInBlockIndentation | K::TabInIndentation | K::TabAtBlockScalarStart => {
            ("a tab is used for indentation", Some("indent with spaces"))
        }
        K::UnclosedQuotedScalar | K::DocumentIndicatorInQuotedScalar => ("a quoted text is not closed", Some("add the closing quote")),
        K::UnclosedFlowCollection { .. }
        | K::UnexpectedEofFlowSequence
        | K::UnexpectedEofFlowMapping
        | K::UnexpectedEofImplicitFlowMapping => ("a bracket is not closed", Some("add the closing `]` or `}`")),
        K::MisplacedFlowCollectionEnd | K::MismatchedFlowCollectionEnd { .. } => ("a closing bracket has no partner", None),
        K::ExpectedFlowMappingSeparator | K::ExpectedFlowSequenceSeparator => {
            ("a comma or a closing bracket is expected here", Some("put a comma between the entries"))
        }
        K::InvalidIndentation | K::ExpectedBlockSequenceEntry => {
            ("the indentation does not match the lines above", Some("entries of one list or mapping start in the same column"))
        }
        K::ExpectedBlockMappingKey => {
            ("a key is expected here; the indentation does not match the lines above", Some("keys of one mapping start in the same column"))
        }
        K::SimpleKeyExpected | K::InvalidSimpleKey => ("`key: value` is expected here", Some("a colon and a space are missing")),
        K::MappingValueNotAllowed | K::InvalidColonPlacement | K::MappingKeyNotAllowed => {
            ("a second `key:` on one line", Some("start a new line, or put a text with a colon between quotes"))
        }
        K::BlockEntryInFlowCollection | K::BlockSequenceEntryNotAllowed => {
            ("a list entry (`- `) may not stand here", Some("start it on its own line"))
        }
        K::CommentNotSeparated => ("a comment needs a space before its `#`", None),
        K::UnknownQuotedScalarEscape | K::InvalidQuotedScalarHexEscape => {
            ("unknown escape after a backslash", Some("between single quotes backslashes are plain text: 'sql1.contoso.com\\rtc'"))
        }
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => {
            ("more text follows a closed quotation", Some("put all of it between the quotes"))
        }
        K::UnexpectedCharacter { .. } => ("a character that cannot start a value", Some("put the value between quotes")),
        K::UnexpectedEof | K::UnexpectedEofBlockSequence | K::UnexpectedEofBlockMapping => ("the document ends too early", None),
        _ => ("this is not YAML", None),
    };
    let out = words("yaml-syntax", message);
    match hint {
        Some(hint) => out.hint(hint),
        None => out,
    }
}
