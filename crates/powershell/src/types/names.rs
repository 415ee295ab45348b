//! Names of types: accelerators, the types that scripts name, enumerations, and base types.

use std::sync::Arc;

use crate::value::{Number, Value};

/// Accelerators and short names, lower case, with the full name.
const SHORT: &[(&str, &str)] = &[
    ("array", "System.Array"),
    ("arraylist", "System.Collections.ArrayList"),
    ("bool", "System.Boolean"),
    ("byte", "System.Byte"),
    ("char", "System.Char"),
    ("cmdletbinding", "System.Management.Automation.CmdletBindingAttribute"),
    ("collections.arraylist", "System.Collections.ArrayList"),
    ("consolecolor", "System.ConsoleColor"),
    ("cultureinfo", "System.Globalization.CultureInfo"),
    ("psaliasproperty", "System.Management.Automation.PSAliasProperty"),
    ("psnoteproperty", "System.Management.Automation.PSNoteProperty"),
    ("psscriptmethod", "System.Management.Automation.PSScriptMethod"),
    ("psscriptproperty", "System.Management.Automation.PSScriptProperty"),
    ("datetime", "System.DateTime"),
    ("dayofweek", "System.DayOfWeek"),
    ("decimal", "System.Decimal"),
    ("double", "System.Double"),
    ("exception", "System.Exception"),
    ("float", "System.Single"),
    ("guid", "System.Guid"),
    ("hashtable", "System.Collections.Hashtable"),
    ("int", "System.Int32"),
    ("int16", "System.Int16"),
    ("int32", "System.Int32"),
    ("int64", "System.Int64"),
    ("ipaddress", "System.Net.IPAddress"),
    ("long", "System.Int64"),
    ("mailaddress", "System.Net.Mail.MailAddress"),
    ("math", "System.Math"),
    ("convert", "System.Convert"),
    ("environment", "System.Environment"),
    ("ciminstance", "Microsoft.Management.Infrastructure.CimInstance"),
    ("object", "System.Object"),
    ("ordered", "System.Collections.Specialized.OrderedDictionary"),
    ("psobject", "System.Management.Automation.PSObject"),
    ("pscustomobject", "System.Management.Automation.PSCustomObject"),
    ("pscredential", "System.Management.Automation.PSCredential"),
    ("random", "System.Random"),
    ("ref", "System.Management.Automation.PSReference"),
    ("regex", "System.Text.RegularExpressions.Regex"),
    ("sbyte", "System.SByte"),
    ("scriptblock", "System.Management.Automation.ScriptBlock"),
    ("securestring", "System.Security.SecureString"),
    ("short", "System.Int16"),
    ("single", "System.Single"),
    ("string", "System.String"),
    ("stringbuilder", "System.Text.StringBuilder"),
    ("switch", "System.Management.Automation.SwitchParameter"),
    ("switchparameter", "System.Management.Automation.SwitchParameter"),
    ("timespan", "System.TimeSpan"),
    ("type", "System.Type"),
    ("uint", "System.UInt32"),
    ("uint16", "System.UInt16"),
    ("uint32", "System.UInt32"),
    ("uint64", "System.UInt64"),
    ("ulong", "System.UInt64"),
    ("uri", "System.Uri"),
    ("ushort", "System.UInt16"),
    ("version", "System.Version"),
    ("void", "System.Void"),
    ("wmi", "System.Management.ManagementObject"),
    ("xml", "System.Xml.XmlDocument"),
];

