//! `Get-Service` and its like: the product's services of the fabric, SQL Server, and those that every Windows has.

use firedrill_fabric::service::ServiceName;
use firedrill_fabric::{Operation, ServiceStatus, SimDuration};
use firedrill_powershell::command::CommandError;
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{ComputerId, SqlId};

use crate::commands::Command;
use crate::context::{Cx, Done, failure, like, member};
use crate::shapes::Shape;
use crate::texts::{fill, text};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new(
        "Get-Service",
        get,
        &["Name", "DisplayName", "InputObject", "ComputerName", "Include", "Exclude", "DependentServices", "RequiredServices"],
    )
    .implemented_by("Microsoft.PowerShell.Commands.GetServiceCommand"),
    Command::new("Start-Service", start, &["Name", "DisplayName", "InputObject", "PassThru", "Include", "Exclude"])
        .implemented_by("Microsoft.PowerShell.Commands.StartServiceCommand"),
    Command::new("Stop-Service", stop, &["Name", "DisplayName", "InputObject", "PassThru", "NoWait", "Include", "Exclude"])
        .implemented_by("Microsoft.PowerShell.Commands.StopServiceCommand"),
    Command::new("Restart-Service", restart, &["Name", "DisplayName", "InputObject", "PassThru", "Include", "Exclude"])
        .implemented_by("Microsoft.PowerShell.Commands.RestartServiceCommand"),
    Command::new("Set-Service", set, &["Name", "InputObject", "ComputerName", "StartupType", "Status", "PassThru"])
        .implemented_by("Microsoft.PowerShell.Commands.SetServiceCommand"),
];

const EXCEPTION: &str = "Microsoft.PowerShell.Commands.ServiceCommandException";

/// As `Get-Member` shows a `ServiceController`.
static CONTROLLER: Shape = Shape::with_view(
    "System.ServiceProcess.ServiceController",
    &[
        "Name",
        "RequiredServices",
        "CanPauseAndContinue",
        "CanShutdown",
        "CanStop",
        "DisplayName",
        "DependentServices",
        "MachineName",
        "ServiceName",
        "ServicesDependedOn",
        "Status",
        "ServiceType",
        "StartType",
    ],
    &["Status", "Name", "DisplayName"],
);

/// Services of Windows that run on every server (documented: default services of Windows Server).
const WINDOWS: &[(&str, &str)] = &[
    ("BFE", "Base Filtering Engine"),
    ("BITS", "Background Intelligent Transfer Service"),
    ("CryptSvc", "Cryptographic Services"),
    ("Dhcp", "DHCP Client"),
    ("Dnscache", "DNS Client"),
    ("EventLog", "Windows Event Log"),
    ("gpsvc", "Group Policy Client"),
    ("LanmanServer", "Server"),
    ("LanmanWorkstation", "Workstation"),
    ("MpsSvc", "Windows Firewall"),
    ("Netlogon", "Netlogon"),
    ("RpcSs", "Remote Procedure Call (RPC)"),
    ("Schedule", "Task Scheduler"),
    ("TermService", "Remote Desktop Services"),
    ("W32Time", "Windows Time"),
    ("Winmgmt", "Windows Management Instrumentation"),
    ("WinRM", "Windows Remote Management (WS-Management)"),
    ("wuauserv", "Windows Update"),
];

/// What a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Product(ServiceName),
    Sql(SqlId),
    Windows,
}

/// One service of one computer.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) computer: ComputerId,
    pub(crate) name: String,
    pub(crate) display: String,
    pub(crate) status: ServiceStatus,
    pub(crate) disabled: bool,
    pub(crate) kind: Kind,
}

impl Service {
    fn label(&self) -> String {
        format!("{} ({})", self.display, self.name)
    }
}

