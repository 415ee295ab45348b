//! Strings, here-strings, variables, and the words of command mode.

use std::sync::Arc;

use super::cursor::{ends_word, is_dash, is_double_quote, is_identifier, is_newline, is_single_quote};
use super::{Parse, ParseError, Parser};
use crate::ast::{Expression, ExpressionKind, Quoting, StringPart, VariablePath};
use crate::source::Span;

/// Collects the parts of an expandable string.
#[derive(Default)]
struct Parts {
    parts: Vec<StringPart>,
    text: String,
}

impl Parts {
    fn expression(&mut self, expression: Expression) {
        self.flush();
        self.parts.push(StringPart::Expression(expression));
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.parts.push(StringPart::Text(std::mem::take(&mut self.text).into()));
        }
    }

    fn finish(mut self, quoting: Quoting) -> ExpressionKind {
        if self.parts.is_empty() {
            return ExpressionKind::Text(self.text.into(), quoting);
        }
        self.flush();
        ExpressionKind::Expandable(self.parts, quoting)
    }
}

impl Parser<'_> {
    fn missing_terminator(&mut self, start: usize, terminator: &str, id: &'static str) {
        let span = self.span_from(start);
        self.push_error(ParseError {
            message: format!("The string is missing the terminator: {terminator}.").into(),
            id,
            span,
            incomplete: true,
        });
    }

    /// `'…'`; the position is on the quote.
    pub(crate) fn single_quoted_text(&mut self) -> String {
        let start = self.pos;
        let mut text = String::new();
        self.advance_char();
        while let Some(c) = self.peek_char() {
            self.advance_char();
            if is_single_quote(c) {
                match self.peek_char() {
                    Some(next) if is_single_quote(next) => self.advance_char(),
                    _ => return text,
                }
            }
            text.push(c);
        }
        self.missing_terminator(start, "'", "TerminatorExpectedAtEndOfString");
        text
    }

    /// The character after a backtick; the position is behind the backtick.
    fn escape(&mut self, text: &mut String) {
        let Some(c) = self.peek_char() else { return };
        self.advance_char();
        text.push(match c {
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            other => other,
        });
    }

    /// A `$` inside an expandable string or word.
    fn dollar(&mut self, parts: &mut Parts) -> Parse<()> {
        let start = self.pos;
        if self.peek_at(1) == Some(b'(') {
            let comma = std::mem::replace(&mut self.no_comma, false);
            let sub = self.nested(Self::sub_expression);
            self.no_comma = comma;
            parts.expression(sub?);
            return Ok(());
        }
        match self.variable(true)? {
            Some(path) => {
                let span = self.span_from(start);
                parts.expression(Self::variable_expression(path, span));
            }
            None => {
                self.pos = start + 1;
                parts.text.push('$');
            }
        }
        Ok(())
    }

    fn double_quoted_parts(&mut self, parts: &mut Parts) -> Parse<()> {
        let start = self.pos;
        self.advance_char();
        while let Some(c) = self.peek_char() {
            if c == '$' {
                if let Err(bail) = self.dollar(parts) {
                    // What is open inside leaves the string open too.
                    if self.at_end() {
                        self.missing_terminator(start, "\"", "TerminatorExpectedAtEndOfString");
                    }
                    return Err(bail);
                }
                continue;
            }
            self.advance_char();
            if is_double_quote(c) {
                match self.peek_char() {
                    Some(next) if is_double_quote(next) => self.advance_char(),
                    _ => return Ok(()),
                }
                parts.text.push(c);
            } else if c == '`' {
                self.escape(&mut parts.text);
            } else {
                parts.text.push(c);
            }
        }
        self.missing_terminator(start, "\"", "TerminatorExpectedAtEndOfString");
        Ok(())
    }

    /// A quoted string; the position is on the quote.
    pub(crate) fn quoted(&mut self) -> Parse<Expression> {
        let start = self.pos;
        let kind = if self.peek_char().is_some_and(is_single_quote) {
            ExpressionKind::Text(self.single_quoted_text().into(), Quoting::Single)
        } else {
            let mut parts = Parts::default();
            self.nested(|p| p.double_quoted_parts(&mut parts))?;
            parts.finish(Quoting::Double)
        };
        Ok(Expression { span: self.span_from(start), kind })
    }

    /// Whether `@'` or `@"` stands here.
    pub(crate) fn at_here_string(&self) -> bool {
        self.peek() == Some(b'@') && self.peek_second().is_some_and(|c| is_single_quote(c) || is_double_quote(c))
    }

    /// A here-string; the position is on the `@`.
    pub(crate) fn here_string(&mut self) -> Parse<Expression> {
        let start = self.pos;
        self.pos += 1;
        let single = self.peek_char().is_some_and(is_single_quote);
        self.advance_char();
        while self.peek_char().is_some_and(super::cursor::is_blank) {
            self.advance_char();
        }
        if !self.peek_char().is_some_and(is_newline) {
            let span = self.here();
            return self.bail(
                span,
                "UnexpectedCharactersAfterHereStringHeader",
                "No characters are allowed after a here-string header but before the end of the line.",
            );
        }
        self.line_end();
        let mut parts = Parts::default();
        // The header's own line end already opens the first line.
        let mut line_start = true;
        loop {
            if line_start && self.at_here_end(single) {
                // The last line end belongs to the terminator.
                if parts.text.ends_with('\n') {
                    parts.text.pop();
                    if parts.text.ends_with('\r') {
                        parts.text.pop();
                    }
                }
                self.advance_char();
                self.pos += 1;
                break;
            }
            let Some(c) = self.peek_char() else {
                let terminator = if single { "'@" } else { "\"@" };
                self.missing_terminator(start, terminator, "TerminatorExpectedAtEndOfString");
                break;
            };
            line_start = false;
            if is_newline(c) {
                let from = self.pos;
                self.line_end();
                parts.text.push_str(&self.text[from..self.pos]);
                line_start = true;
            } else if !single && c == '$' {
                self.nested(|p| p.dollar(&mut parts))?;
            } else if !single && c == '`' {
                self.advance_char();
                self.escape(&mut parts.text);
            } else {
                self.advance_char();
                parts.text.push(c);
            }
        }
        let quoting = if single { Quoting::SingleHere } else { Quoting::DoubleHere };
        Ok(Expression { span: self.span_from(start), kind: parts.finish(quoting) })
    }

    fn line_end(&mut self) {
        if self.starts_with("\r\n") {
            self.pos += 2;
        } else {
            self.pos += 1;
        }
    }

    fn at_here_end(&self, single: bool) -> bool {
        let quote = self.peek_char().is_some_and(|c| if single { is_single_quote(c) } else { is_double_quote(c) });
        quote && self.peek_second() == Some('@')
    }

    pub(crate) fn variable_expression(path: VariablePath, span: Span) -> Expression {
        let kind = if path.scope.as_deref() == Some("using") { ExpressionKind::Using(path) } else { ExpressionKind::Variable(path) };
        Expression { span, kind }
    }

    fn variable_path(&self, start: usize, scope: Option<&str>, name: &str) -> VariablePath {
        VariablePath {
            span: self.span_from(start),
            scope: scope.map(|s| s.to_lowercase().into()),
            name: name.into(),
            key: name.to_lowercase().into(),
        }
    }

    /// A variable after `$` (or the `@` of a splat); the position is on the sigil. `None` when none stands there.
    pub(crate) fn variable(&mut self, in_string: bool) -> Parse<Option<VariablePath>> {
        let start = self.pos;
        self.pos += 1;
        match self.peek_char() {
            Some('{') => return self.braced_variable(start).map(Some),
            Some(c @ ('$' | '^' | '?')) => {
                self.pos += 1;
                return Ok(Some(self.variable_path(start, None, c.encode_utf8(&mut [0; 4]))));
            }
            Some(c) if is_identifier(c) => {}
            _ => {
                self.pos = start;
                return Ok(None);
            }
        }
        let from = self.pos;
        self.variable_word();
        let mut name_from = from;
        let mut scope = None;
        if self.peek() == Some(b':') && self.peek_at(1) != Some(b':') {
            let after = self.text[self.pos + 1..].chars().next();
            if after.is_some_and(|c| is_identifier(c) || c == '?') {
                scope = Some(&self.text[from..self.pos]);
                self.pos += 1;
                name_from = self.pos;
                self.variable_word();
            } else if in_string || !after.is_some_and(|c| matches!(c, ':')) {
                let span = self.span_from(start);
                return self.bail(
                    Span { end: span.end + 1, ..span },
                    "InvalidVariableReferenceWithDrive",
                    "Variable reference is not valid. ':' was not followed by a valid variable name character. Consider using ${} to delimit the name.",
                );
            }
        }
        let name = &self.text[name_from..self.pos];
        Ok(Some(self.variable_path(start, scope, name)))
    }

    fn variable_word(&mut self) {
        while self.peek_char().is_some_and(|c| is_identifier(c) || c == '?') {
            self.advance_char();
        }
    }

    fn braced_variable(&mut self, start: usize) -> Parse<VariablePath> {
        self.pos += 1;
        let mut name = String::new();
        loop {
            match self.peek_char() {
                Some('}') => break,
                Some('`') => {
                    self.pos += 1;
                    self.escape(&mut name);
                }
                Some(c) => {
                    self.advance_char();
                    name.push(c);
                }
                None => {
                    let open = Span::new(start + 1, self.pos);
                    self.push_error(ParseError {
                        message: "The variable reference is missing its closing '}'.".into(),
                        id: "IncompleteDollarVariableReference",
                        span: open,
                        incomplete: true,
                    });
                    return Err(super::Bail);
                }
            }
        }
        self.pos += 1;
        if name.is_empty() {
            let span = Span::new(start + 2, start + 3);
            return self.bail(span, "EmptyVariableReference", "The braced variable reference has no name.");
        }
        match name.split_once(':') {
            Some((scope, rest)) if !scope.is_empty() && !rest.is_empty() && scope.chars().all(is_identifier) => {
                Ok(self.variable_path(start, Some(scope), rest))
            }
            _ => Ok(self.variable_path(start, None, &name)),
        }
    }

    /// A word of command mode: everything up to a blank or separator, with quotes, escapes and variables inside.
    pub(crate) fn word(&mut self) -> Parse<Expression> {
        let start = self.pos;
        let mut parts = Parts::default();
        while let Some(c) = self.peek_char() {
            if c == '`' {
                if self.peek_second().is_none_or(is_newline) {
                    break;
                }
                self.pos += 1;
                self.escape(&mut parts.text);
            } else if is_single_quote(c) {
                let text = self.single_quoted_text();
                parts.text.push_str(&text);
            } else if is_double_quote(c) {
                self.nested(|p| p.double_quoted_parts(&mut parts))?;
            } else if c == '$' {
                self.nested(|p| p.dollar(&mut parts))?;
            } else if ends_word(c) {
                break;
            } else {
                self.advance_char();
                parts.text.push(c);
            }
        }
        if self.pos == start {
            return self.unexpected();
        }
        Ok(Expression { span: self.span_from(start), kind: parts.finish(Quoting::Bare) })
    }

    /// The name behind a dash, if a parameter stands here: `-Name`.
    pub(crate) fn parameter_name_here(&self) -> Option<(usize, Arc<str>)> {
        let rest = &self.text[self.pos..];
        let mut chars = rest.char_indices();
        let (_, dash) = chars.next()?;
        if !is_dash(dash) {
            return None;
        }
        let (_, first) = chars.next()?;
        if !(super::cursor::is_identifier_start(first) || first == '?') {
            return None;
        }
        let from = dash.len_utf8();
        let end = rest[from..].find(|c| ends_word(c) || matches!(c, '.' | '[' | ':')).map_or(rest.len(), |at| at + from);
        let name = &rest[from..end];
        (!name.contains(|c| is_single_quote(c) || is_double_quote(c))).then(|| (end, name.into()))
    }
}
