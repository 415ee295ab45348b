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

/// Enumerations and their members.
const ENUMS: &[(&str, &[(&str, i64)])] = &[
    (
        "System.DayOfWeek",
        &[("Sunday", 0), ("Monday", 1), ("Tuesday", 2), ("Wednesday", 3), ("Thursday", 4), ("Friday", 5), ("Saturday", 6)],
    ),
    (
        "System.ConsoleColor",
        &[
            ("Black", 0),
            ("DarkBlue", 1),
            ("DarkGreen", 2),
            ("DarkCyan", 3),
            ("DarkRed", 4),
            ("DarkMagenta", 5),
            ("DarkYellow", 6),
            ("Gray", 7),
            ("DarkGray", 8),
            ("Blue", 9),
            ("Green", 10),
            ("Cyan", 11),
            ("Red", 12),
            ("Magenta", 13),
            ("Yellow", 14),
            ("White", 15),
        ],
    ),
    (
        "System.Management.Automation.ActionPreference",
        &[("SilentlyContinue", 0), ("Stop", 1), ("Continue", 2), ("Inquire", 3), ("Ignore", 4), ("Suspend", 5)],
    ),
    ("System.Management.Automation.ConfirmImpact", &[("None", 0), ("Low", 1), ("Medium", 2), ("High", 3)]),
    (
        "System.Management.Automation.ErrorCategory",
        &[
            ("NotSpecified", 0),
            ("OpenError", 1),
            ("CloseError", 2),
            ("DeviceError", 3),
            ("DeadlockDetected", 4),
            ("InvalidArgument", 5),
            ("InvalidData", 6),
            ("InvalidOperation", 7),
            ("InvalidResult", 8),
            ("InvalidType", 9),
            ("MetadataError", 10),
            ("NotImplemented", 11),
            ("NotInstalled", 12),
            ("ObjectNotFound", 13),
            ("OperationStopped", 14),
            ("OperationTimeout", 15),
            ("SyntaxError", 16),
            ("ParserError", 17),
            ("PermissionDenied", 18),
            ("ResourceBusy", 19),
            ("ResourceExists", 20),
            ("ResourceUnavailable", 21),
            ("ReadError", 22),
            ("WriteError", 23),
            ("FromStdErr", 24),
            ("SecurityError", 25),
            ("ProtocolError", 26),
            ("ConnectionError", 27),
            ("AuthenticationError", 28),
            ("LimitsExceeded", 29),
            ("QuotaExceeded", 30),
            ("NotEnabled", 31),
        ],
    ),
    (
        "System.Management.Automation.PSMemberTypes",
        &[
            ("AliasProperty", 1),
            ("CodeProperty", 2),
            ("Property", 4),
            ("NoteProperty", 8),
            ("ScriptProperty", 16),
            ("Properties", 31),
            ("PropertySet", 32),
            ("Method", 64),
            ("CodeMethod", 128),
            ("ScriptMethod", 256),
            ("Methods", 448),
            ("ParameterizedProperty", 512),
            ("MemberSet", 1024),
            ("Event", 2048),
            ("Dynamic", 4096),
            ("All", 8191),
        ],
    ),
    ("System.StringSplitOptions", &[("None", 0), ("RemoveEmptyEntries", 1)]),
    (
        "System.StringComparison",
        &[
            ("CurrentCulture", 0),
            ("CurrentCultureIgnoreCase", 1),
            ("InvariantCulture", 2),
            ("InvariantCultureIgnoreCase", 3),
            ("Ordinal", 4),
            ("OrdinalIgnoreCase", 5),
        ],
    ),
    ("System.DateTimeKind", &[("Unspecified", 0), ("Utc", 1), ("Local", 2)]),
    ("System.MidpointRounding", &[("ToEven", 0), ("AwayFromZero", 1)]),
    (
        "System.Text.RegularExpressions.RegexOptions",
        &[
            ("None", 0),
            ("IgnoreCase", 1),
            ("Multiline", 2),
            ("ExplicitCapture", 4),
            ("Compiled", 8),
            ("Singleline", 16),
            ("IgnorePatternWhitespace", 32),
            ("RightToLeft", 64),
            ("ECMAScript", 256),
            ("CultureInvariant", 512),
        ],
    ),
    ("System.Net.SecurityProtocolType", &[("SystemDefault", 0), ("Ssl3", 48), ("Tls", 192), ("Tls11", 768), ("Tls12", 3072)]),
    (
        "System.ServiceProcess.ServiceControllerStatus",
        &[
            ("Stopped", 1),
            ("StartPending", 2),
            ("StopPending", 3),
            ("Running", 4),
            ("ContinuePending", 5),
            ("PausePending", 6),
            ("Paused", 7),
        ],
    ),
    ("System.Security.Principal.WindowsBuiltInRole", &[("Administrator", 544), ("User", 545), ("Guest", 546)]),
];