/// All services of a computer, sorted by name.
pub(crate) fn services_of(cx: &Cx<'_>, computer: ComputerId) -> Vec<Service> {
    let mut all: Vec<Service> = cx
        .fabric
        .services(computer)
        .into_iter()
        .map(|(name, state)| Service {
            computer,
            name: name.short_name().to_owned(),
            display: cx.fabric.service_display_name(computer, name),
            status: state.status,
            disabled: state.disabled,
            kind: Kind::Product(name),
        })
        .collect();
    for (index, row) in cx.topology.sql_instances.iter().enumerate().filter(|(_, row)| row.computer == computer) {
        let sql = SqlId(index as u32);
        let (name, shown) = if row.instance.is_empty() {
            ("MSSQLSERVER".to_owned(), "MSSQLSERVER".to_owned())
        } else {
            (format!("MSSQL${}", row.instance.to_uppercase()), row.instance.to_uppercase())
        };
        all.push(Service {
            computer,
            name,
            display: format!("SQL Server ({shown})"),
            status: if cx.fabric.sql_up(sql) { ServiceStatus::Running } else { ServiceStatus::Stopped },
            disabled: false,
            kind: Kind::Sql(sql),
        });
    }
    all.extend(WINDOWS.iter().map(|(name, display)| Service {
        computer,
        name: (*name).to_owned(),
        display: (*display).to_owned(),
        status: ServiceStatus::Running,
        disabled: false,
        kind: Kind::Windows,
    }));
    all.sort_by_key(|service| service.name.to_lowercase());
    all
}

fn status_value(status: ServiceStatus) -> Value {
    let number = match status {
        ServiceStatus::Stopped => 1,
        ServiceStatus::StartPending => 2,
        ServiceStatus::StopPending => 3,
        ServiceStatus::Running => 4,
    };
    member("System.ServiceProcess.ServiceControllerStatus", status.text(), number)
}

/// Services that need a service, directly or not.
fn dependents(cx: &Cx<'_>, service: &Service) -> Vec<ServiceName> {
    let Kind::Product(name) = service.kind else { return Vec::new() };
    let all = cx.fabric.services(service.computer).into_iter().map(|(other, _)| other);
    all.filter(|other| *other != name && other.with_requirements().contains(&name)).collect()
}

fn named(names: impl IntoIterator<Item = ServiceName>) -> Value {
    Value::array(names.into_iter().map(|name| Value::str(name.short_name())).collect())
}

fn object(cx: &Cx<'_>, service: &Service) -> PsObject {
    let required = match service.kind {
        Kind::Product(name) => {
            let installed = |needed: &ServiceName| cx.fabric.service(service.computer, *needed).is_some();
            named(name.requires().iter().copied().filter(installed))
        }
        _ => Value::array(Vec::new()),
    };
    // The local computer is a dot, as .NET writes it.
    let machine = if service.computer == cx.here { "." } else { cx.computer_fqdn(service.computer) };
    let running = service.status == ServiceStatus::Running;
    let start = if service.disabled { ("Disabled", 4) } else { ("Automatic", 2) };
    CONTROLLER
        .object(vec![
            Value::str(service.name.as_str()),
            required.clone(),
            Value::Bool(false),
            Value::Bool(running),
            Value::Bool(running),
            Value::str(service.display.as_str()),
            named(dependents(cx, service)),
            Value::str(machine),
            Value::str(service.name.as_str()),
            required,
            status_value(service.status),
            member("System.ServiceProcess.ServiceType", "Win32OwnProcess", 16),
            member("System.ServiceProcess.ServiceStartMode", start.0, start.1),
        ])
        .with_text(service.name.as_str())
}

/// The computers that the parameters name; those that do not answer are errors.
fn computers(cx: &mut Cx<'_>) -> Vec<ComputerId> {
    let Some(names) = cx.list("ComputerName") else { return vec![cx.here] };
    let mut found = Vec::new();
    for name in names {
        let local = matches!(&*name.to_lowercase(), "localhost" | "." | "127.0.0.1");
        let computer = if local { Some(cx.here) } else { cx.topology.find_computer(&name) };
        match computer.filter(|computer| cx.fabric.reaches(cx.here, *computer, 135)) {
            Some(computer) => found.push(computer),
            None => cx.error(failure(
                fill(text::SERVICE_MANAGER_UNREACHABLE, &[&name]),
                "System.InvalidOperationException",
                "NotSpecified",
                "System.InvalidOperationException",
                Value::Null,
            )),
        }
    }
    found
}

fn missing(name: &str, by_display: bool) -> Box<CommandError> {
    let (template, id) = if by_display {
        (text::NO_SERVICE_DISPLAYED, "NoServiceFoundForGivenDisplayName")
    } else {
        (text::NO_SERVICE_NAMED, "NoServiceFoundForGivenName")
    };
    failure(fill(template, &[name]), id, "ObjectNotFound", EXCEPTION, Value::str(name))
}

