//! Whole computers: restart, ping, processes.

use firedrill_fabric::{ServiceStatus, SimDuration};
use firedrill_powershell::Value;
use firedrill_powershell::command::CommandError;
use firedrill_topology::ComputerId;

use crate::commands::Command;
use crate::context::{Cx, Done, date, failure, like, number};
use crate::shapes::Shape;
use crate::texts::{fill, text};
use crate::win_services::services_of;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new(
        "Restart-Computer",
        restart,
        &[
            "ComputerName",
            "Wait",
            "Timeout",
            "For",
            "Delay",
            "Credential",
            "Protocol",
            "WsmanAuthentication",
            "DcomAuthentication",
            "Impersonation",
        ],
    )
    .implemented_by("Microsoft.PowerShell.Commands.RestartComputerCommand"),
    Command::new(
        "Stop-Computer",
        shut_down,
        &["ComputerName", "Credential", "Protocol", "WsmanAuthentication", "DcomAuthentication", "Impersonation"],
    )
    .implemented_by("Microsoft.PowerShell.Commands.StopComputerCommand"),
    Command::new(
        "Test-Connection",
        ping,
        &["ComputerName", "Count", "Delay", "Quiet", "BufferSize", "TimeToLive", "Credential", "ThrottleLimit"],
    )
    .implemented_by("Microsoft.PowerShell.Commands.TestConnectionCommand"),
    Command::new("Get-Process", processes, &["Name", "Id", "ComputerName"])
        .implemented_by("Microsoft.PowerShell.Commands.GetProcessCommand"),
];

/// How often `-Wait` looks (documented: 5 seconds by default).
const LOOK: SimDuration = SimDuration::from_secs(5);
/// Longest `-Wait` without `-Timeout`: the real one waits for ever.
const PATIENCE: SimDuration = SimDuration::from_mins(240);

fn local(name: &str) -> bool {
    matches!(name.to_lowercase().as_str(), "localhost" | "." | "127.0.0.1" | "::1")
}

fn found(cx: &Cx<'_>, name: &str) -> Option<ComputerId> {
    if local(name) { Some(cx.here) } else { cx.topology.find_computer(name) }
}

fn unreachable(name: &str, restart: bool) -> Box<CommandError> {
    let (template, id) =
        if restart { (text::RESTART_FAILED, "RestartcomputerFailed") } else { (text::STOP_COMPUTER_FAILED, "StopComputerException") };
    failure(fill(template, &[name]), id, "OperationStopped", "System.InvalidOperationException", Value::str(name))
}

fn names(cx: &Cx<'_>) -> Vec<std::sync::Arc<str>> {
    cx.list("ComputerName").unwrap_or_else(|| vec!["localhost".into()])
}

/// Computers that the parameters name and that answer.
fn answering(cx: &mut Cx<'_>, restart: bool) -> Vec<ComputerId> {
    let mut all = Vec::new();
    for name in names(cx) {
        match found(cx, &name).filter(|computer| cx.fabric.reaches(cx.here, *computer, 135)) {
            Some(computer) => all.push(computer),
            None => cx.error(unreachable(&name, restart)),
        }
    }
    all
}

fn restart(cx: &mut Cx<'_>) -> Done {
    let mut waited = Vec::new();
    for computer in answering(cx, true) {
        let fqdn = cx.computer_fqdn(computer).to_owned();
        if cx.proceed_with(&fqdn, "Enable the Local shutdown access rights and restart the computer.")? {
            cx.fabric.restart_computer(computer);
            waited.push(computer);
        }
    }
    if !cx.switch("Wait") {
        return Ok(());
    }
    if let Some(goal) = cx.text("For").filter(|goal| !matches!(goal.to_lowercase().as_str(), "powershell" | "winrm" | "wmi" | "default")) {
        cx.unmodelled("For", &goal);
    }
    let limit =
        cx.integer("Timeout").filter(|seconds| *seconds > 0).map_or(PATIENCE, |seconds| SimDuration(seconds.saturating_mul(1_000_000_000)));
    let until = cx.fabric.now() + limit;
    while waited.iter().any(|computer| !cx.fabric.computer_up(*computer)) {
        if cx.fabric.now() >= until {
            for computer in waited.iter().filter(|computer| !cx.fabric.computer_up(**computer)).copied().collect::<Vec<_>>() {
                let fqdn = cx.computer_fqdn(computer).to_owned();
                cx.error(failure(
                    fill(text::RESTART_TIMEOUT, &[&fqdn]),
                    "RestartComputerTimeout",
                    "OperationTimeout",
                    "Microsoft.PowerShell.Commands.RestartComputerTimeoutException",
                    Value::str(fqdn),
                ));
            }
            break;
        }
        let next = cx.fabric.now() + LOOK;
        if let Err(limit) = cx.fabric.advance_to(next) {
            cx.state.limit = Some(limit);
            break;
        }
    }
    Ok(())
}

