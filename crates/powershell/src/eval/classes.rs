//! `class` and `enum` at run time: definition, construction, methods, properties.

use std::sync::{Arc, RwLock};

use super::casts::choose;
use super::operators::runtime;
use super::{Env, Evaluator, Frame, Scope, ScopeKind, Sink, Variable};
use crate::ast::*;
use crate::convert;
use crate::error::{ErrorRecord, Flow};
use crate::types;
use crate::types::classes::{self, HiddenProperties, ScriptType};
use crate::value::{PsObject, Value};

/// What a method gives: the value of its `return`, nothing else.
#[derive(Default)]
struct ReturnSink {
    value: Option<Value>,
}

impl Sink for ReturnSink {
    fn emit(&mut self, _: &mut Evaluator<'_>, _: Value) -> Result<(), Flow> {
        Ok(())
    }

    fn only_returns(&mut self) -> Option<&mut Option<Value>> {
        Some(&mut self.value)
    }
}

impl Evaluator<'_> {
    /// Types are known in their whole text, also above the line that defines them: enumerations first.
    pub(crate) fn hoist_types(&mut self, ast: &ScriptBlockAst) -> Result<(), Flow> {
        let blocks = [&ast.begin, &ast.process, &ast.end].into_iter().flatten();
        let all: Vec<&Arc<TypeDefinition>> = blocks
            .flat_map(|b| &b.statements)
            .filter_map(|s| match &s.kind {
                StatementKind::Type(definition) => Some(definition),
                _ => None,
            })
            .collect();
        if all.is_empty() {
            return Ok(());
        }
        for definition in all.iter().filter(|d| d.kind == TypeKind::Enum) {
            self.define_type_in(definition, &ast.source)?;
        }
        // A base must be defined above what derives from it.
        for definition in all.iter().filter(|d| d.kind == TypeKind::Class) {
            self.define_type_in(definition, &ast.source)?;
        }
        Ok(())
    }

    /// A definition as a statement; the whole text was searched for definitions before it ran.
    pub(crate) fn define_type(&mut self, definition: &Arc<TypeDefinition>) -> Result<(), Flow> {
        if classes::find(&definition.name).is_some_and(|known| Arc::ptr_eq(&known.definition, definition)) {
            return Ok(());
        }
        let source = self.env.frame.source.clone();
        self.define_type_in(definition, &source)
    }

    fn define_type_in(&mut self, definition: &Arc<TypeDefinition>, source: &Arc<crate::source::Source>) -> Result<(), Flow> {
        if classes::find(&definition.name).is_some_and(|known| Arc::ptr_eq(&known.definition, definition)) {
            return Ok(());
        }
        let mut base = None;
        let mut type_names: Vec<Arc<str>> = vec![definition.name.clone()];
        if definition.kind == TypeKind::Class {
            for name in &definition.bases {
                if let Some(found) = classes::find(&name.name).filter(|t| t.definition.kind == TypeKind::Class) {
                    type_names.extend(found.type_names.iter().filter(|n| &***n != "System.Object").cloned());
                    base.get_or_insert(found);
                    continue;
                }
                let Some(full) = types::resolve(&name.name) else {
                    return Err(self.unknown_base(name));
                };
                let short = full.rsplit('.').next().unwrap_or(&full);
                let interface = short.starts_with('I') && short.chars().nth(1).is_some_and(char::is_uppercase);
                if full.ends_with("Exception") {
                    type_names.extend(crate::error::exception_chain(&full));
                } else if interface || &*full == "System.Object" {
                    type_names.push(full);
                } else {
                    self.output
                        .unmodelled
                        .push((format!("class {} : {}", definition.name, name.name).into(), self.position(self.statement)));
                    type_names.push(full);
                }
            }
        }
        type_names.push("System.Object".into());
        let flags =
            definition.attributes.iter().any(|a| a.name.eq_ignore_ascii_case("Flags") || a.name.eq_ignore_ascii_case("System.Flags"));
        let made = ScriptType {
            name: definition.name.clone(),
            definition: definition.clone(),
            source: source.clone(),
            base,
            type_names,
            members: if definition.kind == TypeKind::Enum { self.enum_members(definition)? } else { Vec::new() },
            flags,
            statics: RwLock::default(),
            scope: self.env.scope.nearest(ScopeKind::Script),
        };
        let made = Arc::new(made);
        classes::define(made.clone());
        if definition.kind == TypeKind::Class {
            self.initialize_statics(&made)?;
        }
        Ok(())
    }

    fn unknown_base(&self, name: &TypeName) -> Flow {
        let mut record = ErrorRecord::new(
            format!("Unable to find type [{}].", name.name),
            "TypeNotFound",
            "ParserError",
            "System.Management.Automation.ParseException",
        );
        record.decorated = true;
        record.position = Some(self.position(name.span));
        Flow::fatal(record)
    }

    fn enum_members(&mut self, definition: &TypeDefinition) -> Result<Vec<(Arc<str>, i64)>, Flow> {
        let mut members: Vec<(Arc<str>, i64)> = Vec::new();
        let mut next = 0;
        for member in &definition.members {
            let MemberDefinition::Property(property) = member else { continue };
            if let Some(initial) = &property.initial {
                let value = match self.value(initial)? {
                    Value::Str(name) => {
                        members.iter().find(|(n, _)| n.eq_ignore_ascii_case(&name)).map_or(Value::Null, |(_, n)| Value::Long(*n))
                    }
                    other => other,
                };
                next = match convert::cast(&value, "long").map_err(runtime)? {
                    Value::Long(number) => number,
                    _ => next,
                };
            }
            members.push((property.name.clone(), next));
            next += 1;
        }
        Ok(members)
    }

    /// The environment in which members of a class run.
    fn class_env(&self, class: &ScriptType, name: &str, this: Option<&Value>) -> Env {
        let scope = Scope::new(ScopeKind::Local, Some(class.scope.clone()));
        if let Some(this) = this {
            scope.set("this", Variable::new("this", this.clone()));
        }
        let frame = Arc::new(Frame {
            name: name.into(),
            position: Some(self.position(self.statement)),
            source: class.source.clone(),
            function: self.env.frame.function.clone(),
            parent: Some(self.env.frame.clone()),
            ..self.frame_like()
        });
        Env { scope, frame, routes: self.env.routes.clone() }
    }

    fn initialize_statics(&mut self, class: &Arc<ScriptType>) -> Result<(), Flow> {
        let env = self.class_env(class, &class.name, None);
        self.within(env, |ev| {
            for member in &class.definition.members {
                let MemberDefinition::Property(property) = member else { continue };
                if property.ownership != Ownership::Static {
                    continue;
                }
                let value = ev.initial_value(property)?;
                if let Ok(mut statics) = class.statics.write() {
                    statics.insert(property.name.clone().into(), value);
                }
            }
            Ok::<(), Flow>(())
        })?;
        match class.constructors(Ownership::Static).first() {
            Some(at) => self.run_method(class, *at, None, Vec::new()).map(drop),
            None => Ok(()),
        }
    }

    fn initial_value(&mut self, property: &PropertyDefinition) -> Result<Value, Flow> {
        match &property.initial {
            Some(initial) => {
                let value = self.value(initial)?;
                self.property_value(property, value)
            }
            None => Ok(default_value(property.type_name.as_ref())),
        }
    }

    fn property_value(&mut self, property: &PropertyDefinition, value: Value) -> Result<Value, Flow> {
        match &property.type_name {
            None => Ok(value),
            Some(name) => self.cast_value(&value, &name.name),
        }
    }

    /// `[Mine]::new(arguments)`.
    pub(crate) fn construct(&mut self, class: &Arc<ScriptType>, arguments: Vec<Value>) -> Result<Value, Flow> {
        let mut object = PsObject::new(class.name.clone());
        object.type_names.clone_from(&class.type_names);
        object.source = Some(Arc::new(HiddenProperties::default()));
        let object: Value = object.into();
        if class.foreign_base().is_some_and(|base| base.ends_with("Exception")) {
            let names: Vec<Arc<str>> = class.type_names.clone();
            let default = format!("Exception of type '{}' was thrown.", class.name);
            if let (Value::Object(made), Value::Object(exception)) = (&object, types::exception_object(&names, &default.as_str().into())) {
                for name in exception.names() {
                    made.set(&name, exception.get(&name).unwrap_or(Value::Null));
                }
            }
        }
        self.deeper(|ev| {
            ev.initialize_properties(class, &object)?;
            ev.run_constructor(class, &object, arguments, "new")
        })?;
        Ok(object)
    }

    fn initialize_properties(&mut self, class: &Arc<ScriptType>, object: &Value) -> Result<(), Flow> {
        if let Some(base) = class.base.clone() {
            self.initialize_properties(&base, object)?;
        }
        let env = self.class_env(class, &class.name, Some(object));
        self.within(env, |ev| {
            for member in &class.definition.members {
                let MemberDefinition::Property(property) = member else { continue };
                if property.ownership == Ownership::Instance {
                    let value = ev.initial_value(property)?;
                    put(object, property, value);
                }
            }
            Ok(())
        })
    }

    fn run_constructor(&mut self, class: &Arc<ScriptType>, object: &Value, arguments: Vec<Value>, shown: &str) -> Result<(), Flow> {
        let own = class.constructors(Ownership::Instance);
        if own.is_empty() {
            if !arguments.is_empty() {
                return Err(types::no_overload(shown, arguments.len()).into());
            }
            return self.base_constructor(class, object, Vec::new());
        }
        let candidates: Vec<(Arc<ScriptType>, usize)> = own.into_iter().map(|at| (class.clone(), at)).collect();
        let (_, at) = choose(&candidates, &arguments).ok_or_else(|| Flow::from(types::no_overload(shown, arguments.len())))?;
        self.run_method(class, at, Some(object), arguments).map(drop)
    }

    fn base_constructor(&mut self, class: &Arc<ScriptType>, object: &Value, arguments: Vec<Value>) -> Result<(), Flow> {
        match class.base.clone() {
            Some(base) => self.run_constructor(&base, object, arguments, "new"),
            None => {
                // A base of .NET: exceptions take a message and what caused them.
                if let (Value::Object(made), Some(message)) = (object, arguments.first()) {
                    made.set("Message", Value::str(self.text(message)));
                    if let Some(inner) = arguments.get(1) {
                        made.set("InnerException", inner.clone());
                    }
                }
                Ok(())
            }
        }
    }

    /// Runs a method or a constructor; gives what it returned.
    fn run_method(
        &mut self,
        class: &Arc<ScriptType>,
        at: usize,
        this: Option<&Value>,
        arguments: Vec<Value>,
    ) -> Result<Option<Value>, Flow> {
        let Some(method) = class.method(at) else { return Ok(None) };
        let constructor = class.is_constructor(method);
        let env = self.class_env(class, &method.function.name, this);
        let body = &method.function.body;
        let count = arguments.len();
        let result = self.deeper(|ev| {
            ev.within(env, |ev| {
                for (parameter, value) in body.parameters.iter().zip(arguments) {
                    ev.method_parameter(&method.function.name, parameter, value)?;
                }
                if constructor && let Some(this) = this {
                    let given = match &method.base_arguments {
                        Some((arguments, _)) => arguments.iter().map(|a| ev.value(a)).collect::<Result<Vec<_>, _>>()?,
                        None => Vec::new(),
                    };
                    ev.base_constructor(class, this, given)?;
                }
                let mut sink = ReturnSink::default();
                // Errors of a method end the call; its caller decides.
                let before = std::mem::replace(&mut ev.propagate, true);
                let mut result = Ok(());
                if let Some(end) = &body.end {
                    result = ev.block(end, &mut sink);
                }
                ev.propagate = before;
                match result {
                    Ok(()) | Err(Flow::Return) => Ok(sink.value),
                    Err(flow) => Err(flow),
                }
            })
        });
        let _ = count;
        let value = result?;
        match &method.return_type {
            Some(name) if is_void(name) => Ok(None),
            Some(name) => Ok(Some(self.cast_value(&value.unwrap_or(Value::Null), &name.name)?)),
            None if constructor => Ok(None),
            // Without a type a method returns nothing.
            None => Ok(None),
        }
    }

    fn method_parameter(&mut self, method: &str, parameter: &Parameter, value: Value) -> Result<(), Flow> {
        let name = &parameter.name.name;
        let value = match parameter.types.last() {
            None => value,
            Some(kind) => self.cast_value(&value, &kind.name).map_err(|flow| match flow {
                Flow::Error(failure) => {
                    let full = types::resolve(&kind.name).unwrap_or_else(|| kind.name.clone());
                    let record = ErrorRecord {
                        decorated: true,
                        ..ErrorRecord::new(
                            format!(
                                "Cannot convert argument \"{name}\", with value: \"{}\", for \"{method}\" to type \"{full}\": \"{}\"",
                                self.text(&value),
                                failure.record.message
                            ),
                            "MethodArgumentConversionInvalidCastArgument",
                            "NotSpecified",
                            "System.Management.Automation.MethodException",
                        )
                    };
                    record.into()
                }
                other => other,
            })?,
        };
        let mut variable = Variable::new(name, value);
        variable.constraint = parameter.types.last().map(|t| t.name.clone());
        self.env.scope.set(&parameter.name.key, variable);
        Ok(())
    }

    /// `$object.Method(…)`, starting at `class` (a base, when the object was cast to it). `None` when it has no such method.
    pub(crate) fn call_class_method(
        &mut self,
        class: &Arc<ScriptType>,
        name: &str,
        this: &Value,
        arguments: &[Value],
    ) -> Option<Result<Option<Value>, Flow>> {
        let candidates = class.methods(name, Ownership::Instance);
        if candidates.is_empty() {
            return None;
        }
        Some(match choose(&candidates, arguments) {
            Some((owner, at)) => self.run_method(&owner, at, Some(this), arguments.to_vec()),
            None => Err(types::no_overload(name, arguments.len()).into()),
        })
    }

    /// `[Mine]::Method(…)`. `None` when it has no such method.
    pub(crate) fn call_class_static(
        &mut self,
        class: &Arc<ScriptType>,
        name: &str,
        arguments: &[Value],
    ) -> Option<Result<Option<Value>, Flow>> {
        if name.eq_ignore_ascii_case("new") {
            return Some(self.construct(class, arguments.to_vec()).map(Some));
        }
        let candidates = class.methods(name, Ownership::Static);
        if candidates.is_empty() {
            return None;
        }
        Some(match choose(&candidates, arguments) {
            Some((owner, at)) => self.run_method(&owner, at, None, arguments.to_vec()),
            None => Err(types::no_overload(name, arguments.len()).into()),
        })
    }

    /// `[Mine]::Property = value`; false when there is none.
    pub(crate) fn set_class_static(&mut self, class: &Arc<ScriptType>, name: &str, value: Value) -> Result<bool, Flow> {
        let Some(holder) = class.holder_of_static(name) else { return Ok(false) };
        let value = match holder.clone().property(name) {
            Some(property) => self.checked(property, value)?,
            None => value,
        };
        if let Ok(mut statics) = holder.statics.write()
            && let Some(slot) = statics.get_mut(&crate::value::NameRef(name))
        {
            *slot = value;
        }
        Ok(true)
    }

    /// Conversion and validation of what a property is to hold.
    fn checked(&mut self, property: &PropertyDefinition, value: Value) -> Result<Value, Flow> {
        let wrap = |record: &ErrorRecord| {
            let message = format!("Exception setting \"{}\": \"{}\"", property.name, record.message);
            ErrorRecord {
                decorated: true,
                inner_types: record.exception_types.clone(),
                ..ErrorRecord::new(
                    message,
                    "ExceptionWhenSetting",
                    "NotSpecified",
                    "System.Management.Automation.SetValueInvocationException",
                )
            }
        };
        let value = match self.property_value(property, value) {
            Ok(value) => value,
            Err(Flow::Error(failure)) => return Err(wrap(&failure.record).into()),
            Err(other) => return Err(other),
        };
        for attribute in &property.attributes {
            if let Some(reason) = self.violates(attribute, &value)? {
                let record = ErrorRecord::new(reason, "", "InvalidData", "System.Management.Automation.ValidationMetadataException");
                return Err(wrap(&record).into());
            }
        }
        Ok(value)
    }

    /// `$object.Property = value` for an object of a class.
    pub(crate) fn set_class_property(&mut self, object: &Value, class: &Arc<ScriptType>, name: &str, value: Value) -> Result<(), Flow> {
        if let Some(property) = class.property(name).filter(|p| p.ownership == Ownership::Instance) {
            let value = self.checked(property, value)?;
            put(object, property, value);
            return Ok(());
        }
        let Value::Object(inner) = object else { return Ok(()) };
        if inner.get(name).is_some() {
            inner.set(name, value);
            return Ok(());
        }
        Err(ErrorRecord::runtime(
            format!("The property '{name}' cannot be found on this object. Verify that the property exists and can be set."),
            "PropertyAssignmentException",
            "InvalidOperation",
        )
        .into())
    }

    /// The string form of a value, through `ToString()` of its class where that has one.
    pub(crate) fn stringify(&mut self, value: &Value) -> Result<String, Flow> {
        if let Some(class) = classes::of(value)
            && class
                .methods("ToString", Ownership::Instance)
                .iter()
                .any(|(owner, at)| owner.method(*at).is_some_and(|m| m.function.body.parameters.is_empty()))
        {
            return match self.call_class_method(&class, "ToString", value, &[]) {
                Some(result) => Ok(self.text(&result?.unwrap_or(Value::Null))),
                None => Ok(String::new()),
            };
        }
        if let Some(items) = value.items()
            && items.iter().any(|item| classes::of(item).is_some())
        {
            let separator = match self.env.scope.value("ofs") {
                Some((Value::Null, _)) | None => " ".to_owned(),
                Some((ofs, _)) => convert::display(&ofs),
            };
            let parts = items.iter().map(|item| self.stringify(item)).collect::<Result<Vec<_>, _>>()?;
            return Ok(parts.join(&separator));
        }
        Ok(self.text(value))
    }

    /// What `workflow` and `configuration` answer at run time.
    pub(crate) fn refused(&mut self, keyword: &str, name: &str) -> Flow {
        self.output.unmodelled.push((format!("{keyword} {name}").into(), self.position(self.statement)));
        let record = ErrorRecord::runtime(
            format!("The {keyword} '{name}' is not modelled: what it would have done is not part of the rehearsal."),
            "NotModelled",
            "NotImplemented",
        )
        .with_target(Value::str(name));
        record.into()
    }
}

