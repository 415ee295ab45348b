//! `class` and `enum`.

use std::sync::Arc;

use super::blocks::Decoration;
use super::cursor::{is_identifier, is_identifier_start};
use super::{Bail, Parse, Parser};
use crate::ast::*;
use crate::source::Span;

/// What stands before a member's name.
struct Modifiers {
    attributes: Vec<Arc<Attribute>>,
    type_name: Option<TypeName>,
    ownership: Ownership,
    visibility: MemberVisibility,
}

impl Parser<'_> {
    /// Whether `class` or `enum` is followed by a name; else the word is a command.
    pub(crate) fn definition_follows(&self, keyword: &str) -> bool {
        let rest = self.text[self.pos + keyword.len()..].trim_start_matches([' ', '\t', '\r', '\n']);
        rest.is_empty() || rest.starts_with(|c| is_identifier_start(c) || c == '{')
    }

    /// `[Flags()] enum …`: attributes in front of a definition, when that is what stands here.
    pub(crate) fn attributed_definition(&mut self) -> Parse<Option<Statement>> {
        let start = self.pos;
        let errors = self.errors.len();
        let mut attributes = Vec::new();
        while self.peek() == Some(b'[') {
            match self.attribute_or_type() {
                Ok(Decoration::Attribute(attribute)) => attributes.push(attribute.into()),
                Ok(Decoration::Type(_)) | Err(Bail) => break,
            }
            self.skip_newlines();
        }
        if !attributes.is_empty() && (self.at_keyword("class") || self.at_keyword("enum")) {
            return self.definition(start, attributes).map(Some);
        }
        self.pos = start;
        self.errors.truncate(errors);
        Ok(None)
    }

    /// A definition; the position is on the keyword.
    pub(crate) fn definition(&mut self, start: usize, attributes: Vec<Arc<Attribute>>) -> Parse<Statement> {
        let kind = if self.at_keyword("class") { TypeKind::Class } else { TypeKind::Enum };
        let keyword = if kind == TypeKind::Class { "class" } else { "enum" };
        self.pos += keyword.len();
        self.skip_newlines();
        let from = self.pos;
        while self.peek_char().is_some_and(|c| is_identifier(c) || c == '.') {
            self.advance_char();
        }
        let name_span = self.span_from(from);
        let name: Arc<str> = name_span.of(self.text).into();
        if name.is_empty() {
            self.pos = from;
            return self.bail_here("MissingNameAfterKeyword", format!("Missing name after {keyword} keyword."));
        }
        self.skip_newlines();
        let bases = if self.eat(b':') { self.bases(kind)? } else { Vec::new() };
        self.skip_newlines();
        let open = self.here();
        if !self.eat(b'{') {
            return self.bail_here("MissingTypeBody", format!("Missing type body in {keyword} declaration."));
        }
        let members = self.nested(|p| match kind {
            TypeKind::Class => p.class_members(&name),
            TypeKind::Enum => p.enum_members(),
        })?;
        if !self.eat(b'}') {
            let behind = Span { start: open.end, end: open.end };
            self.missing_close(behind, "MissingEndCurlyBrace", "Missing closing '}' in statement block or type definition.");
            return Err(Bail);
        }
        self.check_members(&name, &members);
        let span = self.span_from(start);
        let definition = TypeDefinition { span, kind, name, name_span, attributes, bases, members };
        Ok(Statement { span, kind: StatementKind::Type(Arc::new(definition)) })
    }

    fn bases(&mut self, kind: TypeKind) -> Parse<Vec<TypeName>> {
        let mut bases = Vec::new();
        loop {
            self.skip_newlines();
            let from = self.pos;
            let mut open = 0usize;
            while let Some(c) = self.peek_char() {
                match c {
                    '[' => open += 1,
                    ']' if open > 0 => open -= 1,
                    ',' if open > 0 => {}
                    c if is_identifier(c) || matches!(c, '.' | '+' | '`') => {}
                    _ => break,
                }
                self.advance_char();
            }
            let span = self.span_from(from);
            if span.start == span.end {
                return self.bail_here("TypeNameExpected", "Missing type name after ':' in the declaration.");
            }
            bases.push(TypeName { name: span.of(self.text).into(), span });
            self.skip_newlines();
            if kind == TypeKind::Enum || !self.eat(b',') {
                return Ok(bases);
            }
        }
    }

    fn enum_members(&mut self) -> Parse<Vec<MemberDefinition>> {
        let mut members = Vec::new();
        loop {
            self.skip_separators();
            if matches!(self.peek(), None | Some(b'}')) {
                return Ok(members);
            }
            let from = self.pos;
            if !self.peek_char().is_some_and(is_identifier_start) {
                // What is no name ends the members.
                return Ok(members);
            }
            let name = self.plain_word(|c| !is_identifier(c));
            let mut end = self.pos;
            self.skip_blanks();
            let mut initial = None;
            if self.eat(b'=') {
                self.skip_newlines();
                if self.at_statement_end() {
                    return self.bail_here("ExpectedValueExpression", "You must provide a value expression following the '=' operator.");
                }
                initial = Some(self.expression()?);
                end = self.pos;
            }
            end = self.end_of_member(end)?;
            members.push(MemberDefinition::Property(PropertyDefinition {
                span: Span::new(from, end),
                name,
                attributes: Vec::new(),
                type_name: None,
                initial,
                ownership: Ownership::Static,
                visibility: MemberVisibility::Public,
            }));
        }
    }

    /// Where a member ends; a semicolon is part of it.
    fn end_of_member(&mut self, end: usize) -> Parse<usize> {
        self.skip_blanks();
        match self.peek() {
            Some(b';') => Ok(self.pos + 1),
            None | Some(b'\n' | b'\r' | b'}') => Ok(end),
            _ => self.unexpected(),
        }
    }

    fn class_members(&mut self, class: &str) -> Parse<Vec<MemberDefinition>> {
        let mut members = Vec::new();
        loop {
            self.skip_separators();
            if matches!(self.peek(), None | Some(b'}')) || self.fatal {
                return Ok(members);
            }
            let start = self.pos;
            let member = self.member_definition(class);
            match member {
                Ok(member) => members.push(member),
                Err(Bail) => {
                    self.recover(start);
                    if self.pos == start {
                        self.advance_char();
                    }
                }
            }
        }
    }

    fn modifiers(&mut self) -> Parse<Modifiers> {
        let mut found =
            Modifiers { attributes: Vec::new(), type_name: None, ownership: Ownership::Instance, visibility: MemberVisibility::Public };
        loop {
            self.skip_newlines();
            if self.peek() == Some(b'[') {
                match self.attribute_or_type()? {
                    Decoration::Attribute(attribute) => found.attributes.push(attribute.into()),
                    Decoration::Type(name) => {
                        if found.type_name.is_some() {
                            self.error_at(name.span, "TooManyTypes", "Multiple type constraints are not allowed on a method.");
                        }
                        found.type_name = Some(name);
                    }
                }
            } else if self.at_keyword("static") {
                self.pos += 6;
                found.ownership = Ownership::Static;
            } else if self.at_keyword("hidden") {
                self.pos += 6;
                found.visibility = MemberVisibility::Hidden;
            } else {
                return Ok(found);
            }
        }
    }

    fn member_definition(&mut self, class: &str) -> Parse<MemberDefinition> {
        let start = self.pos;
        let Modifiers { attributes, type_name, ownership, visibility } = self.modifiers()?;
        if self.peek() == Some(b'$') {
            let Some(variable) = self.variable(false)? else { return self.unexpected() };
            let mut end = self.pos;
            self.skip_blanks();
            let mut initial = None;
            if self.eat(b'=') {
                self.skip_newlines();
                initial = Some(self.expression()?);
                end = self.pos;
            }
            end = self.end_of_member(end)?;
            let property = PropertyDefinition {
                span: Span::new(start, end),
                name: variable.name,
                attributes,
                type_name,
                initial,
                ownership,
                visibility,
            };
            return Ok(MemberDefinition::Property(property));
        }
        let name_start = self.pos;
        let name = self.plain_word(|c| !is_identifier(c));
        if name.is_empty() {
            if name_start > start {
                return self.bail_here("IncompleteMemberDefinition", "Incomplete class member definition.");
            }
            return self.unexpected();
        }
        self.skip_newlines();
        if self.peek() != Some(b'(') {
            return self.bail_here("MissingMethodParameterList", "Missing parameter list in method definition.");
        }
        let parameters = self.parameter_list()?;
        self.skip_newlines();
        let mut base_arguments = None;
        if self.eat(b':') {
            self.skip_newlines();
            let from = self.pos;
            if !self.at_keyword_before_paren("base") {
                return self.bail_here("MissingBaseCtorCall", "Missing call of the base constructor after ':'.");
            }
            self.pos += 4;
            self.skip_newlines();
            if self.peek() != Some(b'(') {
                return self.bail_here("MissingMethodParameterList", "Missing parameter list in method definition.");
            }
            let arguments = self.nested(Self::method_arguments)?;
            base_arguments = Some((arguments, self.span_from(from)));
            self.skip_newlines();
        }
        if self.peek() != Some(b'{') {
            return self.bail_here("MissingFunctionBody", "Missing function body in function declaration.");
        }
        let mut body = self.script_block_expression()?;
        body.parameters = parameters;
        let span = self.span_from(start);
        let is_constructor = name.eq_ignore_ascii_case(class);
        let void = type_name.as_ref().is_some_and(|t| t.name.eq_ignore_ascii_case("void") || t.name.eq_ignore_ascii_case("system.void"));
        if let Some(declared) = type_name.as_ref().filter(|_| !void && !is_constructor)
            && let Some(end) = &body.end
            && !super::paths::always_leaves(end)
        {
            let _ = declared;
            let at = Span::new(name_start, name_start + name.len());
            self.error_at(at, "MethodHasCodePathNotReturn", "Not all code path returns value within method.");
        }
        let function_span = Span::new(name_start, self.pos);
        let function =
            FunctionDefinition { span: function_span, scope: None, name, filter: false, inline_parameters: true, body: Arc::new(body) };
        Ok(MemberDefinition::Method(MethodDefinition {
            span,
            attributes,
            return_type: type_name,
            function: Arc::new(function),
            base_arguments,
            ownership,
            visibility,
        }))
    }

    fn at_keyword_before_paren(&self, word: &str) -> bool {
        self.text.get(self.pos..self.pos + word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word))
    }

    /// Members that are defined twice.
    fn check_members(&mut self, class: &str, members: &[MemberDefinition]) {
        let mut seen = std::collections::BTreeSet::new();
        for member in members {
            let MemberDefinition::Property(property) = member else { continue };
            if !seen.insert(property.name.to_lowercase()) {
                self.error_at(property.span, "MemberAlreadyDefined", format!("The member '{}' is already defined.", property.name));
            }
        }
        let _ = class;
    }
}