/// Members of an enumeration by its full name.
pub fn enumeration(full: &str) -> Option<&'static [(&'static str, i64)]> {
    ENUMS.iter().find(|(name, _)| name.eq_ignore_ascii_case(full)).map(|(_, members)| *members)
}

/// Whether members of an enumeration are combined (`[Flags]`).
pub fn is_flags(full: &str) -> bool {
    ["System.Text.RegularExpressions.RegexOptions", "System.Net.SecurityProtocolType", "System.Management.Automation.PSMemberTypes"]
        .iter()
        .chain(&["System.Globalization.DateTimeStyles", "System.Globalization.NumberStyles", "System.IO.FileAttributes"])
        .any(|name| name.eq_ignore_ascii_case(full))
}

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
        let inner = inner.strip_suffix(']')?;
        let outer = outer.trim_end_matches("`1").trim_end_matches("`2").to_ascii_lowercase();
        return match outer.strip_prefix("system.").unwrap_or(&outer) {
            "collections.generic.list" => {
                let inner = inner.trim_start_matches('[').trim_end_matches(']');
                Some(format!("System.Collections.Generic.List`1[[{}]]", resolve(inner)?).into())
            }
            "collections.objectmodel.collection" => Some("System.Collections.Generic.List`1[[System.Object]]".into()),
            "nullable" => resolve(inner),
            "collections.generic.dictionary" => Some("System.Collections.Hashtable".into()),
            _ => None,
        };
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
        .chain(ENUMS.iter().map(|(full, _)| *full))
        .find(|full| with_system(full))
        .map(Arc::from)
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
        Value::Hash(table) => {
            let ordered = table.read().map(|t| t.ordered).unwrap_or_default();
            if ordered { "System.Collections.Specialized.OrderedDictionary" } else { "System.Collections.Hashtable" }.into()
        }
        Value::Script(_) => "System.Management.Automation.ScriptBlock".into(),
        Value::Type(_) => "System.RuntimeType".into(),
        Value::Enum(member) => member.type_name.clone(),
        Value::Error(_) => "System.Management.Automation.ErrorRecord".into(),
        Value::Object(object) => match object.type_names.first() {
            // `Select-Object` makes custom objects whose first type name only says where they came from.
            Some(name) if name.starts_with("Selected.") => "System.Management.Automation.PSCustomObject".into(),
            Some(name) => name.clone(),
            None => "System.Object".into(),
        },
    }
}

/// All type names of a value, most derived first.
pub fn type_names(value: &Value) -> Vec<Arc<str>> {
    match value {
        Value::Object(object) => object.type_names.clone(),
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
        "System.Type" => matches!(value, Value::Type(_)),
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

/// The short name of a type, `String[]` of `System.String[]`.
pub fn short_name(full: &str) -> String {
    if full.starts_with("System.Collections.Generic.List`1") {
        return "List`1".into();
    }
    full.rsplit('.').next().unwrap_or(full).into()
}

/// What a type literal is as text: accelerators keep their name out, `[int]` prints `int` when PowerShell writes literals but
/// its string form is the full name.
pub fn type_literal_text(full: &str) -> String {
    match SHORT.iter().find(|(_, name)| *name == full) {
        Some((short, _)) if ["int", "string", "bool", "long", "double", "datetime", "byte", "char", "float", "decimal"].contains(short) => {
            (*short).to_string()
        }
        _ => full.to_string(),
    }
}
