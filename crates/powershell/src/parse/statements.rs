//! Statements.

use std::sync::Arc;

use super::cursor::{is_identifier, is_identifier_start};
use super::expressions::is_assignable;
use super::{Bail, Parse, ParseError, Parser};
use crate::ast::*;
use crate::source::Span;

/// What closes a list of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Close {
    End,
    Brace,
    Paren,
}

impl Parser<'_> {
    fn at_close(&self, close: Close) -> bool {
        match self.peek() {
            None => true,
            Some(b'}') => close == Close::Brace,
            Some(b')') => close == Close::Paren,
            _ => false,
        }
    }

    /// Statements up to (not including) what closes them. Errors are recorded and skipped here.
    pub(crate) fn statement_list(&mut self, close: Close, start: usize) -> StatementBlock {
        let mut block = StatementBlock { span: Span::default(), statements: Vec::new(), traps: Vec::new() };
        let before = std::mem::replace(&mut self.no_comma, false);
        while !self.fatal {
            self.skip_separators();
            if self.at_close(close) {
                break;
            }
            let from = self.pos;
            if self.list_item(&mut block, close).is_err() {
                if self.fatal || (close == Close::Paren && self.at_end()) {
                    break;
                }
                if close == Close::Paren {
                    // The closing parenthesis is the only thing that ends this list: give up towards it.
                    self.recover_to_paren();
                    continue;
                }
                self.recover(from);
            }
            if self.pos == from {
                self.advance_char();
            }
        }
        self.no_comma = before;
        block.span = self.span_from(start);
        block
    }

    fn recover_to_paren(&mut self) {
        let mut open = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'(' | b'{' => open += 1,
                b')' | b'}' if open == 0 => {
                    if byte == b'}' {
                        self.pos += 1;
                    }
                    return;
                }
                b')' | b'}' => open -= 1,
                b'\n' | b'\r' | b';' if open == 0 => return,
                _ => {}
            }
            self.advance_char();
        }
    }

    fn list_item(&mut self, block: &mut StatementBlock, close: Close) -> Parse<()> {
        if matches!(self.peek(), Some(b'}' | b')')) {
            let span = self.here();
            let text = span.of(self.text).to_owned();
            self.pos += 1;
            self.error_at(span, "UnexpectedToken", format!("Unexpected token '{text}' in expression or statement."));
            return Ok(());
        }
        if self.at_keyword("trap") {
            let start = self.pos;
            self.pos += 4;
            let trap = self.catch_clause(start)?;
            block.traps.push(trap);
            return Ok(());
        }
        let statement = self.statement()?;
        let compound = !matches!(
            statement.kind,
            StatementKind::Pipeline(_)
                | StatementKind::Assignment(_)
                | StatementKind::Return(_)
                | StatementKind::Throw(_)
                | StatementKind::Exit(_)
                | StatementKind::Break(_)
                | StatementKind::Continue(_)
        );
        block.statements.push(statement);
        self.skip_blanks();
        // A block ends its statement; anything else needs a separator.
        if compound || self.at_close(close) || matches!(self.peek(), None | Some(b'\n' | b'\r' | b';')) {
            return Ok(());
        }
        self.unexpected()
    }

    /// A block in braces.
    pub(crate) fn block(&mut self, after: &str) -> Parse<StatementBlock> {
        self.skip_newlines();
        let start = self.pos;
        if !self.eat(b'{') {
            let id = match after {
                "'else' keyword" => "MissingStatementBlockAfterElse",
                "switch clause" => "MissingSwitchStatementClause",
                _ => "MissingStatementBlock",
            };
            return self.bail_here(id, format!("Missing statement block after {after}."));
        }
        self.nested(|p| Ok(p.statement_list(Close::Brace, start))).and_then(|mut block| {
            if !self.eat(b'}') {
                self.missing_close(
                    Span::new(start, start + 1),
                    "MissingEndCurlyBrace",
                    "Missing closing '}' in statement block or type definition.",
                );
                return Err(Bail);
            }
            block.span = self.span_from(start);
            Ok(block)
        })
    }

    /// Statements in parentheses; the position is on the opening one.
    pub(crate) fn statements_in_parens(&mut self, id: &'static str) -> Parse<StatementBlock> {
        let start = self.pos;
        self.pos += 1;
        let block = self.nested(|p| Ok(p.statement_list(Close::Paren, start)))?;
        if !self.eat(b')') {
            let message = if id == "MissingEndParenthesisInSubexpression" {
                "Missing closing ')' in subexpression."
            } else {
                "Missing closing ')' in expression."
            };
            self.missing_close(Span::new(start, start + 1), id, message);
            return Err(Bail);
        }
        Ok(StatementBlock { span: self.span_from(start), ..block })
    }

    /// One statement.
    pub(crate) fn statement(&mut self) -> Parse<Statement> {
        self.nested(Self::statement_inner)
    }

    fn finish(&self, start: usize, kind: StatementKind) -> Statement {
        Statement { span: self.span_from(start), kind }
    }

    fn statement_inner(&mut self) -> Parse<Statement> {
        let start = self.pos;
        if self.peek() == Some(b':') && self.peek_second().is_some_and(is_identifier_start) {
            self.pos += 1;
            let label = self.plain_word(|c| !is_identifier(c));
            self.skip_newlines();
            let word = self.keyword_here().unwrap_or_default().to_ascii_lowercase();
            if let Some(statement) = self.looping(start, &word, Some(label.clone()))? {
                return Ok(statement);
            }
            let span = Span::new(start, start + 1 + label.len());
            return self.bail(span, "UnexpectedToken", format!("Unexpected token ':{label}' in expression or statement."));
        }
        let word = self.keyword_here().unwrap_or_default().to_ascii_lowercase();
        if word.is_empty() {
            return self.pipeline_or_assignment();
        }
        if let Some(statement) = self.looping(start, &word, None)? {
            return Ok(statement);
        }
        let length = word.len();
        match word.as_str() {
            "if" => {
                self.pos += length;
                self.if_statement(start)
            }
            "try" => {
                self.pos += length;
                self.try_statement(start)
            }
            "throw" | "return" | "exit" => {
                self.pos += length;
                self.skip_blanks();
                let value = if self.at_statement_end() { None } else { Some(Box::new(self.nested(Self::pipeline_or_assignment)?)) };
                let kind = match word.as_str() {
                    "throw" => StatementKind::Throw(value),
                    "return" => StatementKind::Return(value),
                    _ => StatementKind::Exit(value),
                };
                let end = self.pos;
                // A value ends where it ends, not behind blanks.
                let mut statement = self.finish(start, kind);
                statement.span = Span::new(start, self.trim_back(start + length, end));
                Ok(statement)
            }
            "break" | "continue" => {
                self.pos += length;
                let end = self.pos;
                self.skip_blanks();
                let label = if self.at_statement_end() || self.peek() == Some(b'|') {
                    self.pos = end;
                    None
                } else {
                    Some(Box::new(self.argument()?))
                };
                let kind = if word == "break" { StatementKind::Break(label) } else { StatementKind::Continue(label) };
                Ok(self.finish(start, kind))
            }
            "function" | "filter" => {
                self.pos += length;
                self.function(start, word == "filter")
            }
            "data" => {
                self.pos += length;
                self.skip_newlines();
                let mut name = None;
                if self.peek() != Some(b'{') {
                    let from = self.pos;
                    let written = self.plain_word(|_| false);
                    name =
                        Some(VariablePath { span: self.span_from(from), scope: None, key: written.to_lowercase().into(), name: written });
                }
                let body = self.block("data")?;
                Ok(self.finish(start, StatementKind::Data { name, body: Box::new(body) }))
            }
            "class" | "enum" | "workflow" | "configuration" if self.declaration_follows(length) => {
                let span = Span::new(start, start + length);
                self.error_at(span, "NotSupportedYet", format!("'{word}' is not supported yet."));
                self.skip_declaration();
                Err(Bail)
            }
            _ => self.pipeline_or_assignment(),
        }
    }

    fn trim_back(&self, least: usize, end: usize) -> usize {
        let text = &self.text[least..end];
        least + text.trim_end_matches([' ', '\t']).len()
    }

    fn declaration_follows(&self, length: usize) -> bool {
        let rest = self.text[self.pos + length..].trim_start_matches([' ', '\t']);
        rest.starts_with(is_identifier_start)
    }

    /// Skips a declaration with its body, so that its members do not give errors of their own.
    fn skip_declaration(&mut self) {
        while self.peek().is_some_and(|b| !matches!(b, b'{' | b';' | b'}')) {
            self.advance_char();
        }
        if self.peek() == Some(b'{') {
            self.pos += 1;
            let mut open = 1usize;
            while let (Some(byte), true) = (self.peek(), open > 0) {
                match byte {
                    b'{' => open += 1,
                    b'}' => open -= 1,
                    _ => {}
                }
                self.advance_char();
            }
        }
    }

    fn condition(&mut self, keyword: &str) -> Parse<Statement> {
        self.skip_newlines();
        let open = self.here();
        if !self.eat(b'(') {
            return self.bail_here("MissingOpenParenthesisAfterKeyword", format!("Missing opening '(' after keyword '{keyword}'."));
        }
        let before = std::mem::replace(&mut self.no_comma, false);
        let condition = self.condition_body(keyword, open);
        self.no_comma = before;
        condition
    }

    fn condition_body(&mut self, keyword: &str, open: Span) -> Parse<Statement> {
        self.skip_newlines();
        if matches!(self.peek(), None | Some(b')')) {
            return self.bail_here("IfStatementMissingCondition", format!("Missing condition in {keyword} statement after '{keyword} ('."));
        }
        let condition = self.nested(Self::pipeline_or_assignment)?;
        self.close_paren(open, keyword)?;
        Ok(condition)
    }

    fn close_paren(&mut self, open: Span, keyword: &str) -> Parse<()> {
        self.skip_newlines();
        if self.eat(b')') {
            return Ok(());
        }
        let message = format!("Missing closing ')' after expression in '{keyword}' statement.");
        self.missing_close(open, "MissingEndParenthesisAfterStatement", &message);
        Err(Bail)
    }

    fn if_statement(&mut self, start: usize) -> Parse<Statement> {
        let mut clauses = Vec::new();
        let condition = self.condition("if")?;
        clauses.push((condition, self.block("if ( condition )")?));
        let mut otherwise = None;
        loop {
            let end = self.pos;
            self.skip_newlines();
            if self.at_keyword("elseif") {
                self.pos += 6;
                let condition = self.condition("elseif")?;
                clauses.push((condition, self.block("elseif ( condition )")?));
            } else if self.at_keyword("else") {
                self.pos += 4;
                otherwise = Some(self.block("'else' keyword")?);
                break;
            } else {
                self.pos = end;
                break;
            }
        }
        Ok(self.finish(start, StatementKind::If { clauses, otherwise }))
    }

    fn looping(&mut self, start: usize, word: &str, label: Option<Arc<str>>) -> Parse<Option<Statement>> {
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
                    self.pos = at;
                    return Ok(None);
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

    fn try_statement(&mut self, start: usize) -> Parse<Statement> {
        let body = self.block("'try' keyword")?;
        let mut catches = Vec::new();
        let mut finally = None;
        loop {
            let end = self.pos;
            self.skip_newlines();
            let from = self.pos;
            if self.at_keyword("catch") {
                self.pos += 5;
                let clause = self.catch_clause(from)?;
                catches.push(clause);
            } else if self.at_keyword("finally") {
                self.pos += 7;
                finally = Some(self.block("'finally' keyword")?);
                break;
            } else {
                self.pos = end;
                break;
            }
        }
        if catches.is_empty() && finally.is_none() {
            let span = self.after_last();
            let incomplete = self.text[self.pos..].trim().is_empty();
            self.push_error(ParseError {
                message: "The Try statement is missing its Catch or Finally block.".into(),
                id: "MissingCatchOrFinally",
                span,
                incomplete,
            });
            return Err(Bail);
        }
        Ok(self.finish(start, StatementKind::Try(Box::new(Try { body, catches, finally }))))
    }

    /// Types and block of `catch` and `trap`.
    fn catch_clause(&mut self, start: usize) -> Parse<CatchClause> {
        let mut types = Vec::new();
        loop {
            self.skip_newlines();
            if self.peek() != Some(b'[') {
                break;
            }
            types.push(self.type_name()?);
            self.skip_newlines();
            if !self.eat(b',') {
                break;
            }
        }
        let body = self.block("catch")?;
        Ok(CatchClause { span: self.span_from(start), types, body })
    }

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
            return self.bail(
                left.span,
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
