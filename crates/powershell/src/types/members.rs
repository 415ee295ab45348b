//! `psobject`: the members of a value as objects, to read, to add and to remove.

use std::sync::Arc;

use super::call::{Call, Found, gives, void};
use super::{property, property_names, set_property, type_name, type_names};
use crate::convert::shared_text;
use crate::error::ErrorRecord;
use crate::value::{EnumValue, List, ListKind, NameRef, PropertySource, PsObject, ScriptMember, Value};

const NAMESPACE: &str = "System.Management.Automation";
/// The collection behind `psobject.Properties`.
const COLLECTION: &str = "System.Management.Automation.PSMemberInfoIntegratingCollection`1[System.Management.Automation.PSPropertyInfo]";

fn member_type(name: &str) -> Value {
    let kind: Arc<str> = format!("{NAMESPACE}.PSMemberTypes").into();
    let number = super::enumeration(&kind).and_then(|m| m.iter().find(|(n, _)| *n == name)).map_or(0, |(_, n)| *n);
    Value::Enum(Arc::new(EnumValue { type_name: kind, name: name.into(), number }))
}

/// One member of a value.
#[derive(Debug)]
struct Member {
    owner: Value,
    name: Arc<str>,
    /// `NoteProperty`, `Property`, `ScriptProperty`, `AliasProperty`, `ScriptMethod`.
    kind: &'static str,
}

impl PropertySource for Member {
    fn names(&self) -> Vec<Arc<str>> {
        ["Value", "MemberType", "IsSettable", "IsGettable", "TypeNameOfValue", "Name", "IsInstance"].map(Into::into).to_vec()
    }

    fn get(&self, name: &str) -> Option<Value> {
        let script = || match &self.owner {
            Value::Object(object) => object.script_member(&self.name),
            _ => None,
        };
        Some(match name.to_ascii_lowercase().as_str() {
            "name" => Value::Str(self.name.clone()),
            "membertype" => member_type(self.kind),
            "value" => property(&self.owner, &self.name).unwrap_or(Value::Null),
            "isgettable" => Value::Bool(true),
            "issettable" => Value::Bool(match script() {
                Some(ScriptMember::Property(_, set)) => set.is_some(),
                _ => matches!(self.owner, Value::Object(_)),
            }),
            "isinstance" => Value::Bool(self.kind != "Property"),
            "typenameofvalue" => match property(&self.owner, &self.name) {
                None | Some(Value::Null) => Value::str("System.Object"),
                Some(value) => Value::Str(type_name(&value)),
            },
            "referencedmembername" => match script()? {
                ScriptMember::Alias(target) => Value::Str(target),
                _ => return None,
            },
            "getterscript" | "script" => match script()? {
                ScriptMember::Property(get, _) | ScriptMember::Method(get) => Value::Script(get),
                ScriptMember::Alias(_) => return None,
            },
            _ => return None,
        })
    }

    fn set(&self, name: &str, value: &Value) -> Option<Result<(), ErrorRecord>> {
        name.eq_ignore_ascii_case("value").then(|| set_property(&self.owner, &self.name, value.clone()))
    }

    fn unmodelled(&self, name: &str) -> Option<String> {
        (self.kind == "ScriptProperty" && name.eq_ignore_ascii_case("value"))
            .then(|| "psobject.Properties[…].Value of a script property".into())
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

fn member(owner: &Value, name: Arc<str>, kind: &'static str) -> Value {
    let class = format!("{NAMESPACE}.PS{kind}");
    let mut object = PsObject::new(class);
    object.type_names.insert(1, format!("{NAMESPACE}.PSPropertyInfo").into());
    object.type_names.insert(2, format!("{NAMESPACE}.PSMemberInfo").into());
    object.source = Some(Arc::new(Member { owner: owner.clone(), name, kind }));
    object.into()
}

/// Whether the properties of an object are its own notes or those of a .NET type.
fn kind_of(value: &Value, name: &str) -> &'static str {
    let Value::Object(object) = value else { return "Property" };
    match object.script_member(name) {
        Some(ScriptMember::Property(..)) => return "ScriptProperty",
        Some(ScriptMember::Alias(_)) => return "AliasProperty",
        Some(ScriptMember::Method(_)) => return "ScriptMethod",
        None => {}
    }
    let custom =
        object.is_type(&format!("{NAMESPACE}.PSCustomObject")) || object.type_names.first().is_some_and(|t| t.starts_with("Selected."));
    if custom { "NoteProperty" } else { "Property" }
}

fn members(value: &Value, methods: bool) -> Value {
    let mut items: Vec<Value> = property_names(value).into_iter().map(|name| member(value, name.clone(), kind_of(value, &name))).collect();
    if methods
        && let Value::Object(object) = value
        && let Some(scripts) = object.scripts.get()
        && let Ok(scripts) = scripts.read()
    {
        let blocks = scripts.iter().filter(|(_, m)| matches!(m, ScriptMember::Method(_)));
        items.extend(blocks.map(|(name, _)| member(value, name.0.clone(), "ScriptMethod")));
    }
    Value::List(List::owned(ListKind::Collection(COLLECTION.into()), items, value.clone()))
}

/// The type names of an object, to change.
pub(super) fn type_name_list(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::List(object.editable_type_names()),
        other => {
            let names = type_names(other).into_iter().map(Value::Str).collect();
            Value::List(List::new(ListKind::Generic("System.String".into()), names))
        }
    }
}

/// The object behind `psobject`.
#[derive(Debug)]
struct Inside(Value);

