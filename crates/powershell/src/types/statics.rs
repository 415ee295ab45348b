//! Static members and constructors: which family of types answers.

use std::sync::Arc;

use super::call::Call;
use super::{
    builder, collections, converter, dates, dictionaries, environment, files, identity, math, members, method_not_found, network, random,
    regexes, security, short_name, strings, xml,
};
use crate::convert::{cast_resolved, shared_text};
use crate::error::{ErrorRecord, Flow};
use crate::limits;
use crate::pipeline::Context;
use crate::value::{EnumValue, PsObject, Value};

fn full_name(type_name: &str) -> Result<Arc<str>, Flow> {
    super::resolve(type_name).ok_or_else(|| super::type_not_found(type_name).into())
}

fn unmodelled(full: &str, name: &str, cx: &mut dyn Context) -> Flow {
    let what = format!("[{full}]::{name}");
    cx.unmodelled(&what);
    super::not_modelled(&what).into()
}

/// Types whose static members are all there: what is not found there does not exist.
fn whole(full: &str) -> bool {
    const NAMES: &[&str] = &[
        "System.String",
        "System.Char",
        "System.Math",
        "System.Convert",
        "System.BitConverter",
        "System.DateTime",
        "System.TimeSpan",
        "System.Guid",
        "System.Version",
        "System.Boolean",
        "System.Array",
        "System.IO.Path",
        "System.IO.File",
        "System.IO.Directory",
        "System.Net.IPAddress",
        "System.Text.RegularExpressions.Regex",
        "System.Collections.Hashtable",
        "System.Collections.ArrayList",
    ];
    NAMES.contains(&full) || numeric(full)
}

/// Whether a type is one of the numeric ones.
fn numeric(full: &str) -> bool {
    matches!(
        full.strip_prefix("System."),
        Some("Int32" | "Int64" | "Double" | "Decimal" | "Byte" | "UInt32" | "UInt16" | "Single" | "Int16" | "UInt64" | "SByte")
    )
}

/// `[type]::name`.
pub fn static_property(type_name: &str, name: &str, cx: &mut dyn Context) -> Result<Value, Flow> {
    let full = full_name(type_name)?;
    let lower = name.to_ascii_lowercase();
    if let Some(members) = super::enum_members(&full) {
        if let Some((member, value)) = members.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            return Ok(Value::Enum(Arc::new(EnumValue { type_name: full, name: member.clone(), number: *value })));
        }
        return Ok(Value::Null);
    }
    let found = match &*full {
        "System.Net.ServicePointManager" if lower == "securityprotocol" => {
            Some(cast_resolved(&Value::str("SystemDefault"), "System.Net.SecurityProtocolType")?)
        }
        "System.Text.Encoding" => converter::Encoding::named(&lower).map(converter::Encoding::object),
        "System.StringComparer" => dictionaries::comparer(&lower),
        _ => strings::constant(&full, &lower)
            .or_else(|| math::constant(&full, &lower))
            .or_else(|| identity::constant(&full, &lower))
            .or_else(|| files::constant(&full, &lower))
            .or_else(|| network::constant(&full, &lower))
            .or_else(|| security::constant(&full, &lower))
            .or_else(|| dates::constant(&full, &lower, || cx.world().now())),
    };
    let found = match found {
        None => environment::constant(&full, &lower, cx),
        found => found,
    };
    match found {
        Some(value) => Ok(value),
        // As a type that has no such member answers; a method without its parentheses is not modelled.
        None if whole(&full) => Ok(Value::Null),
        None => Err(unmodelled(&full, name, cx)),
    }
}

