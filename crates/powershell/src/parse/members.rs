//! What follows an operand: members, calls, indices.

use std::sync::Arc;

use super::cursor::{is_double_quote, is_identifier, is_identifier_start, is_newline, is_single_quote};
use super::{CHAIN_LIMIT, Parse, Parser};
use crate::ast::*;
use crate::source::Span;

impl Parser<'_> {
    /// Members, indices and calls behind an operand. In command mode a number takes none.
    pub(crate) fn postfix(&mut self, primary: Expression, expression_mode: bool) -> Parse<Expression> {
        let mut current = primary;
        let mut links = 0;
        loop {
            links += 1;
            if links > CHAIN_LIMIT {
                let span = self.here();
                self.error_at(span, "NestingLimit", format!("A chain of members is longer than {CHAIN_LIMIT}."));
                self.fatal = true;
                return Err(super::Bail);
            }
            let next = self.peek();
            current = if self.starts_with("::") {
                self.pos += 2;
                self.member(current, true)?
            } else if next == Some(b'.') && self.peek_at(1) != Some(b'.') {
                if !expression_mode && !self.member_follows() {
                    return Ok(current);
                }
                self.pos += 1;
                self.member(current, false)?
            } else if next == Some(b'[') {
                self.index(current)?
            } else {
                return Ok(current);
            };
        }
    }

    fn member_follows(&self) -> bool {
        self.peek_second()
            .is_some_and(|c| is_identifier_start(c) || matches!(c, '$' | '(' | '{') || is_single_quote(c) || is_double_quote(c))
    }

    fn member(&mut self, target: Expression, is_static: bool) -> Parse<Expression> {
        self.skip_newlines();
        let start = self.pos;
        let name = match self.peek_char() {
            Some(c) if is_identifier(c) => {
                while self.peek_char().is_some_and(is_identifier) {
                    self.advance_char();
                }
                let span = self.span_from(start);
                Expression { span, kind: ExpressionKind::Text(span.of(self.text).into(), Quoting::Bare) }
            }
            Some('$' | '(') => self.nested(Self::primary)?,
            Some('{') => {
                // `$x.{name with blanks}`
                self.pos += 1;
                let name = self.plain_braces();
                Expression { span: self.span_from(start), kind: ExpressionKind::Text(name, Quoting::Bare) }
            }
            Some(c) if is_single_quote(c) || is_double_quote(c) => self.quoted()?,
            _ => {
                let operator = if is_static { "::" } else { "." };
                let span = Span::new(start, start);
                return self.bail(span, "MissingPropertyName", format!("Missing property name after reference operator '{operator}'."));
            }
        };
        let from = target.span.start as usize;
        let member = Box::new(Member { target, name, is_static });
        if self.peek() != Some(b'(') {
            return Ok(Expression { span: self.span_from(from), kind: ExpressionKind::Member(member) });
        }
        let arguments = self.nested(Self::method_arguments)?;
        Ok(Expression { span: self.span_from(from), kind: ExpressionKind::Invoke(member, arguments) })
    }

    fn plain_braces(&mut self) -> Arc<str> {
        let from = self.pos;
        while self.peek_char().is_some_and(|c| c != '}' && !is_newline(c)) {
            self.advance_char();
        }
        let text = self.text[from..self.pos].into();
        self.eat(b'}');
        text
    }

    pub(crate) fn method_arguments(&mut self) -> Parse<Vec<Expression>> {
        let open = self.here();
        self.pos += 1;
        let before = std::mem::replace(&mut self.no_comma, true);
        let mut arguments = Vec::new();
        let result = loop {
            self.skip_newlines();
            if self.peek() == Some(b')') && arguments.is_empty() {
                self.pos += 1;
                break Ok(());
            }
            if self.at_end() {
                self.missing_close(open, "MissingEndParenthesisInMethodCall", "Missing ')' in method call.");
                break Err(super::Bail);
            }
            match self.expression() {
                Ok(argument) => arguments.push(argument),
                Err(bail) => break Err(bail),
            }
            self.skip_newlines();
            match self.peek() {
                Some(b',') => {
                    self.pos += 1;
                    self.skip_newlines();
                    if self.peek() == Some(b')') {
                        break self.bail_here("MissingExpressionAfterToken", "Missing expression after ','.");
                    }
                }
                Some(b')') => {
                    self.pos += 1;
                    break Ok(());
                }
                _ => {
                    self.missing_close(open, "MissingEndParenthesisInMethodCall", "Missing ')' in method call.");
                    break Err(super::Bail);
                }
            }
        };
        self.no_comma = before;
        result.map(|()| arguments)
    }

    fn index(&mut self, target: Expression) -> Parse<Expression> {
        let open = self.here();
        self.pos += 1;
        self.skip_newlines();
        if self.peek() == Some(b']') {
            return self.bail_here("MissingArrayIndexExpression", "Array index expression is missing or not valid.");
        }
        let before = std::mem::replace(&mut self.no_comma, false);
        let index = self.nested(Self::expression);
        self.no_comma = before;
        let index = index?;
        self.skip_newlines();
        if !self.eat(b']') {
            self.missing_close(open, "MissingEndSquareBracket", "Array index expression is missing or not valid.");
            return Err(super::Bail);
        }
        let span = self.span_from(target.span.start as usize);
        Ok(Expression { span, kind: ExpressionKind::Index(Box::new(target), Box::new(index)) })
    }
}