/// Full names that exist beside those of the accelerators.
const FULL: &[&str] = &[
    "System.IDisposable",
    "System.IConvertible",
    "System.IFormattable",
    "System.ICloneable",
    "System.Delegate",
    "System.Text.RegularExpressions.GroupCollection",
    "System.Text.RegularExpressions.MatchCollection",
    "System.Xml.XmlException",
    "System.Net.Sockets.SocketException",
    "System.IO.DirectoryNotFoundException",
    "System.ArithmeticException",
    "System.IndexOutOfRangeException",
    "System.NotImplementedException",
    "System.NotSupportedException",
    "System.ArgumentOutOfRangeException",
    "System.IO.FileSystemInfo",
    "System.Xml.NameTable",
    "System.Xml.XmlNamespaceManager",
    "System.Xml.XmlNodeList",
    "System.Xml.XmlAttribute",
    "System.Xml.XmlElement",
    "System.Xml.XmlNode",
    "System.Management.Automation.PSScriptMethod",
    "System.Management.Automation.PSScriptProperty",
    "System.Management.Automation.PSAliasProperty",
    "System.Collections.DictionaryEntry",
    "System.Collections.SortedList",
    "System.Collections.Stack",
    "System.Collections.Queue",
    "System.Text.UnicodeEncoding",
    "System.Text.UTF8Encoding",
    "System.Text.RegularExpressions.Group",
    "System.Text.RegularExpressions.Capture",
    "System.Text.ASCIIEncoding",
    "System.StringComparer",
    "System.Net.WebUtility",
    "System.Net.NetworkCredential",
    "System.Net.IPHostEntry",
    "System.IO.SearchOption",
    "System.IntPtr",
    "System.Globalization.DateTimeStyles",
    "System.Globalization.CultureInfo",
    "System.BitConverter",
    "System.Activator",
    "System.ArgumentException",
    "System.ArgumentNullException",
    "System.Attribute",
    "System.Collections.ICollection",
    "System.Collections.IDictionary",
    "System.Collections.IEnumerable",
    "System.Collections.IList",
    "System.Console",
    "System.Data.DataSet",
    "System.Data.DataTable",
    "System.Data.SqlClient.SqlCommand",
    "System.Data.SqlClient.SqlConnection",
    "System.Data.SqlClient.SqlDataAdapter",
    "System.Diagnostics.EventLog",
    "System.Diagnostics.Process",
    "System.Diagnostics.Stopwatch",
    "System.DivideByZeroException",
    "System.Enum",
    "System.GC",
    "System.IComparable",
    "System.IO.Directory",
    "System.IO.DirectoryInfo",
    "System.IO.File",
    "System.IO.FileInfo",
    "System.IO.FileNotFoundException",
    "System.IO.IOException",
    "System.IO.MemoryStream",
    "System.IO.Path",
    "System.IO.StreamReader",
    "System.IO.StreamWriter",
    "System.InvalidOperationException",
    "System.Management.Automation.ErrorRecord",
    "System.Management.Automation.Host.ChoiceDescription",
    "System.Management.Automation.ItemNotFoundException",
    "System.Management.Automation.ParameterBindingException",
    "System.Management.Automation.PSNoteProperty",
    "System.Management.Automation.RuntimeException",
    "System.Management.Automation.CommandNotFoundException",
    "System.Net.Dns",
    "System.Net.NetworkInformation.Ping",
    "System.Net.ServicePointManager",
    "System.Net.SecurityProtocolType",
    "System.Net.Sockets.TcpClient",
    "System.Net.WebClient",
    "System.Net.WebException",
    "System.NullReferenceException",
    "System.Reflection.Assembly",
    "System.Runtime.InteropServices.Marshal",
    "System.Security.Principal.WindowsBuiltInRole",
    "System.Security.Principal.WindowsIdentity",
    "System.Security.Principal.WindowsPrincipal",
    "System.StringComparison",
    "System.StringSplitOptions",
    "System.SystemException",
    "System.Text.Encoding",
    "System.Text.RegularExpressions.Match",
    "System.Text.RegularExpressions.RegexOptions",
    "System.Threading.Thread",
    "System.TimeZoneInfo",
    "System.TimeoutException",
    "System.UnauthorizedAccessException",
    "System.ValueType",
    "System.Web.HttpUtility",
    "System.Windows.Forms.Application",
    "System.Windows.Forms.MessageBox",
    "System.DBNull",
    "System.FormatException",
    "System.OverflowException",
    "System.InvalidCastException",
    "System.Collections.Generic.KeyNotFoundException",
    "System.Management.Automation.ActionPreference",
    "System.Management.Automation.ActionPreferenceStopException",
    "System.Management.Automation.MethodInvocationException",
    "System.Management.Automation.PSInvalidCastException",
    "System.Management.Automation.SessionState",
    "Microsoft.PowerShell.Commands.WriteErrorException",
    "Microsoft.Win32.RegistryKey",
];

