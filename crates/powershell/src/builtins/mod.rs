//! The built-in cmdlets.

mod aliases;
mod clixml;
mod data;
mod dates;
mod files;
mod filter;
mod formatting;
mod grouping;
mod help;
mod html;
mod jobs;
mod json;
mod members;
mod modules;
mod output;
mod properties;
mod remoting;
mod select;
mod session;
mod shell;
mod signature;
mod sorting;
mod table;
mod xml;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::command::{BoundParameters, CommandInfo};
use crate::error::{ErrorRecord, Flow};
use crate::pipeline::{Builtin, Context, Stage};
use crate::value::Value;

pub use files::decode_text;
pub use modules::is_known_module;
use shell::secure_string;
pub use table::{is_known, unmodelled_names};

/// The built-in of that name, without regard to case; aliases are not resolved here.
pub fn lookup(name: &str) -> Option<&'static Builtin> {
    index().get(&name.to_ascii_lowercase()).map(|at| &table::BUILTINS[*at].builtin)
}

fn index() -> &'static BTreeMap<String, usize> {
    static INDEX: OnceLock<BTreeMap<String, usize>> = OnceLock::new();
    INDEX.get_or_init(|| table::BUILTINS.iter().enumerate().map(|(at, entry)| (entry.name.to_ascii_lowercase(), at)).collect())
}

/// The signature of a built-in, built once.
pub fn info(name: &str) -> Option<Arc<CommandInfo>> {
    static INFOS: OnceLock<Vec<OnceLock<Arc<CommandInfo>>>> = OnceLock::new();
    let at = *index().get(&name.to_ascii_lowercase())?;
    let infos = INFOS.get_or_init(|| table::BUILTINS.iter().map(|_| OnceLock::new()).collect());
    Some(infos[at].get_or_init(|| Arc::new((table::BUILTINS[at].builtin.info)())).clone())
}

/// The signature of a built-in, built once.
pub fn info_of(builtin: &'static Builtin) -> Arc<CommandInfo> {
    let entry = table::BUILTINS.iter().find(|entry| std::ptr::eq(&entry.builtin, builtin));
    entry.and_then(|entry| info(entry.name)).unwrap_or_else(|| Arc::new((builtin.info)()))
}

/// What an alias stands for: `?` gives `Where-Object`.
pub fn alias(name: &str) -> Option<&'static str> {
    table::ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name)).map(|(_, full)| *full)
}

/// The built-in aliases with what they stand for.
pub fn aliases() -> impl Iterator<Item = (&'static str, &'static str)> {
    table::ALIASES.iter().copied()
}

/// A location as `Get-Location` and `$PWD` give it.
pub(crate) fn path_info(path: &str) -> Value {
    let drive: Value = if path.get(1..2) == Some(":") { Value::str(&path[..1]) } else { Value::Null };
    let object = crate::value::PsObject::new("System.Management.Automation.PathInfo")
        .with("Drive", drive)
        .with("Provider", "Microsoft.PowerShell.Core\\FileSystem")
        .with("ProviderPath", path)
        .with("Path", path)
        .with_text(path);
    crate::value::PsObject { default_view: vec!["Path".into()], ..object }.into()
}

/// Names of all built-ins, sorted.
pub fn names() -> Vec<Arc<str>> {
    let mut names: Vec<Arc<str>> = table::BUILTINS.iter().map(|entry| Arc::from(entry.name)).collect();
    names.sort();
    names
}

/// A command that works on one object at a time.
struct Each {
    parameters: BoundParameters,
    run: fn(&BoundParameters, Option<Value>, &mut dyn Context) -> Result<(), Flow>,
}

impl Stage for Each {
    fn process(&mut self, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
        (self.run)(&self.parameters, input, cx)
    }
}

/// A command with pipeline binding: the parameters of the current object are those that count.
struct Bound {
    run: fn(&BoundParameters, &mut dyn Context) -> Result<(), Flow>,
}

impl Stage for Bound {
    fn process(&mut self, _input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
        let parameters = cx.bound().clone();
        (self.run)(&parameters, cx)
    }
}

/// A command with pipeline binding that also looks at the object itself: script blocks as arguments see it as `$_`.
struct Piped {
    run: fn(&BoundParameters, Option<Value>, &mut dyn Context) -> Result<(), Flow>,
}

impl Stage for Piped {
    fn process(&mut self, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
        let parameters = cx.bound().clone();
        (self.run)(&parameters, input, cx)
    }
}

/// The text of a parameter that may be a script block over the pipeline object.
fn delayed_text(parameters: &BoundParameters, name: &str, input: Option<&Value>, cx: &mut dyn Context) -> Result<Option<Arc<str>>, Flow> {
    match (parameters.get(name), input) {
        (Some(Value::Script(block)), Some(input)) => {
            let value = properties::run(block, input, cx)?;
            Ok(Some(crate::convert::shared_text(&value)))
        }
        (Some(value), _) => Ok(Some(crate::convert::shared_text(value))),
        (None, _) => Ok(None),
    }
}

/// A command that needs all objects before it answers.
struct Collect {
    parameters: BoundParameters,
    items: Vec<Value>,
    finish: fn(&BoundParameters, Vec<Value>, &mut dyn Context) -> Result<(), Flow>,
}

impl Collect {
    fn boxed(
        parameters: BoundParameters,
        finish: fn(&BoundParameters, Vec<Value>, &mut dyn Context) -> Result<(), Flow>,
    ) -> Box<dyn Stage> {
        Box::new(Self { parameters, items: Vec::new(), finish })
    }
}

impl Stage for Collect {
    fn process(&mut self, input: Option<Value>, _cx: &mut dyn Context) -> Result<(), Flow> {
        match input {
            Some(value) => self.items.push(value),
            None => {
                if let Some(value) = self.parameters.get("InputObject") {
                    match value.items() {
                        Some(items) => self.items.extend(items),
                        None => self.items.push(value.clone()),
                    }
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, cx: &mut dyn Context) -> Result<(), Flow> {
        (self.finish)(&self.parameters, std::mem::take(&mut self.items), cx)
    }
}

/// The object that a stage works on: from the pipeline, or from `-InputObject`.
fn input_of(parameters: &BoundParameters, input: Option<Value>) -> Option<Value> {
    input.or_else(|| parameters.get("InputObject").cloned())
}

/// A whole number among the parameters.
fn number(parameters: &BoundParameters, name: &str) -> Option<i64> {
    match parameters.get(name)? {
        Value::Int(n) => Some(i64::from(*n)),
        Value::Long(n) => Some(*n),
        _ => None,
    }
}

/// The elements of a parameter that takes several.
fn list(parameters: &BoundParameters, name: &str) -> Vec<Value> {
    parameters.get(name).map(|v| v.items().unwrap_or_else(|| vec![v.clone()])).unwrap_or_default()
}

/// The texts of a parameter that takes several.
fn texts(parameters: &BoundParameters, name: &str) -> Vec<Arc<str>> {
    list(parameters, name).iter().map(crate::convert::shared_text).collect()
}

/// An error of a built-in.
fn error(message: impl Into<Arc<str>>, id: &str, category: &str, exception: &str) -> ErrorRecord {
    ErrorRecord::new(message, id, category, exception)
}
