//! `System.Environment`, `System.Threading.Thread`, `System.Globalization.CultureInfo` and what else tells about the computer that
//! runs a session.

use std::sync::Arc;

use super::call::{Call, Found, gives, void};
use crate::convert::shared_text;
use crate::error::Flow;
use crate::pipeline::{Context, VariableScope};
use crate::value::{PropertySource, PsObject, Value};

/// Who runs the session.
const USER: &str = "Administrator";

/// A variable of the environment.
fn variable(cx: &mut dyn Context, name: &str) -> Option<Arc<str>> {
    cx.variable(&format!("env:{name}")).filter(|v| !v.is_null()).map(|v| shared_text(&v))
}

/// The NetBIOS name of the domain.
pub(super) fn domain(cx: &mut dyn Context) -> String {
    variable(cx, "USERDOMAIN").map_or_else(String::new, |domain| domain.to_ascii_uppercase())
}

/// The full name of the computer that runs the session.
pub(super) fn full_name(cx: &mut dyn Context) -> String {
    cx.world().full_computer_name().to_string()
}

/// Constants of `[environment]`, `[Thread]` and `[cultureinfo]`.
pub(super) fn constant(full: &str, lower: &str, cx: &mut dyn Context) -> Option<Value> {
    Some(match (full, lower) {
        ("System.Environment", "newline") => Value::str("\r\n"),
        ("System.Environment", "machinename") => {
            let name = cx.world().computer_name();
            Value::str(name.split('.').next().unwrap_or(&name).to_ascii_uppercase())
        }
        ("System.Environment", "username") => Value::str(USER),
        ("System.Environment", "userdomainname") => Value::str(domain(cx)),
        ("System.Environment", "userinteractive" | "is64bitoperatingsystem" | "is64bitprocess") => Value::Bool(true),
        ("System.Environment", "hasshutdownstarted") => Value::Bool(false),
        ("System.Environment", "systemdirectory") => Value::str("C:\\Windows\\system32"),
        ("System.Environment", "currentdirectory") => Value::str("C:\\Users\\Administrator"),
        ("System.Globalization.CultureInfo", "invariantculture") => culture("")?,
        ("System.Globalization.CultureInfo", "currentculture" | "currentuiculture" | "installeduiculture") => culture("en-US")?,
        ("System.Threading.Thread", "currentthread") => {
            let culture = culture("en-US")?;
            PsObject::new("System.Threading.Thread").with("CurrentCulture", culture.clone()).with("CurrentUICulture", culture).into()
        }
        ("System.DBNull", "value") => PsObject::new("System.DBNull").with_text("").into(),
        ("System.IntPtr", "zero") => PsObject::new("System.IntPtr").with_text("0").into(),
        ("System.IntPtr", "size") => Value::Int(8),
        _ => return None,
    })
}

/// A culture; only the invariant one and the en-US of the servers are modelled.
pub(crate) fn culture(name: &str) -> Option<Value> {
    let (name, display, lcid) = match name.to_ascii_lowercase().as_str() {
        "" => ("", "Invariant Language (Invariant Country)", 127),
        "en-us" | "1033" => ("en-US", "English (United States)", 1033),
        _ => return None,
    };
    Some(
        PsObject::new("System.Globalization.CultureInfo")
            .with("LCID", lcid)
            .with("Name", name)
            .with("DisplayName", display)
            .with("EnglishName", display)
            .with("NativeName", display)
            .with("TwoLetterISOLanguageName", if name.is_empty() { "iv" } else { "en" })
            .with_text(name)
            .into(),
    )
}

