//! Pool and computer failover, failback, start, reset, fabric state (dossier C, B.9, G.3, J 15 and 25).

use firedrill_fabric::messages::Message;
use firedrill_fabric::operation::{PoolFailback, PoolFailover, RegistrarReset};
use firedrill_fabric::world::QuorumReport;
use firedrill_fabric::{Operation, SimDuration};
use firedrill_powershell::Value;
use firedrill_topology::{ComputerRole, PoolId};

use crate::commands::Command;
use crate::context::{Cx, Done, number, refusal, texts};
use crate::shapes::Shape;
use crate::texts::{fill, text};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Invoke-CsPoolFailOver", fail_over, &["PoolFqdn", "DisasterMode", "WaitTime", "SkipDataVerification"])
        .high()
        .implemented_by("Microsoft.Rtc.Management.Hadr.InvokePoolFailOverCmdlet"),
    Command::new("Invoke-CsPoolFailBack", fail_back, &["PoolFqdn", "DisasterMode", "WaitTime", "SkipDataVerification"])
        .high()
        .implemented_by("Microsoft.Rtc.Management.Hadr.InvokePoolFailBackCmdlet"),
    Command::new("Invoke-CsComputerFailOver", computer_fail_over, &["ComputerName", "NoStop", "WaitTime", "DrainingTimeout"]).high(),
    Command::new("Invoke-CsComputerFailBack", computer_fail_back, &["ComputerName", "NoStart", "WaitTime"]).high(),
    Command::new("Start-CsPool", start_pool, &["PoolFqdn", "SkipServer", "QuorumLossRecovery"]).high(),
    Command::new("Reset-CsPoolRegistrarState", reset_pool, &["PoolFqdn", "ResetType", "MachineFqdn", "NoReStart"]).high(),
    Command::new("Get-CsPoolFabricState", fabric_state, &["PoolFqdn", "Type"]),
    Command::new("Get-CsPoolUpgradeReadinessState", upgrade_state, &[]),
    Command::new("Get-CsUpgradeDomainInfo", upgrade_state, &[]),
];

/// Dossier J 15; names inferred from the prose of the reference.
pub(crate) static UPGRADE_STATE: Shape = Shape::new(
    "Microsoft.Rtc.Management.Hadr.PoolUpgradeState",
    &["PoolFqdn", "PoolUpgradeState", "TotalFrontends", "TotalActiveFrontends", "UpgradeDomains"],
);
/// Dossier J 15.
pub(crate) static UPGRADE_DOMAIN: Shape =
    Shape::new("Microsoft.Rtc.Management.Hadr.UpgradeDomain", &["Name", "ReadyforUpgrade", "FrontEnds"]);

fn fail_over(cx: &mut Cx<'_>) -> Done {
    let pool = cx.pool("PoolFqdn")?;
    let fqdn = cx.pool_fqdn(pool).to_owned();
    if !cx.proceed(&fqdn)? {
        return Ok(());
    }
    let operation = PoolFailover {
        pool,
        disaster: cx.switch("DisasterMode"),
        force: cx.switch("Force"),
        skip_verification: cx.switch("SkipDataVerification"),
        wait: cx.duration("WaitTime"),
    };
    cx.perform(Operation::PoolFailover(operation)).map(|_| ())
}

fn fail_back(cx: &mut Cx<'_>) -> Done {
    let pool = cx.pool("PoolFqdn")?;
    let fqdn = cx.pool_fqdn(pool).to_owned();
    if !cx.proceed(&fqdn)? {
        return Ok(());
    }
    let operation = PoolFailback {
        pool,
        disaster: cx.switch("DisasterMode"),
        force: cx.switch("Force"),
        skip_verification: cx.switch("SkipDataVerification"),
        // Documented default: dossier C.1.
        wait: cx.duration("WaitTime").unwrap_or(SimDuration::from_secs(15)),
    };
    cx.perform(Operation::PoolFailback(operation)).map(|_| ())
}

/// Documented default of `-WaitTime` of both computer cmdlets: dossier G.3.
const COMPUTER_WAIT: SimDuration = SimDuration::from_mins(60);

fn computer_fail_over(cx: &mut Cx<'_>) -> Done {
    let computer = cx.computer("ComputerName")?;
    let fqdn = cx.computer_fqdn(computer).to_owned();
    let force = cx.switch("Force");
    // `-Force -WhatIf` still executes (documented: dossier G.3).
    let go = cx.proceed(&fqdn)? || (force && cx.io.what_if());
    if !go {
        return Ok(());
    }
    let wait = cx.duration("WaitTime").unwrap_or(COMPUTER_WAIT);
    let no_stop = cx.switch("NoStop");
    let draining = cx.duration("DrainingTimeout");
    cx.perform(Operation::ComputerFailover { computer, no_stop, force, wait, draining }).map(|_| ())
}

