//! Entries of a master file: tokens of one record, wherever its lines end (RFC 1035 5.1).

use std::sync::Arc;

use firedrill_syntax::{Diagnostic, Source, Span};

/// Most tokens of one record: more is no record that a message could carry.
const TOKENS_MAX: usize = 1_000;

/// One word or quoted string.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// Bytes with escapes undone, and whether each was escaped (an escaped dot ends no label).
    pub(super) bytes: Vec<(u8, bool)>,
    pub(super) span: Span,
    pub(super) quoted: bool,
}

impl Token {
    /// The token as text, where nothing in it needed an escape; otherwise what a reader sees.
    pub(super) fn text(&self) -> String {
        self.bytes.iter().map(|(byte, _)| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' }).collect()
    }
}

/// One record or directive.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) tokens: Vec<Token>,
    /// Whether it starts with white space: the owner is that of the record before.
    pub(super) blank_owner: bool,
    pub(super) span: Span,
}

/// Splits a file into entries; stops at what makes the rest unreadable.
pub(super) fn entries(source: &Arc<Source>) -> Result<Vec<Entry>, Diagnostic> {
    let text = source.text.as_bytes();
    let mut entries = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if let Some(entry) = entry(source, text, &mut at)? {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// One entry; none for an empty line.
fn entry(source: &Arc<Source>, text: &[u8], at: &mut usize) -> Result<Option<Entry>, Diagnostic> {
    let start = *at;
    let blank_owner = matches!(text.get(start), Some(b' ' | b'\t'));
    let mut tokens: Vec<Token> = Vec::new();
    let mut open: Option<usize> = None;
    while let Some(byte) = text.get(*at).copied() {
        match byte {
            b'\n' if open.is_none() => {
                *at += 1;
                break;
            }
            b' ' | b'\t' | b'\r' | b'\n' => *at += 1,
            b';' => {
                while text.get(*at).is_some_and(|byte| *byte != b'\n') {
                    *at += 1;
                }
            }
            b'(' if open.is_some() => return Err(bad(source, *at, "a parenthesis inside another", "close the first one before")),
            b'(' => {
                open = Some(*at);
                *at += 1;
            }
            b')' if open.is_none() => return Err(bad(source, *at, "a parenthesis is closed that was never opened", "remove it")),
            b')' => {
                open = None;
                *at += 1;
            }
            _ if tokens.len() == TOKENS_MAX => {
                return Err(bad(source, start, "this record has more than 1000 parts", "a quote or parenthesis may not be closed"));
            }
            _ => tokens.push(token(source, text, at)?),
        }
    }
    if let Some(place) = open {
        return Err(bad(source, place, "this parenthesis is never closed", "write `)` at the end of the record"));
    }
    let span = match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => return Ok(None),
    };
    Ok(Some(Entry { tokens, blank_owner, span }))
}

fn token(source: &Arc<Source>, text: &[u8], at: &mut usize) -> Result<Token, Diagnostic> {
    let start = *at;
    let quoted = text[start] == b'"';
    if quoted {
        *at += 1;
    }
    let mut bytes = Vec::new();
    loop {
        let Some(byte) = text.get(*at).copied().filter(|byte| !(quoted && *byte == b'\n')) else {
            if quoted {
                return Err(bad(source, start, "this quote is never closed", "write a quote at the end of the text, on the same line"));
            }
            break;
        };
        match byte {
            b'"' if quoted => {
                *at += 1;
                break;
            }
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' | b'"' if !quoted => break,
            b'\\' => {
                bytes.push((escape(source, text, at)?, true));
            }
            _ => {
                bytes.push((byte, false));
                *at += 1;
            }
        }
    }
    Ok(Token { bytes, span: Span::new(start, *at), quoted })
}

/// `\X` is X, `\DDD` the byte with that decimal number (RFC 1035 5.1).
fn escape(source: &Arc<Source>, text: &[u8], at: &mut usize) -> Result<u8, Diagnostic> {
    let start = *at;
    let digits = text.get(start + 1..start + 4).filter(|digits| digits.iter().all(u8::is_ascii_digit));
    if let Some(digits) = digits {
        let number = digits.iter().fold(0u16, |number, digit| number * 10 + u16::from(digit - b'0'));
        *at += 4;
        return u8::try_from(number)
            .map_err(|_| bad(source, start, "an escape names a byte above 255", "write `\\` and three digits up to 255"));
    }
    match text.get(start + 1).copied().filter(|byte| !matches!(byte, b'\n' | b'\r')) {
        Some(byte) => {
            *at += 2;
            Ok(byte)
        }
        None => Err(bad(source, start, "an escape at the end of the line escapes nothing", "remove the `\\`")),
    }
}

fn bad(source: &Arc<Source>, at: usize, message: &str, hint: &str) -> Diagnostic {
    Diagnostic::error("bad-master-file", source, Span::new(at, at + 1), message).hint(hint)
}