/// Static members of `[environment]`, `[Thread]`, `[GC]`, `[cultureinfo]`.
pub(super) fn statics(call: &Call<'_>, cx: &mut dyn Context) -> Found {
    match (call.class, call.lower, call.count()) {
        ("System.Environment", "getenvironmentvariable", 1 | 2) => {
            let key = format!("env:{}", call.text(0));
            gives(cx.variable(&key).unwrap_or(Value::Null))
        }
        ("System.Environment", "setenvironmentvariable", 2 | 3) => {
            cx.set_variable(&format!("env:{}", call.text(0)), Value::Str(call.text(1)), VariableScope::Local)?;
            void()
        }
        ("System.Environment", "expandenvironmentvariables", 1) => gives(expand(&call.text(0), cx)),
        ("System.Environment", "getcommandlineargs", 0) => {
            let shell = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe";
            gives(Value::typed_array("System.String", vec![Value::str(shell)]))
        }
        ("System.Environment", "getfolderpath", 1) => match folder(&call.text(0)) {
            Some(path) => gives(path),
            None => Ok(None),
        },
        ("System.Environment", "exit", 1) => Err(Flow::Exit(i32::try_from(call.int(0, "exitCode")?).unwrap_or(0))),
        ("System.Threading.Thread", "sleep", 1) => {
            let nanoseconds = match call.value(0) {
                Value::TimeSpan(span) => span.nanoseconds(),
                _ => call.int(0, "millisecondsTimeout")?.saturating_mul(1_000_000),
            };
            if nanoseconds < 0 {
                let reason = "Number must be either non-negative and less than or equal to Int32.MaxValue or -1.\r\nParameter name: millisecondsTimeout";
                return Err(call.threw(reason, super::call::RANGE));
            }
            crate::limits::time(nanoseconds)?;
            cx.world().sleep(nanoseconds);
            void()
        }
        ("System.GC", "collect" | "waitforpendingfinalizers", _) => void(),
        ("System.Globalization.CultureInfo", "getcultureinfo" | "createspecificculture", 1) => match culture(&call.text(0)) {
            Some(culture) => gives(culture),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// `%NAME%` in text; names that nobody set stay.
fn expand(text: &str, cx: &mut dyn Context) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('%') {
        out.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        match after.find('%').and_then(|end| Some((end, cx.variable(&format!("env:{}", &after[..end]))?))) {
            Some((end, value)) => {
                out.push_str(&shared_text(&value));
                rest = &after[end + 1..];
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn folder(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "desktop" | "desktopdirectory" => "C:\\Users\\Administrator\\Desktop",
        "mydocuments" | "personal" => "C:\\Users\\Administrator\\Documents",
        "userprofile" => "C:\\Users\\Administrator",
        "applicationdata" => "C:\\Users\\Administrator\\AppData\\Roaming",
        "localapplicationdata" => "C:\\Users\\Administrator\\AppData\\Local",
        "commonapplicationdata" => "C:\\ProgramData",
        "programfiles" => "C:\\Program Files",
        "programfilesx86" => "C:\\Program Files (x86)",
        "commonprogramfiles" => "C:\\Program Files\\Common Files",
        "windows" => "C:\\Windows",
        "system" => "C:\\Windows\\system32",
        _ => return None,
    })
}

/// An assembly that a script loads: it is there, but nobody asks it anything that is modelled.
#[derive(Debug)]
struct Assembly;

impl PropertySource for Assembly {
    fn names(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn get(&self, _: &str) -> Option<Value> {
        None
    }

    fn unmodelled(&self, name: &str) -> Option<String> {
        Some(format!("Assembly.{name}"))
    }
}

/// `[Reflection.Assembly]::LoadWithPartialName(…)` and its like.
pub(super) fn assembly_statics(call: &Call<'_>, cx: &mut dyn Context) -> Found {
    match (call.lower, call.count()) {
        ("loadwithpartialname" | "load", 1) => {
            let name = call.text(0);
            cx.remark(&format!("the assembly {name} is taken to be loaded"));
            let mut object = PsObject::new("System.Reflection.RuntimeAssembly").with_text(name);
            object.source = Some(Arc::new(Assembly));
            gives(object)
        }
        _ => Ok(None),
    }
}
