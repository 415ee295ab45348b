//! `Invoke-Command`, remote sessions, `Import-PSSession`, `Enter-PSSession`.
//!
//! Several computers are asked one after another: the model has one clock, and what a block does there takes time.

use std::sync::Arc;

use super::{error, list, number, texts};
use crate::command::{BoundParameters, ModuleInfo, RemoteTarget};
use crate::convert::shared_text;
use crate::desk::{Imported, RemoteSession};
use crate::error::{ErrorRecord, Flow};
use crate::eval::like;
use crate::pipeline::{BlockCall, BlockScope, Context, RemoteCall};
use crate::value::{PsObject, ScriptBlock, Value};

/// Where the parameters say that something is to run.
fn targets(parameters: &BoundParameters) -> Vec<RemoteTarget> {
    let port = number(parameters, "Port").and_then(|port| u16::try_from(port).ok());
    let ssl = parameters.switch("UseSSL");
    let target = |name: Arc<str>, by_uri: bool| RemoteTarget { name, by_uri, port, ssl };
    let mut all: Vec<RemoteTarget> = texts(parameters, "ConnectionUri").into_iter().map(|uri| target(uri, true)).collect();
    all.extend(texts(parameters, "ComputerName").into_iter().map(|name| target(name, false)));
    all
}

/// Tries to reach a computer; the error is what the cmdlet prints, with the given half of its id.
fn probe(target: &RemoteTarget, second: &str, cx: &mut dyn Context) -> Result<Arc<str>, ErrorRecord> {
    match cx.world().enter(target) {
        Ok(computer) => {
            cx.world().leave();
            Ok(computer)
        }
        Err(error) => {
            let mut record = ErrorRecord::from(*error);
            record.id = format!("{},{second}", record.id).into();
            record.decorated = true;
            if record.target.is_null() {
                record.target = Value::Str(target.name.clone());
            }
            Err(record)
        }
    }
}

fn session_object(id: i64, session: &RemoteSession, state: &str) -> Value {
    let object = PsObject::new("System.Management.Automation.Runspaces.PSSession")
        .with("ConfigurationName", session.configuration.clone())
        .with("State", state)
        .with("Id", i32::try_from(id).unwrap_or(i32::MAX))
        .with("ComputerName", session.computer.clone())
        .with("ComputerType", "RemoteMachine")
        .with("InstanceId", Value::Guid(session.instance))
        .with("Name", session.name.clone())
        .with("Availability", if state == "Opened" { "Available" } else { "None" })
        .with_text(format!("[PSSession]{}", session.name));
    let view = ["Id", "Name", "ComputerName", "ComputerType", "State", "ConfigurationName", "Availability"];
    PsObject { default_view: view.iter().map(|n| Arc::from(*n)).collect(), ..object }.into()
}