fn shut_down(cx: &mut Cx<'_>) -> Done {
    for computer in answering(cx, false) {
        let fqdn = cx.computer_fqdn(computer).to_owned();
        if cx.proceed(&fqdn)? {
            cx.fabric.shut_down_computer(computer);
        }
    }
    Ok(())
}

/// As `Test-Connection` of 5.1 returns it; addresses inside are not part of the model.
static PING: Shape = Shape::with_view(
    "System.Management.ManagementObject#root\\cimv2\\Win32_PingStatus",
    &[
        "PSComputerName",
        "Source",
        "Destination",
        "Address",
        "IPV4Address",
        "IPV6Address",
        "Bytes",
        "BufferSize",
        "ResponseTime",
        "Time(ms)",
        "StatusCode",
        "TimeToLive",
    ],
    &["Source", "Destination", "IPV4Address", "IPV6Address", "Bytes", "Time(ms)"],
);

/// ICMP has no port; links and power decide.
const ICMP: u16 = 0;

fn ping(cx: &mut Cx<'_>) -> Done {
    let count = cx.integer("Count").unwrap_or(4).clamp(1, 1000);
    let size = cx.integer("BufferSize").unwrap_or(32);
    let quiet = cx.switch("Quiet");
    let delay = SimDuration(cx.integer("Delay").unwrap_or(1).max(0).saturating_mul(1_000_000_000));
    let source: std::sync::Arc<str> = cx.computer_fqdn(cx.here).split('.').next().unwrap_or_default().to_uppercase().into();
    for name in names(cx) {
        let external = name.parse::<std::net::Ipv4Addr>().ok().filter(|_| !local(&name));
        let known = crate::network::knows(cx, &name) || external.is_some();
        let mut any = false;
        for attempt in 0..count {
            let up = match found(cx, &name) {
                Some(computer) => cx.fabric.reaches(cx.here, computer, ICMP),
                None => crate::network::answers(cx, &name),
            };
            any |= up;
            if attempt + 1 < count {
                let next = cx.fabric.now() + delay;
                if let Err(limit) = cx.fabric.advance_to(next) {
                    cx.state.limit = Some(limit);
                    return Ok(());
                }
            }
            if quiet {
                if any {
                    break;
                }
                continue;
            }
            if up {
                let address = external.map_or(Value::Null, |address| Value::str(address.to_string()));
                cx.output(PING.object(vec![
                    Value::Str(source.clone()),
                    Value::Str(source.clone()),
                    Value::Str(name.clone()),
                    Value::Str(name.clone()),
                    address,
                    Value::Null,
                    number(size),
                    number(size),
                    Value::Int(1),
                    Value::Int(1),
                    Value::Int(0),
                    Value::Int(80),
                ]));
                continue;
            }
            let reason = if known { text::PING_NO_ANSWER } else { text::PING_NO_HOST };
            cx.error(failure(
                fill(reason, &[&name]),
                "TestConnectionException",
                "ResourceUnavailable",
                "System.Net.NetworkInformation.PingException",
                Value::Str(name.clone()),
            ));
            if !known {
                break;
            }
        }
        if quiet {
            cx.output(any);
        }
    }
    Ok(())
}

static PROCESS: Shape = Shape::with_view(
    "System.Diagnostics.Process",
    &["Handles", "NPM", "PM", "WS", "CPU", "Id", "SI", "ProcessName", "Name", "MachineName", "StartTime", "Responding", "HasExited"],
    &["Handles", "CPU", "Id", "SI", "ProcessName"],
);