fn computer_fail_back(cx: &mut Cx<'_>) -> Done {
    let computer = cx.computer("ComputerName")?;
    let fqdn = cx.computer_fqdn(computer).to_owned();
    if !cx.proceed(&fqdn)? {
        return Ok(());
    }
    let wait = cx.duration("WaitTime").unwrap_or(COMPUTER_WAIT);
    let no_start = cx.switch("NoStart");
    cx.perform(Operation::ComputerFailback { computer, no_start, wait }).map(|_| ())
}

fn start_pool(cx: &mut Cx<'_>) -> Done {
    let pool = cx.pool("PoolFqdn")?;
    let mut skip = Vec::new();
    for name in cx.list("SkipServer").unwrap_or_default() {
        skip.push(cx.computer_named(&name)?);
    }
    let fqdn = cx.pool_fqdn(pool).to_owned();
    if !cx.proceed(&fqdn)? {
        return Ok(());
    }
    let (quorum_loss_recovery, force) = (cx.switch("QuorumLossRecovery"), cx.switch("Force"));
    cx.perform(Operation::StartPool { pool, skip, quorum_loss_recovery, force }).map(|_| ())
}

fn reset_pool(cx: &mut Cx<'_>) -> Done {
    let pool = cx.pool("PoolFqdn")?;
    let kind = match cx.text("ResetType").as_deref() {
        None | Some("ServiceReset") => RegistrarReset::ServiceReset,
        Some("QuorumLossRecovery") => RegistrarReset::QuorumLossRecovery,
        Some("FullReset") => RegistrarReset::FullReset,
        Some("MachineStateRemoved") => {
            let machine = cx.text("MachineFqdn").unwrap_or_default();
            RegistrarReset::MachineStateRemoved(cx.computer_named(&machine)?)
        }
        Some(other) => {
            cx.unmodelled("ResetType", other);
            return Ok(());
        }
    };
    let fqdn = cx.pool_fqdn(pool).to_owned();
    if !cx.proceed(&fqdn)? {
        return Ok(());
    }
    let no_restart = cx.switch("NoReStart");
    cx.perform(Operation::ResetPoolRegistrarState { pool, kind, no_restart }).map(|_| ())
}

/// A pool none of whose Front Ends answers cannot be asked.
fn need_front_end(cx: &Cx<'_>, pool: PoolId) -> Result<QuorumReport, Box<firedrill_powershell::command::CommandError>> {
    let up = cx.topology.pool(pool).front_ends.iter().any(|computer| cx.fabric.computer_up(*computer));
    if up {
        return Ok(cx.fabric.quorum(pool));
    }
    let fqdn = cx.pool_fqdn(pool);
    Err(refusal(&Message::PoolHasNoFrontEnd.error(&[fqdn], fqdn)))
}

fn fabric_state(cx: &mut Cx<'_>) -> Done {
    if cx.text("PoolFqdn").is_none() {
        // The other sets ask for one routing group, tenant or user; their parameters have been reported already.
        return Ok(());
    }
    let pool = cx.pool("PoolFqdn")?;
    match cx.text("Type") {
        None => {}
        Some(kind) if kind.eq_ignore_ascii_case("All") || kind.eq_ignore_ascii_case("Routing") => {}
        Some(kind) => {
            cx.unmodelled("Type", &kind);
            return Ok(());
        }
    }
    let report = need_front_end(cx, pool)?;
    let hex = |guid: &u128| format!("{guid:032X}");
    for guid in &report.without_primary {
        cx.output(fill(text::NO_PRIMARIES, &[&hex(guid)]));
    }
    for (guid, secondaries) in &report.insufficient_secondaries {
        cx.io.verbose(&fill(text::FEW_SECONDARIES, &[&hex(guid), &secondaries.to_string()]));
    }
    Ok(())
}

fn upgrade_state(cx: &mut Cx<'_>) -> Done {
    // It reports on the pool of the Front End it runs on, and has no parameter for another one (documented: dossier B.9).
    let ComputerRole::FrontEnd(pool) = cx.topology.computer(cx.here).role else {
        let fqdn = cx.computer_fqdn(cx.here);
        return Err(refusal(&Message::ComputerNotFrontEnd.error(&[fqdn], fqdn)));
    };
    let report = need_front_end(cx, pool)?;
    let state = if report.active < report.needed_to_start {
        "InsufficientActiveFrontEnds"
    } else if report.without_primary.is_empty() && report.insufficient_secondaries.is_empty() {
        "Ready"
    } else {
        "Busy"
    };
    let front_ends = &cx.topology.pool(pool).front_ends;
    // One Front End per upgrade domain (inferred: pools of up to a dozen servers are patched one by one, dossier G.3).
    let domains = front_ends.iter().enumerate().map(|(index, computer)| {
        let name = format!("UpgradeDomain{}", index + 1);
        let values = vec![Value::str(name.as_str()), Value::Bool(state == "Ready"), texts([cx.computer_fqdn(*computer)])];
        UPGRADE_DOMAIN.object(values).with_text(name).into()
    });
    let object = UPGRADE_STATE.object(vec![
        Value::str(cx.pool_fqdn(pool)),
        Value::str(state),
        number(report.total),
        number(report.active),
        Value::array(domains.collect()),
    ]);
    cx.output(object);
    Ok(())
}
