//! Windows services of the product (dossier G.1, J 18).

use firedrill_fabric::Operation;
use firedrill_fabric::administration::RPC_PORT;
use firedrill_fabric::messages::Message;
use firedrill_fabric::service::{ServiceName, ServiceState};
use firedrill_powershell::command::CommandError;
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{ComputerId, ComputerRole};

use crate::commands::Command;
use crate::context::{Cx, Done, failure, refusal, texts};
use crate::shapes::Shape;
use crate::texts::{fill, text};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Get-CsWindowsService", get_service, &["Name", "ComputerName", "ExcludeActivityLevel"]).deployment(),
    Command::new("Start-CsWindowsService", start, &["Name", "ComputerName", "InputObject", "NoWait"]).deployment(),
    Command::new("Stop-CsWindowsService", stop, STOP).deployment(),
];

const STOP: &[&str] = &["Name", "ComputerName", "InputObject", "NoWait", "Graceful", "LeaveClsAgentRunning", "LeaveWebServerRunning"];

/// Dossier J 18; `MachineName` is what a piped object needs to find its computer again.
pub(crate) static NT_SERVICE: Shape = Shape::with_view(
    "Microsoft.Rtc.Management.Deployment.Core.NTService",
    &["Status", "Name", "DisplayName", "ActivityLevel", "ServiceStatus", "RoleName", "MachineName"],
    &["Status", "Name", "ActivityLevel"],
);

fn get_service(cx: &mut Cx<'_>) -> Done {
    let computer = cx.computer("ComputerName")?;
    need_computer(cx, computer)?;
    let wanted = match cx.text("Name") {
        None => None,
        Some(name) => Some(service_named(cx, computer, &name)?),
    };
    for (service, state) in cx.fabric.services(computer) {
        if wanted.is_none_or(|wanted| wanted == service) {
            let object = service_object(cx, computer, service, &state);
            cx.output(object);
        }
    }
    Ok(())
}

/// Another computer's services can be seen and driven while its service control manager can be reached.
fn need_computer(cx: &Cx<'_>, computer: ComputerId) -> Done {
    if cx.fabric.reaches(cx.here, computer, RPC_PORT) {
        return Ok(());
    }
    let fqdn = cx.computer_fqdn(computer);
    Err(refusal(&Message::ComputerUnreachable.error(&[fqdn], fqdn)))
}

/// One service, no wildcards; the name of a service that is not of the product is an error (documented: dossier G.1).
fn service_named(cx: &Cx<'_>, computer: ComputerId, name: &str) -> Result<ServiceName, Box<CommandError>> {
    let installed = |service: &ServiceName| cx.fabric.service(computer, *service).is_some();
    ServiceName::from_short_name(name).filter(installed).ok_or_else(|| {
        failure(
            fill(text::NOT_A_SERVICE, &[name, cx.computer_fqdn(computer)]),
            "ServiceNotFound",
            "ObjectNotFound",
            "System.InvalidOperationException",
            Value::str(name),
        )
    })
}

/// Roles that a service belongs to (documented for those of the sample in dossier G.1; the others inferred).
fn roles(service: ServiceName, edge: bool) -> &'static [&'static str] {
    match service {
        ServiceName::W3svc => &["W3SVC"],
        ServiceName::Master | ServiceName::Fta => &["CentralManagement"],
        ServiceName::Replica => &["Replica"],
        ServiceName::LyncBackup => &["BackupServer"],
        ServiceName::RtcClsAgt => &["ClsAgent"],
        ServiceName::FabricHostSvc => &["FabricHost"],
        ServiceName::RtcSrv if edge => &["EdgeServer"],
        ServiceName::RtcSrv => &["Registrar", "UserServer", "EdgeServer"],
        ServiceName::RtcCaa | ServiceName::RtcCas | ServiceName::RtcRgs | ServiceName::RtcCps | ServiceName::RtcAts => {
            &["ApplicationServer"]
        }
        ServiceName::RtcImMcu | ServiceName::RtcDataMcu | ServiceName::RtcAvMcu | ServiceName::RtcAsMcu => &["ConferencingServer"],
        ServiceName::RtcMedSrv => &["MediationServer"],
        ServiceName::RtcXmppTgw => &["XmppGateway"],
        ServiceName::RtcHa => &["HealthAgent"],
        ServiceName::RtcDataProxy | ServiceName::RtcMrAuth | ServiceName::RtcMediaRelay | ServiceName::RtcXmppTgwPx => &["EdgeServer"],
    }
}

