//! Types that scripts define with `class` and `enum`.
//!
//! A session's types live as long as the session; while a text runs they stand in a table of the evaluating thread, because
//! conversions look types up by name far from any session (`[Mine]$x`, `-is [Mine]`, `catch [Mine]`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use indexmap::IndexMap;

use crate::ast::{MemberDefinition, MethodDefinition, Ownership, PropertyDefinition, TypeDefinition, TypeKind};
use crate::convert::shared_text;
use crate::error::ErrorRecord;
use crate::eval::Scope;
use crate::source::Source;
use crate::value::{EnumValue, Name, NameRef, Properties, PropertySource, Value};

/// One type of a script.
#[derive(Debug)]
pub(crate) struct ScriptType {
    pub(crate) name: Arc<str>,
    pub(crate) definition: Arc<TypeDefinition>,
    /// The text that defines it.
    pub(crate) source: Arc<Source>,
    /// The base class, when it is a type of a script too.
    pub(crate) base: Option<Arc<ScriptType>>,
    /// Own name, names of all bases and interfaces, `System.Object` last.
    pub(crate) type_names: Vec<Arc<str>>,
    /// Members of an enumeration.
    pub(crate) members: Vec<(Arc<str>, i64)>,
    /// `[Flags()]`.
    pub(crate) flags: bool,
    /// Static properties.
    pub(crate) statics: RwLock<IndexMap<Name, Value>>,
    /// Methods see the variables of the scope that defined the type, not those of their caller.
    pub(crate) scope: Arc<Scope>,
}

/// The types of a session by lower-case name.
pub(crate) type Types = BTreeMap<String, Arc<ScriptType>>;

thread_local! {
    static TYPES: RefCell<Types> = const { RefCell::new(BTreeMap::new()) };
}

thread_local! {
    static NAMESPACES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// `using namespace` of a text.
pub(crate) fn add_namespace(name: &str) {
    NAMESPACES.with(|list| {
        let mut list = list.borrow_mut();
        if !list.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            list.push(name.to_owned());
        }
    });
}

/// The name in each namespace that is in use.
pub(crate) fn in_namespaces(name: &str) -> Vec<String> {
    NAMESPACES.with(|list| list.borrow().iter().map(|space| format!("{space}.{name}")).collect())
}

/// Puts the types of a session in force; gives those that were.
pub(crate) fn install(types: Types) -> Types {
    NAMESPACES.with(|list| list.borrow_mut().clear());
    TYPES.with(|table| std::mem::replace(&mut *table.borrow_mut(), types))
}

/// Adds a type, or replaces the one of the same name.
pub(crate) fn define(defined: Arc<ScriptType>) {
    TYPES.with(|table| table.borrow_mut().insert(defined.name.to_lowercase(), defined));
}

/// The type of that name.
pub(crate) fn find(name: &str) -> Option<Arc<ScriptType>> {
    TYPES.with(|table| {
        let table = table.borrow();
        if table.is_empty() { None } else { table.get(&name.to_lowercase()).cloned() }
    })
}

/// The type of an object of a script's class.
pub(crate) fn of(value: &Value) -> Option<Arc<ScriptType>> {
    let Value::Object(object) = value else { return None };
    let found = find(object.type_names.first()?)?;
    (found.definition.kind == TypeKind::Class).then_some(found)
}

/// Members of an enumeration, .NET's or a script's, by its full name.
pub fn enum_members(full: &str) -> Option<Vec<(Arc<str>, i64)>> {
    if let Some(members) = super::enumeration(full) {
        return Some(members.iter().map(|(name, number)| (Arc::from(*name), *number)).collect());
    }
    find(full).filter(|t| t.definition.kind == TypeKind::Enum).map(|t| t.members.clone())
}

impl ScriptType {
    /// A property, own or inherited.
    pub(crate) fn property(&self, name: &str) -> Option<&PropertyDefinition> {
        let mut current = Some(self);
        while let Some(class) = current {
            let own = class.definition.members.iter().find_map(|m| match m {
                MemberDefinition::Property(property) if property.name.eq_ignore_ascii_case(name) => Some(property),
                _ => None,
            });
            if own.is_some() {
                return own;
            }
            current = class.base.as_deref();
        }
        None
    }

