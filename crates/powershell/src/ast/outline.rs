//! The tree as PowerShell's own visitor lists it (`Ast.FindAll`): kinds and spans, to compare with
//! `System.Management.Automation.Language.Parser`.

use super::*;

/// One node of `System.Management.Automation.Language`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// Name of the class without `Ast`: `Command`, `ConstantExpression`.
    pub kind: &'static str,
}

/// All nodes of a tree, sorted by place and kind.
pub fn outline(ast: &ScriptBlockAst) -> Vec<Node> {
    let mut lister = Lister { nodes: Vec::new() };
    lister.script(ast);
    lister.nodes.sort();
    lister.nodes
}

struct Lister {
    nodes: Vec<Node>,
}

impl Lister {
    fn add(&mut self, kind: &'static str, span: Span) {
        self.nodes.push(Node { span, kind });
    }

    fn script(&mut self, ast: &ScriptBlockAst) {
        self.add("ScriptBlock", ast.span);
        self.script_inside(ast);
    }

    fn script_inside(&mut self, ast: &ScriptBlockAst) {
        for using in &ast.usings {
            self.add("UsingStatement", using.span);
            self.expression(&using.argument);
        }
        if let Some(span) = ast.param_span {
            let start = ast.attributes.last().map_or(span.start, |_| param_keyword(ast, span));
            self.add("ParamBlock", Span { start, ..span });
            self.attributes(&ast.attributes);
            for parameter in &ast.parameters {
                self.parameter(parameter);
            }
        }
        for block in [&ast.dynamic_param, &ast.begin, &ast.process, &ast.end].into_iter().flatten() {
            self.add("NamedBlock", block.span);
            self.statements(block);
        }
    }

    fn attributes(&mut self, attributes: &[Arc<Attribute>]) {
        for attribute in attributes {
            self.attribute(attribute);
        }
    }

    fn attribute(&mut self, attribute: &Attribute) {
        self.add("Attribute", attribute.span);
        for argument in &attribute.positional {
            self.expression(argument);
        }
        for ((_, value), span) in attribute.named.iter().zip(&attribute.named_spans) {
            self.add("NamedAttributeArgument", *span);
            match value {
                Some(value) => self.expression(value),
                None => self.add("ConstantExpression", *span),
            }
        }
    }

    fn type_constraint(&mut self, name: &TypeName) {
        self.add("TypeConstraint", name.span);
    }

    fn parameter(&mut self, parameter: &Parameter) {
        self.add("Parameter", parameter.span);
        self.attributes(&parameter.attributes);
        for name in &parameter.types {
            self.type_constraint(name);
        }
        self.add("VariableExpression", parameter.name.span);
        if let Some(default) = &parameter.default {
            self.expression(default);
        }
    }

    fn block(&mut self, block: &StatementBlock) {
        self.add("StatementBlock", block.span);
        self.statements(block);
    }

    fn statements(&mut self, block: &StatementBlock) {
        for trap in &block.traps {
            self.add("TrapStatement", trap.span);
            self.handler(trap);
        }
        for statement in &block.statements {
            self.statement(statement);
        }
    }

    fn handler(&mut self, clause: &CatchClause) {
        for name in &clause.types {
            self.type_constraint(name);
        }
        self.block(&clause.body);
    }

    fn optional(&mut self, statement: Option<&Statement>) {
        if let Some(statement) = statement {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Pipeline(pipeline) => {
                self.add("Pipeline", pipeline.span);
                for element in &pipeline.elements {
                    self.element(element);
                }
            }
            StatementKind::Assignment(assignment) => {
                self.add("AssignmentStatement", span);
                self.expression(&assignment.left);
                match &assignment.right.kind {
                    StatementKind::Pipeline(Pipeline { elements, .. })
                        if matches!(elements.as_slice(), [PipelineElement::Expression(..)]) =>
                    {
                        self.element(&elements[0]);
                    }
                    _ => self.statement(&assignment.right),
                }
            }
            StatementKind::If { clauses, otherwise } => {
                self.add("IfStatement", span);
                for (condition, body) in clauses {
                    self.statement(condition);
                    self.block(body);
                }
                if let Some(body) = otherwise {
                    self.block(body);
                }
            }
            StatementKind::Loop(looping) => self.looping(&looping.kind, span),
            StatementKind::Try(parts) => {
                self.add("TryStatement", span);
                self.block(&parts.body);
                for clause in &parts.catches {
                    self.add("CatchClause", clause.span);
                    self.handler(clause);
                }
                if let Some(body) = &parts.finally {
                    self.block(body);
                }
            }
            StatementKind::Throw(value) => {
                self.add("ThrowStatement", span);
                self.optional(value.as_deref());
            }
            StatementKind::Return(value) => {
                self.add("ReturnStatement", span);
                self.optional(value.as_deref());
            }
            StatementKind::Exit(value) => {
                self.add("ExitStatement", span);
                self.optional(value.as_deref());
            }
            StatementKind::Break(label) => {
                self.add("BreakStatement", span);
                label.iter().for_each(|label| self.expression(label));
            }
            StatementKind::Continue(label) => {
                self.add("ContinueStatement", span);
                label.iter().for_each(|label| self.expression(label));
            }
            StatementKind::Function(definition) => self.function(definition, None),
            StatementKind::Refused { keyword, body, .. } => {
                self.add(if *keyword == "workflow" { "FunctionDefinition" } else { "ConfigurationDefinition" }, span);
                self.script(body);
            }
            StatementKind::Data { body, .. } => {
                self.add("DataStatement", span);
                self.block(body);
            }
            StatementKind::Type(definition) => self.type_definition(definition),
        }
    }

