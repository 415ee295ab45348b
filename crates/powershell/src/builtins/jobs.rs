//! Jobs. A job runs to its end when it is started: the model has one clock, and what a job does takes time.

use std::sync::Arc;

use super::{error, list, texts};
use crate::command::{BoundParameters, RemoteTarget};
use crate::convert::shared_text;
use crate::desk::Job;
use crate::error::{ErrorRecord, Flow};
use crate::eval::like;
use crate::pipeline::{Context, RemoteCall};
use crate::value::{PsObject, ScriptBlock, Value};

const TYPE: &str = "System.Management.Automation.PSRemotingJob";

fn job_object(id: i64, job: &Job) -> Value {
    let object = PsObject::new(TYPE)
        .with("State", if job.failed { "Failed" } else { "Completed" })
        .with("HasMoreData", !job.output.is_empty())
        .with("StatusMessage", "")
        .with("Location", job.location.clone())
        .with("Command", job.command.clone())
        .with("Id", i32::try_from(id).unwrap_or(i32::MAX))
        .with("Name", job.name.clone())
        .with("ChildJobs", Value::array(Vec::new()))
        .with("PSBeginTime", Value::DateTime(job.began))
        .with("PSEndTime", Value::DateTime(job.ended))
        .with("PSJobTypeName", job.kind)
        .with_text(TYPE);
    let view = ["Id", "Name", "PSJobTypeName", "State", "HasMoreData", "Location", "Command"];
    let mut object = PsObject { default_view: view.iter().map(|n| Arc::from(*n)).collect(), ..object };
    object.type_names.insert(1, "System.Management.Automation.Job".into());
    object.into()
}

/// Runs blocks one after another and keeps what they wrote.
fn run(
    name: Option<Arc<str>>,
    kind: &'static str,
    location: Arc<str>,
    block: &ScriptBlock,
    calls: Vec<RemoteCall<'_>>,
    cx: &mut dyn Context,
) -> Result<(), Flow> {
    let began = cx.world().now();
    let mut output = Vec::new();
    let mut failed = false;
    for call in calls {
        let outcome = cx.run_remote(call, &mut |value| {
            output.push(value);
            Ok(())
        });
        match outcome {
            Ok(()) => {}
            Err(Flow::Error(failure)) => {
                failed = true;
                output.push(Value::Error(Arc::new(failure.record)));
            }
            Err(other) => return Err(other),
        }
    }
    let ended = cx.world().now();
    if ended != began {
        cx.remark("a job runs to its end where it is started; the time it takes passes there");
    }
    let desk = cx.desk();
    let id = desk.next_job();
    let name = name.unwrap_or_else(|| format!("Job{id}").into());
    let job = Job { name, kind, location, command: block.text.clone(), failed, output, began, ended };
    desk.jobs.insert(id, job.clone());
    cx.emit(job_object(id, &job))
}

/// `Start-Job`.
pub(super) fn start_job(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let Some(Value::Script(block)) = parameters.get("ScriptBlock") else {
        let path = parameters.text("FilePath").unwrap_or_else(|| "".into());
        cx.unmodelled(&format!("Start-Job -FilePath {path}"));
        return Ok(());
    };
    let call = RemoteCall { target: None, session: None, block, arguments: list(parameters, "ArgumentList"), input: items, collect: true };
    run(parameters.text("Name"), "BackgroundJob", "localhost".into(), block, vec![call], cx)
}

/// `Invoke-Command -AsJob`.
pub(super) fn run_remote_job(
    parameters: &BoundParameters,
    block: &ScriptBlock,
    runs: Vec<(RemoteTarget, Option<i64>)>,
    arguments: Vec<Value>,
    input: Vec<Value>,
    cx: &mut dyn Context,
) -> Result<(), Flow> {
    let location = runs.iter().map(|(target, _)| &*target.name).collect::<Vec<_>>().join(",");
    let calls = runs
        .iter()
        .map(|(target, session)| RemoteCall {
            target: Some(target),
            session: *session,
            block,
            arguments: arguments.clone(),
            input: input.clone(),
            collect: true,
        })
        .collect();
    run(parameters.text("JobName"), "RemoteJob", location.into(), block, calls, cx)
}