/// `[type]::name(arguments)`; `new` makes an object.
pub fn call_static(type_name: &str, name: &str, arguments: &[Value], cx: &mut dyn Context) -> Result<Option<Value>, Flow> {
    let full = full_name(type_name)?;
    let lower = name.to_ascii_lowercase();
    if lower == "new" {
        return new_object(&full, arguments, cx).map(Some);
    }
    if super::enum_members(&full).is_some() || &*full == "System.Enum" {
        return enum_static(&full, &lower, name, arguments);
    }
    let call = Call { class: &full, name, lower: &lower, arguments };
    let found = match &*full {
        "System.Math" => math::statics(&call)?,
        "System.String" => strings::statics(&call)?,
        "System.Char" => strings::char_statics(&call)?,
        "System.DateTime" => dates::date_statics(&call, cx)?,
        "System.TimeSpan" => dates::span_statics(&call)?,
        "System.Diagnostics.Stopwatch" => dates::watch_statics(&call, cx)?,
        "System.Convert" => converter::statics(&call)?,
        "System.BitConverter" => converter::bit_statics(&call)?,
        "System.Text.Encoding" => converter::encoding_statics(&call)?,
        "System.IO.Path" => files::path_statics(&call, cx)?,
        "System.IO.File" => files::file_statics(&call, cx)?,
        "System.IO.Directory" => files::directory_statics(&call, cx)?,
        "System.Text.RegularExpressions.Regex" => regexes::statics(&call, cx)?,
        "System.Guid" | "System.Version" => identity::statics(&call, cx)?,
        "System.Array" => collections::statics(&call, cx)?,
        "System.Net.Dns" => network::dns_statics(&call, cx)?,
        "System.Net.IPAddress" | "System.Uri" | "System.Web.HttpUtility" | "System.Net.WebUtility" => network::statics(&call)?,
        "System.Environment" | "System.Threading.Thread" | "System.GC" | "System.Globalization.CultureInfo" => {
            environment::statics(&call, cx)?
        }
        "System.Reflection.Assembly" => environment::assembly_statics(&call, cx)?,
        "System.Runtime.InteropServices.Marshal" | "System.Security.Principal.WindowsIdentity" => security::statics(&call, cx)?,
        "System.Collections.Hashtable" | "System.Collections.ArrayList" => dictionaries::statics(&call)?,
        "System.Activator" if lower == "createinstance" => match super::type_of(call.value(0)) {
            Some(target) => Some(Some(new_object(&target, &arguments[1..], cx)?)),
            None => None,
        },
        "System.Management.Automation.ScriptBlock" if lower == "create" => {
            return cx.script_block(&call.text(0)).map(Some);
        }
        "System.Object" => match (&*lower, arguments) {
            ("equals", [a, b]) => Some(Some(Value::Bool(super::type_name(a) == super::type_name(b) && crate::convert::equals(a, b, true)))),
            ("referenceequals", [a, b]) => Some(Some(Value::Bool(same_reference(a, b)))),
            _ => None,
        },
        other if numeric(other) || other == "System.Boolean" => math::number_statics(&call)?,
        _ => None,
    };
    match found {
        Some(value) => Ok(value),
        None if whole(&full) => Err(method_not_found(&full, name).into()),
        None => Err(unmodelled(&full, name, cx)),
    }
}

