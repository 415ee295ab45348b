//! What a translation works with: the fabric, the bound parameters, and the streams.

use std::sync::Arc;

use firedrill_fabric::messages::Message;
use firedrill_fabric::operation::Channel;
use firedrill_fabric::{Caller, Configuration, Fabric, Operation, OperationError, OperationReport, SimDuration, SimTime};
use firedrill_powershell::command::{BoundParameters, CommandError, Invocation};
use firedrill_powershell::value::{DateTime, EnumValue, Number, TimeSpan};
use firedrill_powershell::{CommandInfo, Value};
use firedrill_topology::{ComputerId, EdgePoolId, PoolId, SiteId, SqlId, Topology};

use crate::shell::{Operator, ShellState};
use crate::signatures::Binding;
use crate::texts::{fill, text};

/// How a translation ends: non-terminating errors have been written, `Err` ends the statement.
pub(crate) type Done = Result<(), Box<CommandError>>;

/// One run of one command.
pub(crate) struct Cx<'a> {
    pub(crate) fabric: &'a mut Fabric,
    pub(crate) topology: Arc<Topology>,
    /// The computer whose shell runs the command.
    pub(crate) here: ComputerId,
    pub(crate) state: &'a mut ShellState,
    /// Who sits at the console, if anybody does.
    pub(crate) operator: Option<&'a mut dyn Operator>,
    pub(crate) command: &'a CommandInfo,
    pub(crate) parameters: &'a BoundParameters,
    pub(crate) io: &'a mut dyn Invocation,
    /// Warnings written so far, for the closing line of the deployment cmdlets.
    pub(crate) warnings: u32,
}

/// An error of a command.
pub(crate) fn failure(message: impl Into<Arc<str>>, id: &str, category: &str, exception: &str, target: Value) -> Box<CommandError> {
    Box::new(CommandError {
        message: message.into(),
        id: id.into(),
        category: category.into(),
        exception_types: vec![exception.into()],
        target,
    })
}

/// An operation of the fabric that was refused or failed, as an error of the command.
pub(crate) fn refusal(error: &OperationError) -> Box<CommandError> {
    let target = if error.target.is_empty() { Value::Null } else { Value::str(error.target.as_str()) };
    // The first half of the error id is the product's where a source prints it.
    let id = Message::find(error.id).map_or(error.id, |message| message.entry().fqid);
    failure(error.message.as_str(), id, error.category, error.exception, target)
}

/// A virtual instant as scripts see it.
pub(crate) fn date(at: SimTime) -> Value {
    Value::DateTime(DateTime::from_nanoseconds(at.0))
}

/// A virtual length as scripts see it.
pub(crate) fn span(length: SimDuration) -> Value {
    Value::TimeSpan(TimeSpan::from_nanoseconds(length.0))
}

/// A member of an enumeration.
pub(crate) fn member(type_name: &str, name: &str, number: i64) -> Value {
    Value::Enum(Arc::new(EnumValue { type_name: type_name.into(), name: name.into(), number }))
}

/// A list of texts.
pub(crate) fn texts<T: Into<Arc<str>>>(items: impl IntoIterator<Item = T>) -> Value {
    Value::array(items.into_iter().map(Value::str).collect())
}

/// Whole numbers as `Int32` where they fit.
pub(crate) fn number(value: impl Into<i64>) -> Value {
    let wide = value.into();
    i32::try_from(wide).map_or(Value::Long(wide), Value::Int)
}

/// A whole number of any width.
pub(crate) fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(i64::from(*value)),
        Value::Long(value) => Some(*value),
        Value::Number(number) => match *number {
            Number::SByte(value) => Some(i64::from(value)),
            Number::Byte(value) => Some(i64::from(value)),
            Number::Int16(value) => Some(i64::from(value)),
            Number::UInt16(value) => Some(i64::from(value)),
            Number::UInt32(value) => Some(i64::from(value)),
            Number::UInt64(value) => i64::try_from(value).ok(),
            Number::Single(_) | Number::Decimal(_) => None,
        },
        _ => None,
    }
}

/// Text, or the string form of an object that has one of its own.
pub(crate) fn as_text(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Str(text) => Some(text.clone()),
        Value::Enum(member) => Some(member.name.clone()),
        Value::Object(object) => object.text.clone(),
        _ => None,
    }
}