/// The ids that the parameters mean; all when they name none. What does not exist is an error.
fn chosen(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<Vec<i64>, Flow> {
    let mut ids: Vec<i64> = Vec::new();
    let given = list(parameters, "Job").into_iter().chain(list(parameters, "Id"));
    let mut any = false;
    for value in given {
        any = true;
        let id = match &value {
            Value::Object(object) => match object.get("Id") {
                Some(Value::Int(id)) => Some(i64::from(id)),
                _ => None,
            },
            Value::Int(id) => Some(i64::from(*id)),
            other => shared_text(other).trim().parse().ok(),
        };
        match id.filter(|id| cx.desk().jobs.contains_key(id)) {
            Some(id) => ids.push(id),
            None => cx.write_error(
                error(
                    format!(
                        "The command cannot find a job with the job ID {}. Verify the value of the Id parameter and then try the command again.",
                        id.map_or_else(|| shared_text(&value).to_string(), |id| id.to_string())
                    ),
                    "JobWithSpecifiedSessionNotFound",
                    "ObjectNotFound",
                    "System.Management.Automation.PSArgumentException",
                )
                .with_target(value),
            )?,
        }
    }
    for name in texts(parameters, "Name") {
        any = true;
        let found: Vec<i64> = cx.desk().jobs.iter().filter(|(_, job)| like(&job.name, &name, false)).map(|(id, _)| *id).collect();
        if found.is_empty() && !super::properties::has_wildcard(&name) {
            cx.write_error(
                error(
                    format!(
                        "The command cannot find the job because the job name {name} was not found. Verify the value of the Name parameter, and then try the command again."
                    ),
                    "JobWithSpecifiedNameNotFound",
                    "ObjectNotFound",
                    "System.Management.Automation.PSArgumentException",
                )
                .with_target(Value::Str(name)),
            )?;
        }
        ids.extend(found);
    }
    if !any {
        ids = cx.desk().jobs.keys().copied().collect();
    }
    if let Some(state) = parameters.text("State") {
        ids.retain(|id| {
            cx.desk().jobs.get(id).is_some_and(|job| state.eq_ignore_ascii_case(if job.failed { "Failed" } else { "Completed" }))
        });
    }
    Ok(ids)
}

fn show(ids: Vec<i64>, cx: &mut dyn Context) -> Result<(), Flow> {
    for id in ids {
        if let Some(job) = cx.desk().jobs.get(&id).cloned() {
            cx.emit(job_object(id, &job))?;
        }
    }
    Ok(())
}

/// `Get-Job`.
pub(super) fn get_job(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let ids = chosen(parameters, cx)?;
    show(ids, cx)
}

/// `Wait-Job`: all jobs have ended already.
pub(super) fn wait_job(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let ids = chosen(parameters, cx)?;
    show(ids, cx)
}

/// `Stop-Job`: all jobs have ended already.
pub(super) fn stop_job(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let ids = chosen(parameters, cx)?;
    if parameters.switch("PassThru") { show(ids, cx) } else { Ok(()) }
}

/// `Remove-Job`.
pub(super) fn remove_job(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for id in chosen(parameters, cx)? {
        if cx.should_process(&format!("Command: Remove-Job Id: {id}"), "Remove")? {
            cx.desk().jobs.remove(&id);
        }
    }
    Ok(())
}

/// `Receive-Job`: what the job wrote, to the streams it wrote it to.
pub(super) fn receive_job(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for id in chosen(parameters, cx)? {
        let Some(job) = cx.desk().jobs.get_mut(&id) else { continue };
        let output = if parameters.switch("Keep") { job.output.clone() } else { std::mem::take(&mut job.output) };
        for value in output {
            replay(value, cx)?;
        }
        if parameters.switch("AutoRemoveJob") {
            cx.desk().jobs.remove(&id);
        }
    }
    Ok(())
}

fn replay(value: Value, cx: &mut dyn Context) -> Result<(), Flow> {
    match &value {
        Value::Error(record) => cx.write_error(ErrorRecord::clone(record)),
        Value::Object(object) => {
            let text = object.text.clone().unwrap_or_else(|| "".into());
            match object.type_names.first().map(|name| name.rsplit('.').next().unwrap_or(name)) {
                Some("WarningRecord") => cx.warning(&text),
                Some("VerboseRecord") => cx.verbose(&text),
                Some("DebugRecord") => cx.debug(&text),
                Some("InformationRecord") => cx.host(&text, true),
                _ => cx.emit(value),
            }
        }
        _ => cx.emit(value),
    }
}