    /// The methods of that name with that many parameters, nearest class first.
    pub(crate) fn methods(self: &Arc<Self>, name: &str, ownership: Ownership) -> Vec<(Arc<Self>, usize)> {
        let mut found = Vec::new();
        let mut current = Some(self);
        while let Some(class) = current {
            for (at, member) in class.definition.members.iter().enumerate() {
                if let MemberDefinition::Method(method) = member
                    && method.ownership == ownership
                    && method.function.name.eq_ignore_ascii_case(name)
                    && !class.is_constructor(method)
                {
                    found.push((class.clone(), at));
                }
            }
            current = class.base.as_ref();
        }
        found
    }

    pub(crate) fn is_constructor(&self, method: &MethodDefinition) -> bool {
        method.function.name.eq_ignore_ascii_case(&self.name)
    }

    /// Constructors of this very class.
    pub(crate) fn constructors(&self, ownership: Ownership) -> Vec<usize> {
        let own = self.definition.members.iter().enumerate();
        own.filter(|(_, m)| matches!(m, MemberDefinition::Method(m) if m.ownership == ownership && self.is_constructor(m)))
            .map(|(at, _)| at)
            .collect()
    }

    pub(crate) fn method(&self, at: usize) -> Option<&MethodDefinition> {
        match self.definition.members.get(at)? {
            MemberDefinition::Method(method) => Some(method),
            MemberDefinition::Property(_) => None,
        }
    }

    /// The class that holds a static property.
    pub(crate) fn holder_of_static(self: &Arc<Self>, name: &str) -> Option<Arc<Self>> {
        let mut current = Some(self);
        while let Some(class) = current {
            if class.statics.read().is_ok_and(|s| s.contains_key(&NameRef(name))) {
                return Some(class.clone());
            }
            current = class.base.as_ref();
        }
        None
    }

    /// The nearest base that is not of a script.
    pub(crate) fn foreign_base(&self) -> Option<Arc<str>> {
        let mut root = self;
        while let Some(base) = &root.base {
            root = base;
        }
        root.type_names.get(1).filter(|name| &***name != "System.Object").cloned()
    }

    /// A value of this enumeration; `None` when no member (or, for flags, no combination) has the number.
    pub(crate) fn enum_value(&self, number: i64) -> Option<Value> {
        let make = |name: Arc<str>| Value::Enum(Arc::new(EnumValue { type_name: self.name.clone(), name, number }));
        if let Some((name, _)) = self.members.iter().find(|(_, n)| *n == number) {
            return Some(make(name.clone()));
        }
        if !self.flags {
            return None;
        }
        let mut rest = number;
        let mut names: Vec<&str> = Vec::new();
        for (name, bits) in self.members.iter().rev() {
            if *bits != 0 && rest & bits == *bits {
                names.push(name);
                rest &= !bits;
            }
        }
        names.reverse();
        (rest == 0 && !names.is_empty()).then(|| make(names.join(", ").into()))
    }

    /// `[Mine]value` for an enumeration.
    pub(crate) fn cast_enum(&self, value: &Value) -> Result<Value, ErrorRecord> {
        match value {
            Value::Int(n) => {
                if let Some(found) = self.enum_value(i64::from(*n)) {
                    return Ok(found);
                }
            }
            Value::Str(_) | Value::Array(_) | Value::List(_) if self.flags => {
                let text = match value.items() {
                    Some(items) => items.iter().map(|i| shared_text(i).to_string()).collect::<Vec<_>>().join(","),
                    None => shared_text(value).to_string(),
                };
                let mut number = 0;
                for part in text.split(',') {
                    match crate::convert::enum_member(&Value::str(part.trim()), &self.name, &self.members)? {
                        Value::Enum(member) => number |= member.number,
                        _ => return Err(super::type_not_found(&self.name)),
                    }
                }
                if let Some(found) = self.enum_value(number) {
                    return Ok(found);
                }
            }
            _ => {}
        }
        crate::convert::enum_member(value, &self.name, &self.members)
    }
}

/// Hidden properties of an object: they can be read and set, and show nowhere.
#[derive(Debug, Default)]
pub(crate) struct HiddenProperties(pub(crate) RwLock<Properties>);

impl PropertySource for HiddenProperties {
    fn names(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn get(&self, name: &str) -> Option<Value> {
        self.0.read().ok()?.get(&NameRef(name)).cloned()
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}