    /// The call of the base constructor that PowerShell adds to a constructor without one; it has no place.
    fn implied_base(&mut self) {
        for kind in ["CommandExpression", "VariableExpression", "StringConstantExpression"] {
            self.add(kind, Span::default());
        }
    }

    fn function(&mut self, definition: &FunctionDefinition, base: Option<&(Vec<Expression>, Span)>) {
        self.add("FunctionDefinition", definition.span);
        if definition.inline_parameters {
            for parameter in &definition.body.parameters {
                self.parameter(parameter);
            }
        }
        self.script(&definition.body);
        if let Some((arguments, span)) = base {
            let keyword = Span { start: span.start, end: span.start + 4 };
            self.add("CommandExpression", *span);
            self.add("VariableExpression", keyword);
            self.add("StringConstantExpression", keyword);
            arguments.iter().for_each(|argument| self.expression(argument));
        }
    }

    fn type_definition(&mut self, definition: &TypeDefinition) {
        self.add("TypeDefinition", definition.span);
        self.attributes(&definition.attributes);
        for base in &definition.bases {
            self.type_constraint(base);
        }
        for member in &definition.members {
            match member {
                MemberDefinition::Property(property) => {
                    self.add("PropertyMember", property.span);
                    self.attributes(&property.attributes);
                    property.type_name.iter().for_each(|name| self.type_constraint(name));
                    property.initial.iter().for_each(|value| self.expression(value));
                }
                MemberDefinition::Method(method) => {
                    self.add("FunctionMember", method.span);
                    self.attributes(&method.attributes);
                    method.return_type.iter().for_each(|name| self.type_constraint(name));
                    self.function(&method.function, method.base_arguments.as_ref());
                    let constructor = method.function.name.eq_ignore_ascii_case(&definition.name);
                    if constructor && method.ownership == Ownership::Instance && method.base_arguments.is_none() {
                        self.implied_base();
                    }
                }
            }
        }
    }

    fn looping(&mut self, kind: &LoopKind, span: Span) {
        match kind {
            LoopKind::While(condition, body) => {
                self.add("WhileStatement", span);
                self.statement(condition);
                self.block(body);
            }
            LoopKind::DoWhile(body, condition) => {
                self.add("DoWhileStatement", span);
                self.block(body);
                self.statement(condition);
            }
            LoopKind::DoUntil(body, condition) => {
                self.add("DoUntilStatement", span);
                self.block(body);
                self.statement(condition);
            }
            LoopKind::For { initializer, condition, iterator, body } => {
                self.add("ForStatement", span);
                for part in [initializer, condition, iterator].into_iter().flatten() {
                    self.statement(part);
                }
                self.block(body);
            }
            LoopKind::ForEach { variable, collection, body } => {
                self.add("ForEachStatement", span);
                self.add("VariableExpression", variable.span);
                self.statement(collection);
                self.block(body);
            }
            LoopKind::Switch { condition, clauses, default, .. } => {
                self.add("SwitchStatement", span);
                self.statement(condition);
                for (test, body) in clauses {
                    self.expression(test);
                    self.block(body);
                }
                default.iter().for_each(|body| self.block(body));
            }
        }
    }

    fn element(&mut self, element: &PipelineElement) {
        match element {
            PipelineElement::Command(command) => {
                self.add("Command", command.span);
                let mut only_values = false;
                for element in &command.elements {
                    match element {
                        // `--` is a parameter, and what follows it is none.
                        CommandElement::Argument(Expression { kind: ExpressionKind::Text(text, Quoting::Bare), span })
                            if &**text == "--" && !only_values =>
                        {
                            only_values = true;
                            self.add("CommandParameter", *span);
                        }
                        CommandElement::Parameter { span, .. } if only_values => self.add("StringConstantExpression", *span),
                        CommandElement::Parameter { argument, span, .. } => {
                            self.add("CommandParameter", *span);
                            argument.iter().for_each(|argument| self.expression(argument));
                        }
                        CommandElement::Argument(expression) => self.expression(expression),
                    }
                }
                self.redirections(&command.redirections);
            }
            PipelineElement::Expression(expression, redirections) => {
                let end = redirections.last().map_or(expression.span.end, |r| r.span.end);
                self.add("CommandExpression", Span { end, ..expression.span });
                self.expression(expression);
                self.redirections(redirections);
            }
        }
    }