fn service_object(cx: &Cx<'_>, computer: ComputerId, service: ServiceName, state: &ServiceState) -> PsObject {
    let edge = matches!(cx.topology.computer(computer).role, ComputerRole::Edge(_));
    // The model has no load; the counter of the sample in dossier G.1 stands at rest.
    let activity = match service {
        _ if cx.switch("ExcludeActivityLevel") => Value::Null,
        ServiceName::RtcSrv => Value::str("Incoming Requests per Second=0"),
        _ => Value::str(""),
    };
    let status = state.status.text();
    NT_SERVICE
        .object(vec![
            Value::str(status),
            Value::str(service.short_name()),
            Value::str(cx.fabric.service_display_name(computer, service)),
            activity,
            Value::str(state.service_status()),
            texts(roles(service, edge).iter().copied()),
            Value::str(cx.computer_fqdn(computer)),
        ])
        .with_text(service.short_name())
}

/// The computer and service that the parameters or the piped object name.
fn target(cx: &Cx<'_>) -> Result<(ComputerId, Option<ServiceName>), Box<CommandError>> {
    if let Some(Value::Object(object)) = cx.get("InputObject") {
        let text = |name: &str| match object.get(name) {
            Some(Value::Str(text)) => text,
            _ => "".into(),
        };
        let computer = cx.computer_named(&text("MachineName"))?;
        return Ok((computer, Some(service_named(cx, computer, &text("Name"))?)));
    }
    // The reference's example passes a name: `Stop-CsWindowsService -InputObject $x.Name`.
    if let Some(Value::Str(name)) = cx.get("InputObject") {
        return Ok((cx.here, Some(service_named(cx, cx.here, name)?)));
    }
    let computer = cx.computer("ComputerName")?;
    need_computer(cx, computer)?;
    match cx.text("Name") {
        None => Ok((computer, None)),
        Some(name) => Ok((computer, Some(service_named(cx, computer, &name)?))),
    }
}

fn start(cx: &mut Cx<'_>) -> Done {
    let (computer, service) = target(cx)?;
    let subject = subject(cx, computer, service);
    if !cx.proceed(&subject)? {
        return Ok(());
    }
    let no_wait = cx.switch("NoWait");
    cx.perform(Operation::StartServices { computer, service, no_wait }).map(|_| ())
}

fn stop(cx: &mut Cx<'_>) -> Done {
    let (computer, service) = target(cx)?;
    let subject = subject(cx, computer, service);
    if !cx.proceed(&subject)? {
        return Ok(());
    }
    let (graceful, no_wait) = (cx.switch("Graceful"), cx.switch("NoWait"));
    let mut leave = Vec::new();
    for (switch, kept) in [("LeaveClsAgentRunning", ServiceName::RtcClsAgt), ("LeaveWebServerRunning", ServiceName::W3svc)] {
        if cx.switch(switch) {
            leave.push(kept);
        }
    }
    // With one service named, there is nothing else to leave.
    let operation = match service {
        None if !leave.is_empty() => Operation::StopServicesExcept { computer, leave, graceful, no_wait },
        _ => Operation::StopServices { computer, service, graceful, no_wait },
    };
    cx.perform(operation).map(|_| ())
}

fn subject(cx: &Cx<'_>, computer: ComputerId, service: Option<ServiceName>) -> String {
    let fqdn = cx.computer_fqdn(computer);
    service.map_or_else(|| fqdn.to_owned(), |service| format!("{} on {fqdn}", service.short_name()))
}
