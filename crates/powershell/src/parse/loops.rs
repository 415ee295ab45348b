//! Loops and `switch`.

use std::sync::Arc;

use super::{Bail, Parse, Parser};
use crate::ast::*;
use crate::source::Span;

impl Parser<'_> {
    pub(crate) fn looping(&mut self, start: usize, word: &str, label: Option<Arc<str>>) -> Parse<Option<Statement>> {
        let at = self.pos;
        let kind = match word {
            "while" => {
                self.pos += 5;
                let condition = self.condition("while")?;
                LoopKind::While(condition, self.block("while ( condition )")?)
            }
            "do" => {
                self.pos += 2;
                let body = self.block("'do' keyword")?;
                self.skip_newlines();
                if self.at_keyword("while") {
                    self.pos += 5;
                    LoopKind::DoWhile(body, self.condition("while")?)
                } else if self.at_keyword("until") {
                    self.pos += 5;
                    LoopKind::DoUntil(body, self.condition("until")?)
                } else {
                    return self.bail_here("MissingWhileOrUntilInDoWhile", "Missing while or until keyword in do loop.");
                }
            }
            "for" => {
                self.pos += 3;
                self.for_loop()?
            }
            "foreach" => {
                self.pos += 7;
                self.skip_newlines();
                if self.peek() != Some(b'(') {
                    self.pos = at + 7;
                    return self.bail_here("MissingOpenParenthesisAfterKeyword", "Missing opening '(' after keyword 'foreach'.");
                }
                self.foreach_loop()?
            }
            "switch" => {
                self.pos += 6;
                self.switch()?
            }
            _ => return Ok(None),
        };
        Ok(Some(self.finish(start, StatementKind::Loop(Box::new(Loop { label, kind })))))
    }

    fn for_loop(&mut self) -> Parse<LoopKind> {
        self.skip_newlines();
        let open = self.here();
        if !self.eat(b'(') {
            return self.bail_here("MissingOpenParenthesisAfterKeyword", "Missing opening '(' after keyword 'for'.");
        }
        let before = std::mem::replace(&mut self.no_comma, false);
        let mut parts = [None, None, None];
        let mut result = Ok(());
        for (at, part) in parts.iter_mut().enumerate() {
            self.skip_newlines();
            if !matches!(self.peek(), None | Some(b';' | b')')) {
                match self.nested(Self::pipeline_or_assignment) {
                    Ok(statement) => *part = Some(statement),
                    Err(bail) => {
                        result = Err(bail);
                        break;
                    }
                }
            }
            self.skip_blanks();
            if at == 2 || !(self.eat(b';') || self.peek().is_some_and(|b| matches!(b, b'\n' | b'\r'))) {
                break;
            }
        }
        self.no_comma = before;
        result?;
        self.close_paren(open, "for")?;
        let [initializer, condition, iterator] = parts;
        Ok(LoopKind::For { initializer, condition, iterator, body: self.block("for ( … )")? })
    }

    fn foreach_loop(&mut self) -> Parse<LoopKind> {
        let open = self.here();
        self.pos += 1;
        let before = std::mem::replace(&mut self.no_comma, false);
        let head = self.foreach_head(open);
        self.no_comma = before;
        let (variable, collection) = head?;
        Ok(LoopKind::ForEach { variable, collection, body: self.block("foreach ( … )")? })
    }

    fn foreach_head(&mut self, open: Span) -> Parse<(VariablePath, Statement)> {
        self.skip_newlines();
        let variable = if self.peek() == Some(b'$') { self.variable(false)? } else { None };
        let Some(variable) = variable else {
            return self.bail_here("MissingVariableNameAfterForeach", "Missing variable name after foreach.");
        };
        self.skip_newlines();
        if !self.at_keyword("in") {
            return self.bail_here("MissingInInForeach", "Missing 'in' after variable in foreach loop.");
        }
        self.pos += 2;
        self.skip_newlines();
        if matches!(self.peek(), None | Some(b')')) {
            return self.bail_here("MissingForeachExpression", "Missing expression after 'in' in foreach loop.");
        }
        let collection = self.nested(Self::pipeline_or_assignment)?;
        self.close_paren(open, "foreach")?;
        Ok((variable, collection))
    }

    fn switch(&mut self) -> Parse<LoopKind> {
        let mut matching = SwitchMatching::Exact;
        let mut case_sensitive = false;
        let mut file = false;
        let condition = loop {
            self.skip_newlines();
            if let Some((length, name)) = self.parameter_name_here() {
                let start = self.pos;
                self.pos += length;
                let lower = name.to_lowercase();
                let is = |full: &str| full.starts_with(&lower);
                if is("regex") {
                    matching = SwitchMatching::Regex;
                } else if is("wildcard") {
                    matching = SwitchMatching::Wildcard;
                } else if is("exact") {
                    matching = SwitchMatching::Exact;
                } else if is("casesensitive") {
                    case_sensitive = true;
                } else if is("parallel") {
                } else if is("file") {
                    file = true;
                    self.skip_blanks();
                    let from = self.pos;
                    let path = self.argument()?;
                    let span = self.span_from(from);
                    let pipeline = Pipeline { span, elements: vec![PipelineElement::Expression(path, Vec::new())] };
                    break Statement { span, kind: StatementKind::Pipeline(pipeline) };
                } else {
                    let span = self.span_from(start);
                    return self.bail(
                        span,
                        "InvalidSwitchFlag",
                        format!("The parameter -{name} is not a valid parameter of the switch statement."),
                    );
                }
                continue;
            }
            break self.condition("switch")?;
        };
        self.skip_newlines();
        let open = self.here();
        if !self.eat(b'{') {
            return self.bail(open, "MissingCurlyBraceInSwitch", "Missing opening '{' in switch statement.");
        }
        let mut clauses = Vec::new();
        let mut default = None;
        loop {
            self.skip_separators();
            if self.eat(b'}') {
                break;
            }
            if self.at_end() {
                self.missing_close(open, "MissingEndCurlyBrace", "Missing closing '}' in statement block or type definition.");
                return Err(Bail);
            }
            if self.at_keyword("default") {
                self.pos += 7;
                default = Some(self.block("switch clause")?);
                continue;
            }
            let test =
                self.nested(|p| if p.at_expression() && p.peek() != Some(b'-') { p.expression_without_comma() } else { p.argument() })?;
            clauses.push((test, self.block("switch clause")?));
        }
        Ok(LoopKind::Switch { matching, case_sensitive, file, condition, clauses, default })
    }
}
