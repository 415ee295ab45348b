//! Pipelines and assignments.

use super::expressions::is_assignable;
use super::{Bail, Parse, ParseError, Parser};
use crate::ast::*;
use crate::source::Span;

impl Parser<'_> {
    /// A pipeline, or an assignment.
    pub(crate) fn pipeline_or_assignment(&mut self) -> Parse<Statement> {
        let start = self.pos;
        let mut elements = Vec::new();
        let mut end;
        loop {
            if self.at_end() || matches!(self.peek(), Some(b'|' | b'\n' | b'\r' | b';' | b')' | b'}')) {
                if elements.is_empty() && self.peek() != Some(b'|') {
                    return self.unexpected();
                }
                let span = if elements.is_empty() { self.here() } else { self.after_last() };
                let incomplete = self.at_end();
                self.push_error(ParseError {
                    message: "An empty pipe element is not allowed.".into(),
                    id: "EmptyPipeElement",
                    span,
                    incomplete,
                });
                return Err(Bail);
            }
            let first = elements.is_empty();
            if self.at_expression() && !(self.peek() == Some(b'.') && self.number_here(true).is_none()) {
                let expression = self.expression()?;
                end = self.pos;
                self.skip_blanks();
                if first && let Some((length, op)) = self.assignment_here() {
                    return self.assignment(start, expression, length, op);
                }
                if !first {
                    return self.bail(
                        expression.span,
                        "ExpressionsMustBeFirstInPipeline",
                        "Expressions are only allowed as the first element of a pipeline.",
                    );
                }
                let mut redirections = Vec::new();
                while let Some(redirection) = self.redirection()? {
                    redirections.push(redirection);
                    end = self.pos;
                    self.skip_blanks();
                }
                elements.push(PipelineElement::Expression(expression, redirections));
            } else {
                let command = self.command()?;
                end = command.span.end as usize;
                elements.push(PipelineElement::Command(command));
            }
            self.skip_blanks();
            if self.peek() == Some(b'|') && self.peek_at(1) != Some(b'|') {
                self.pos += 1;
                self.skip_newlines();
                continue;
            }
            if self.peek() == Some(b'|') || self.peek() == Some(b'&') {
                return self.unexpected();
            }
            break;
        }
        let span = Span::new(start, end);
        self.pos = end;
        Ok(Statement { span, kind: StatementKind::Pipeline(Pipeline { span, elements }) })
    }

    fn assignment(&mut self, start: usize, left: Expression, length: usize, op: AssignmentOp) -> Parse<Statement> {
        let at = self.pos;
        self.pos += length;
        let op_span = self.span_from(at);
        if !is_assignable(&left) {
            let blamed = match &left.kind {
                ExpressionKind::ArrayLiteral(items) => items.iter().find(|item| !is_assignable(item)).map_or(left.span, |item| item.span),
                _ => left.span,
            };
            return self.bail(
                blamed,
                "InvalidLeftHandSide",
                "The assignment expression is not valid. The input to an assignment operator must be an object that is able to accept assignments, such as a variable or a property.",
            );
        }
        self.skip_newlines();
        if self.at_statement_end() {
            let text = op_span.of(self.text).to_owned();
            let incomplete = self.at_end();
            let span = Span::new(op_span.end as usize, op_span.end as usize);
            self.push_error(ParseError {
                message: format!("You must provide a value expression following the '{text}' operator.").into(),
                id: "ExpectedValueExpression",
                span,
                incomplete,
            });
            return Err(Bail);
        }
        let right = self.statement()?;
        let span = Span::new(start, right.span.end as usize);
        let assignment = Assignment { left, op, op_span, right };
        Ok(Statement { span, kind: StatementKind::Assignment(Box::new(assignment)) })
    }
}
