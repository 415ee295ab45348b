//! The parser: scannerless recursive descent with the two modes of the language, expression mode and command mode.
//!
//! Errors are collected, not returned: the parser resumes at the next statement and goes on. It is total (every text
//! gives a tree), linear, and limited in depth; messages and ids are PowerShell's own where it has them.

mod blocks;
mod classes;
mod commands;
mod cursor;
mod expressions;
mod help;
mod loops;
mod members;
mod numbers;
mod operands;
mod paths;
mod pipelines;
mod statements;
mod strings;

use std::sync::Arc;

use crate::ast::ScriptBlockAst;
use crate::source::{Source, Span};

pub use help::{HelpSection, sections as help_sections};
pub use numbers::parse_number;

/// Nesting of the text beyond which the parser gives up.
pub const NESTING_LIMIT: usize = 100;
/// Errors beyond which the parser gives up.
pub const ERROR_LIMIT: usize = 100;
/// Members, indices and calls in one chain (`$a.b.c…`).
const CHAIN_LIMIT: usize = 400;

/// A syntax error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong, in PowerShell's words where it has them.
    pub message: Arc<str>,
    /// `ParseError.ErrorId`.
    pub id: &'static str,
    /// Where.
    pub span: Span,
    /// Whether more text could mend it: a console asks for another line.
    pub incomplete: bool,
}

/// An error was recorded; the statement is given up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bail;

pub(crate) type Parse<T> = Result<T, Bail>;

pub(crate) struct Parser<'s> {
    source: Arc<Source>,
    text: &'s str,
    bytes: &'s [u8],
    pos: usize,
    depth: usize,
    /// In a list where commas separate arguments (method calls, attributes, parameters): the comma operator is off.
    no_comma: bool,
    fatal: bool,
    errors: Vec<ParseError>,
    requires: Vec<(Arc<str>, Span)>,
}

/// Parses a whole text.
pub fn parse(source: &Arc<Source>) -> (ScriptBlockAst, Vec<ParseError>) {
    let text: Arc<str> = source.text.clone();
    let mut parser = Parser {
        source: source.clone(),
        text: &text,
        bytes: text.as_bytes(),
        pos: 0,
        depth: 0,
        no_comma: false,
        fatal: false,
        errors: Vec::new(),
        requires: Vec::new(),
    };
    if text.starts_with('\u{feff}') {
        parser.pos = 3;
    }
    let mut ast = parser.script();
    ast.requires = std::mem::take(&mut parser.requires);
    let mut errors = parser.errors;
    errors.sort_by_key(|e| e.span.start);
    (ast, errors)
}

impl Parser<'_> {
    fn error_at(&mut self, span: Span, id: &'static str, message: impl Into<Arc<str>>) {
        self.push_error(ParseError { message: message.into(), id, span, incomplete: span.start as usize >= self.text.len() });
    }

    fn push_error(&mut self, error: ParseError) {
        if self.fatal || self.errors.iter().rev().take(3).any(|e| e.span == error.span && e.id == error.id) {
            return;
        }
        self.errors.push(error);
        if self.errors.len() >= ERROR_LIMIT {
            self.fatal = true;
        }
    }

    fn bail<T>(&mut self, span: Span, id: &'static str, message: impl Into<Arc<str>>) -> Parse<T> {
        self.error_at(span, id, message);
        Err(Bail)
    }

    /// Something is missing here: an empty span behind the last token.
    fn bail_here<T>(&mut self, id: &'static str, message: impl Into<Arc<str>>) -> Parse<T> {
        let mut span = self.after_last();
        if id == "MissingStatementBlock" {
            // PowerShell blames the last token of the condition, a parenthesis.
            span.start = span.start.saturating_sub(1);
        }
        let incomplete = self.at_end();
        self.push_error(ParseError { message: message.into(), id, span, incomplete });
        Err(Bail)
    }

    /// The empty span behind the last token.
    fn after_last(&self) -> Span {
        let end = self.text[..self.pos].trim_end().len();
        Span::new(end, end)
    }

    /// `Missing closing …`: more input could mend it.
    fn missing_close(&mut self, open: Span, id: &'static str, message: &str) {
        let incomplete = self.at_end();
        // Line ends that were skipped in search of it belong to the next statement.
        self.pos = self.after_last().end as usize;
        // A brace is reported where it opens, a parenthesis where it should have closed.
        let span = if id.ends_with("CurlyBrace") || id == "IncompleteHashLiteral" { open } else { self.after_last() };
        self.push_error(ParseError { message: message.into(), id, span, incomplete });
    }

    fn unexpected<T>(&mut self) -> Parse<T> {
        let span = self.token_here();
        let text = span.of(self.text).to_owned();
        if self.at_end() {
            return self.bail(span, "UnexpectedEndOfInput", "The text ends in the middle of a statement.");
        }
        match text.as_str() {
            "&&" | "||" => self.bail(
                span,
                "InvalidEndOfLine",
                format!("The token '{text}' is not a valid statement separator in this version."),
            ),
            "&" => self.bail(
                span,
                "AmpersandNotAllowed",
                "The ampersand (&) character is not allowed. The & operator is reserved for future use; wrap an ampersand in double quotation marks (\"&\") to pass it as part of a string.",
            ),
            "<" => self.bail(span, "RedirectionNotSupported", "The '<' operator is reserved for future use."),
            _ => self.bail(span, "UnexpectedToken", format!("Unexpected token '{text}' in expression or statement.")),
        }
    }

    /// Runs `f` one level deeper.
    fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.fatal {
            return Err(Bail);
        }
        if self.depth >= NESTING_LIMIT {
            let span = self.here();
            self.error_at(span, "NestingLimit", format!("The text is nested deeper than {NESTING_LIMIT} levels."));
            self.fatal = true;
            return Err(Bail);
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    /// Skips to a place where a statement may start: past balanced brackets, up to a line end, `;` or a closing brace.
    /// Brackets are counted from the start of the statement that failed, so that what it left open is closed first.
    fn recover(&mut self, start: usize) {
        let failed_at = self.pos;
        self.pos = start;
        let (mut braces, mut parens) = (0usize, 0usize);
        while let Some(byte) = self.peek() {
            let past = self.pos >= failed_at;
            match byte {
                // An open parenthesis does not reach over a line end: the missing one was the error.
                b'\n' | b'\r' if past && braces == 0 => return,
                b';' if past && braces == 0 && parens == 0 => return,
                b'}' if past && braces == 0 => return,
                b'{' => braces += 1,
                b'(' => parens += 1,
                b'}' => braces = braces.saturating_sub(1),
                b')' => parens = parens.saturating_sub(1),
                b'#' if self.pos > 0 && self.bytes[self.pos - 1].is_ascii_whitespace() => {
                    self.skip_line();
                    continue;
                }
                b'`' => self.advance_char(),
                quote @ (b'\'' | b'"') => {
                    let mut end = self.pos + 1;
                    while end < self.bytes.len() && self.bytes[end] != b'\n' && self.bytes[end] != quote {
                        end += 1;
                    }
                    if self.bytes.get(end) == Some(&quote) {
                        self.pos = end;
                    }
                }
                _ => {}
            }
            self.advance_char();
        }
    }
}