/// Processes of Windows itself, by name and number of handles (inferred: ordinary figures).
const SYSTEM: &[(&str, i32)] =
    &[("csrss", 300), ("lsass", 1400), ("powershell", 700), ("services", 500), ("svchost", 900), ("wininit", 130)];

fn processes(cx: &mut Cx<'_>) -> Done {
    let computers: Vec<ComputerId> = match cx.list("ComputerName") {
        None => vec![cx.here],
        Some(names) => {
            let mut all = Vec::new();
            for name in names {
                match found(cx, &name).filter(|computer| cx.fabric.reaches(cx.here, *computer, 135)) {
                    Some(computer) => all.push(computer),
                    None => {
                        return Err(failure(
                            fill(text::PROCESSES_UNREACHABLE, &[&name]),
                            "System.InvalidOperationException",
                            "NotSpecified",
                            "System.InvalidOperationException",
                            Value::Null,
                        ));
                    }
                }
            }
            all
        }
    };
    let patterns = cx.list("Name");
    let ids: Option<Vec<i64>> = cx.get("Id").map(|value| {
        let items = value.items().unwrap_or_else(|| vec![value.clone()]);
        items.iter().filter_map(crate::context::as_integer).collect()
    });
    for computer in computers {
        let mut all: Vec<(String, i32)> = SYSTEM.iter().map(|(name, handles)| ((*name).to_owned(), *handles)).collect();
        for service in services_of(cx, computer).into_iter().filter(|service| service.status == ServiceStatus::Running) {
            match service.kind {
                crate::win_services::Kind::Product(name) => all.push((process_of(name.short_name()), 1200)),
                crate::win_services::Kind::Sql(_) => all.push(("sqlservr".to_owned(), 1500)),
                crate::win_services::Kind::Windows => {}
            }
        }
        all.sort_by_key(|(name, _)| name.to_lowercase());
        let machine = if computer == cx.here { ".".to_owned() } else { cx.computer_fqdn(computer).to_owned() };
        let mut hit = vec![false; patterns.as_ref().map_or(0, Vec::len)];
        let started = cx.fabric.started();
        for (at, (name, handles)) in all.into_iter().enumerate() {
            // Process ids are multiples of four.
            let id = 400 + 4 * i32::try_from(at).unwrap_or(0);
            let mut wanted = patterns.is_none();
            for (pattern, hit) in patterns.iter().flatten().zip(&mut hit) {
                if like(pattern, &name) {
                    wanted = true;
                    *hit = true;
                }
            }
            if !wanted || ids.as_ref().is_some_and(|ids| !ids.contains(&i64::from(id))) {
                continue;
            }
            let object = PROCESS
                .object(vec![
                    Value::Int(handles),
                    Value::Int(40),
                    Value::Int(60_000_000),
                    Value::Int(80_000_000),
                    Value::Double(12.5),
                    Value::Int(id),
                    Value::Int(0),
                    Value::str(name.as_str()),
                    Value::str(name.as_str()),
                    Value::str(machine.as_str()),
                    date(started),
                    Value::Bool(true),
                    Value::Bool(false),
                ])
                .with_text(format!("System.Diagnostics.Process ({name})"));
            cx.output(object);
        }
        for (pattern, _) in patterns.iter().flatten().zip(&hit).filter(|(pattern, hit)| !**hit && !pattern.contains(['*', '?'])) {
            let pattern = pattern.clone();
            cx.io.error(*failure(
                fill(text::NO_PROCESS, &[&pattern]),
                "NoProcessFoundForGivenName",
                "ObjectNotFound",
                "Microsoft.PowerShell.Commands.ProcessCommandException",
                Value::Str(pattern),
            ));
        }
    }
    Ok(())
}

/// The process of a service (field: names in Task Manager of a Front End; the rest inferred).
fn process_of(service: &str) -> String {
    match service {
        "W3SVC" => "w3wp".to_owned(),
        "FabricHostSvc" => "FabricHost".to_owned(),
        "REPLICA" => "ReplicaReplicatorAgent".to_owned(),
        "MASTER" => "MasterReplicatorAgent".to_owned(),
        "FTA" => "FileTransferAgent".to_owned(),
        "LYNCBACKUP" => "LyncBackupService".to_owned(),
        "RTCCLSAGT" => "ClsAgent".to_owned(),
        "RTCSRV" => "RTCSrv".to_owned(),
        other => other.to_owned(),
    }
}
