//! Command mode: command names, parameters, arguments, redirections.

use std::sync::Arc;

use super::cursor::{ends_word, is_dash, is_double_quote, is_single_quote};
use super::{Parse, Parser};
use crate::ast::*;
use crate::source::Span;

impl Parser<'_> {
    /// Whether a command ends here.
    fn at_command_end(&self) -> bool {
        matches!(self.peek(), None | Some(b'\n' | b'\r' | b';' | b'|' | b'}' | b')' | b'&'))
    }

    /// A command; the position is on its first character.
    pub(crate) fn command(&mut self) -> Parse<Command> {
        let start = self.pos;
        let mut operator = InvocationOperator::None;
        match self.peek() {
            Some(b'&') => operator = InvocationOperator::Call,
            Some(b'.') if self.peek_second().is_none_or(|c| matches!(c, '$' | '(' | '{' | '"' | '\'' | '&') || ends_word(c)) => {
                operator = InvocationOperator::Dot;
            }
            _ => {}
        }
        let mut elements = Vec::new();
        let mut redirections = Vec::new();
        let mut end = self.pos;
        if operator != InvocationOperator::None {
            self.pos += 1;
            self.skip_blanks();
            if self.at_command_end() {
                let symbol = if operator == InvocationOperator::Call { '&' } else { '.' };
                let span = Span::new(start, start + 1);
                return self.bail(
                    span,
                    "MissingExpression",
                    format!("The expression after '{symbol}' in a pipeline element produced an object that was not valid: an expression is missing."),
                );
            }
        }
        loop {
            self.skip_blanks();
            if self.at_command_end() {
                break;
            }
            if let Some(redirection) = self.redirection()? {
                end = self.pos;
                redirections.push(redirection);
                continue;
            }
            if self.starts_with("--%") && self.text[self.pos + 3..].chars().next().is_none_or(ends_word) && !elements.is_empty() {
                let at = self.pos;
                let marker = Expression { span: Span::new(at, at + 3), kind: ExpressionKind::Text("--%".into(), Quoting::Bare) };
                elements.push(CommandElement::Argument(marker));
                elements.push(CommandElement::Argument(self.verbatim()));
                end = self.pos;
                break;
            }
            let element = if elements.is_empty() { CommandElement::Argument(self.command_name(operator)?) } else { self.element()? };
            end = self.pos;
            elements.push(element);
        }
        if elements.is_empty() {
            return self.unexpected();
        }
        Ok(Command { span: Span::new(start, end), operator, elements, redirections })
    }

    fn command_name(&mut self, operator: InvocationOperator) -> Parse<Expression> {
        if operator == InvocationOperator::None {
            match self.peek_char() {
                Some(c) if is_single_quote(c) || is_double_quote(c) => self.quoted(),
                _ => self.word(),
            }
        } else {
            self.argument()
        }
    }

    fn verbatim(&mut self) -> Expression {
        let start = self.pos;
        self.pos += 3;
        let from = self.pos;
        while self.peek().is_some_and(|b| !matches!(b, b'\n' | b'\r' | b'|')) {
            self.pos += 1;
        }
        let text = self.text[from..self.pos].trim_start();
        let start = if text.is_empty() { start } else { self.pos - text.len() };
        Expression { span: self.span_from(start), kind: ExpressionKind::Verbatim(text.into()) }
    }

    fn element(&mut self) -> Parse<CommandElement> {
        let start = self.pos;
        if let Some((length, name)) = self.parameter_name_here() {
            self.pos += length;
            let mut argument = None;
            if self.peek() == Some(b':') {
                self.pos += 1;
                self.skip_blanks();
                if self.at_command_end() {
                    return self.bail_here("ParameterRequiresArgument", format!("Parameter -{name} requires an argument."));
                }
                argument = Some(Box::new(self.argument_list()?));
            }
            return Ok(CommandElement::Parameter { name, argument, span: self.span_from(start) });
        }
        Ok(CommandElement::Argument(self.argument_list()?))
    }

    /// Arguments joined by commas are one array.
    fn argument_list(&mut self) -> Parse<Expression> {
        let first = if self.peek() == Some(b',') { return self.missing_argument() } else { self.argument()? };
        let mut items: Vec<Expression> = Vec::new();
        let mut last = first;
        loop {
            let mark = self.pos;
            self.skip_blanks();
            if !self.eat(b',') {
                self.pos = mark;
                break;
            }
            self.skip_newlines();
            items.push(last);
            if self.at_command_end() || self.peek() == Some(b',') {
                return self.bail_here("MissingExpression", "Missing expression after ','.");
            }
            last = self.argument()?;
        }
        if items.is_empty() {
            return Ok(last);
        }
        let span = items[0].span.to(last.span);
        items.push(last);
        Ok(Expression { span, kind: ExpressionKind::ArrayLiteral(items) })
    }

    fn missing_argument<T>(&mut self) -> Parse<T> {
        self.bail_here("MissingArgument", "Missing argument in parameter list.")
    }

    /// One argument.
    pub(crate) fn argument(&mut self) -> Parse<Expression> {
        let start = self.pos;
        let Some(c) = self.peek_char() else { return self.unexpected() };
        match c {
            '$' if self.peek_at(1) != Some(b'(') => {
                let mark = self.errors.len();
                match self.variable(false) {
                    Ok(Some(path)) => {
                        let rest = &self.text[self.pos..];
                        let next = rest.chars().next();
                        if next.is_none_or(|c| ends_word(c) || matches!(c, '['))
                            || (next == Some('.') && !rest.starts_with(".."))
                            || rest.starts_with("::")
                        {
                            let span = self.span_from(start);
                            return self.postfix(Self::variable_expression(path, span), false);
                        }
                    }
                    Ok(None) => {}
                    Err(bail) => {
                        if self.errors.len() > mark {
                            return Err(bail);
                        }
                    }
                }
                self.pos = start;
                self.word()
            }
            '$' | '(' | '{' => {
                let primary = self.nested(Self::primary)?;
                self.postfix(primary, false)
            }
            '@' if self.at_here_string() || matches!(self.peek_at(1), Some(b'(' | b'{')) => {
                let primary = self.nested(Self::primary)?;
                self.postfix(primary, false)
            }
            '@' => {
                if self.peek_second().is_some_and(|c| super::cursor::is_identifier(c) || c == '{')
                    && let Some(path) = self.variable(false)?
                {
                    return Ok(Expression { span: self.span_from(start), kind: ExpressionKind::Splat(path) });
                }
                self.bail_here("UnrecognizedToken", "Unrecognized token in source text.")
            }
            _ if is_single_quote(c) || is_double_quote(c) => {
                let quoted = self.quoted()?;
                self.postfix(quoted, false)
            }
            _ if c.is_ascii_digit() || c == '.' => {
                if let Some((length, value)) = self.number_here(false) {
                    self.pos += length;
                    return Ok(Expression { span: self.span_from(start), kind: ExpressionKind::Constant(value) });
                }
                self.word()
            }
            ',' => self.missing_argument(),
            _ => self.word(),
        }
    }

    /// A redirection, if one starts here.
    pub(crate) fn redirection(&mut self) -> Parse<Option<Redirection>> {
        let start = self.pos;
        let (stream, at) = match (self.peek(), self.peek_at(1)) {
            (Some(b'>'), _) => (RedirectedStream::Output, 0),
            (Some(b'<'), Some(b'#')) => return Ok(None),
            (Some(b'<'), _) => {
                let span = self.here();
                return self.bail(span, "RedirectionNotSupported", "The '<' operator is reserved for future use.");
            }
            (Some(b'*'), Some(b'>')) => (RedirectedStream::All, 1),
            (Some(digit @ b'1'..=b'6'), Some(b'>')) => (
                match digit {
                    b'1' => RedirectedStream::Output,
                    b'2' => RedirectedStream::Error,
                    b'3' => RedirectedStream::Warning,
                    b'4' => RedirectedStream::Verbose,
                    b'5' => RedirectedStream::Debug,
                    _ => RedirectedStream::Information,
                },
                1,
            ),
            _ => return Ok(None),
        };
        self.pos += at + 1;
        let append = self.eat(b'>');
        if !append && self.peek() == Some(b'&') {
            return if self.peek_at(1) == Some(b'1') && stream != RedirectedStream::Output {
                self.pos += 2;
                Ok(Some(Redirection { span: self.span_from(start), from: stream, to: RedirectionTarget::Output }))
            } else {
                self.bail_here("MissingFileSpecification", "Missing file specification after redirection operator.")
            };
        }
        self.skip_blanks();
        if self.at_command_end() || self.peek() == Some(b'>') {
            return self.bail_here("MissingFileSpecification", "Missing file specification after redirection operator.");
        }
        let path = self.argument()?;
        Ok(Some(Redirection { span: self.span_from(start), from: stream, to: RedirectionTarget::File { path, append } }))
    }

    /// Whether an expression starts here (as opposed to a command).
    pub(crate) fn at_expression(&self) -> bool {
        let Some(c) = self.peek_char() else { return false };
        match c {
            '$' | '(' | '{' | '[' | '!' | ',' => true,
            '@' => true,
            '+' => self.peek_at(1) == Some(b'+') || self.signed_operand(1),
            '.' => self.number_here(true).is_some(),
            _ if is_single_quote(c) || is_double_quote(c) => true,
            _ if c.is_ascii_digit() => self.number_here(true).is_some(),
            _ if is_dash(c) => {
                let width = c.len_utf8();
                self.text[self.pos + width..].chars().next().is_some_and(is_dash)
                    || self.signed_operand(width)
                    || self.unary_word().is_some()
            }
            _ => false,
        }
    }

    /// Whether an operand follows a sign.
    fn signed_operand(&self, width: usize) -> bool {
        let rest = self.text[self.pos + width..].trim_start_matches([' ', '\t']);
        rest.starts_with(|c: char| {
            c.is_ascii_digit() || matches!(c, '$' | '(' | '[' | '@' | '.' | '-' | '+') || is_single_quote(c) || is_double_quote(c)
        })
    }

    /// A word as [`Arc`], for names that cannot contain expressions.
    pub(crate) fn plain_word(&mut self, stop: impl Fn(char) -> bool) -> Arc<str> {
        let start = self.pos;
        while self.peek_char().is_some_and(|c| !ends_word(c) && !stop(c)) {
            self.advance_char();
        }
        self.text[start..self.pos].into()
    }
}