/// The services that the parameters mean. Names take wildcards; a plain name that nobody has is an error.
fn chosen(cx: &mut Cx<'_>) -> Vec<Service> {
    if let Some(given) = cx.get("InputObject").cloned() {
        let items = given.items().unwrap_or_else(|| vec![given]);
        return items.iter().filter_map(|item| of_object(cx, item)).collect();
    }
    let (names, displays) = (cx.list("Name"), cx.list("DisplayName"));
    let (include, exclude) = (cx.list("Include").unwrap_or_default(), cx.list("Exclude").unwrap_or_default());
    let mut found: Vec<Service> = Vec::new();
    for computer in computers(cx) {
        let all = services_of(cx, computer);
        if names.is_none() && displays.is_none() {
            found.extend(all.iter().cloned());
        }
        for (patterns, by_display) in [(&names, false), (&displays, true)] {
            for pattern in patterns.iter().flatten() {
                let hits: Vec<&Service> = all.iter().filter(|s| like(pattern, if by_display { &s.display } else { &s.name })).collect();
                if hits.is_empty() && !pattern.contains(['*', '?', '[']) {
                    cx.error(missing(pattern, by_display));
                }
                for hit in hits {
                    if !found.iter().any(|known| known.name == hit.name && known.computer == hit.computer) {
                        found.push(hit.clone());
                    }
                }
            }
        }
    }
    found.retain(|service| {
        (include.is_empty() || include.iter().any(|p| like(p, &service.name))) && !exclude.iter().any(|p| like(p, &service.name))
    });
    found
}

/// The service behind an object of an earlier `Get-Service`.
fn of_object(cx: &mut Cx<'_>, value: &Value) -> Option<Service> {
    let Value::Object(object) = value else {
        let name = crate::context::as_text(value)?;
        return services_of(cx, cx.here).into_iter().find(|s| s.name.eq_ignore_ascii_case(&name));
    };
    let text = |name: &str| object.get(name).as_ref().and_then(crate::context::as_text).unwrap_or_default();
    let machine = text("MachineName");
    let computer = if &*machine == "." || machine.is_empty() { Some(cx.here) } else { cx.topology.find_computer(&machine) }?;
    let name = text("Name");
    let found = services_of(cx, computer).into_iter().find(|s| s.name.eq_ignore_ascii_case(&name));
    if found.is_none() {
        cx.error(missing(&name, false));
    }
    found
}

fn get(cx: &mut Cx<'_>) -> Done {
    for service in chosen(cx) {
        if cx.switch("DependentServices") || cx.switch("RequiredServices") {
            let Kind::Product(name) = service.kind else { continue };
            let others = if cx.switch("DependentServices") { dependents(cx, &service) } else { name.requires().to_vec() };
            for other in services_of(cx, service.computer) {
                if matches!(other.kind, Kind::Product(name) if others.contains(&name)) {
                    let object = object(cx, &other);
                    cx.output(object);
                }
            }
            continue;
        }
        let object = object(cx, &service);
        cx.output(object);
    }
    Ok(())
}

/// The service as it is now.
fn again(cx: &Cx<'_>, service: &Service) -> Service {
    services_of(cx, service.computer).into_iter().find(|s| s.name == service.name).unwrap_or_else(|| service.clone())
}

fn pass(cx: &mut Cx<'_>, service: &Service) {
    if cx.switch("PassThru") {
        let now = again(cx, service);
        let object = object(cx, &now);
        cx.output(object);
    }
}

/// Whether a service can be driven in the model; those of Windows and SQL Server cannot.
fn product(cx: &mut Cx<'_>, service: &Service, doing: &str) -> Option<ServiceName> {
    match service.kind {
        Kind::Product(name) => Some(name),
        Kind::Sql(_) | Kind::Windows => {
            cx.io.unmodelled(&format!("{doing} {}", service.name));
            None
        }
    }
}

fn failed(service: &Service, starting: bool) -> Box<CommandError> {
    let (template, id, category) = if starting {
        (text::SERVICE_NOT_STARTED, "StartServiceFailed", "OpenError")
    } else {
        (text::SERVICE_NOT_STOPPED, "StopServiceFailed", "CloseError")
    };
    failure(fill(template, &[&service.label()]), id, category, EXCEPTION, Value::str(service.name.as_str()))
}