fn same_reference(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b),
        (Value::Array(a), Value::Array(b)) => Arc::ptr_eq(a, b),
        (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b),
        (Value::Hash(a), Value::Hash(b)) => Arc::ptr_eq(a, b),
        (Value::Str(a), Value::Str(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

fn enum_static(full: &str, lower: &str, name: &str, arguments: &[Value]) -> Result<Option<Value>, Flow> {
    let (full, rest): (Arc<str>, &[Value]) = match arguments.first() {
        Some(Value::Type(of)) => (of.clone(), &arguments[1..]),
        _ => (full.into(), arguments),
    };
    let members = super::enum_members(&full).unwrap_or_default();
    let make = |n: &str, v: i64| Value::Enum(Arc::new(EnumValue { type_name: full.clone(), name: n.into(), number: v }));
    let call = Call { class: &full, name, lower, arguments: rest };
    identity::enum_statics(&call, &members, &make)?.ok_or_else(|| method_not_found(&full, name).into())
}

/// `New-Object` and `[type]::new()`.
pub fn new_object(type_name: &str, arguments: &[Value], cx: &mut dyn Context) -> Result<Value, Flow> {
    let full = full_name(type_name)?;
    if let Some(made) = cx.construct(&full, arguments)? {
        return Ok(made);
    }
    let call = Call { class: &full, name: ".ctor", lower: ".ctor", arguments };
    if let Some(element) = full.strip_suffix("[]") {
        let size = usize::try_from(call.int(0, "length")?).unwrap_or(0);
        limits::items(size)?;
        // Text of .NET is null until somebody sets it.
        let fill = match element {
            "System.String" => Value::Null,
            _ => cast_resolved(&Value::Null, element).unwrap_or(Value::Null),
        };
        return Ok(if element == "System.Object" { Value::array(vec![fill; size]) } else { Value::typed_array(element, vec![fill; size]) });
    }
    let made = match &*full {
        "System.Object" | "System.Management.Automation.PSObject" | "System.Management.Automation.PSCustomObject" => {
            Some(arguments.first().cloned().unwrap_or_else(|| PsObject::custom().into()))
        }
        "System.String" => strings::construct(&call)?,
        "System.Text.StringBuilder" => builder::construct(&call)?,
        "System.DateTime" | "System.TimeSpan" | "System.Diagnostics.Stopwatch" => dates::construct(&call)?,
        "System.Guid" | "System.Version" => identity::construct(&call)?,
        "System.Random" => random::construct(&call, cx)?,
        "System.Text.RegularExpressions.Regex" => Some(regexes::construct(&call)?),
        "System.Text.UTF8Encoding" => Some(converter::Encoding::utf8(call.count() > 0 && call.flag(0))),
        "System.Text.ASCIIEncoding" => Some(converter::Encoding::Ascii.object()),
        "System.Text.UnicodeEncoding" => Some(converter::Encoding::Unicode.object()),
        "System.Globalization.CultureInfo" => environment::culture(&call.text(0)),
        "System.Xml.XmlDocument" | "System.Xml.XmlNamespaceManager" | "System.Xml.NameTable" => xml::construct(&call)?,
        super::methods::CIM_INSTANCE if call.count() == 1 => match &arguments[0] {
            Value::Object(object) => Some(super::methods::cim_copy(object)),
            other => Some(cast_resolved(other, &full)?),
        },
        "System.Net.IPAddress" if call.count() == 1 && call.value(0).items().is_some() => {
            let raw = converter::raw(call.value(0));
            let address = <[u8; 4]>::try_from(raw.as_slice()).map(std::net::IpAddr::from).ok();
            let address = address.or_else(|| <[u8; 16]>::try_from(raw.as_slice()).map(std::net::IpAddr::from).ok());
            address.map(network::address_object)
        }
        "System.Uri" | "System.Net.Mail.MailAddress" if call.count() == 1 => match network::from_text(&shared_text(&arguments[0]), &full) {
            Ok(made) => Some(made),
            Err(reason) => return Err(call.threw(reason, "System.FormatException")),
        },
        "System.Security.SecureString"
        | "System.Management.Automation.PSCredential"
        | "System.Net.NetworkCredential"
        | "System.Security.Principal.WindowsPrincipal" => security::construct(&call)?,
        name if name.starts_with("System.Collections.") => match collections::construct(&call)? {
            Some(made) => Some(made),
            None => dictionaries::construct(&call)?,
        },
        super::host::CHOICE => super::host::construct(&call),
        name if name.starts_with("System.Management.Automation.PS") => members::construct(&call),
        name if name.ends_with("Exception") => {
            let message = if call.count() == 0 { format!("Exception of type '{full}' was thrown.").into() } else { call.text(0) };
            Some(super::exception_object(&crate::error::exception_chain(&full), &message))
        }
        _ => None,
    };
    match made {
        Some(made) => Ok(made),
        None if constructors_known(&full) => Err(no_constructor(&full, call.count()).into()),
        None => {
            cx.unmodelled(&format!("New-Object {full}"));
            Err(ErrorRecord::runtime(format!("Objects of type [{full}] are not modelled."), "NotModelled", "NotImplemented").into())
        }
    }
}

/// Types whose constructors are all there.
fn constructors_known(full: &str) -> bool {
    matches!(
        full,
        "System.String"
            | "System.DateTime"
            | "System.TimeSpan"
            | "System.Version"
            | "System.Diagnostics.Stopwatch"
            | "System.Net.NetworkCredential"
    )
}

fn no_constructor(full: &str, count: usize) -> ErrorRecord {
    ErrorRecord {
        decorated: true,
        ..ErrorRecord::new(
            format!("A constructor was not found. Cannot find an appropriate constructor for type {full}."),
            "CannotFindAppropriateCtor",
            "ObjectNotFound",
            "System.Management.Automation.PSArgumentException",
        )
    }
    .with_target(Value::str(format!("{}({count})", short_name(full))))
}