/// The full .NET name for a type as written between brackets (`int` gives `System.Int32`); `None` when nobody knows it.
pub fn resolve(name: &str) -> Option<Arc<str>> {
    resolve_plain(name).or_else(|| super::classes::in_namespaces(name.trim()).iter().find_map(|full| resolve_plain(full)))
}

fn resolve_plain(name: &str) -> Option<Arc<str>> {
    let name = name.trim();
    if let Some(defined) = super::classes::find(name) {
        return Some(defined.name.clone());
    }
    if let Some(element) = name.strip_suffix("[]") {
        return Some(format!("{}[]", resolve(element)?).into());
    }
    if let Some((outer, inner)) = name.split_once('[') {
        return resolve_generic(outer, inner.strip_suffix(']')?);
    }
    let lower = name.to_ascii_lowercase();
    if let Some((_, full)) = SHORT.iter().find(|(short, _)| *short == lower) {
        return Some((*full).into());
    }
    let with_system = |full: &str| {
        full.eq_ignore_ascii_case(name) || full.get(7..).is_some_and(|rest| full.starts_with("System.") && rest.eq_ignore_ascii_case(name))
    };
    SHORT
        .iter()
        .map(|(_, full)| *full)
        .chain(FULL.iter().copied())
        .chain(crate::eval::DYNAMIC_TYPES.iter().copied())
        .chain(super::enums::names())
        .find(|full| with_system(full))
        .map(Arc::from)
}

/// Generic types, without `System.Collections.Generic.` in lower case, with their names and numbers of parameters.
const GENERIC: &[(&str, &str, usize)] = &[
    ("list", "System.Collections.Generic.List", 1),
    ("hashset", "System.Collections.Generic.HashSet", 1),
    ("queue", "System.Collections.Generic.Queue", 1),
    ("stack", "System.Collections.Generic.Stack", 1),
    ("ienumerable", "System.Collections.Generic.IEnumerable", 1),
    ("ilist", "System.Collections.Generic.IList", 1),
    ("icollection", "System.Collections.Generic.ICollection", 1),
    ("dictionary", "System.Collections.Generic.Dictionary", 2),
    ("idictionary", "System.Collections.Generic.IDictionary", 2),
    ("sorteddictionary", "System.Collections.Generic.SortedDictionary", 2),
    ("sortedlist", "System.Collections.Generic.SortedList", 2),
    ("keyvaluepair", "System.Collections.Generic.KeyValuePair", 2),
];

