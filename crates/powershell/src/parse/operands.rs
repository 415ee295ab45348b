//! Operands: literals, parentheses, arrays, hashtables.

use std::sync::Arc;

use super::cursor::{is_double_quote, is_identifier, is_identifier_start, is_single_quote};
use super::{Parse, Parser};
use crate::ast::*;
use crate::source::Span;

impl Parser<'_> {
    /// Operands.
    pub(crate) fn primary(&mut self) -> Parse<Expression> {
        let start = self.pos;
        let Some(c) = self.peek_char() else { return self.unexpected() };
        match c {
            '$' if self.peek_at(1) == Some(b'(') => self.sub_expression(),
            '$' => match self.variable(false)? {
                Some(path) => Ok(Self::variable_expression(path, self.span_from(start))),
                None => self.bail_here("UnexpectedToken", "Unexpected token '$' in expression or statement."),
            },
            '(' => self.paren(),
            '{' => {
                let ast = self.script_block_expression()?;
                Ok(Expression { span: self.span_from(start), kind: ExpressionKind::ScriptBlock(Arc::new(ast)) })
            }
            '[' => self.bracketed(),
            '@' if self.at_here_string() => self.here_string(),
            '@' => match self.peek_at(1) {
                Some(b'(') => {
                    self.pos += 1;
                    let block = self.statements_in_parens("MissingEndParenthesisInExpression")?;
                    Ok(Expression { span: self.span_from(start), kind: ExpressionKind::Array(block) })
                }
                Some(b'{') => self.hashtable(),
                _ => {
                    if self.peek_second().is_some_and(is_identifier)
                        && let Some(path) = self.variable(false)?
                    {
                        let span = self.span_from(start);
                        let name = &path.name;
                        return self.bail(
                            span,
                            "SplattingNotPermitted",
                            format!("The splatting operator '@' cannot be used to reference variables in an expression. '@{name}' can be used only as an argument to a command. To reference variables in an expression use '${name}'."),
                        );
                    }
                    self.bail_here("UnrecognizedToken", "Unrecognized token in source text.")
                }
            },
            _ if is_single_quote(c) || is_double_quote(c) => self.quoted(),
            _ if c.is_ascii_digit() || c == '.' => match self.number_here(true) {
                Some((length, value)) => {
                    self.pos += length;
                    Ok(Expression { span: self.span_from(start), kind: ExpressionKind::Constant(value) })
                }
                None => self.unexpected(),
            },
            _ => self.unexpected(),
        }
    }

    /// `(…)`
    fn paren(&mut self) -> Parse<Expression> {
        let start = self.pos;
        self.pos += 1;
        let comma = std::mem::replace(&mut self.no_comma, false);
        let result = self.paren_body(start);
        self.no_comma = comma;
        result
    }

    fn paren_body(&mut self, start: usize) -> Parse<Expression> {
        self.skip_newlines();
        if matches!(self.peek(), None | Some(b')')) {
            let at_end = self.at_end();
            let missing = self.bail_here("ExpectedExpression", "An expression was expected after '('.");
            if at_end {
                self.missing_close(Span::new(start, start + 1), "MissingEndParenthesisInExpression", "Missing closing ')' in expression.");
            }
            return missing;
        }
        let inner = self.nested(Self::pipeline_or_assignment)?;
        self.skip_newlines();
        if !self.eat(b')') {
            self.missing_close(Span::new(start, start + 1), "MissingEndParenthesisInExpression", "Missing closing ')' in expression.");
            return Err(super::Bail);
        }
        Ok(Expression { span: self.span_from(start), kind: ExpressionKind::Paren(Box::new(inner)) })
    }

    /// `$(…)`; the position is on the `$`.
    pub(crate) fn sub_expression(&mut self) -> Parse<Expression> {
        let start = self.pos;
        self.pos += 1;
        let block = self.statements_in_parens("MissingEndParenthesisInSubexpression")?;
        Ok(Expression { span: self.span_from(start), kind: ExpressionKind::Sub(block) })
    }

    /// `@{…}`
    fn hashtable(&mut self) -> Parse<Expression> {
        let start = self.pos;
        self.pos += 2;
        let comma = std::mem::replace(&mut self.no_comma, false);
        let entries = self.nested(Self::hash_entries);
        self.no_comma = comma;
        let entries = entries?;
        if !self.eat(b'}') {
            self.missing_close(Span::new(start, start + 2), "IncompleteHashLiteral", "The hash literal was incomplete.");
            return Err(super::Bail);
        }
        Ok(Expression { span: self.span_from(start), kind: ExpressionKind::Hash(entries) })
    }

    fn hash_entries(&mut self) -> Parse<Vec<(Expression, Statement)>> {
        let mut entries = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        loop {
            self.skip_separators();
            if matches!(self.peek(), None | Some(b'}')) {
                return Ok(entries);
            }
            let key = self.hash_key()?;
            if let ExpressionKind::Text(name, _) = &key.kind
                && !seen.insert(name.to_lowercase())
            {
                self.error_at(key.span, "DuplicateKeyInHashLiteral", format!("Duplicate keys '{name}' are not allowed in hash literals."));
            }
            self.skip_blanks();
            if !self.eat(b'=') {
                return self.bail_here("MissingEqualsInHashLiteral", "Missing '=' operator after key in hash literal.");
            }
            self.skip_newlines();
            if self.at_statement_end() {
                return self.bail_here("MissingStatementInHashLiteral", "Missing statement after '=' in hash literal.");
            }
            let value = self.statement()?;
            entries.push((key, value));
            self.skip_blanks();
            if !matches!(self.peek(), None | Some(b'\n' | b'\r' | b';' | b'}')) {
                return self.unexpected();
            }
        }
    }

    fn hash_key(&mut self) -> Parse<Expression> {
        let start = self.pos;
        if self.peek_char().is_some_and(is_identifier_start) {
            let name = self.plain_word(|c| matches!(c, '=' | '"' | '\'' | '[' | ']'));
            return Ok(Expression { span: self.span_from(start), kind: ExpressionKind::Text(name, Quoting::Bare) });
        }
        let before = std::mem::replace(&mut self.no_comma, true);
        let key = self.unary();
        self.no_comma = before;
        key
    }
}
