//! Replacement patterns: `$1`, `${name}`, `$&`, `` $` ``, `$'`, `$+`, `$_`, `$$`.

use super::{Found, Pattern};
use crate::error::LimitError;
use crate::limits;

/// One piece of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
    Before,
    After,
    Whole,
    LastGroup,
}

/// A replacement pattern for one pattern: whether `$2` is a group depends on the groups there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement(Vec<Piece>);

impl Replacement {
    /// Takes a replacement apart; what is no group of the pattern stays as it is written.
    pub fn new(text: &str, pattern: &Pattern) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while at < chars.len() {
            let (piece, used) = if chars[at] == '$' { special(&chars[at + 1..], pattern) } else { (None, 0) };
            match piece {
                Some(Piece::Text(text)) => literal.push_str(&text),
                Some(piece) => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut literal)));
                    }
                    pieces.push(piece);
                }
                None => literal.push(chars[at]),
            }
            at += 1 + used;
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Self(pieces)
    }

    /// What stands for one match.
    pub fn expand(&self, found: &Found, subject: &str, out: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Group(number) => out.push_str(found.text(*number, subject).unwrap_or_default()),
                Piece::Before => out.push_str(&subject[..found.start()]),
                Piece::After => out.push_str(&subject[found.end()..]),
                Piece::Whole => out.push_str(subject),
                Piece::LastGroup => out.push_str(found.text(found.spans.len() - 1, subject).unwrap_or_default()),
            }
        }
    }
}

/// What stands behind a dollar sign, and how many characters it takes.
fn special(rest: &[char], pattern: &Pattern) -> (Option<Piece>, usize) {
    let piece = match rest.first() {
        Some('$') => Piece::Text("$".into()),
        Some('&') => Piece::Group(0),
        Some('`') => Piece::Before,
        Some('\'') => Piece::After,
        Some('_') => Piece::Whole,
        Some('+') => Piece::LastGroup,
        Some('{') => {
            let Some(end) = rest.iter().position(|c| *c == '}') else { return (None, 0) };
            let name: String = rest[1..end].iter().collect();
            return match pattern.group_number(&name) {
                Some(number) => (Some(Piece::Group(number)), end + 1),
                None => (None, 0),
            };
        }
        Some(digit) if digit.is_ascii_digit() => {
            let digits: String = rest.iter().take_while(|c| c.is_ascii_digit()).collect();
            return match digits.parse::<usize>() {
                Ok(number) if number < pattern.groups().len() => (Some(Piece::Group(number)), digits.len()),
                _ => (None, 0),
            };
        }
        _ => return (None, 0),
    };
    (Some(piece), 1)
}

impl Pattern {
    /// Replaces matches, at most `limit` of them.
    pub fn replace(&self, subject: &str, replacement: &Replacement, limit: usize) -> Result<String, LimitError> {
        self.replace_with(subject, limit, |found, out| {
            replacement.expand(found, subject, out);
            Ok(())
        })
    }

    /// Replaces matches by what a function writes for each.
    pub fn replace_with<E: From<LimitError>>(
        &self,
        subject: &str,
        limit: usize,
        mut write: impl FnMut(&Found, &mut String) -> Result<(), E>,
    ) -> Result<String, E> {
        let mut out = String::with_capacity(subject.len());
        let mut last = 0;
        for found in self.find_all(subject, limit)? {
            out.push_str(&subject[last..found.start()]);
            write(&found, &mut out)?;
            limits::longer(out.len())?;
            last = found.end();
        }
        out.push_str(&subject[last..]);
        Ok(out)
    }
}