/// The name that a session shows for its computer.
fn shown_name(target: &RemoteTarget) -> Arc<str> {
    if !target.by_uri {
        return target.name.clone();
    }
    let rest = target.name.split_once("://").map_or(&*target.name, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or(rest).into()
}

/// `New-PSSession`.
pub(super) fn new_session(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let mut wanted = targets(parameters);
    if wanted.is_empty() {
        wanted.push(RemoteTarget { name: "localhost".into(), by_uri: false, port: None, ssl: false });
    }
    let names = texts(parameters, "Name");
    for (at, target) in wanted.into_iter().enumerate() {
        if let Err(record) = probe(&target, "PSSessionOpenFailed", cx) {
            cx.write_error(record)?;
            continue;
        }
        let instance = cx.world().guid();
        let configuration = parameters.text("ConfigurationName").unwrap_or_else(|| "Microsoft.PowerShell".into());
        let computer = shown_name(&target);
        let scope = crate::eval::fresh_scope();
        let desk = cx.desk();
        let id = desk.next_session();
        let name = names.get(at).cloned().unwrap_or_else(|| format!("Session{id}").into());
        let session = RemoteSession { target, name, computer, configuration, instance, scope };
        desk.sessions.insert(id, session.clone());
        cx.emit(session_object(id, &session, "Opened"))?;
    }
    Ok(())
}

/// The ids of sessions that the parameters name.
fn sessions_named(parameters: &BoundParameters, cx: &mut dyn Context) -> Vec<i64> {
    let mut ids: Vec<i64> = list(parameters, "Session").iter().filter_map(session_id).collect();
    ids.extend(list(parameters, "Id").iter().filter_map(|v| if let Value::Int(n) = v { Some(i64::from(*n)) } else { None }));
    let (names, computers) = (texts(parameters, "Name"), texts(parameters, "ComputerName"));
    for (id, session) in &cx.desk().sessions {
        let hit = names.iter().any(|n| like(&session.name, n, false)) || computers.iter().any(|c| like(&session.computer, c, false));
        if hit && !ids.contains(id) {
            ids.push(*id);
        }
    }
    ids
}

fn session_id(value: &Value) -> Option<i64> {
    match value {
        Value::Object(object) => match object.get("Id")? {
            Value::Int(id) => Some(i64::from(id)),
            _ => None,
        },
        _ => None,
    }
}

/// `Get-PSSession`.
pub(super) fn get_session(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let all = ["Session", "Id", "Name", "ComputerName"].iter().all(|name| parameters.get(name).is_none());
    let ids: Vec<i64> = if all { cx.desk().sessions.keys().copied().collect() } else { sessions_named(parameters, cx) };
    for id in ids {
        let Some(session) = cx.desk().sessions.get(&id).cloned() else {
            cx.write_error(no_session(&format!("The session ID {id} is not valid.")))?;
            continue;
        };
        let state = if probe(&session.target, "", cx).is_ok() { "Opened" } else { "Broken" };
        cx.emit(session_object(id, &session, state))?;
    }
    Ok(())
}

fn no_session(message: &str) -> ErrorRecord {
    error(message, "InvalidSession", "InvalidArgument", "System.Management.Automation.PSArgumentException")
}

/// `Remove-PSSession`.
pub(super) fn remove_session(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for id in sessions_named(parameters, cx) {
        let Some(name) = cx.desk().sessions.get(&id).map(|session| session.name.clone()) else { continue };
        if cx.should_process(&format!("[PSSession]{name}"), "Remove")? {
            let desk = cx.desk();
            desk.sessions.remove(&id);
            if desk.entered == Some(id) {
                desk.entered = None;
            }
        }
    }
    Ok(())
}

/// The one session that a parameter or the parameters for a connection mean; a new one for a connection.
fn one_session(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<Option<i64>, Flow> {
    if let Some(id) = sessions_named(parameters, cx).first() {
        return Ok(Some(*id));
    }
    let Some(target) = targets(parameters).into_iter().next() else { return Ok(None) };
    if let Err(record) = probe(&target, "CreateRemoteRunspaceFailed", cx) {
        return Err(record.into());
    }
    let (instance, computer) = (cx.world().guid(), shown_name(&target));
    let scope = crate::eval::fresh_scope();
    let desk = cx.desk();
    let id = desk.next_session();
    let session = RemoteSession {
        target,
        name: format!("Session{id}").into(),
        computer,
        configuration: "Microsoft.PowerShell".into(),
        instance,
        scope,
    };
    desk.sessions.insert(id, session);
    Ok(Some(id))
}

/// `Enter-PSSession`: the lines that follow at the console run there.
pub(super) fn enter_session(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    match one_session(parameters, cx)? {
        Some(id) => cx.desk().entered = Some(id),
        None => return Err(no_session("The remote session with the specified name or id was not found.").into()),
    }
    Ok(())
}

/// `Exit-PSSession`.
pub(super) fn exit_session(_: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    cx.desk().entered = None;
    Ok(())
}

/// `Import-PSSession`: commands of the other computer under their own names, or with a prefix.
pub(super) fn import_session(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let Some(id) = list(parameters, "Session").iter().find_map(session_id) else {
        return Err(no_session("Cannot bind parameter 'Session'.").into());
    };
    let Some(session) = cx.desk().sessions.get(&id).cloned() else {
        return Err(no_session("The session that was passed to the command is closed.").into());
    };
    if let Err(record) = probe(&session.target, "PSSessionStateBroken", cx) {
        return Err(record.into());
    }
    let patterns = texts(parameters, "CommandName");
    let modules = texts(parameters, "Module");
    let prefix = parameters.text("Prefix").unwrap_or_else(|| "".into());
    let clobber = parameters.switch("AllowClobber");
    if cx.world().enter(&session.target).is_err() {
        return Ok(());
    }
    let names = cx.world().names();
    cx.world().leave();
    let loaded = cx.desk().modules.clone();
    let mut count = 0;
    let mut shadowed = 0;
    for name in names {
        let Some(info) = cx.command_info(&name) else { continue };
        let wanted = (patterns.is_empty() || patterns.iter().any(|p| like(&name, p, false)))
            && (modules.is_empty() || modules.iter().any(|m| like(&info.module, m, false)));
        if !wanted {
            continue;
        }
        let local = match name.split_once('-') {
            Some((verb, noun)) if !prefix.is_empty() => format!("{verb}-{prefix}{noun}"),
            _ => name.to_string(),
        };
        if prefix.is_empty() && !clobber && loaded.iter().any(|m| m.eq_ignore_ascii_case(&info.module)) {
            shadowed += 1;
            continue;
        }
        cx.desk().imported.insert(local.to_lowercase(), Imported { name, session: id });
        count += 1;
    }
    if shadowed > 0 {
        cx.warning(&format!(
            "Proxy creation has been skipped for {shadowed} commands, because they would shadow existing local commands.  Use the AllowClobber \
             parameter if you want to shadow existing local commands."
        ))?;
    }
    // The name of the temporary module is a random file name in PowerShell.
    let instance = format!("{:032x}", session.instance);
    let name = format!("tmp_{}.{}", &instance[..8], &instance[8..11]);
    cx.verbose(&format!("{count} commands of {} are imported.", session.target.name))?;
    let module = ModuleInfo {
        name: name.into(),
        version: [1, 0, -1, -1],
        kind: "Script",
        description: format!("Implicit remoting for {}", session.target.name).into(),
    };
    cx.desk().proxies.push(module.clone());
    cx.emit(super::modules::module_object(&module))
}

/// `New-PSSessionOption`.
pub(super) fn session_option(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let object = PsObject::new("System.Management.Automation.Remoting.PSSessionOption");
    for name in ["SkipCACheck", "SkipCNCheck", "SkipRevocationCheck", "NoCompression", "NoMachineProfile"] {
        object.set(name, parameters.switch(name));
    }
    cx.emit(object.into())
}

/// The script block to run: `-ScriptBlock`, or a script of this computer.
fn block_of(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<Option<Arc<ScriptBlock>>, Flow> {
    if let Some(Value::Script(block)) = parameters.get("ScriptBlock") {
        return Ok(Some(block.clone()));
    }
    let Some(path) = parameters.text("FilePath") else { return Ok(None) };
    let Some(content) = super::files::read(&path, cx) else {
        return Err(super::files::not_found(&path, cx).into());
    };
    let text = super::decode_text(&content);
    let source = Arc::new(crate::source::Source::new(super::files::full(&path, cx), text.as_str()));
    let (ast, errors) = crate::parse::parse(&source);
    if let Some(problem) = errors.into_iter().next() {
        return Err(error(problem.message, problem.id, "ParserError", "System.Management.Automation.ParseException").into());
    }
    Ok(Some(Arc::new(ScriptBlock { ast: Arc::new(ast), text: text.into(), closure: None })))
}

/// `Invoke-Command`.
pub(super) fn invoke_command(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let Some(block) = block_of(parameters, cx)? else { return Ok(()) };
    let arguments = list(parameters, "ArgumentList");
    let sessions: Vec<(i64, RemoteSession)> = {
        let mut found = Vec::new();
        for value in list(parameters, "Session") {
            match session_id(&value).and_then(|id| cx.desk().sessions.get(&id).cloned().map(|session| (id, session))) {
                Some(session) => found.push(session),
                None => cx.write_error(no_session(
                    "Because the session state for the session is Closed, the command cannot be run. The session must be in the Opened state.",
                ))?,
            }
        }
        found
    };
    let computers = targets(parameters);
    let remote = !computers.is_empty() || parameters.get("Session").is_some();
    if !remote {
        let scope = if parameters.switch("NoNewScope") { BlockScope::Current } else { BlockScope::Child };
        return cx.run_block(BlockCall { block: &block, underscore: None, arguments, scope });
    }
    let runs: Vec<(RemoteTarget, Option<i64>)> = computers
        .into_iter()
        .map(|target| (target, None))
        .chain(sessions.into_iter().map(|(id, session)| (session.target, Some(id))))
        .collect();
    if runs.len() > 1 {
        cx.remark("Invoke-Command asks one computer after another; the real one asks up to 32 at a time");
    }
    if parameters.switch("AsJob") {
        return super::jobs::run_remote_job(parameters, &block, runs, arguments, items, cx);
    }
    for (target, session) in runs {
        if let Err(record) = probe(&target, "PSSessionStateBroken", cx) {
            cx.write_error(record)?;
            continue;
        }
        let call = RemoteCall {
            target: Some(&target),
            session,
            block: &block,
            arguments: arguments.clone(),
            input: items.clone(),
            collect: false,
        };
        // What comes back goes on when the computer has been left: the next stage is at home.
        let mut found = Vec::new();
        let outcome = cx.run_remote(call, &mut |value| {
            found.push(value);
            Ok(())
        });
        found.into_iter().try_for_each(|value| cx.emit(value))?;
        outcome?;
    }
    Ok(())
}

/// `Test-WSMan`.
pub(super) fn test_wsman(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let name = parameters.get("ComputerName").map_or_else(|| "localhost".into(), shared_text);
    let target = RemoteTarget { name, by_uri: false, port: None, ssl: false };
    if let Err(record) = probe(&target, "Microsoft.WSMan.Management.TestWSManCommand", cx) {
        return cx.write_error(record);
    }
    cx.emit(
        PsObject::new("System.Xml.XmlElement")
            .with("wsmid", "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd")
            .with("ProtocolVersion", "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd")
            .with("ProductVendor", "Microsoft Corporation")
            .with("ProductVersion", "OS: 0.0.0 SP: 0.0 Stack: 3.0")
            .into(),
    )
}