    fn redirections(&mut self, redirections: &[Redirection]) {
        for redirection in redirections {
            match &redirection.to {
                RedirectionTarget::Output => self.add("MergingRedirection", redirection.span),
                RedirectionTarget::File { path, .. } => {
                    self.add("FileRedirection", redirection.span);
                    self.expression(path);
                }
            }
        }
    }

    fn expression(&mut self, expression: &Expression) {
        let span = expression.span;
        match &expression.kind {
            ExpressionKind::Constant(_) => self.add("ConstantExpression", span),
            ExpressionKind::Text(..) | ExpressionKind::Verbatim(_) => self.add("StringConstantExpression", span),
            ExpressionKind::Expandable(parts, _) => {
                self.add("ExpandableStringExpression", span);
                for part in parts {
                    if let StringPart::Expression(inner) = part {
                        self.expression(inner);
                    }
                }
            }
            ExpressionKind::Variable(_) | ExpressionKind::Splat(_) => self.add("VariableExpression", span),
            ExpressionKind::Using(_) => {
                self.add("UsingExpression", span);
                self.add("VariableExpression", span);
            }
            ExpressionKind::Member(member) => {
                self.add("MemberExpression", span);
                self.expression(&member.target);
                match &member.name.kind {
                    // `$table.4`
                    ExpressionKind::Text(text, Quoting::Bare) if text.bytes().all(|b| b.is_ascii_digit()) => {
                        self.add("ConstantExpression", member.name.span);
                    }
                    _ => self.expression(&member.name),
                }
            }
            ExpressionKind::Invoke(member, arguments) => {
                self.add("InvokeMemberExpression", span);
                self.expression(&member.target);
                self.expression(&member.name);
                arguments.iter().for_each(|argument| self.expression(argument));
            }
            ExpressionKind::Index(target, index) => {
                self.add("IndexExpression", span);
                self.expression(target);
                self.expression(index);
            }
            ExpressionKind::ArrayLiteral(items) => {
                self.add("ArrayLiteral", span);
                items.iter().for_each(|item| self.expression(item));
            }
            ExpressionKind::Array(block) => {
                self.add("ArrayExpression", span);
                self.inner(block);
            }
            ExpressionKind::Sub(block) => {
                self.add("SubExpression", span);
                self.inner(block);
            }
            ExpressionKind::Paren(inner) => {
                self.add("ParenExpression", span);
                self.statement(inner);
            }
            ExpressionKind::Hash(entries) => {
                self.add("Hashtable", span);
                for (key, value) in entries {
                    self.expression(key);
                    self.statement(value);
                }
            }
            ExpressionKind::ScriptBlock(ast) => {
                self.add("ScriptBlockExpression", span);
                self.script(ast);
            }
            ExpressionKind::Type(_) => self.add("TypeExpression", span),
            ExpressionKind::Convert(name, child) => {
                self.add("ConvertExpression", span);
                self.type_constraint(name);
                self.expression(child);
            }
            ExpressionKind::Attributed(attribute, child) => {
                self.add("AttributedExpression", span);
                self.attribute(attribute);
                self.expression(child);
            }
            ExpressionKind::Unary(op, child) => {
                self.add(if *op == UnaryOp::Comma { "ArrayLiteral" } else { "UnaryExpression" }, span);
                self.expression(child);
            }
            ExpressionKind::Binary(first, steps) => {
                self.expression(first);
                for step in steps {
                    self.add("BinaryExpression", first.span.to(step.right.span));
                    self.expression(&step.right);
                }
            }
        }
    }

    /// Statements between parentheses: PowerShell's block reaches from the first to the last of them.
    fn inner(&mut self, block: &StatementBlock) {
        let starts = block.statements.iter().map(|s| s.span).chain(block.traps.iter().map(|t| t.span));
        // Without statements it has no place.
        let span = starts.reduce(Span::to).unwrap_or_default();
        self.add("StatementBlock", span);
        self.statements(block);
    }
}

/// Where the word `param` stands behind its attributes.
fn param_keyword(ast: &ScriptBlockAst, span: Span) -> u32 {
    let after = ast.attributes.last().map_or(span.start, |a| a.span.end);
    let text = Span { start: after, end: span.end }.of(&ast.source.text).to_ascii_lowercase();
    after + text.find("param").and_then(|at| u32::try_from(at).ok()).unwrap_or(0)
}
