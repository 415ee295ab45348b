//! Statements.

use super::cursor::{is_identifier, is_identifier_start};
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
            let trap = self.catch_clause(start, "trap")?;
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
                "trap" => "MissingTrapStatement",
                "catch" => "MissingCatchHandlerBlock",
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

    pub(crate) fn finish(&self, start: usize, kind: StatementKind) -> Statement {
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
        if self.peek() == Some(b'[')
            && let Some(statement) = self.attributed_definition()?
        {
            return Ok(statement);
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
                self.data(start)
            }
            "using" if self.using_follows(length) => {
                let span = Span::new(start, start + length);
                let rest = self.text[start..].find(['\n', '\r', ';']).map_or(self.text.len(), |at| start + at);
                let span = Span::new(span.start as usize, rest);
                self.bail(span, "UsingMustBeAtStartOfScript", "A 'using' statement must appear before any other statements in a script.")
            }
            "class" | "enum" if self.definition_follows(&word) => self.definition(start, Vec::new()),
            "workflow" | "configuration" if self.definition_follows(&word) => self.refused(start, &word),
            _ => self.pipeline_or_assignment(),
        }
    }

    /// `data [name] [-SupportedCommand …] {…}`; the position is behind the keyword.
    fn data(&mut self, start: usize) -> Parse<Statement> {
        let mut name = None;
        let mut commands = Vec::new();
        if self.peek_char().is_some_and(is_identifier_start) {
            let from = self.pos;
            let written = self.plain_word(|_| false);
            name = Some(VariablePath { span: self.span_from(from), scope: None, key: written.to_lowercase().into(), name: written });
            self.skip_newlines();
        }
        if let Some((length, parameter)) = self.parameter_name_here() {
            let span = Span::new(self.pos, self.pos + length);
            if !"supportedcommand".starts_with(&parameter.to_lowercase()) {
                return self.bail(
                    span,
                    "InvalidParameterForDataSectionStatement",
                    format!("The parameter '{parameter}' is not valid in the data section. The valid parameter is SupportedCommand."),
                );
            }
            self.pos += length;
            self.skip_blanks();
            loop {
                commands.push(self.argument()?);
                self.skip_newlines();
                if !self.eat(b',') {
                    break;
                }
                self.skip_newlines();
            }
        }
        let body = self.block("data")?;
        self.check_data(&body, &commands);
        Ok(self.finish(start, StatementKind::Data { name, commands, body: Box::new(body) }))
    }

    fn using_follows(&self, length: usize) -> bool {
        let rest = self.text[self.pos + length..].trim_start_matches([' ', '\t']);
        ["namespace", "module", "assembly"].iter().any(|kind| {
            rest.get(..kind.len()).is_some_and(|word| word.eq_ignore_ascii_case(kind)) && rest[kind.len()..].starts_with([' ', '\t'])
        })
    }

    /// A data section may call `ConvertFrom-StringData` and what it allows itself, nothing else.
    fn check_data(&mut self, body: &StatementBlock, commands: &[Expression]) {
        let text = |e: &Expression| match &e.kind {
            ExpressionKind::Text(text, _) => Some(text.clone()),
            _ => None,
        };
        let allowed: Vec<_> = commands.iter().filter_map(text).collect();
        for statement in &body.statements {
            let StatementKind::Pipeline(pipeline) = &statement.kind else { continue };
            for element in &pipeline.elements {
                let PipelineElement::Command(Command { elements, span, .. }) = element else { continue };
                let Some(CommandElement::Argument(head)) = elements.first() else { continue };
                let Some(name) = text(head) else { continue };
                if !name.eq_ignore_ascii_case("ConvertFrom-StringData") && !allowed.iter().any(|a| a.eq_ignore_ascii_case(&name)) {
                    self.error_at(
                        *span,
                        "CmdletNotInAllowedListForDataSection",
                        format!("The command '{name}' is not allowed in restricted language mode or a Data section."),
                    );
                }
            }
        }
    }

    fn trim_back(&self, least: usize, end: usize) -> usize {
        let text = &self.text[least..end];
        least + text.trim_end_matches([' ', '\t']).len()
    }

    /// `workflow name … {…}` and `configuration name {…}`: parsed like functions, so that a script that holds one is read to its end.
    fn refused(&mut self, start: usize, word: &str) -> Parse<Statement> {
        let keyword = if word == "workflow" { "workflow" } else { "configuration" };
        self.pos += keyword.len();
        let Statement { span, kind } = self.function(start, false)?;
        let StatementKind::Function(definition) = kind else { return self.unexpected() };
        let kind = StatementKind::Refused { keyword, name: definition.name.clone(), body: definition.body.clone() };
        Ok(Statement { span, kind })
    }

    pub(crate) fn condition(&mut self, keyword: &str) -> Parse<Statement> {
        self.skip_newlines();
        let open = self.here();
        if !self.eat(b'(') {
            return match keyword {
                "if" | "elseif" => {
                    self.bail_here("MissingOpenParenthesisInIfStatement", format!("Missing '(' after '{keyword}' in if statement."))
                }
                "switch" => self.bail_here(
                    "PipelineValueRequired",
                    "A switch statement must have one of the following: '-file file_name' or '( expression )'.",
                ),
                _ => self.bail_here("MissingOpenParenthesisAfterKeyword", format!("Missing opening '(' after keyword '{keyword}'.")),
            };
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

    pub(crate) fn close_paren(&mut self, open: Span, keyword: &str) -> Parse<()> {
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
                let clause = self.catch_clause(from, "catch")?;
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
    fn catch_clause(&mut self, start: usize, keyword: &str) -> Parse<CatchClause> {
        let behind = self.pos;
        let mut types = Vec::new();
        loop {
            self.skip_newlines();
            if self.peek() != Some(b'[') {
                break;
            }
            match self.type_name() {
                Ok(name) => types.push(name),
                Err(Bail) => {
                    if keyword == "catch" {
                        self.error_at(
                            Span::new(behind, behind),
                            "MissingCatchHandlerBlock",
                            "The catch block is missing its statement block.",
                        );
                    }
                    return Err(Bail);
                }
            }
            self.skip_newlines();
            if !self.eat(b',') {
                break;
            }
        }
        let body = self.block(keyword)?;
        Ok(CatchClause { span: self.span_from(start), types, body })
    }
}
