//! Replication of the Central Management Store (dossier D.2, D.3, J 1 and 2).

use firedrill_fabric::administration::{CmsStatus, ReplicaReport};
use firedrill_fabric::messages::Message;
use firedrill_fabric::{Behaviour, Operation, ServiceName, SimTime};
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{ComputerId, ComputerRole};

use crate::commands::Command;
use crate::context::{Cx, Done, date, failure, refusal};
use crate::shapes::Shape;
use crate::texts::{Text, fill, text};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Get-CsManagementStoreReplicationStatus", get_status, &["ReplicaFqdn", "CentralManagementStoreStatus"]),
    Command::new("Invoke-CsManagementStoreReplication", replicate, &["ReplicaFqdn"]),
    Command::new("Test-CsReplica", test_replica, &[]).deployment(),
    Command::new("Enable-CsReplica", enable_replica, &[]).deployment(),
];

/// Dossier J 1.
pub(crate) static REPLICA_STATE: Shape = Shape::new(
    "Microsoft.Rtc.Management.Xds.ReplicaState",
    &["UpToDate", "ReplicaFqdn", "LastStatusReport", "LastUpdateCreation", "ProductVersion"],
);
/// Dossier J 2; the names of the heartbeats are inferred.
pub(crate) static STORE_STATUS: Shape = Shape::new(
    "Microsoft.Rtc.Management.Xds.CentralManagementStoreStatusResult",
    &[
        "ActiveMasterFqdn",
        "ActiveMasterLastHeartbeat",
        "ActiveFileTransferAgents",
        "ActiveFileTransferAgentsLastHeartbeat",
        "ActiveReplicas",
        "DeletedReplicas",
    ],
);

fn get_status(cx: &mut Cx<'_>) -> Done {
    if cx.switch("CentralManagementStoreStatus") {
        let status = cx.fabric.cms_status();
        let object = status_object(cx, &status);
        cx.output(object);
        return Ok(());
    }
    let wanted = match cx.text("ReplicaFqdn") {
        None => None,
        Some(name) => Some(cx.computer_named(&name)?),
    };
    let reports = cx.fabric.replica_states(cx.here).map_err(|error| refusal(&error))?;
    if let Some(computer) = wanted.filter(|computer| !reports.iter().any(|report| report.computer == *computer)) {
        let fqdn = cx.computer_fqdn(computer);
        return Err(refusal(&Message::ReplicaUnknown.error(&[fqdn], fqdn)));
    }
    cx.fabric.lean(Behaviour::StatusReports);
    for report in reports.iter().filter(|report| wanted.is_none_or(|computer| computer == report.computer)) {
        let object = replica_object(cx, report);
        cx.output(object);
    }
    Ok(())
}

fn optional_date(at: Option<SimTime>) -> Value {
    at.map_or(Value::Null, date)
}

fn replica_object(cx: &Cx<'_>, report: &ReplicaReport) -> PsObject {
    REPLICA_STATE.object(vec![
        Value::Bool(report.up_to_date),
        Value::str(cx.computer_fqdn(report.computer)),
        optional_date(report.last_status_report),
        optional_date(report.last_update_creation),
        report.product_version.into(),
    ])
}

/// Names of computers in one text, as the cmdlet prints them; `$null` when there are none.
fn names(cx: &Cx<'_>, computers: &[ComputerId]) -> Value {
    if computers.is_empty() {
        return Value::Null;
    }
    let names: Vec<&str> = computers.iter().map(|computer| cx.computer_fqdn(*computer)).collect();
    Value::str(names.join(","))
}

fn status_object(cx: &Cx<'_>, status: &CmsStatus) -> PsObject {
    STORE_STATUS.object(vec![
        status.active_master.map(|computer| cx.computer_fqdn(computer)).into(),
        optional_date(status.master_heartbeat),
        names(cx, &status.file_transfer_agents),
        optional_date(status.file_transfer_heartbeat),
        names(cx, &status.active_replicas),
        names(cx, &status.deleted_replicas),
    ])
}

fn replicate(cx: &mut Cx<'_>) -> Done {
    let replica = match cx.text("ReplicaFqdn") {
        None => None,
        Some(name) => Some(cx.computer_named(&name)?),
    };
    cx.perform(Operation::Replicate { replica }).map(|_| ())
}

/// Checks the replica agent and the logging agent of the local computer, and the groups in Active Directory that they
/// need (documented: dossier H, PS:Test-CsReplica; what fails is printed in invented words). An agent that hangs runs
/// all the same. Success prints nothing but its verbose lines.
fn test_replica(cx: &mut Cx<'_>) -> Done {
    cx.fabric.lean(Behaviour::LocalReplicaTest);
    need_domain(cx)?;
    for service in [ServiceName::Replica, ServiceName::RtcClsAgt] {
        match cx.fabric.service(cx.here, service) {
            None => return Err(service_fault(cx, text::REPLICA_SERVICE_MISSING, service, "ObjectNotFound")),
            Some(_) if !cx.fabric.service_running(cx.here, service) => {
                return Err(service_fault(cx, text::REPLICA_SERVICE_STOPPED, service, "ResourceUnavailable"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Adds the local computer to the replication path; every computer with a role is in it since its installation
/// (documented: PS:Enable-CsReplica), so nothing changes there. Others are not part of the topology.
fn enable_replica(cx: &mut Cx<'_>) -> Done {
    let fqdn = cx.computer_fqdn(cx.here).to_owned();
    need_domain(cx)?;
    if !crate::topology::has_product(cx.topology.computer(cx.here).role) {
        return Err(refusal(&Message::ReplicaUnknown.error(&[&fqdn], fqdn.as_str())));
    }
    cx.proceed(&fqdn).map(|_| ())
}

/// Computers in the domain look up their groups in Active Directory; Edge Servers have local ones.
fn need_domain(cx: &Cx<'_>) -> Done {
    match cx.topology.computer(cx.here).role {
        ComputerRole::Edge(_) => Ok(()),
        _ => cx.need_directory(),
    }
}

fn service_fault(cx: &Cx<'_>, what: Text, service: ServiceName, category: &str) -> Box<firedrill_powershell::command::CommandError> {
    let message = fill(what, &[service.short_name(), cx.computer_fqdn(cx.here)]);
    failure(message, "ReplicaTestFailed", category, "System.InvalidOperationException", Value::str(service.short_name()))
}
