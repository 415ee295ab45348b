//! Expressions.

use std::sync::{Arc, RwLock};

use super::operators::{enumerate, is_collection, runtime};
use super::{Evaluator, Sink, collapse};
use crate::ast::*;
use crate::convert;
use crate::error::{ErrorRecord, Flow};
use crate::source::Span;
use crate::types;
use crate::value::{Hashtable, ScriptBlock, Value};

impl Evaluator<'_> {
    /// An expression as the first element of a pipeline: collections are enumerated into the sink.
    pub(crate) fn stream(&mut self, expression: &Expression, sink: &mut dyn Sink) -> Result<(), Flow> {
        let (value, nothing) = self.expression_value(expression)?;
        let silent = matches!(
            &expression.kind,
            ExpressionKind::Unary(UnaryOp::PreIncrement | UnaryOp::PreDecrement | UnaryOp::PostIncrement | UnaryOp::PostDecrement, _)
        );
        // As a statement, `$i++` has no output.
        if nothing || silent {
            return Ok(());
        }
        self.use_up_input(expression);
        self.emit_enumerated(value, sink)
    }

    /// `$input` can be enumerated once.
    pub(crate) fn use_up_input(&mut self, expression: &Expression) {
        if let ExpressionKind::Variable(path) = &expression.kind
            && path.scope.is_none()
            && &*path.key == "input"
            && self.env.scope.own("input").is_some()
        {
            self.env.scope.set("input", super::Variable::new("input", Value::array(Vec::new())));
        }
    }

    /// Pushes the elements of a collection, or the value itself.
    pub(crate) fn emit_enumerated(&mut self, value: Value, sink: &mut dyn Sink) -> Result<(), Flow> {
        match value.items() {
            Some(items) => {
                for item in items {
                    sink.emit(self, item)?;
                }
                Ok(())
            }
            None => sink.emit(self, value),
        }
    }

    /// The value, and whether there is none at all (a command without output in parentheses, a variable that took it).
    pub(crate) fn expression_value(&mut self, expression: &Expression) -> Result<(Value, bool), Flow> {
        match &expression.kind {
            ExpressionKind::Paren(inner) => self.paren_value(inner),
            ExpressionKind::Sub(block) => {
                let mut values = Vec::new();
                self.block(block, &mut values)?;
                Ok(collapse(values))
            }
            ExpressionKind::Variable(path) => self.variable_value(path, expression.span),
            ExpressionKind::Invoke(member, arguments) => {
                let result = self.invoke_member(member, arguments, expression.span)?;
                let nothing = result.is_none();
                Ok((result.unwrap_or(Value::Null), nothing))
            }
            ExpressionKind::Convert(name, child) if name.name.eq_ignore_ascii_case("void") => {
                self.value(child)?;
                Ok((Value::Null, true))
            }
            _ => Ok((self.value(expression)?, false)),
        }
    }

    fn paren_value(&mut self, inner: &Statement) -> Result<(Value, bool), Flow> {
        if let StatementKind::Assignment(assignment) = &inner.kind {
            // An assignment in parentheses gives the value that it assigned.
            let value = self.assign(assignment)?;
            return Ok((value, false));
        }
        if let Some(expression) = super::statements::single_expression(inner) {
            let result = self.expression_value(expression);
            self.ok = result.is_ok();
            return result;
        }
        let mut values = Vec::new();
        self.statement(inner, &mut values)?;
        Ok(collapse(values))
    }

    /// The value of an expression; errors get its place.
    pub(crate) fn value(&mut self, expression: &Expression) -> Result<Value, Flow> {
        let result = self.value_inner(expression);
        match result {
            Err(Flow::Error(mut failure)) if failure.record.position.is_none() => {
                self.locate(&mut failure.record, expression.span);
                Err(Flow::Error(failure))
            }
            other => other,
        }
    }

    fn value_inner(&mut self, expression: &Expression) -> Result<Value, Flow> {
        match &expression.kind {
            ExpressionKind::Constant(value) => Ok(value.clone()),
            ExpressionKind::Text(text, _) => Ok(Value::Str(text.clone())),
            ExpressionKind::Verbatim(text) => Ok(Value::Str(text.clone())),
            ExpressionKind::Expandable(parts, _) => self.expand(parts),
            ExpressionKind::Variable(path) => Ok(self.variable_value(path, expression.span)?.0),
            ExpressionKind::Using(path) => {
                let Some(scope) = self.using.clone() else {
                    return Err(ErrorRecord::runtime(
                        "A Using variable cannot be retrieved. A Using variable can be used only with Invoke-Command, Start-Job, or InlineScript in the script workflow. When it is used with Invoke-Command, the Using variable is valid only if the script block is invoked on a remote computer.",
                        "UsingWithoutInvokeCommand",
                        "InvalidOperation",
                    )
                    .into());
                };
                Ok(scope.value(&path.key).map_or(Value::Null, |(value, _)| value))
            }
            ExpressionKind::Splat(path) => Ok(self.variable_value(path, expression.span)?.0),
            ExpressionKind::Member(member) => self.member(member, expression.span),
            ExpressionKind::Invoke(member, arguments) => Ok(self.invoke_member(member, arguments, expression.span)?.unwrap_or(Value::Null)),
            ExpressionKind::Index(target, index) => {
                let target_value = self.value(target)?;
                let indices = self.value(index)?;
                if target_value.is_null() {
                    return Err(ErrorRecord::runtime("Cannot index into a null array.", "NullArray", "InvalidOperation").into());
                }
                let indices = enumerate_index(&indices);
                let found = types::index(&target_value, &indices).map_err(runtime)?;
                if found.is_null() && self.env.scope.strict() >= 3 {
                    self.check_index(&target_value, &indices)?;
                }
                Ok(found)
            }
            ExpressionKind::ArrayLiteral(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    values.push(self.value(item)?);
                }
                Ok(Value::array(values))
            }
            ExpressionKind::Array(block) => self.array_expression(block),
            ExpressionKind::Sub(_) | ExpressionKind::Paren(_) => Ok(self.expression_value(expression)?.0),
            ExpressionKind::Hash(entries) => self.hashtable(entries, false),
            ExpressionKind::ScriptBlock(ast) => Ok(Value::Script(Arc::new(script_block(ast)))),
            ExpressionKind::Type(name) => self.type_literal(name),
            ExpressionKind::Convert(name, child) => self.convert(name, child),
            ExpressionKind::Attributed(_, child) => self.value(child),
            ExpressionKind::Unary(op, child) => self.unary(*op, child),
            ExpressionKind::Binary(first, steps) => {
                let mut left = self.value(first)?;
                for step in steps {
                    self.step()?;
                    match step.op {
                        BinaryOp::And if !convert::to_bool(&left) => {
                            left = Value::Bool(false);
                            continue;
                        }
                        BinaryOp::Or if convert::to_bool(&left) => {
                            left = Value::Bool(true);
                            continue;
                        }
                        _ => {}
                    }
                    let right = self.value(&step.right)?;
                    left = self.binary_step(left, right, step).map_err(|flow| self.placed(flow, first.span.to(step.right.span)))?;
                }
                Ok(left)
            }
        }
    }

    fn placed(&self, flow: Flow, span: Span) -> Flow {
        match flow {
            Flow::Error(mut failure) => {
                self.locate(&mut failure.record, span);
                Flow::Error(failure)
            }
            other => other,
        }
    }

    /// `@(…)`: always an array.
    fn array_expression(&mut self, block: &StatementBlock) -> Result<Value, Flow> {
        let mut values = Vec::new();
        if block.traps.is_empty() && block.statements.len() == 1 {
            let statement = &block.statements[0];
            if let Some(expression) = super::statements::single_expression(statement) {
                // `@(,$x)` and `@($array)` do not nest further.
                let (value, nothing) = self.expression_value(expression)?;
                self.use_up_input(expression);
                if nothing {
                    return Ok(Value::array(values));
                }
                match value.items() {
                    Some(items) => return Ok(Value::array(items)),
                    None => {
                        values.push(value);
                        return Ok(Value::array(values));
                    }
                }
            }
        }
        self.block(block, &mut values)?;
        Ok(Value::array(values))
    }

    fn expand(&mut self, parts: &[StringPart]) -> Result<Value, Flow> {
        let mut text = String::new();
        for part in parts {
            match part {
                StringPart::Text(piece) => text.push_str(piece),
                StringPart::Expression(expression) => {
                    let value = self.value(expression)?;
                    text.push_str(&self.stringify(&value)?);
                }
            }
            self.check_text(text.len())?;
        }
        Ok(Value::str(text))
    }

    pub(crate) fn hashtable(&mut self, entries: &[(Expression, Statement)], ordered: bool) -> Result<Value, Flow> {
        let mut table = Hashtable::new(ordered);
        for (key, statement) in entries {
            let key_value = self.value(key)?;
            let (value, _) = self.statement_value(statement)?;
            if key_value.is_null() {
                return Err(self.placed(
                    ErrorRecord::runtime("A null key is not allowed in a hash literal.", "InvalidNullKey", "InvalidOperation").into(),
                    key.span,
                ));
            }
            if table.get(&key_value).is_some() {
                let name = self.text(&key_value);
                return Err(self.placed(
                    ErrorRecord::runtime(
                        format!("Item has already been added. Key in dictionary: '{name}'  Key being added: '{name}'"),
                        "DuplicateKeyInHashLiteral",
                        "InvalidOperation",
                    )
                    .into(),
                    key.span,
                ));
            }
            table.set(key_value, value);
        }
        Ok(Value::Hash(Arc::new(RwLock::new(table))))
    }

    fn type_literal(&mut self, name: &TypeName) -> Result<Value, Flow> {
        match types::resolve(&name.name) {
            Some(full) => Ok(Value::Type(full)),
            None => Err(ErrorRecord::runtime(format!("Unable to find type [{}].", name.name), "TypeNotFound", "InvalidOperation")
                .with_target(Value::str(name.name.clone()))
                .into()),
        }
    }

    fn convert(&mut self, name: &TypeName, child: &Expression) -> Result<Value, Flow> {
        if let ExpressionKind::Hash(entries) = &child.kind {
            if name.name.eq_ignore_ascii_case("ordered") {
                return self.hashtable(entries, true);
            }
            if name.name.eq_ignore_ascii_case("pscustomobject") {
                // The order of a literal survives, as if it were [ordered].
                let table = self.hashtable(entries, true)?;
                return convert::cast(&table, "pscustomobject").map_err(runtime);
            }
        }
        if name.name.eq_ignore_ascii_case("ref")
            && let ExpressionKind::Variable(path) = &child.kind
        {
            return self.reference(path);
        }
        let value = self.value(child)?;
        if name.name.eq_ignore_ascii_case("void") {
            return Ok(Value::Null);
        }
        if let Some(full) = types::resolve(&name.name)
            && full.ends_with("Exception")
            && let Value::Str(_) = &value
        {
            return self.with_context(|cx| types::call_static(&full, "new", &[value], cx)).map(|v| v.unwrap_or(Value::Null));
        }
        if types::resolve(&name.name).is_none() && !name.name.eq_ignore_ascii_case("ordered") {
            self.type_literal(name)?;
        }
        self.cast_value(&value, &name.name)
    }

    fn unary(&mut self, op: UnaryOp, child: &Expression) -> Result<Value, Flow> {
        match op {
            UnaryOp::PreIncrement => self.increment(child, 1, true),
            UnaryOp::PreDecrement => self.increment(child, -1, true),
            UnaryOp::PostIncrement => self.increment(child, 1, false),
            UnaryOp::PostDecrement => self.increment(child, -1, false),
            _ => {
                let value = self.value(child)?;
                match op {
                    UnaryOp::Not => Ok(Value::Bool(!convert::to_bool(&value))),
                    UnaryOp::BitNot => convert::bitwise_not(&value).map_err(runtime),
                    UnaryOp::Minus => convert::negate(&value).map_err(runtime),
                    UnaryOp::Plus => convert::arithmetic(convert::Arithmetic::Add, &Value::Int(0), &value).map_err(runtime),
                    UnaryOp::Comma => Ok(Value::array(vec![value])),
                    UnaryOp::Join => self.join(&value, ""),
                    _ => Ok(self.split_blanks(&value)),
                }
            }
        }
    }

    pub(crate) fn member_name(&mut self, name: &Expression) -> Result<Arc<str>, Flow> {
        match &name.kind {
            ExpressionKind::Text(text, _) => Ok(text.clone()),
            _ => {
                let value = self.value(name)?;
                Ok(self.text(&value).into())
            }
        }
    }

    fn member(&mut self, member: &Member, span: Span) -> Result<Value, Flow> {
        let name = self.member_name(&member.name)?;
        if member.is_static {
            let type_name = self.static_target(&member.target)?;
            if let Some(class) = types::classes::find(&type_name).filter(|t| t.definition.kind == TypeKind::Class) {
                let holder = class.holder_of_static(&name);
                return Ok(holder.and_then(|h| h.statics.read().ok()?.get(&crate::value::NameRef(&name)).cloned()).unwrap_or(Value::Null));
            }
            return self.with_context(|cx| types::static_property(&type_name, &name, cx));
        }
        let target = self.value(&member.target)?;
        let _ = span;
        let value = self.property(&target, &name)?;
        if value.is_null() && self.env.scope.strict() >= 2 && !self.has_property(&target, &name) {
            return Err(ErrorRecord::runtime(
                format!("The property '{name}' cannot be found on this object. Verify that the property exists."),
                "PropertyNotFoundStrict",
                "InvalidOperation",
            )
            .into());
        }
        Ok(value)
    }

    /// Whether a value has a property, null or not: strict mode asks.
    fn has_property(&self, target: &Value, name: &str) -> bool {
        match target {
            Value::Null => false,
            Value::Hash(_) => types::property(target, name).is_some(),
            other => types::property(other, name).is_some() || matches!(other, Value::Object(o) if o.script_member(name).is_some()),
        }
    }

    /// `target.name`, script properties included.
    pub(crate) fn property(&mut self, target: &Value, name: &str) -> Result<Value, Flow> {
        match target {
            Value::Null if name.eq_ignore_ascii_case("count") || name.eq_ignore_ascii_case("length") => return Ok(Value::Int(0)),
            // `SwitchParameter` is a truth value here.
            Value::Bool(_) if name.eq_ignore_ascii_case("ispresent") => return Ok(target.clone()),
            _ => {}
        }
        if let Value::Object(object) = target
            && let Some(source) = &object.source
        {
            if let Some(what) = source.unmodelled(name) {
                let place = self.here();
                self.output.unmodelled.push((what.clone().into(), place));
                return Err(ErrorRecord::runtime(format!("{what} is not modelled."), "NotModelled", "NotImplemented").into());
            }
            let now = self.world.now();
            if let Some(value) = source.get_at(name, now) {
                return Ok(value);
            }
        }
        if let Some(value) = types::property(target, name) {
            return Ok(value);
        }
        // `$table.4` means the number when no text is a key.
        if let Value::Hash(table) = target
            && let Ok(number) = name.parse::<i32>()
            && let Ok(table) = table.read()
        {
            return Ok(table.get(&Value::Int(number)).cloned().unwrap_or(Value::Null));
        }
        if let Value::Object(object) = target
            && let Some(scripts) = object.scripts.get()
        {
            let member = scripts.read().ok().and_then(|s| s.get(&crate::value::NameRef(name)).cloned());
            match member {
                Some(crate::value::ScriptMember::Property(getter, _)) => return self.script_property(&getter, target),
                // Aliases may name each other.
                Some(crate::value::ScriptMember::Alias(other)) => return self.deeper(|ev| ev.property(target, &other)),
                _ => {}
            }
        }
        if is_collection(target) {
            let mut values = Vec::new();
            for item in enumerate(target) {
                if let Value::Object(_) = item {
                    let value = self.property(&item, name)?;
                    if !value.is_null() {
                        match value.items() {
                            Some(items) => values.extend(items),
                            None => values.push(value),
                        }
                    }
                }
            }
            return Ok(collapse(values).0);
        }
        Ok(Value::Null)
    }

    fn script_property(&mut self, getter: &ScriptBlock, target: &Value) -> Result<Value, Flow> {
        let child = super::Scope::new(super::ScopeKind::Local, Some(self.env.scope.clone()));
        child.set("this", super::Variable::new("this", target.clone()));
        let env = super::Env { scope: child, ..self.env.clone() };
        let mut values = Vec::new();
        self.deeper(|ev| ev.within(env, |ev| getter.ast.end.as_ref().map_or(Ok(()), |end| ev.block(end, &mut values))))
            .or_else(|flow| if matches!(flow, Flow::Return) { Ok(()) } else { Err(flow) })?;
        Ok(collapse(values).0)
    }

    /// Strict mode refuses elements beyond the ends of an array.
    fn check_index(&self, target: &Value, indices: &[Value]) -> Result<(), Flow> {
        let (Some(length), [Value::Int(at)]) = (target.collection_len(), indices) else { return Ok(()) };
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        if (-length..length).contains(&i64::from(*at)) {
            return Ok(());
        }
        let mut record = ErrorRecord::new(
            "Index was outside the bounds of the array.",
            "System.IndexOutOfRangeException",
            "OperationStopped",
            "System.IndexOutOfRangeException",
        );
        record.decorated = true;
        Err(record.into())
    }

    fn static_target(&mut self, target: &Expression) -> Result<Arc<str>, Flow> {
        match self.value(target)? {
            Value::Type(name) => Ok(name),
            Value::Null => {
                Err(ErrorRecord::runtime("You cannot call a method on a null-valued expression.", "InvokeMethodOnNull", "InvalidOperation")
                    .into())
            }
            other => Ok(types::type_name(&other)),
        }
    }

    fn invoke_member(&mut self, member: &Member, arguments: &[Expression], span: Span) -> Result<Option<Value>, Flow> {
        let result = self.invoke_member_inner(member, arguments);
        result.map_err(|flow| self.placed(flow, span))
    }

    fn invoke_member_inner(&mut self, member: &Member, arguments: &[Expression]) -> Result<Option<Value>, Flow> {
        let name = self.member_name(&member.name)?;
        if member.is_static {
            let type_name = self.static_target(&member.target)?;
            let values = self.method_arguments(arguments)?;
            self.step()?;
            if type_name.ends_with("Automation.ErrorRecord") && name.eq_ignore_ascii_case("new") {
                return Ok(Some(self.new_error_record(&values)));
            }
            if let Some(class) = types::classes::find(&type_name).filter(|t| t.definition.kind == TypeKind::Class)
                && let Some(result) = self.call_class_static(&class, &name, &values)
            {
                return result;
            }
            return self.with_context(|cx| types::call_static(&type_name, &name, &values, cx));
        }
        let target = self.value(&member.target)?;
        let values = self.method_arguments(arguments)?;
        self.step()?;
        if target.is_null() {
            return Err(ErrorRecord::runtime(
                "You cannot call a method on a null-valued expression.",
                "InvokeMethodOnNull",
                "InvalidOperation",
            )
            .into());
        }
        // A method that a list does not have is one of its elements: where these are of a script's own classes, here.
        if first_element(&target).is_some_and(|first| has_class_method(&first, &name))
            && let Some(items) = target.items().filter(|items| items.iter().all(|item| has_class_method(item, &name)))
        {
            let mut output = Vec::new();
            for item in items.iter() {
                if let Some(class) = types::classes::of(item)
                    && let Some(result) = self.call_class_method(&class, &name, item, &values)
                    && let Some(value) = result?
                {
                    output.extend(enumerate(&value));
                }
            }
            return Ok(Some(collapse(output).0).filter(|value| !value.is_null()));
        }
        match &target {
            Value::Script(block) => {
                let lower = name.to_lowercase();
                match lower.as_str() {
                    "invoke" | "invokereturnasis" | "invokewithcontext" => {
                        let call = crate::pipeline::BlockCall {
                            block,
                            underscore: None,
                            arguments: values,
                            scope: crate::pipeline::BlockScope::Child,
                        };
                        let mut output = Vec::new();
                        self.call_block(&call, &mut output)?;
                        return Ok(Some(collapse(output).0));
                    }
                    "getnewclosure" => return Ok(Some(self.closure(block))),
                    _ => {}
                }
            }
            Value::Array(items) if Arc::ptr_eq(items, &self.state.errors) && name.eq_ignore_ascii_case("clear") => {
                if let Ok(mut items) = items.write() {
                    items.clear();
                }
                return Ok(None);
            }
            Value::Object(object) if object.type_names.first().is_some_and(|t| t.ends_with("PSScriptCmdlet")) => {
                return self.cmdlet_method(&name, &values);
            }
            Value::Object(object) => {
                if let Some(class) = types::classes::of(&target) {
                    let start = cast_class(&member.target).unwrap_or(class);
                    if let Some(result) = self.call_class_method(&start, &name, &target, &values) {
                        return result;
                    }
                }
                let method = object.scripts.get().and_then(|s| s.read().ok()?.get(&crate::value::NameRef(&name)).cloned());
                if let Some(crate::value::ScriptMember::Method(block)) = method {
                    let child = super::Scope::new(super::ScopeKind::Local, Some(self.env.scope.clone()));
                    child.set("this", super::Variable::new("this", target.clone()));
                    let env = super::Env { scope: child, ..self.env.clone() };
                    let mut output = Vec::new();
                    let call = crate::pipeline::BlockCall {
                        block: &block,
                        underscore: None,
                        arguments: values,
                        scope: crate::pipeline::BlockScope::Child,
                    };
                    self.within(env, |ev| ev.call_block(&call, &mut output))?;
                    return Ok(Some(collapse(output).0));
                }
            }
            _ => {}
        }
        self.with_context(|cx| types::call_method(&target, &name, &values, cx))
    }

    fn method_arguments(&mut self, arguments: &[Expression]) -> Result<Vec<Value>, Flow> {
        arguments.iter().map(|argument| self.value(argument)).collect()
    }

    fn closure(&mut self, block: &ScriptBlock) -> Value {
        let captured = self.env.scope.all().into_iter().map(|(_, v)| (v.name.into(), v.value)).collect();
        Value::Script(Arc::new(ScriptBlock { closure: Some(Arc::new(RwLock::new(captured))), ..block.clone() }))
    }
}

