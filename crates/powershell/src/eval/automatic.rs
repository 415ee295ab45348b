//! Reading variables, automatic ones included.

use std::sync::Arc;

use super::{Evaluator, ScopeKind, Variable};
use crate::ast::VariablePath;
use crate::error::Flow;
use crate::source::Span;
use crate::value::{PsObject, Value};

/// What a session starts with: name, value, and whether it is read-only.
pub(crate) fn initial(global: &super::Scope, errors: &crate::value::ArrayRef) {
    let text = |s: &str| Value::str(s);
    let action = |a: super::Action| a.value();
    let confirm = |name: &str, number: i64| {
        Value::Enum(Arc::new(crate::value::EnumValue {
            type_name: "System.Management.Automation.ConfirmImpact".into(),
            name: name.into(),
            number,
        }))
    };
    let table: Vec<(&str, Value, bool)> = vec![
        ("true", Value::Bool(true), true),
        ("false", Value::Bool(false), true),
        ("null", Value::Null, true),
        ("ErrorActionPreference", action(super::Action::Continue), false),
        ("WarningPreference", action(super::Action::Continue), false),
        ("VerbosePreference", action(super::Action::SilentlyContinue), false),
        ("DebugPreference", action(super::Action::SilentlyContinue), false),
        ("InformationPreference", action(super::Action::SilentlyContinue), false),
        ("ProgressPreference", action(super::Action::Continue), false),
        ("ConfirmPreference", confirm("High", 3), false),
        ("WhatIfPreference", Value::Bool(false), false),
        ("OutputEncoding", text("us-ascii"), false),
        ("FormatEnumerationLimit", Value::Int(4), false),
        ("MaximumErrorCount", Value::Int(256), false),
        ("NestedPromptLevel", Value::Int(0), false),
        ("HOME", text("C:\\Users\\Administrator"), true),
        ("PROFILE", text("C:\\Users\\Administrator\\Documents\\WindowsPowerShell\\Microsoft.PowerShell_profile.ps1"), false),
        ("PSHOME", text("C:\\Windows\\System32\\WindowsPowerShell\\v1.0"), true),
        ("PID", Value::Int(4242), true),
        ("PSCulture", text("en-US"), true),
        ("PSUICulture", text("en-US"), true),
        ("ShellId", text("Microsoft.PowerShell"), true),
        ("ErrorView", text("NormalView"), false),
    ];
    for (name, value, constant) in table {
        let mut variable = Variable::new(name, value);
        variable.constant = constant;
        global.set(&name.to_lowercase(), variable);
    }
    global.set("error", Variable { constant: true, ..Variable::new("Error", Value::Array(errors.clone())) });
    let version = Value::hashtable(
        true,
        [
            ("PSVersion", Value::Version([5, 1, 17763, 1])),
            ("PSEdition", text("Desktop")),
            ("BuildVersion", Value::Version([10, 0, 17763, 1])),
            ("CLRVersion", Value::Version([4, 0, 30319, 42000])),
            ("WSManStackVersion", Value::Version([3, 0, -1, -1])),
            ("PSRemotingProtocolVersion", Value::Version([2, 3, -1, -1])),
            ("SerializationVersion", Value::Version([1, 1, 0, 1])),
        ]
        .map(|(k, v)| (Arc::from(k), v)),
    );
    global.set("psversiontable", Variable { constant: true, ..Variable::new("PSVersionTable", version) });
}