fn start_one(cx: &mut Cx<'_>, service: &Service) -> Done {
    let Some(name) = product(cx, service, "Start-Service") else { return Ok(()) };
    if again(cx, service).status == ServiceStatus::Running {
        return Ok(());
    }
    if service.disabled {
        cx.error(failed(service, true));
        return Ok(());
    }
    for _ in 0..2 {
        cx.io.warning(&fill(text::WAITING_FOR_START, &[&service.label()]));
    }
    match cx.perform(Operation::StartServices { computer: service.computer, service: Some(name), no_wait: false }) {
        Ok(_) => Ok(()),
        Err(error) if cx.state.limit.is_some() => Err(error),
        Err(_) => {
            cx.error(failed(service, true));
            Ok(())
        }
    }
}

fn start(cx: &mut Cx<'_>) -> Done {
    for service in chosen(cx) {
        if proceed(cx, &service, "Start-Service")? {
            start_one(cx, &service)?;
            pass(cx, &service);
        }
    }
    Ok(())
}

fn proceed(cx: &mut Cx<'_>, service: &Service, action: &str) -> Result<bool, Box<CommandError>> {
    cx.proceed_with(&service.label(), action)
}

/// Stops a service; says whether it may be gone on with.
fn stop_one(cx: &mut Cx<'_>, service: &Service, no_wait: bool) -> Result<bool, Box<CommandError>> {
    let Some(name) = product(cx, service, "Stop-Service") else { return Ok(false) };
    let running = |cx: &Cx<'_>, other: &ServiceName| cx.fabric.service_running(service.computer, *other);
    if !cx.switch("Force") && dependents(cx, service).iter().any(|other| running(cx, other)) {
        cx.error(failure(
            fill(text::SERVICE_HAS_DEPENDENTS, &[&service.label()]),
            "ServiceHasDependentServices",
            "InvalidOperation",
            EXCEPTION,
            Value::str(service.name.as_str()),
        ));
        return Ok(false);
    }
    match cx.perform(Operation::StopServices { computer: service.computer, service: Some(name), graceful: false, no_wait }) {
        Ok(_) => Ok(true),
        Err(error) if cx.state.limit.is_some() => Err(error),
        Err(_) => {
            cx.error(failed(service, false));
            Ok(false)
        }
    }
}

fn stop(cx: &mut Cx<'_>) -> Done {
    let no_wait = cx.switch("NoWait");
    for service in chosen(cx) {
        if proceed(cx, &service, "Stop-Service")? {
            stop_one(cx, &service, no_wait)?;
            pass(cx, &service);
        }
    }
    Ok(())
}

fn restart(cx: &mut Cx<'_>) -> Done {
    for service in chosen(cx) {
        if !proceed(cx, &service, "Restart-Service")? {
            continue;
        }
        // What stops with it starts again with it.
        let with_it: Vec<ServiceName> =
            dependents(cx, &service).into_iter().filter(|other| cx.fabric.service_running(service.computer, *other)).collect();
        if !stop_one(cx, &service, false)? {
            continue;
        }
        start_one(cx, &service)?;
        for other in with_it {
            let operation = Operation::StartServices { computer: service.computer, service: Some(other), no_wait: false };
            if let Err(error) = cx.perform(operation) {
                if cx.state.limit.is_some() {
                    return Err(error);
                }
                cx.error(error);
            }
        }
        pass(cx, &service);
    }
    Ok(())
}

/// How long a change of the startup type takes: none.
const AT_ONCE: SimDuration = SimDuration(0);

fn set(cx: &mut Cx<'_>) -> Done {
    for service in chosen(cx) {
        if !proceed(cx, &service, "Set-Service")? {
            continue;
        }
        let Some(name) = product(cx, &service, "Set-Service") else { continue };
        if let Some(kind) = cx.text("StartupType") {
            match kind.to_lowercase().as_str() {
                "disabled" => cx.fabric.set_service_disabled(service.computer, name, true),
                "automatic" => cx.fabric.set_service_disabled(service.computer, name, false),
                other => {
                    // Manual start: the model's services start by themselves when they can.
                    let other = other.to_owned();
                    cx.unmodelled("StartupType", &other);
                }
            }
            let now = cx.fabric.now() + AT_ONCE;
            if let Err(limit) = cx.fabric.advance_to(now) {
                cx.state.limit = Some(limit);
            }
        }
        match cx.text("Status").map(|status| status.to_lowercase()).as_deref() {
            None => {}
            Some("running") => start_one(cx, &service)?,
            Some("stopped") => {
                stop_one(cx, &service, false)?;
            }
            Some(other) => {
                let other = other.to_owned();
                cx.unmodelled("Status", &other);
            }
        }
        pass(cx, &service);
    }
    Ok(())
}
