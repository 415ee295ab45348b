//! `New-Object`, `Add-Member`, `Get-Member`.

use std::sync::Arc;

use super::{error, input_of, list, texts};
use crate::command::BoundParameters;
use crate::convert::{shared_text, to_text};
use crate::error::Flow;
use crate::eval::like;

use crate::pipeline::{Context, Stage};
use crate::types;
use crate::value::{PsObject, ScriptMember, Value};

/// `New-Object`.
pub(super) fn new_object(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    if let Some(com) = parameters.text("ComObject") {
        cx.unmodelled(&format!("New-Object -ComObject {com}"));
        return Err(error(
            format!("Retrieving the COM class factory for component with ProgID {com} is not modelled."),
            "NoCOMClassIdentified",
            "ResourceUnavailable",
            "System.ArgumentException",
        )
        .into());
    }
    let name = parameters.text("TypeName").unwrap_or_else(|| "".into());
    let Some(full) = types::resolve(&name) else {
        return Err(error(
            format!("Cannot find type [{name}]: verify that the assembly containing this type is loaded."),
            "TypeNotFound",
            "InvalidType",
            "System.Management.Automation.PSArgumentException",
        )
        .into());
    };
    let made = types::new_object(&full, &list(parameters, "ArgumentList"), cx)?;
    if let Some(Value::Hash(table)) = parameters.get("Property") {
        let entries: Vec<(Value, Value)> = table.read().map(|t| t.entries.values().cloned().collect()).unwrap_or_default();
        for (key, value) in entries {
            match &made {
                Value::Object(object) => object.set(&shared_text(&key), value),
                other => types::set_property(other, &shared_text(&key), value)?,
            }
        }
    }
    cx.emit(made)
}

/// `Add-Member`.
pub(super) fn add_member(parameters: &BoundParameters, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let Some(target) = input_of(parameters, input) else { return Ok(()) };
    let Value::Object(object) = &target else {
        if let Value::Hash(_) = &target
            && let (Some(name), Some(value)) =
                (parameters.text("NotePropertyName").or_else(|| parameters.text("Name")), value_of(parameters))
        {
            cx.unmodelled(&format!("Add-Member {name} on a hashtable"));
            let _ = value;
        } else {
            cx.unmodelled(&format!("Add-Member on a value of type {}", types::type_name(&target)));
        }
        return if parameters.switch("PassThru") { cx.emit(target.clone()) } else { Ok(()) };
    };
    if let Some(name) = parameters.text("TypeName")
        && parameters.get("NotePropertyName").is_none()
        && parameters.get("Name").is_none()
        && parameters.get("NotePropertyMembers").is_none()
    {
        let mut renamed = PsObject::clone(object);
        renamed.type_names.insert(0, name);
        return if parameters.switch("PassThru") { cx.emit(renamed.into()) } else { Ok(()) };
    }
    if let Some(Value::Hash(members)) = parameters.get("NotePropertyMembers") {
        let entries: Vec<(Value, Value)> = members.read().map(|t| t.entries.values().cloned().collect()).unwrap_or_default();
        for (key, value) in entries {
            add_note(object, &shared_text(&key), value, parameters, cx)?;
        }
    } else if let Some(name) = parameters.text("NotePropertyName") {
        add_note(object, &name, parameters.get("NotePropertyValue").cloned().unwrap_or(Value::Null), parameters, cx)?;
    } else {
        let name = parameters.text("Name").unwrap_or_else(|| "".into());
        let kind = parameters.text("MemberType").unwrap_or_else(|| "NoteProperty".into()).to_ascii_lowercase();
        let value = value_of(parameters).unwrap_or(Value::Null);
        let script = |value: &Value| if let Value::Script(block) = value { Some(block.clone()) } else { None };
        match kind.as_str() {
            "scriptproperty" => {
                if let Some(get) = script(&value) {
                    let set = parameters.get("SecondValue").and_then(script);
                    object.set_script_member(&name, ScriptMember::Property(get, set));
                }
            }
            "scriptmethod" => {
                if let Some(block) = script(&value) {
                    object.set_script_member(&name, ScriptMember::Method(block));
                }
            }
            "aliasproperty" => object.set_script_member(&name, ScriptMember::Alias(shared_text(&value))),
            _ => add_note(object, &name, value, parameters, cx)?,
        }
    }
    if parameters.switch("PassThru") { cx.emit(target.clone()) } else { Ok(()) }
}

fn value_of(parameters: &BoundParameters) -> Option<Value> {
    parameters.get("Value").or_else(|| parameters.get("NotePropertyValue")).cloned()
}

fn add_note(object: &Arc<PsObject>, name: &str, value: Value, parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    if object.get(name).is_some() && !parameters.switch("Force") {
        return cx.write_error(
            error(
                format!(
                    "Cannot add a member with the name \"{name}\" because a member with that name already exists. To overwrite the member anyway, add \
                     the Force parameter to your command."
                ),
                "MemberAlreadyExists",
                "InvalidOperation",
                "System.InvalidOperationException",
            )
            .with_target(Value::Object(object.clone())),
        );
    }
    object.set(name, value);
    Ok(())
}

/// `Get-Member`: one definition for each type that comes by.
pub(super) struct GetMember {
    parameters: BoundParameters,
    seen: Vec<Arc<str>>,
}

