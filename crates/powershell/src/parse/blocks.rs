//! Script blocks, functions, parameters, attributes and type names.

use std::sync::Arc;

use super::cursor::is_identifier_start;
use super::statements::Close;
use super::{Bail, Parse, Parser};
use crate::ast::*;
use crate::source::Span;

/// Attributes and constraints in front of a variable.
#[derive(Default)]
struct Decorations {
    attributes: Vec<Arc<Attribute>>,
    types: Vec<TypeName>,
}

impl Parser<'_> {
    fn empty_script(&self, start: usize) -> ScriptBlockAst {
        ScriptBlockAst {
            source: self.source.clone(),
            span: Span::new(start, start),
            attributes: Vec::new(),
            parameters: Vec::new(),
            has_param_block: false,
            param_span: None,
            implicit_process: false,
            help: None,
            begin: None,
            process: None,
            end: None,
            dynamic_param: None,
            usings: Vec::new(),
            requires: Vec::new(),
        }
    }

    /// The whole text.
    pub(crate) fn script(&mut self) -> ScriptBlockAst {
        let mut ast = self.empty_script(0);
        while !self.fatal {
            self.skip_separators();
            if !self.at_keyword("using") {
                break;
            }
            let start = self.pos;
            match self.using() {
                Ok(using) => ast.usings.push(using),
                Err(Bail) => self.recover(start),
            }
        }
        self.script_body(&mut ast, Close::End);
        ast.span = Span::new(0, self.text.len());
        ast.help = super::help::leading(self.text.trim_start_matches('\u{feff}')).or_else(|| super::help::trailing(self.text));
        ast
    }

    fn using(&mut self) -> Parse<Using> {
        let start = self.pos;
        self.pos += 5;
        self.skip_blanks();
        let kind = self.plain_word(|_| false).to_lowercase();
        if !matches!(kind.as_str(), "namespace" | "module" | "assembly") {
            self.pos = start + 5;
            return self.bail_here(
                "MissingUsingStatementDirective",
                "A 'using' statement must specify one of the following: 'assembly', 'module', 'namespace'.",
            );
        }
        self.skip_blanks();
        let from = self.pos;
        let argument = self.argument()?;
        let name = self.text[from..self.pos].into();
        Ok(Using { kind: kind.into(), name, argument, span: self.span_from(start) })
    }

    /// `{…}` as a value; the position is on the brace.
    pub(crate) fn script_block_expression(&mut self) -> Parse<ScriptBlockAst> {
        let start = self.pos;
        let mut ast = self.empty_script(start);
        self.pos += 1;
        self.nested(|p| {
            p.script_body(&mut ast, Close::Brace);
            Ok(())
        })?;
        self.close_brace(start)?;
        ast.span = self.span_from(start);
        Ok(ast)
    }

    fn close_brace(&mut self, start: usize) -> Parse<()> {
        if self.eat(b'}') {
            return Ok(());
        }
        self.missing_close(
            Span::new(start, start + 1),
            "MissingEndCurlyBrace",
            "Missing closing '}' in statement block or type definition.",
        );
        Err(Bail)
    }

    /// Attributes, `param`, named blocks or statements.
    fn script_body(&mut self, ast: &mut ScriptBlockAst, close: Close) {
        let comma = std::mem::replace(&mut self.no_comma, false);
        let start = self.pos;
        let before_body = self.pos;
        if self.param_block(ast).is_err() {
            self.recover(start);
        }
        self.skip_separators();
        if self.named_block_here().is_some() {
            self.named_blocks(ast, close);
        } else {
            let start = self.pos;
            let mut block = self.statement_list(close, start);
            block.span = self.unnamed_span(ast, &block, before_body);
            ast.end = Some(block);
        }
        self.no_comma = comma;
    }

    /// The span of statements without a named block: from `param` or the first of them to the last.
    fn unnamed_span(&self, ast: &ScriptBlockAst, block: &StatementBlock, before: usize) -> Span {
        let statements = block.statements.iter().map(|s| s.span).chain(block.traps.iter().map(|t| t.span)).reduce(Span::to);
        let param = ast.param_span.map(|span| match ast.attributes.last() {
            Some(last) => {
                let between = Span { start: last.span.end, end: span.end }.of(self.text);
                let gap = between.to_ascii_lowercase().find("param").unwrap_or(0);
                Span::new(last.span.end as usize + gap, span.end as usize)
            }
            None => span,
        });
        match (param, statements) {
            (Some(param), Some(statements)) => param.to(statements),
            (Some(one), None) | (None, Some(one)) => one,
            // `{}` without anything in it has no place.
            (None, None) if self.text[before..].starts_with('}') => Span::default(),
            (None, None) => Span::new(before, before),
        }
    }

    /// `[CmdletBinding()] param(…)`, if it stands here.
    fn param_block(&mut self, ast: &mut ScriptBlockAst) -> Parse<()> {
        self.skip_separators();
        let start = self.pos;
        let errors = self.errors.len();
        let mut attributes = Vec::new();
        // Attributes belong to a `param` only when one follows; `[int]$x = 1` is a statement.
        while self.peek() == Some(b'[') {
            match self.attribute_or_type() {
                Ok(Decoration::Attribute(attribute)) => attributes.push(attribute.into()),
                Ok(Decoration::Type(_)) | Err(Bail) => break,
            }
            self.skip_newlines();
        }
        if !self.at_keyword("param") {
            self.pos = start;
            self.errors.truncate(errors);
            return Ok(());
        }
        self.pos += 5;
        ast.attributes = attributes;
        ast.has_param_block = true;
        self.skip_newlines();
        ast.parameters = self.parameter_list()?;
        ast.param_span = Some(self.span_from(start));
        Ok(())
    }

    fn named_block_here(&self) -> Option<&'static str> {
        let word = self.keyword_here()?;
        let found = ["begin", "process", "end", "dynamicparam", "clean"].into_iter().find(|k| k.eq_ignore_ascii_case(word))?;
        let rest = self.text[self.pos + word.len()..].trim_start();
        (rest.starts_with('{') || rest.starts_with('#') || rest.starts_with("<#")).then_some(found)
    }

    fn named_blocks(&mut self, ast: &mut ScriptBlockAst, close: Close) {
        while !self.fatal {
            self.skip_separators();
            let closed = match close {
                Close::Brace => self.peek() == Some(b'}'),
                _ => false,
            };
            if closed || self.at_end() {
                return;
            }
            let Some(name) = self.named_block_here() else {
                let span = self.token_here();
                let text = span.of(self.text).to_owned();
                self.error_at(
                    span,
                    "MissingNamedBlocks",
                    format!("Unexpected token '{text}': only begin, process, end and dynamicparam blocks may stand here."),
                );
                let before = self.pos;
                self.recover(before);
                if self.pos == before {
                    self.advance_char();
                }
                continue;
            };
            let span = Span::new(self.pos, self.pos + name.len());
            self.pos += name.len();
            let Ok(mut block) = self.block(name) else {
                self.recover(span.start as usize);
                continue;
            };
            block.span.start = span.start;
            let slot = match name {
                "begin" => &mut ast.begin,
                "process" => &mut ast.process,
                "end" => &mut ast.end,
                "dynamicparam" => &mut ast.dynamic_param,
                _ => {
                    self.error_at(span, "NotSupportedYet", "'clean' blocks are not supported in this version.");
                    continue;
                }
            };
            if slot.is_some() {
                self.error_at(span, "DuplicateScriptCommandClause", format!("Script command clause '{name}' has already been defined."));
            } else {
                *slot = Some(block);
            }
        }
    }

    /// `function name … {…}`; the position is behind the keyword.
    pub(crate) fn function(&mut self, start: usize, filter: bool) -> Parse<Statement> {
        self.skip_newlines();
        let written = self.plain_word(|_| false);
        if written.is_empty() {
            return self.bail_here("MissingNameAfterKeyword", "Missing name after function keyword.");
        }
        let (scope, name) = match written.split_once(':') {
            Some((scope, name)) if !name.is_empty() && scope.chars().all(char::is_alphabetic) => {
                (Some(scope.to_lowercase().into()), name.into())
            }
            _ => (None, written.clone()),
        };
        self.skip_newlines();
        let mut parameters = None;
        if self.peek() == Some(b'(') {
            parameters = Some(self.parameter_list()?);
            self.skip_newlines();
        }
        if self.peek() != Some(b'{') {
            let incomplete = self.at_end();
            let span = self.here();
            self.push_error(super::ParseError {
                message: "Missing function body in function declaration.".into(),
                id: "MissingFunctionBody",
                span,
                incomplete,
            });
            return Err(Bail);
        }
        let mut body = self.script_block_expression()?;
        let inside = &self.text[body.span.start as usize + 1..(body.span.end as usize).saturating_sub(1).max(body.span.start as usize + 1)];
        body.help =
            super::help::leading(inside).or_else(|| super::help::trailing(inside)).or_else(|| super::help::trailing(&self.text[..start]));
        let inline_parameters = parameters.is_some();
        if let Some(parameters) = parameters {
            body.parameters = parameters;
            body.has_param_block = true;
        }
        if filter && body.process.is_none() {
            body.process = body.end.take();
            body.implicit_process = true;
        }
        let span = self.span_from(start);
        let definition = FunctionDefinition { span, scope, name, filter, inline_parameters, body: Arc::new(body) };
        Ok(Statement { span, kind: StatementKind::Function(Arc::new(definition)) })
    }

    /// `( … )` of `param` and of functions.
    pub(crate) fn parameter_list(&mut self) -> Parse<Vec<Parameter>> {
        let open = self.here();
        if !self.eat(b'(') {
            return self.bail_here("MissingOpenParenthesisAfterKeyword", "Missing opening '(' after keyword 'param'.");
        }
        let before = std::mem::replace(&mut self.no_comma, true);
        let result = self.nested(|p| p.parameters(open));
        self.no_comma = before;
        result
    }

    fn parameters(&mut self, open: Span) -> Parse<Vec<Parameter>> {
        let mut parameters: Vec<Parameter> = Vec::new();
        loop {
            self.skip_newlines();
            if self.peek() == Some(b')') && parameters.is_empty() {
                self.pos += 1;
                return Ok(parameters);
            }
            if parameters.is_empty() && !matches!(self.peek(), Some(b'[' | b'$')) {
                self.missing_close(open, "MissingEndParenthesisInFunctionParameterList", "Missing ')' in function parameter list.");
                return Err(Bail);
            }
            let parameter = self.parameter(open)?;
            if parameters.iter().any(|p| p.name.key == parameter.name.key) {
                self.error_at(
                    parameter.name.span,
                    "DuplicateFormalParameter",
                    format!("Duplicate parameter ${} in parameter list.", parameter.name.name),
                );
            }
            parameters.push(parameter);
            self.skip_newlines();
            if self.eat(b',') {
                continue;
            }
            if self.eat(b')') {
                return Ok(parameters);
            }
            self.missing_close(open, "MissingEndParenthesisInFunctionParameterList", "Missing ')' in function parameter list.");
            return Err(Bail);
        }
    }

    fn parameter(&mut self, open: Span) -> Parse<Parameter> {
        let start = self.pos;
        let mut decorations = Decorations::default();
        while self.peek() == Some(b'[') {
            match self.attribute_or_type()? {
                Decoration::Attribute(attribute) => decorations.attributes.push(attribute.into()),
                Decoration::Type(name) => decorations.types.push(name),
            }
            self.skip_newlines();
        }
        let variable = if self.peek() == Some(b'$') { self.variable(false)? } else { None };
        let Some(name) = variable else {
            if self.at_end() {
                self.missing_close(open, "MissingEndParenthesisInFunctionParameterList", "Missing ')' in function parameter list.");
                return Err(Bail);
            }
            return self.bail_here("MissingExpressionAfterToken", "A parameter was expected here.");
        };
        let mut default = None;
        let end = self.pos;
        self.skip_newlines();
        if self.eat(b'=') {
            self.skip_newlines();
            default = Some(self.expression()?);
        } else {
            self.pos = end;
        }
        Ok(Parameter { span: self.span_from(start), attributes: decorations.attributes, types: decorations.types, name, default })
    }

    /// `[…]` as an operand: a type literal, or an attribute with what it decorates.
    pub(crate) fn bracketed(&mut self) -> Parse<Expression> {
        let start = self.pos;
        match self.attribute_or_type()? {
            Decoration::Type(name) => Ok(Expression { span: name.span, kind: ExpressionKind::Type(name) }),
            Decoration::Attribute(attribute) => {
                self.skip_blanks();
                let child = self.unary()?;
                Ok(Expression { span: self.span_from(start), kind: ExpressionKind::Attributed(Arc::new(attribute), Box::new(child)) })
            }
        }
    }

    /// `[name]` without arguments.
    pub(crate) fn type_name(&mut self) -> Parse<TypeName> {
        let span = self.here();
        match self.attribute_or_type()? {
            Decoration::Type(name) => Ok(name),
            Decoration::Attribute(_) => self.bail(span, "TypeNameExpected", "A type name was expected here."),
        }
    }

    pub(crate) fn attribute_or_type(&mut self) -> Parse<Decoration> {
        let start = self.pos;
        self.pos += 1;
        self.skip_newlines();
        let from = self.pos;
        if !self.peek_char().is_some_and(is_identifier_start) {
            return self.bail_here("MissingTypename", "Missing type name after '['.");
        }
        let mut open = 0usize;
        loop {
            match self.peek_char() {
                Some('[') => open += 1,
                Some(']') if open == 0 => break,
                Some(']') => open -= 1,
                Some('(') if open == 0 => break,
                Some(c) if c.is_alphanumeric() || matches!(c, '_' | '.' | ',' | '`' | '+' | '=' | '-' | ' ' | '*' | '&') => {}
                _ => {
                    let span = self.here();
                    let incomplete = self.at_end();
                    self.push_error(super::ParseError {
                        message: "Missing ] at end of attribute or type literal.".into(),
                        id: "EndSquareBracketExpectedAtEndOfAttribute",
                        span,
                        incomplete,
                    });
                    return Err(Bail);
                }
            }
            self.advance_char();
        }
        let name = self.text[from..self.pos].trim();
        if self.peek() == Some(b']') {
            self.pos += 1;
            return Ok(Decoration::Type(TypeName { name: name.into(), span: self.span_from(start) }));
        }
        let name: Arc<str> = name.strip_suffix("Attribute").filter(|n| !n.is_empty()).unwrap_or(name).into();
        let mut attribute = Attribute { span: Span::default(), name, positional: Vec::new(), named: Vec::new(), named_spans: Vec::new() };
        let before = std::mem::replace(&mut self.no_comma, true);
        let result = self.nested(|p| p.attribute_arguments(&mut attribute));
        self.no_comma = before;
        result?;
        self.skip_newlines();
        if !self.eat(b']') {
            self.missing_close(
                Span::new(start, start + 1),
                "EndSquareBracketExpectedAtEndOfAttribute",
                "Missing ] at end of attribute or type literal.",
            );
            return Err(Bail);
        }
        attribute.span = self.span_from(start);
        Ok(Decoration::Attribute(attribute))
    }

    fn attribute_arguments(&mut self, attribute: &mut Attribute) -> Parse<()> {
        let open = self.here();
        self.pos += 1;
        loop {
            self.skip_newlines();
            if self.eat(b')') {
                return Ok(());
            }
            if self.at_end() {
                self.missing_close(open, "MissingEndParenthesisInExpression", "Missing closing ')' in expression.");
                return Err(Bail);
            }
            if self.peek_char().is_some_and(is_identifier_start) {
                let from = self.pos;
                let name = self.plain_word(|c| matches!(c, '=' | ']'));
                let mut end = self.pos;
                self.skip_newlines();
                let value = if self.eat(b'=') {
                    self.skip_newlines();
                    let value = self.expression()?;
                    end = self.pos;
                    Some(value)
                } else {
                    None
                };
                attribute.named_spans.push(Span::new(from, end));
                attribute.named.push((name, value));
            } else {
                attribute.positional.push(self.expression()?);
            }
            self.skip_newlines();
            if !self.eat(b',') && self.peek() != Some(b')') {
                self.missing_close(open, "MissingEndParenthesisInExpression", "Missing closing ')' in expression.");
                return Err(Bail);
            }
        }
    }
}

/// What stood in brackets.
pub(crate) enum Decoration {
    Attribute(Attribute),
    Type(TypeName),
}
