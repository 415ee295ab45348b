//! Expression mode.

use std::sync::Arc;

use super::cursor::{is_dash, is_double_quote, is_identifier, is_identifier_start, is_newline, is_single_quote};
use super::{CHAIN_LIMIT, Parse, Parser};
use crate::ast::*;
use crate::source::Span;

/// Precedences of binary operators, lowest first.
const LOGICAL: u8 = 1;
const BITWISE: u8 = 2;
const COMPARISON: u8 = 3;
const ADDITIVE: u8 = 4;
const MULTIPLICATIVE: u8 = 5;
const FORMAT: u8 = 6;
const RANGE: u8 = 7;

/// Operators that are words behind a dash. The flag says whether `c` and `i` variants exist.
const WORDS: &[(&str, BinaryOp, u8, bool)] = &[
    ("and", BinaryOp::And, LOGICAL, false),
    ("or", BinaryOp::Or, LOGICAL, false),
    ("xor", BinaryOp::Xor, LOGICAL, false),
    ("band", BinaryOp::BitAnd, BITWISE, false),
    ("bor", BinaryOp::BitOr, BITWISE, false),
    ("bxor", BinaryOp::BitXor, BITWISE, false),
    ("shl", BinaryOp::Shl, COMPARISON, false),
    ("shr", BinaryOp::Shr, COMPARISON, false),
    ("eq", BinaryOp::Eq, COMPARISON, true),
    ("ne", BinaryOp::Ne, COMPARISON, true),
    ("gt", BinaryOp::Gt, COMPARISON, true),
    ("ge", BinaryOp::Ge, COMPARISON, true),
    ("lt", BinaryOp::Lt, COMPARISON, true),
    ("le", BinaryOp::Le, COMPARISON, true),
    ("like", BinaryOp::Like, COMPARISON, true),
    ("notlike", BinaryOp::NotLike, COMPARISON, true),
    ("match", BinaryOp::Match, COMPARISON, true),
    ("notmatch", BinaryOp::NotMatch, COMPARISON, true),
    ("replace", BinaryOp::Replace, COMPARISON, true),
    ("contains", BinaryOp::Contains, COMPARISON, true),
    ("notcontains", BinaryOp::NotContains, COMPARISON, true),
    ("in", BinaryOp::In, COMPARISON, true),
    ("notin", BinaryOp::NotIn, COMPARISON, true),
    ("split", BinaryOp::Split, COMPARISON, true),
    ("join", BinaryOp::Join, COMPARISON, false),
    ("is", BinaryOp::Is, COMPARISON, false),
    ("isnot", BinaryOp::IsNot, COMPARISON, false),
    ("as", BinaryOp::As, COMPARISON, false),
    ("f", BinaryOp::Format, FORMAT, false),
];

struct Operator {
    op: BinaryOp,
    precedence: u8,
    case_sensitive: bool,
    length: usize,
}