impl GetMember {
    pub(super) fn boxed(parameters: BoundParameters) -> Box<dyn Stage> {
        Box::new(Self { parameters, seen: Vec::new() })
    }
}

/// A member of `PSMemberTypes`.
fn member_type(kind: &str) -> Value {
    const NAME: &str = "System.Management.Automation.PSMemberTypes";
    let number =
        types::enumeration(NAME).and_then(|members| members.iter().find(|(name, _)| *name == kind)).map_or(0, |(_, number)| *number);
    Value::Enum(Arc::new(crate::value::EnumValue { type_name: NAME.into(), name: kind.into(), number }))
}

/// Methods of the common types, as far as they are modelled.
fn methods(full: &str) -> &'static [&'static str] {
    match full {
        "System.String" => &[
            "Contains",
            "EndsWith",
            "Equals",
            "GetType",
            "IndexOf",
            "Insert",
            "LastIndexOf",
            "PadLeft",
            "PadRight",
            "Remove",
            "Replace",
            "Split",
            "StartsWith",
            "Substring",
            "ToCharArray",
            "ToLower",
            "ToString",
            "ToUpper",
            "Trim",
            "TrimEnd",
            "TrimStart",
        ],
        "System.DateTime" => &[
            "Add",
            "AddDays",
            "AddHours",
            "AddMilliseconds",
            "AddMinutes",
            "AddMonths",
            "AddSeconds",
            "AddTicks",
            "AddYears",
            "CompareTo",
            "Equals",
            "GetHashCode",
            "GetType",
            "Subtract",
            "ToLongDateString",
            "ToShortDateString",
            "ToString",
            "ToUniversalTime",
        ],
        _ => &["Equals", "GetHashCode", "GetType", "ToString"],
    }
}

fn short_type(value: &Value) -> String {
    match value {
        Value::Str(_) => "string".into(),
        Value::Int(_) => "int".into(),
        Value::Long(_) => "long".into(),
        Value::Bool(_) => "bool".into(),
        Value::Double(_) => "double".into(),
        Value::DateTime(_) => "datetime".into(),
        Value::TimeSpan(_) => "timespan".into(),
        Value::Null => "object".into(),
        other => types::short_name(&types::type_name(other)),
    }
}

impl Stage for GetMember {
    fn process(&mut self, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
        let Some(object) = input_of(&self.parameters, input) else {
            return cx.write_error(error(
                "You must specify an object for the Get-Member cmdlet.",
                "NoObjectInGetMember",
                "CloseError",
                "System.InvalidOperationException",
            ));
        };
        let type_name = types::type_names(&object).first().cloned().unwrap_or_else(|| "System.Object".into());
        if self.seen.contains(&type_name) {
            return Ok(());
        }
        self.seen.push(type_name.clone());
        let names = texts(&self.parameters, "Name");
        let kinds: Vec<String> = texts(&self.parameters, "MemberType")
            .iter()
            .flat_map(|t| t.split(',').map(|k| k.trim().to_ascii_lowercase()).collect::<Vec<_>>())
            .collect();
        let wanted = |name: &str, kind: &str| {
            (names.is_empty() || names.iter().any(|n| like(name, n, false)))
                && (kinds.is_empty()
                    || kinds.iter().any(|k| {
                        k == "all"
                            || k.eq_ignore_ascii_case(kind)
                            || (k.starts_with("propert") && kind.ends_with("Property"))
                            || (k == "methods" && kind.ends_with("Method"))
                    }))
        };
        let mut members: Vec<(String, &str, String)> =
            methods(&type_name).iter().map(|m| ((*m).to_string(), "Method", format!("{m}()"))).collect();
        let note = matches!(&object, Value::Object(_));
        for name in types::property_names(&object) {
            let value = types::property(&object, &name).unwrap_or(Value::Null);
            let scripted = types::script_property(&object, &name).is_some();
            let custom = matches!(&object, Value::Object(o) if o.is_type("System.Management.Automation.PSCustomObject"));
            let (kind, definition) = if scripted {
                ("ScriptProperty", format!("System.Object {name} {{get=...;}}"))
            } else if note && custom {
                ("NoteProperty", format!("{} {name}={}", short_type(&value), to_text(&value, " ")))
            } else {
                ("Property", format!("{} {name} {{get;set;}}", short_type(&value)))
            };
            members.push((name.to_string(), kind, definition));
        }
        let mut rank: Vec<_> = members.into_iter().filter(|(n, k, _)| wanted(n, k)).collect();
        rank.sort_by(|a, b| a.1.cmp(b.1).then_with(|| crate::convert::order_text(&a.0, &b.0, false)));
        for (name, kind, definition) in rank {
            let object = PsObject::new("Microsoft.PowerShell.Commands.MemberDefinition")
                .with("TypeName", type_name.clone())
                .with("Name", name.clone())
                .with("MemberType", member_type(kind))
                .with("Definition", definition)
                .with_text(name);
            let object = PsObject { default_view: ["Name", "MemberType", "Definition"].iter().map(|n| Arc::from(*n)).collect(), ..object };
            cx.emit(object.into())?;
        }
        Ok(())
    }
}