/// The part of an identity behind its prefix: `pool1.contoso.com` of `Registrar:pool1.contoso.com`. Any of the given
/// prefixes may stand there; `Service:` may stand before them.
pub(crate) fn strip_identity<'t>(identity: &'t str, prefixes: &[&str]) -> &'t str {
    let mut rest = identity;
    for prefix in std::iter::once(&"Service").chain(prefixes) {
        if let Some((head, tail)) = rest.split_once(':')
            && head.eq_ignore_ascii_case(prefix)
        {
            rest = tail;
        }
    }
    rest
}

/// `*` and `?` as in PowerShell's `-like`, without regard to case.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().flat_map(char::to_lowercase).collect();
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

impl Cx<'_> {
    /// The session's caller.
    pub(crate) fn caller(&self) -> Caller {
        Caller { computer: self.here }
    }

    /// Whether procedure spellings are refused.
    pub(crate) fn strict(&self) -> bool {
        self.state.binding == Binding::Strict
    }

    // Parameters.

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.parameters.get(name).filter(|value| !matches!(value, Value::Null))
    }

    pub(crate) fn given(&self, name: &str) -> bool {
        self.parameters.get(name).is_some()
    }

    pub(crate) fn text(&self, name: &str) -> Option<Arc<str>> {
        self.parameters.text(name)
    }

    pub(crate) fn switch(&self, name: &str) -> bool {
        self.parameters.switch(name)
    }

    /// A Boolean parameter, if it was given.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        as_integer(self.get(name)?)
    }

    pub(crate) fn duration(&self, name: &str) -> Option<SimDuration> {
        match self.get(name)? {
            Value::TimeSpan(value) => Some(SimDuration(value.nanoseconds())),
            _ => None,
        }
    }

    /// A list of texts; a scalar counts as a list of one.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<Arc<str>>> {
        let value = self.get(name)?;
        Some(match value.items() {
            Some(items) => items.iter().filter_map(as_text).collect(),
            None => as_text(value).into_iter().collect(),
        })
    }

    // Names of the topology.

    /// The Front End pool that a mandatory parameter names.
    pub(crate) fn pool(&self, parameter: &str) -> Result<PoolId, Box<CommandError>> {
        let name = self.text(parameter).unwrap_or_default();
        self.find_pool(&name, &name)
    }

    /// The pool of an identity, `Registrar:pool1.contoso.com`, with or without prefixes.
    pub(crate) fn pool_named(&self, name: &str) -> Result<PoolId, Box<CommandError>> {
        self.find_pool(strip_identity(name, &["Registrar", "UserServer"]), name)
    }

    fn find_pool(&self, fqdn: &str, name: &str) -> Result<PoolId, Box<CommandError>> {
        self.topology.find_pool(fqdn).ok_or_else(|| {
            failure(
                fill(text::NOT_A_POOL, &[name]),
                "PoolNotFound",
                "ObjectNotFound",
                "Microsoft.Rtc.Management.ManagementException",
                Value::str(name),
            )
        })
    }

    pub(crate) fn computer_named(&self, name: &str) -> Result<ComputerId, Box<CommandError>> {
        self.topology.find_computer(name).ok_or_else(|| {
            failure(
                fill(text::NOT_A_COMPUTER, &[name]),
                "ComputerNotFound",
                "ObjectNotFound",
                "Microsoft.Rtc.Management.ManagementException",
                Value::str(name),
            )
        })
    }

    /// The computer that `-ComputerName` names; the session's own when it was not given.
    pub(crate) fn computer(&self, parameter: &str) -> Result<ComputerId, Box<CommandError>> {
        match self.text(parameter) {
            None => Ok(self.here),
            Some(name) if name.eq_ignore_ascii_case("localhost") || &*name == "." => Ok(self.here),
            Some(name) => self.computer_named(&name),
        }
    }

    pub(crate) fn not_found(&self, kind: &str, name: &str) -> Box<CommandError> {
        failure(
            fill(text::OBJECT_NOT_FOUND, &[kind, name]),
            "ObjectNotFound",
            "ObjectNotFound",
            "Microsoft.Rtc.Management.ManagementException",
            Value::str(name),
        )
    }

    pub(crate) fn pool_fqdn(&self, pool: PoolId) -> &str {
        &self.topology.pool(pool).fqdn
    }

    pub(crate) fn edge_fqdn(&self, edge: EdgePoolId) -> &str {
        &self.topology.edge_pool(edge).fqdn
    }

    pub(crate) fn computer_fqdn(&self, computer: ComputerId) -> &str {
        &self.topology.computer(computer).fqdn
    }

    pub(crate) fn site_identity(&self, site: SiteId) -> String {
        format!("Site:{}", self.topology.site(site).name)
    }

    pub(crate) fn sql_fqdn(&self, sql: SqlId) -> &str {
        self.computer_fqdn(self.topology.sql(sql).computer)
    }

    // The fabric.

    /// The configuration as the command may read it: the replica with `-LocalStore`, else the active store (dossier D.9).
    pub(crate) fn store(&self) -> Result<Arc<Configuration>, Box<CommandError>> {
        if self.switch("LocalStore") {
            return Ok(self.fabric.local_store(self.here));
        }
        self.fabric.central_store(self.here).map_err(|error| refusal(&error))
    }

    /// Edits the active store.
    pub(crate) fn edit(&mut self, edit: impl FnOnce(&mut Configuration) -> Result<(), OperationError>) -> Done {
        let caller = self.caller();
        self.fabric.edit_configuration(caller, edit).map_err(|error| refusal(&error))
    }

    /// Runs an operation to its end; what it said goes to the streams.
    pub(crate) fn perform(&mut self, operation: Operation) -> Result<OperationReport, Box<CommandError>> {
        let caller = self.caller();
        let report = match self.fabric.perform(operation, caller) {
            Ok(report) => report,
            Err(limit) => {
                self.state.limit = Some(limit.clone());
                return Err(failure(
                    fill(text::LIMIT, &[&limit.to_string()]),
                    "FiredrillLimit",
                    "LimitsExceeded",
                    "System.TimeoutException",
                    Value::Null,
                ));
            }
        };
        for (_, channel, message) in &report.messages {
            match channel {
                Channel::Verbose => self.io.verbose(message),
                Channel::Warning => self.warning(message),
                Channel::Host => self.io.host(message),
            }
        }
        match &report.outcome {
            Ok(()) => Ok(report),
            Err(error) => Err(refusal(error)),
        }
    }

    /// Refuses when Active Directory does not answer.
    pub(crate) fn need_directory(&self) -> Done {
        if self.fabric.directory_up() {
            return Ok(());
        }
        let domain = self.topology.ad_domain.as_str();
        Err(refusal(&Message::DirectoryUnreachable.error(&[domain], domain)))
    }

    // The streams.

    pub(crate) fn output(&mut self, value: impl Into<Value>) {
        self.io.output(value.into());
    }

    pub(crate) fn warning(&mut self, message: &str) {
        self.warnings += 1;
        self.io.warning(message);
    }

    /// Writes a non-terminating error.
    #[allow(clippy::boxed_local, reason = "what failed steps return")]
    pub(crate) fn error(&mut self, error: Box<CommandError>) {
        self.io.error(*error);
    }

    /// Asks whether to go on with what the command does by its nature: `What if: Performing the operation "Verb-Noun"
    /// on target "…".`
    pub(crate) fn proceed(&mut self, target: &str) -> Result<bool, Box<CommandError>> {
        let action = self.command.name.clone();
        self.proceed_with(target, &action)
    }

    /// Asks whether to go on with an action of the command's own wording.
    pub(crate) fn proceed_with(&mut self, target: &str, action: &str) -> Result<bool, Box<CommandError>> {
        let (state, operator) = (&mut *self.state, &mut self.operator);
        self.io.should_process(target, action, &mut |prompt| {
            state.answer(prompt, operator.as_deref_mut().map(|operator| operator as &mut dyn Operator))
        })
    }

    /// A value of a parameter that the model does not know what to do with.
    pub(crate) fn unmodelled(&mut self, parameter: &str, value: &str) {
        let what = format!("{} -{parameter} {value}", self.command.name);
        self.io.unmodelled(&what);
    }
}