fn is_void(name: &TypeName) -> bool {
    name.name.eq_ignore_ascii_case("void") || name.name.eq_ignore_ascii_case("System.Void")
}

/// Stores a property where it belongs: hidden ones do not show.
fn put(object: &Value, property: &PropertyDefinition, value: Value) {
    let Value::Object(inner) = object else { return };
    let hidden = inner.source.as_ref().and_then(|s| s.as_any()?.downcast_ref::<HiddenProperties>());
    match hidden {
        Some(hidden) if property.visibility == MemberVisibility::Hidden => {
            if let Ok(mut properties) = hidden.0.write() {
                properties.insert(property.name.clone().into(), value);
            }
        }
        _ => inner.set(&property.name, value),
    }
}

/// What a property holds before it is set.
fn default_value(name: Option<&TypeName>) -> Value {
    let Some(full) = name.and_then(|n| types::resolve(&n.name)) else { return Value::Null };
    let zero = match &*full {
        "System.Boolean" => return Value::Bool(false),
        "System.Guid" => return Value::Guid(0),
        "System.Management.Automation.SwitchParameter" => return Value::Bool(false),
        "System.DateTime" | "System.TimeSpan" | "System.Int32" | "System.Int64" | "System.Double" | "System.Byte" | "System.SByte"
        | "System.Int16" | "System.UInt16" | "System.UInt32" | "System.UInt64" | "System.Single" | "System.Decimal" | "System.Char" => true,
        _ => false,
    };
    if zero {
        return convert::cast_resolved(&Value::Int(0), &full).unwrap_or(Value::Null);
    }
    match classes::find(&full).filter(|t| t.definition.kind == TypeKind::Enum) {
        Some(defined) => defined
            .enum_value(0)
            .unwrap_or_else(|| Value::Enum(Arc::new(crate::value::EnumValue { type_name: full.clone(), name: "0".into(), number: 0 }))),
        None => Value::Null,
    }
}