impl Evaluator<'_> {
    /// The value of a variable and whether there is none at all.
    pub(crate) fn variable_value(&mut self, path: &VariablePath, _: Span) -> Result<(Value, bool), Flow> {
        let key = &*path.key;
        match path.scope.as_deref() {
            None => {}
            Some("env") => return Ok((self.environment(key), false)),
            Some("global") => return Ok(self.state.global.value(key).unwrap_or((Value::Null, false))),
            Some("script") => {
                let script = self.env.scope.nearest(ScopeKind::Script);
                return Ok(script.own(key).map_or((Value::Null, false), |v| (v.value, v.nothing)));
            }
            Some("local") => return Ok(self.env.scope.own(key).map_or((Value::Null, false), |v| (v.value, v.nothing))),
            Some("function") => {
                let function = self.env.scope.function(key);
                return Ok((function.map_or(Value::Null, |f| Value::Script(Arc::new(super::expressions::script_block(&f.body)))), false));
            }
            Some(number) if number.bytes().all(|b| b.is_ascii_digit()) => {
                let scope = self.env.scope.ancestor(number.parse().unwrap_or(0));
                return Ok(scope.value(key).unwrap_or((Value::Null, false)));
            }
            Some("variable" | "private" | "using") => {}
            Some(_) => return Ok((Value::Null, false)),
        }
        match key {
            "?" => return Ok((Value::Bool(self.ok), false)),
            "psitem" => return Ok(self.env.scope.value("_").unwrap_or((Value::Null, false))),
            _ => {}
        }
        if let Some(found) = self.env.scope.value(key) {
            return Ok(found);
        }
        if let Some(found) = self.computed(key) {
            return Ok((found, false));
        }
        self.check_defined(path)?;
        Ok((Value::Null, false))
    }

    /// Strict mode refuses variables that nobody set.
    pub(crate) fn check_defined(&mut self, path: &VariablePath) -> Result<(), Flow> {
        if self.env.scope.strict() == 0 || self.env.scope.find(&path.key).is_some() || self.computed(&path.key).is_some() {
            return Ok(());
        }
        let name = &path.name;
        Err(crate::error::ErrorRecord::runtime(
            format!("The variable '${name}' cannot be retrieved because it has not been set."),
            "VariableIsUndefined",
            "InvalidOperation",
        )
        .with_target(Value::str(name.clone()))
        .into())
    }

    fn environment(&mut self, key: &str) -> Value {
        if let Some(variable) = self.state.global.own(&format!("env:{key}")) {
            return variable.value;
        }
        let text = match key {
            "computername" => self.world.computer_name().split('.').next().unwrap_or_default().to_uppercase(),
            "userdnsdomain" | "userdomain" => {
                let name = self.world.full_computer_name();
                let domain = name.split_once('.').map_or("", |(_, domain)| domain);
                let part = if key == "userdomain" { domain.split('.').next().unwrap_or_default() } else { domain };
                part.to_uppercase()
            }
            "username" => "Administrator".to_owned(),
            "userprofile" => "C:\\Users\\Administrator".to_owned(),
            "temp" | "tmp" => "C:\\Users\\Administrator\\AppData\\Local\\Temp".to_owned(),
            "systemroot" | "windir" => "C:\\Windows".to_owned(),
            "systemdrive" => "C:".to_owned(),
            "programfiles" => "C:\\Program Files".to_owned(),
            "programdata" | "allusersprofile" => "C:\\ProgramData".to_owned(),
            "commonprogramfiles" => "C:\\Program Files\\Common Files".to_owned(),
            "public" => "C:\\Users\\Public".to_owned(),
            "processor_architecture" => "AMD64".to_owned(),
            "os" => "Windows_NT".to_owned(),
            "path" => "C:\\Windows\\system32;C:\\Windows;C:\\Windows\\System32\\Wbem;C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\".to_owned(),
            "pathext" => ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC;.CPL".to_owned(),
            "comspec" => "C:\\Windows\\system32\\cmd.exe".to_owned(),
            "homedrive" => "C:".to_owned(),
            "homepath" => "\\Users\\Administrator".to_owned(),
            "appdata" => "C:\\Users\\Administrator\\AppData\\Roaming".to_owned(),
            "localappdata" => "C:\\Users\\Administrator\\AppData\\Local".to_owned(),
            "number_of_processors" => "8".to_owned(),
            "psmodulepath" => "C:\\Users\\Administrator\\Documents\\WindowsPowerShell\\Modules;C:\\Program Files\\WindowsPowerShell\\Modules;C:\\Windows\\system32\\WindowsPowerShell\\v1.0\\Modules".to_owned(),
            _ => return Value::Null,
        };
        Value::str(text)
    }

    /// Variables that are computed when they are read.
    fn computed(&mut self, key: &str) -> Option<Value> {
        match key {
            "lastexitcode" => Some(self.state.last_exit_code.map_or(Value::Null, Value::Int)),
            "pwd" => Some(crate::builtins::path_info(&self.world.location())),
            "host" => Some(
                PsObject::new("System.Management.Automation.Internal.Host.InternalHost")
                    .with("Name", "ConsoleHost")
                    .with("Version", Value::Version([5, 1, 17763, 1]))
                    .with("CurrentCulture", "en-US")
                    .with("CurrentUICulture", "en-US")
                    .with("UI", PsObject::new(crate::types::host::USER_INTERFACE).with_text(crate::types::host::USER_INTERFACE))
                    .into(),
            ),
            "myinvocation" => Some(self.my_invocation()),
            "psboundparameters" => {
                let bound = self.env.frame.bound.values.clone();
                Some(Value::hashtable(true, bound))
            }
            "pscmdlet" => {
                let frame = self.env.frame.clone();
                frame.function.as_ref().filter(|f| f.advanced)?;
                let object = PsObject::new("System.Management.Automation.PSScriptCmdlet")
                    .with("ParameterSetName", frame.bound.set.clone())
                    .with("MyInvocation", self.my_invocation());
                Some(object.into())
            }
            "psscriptroot" => {
                let name = &self.env.frame.source.name;
                Some(Value::str(name.rsplit_once(['\\', '/']).map_or("", |(folder, _)| folder)))
            }
            "pscommandpath" => Some(Value::Str(self.env.frame.source.name.clone())),
            _ => None,
        }
    }

    fn my_invocation(&mut self) -> Value {
        let frame = self.env.frame.clone();
        let file = frame.source.name.rsplit(['\\', '/']).next().unwrap_or_default();
        let shown: Arc<str> = if frame.script { file.into() } else { frame.name.clone() };
        let kind = if frame.script { "ExternalScriptInfo" } else { "FunctionInfo" };
        let command = PsObject::new(format!("System.Management.Automation.{kind}"))
            .with("Name", shown.clone())
            .with("Path", frame.source.name.clone())
            .with("Definition", frame.source.text.clone())
            .with("CommandType", if frame.script { "ExternalScript" } else { "Function" })
            .with_text(shown.clone());
        let (line, column, text) = match &frame.position {
            Some(place) => {
                let (line, column) = place.line_column();
                (line, column, place.source.line(line).to_owned())
            }
            None => (0, 0, String::new()),
        };
        let number = |n: usize| Value::Int(i32::try_from(n).unwrap_or(i32::MAX));
        PsObject::new("System.Management.Automation.InvocationInfo")
            .with("MyCommand", Value::from(command))
            .with("InvocationName", frame.name.clone())
            .with("BoundParameters", Value::hashtable(true, frame.bound.values.clone()))
            .with(
                "UnboundArguments",
                Value::List(crate::value::List::new(crate::value::ListKind::Generic("System.Object".into()), frame.unbound.clone())),
            )
            .with("Line", text)
            .with("ScriptLineNumber", number(line))
            .with("OffsetInLine", number(column))
            .with("ScriptName", frame.source.name.clone())
            .with("PSCommandPath", frame.source.name.clone())
            .into()
    }

    /// Sets `$_` in the current scope; gives what was there.
    pub(crate) fn swap_underscore(&mut self, value: Option<Value>) -> Option<Option<Variable>> {
        let value = value?;
        let before = self.env.scope.own("_");
        self.env.scope.set("_", Variable::new("_", value));
        Some(before)
    }

    pub(crate) fn restore_underscore(&mut self, before: Option<Option<Variable>>) {
        match before {
            Some(Some(variable)) => self.env.scope.set("_", variable),
            Some(None) => {
                self.env.scope.remove("_");
            }
            None => {}
        }
    }
}
