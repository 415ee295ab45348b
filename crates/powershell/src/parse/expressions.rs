//! Expression mode.

use super::cursor::{is_dash, is_double_quote, is_identifier, is_identifier_start, is_newline, is_single_quote};
use super::{Parse, Parser};
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
                    None if second.is_some_and(|n| n.is_ascii_digit() || n == '.') => {
                        if let Some((length, value)) = self.negative_number_here(c) {
                            self.pos += length;
                            let number = Expression { span: self.span_from(start), kind: ExpressionKind::Constant(value) };
                            return self.postfix(number, true);
                        }
                        Some((c.len_utf8(), UnaryOp::Minus))
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
            let member = self.postfix(literal, true)?;
            return self.postfix_increment(member);
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