/// The first element of a list.
fn first_element(list: &Value) -> Option<Value> {
    match list {
        Value::Array(items) => items.read().ok()?.first().cloned(),
        Value::List(list) => list.items.read().ok()?.first().cloned(),
        _ => None,
    }
}

/// Whether a value is of a class of the script that has, or inherits, such a method.
fn has_class_method(value: &Value, name: &str) -> bool {
    // Lists have these themselves.
    const OF_LISTS: &[&str] =
        &["ToString", "GetType", "Equals", "GetHashCode", "GetEnumerator", "Clone", "Contains", "IndexOf", "Where", "ForEach"];
    !OF_LISTS.iter().any(|known| known.eq_ignore_ascii_case(name))
        && types::classes::of(value).is_some_and(|class| !class.methods(name, Ownership::Instance).is_empty())
}

/// The class in `([Base]$this).Method()`: the call starts there and not at the class of the object.
fn cast_class(target: &Expression) -> Option<Arc<types::classes::ScriptType>> {
    let ExpressionKind::Paren(inner) = &target.kind else { return None };
    match &super::statements::single_expression(inner)?.kind {
        ExpressionKind::Convert(name, _) => types::classes::find(&name.name),
        _ => None,
    }
}

/// The elements of an index: `$x[1,2]` and `$x[0..3]` have several.
pub(crate) fn enumerate_index(value: &Value) -> Vec<Value> {
    enumerate(value)
}

/// A script block value of a literal.
pub(crate) fn script_block(ast: &Arc<ScriptBlockAst>) -> ScriptBlock {
    let text = ast.span.of(&ast.source.text);
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    ScriptBlock { ast: ast.clone(), text: inner.into(), closure: None }
}