impl PropertySource for Inside {
    fn names(&self) -> Vec<Arc<str>> {
        ["Members", "Properties", "Methods", "ImmediateBaseObject", "BaseObject", "TypeNames"].map(Into::into).to_vec()
    }

    fn get(&self, name: &str) -> Option<Value> {
        Some(match name.to_ascii_lowercase().as_str() {
            "properties" => members(&self.0, false),
            "members" => members(&self.0, true),
            "baseobject" | "immediatebaseobject" => self.0.clone(),
            "typenames" => type_name_list(&self.0),
            _ => return None,
        })
    }

    fn unmodelled(&self, name: &str) -> Option<String> {
        name.eq_ignore_ascii_case("methods").then(|| "psobject.Methods".into())
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

/// `value.psobject`.
pub(super) fn inside(value: &Value) -> Value {
    let mut object = PsObject::new(format!("{NAMESPACE}.PSObject")).with_text(crate::convert::display(value));
    object.source = Some(Arc::new(Inside(value.clone())));
    object.into()
}

/// A copy with properties of its own (`psobject.Copy()`).
fn copy(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let made = PsObject { properties: Arc::default(), ..PsObject::clone(object) };
            for name in object.names() {
                made.set(&name, object.get(&name).unwrap_or(Value::Null));
            }
            made.into()
        }
        other => other.clone(),
    }
}

/// Methods of `psobject` and of single members.
pub(super) fn methods(object: &PsObject, call: &Call<'_>) -> Found {
    let Some(source) = object.source.as_ref().and_then(|s| s.as_any()) else { return Ok(None) };
    if let Some(inside) = source.downcast_ref::<Inside>() {
        return match (call.lower, call.count()) {
            ("copy", 0) => gives(copy(&inside.0)),
            ("tostring", 0) => gives(crate::convert::display(&inside.0)),
            _ => Ok(None),
        };
    }
    if let Some(member) = source.downcast_ref::<Member>()
        && (call.lower, call.count()) == ("copy", 0)
    {
        return gives(self::member(&member.owner, member.name.clone(), member.kind));
    }
    Ok(None)
}

/// Methods of `psobject.Properties`.
pub(super) fn collection_methods(list: &List, call: &Call<'_>) -> Found {
    let Some(owner) = &list.owner else { return Ok(None) };
    match (call.lower, call.count()) {
        ("match", 1 | 2) => {
            let pattern = call.text(0);
            let items = list.items.read().map(|items| items.clone()).unwrap_or_default();
            let named = |item: &Value| property(item, "Name").is_some_and(|n| crate::eval::like(&shared_text(&n), &pattern, false));
            gives(Value::List(List::owned(list.kind.clone(), items.into_iter().filter(named).collect(), owner.clone())))
        }
        ("item" | "get_item", 1) => gives(find(list, &call.text(0)).unwrap_or(Value::Null)),
        ("remove", 1) => {
            if let Value::Object(object) = owner {
                let name = call.text(0);
                if let Ok(mut properties) = object.properties.write() {
                    properties.shift_remove(&NameRef(&name));
                }
                if let Some(scripts) = object.scripts.get()
                    && let Ok(mut scripts) = scripts.write()
                {
                    scripts.shift_remove(&NameRef(&name));
                }
            }
            void()
        }
        ("add", 1 | 2) => {
            let Value::Object(object) = owner else { return Err(call.overload()) };
            let (Some(name), Value::Object(new)) = (property(call.value(0), "Name"), call.value(0)) else { return Err(call.overload()) };
            let name = shared_text(&name);
            if object.get(&name).is_some() || object.script_member(&name).is_some() {
                let reason = format!("The member \"{name}\" is already present.");
                return Err(call.threw(&reason, "System.Management.Automation.ExtendedTypeSystemException"));
            }
            match new.script_member("Value") {
                Some(member) => object.set_script_member(&name, member),
                None => object.set(&name, new.get("Value").unwrap_or(Value::Null)),
            }
            void()
        }
        _ => Ok(None),
    }
}

/// The member of a name in `psobject.Properties['name']`.
pub(super) fn find(list: &List, name: &str) -> Option<Value> {
    let items = list.items.read().ok()?;
    items.iter().find(|item| property(item, "Name").is_some_and(|n| shared_text(&n).eq_ignore_ascii_case(name))).cloned()
}

/// `New-Object PSNoteProperty`, `PSScriptProperty`, `PSAliasProperty`, `PSScriptMethod`: members that belong to nothing yet.
pub(super) fn construct(call: &Call<'_>) -> Option<Value> {
    let kind = call.class.strip_prefix("System.Management.Automation.PS")?;
    let block = |at: usize| match call.value(at) {
        Value::Script(block) => Some(block.clone()),
        _ => None,
    };
    let object = PsObject::new(call.class).with("Name", call.text(0)).with("MemberType", member_type(kind)).with("IsInstance", true);
    match (kind, call.count()) {
        ("NoteProperty", 2) => Some(object.with("Value", call.value(1).clone()).into()),
        ("ScriptProperty", 2 | 3) => {
            object.set_script_member("Value", ScriptMember::Property(block(1)?, block(2)));
            Some(object.into())
        }
        ("ScriptMethod", 2) => {
            object.set_script_member("Value", ScriptMember::Method(block(1)?));
            Some(object.into())
        }
        ("AliasProperty", 2) => {
            object.set_script_member("Value", ScriptMember::Alias(call.text(1)));
            Some(object.into())
        }
        _ => None,
    }
}
