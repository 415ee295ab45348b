//! Characters and what stands between tokens.

use super::Parser;
use crate::source::Span;

pub(crate) fn is_single_quote(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}')
}

pub(crate) fn is_double_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

pub(crate) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2013}' | '\u{2014}' | '\u{2015}')
}

pub(crate) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{b}' | '\u{c}' | '\u{85}') || (!c.is_ascii() && c.is_whitespace() && !matches!(c, '\u{2028}' | '\u{2029}'))
}

pub(crate) fn is_newline(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// Characters that end a word in command mode.
pub(crate) fn ends_word(c: char) -> bool {
    matches!(c, '{' | '}' | '(' | ')' | ';' | ',' | '|' | '&' | '\n' | '\r' | '\0') || is_blank(c)
}

pub(crate) fn is_identifier_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

pub(crate) fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Parser<'_> {
    pub(crate) fn at_end(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    pub(crate) fn peek_at(&self, offset: usize) -> Option<u8> {
        self.bytes.get(self.pos + offset).copied()
    }

    pub(crate) fn peek_char(&self) -> Option<char> {
        let byte = self.peek()?;
        if byte < 0x80 { Some(byte as char) } else { self.text.get(self.pos..)?.chars().next() }
    }

    /// The character after the current one.
    pub(crate) fn peek_second(&self) -> Option<char> {
        let mut chars = self.text.get(self.pos..)?.chars();
        chars.next();
        chars.next()
    }

    pub(crate) fn advance_char(&mut self) {
        self.pos += self.peek_char().map_or(0, char::len_utf8);
    }

    pub(crate) fn starts_with(&self, text: &str) -> bool {
        self.bytes[self.pos.min(self.bytes.len())..].starts_with(text.as_bytes())
    }

    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.pos += 1;
        }
        found
    }

    pub(crate) fn span_from(&self, start: usize) -> Span {
        Span::new(start, self.pos.max(start))
    }

    /// One character at the current place, or the empty span at the end.
    pub(crate) fn here(&self) -> Span {
        Span::new(self.pos, self.pos + self.peek_char().map_or(0, char::len_utf8))
    }

    /// The word or character that stands here, for messages.
    pub(crate) fn token_here(&self) -> Span {
        let rest = &self.text[self.pos.min(self.text.len())..];
        for token in ["&&", "||", "..", "::", ">>", "++", "--"] {
            if rest.starts_with(token) {
                return Span::new(self.pos, self.pos + token.len());
            }
        }
        let length = match rest.chars().next() {
            None => 0,
            Some(first) if ends_word(first) || matches!(first, '[' | ']' | '<' | '>' | '=' | '+' | '*' | '/' | '%' | '.' | ':') => {
                first.len_utf8()
            }
            Some(quote) if is_double_quote(quote) || is_single_quote(quote) => {
                let body = &rest[quote.len_utf8()..];
                let end = body.find(['\n', '\r']).unwrap_or(body.len());
                body[..end]
                    .char_indices()
                    .find(|(_, c)| *c == quote)
                    .map_or(quote.len_utf8() + end, |(at, c)| quote.len_utf8() + at + c.len_utf8())
            }
            Some(_) => rest.find(|c| ends_word(c) || matches!(c, '[' | ']' | '=' | '.')).filter(|n| *n > 0).unwrap_or(rest.len()),
        };
        Span::new(self.pos, self.pos + length)
    }

    pub(crate) fn skip_line(&mut self) {
        while let Some(byte) = self.peek() {
            if matches!(byte, b'\n' | b'\r') {
                return;
            }
            self.pos += 1;
        }
    }

    /// Blanks, comments and continued lines.
    pub(crate) fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.pos += 1,
                Some(b'`') => {
                    let width = match (self.peek_at(1), self.peek_at(2)) {
                        (Some(b'\r'), Some(b'\n')) => 3,
                        (Some(b'\n' | b'\r'), _) => 2,
                        _ => return,
                    };
                    self.pos += width;
                }
                Some(b'#') => self.line_comment(),
                Some(b'<') if self.peek_at(1) == Some(b'#') => self.block_comment(),
                Some(byte) if byte == 0x0b || byte == 0x0c || byte >= 0x80 => match self.peek_char() {
                    Some(c) if is_blank(c) => self.pos += c.len_utf8(),
                    _ => return,
                },
                _ => return,
            }
        }
    }

    fn line_comment(&mut self) {
        let start = self.pos;
        self.skip_line();
        let span = self.span_from(start);
        let text = span.of(self.text);
        if text.len() > 10 && text.get(..10).is_some_and(|t| t.eq_ignore_ascii_case("#requires ")) {
            let requirement = text[10..].trim().into();
            if self.requires.last().is_none_or(|(_, last)| last.start < span.start) {
                self.requires.push((requirement, span));
            }
        }
    }

    fn block_comment(&mut self) {
        let start = self.pos;
        match self.text[self.pos + 2..].find("#>") {
            Some(at) => self.pos += at + 4,
            None => {
                self.pos = self.bytes.len();
                let open = Span::new(start, start + 2);
                self.push_error(super::ParseError {
                    message: "The terminator #> is missing from the multiline comment.".into(),
                    id: "MissingTerminatorMultiLineComment",
                    span: open,
                    incomplete: true,
                });
            }
        }
    }

    /// Blanks and line ends.
    pub(crate) fn skip_newlines(&mut self) {
        loop {
            self.skip_blanks();
            if !matches!(self.peek(), Some(b'\n' | b'\r')) {
                return;
            }
            self.pos += 1;
        }
    }

    /// Blanks, line ends and semicolons.
    pub(crate) fn skip_separators(&mut self) {
        loop {
            self.skip_newlines();
            if self.peek() != Some(b';') {
                return;
            }
            self.pos += 1;
        }
    }

    /// Whether a statement ends here.
    pub(crate) fn at_statement_end(&self) -> bool {
        matches!(self.peek(), None | Some(b'\n' | b'\r' | b';' | b'}' | b')'))
    }

    /// The keyword that stands here: letters that are followed by something that ends a word.
    pub(crate) fn keyword_here(&self) -> Option<&str> {
        let rest = &self.bytes[self.pos.min(self.bytes.len())..];
        let length = rest.iter().take(16).take_while(|b| b.is_ascii_alphabetic()).count();
        if length == 0 || length == 16 {
            return None;
        }
        let next = self.text[self.pos + length..].chars().next();
        let ends = next.is_none_or(|c| ends_word(c) || matches!(c, '[' | '<' | '>' | '#' | '@' | '"' | '\'' | '$' | '`'));
        ends.then(|| &self.text[self.pos..self.pos + length])
    }

    pub(crate) fn at_keyword(&self, word: &str) -> bool {
        self.keyword_here().is_some_and(|k| k.eq_ignore_ascii_case(word))
    }
}