/// The pieces of a list between commas that stand outside brackets.
fn pieces(text: &str) -> Vec<&str> {
    let (mut out, mut depth, mut start) = (Vec::new(), 0i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if depth == 0 => {
                out.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(&text[start..]);
    out
}

/// `Dictionary[string,int]`, also with each parameter in brackets of its own.
fn resolve_generic(outer: &str, inner: &str) -> Option<Arc<str>> {
    let lower = outer.trim().to_ascii_lowercase();
    let lower = lower.split('`').next().unwrap_or(&lower);
    if lower == "nullable" || lower == "system.nullable" {
        return resolve(inner);
    }
    let short = lower.strip_prefix("system.").unwrap_or(lower);
    let short = match short.strip_prefix("collections.generic.").unwrap_or(short) {
        // Lists to change, both of them.
        "collections.objectmodel.collection" => "list",
        other => other,
    };
    let delegate = matches!(short, "predicate" | "func" | "action" | "comparison");
    if delegate {
        // Delegates of any number of parameters: script blocks serve as such.
        let parameters: Vec<Arc<str>> = pieces(inner).into_iter().map(resolve).collect::<Option<_>>()?;
        let name = format!("{}{}", short[..1].to_ascii_uppercase(), &short[1..]);
        return Some(format!("System.{name}`{}[{}]", parameters.len(), parameters.join(",")).into());
    }
    let (_, full, count) = GENERIC.iter().find(|(name, _, _)| *name == short)?;
    let parameters: Vec<Arc<str>> = pieces(inner)
        .into_iter()
        .map(|piece| {
            let piece = piece.trim();
            // A name with its assembly stands in brackets.
            let plain = piece.strip_prefix('[').and_then(|p| p.strip_suffix(']')).map_or(piece, |p| pieces(p)[0]);
            resolve(plain)
        })
        .collect::<Option<_>>()?;
    (parameters.len() == *count).then(|| format!("{full}`{count}[{}]", parameters.join(",")).into())
}

/// The class and the parameters of a generic type by its full name.
pub(super) fn generic(full: &str) -> Option<(&str, Vec<&str>)> {
    let (class, rest) = full.split_once('`')?;
    let inner = rest.split_once('[')?.1.strip_suffix(']')?;
    Some((class, pieces(inner)))
}

/// The full .NET type name of a value.
pub fn type_name(value: &Value) -> Arc<str> {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "System.Boolean".into(),
        Value::Int(_) => "System.Int32".into(),
        Value::Long(_) => "System.Int64".into(),
        Value::Double(_) => "System.Double".into(),
        Value::Char(_) => "System.Char".into(),
        Value::Str(_) => "System.String".into(),
        Value::DateTime(_) => "System.DateTime".into(),
        Value::TimeSpan(_) => "System.TimeSpan".into(),
        Value::Guid(_) => "System.Guid".into(),
        Value::Version(_) => "System.Version".into(),
        Value::Array(_) => "System.Object[]".into(),
        Value::List(list) => list.type_name().into(),
        Value::Number(number) => match number {
            Number::SByte(_) => "System.SByte",
            Number::Byte(_) => "System.Byte",
            Number::Int16(_) => "System.Int16",
            Number::UInt16(_) => "System.UInt16",
            Number::UInt32(_) => "System.UInt32",
            Number::UInt64(_) => "System.UInt64",
            Number::Single(_) => "System.Single",
            Number::Decimal(_) => "System.Decimal",
        }
        .into(),
        Value::Hash(table) => table.read().map_or_else(|_| "System.Collections.Hashtable".into(), |table| table.type_name()),
        Value::Script(_) => "System.Management.Automation.ScriptBlock".into(),
        Value::Type(_) => "System.RuntimeType".into(),
        Value::Enum(member) => member.type_name.clone(),
        Value::Error(_) => "System.Management.Automation.ErrorRecord".into(),
        Value::Object(object) => match object.class() {
            // `Select-Object` makes custom objects whose first type name only says where they came from.
            Some(name) if name.starts_with("Selected.") => "System.Management.Automation.PSCustomObject".into(),
            Some(name) => name,
            None => "System.Object".into(),
        },
    }
}

/// All type names of a value, most derived first.
pub fn type_names(value: &Value) -> Vec<Arc<str>> {
    match value {
        Value::Object(object) => object.type_names(),
        Value::Array(_) => vec!["System.Object[]".into(), "System.Array".into(), "System.Object".into()],
        Value::Enum(_) => vec![type_name(value), "System.Enum".into(), "System.ValueType".into(), "System.Object".into()],
        Value::Str(_) | Value::Hash(_) | Value::List(_) | Value::Version(_) | Value::Error(_) | Value::Script(_) | Value::Null => {
            vec![type_name(value), "System.Object".into()]
        }
        Value::Type(_) => {
            vec!["System.RuntimeType".into(), "System.Reflection.TypeInfo".into(), "System.Type".into(), "System.Object".into()]
        }
        _ => vec![type_name(value), "System.ValueType".into(), "System.Object".into()],
    }
}

/// Whether a value is of a type (`-is`); the type as full name.
pub fn is_type(value: &Value, target: &str) -> bool {
    if value.is_null() {
        return false;
    }
    let target = if target.contains('.') { Arc::from(target) } else { resolve(target).unwrap_or_else(|| target.into()) };
    match &*target {
        "System.Object" => true,
        "System.Management.Automation.PSCustomObject" | "System.Management.Automation.PSObject" => match value {
            Value::Object(object) => {
                object.type_names.first().is_some_and(|t| t.starts_with("Selected."))
                    || object.is_type("System.Management.Automation.PSCustomObject")
            }
            _ => false,
        },
        "System.ValueType" => matches!(
            value,
            Value::Bool(_)
                | Value::Int(_)
                | Value::Long(_)
                | Value::Double(_)
                | Value::Char(_)
                | Value::Number(_)
                | Value::DateTime(_)
                | Value::TimeSpan(_)
                | Value::Guid(_)
                | Value::Enum(_)
        ),
        "System.Enum" => matches!(value, Value::Enum(_)),
        "System.Array" => match value {
            Value::Array(_) => true,
            Value::List(list) => matches!(list.kind, crate::value::ListKind::TypedArray(_)),
            _ => false,
        },
        "System.Collections.IEnumerable" => matches!(value, Value::Array(_) | Value::List(_) | Value::Hash(_) | Value::Str(_)),
        "System.Collections.ICollection" => matches!(value, Value::Array(_) | Value::List(_) | Value::Hash(_)),
        "System.Collections.IList" => matches!(value, Value::Array(_) | Value::List(_)),
        "System.Collections.IDictionary" => matches!(value, Value::Hash(_)),
        "System.Collections.Hashtable" => {
            matches!(value, Value::Hash(table) if table.read().is_ok_and(|t| t.generic.is_none() && !t.ordered))
        }
        "System.Type" => matches!(value, Value::Type(_)),
        "System.Attribute" => matches!(value, Value::Object(object) if object.class().is_some_and(|class| class.ends_with("Attribute"))),
        "System.IComparable" => matches!(
            value,
            Value::Str(_) | Value::Int(_) | Value::Long(_) | Value::Double(_) | Value::DateTime(_) | Value::TimeSpan(_) | Value::Version(_)
        ),
        "System.Management.Automation.SwitchParameter" => false,
        target => match value {
            Value::Object(object) => object.is_type(target),
            value => type_name(value).eq_ignore_ascii_case(target),
        },
    }
}

/// The short name of a type, `String[]` of `System.String[]`, `List`1` of `System.Collections.Generic.List`1[System.String]`.
pub fn short_name(full: &str) -> String {
    let class = match generic(full) {
        Some((class, parameters)) => format!("{class}`{}", parameters.len()),
        None => full.to_string(),
    };
    class.rsplit('.').next().unwrap_or(&class).into()
}

/// A type as text, as PowerShell converts it: accelerators stand for their types, parameters in brackets.
pub fn type_literal_text(full: &str) -> String {
    // Several accelerators of one type: the one that PowerShell prints.
    const PREFERRED: [(&str, &str); 7] = [
        ("System.Int32", "int"),
        ("System.Int64", "long"),
        ("System.Single", "float"),
        ("System.UInt32", "uint"),
        ("System.Int16", "short"),
        ("System.UInt16", "ushort"),
        ("System.UInt64", "ulong"),
    ];
    const PLAIN: [&str; 8] = ["string", "bool", "double", "datetime", "byte", "char", "decimal", "sbyte"];
    if let Some(element) = full.strip_suffix("[]") {
        return format!("{}[]", type_literal_text(element));
    }
    if let Some((class, parameters)) = generic(full) {
        return format!("{class}[{}]", parameters.iter().map(|p| type_literal_text(p)).collect::<Vec<_>>().join(","));
    }
    if let Some((_, short)) = PREFERRED.iter().find(|(name, _)| *name == full) {
        return (*short).into();
    }
    match SHORT.iter().find(|(short, name)| *name == full && PLAIN.contains(short)) {
        Some((short, _)) => (*short).into(),
        None => full.into(),
    }
}