impl Parser<'_> {
    /// The operator word behind a dash, lower case, with the bytes it takes.
    fn dash_word(&self) -> Option<(usize, String)> {
        let dash = self.peek_char().filter(|c| is_dash(*c))?;
        let from = self.pos + dash.len_utf8();
        let letters = self.bytes[from..].iter().take(14).take_while(|b| b.is_ascii_alphabetic()).count();
        let next = self.text[from + letters..].chars().next();
        (letters > 0 && next.is_none_or(|c| !is_identifier(c) && !is_dash(c)))
            .then(|| (dash.len_utf8() + letters, self.text[from..from + letters].to_ascii_lowercase()))
    }

    pub(crate) fn unary_word(&self) -> Option<(usize, UnaryOp)> {
        let (length, word) = self.dash_word()?;
        let op = match word.as_str() {
            "not" => UnaryOp::Not,
            "bnot" => UnaryOp::BitNot,
            "join" => UnaryOp::Join,
            "split" | "isplit" => UnaryOp::Split(false),
            "csplit" => UnaryOp::Split(true),
            _ => return None,
        };
        Some((length, op))
    }

    fn operator_here(&self) -> Option<Operator> {
        let make = |op, precedence, length| Some(Operator { op, precedence, case_sensitive: false, length });
        match self.peek()? {
            b'+' if self.peek_at(1) == Some(b'+') => None,
            b'+' => make(BinaryOp::Add, ADDITIVE, 1),
            b'*' => make(BinaryOp::Mul, MULTIPLICATIVE, 1),
            b'/' => make(BinaryOp::Div, MULTIPLICATIVE, 1),
            b'%' => make(BinaryOp::Rem, MULTIPLICATIVE, 1),
            b'.' if self.peek_at(1) == Some(b'.') => make(BinaryOp::Range, RANGE, 2),
            _ => {
                let dash = self.peek_char().filter(|c| is_dash(*c))?;
                let next = self.text[self.pos + dash.len_utf8()..].chars().next();
                if let Some((length, word)) = self.dash_word() {
                    for (name, op, precedence, variants) in WORDS {
                        if word == *name {
                            return Some(Operator { op: *op, precedence: *precedence, case_sensitive: false, length });
                        }
                        if *variants && word.len() == name.len() + 1 && word.ends_with(name) && matches!(word.as_bytes()[0], b'c' | b'i') {
                            return Some(Operator { op: *op, precedence: *precedence, case_sensitive: word.starts_with('c'), length });
                        }
                    }
                    return None;
                }
                // `-foo` is no subtraction, neither is `--`.
                (!next.is_some_and(|c| is_identifier_start(c) || is_dash(c))).then_some(())?;
                make(BinaryOp::Sub, ADDITIVE, dash.len_utf8())
            }
        }
    }

    /// Whether an assignment operator stands here.
    pub(crate) fn assignment_here(&self) -> Option<(usize, AssignmentOp)> {
        let first = self.peek_char()?;
        if first == '=' {
            return Some((1, AssignmentOp::Set));
        }
        let op = match first {
            '+' => AssignmentOp::Add,
            '*' => AssignmentOp::Mul,
            '/' => AssignmentOp::Div,
            '%' => AssignmentOp::Rem,
            c if is_dash(c) => AssignmentOp::Sub,
            _ => return None,
        };
        (self.peek_second() == Some('=')).then(|| (first.len_utf8() + 1, op))
    }

    /// An expression.
    pub(crate) fn expression(&mut self) -> Parse<Expression> {
        self.binary(LOGICAL)
    }

    /// An expression where commas separate.
    pub(crate) fn expression_without_comma(&mut self) -> Parse<Expression> {
        let before = std::mem::replace(&mut self.no_comma, true);
        let result = self.expression();
        self.no_comma = before;
        result
    }

    /// Operands of `minimum` precedence or tighter. Runs of one precedence become one node.
    fn binary(&mut self, minimum: u8) -> Parse<Expression> {
        let mut left = self.array_literal()?;
        // Each round extends `left`; a tighter operator on the right is parsed by the recursive call, whose depth is
        // bounded by the number of precedences.
        loop {
            let mark = self.pos;
            self.skip_blanks();
            let Some(operator) = self.operator_here().filter(|o| o.precedence >= minimum && self.assignment_here().is_none()) else {
                self.pos = mark;
                return Ok(left);
            };
            let start = self.pos;
            self.pos += operator.length;
            let op_span = self.span_from(start);
            self.skip_newlines();
            if !self.at_operand() {
                let text = op_span.of(self.text).to_owned();
                let span = Span::new(op_span.end as usize, op_span.end as usize);
                let incomplete = self.at_end();
                self.push_error(super::ParseError {
                    message: format!("You must provide a value expression following the '{text}' operator.").into(),
                    id: "ExpectedValueExpression",
                    span,
                    incomplete,
                });
                return Err(super::Bail);
            }
            let right = if operator.precedence == RANGE { self.array_literal()? } else { self.binary(operator.precedence + 1)? };
            let span = left.span.to(right.span);
            let step = BinaryStep { op: operator.op, case_sensitive: operator.case_sensitive, op_span, right };
            left = match left {
                Expression { kind: ExpressionKind::Binary(first, mut steps), .. } if steps_precedence(&steps) == operator.precedence => {
                    steps.push(step);
                    Expression { span, kind: ExpressionKind::Binary(first, steps) }
                }
                other => Expression { span, kind: ExpressionKind::Binary(Box::new(other), vec![step]) },
            };
        }
    }

    /// Whether something that could be an operand stands here.
    fn at_operand(&self) -> bool {
        match self.peek_char() {
            None => false,
            Some(c) => !matches!(c, ')' | '}' | ']' | ';' | '|' | '&' | ',' | '=' | '*' | '/' | '%' | '<' | '>') && !is_newline(c),
        }
    }

    /// `a, b, c`
    fn array_literal(&mut self) -> Parse<Expression> {
        let first = self.unary()?;
        if self.no_comma {
            return Ok(first);
        }
        let mut items = Vec::new();
        let mut last = first;
        loop {
            let mark = self.pos;
            self.skip_blanks();
            if !self.eat(b',') {
                self.pos = mark;
                break;
            }
            let comma = Span::new(self.pos, self.pos);
            self.skip_newlines();
            if !self.at_operand() {
                return self.bail(comma, "MissingExpressionAfterToken", "Missing expression after ','.");
            }
            items.push(last);
            last = self.unary()?;
        }
        if items.is_empty() {
            return Ok(last);
        }
        let span = items[0].span.to(last.span);
        items.push(last);
        Ok(Expression { span, kind: ExpressionKind::ArrayLiteral(items) })
    }

    /// Prefix operators and casts.
    pub(crate) fn unary(&mut self) -> Parse<Expression> {
        self.nested(Self::unary_inner)
    }

    fn unary_inner(&mut self) -> Parse<Expression> {
        let start = self.pos;
        let Some(c) = self.peek_char() else { return self.unexpected() };
        let second = self.peek_second();
        let prefix = match c {
            '!' => Some((1, UnaryOp::Not)),
            ',' if !self.no_comma => Some((1, UnaryOp::Comma)),
            '+' if second == Some('+') => Some((2, UnaryOp::PreIncrement)),
            '+' => Some((1, UnaryOp::Plus)),
            _ if is_dash(c) => match second {
                Some(next) if is_dash(next) => Some((c.len_utf8() + next.len_utf8(), UnaryOp::PreDecrement)),
                _ => match self.unary_word() {
                    Some(found) => Some(found),
                    None if second.is_some_and(|n| n.is_ascii_digit() || n == '.') && c == '-' => {
                        if let Some((length, value)) = self.number_here(true) {
                            self.pos += length;
                            let number = Expression { span: self.span_from(start), kind: ExpressionKind::Constant(value) };
                            return self.postfix(number, true);
                        }
                        Some((1, UnaryOp::Minus))
                    }
                    None => Some((c.len_utf8(), UnaryOp::Minus)),
                },
            },
            _ => None,
        };
        if let Some((length, op)) = prefix {
            self.pos += length;
            let text = self.span_from(start);
            self.skip_newlines();
            if !self.at_operand() && self.peek() != Some(b',') {
                let text = text.of(self.text).to_owned();
                return self.bail_here("MissingExpressionAfterOperator", format!("Missing expression after unary operator '{text}'."));
            }
            let child = self.unary()?;
            if matches!(op, UnaryOp::PreIncrement | UnaryOp::PreDecrement) && !is_assignable(&child) {
                return self.bail(
                    child.span,
                    "OperatorRequiresVariableOrProperty",
                    format!("The operator '{}' works only on variables or on properties.", text.of(self.text)),
                );
            }
            return Ok(Expression { span: self.span_from(start), kind: ExpressionKind::Unary(op, Box::new(child)) });
        }
        let primary = self.primary()?;
        if let ExpressionKind::Type(_) = primary.kind {
            return self.after_type(primary);
        }
        let expression = self.postfix(primary, true)?;
        self.postfix_increment(expression)
    }

    /// What follows a type literal: a static member, or an operand to convert.
    fn after_type(&mut self, literal: Expression) -> Parse<Expression> {
        let mark = self.pos;
        if self.starts_with("::") || matches!(self.peek(), Some(b'.')) && self.peek_second().is_some_and(is_identifier_start) {
            return self.postfix(literal, true);
        }
        self.skip_blanks();
        let operand = self.peek_char().is_some_and(|c| {
            matches!(c, '$' | '(' | '@' | '{' | '[' | '!')
                || c.is_ascii_digit()
                || is_single_quote(c)
                || is_double_quote(c)
                || (matches!(c, '+' | '.') && self.number_here(true).is_some())
                || (is_dash(c)
                    && (self.unary_word().is_some()
                        || self.peek_second().is_some_and(|n| n.is_ascii_digit() || matches!(n, '$' | '(' | '.') || is_dash(n))))
        });
        if !operand {
            self.pos = mark;
            return Ok(literal);
        }
        let child = self.unary()?;
        let span = literal.span.to(child.span);
        let ExpressionKind::Type(name) = literal.kind else { return self.unexpected() };
        Ok(Expression { span, kind: ExpressionKind::Convert(name, Box::new(child)) })
    }

    fn postfix_increment(&mut self, expression: Expression) -> Parse<Expression> {
        let mark = self.pos;
        self.skip_blanks();
        let (first, second) = (self.peek_char(), self.peek_second());
        let op = match (first, second) {
            (Some('+'), Some('+')) => Some((2, UnaryOp::PostIncrement)),
            (Some(a), Some(b)) if is_dash(a) && is_dash(b) => Some((a.len_utf8() + b.len_utf8(), UnaryOp::PostDecrement)),
            _ => None,
        };
        let Some((length, op)) = op else {
            self.pos = mark;
            return Ok(expression);
        };
        self.pos += length;
        if !is_assignable(&expression) {
            return self.bail(
                expression.span,
                "OperatorRequiresVariableOrProperty",
                format!(
                    "The operator '{}' works only on variables or on properties.",
                    if op == UnaryOp::PostIncrement { "++" } else { "--" }
                ),
            );
        }
        let span = self.span_from(expression.span.start as usize);
        Ok(Expression { span, kind: ExpressionKind::Unary(op, Box::new(expression)) })
    }

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
            return self.bail_here("ExpectedExpression", "An expression was expected after '('.");
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

    fn method_arguments(&mut self) -> Parse<Vec<Expression>> {
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
                Some(b',') => self.pos += 1,
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

fn precedence(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Add | BinaryOp::Sub => ADDITIVE,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => MULTIPLICATIVE,
        BinaryOp::Range => RANGE,
        other => WORDS.iter().find(|(_, op, _, _)| *op == other).map_or(COMPARISON, |(_, _, p, _)| *p),
    }
}

fn steps_precedence(steps: &[BinaryStep]) -> u8 {
    steps.first().map_or(0, |step| precedence(step.op))
}

/// Whether something can be assigned to.
pub(crate) fn is_assignable(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Variable(_) | ExpressionKind::Member(_) | ExpressionKind::Index(..) => true,
        ExpressionKind::ArrayLiteral(items) => items.iter().all(is_assignable),
        ExpressionKind::Convert(_, child) | ExpressionKind::Attributed(_, child) => is_assignable(child),
        ExpressionKind::Paren(inner) => match &inner.kind {
            StatementKind::Pipeline(pipeline) => {
                matches!(pipeline.elements.as_slice(), [PipelineElement::Expression(e, r)] if r.is_empty() && is_assignable(e))
            }
            _ => false,
        },
        _ => false,
    }
}
