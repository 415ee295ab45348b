//! `Get-WmiObject` and `Get-CimInstance` for the classes that scripts read most.
//!
//! What the fabric knows (names, services, whether a computer is on) is real; sizes and builds are ordinary figures
//! (inferred: the model has no hardware).

use firedrill_powershell::command::CommandError;
use firedrill_powershell::convert::datetime;
use firedrill_powershell::value::{DateTime, Number};
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{ComputerId, ComputerRole, ProductVersion};

use crate::commands::Command;
use crate::context::{Cx, Done, failure, like};
use crate::texts::{fill, text};
use crate::win_services::services_of;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new(
        "Get-WmiObject",
        wmi,
        &[
            "Class",
            "Property",
            "Filter",
            "Query",
            "Namespace",
            "ComputerName",
            "Credential",
            "Authentication",
            "Impersonation",
            "EnableAllPrivileges",
            "ThrottleLimit",
        ],
    )
    .implemented_by("Microsoft.PowerShell.Commands.GetWmiObjectCommand"),
    Command::new(
        "Get-CimInstance",
        cim,
        &["ClassName", "Filter", "Query", "Namespace", "ComputerName", "Property", "OperationTimeoutSec", "Shallow"],
    )
    .implemented_by("Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"),
];

/// Which of the two families asks: dates and names differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Wmi,
    Cim,
}

/// A row before it becomes an object.
type Row = Vec<(&'static str, Value)>;

/// One comparison of a filter: property, operator, value.
#[derive(Debug, Clone)]
struct Condition {
    property: String,
    operator: String,
    value: String,
}

/// Comparisons joined by `AND`, groups of them by `OR`.
#[derive(Debug, Clone, Default)]
struct Filter(Vec<Vec<Condition>>);

fn tokens(source: &str) -> Option<Vec<String>> {
    let mut tokens = Vec::new();
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.peek().copied() {
        match c {
            c if c.is_whitespace() => {
                chars.next();
            }
            '\'' | '"' => {
                chars.next();
                let mut text = String::from("'");
                loop {
                    match chars.next()? {
                        '\\' => text.push(chars.next()?),
                        end if end == c => break,
                        other => text.push(other),
                    }
                }
                tokens.push(text);
            }
            '=' | '<' | '>' | '!' => {
                let mut operator = String::new();
                while let Some(c) = chars.peek().filter(|c| matches!(c, '=' | '<' | '>' | '!')) {
                    operator.push(*c);
                    chars.next();
                }
                tokens.push(operator);
            }
            '(' | ')' => return None,
            _ => {
                let mut word = String::new();
                while let Some(c) =
                    chars.peek().filter(|c| !c.is_whitespace() && !matches!(c, '=' | '<' | '>' | '!' | '\'' | '"' | '(' | ')'))
                {
                    word.push(*c);
                    chars.next();
                }
                tokens.push(word);
            }
        }
    }
    Some(tokens)
}

impl Filter {
    /// Reads a filter; `None` when it is not of the form that is modelled.
    fn parse(source: &str) -> Option<Self> {
        let mut groups = vec![Vec::new()];
        let mut tokens = tokens(source)?.into_iter();
        loop {
            let property = tokens.next()?;
            let operator = tokens.next()?.to_lowercase();
            if !matches!(operator.as_str(), "=" | "<>" | "!=" | "<" | ">" | "<=" | ">=" | "like") {
                return None;
            }
            let value = tokens.next()?.trim_start_matches('\'').to_owned();
            groups.last_mut()?.push(Condition { property, operator, value });
            match tokens.next().map(|word| word.to_lowercase()).as_deref() {
                None => return Some(Self(groups)),
                Some("and") => {}
                Some("or") => groups.push(Vec::new()),
                Some(_) => return None,
            }
        }
    }

    fn accepts(&self, row: &Row) -> bool {
        self.0.is_empty() || self.0.iter().any(|group| group.iter().all(|condition| condition.holds(row)))
    }
}

impl Condition {
    fn holds(&self, row: &Row) -> bool {
        let Some((_, value)) = row.iter().find(|(name, _)| name.eq_ignore_ascii_case(&self.property)) else { return false };
        let shown = firedrill_powershell::convert::display(value);
        let wanted = match self.value.to_lowercase().as_str() {
            "true" => "True".to_owned(),
            "false" => "False".to_owned(),
            _ => self.value.clone(),
        };
        let order = match (shown.parse::<f64>(), wanted.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal),
            _ => shown.to_lowercase().cmp(&wanted.to_lowercase()),
        };
        match self.operator.as_str() {
            "=" => order.is_eq(),
            "<>" | "!=" => order.is_ne(),
            "<" => order.is_lt(),
            ">" => order.is_gt(),
            "<=" => order.is_le(),
            ">=" => order.is_ge(),
            _ => like(&wanted.replace('%', "*").replace('_', "?"), &shown),
        }
    }
}

/// What `-Query` asks for: `SELECT … FROM class WHERE …`.
fn query(source: &str) -> Option<(String, Filter)> {
    let lower = source.to_lowercase();
    let from = lower.find(" from ")?;
    if !lower.trim_start().starts_with("select") {
        return None;
    }
    let rest = source[from + 6..].trim();
    let (class, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let rest = rest.trim();
    if rest.is_empty() {
        return Some((class.to_owned(), Filter::default()));
    }
    let condition = rest.get(..6).filter(|word| word.eq_ignore_ascii_case("where ")).map(|_| &rest[6..])?;
    Some((class.to_owned(), Filter::parse(condition)?))
}

fn unsigned(n: u64) -> Value {
    Value::Number(Number::UInt64(n))
}

/// Operating system of a generation's servers: caption, version, build (inferred: the newest one that each supports at
/// its release).
fn system(cx: &Cx<'_>, computer: ComputerId) -> (&'static str, &'static str, &'static str) {
    let version = match cx.topology.computer(computer).role {
        ComputerRole::FrontEnd(pool) => cx.topology.pool(pool).version,
        ComputerRole::Edge(edge) => cx.topology.edge_pool(edge).version,
        _ => cx.topology.version,
    };
    match version {
        ProductVersion::Lync2010 => ("Microsoft Windows Server 2008 R2 Standard ", "6.1.7601", "7601"),
        ProductVersion::Lync2013 | ProductVersion::Sfb2015 => ("Microsoft Windows Server 2012 R2 Standard", "6.3.9600", "9600"),
        ProductVersion::Sfb2019 => ("Microsoft Windows Server 2019 Standard", "10.0.17763", "17763"),
    }
}

/// When a computer booted last, as far as its event log tells; before the rehearsal otherwise.
fn booted(cx: &Cx<'_>, computer: ComputerId) -> DateTime {
    let last = cx.fabric.windows_events(computer).rev().find(|event| event.id == 6005).map(|event| event.at.0);
    const MONTH: i64 = 30 * 86_400 * 1_000_000_000;
    DateTime::from_nanoseconds(last.unwrap_or(cx.fabric.started().0 - MONTH))
}

/// A date as the family writes it: CIM has dates, WMI text.
fn moment(at: DateTime, family: Family) -> Value {
    match family {
        Family::Cim => Value::DateTime(at),
        Family::Wmi => Value::str(format!("{}+000", datetime::format(at, "yyyyMMddHHmmss.ffffff").unwrap_or_default())),
    }
}

const GIB: u64 = 1 << 30;

/// The rows of a class on a computer; `None` when the class is not modelled.
fn rows(cx: &Cx<'_>, computer: ComputerId, class: &str, family: Family) -> Option<Vec<Row>> {
    let fqdn = cx.computer_fqdn(computer).to_owned();
    let host = fqdn.split('.').next().unwrap_or(&fqdn).to_uppercase();
    let name = Value::str(host.as_str());
    let text = |text: &str| Value::str(text);
    Some(match class.to_lowercase().as_str() {
        "win32_operatingsystem" => {
            let (caption, version, build) = system(cx, computer);
            let now = DateTime::from_nanoseconds(cx.fabric.now().0);
            vec![vec![
                ("SystemDirectory", text("C:\\Windows\\system32")),
                ("Organization", text("")),
                ("BuildNumber", text(build)),
                ("RegisteredUser", text("Windows User")),
                ("SerialNumber", text("00000-00000-00000-AA000")),
                ("Version", text(version)),
                ("Caption", text(caption)),
                ("CSName", name),
                ("OSArchitecture", text("64-bit")),
                ("ServicePackMajorVersion", Value::Number(Number::UInt16(0))),
                ("ProductType", Value::Number(Number::UInt32(3))),
                ("LastBootUpTime", moment(booted(cx, computer), family)),
                ("LocalDateTime", moment(now, family)),
                ("TotalVisibleMemorySize", unsigned(32 << 20)),
                ("FreePhysicalMemory", unsigned(16 << 20)),
                ("SystemDrive", text("C:")),
                ("WindowsDirectory", text("C:\\Windows")),
                ("Status", text("OK")),
            ]]
        }
        "win32_computersystem" => {
            let edge = matches!(cx.topology.computer(computer).role, ComputerRole::Edge(_));
            let domain = if edge { "WORKGROUP".to_owned() } else { cx.topology.ad_domain.clone() };
            vec![vec![
                ("Domain", text(&domain)),
                ("Manufacturer", text("Microsoft Corporation")),
                ("Model", text("Virtual Machine")),
                ("Name", name.clone()),
                ("PrimaryOwnerName", text("Windows User")),
                ("TotalPhysicalMemory", unsigned(32 * GIB)),
                ("DNSHostName", text(&host.to_lowercase())),
                ("PartOfDomain", Value::Bool(!edge)),
                ("DomainRole", Value::Number(Number::UInt16(if edge { 2 } else { 3 }))),
                ("NumberOfProcessors", Value::Number(Number::UInt32(2))),
                ("NumberOfLogicalProcessors", Value::Number(Number::UInt32(8))),
                ("UserName", Value::Null),
                ("Status", text("OK")),
            ]]
        }
        "win32_service" => services_of(cx, computer)
            .into_iter()
            .map(|service| {
                let running = service.status == firedrill_fabric::ServiceStatus::Running;
                let state = match service.status {
                    firedrill_fabric::ServiceStatus::Running => "Running",
                    firedrill_fabric::ServiceStatus::Stopped => "Stopped",
                    firedrill_fabric::ServiceStatus::StartPending => "Start Pending",
                    firedrill_fabric::ServiceStatus::StopPending => "Stop Pending",
                };
                vec![
                    ("ExitCode", Value::Number(Number::UInt32(0))),
                    ("Name", text(&service.name)),
                    ("ProcessId", Value::Number(Number::UInt32(0))),
                    ("StartMode", text(if service.disabled { "Disabled" } else { "Auto" })),
                    ("State", text(state)),
                    ("Status", text("OK")),
                    ("Caption", text(&service.display)),
                    ("DisplayName", text(&service.display)),
                    ("Started", Value::Bool(running)),
                    ("StartName", text("NT AUTHORITY\\NetworkService")),
                    ("SystemName", name.clone()),
                ]
            })
            .collect(),
        "win32_logicaldisk" => vec![vec![
            ("DeviceID", text("C:")),
            ("DriveType", Value::Number(Number::UInt32(3))),
            ("ProviderName", Value::Null),
            ("FreeSpace", unsigned(60 * GIB)),
            ("Size", unsigned(120 * GIB)),
            ("VolumeName", text("")),
            ("Name", text("C:")),
            ("FileSystem", text("NTFS")),
            ("Description", text("Local Fixed Disk")),
            ("SystemName", name),
        ]],
        "win32_processor" => vec![vec![
            ("Caption", text("Intel64 Family 6")),
            ("DeviceID", text("CPU0")),
            ("Manufacturer", text("GenuineIntel")),
            ("Name", text("Intel(R) Xeon(R) CPU")),
            ("NumberOfCores", Value::Number(Number::UInt32(4))),
            ("NumberOfLogicalProcessors", Value::Number(Number::UInt32(4))),
            ("LoadPercentage", Value::Number(Number::UInt16(5))),
            ("SystemName", name),
        ]],
        "win32_bios" => vec![vec![
            ("SMBIOSBIOSVersion", text("Hyper-V UEFI Release v4.0")),
            ("Manufacturer", text("Microsoft Corporation")),
            ("Name", text("Hyper-V UEFI Release v4.0")),
            ("SerialNumber", text(&format!("{:04}", computer.0 + 1))),
            ("Version", text("VRTUAL - 1")),
        ]],
        _ => return None,
    })
}

fn object(class: &str, namespace: &str, row: Row, host: &str, wanted: Option<&[std::sync::Arc<str>]>, family: Family) -> PsObject {
    // The class is written as Windows writes it.
    let known = ["Win32_OperatingSystem", "Win32_ComputerSystem", "Win32_Service", "Win32_LogicalDisk", "Win32_Processor", "Win32_BIOS"];
    let class = known.iter().find(|known| known.eq_ignore_ascii_case(class)).copied().unwrap_or(class);
    let (type_name, text) = match family {
        Family::Wmi => (format!("System.Management.ManagementObject#{namespace}\\{class}"), format!("\\\\{host}\\{namespace}:{class}")),
        Family::Cim => {
            let path = namespace.replace('\\', "/");
            (format!("Microsoft.Management.Infrastructure.CimInstance#{path}/{class}"), class.to_owned())
        }
    };
    let mut view: Vec<std::sync::Arc<str>> = row.iter().take(6).map(|(name, _)| std::sync::Arc::from(*name)).collect();
    if let Some(wanted) = wanted {
        view.retain(|name| wanted.iter().any(|w| w.eq_ignore_ascii_case(name)));
    }
    let made = PsObject::new(type_name).with_text(text);
    if family == Family::Wmi {
        made.set("__CLASS", class);
        made.set("__SERVER", host);
        made.set("__NAMESPACE", namespace);
    }
    for (name, value) in row {
        if wanted.is_none_or(|wanted| wanted.iter().any(|w| &**w == "*" || w.eq_ignore_ascii_case(name))) {
            made.set(name, value);
        }
    }
    made.set("PSComputerName", host);
    PsObject { default_view: view, ..made }
}

fn wmi(cx: &mut Cx<'_>) -> Done {
    if cx.switch("List") {
        cx.io.unmodelled("Get-WmiObject -List");
        return Ok(());
    }
    ask(cx, "Class", Family::Wmi)
}

fn cim(cx: &mut Cx<'_>) -> Done {
    if let Some(given) = cx.get("InputObject").cloned() {
        // The object as it is: what it shows was read a moment ago.
        cx.output(given);
        return Ok(());
    }
    ask(cx, "ClassName", Family::Cim)
}

fn unreachable(name: &str, family: Family) -> Box<CommandError> {
    match family {
        Family::Wmi => failure(
            text::RPC_UNAVAILABLE.template,
            "GetWMICOMException",
            "InvalidOperation",
            "System.Runtime.InteropServices.COMException",
            Value::str(name),
        ),
        Family::Cim => failure(
            fill(text::WINRM_TIMEOUT, &[name]),
            "HRESULT 0x80338126",
            "ConnectionError",
            "Microsoft.Management.Infrastructure.CimException",
            Value::str(name),
        ),
    }
}

fn ask(cx: &mut Cx<'_>, class_parameter: &str, family: Family) -> Done {
    let name = cx.command.name.clone();
    let (class, filter) = match cx.text("Query") {
        Some(source) => match query(&source) {
            Some(found) => found,
            None => {
                cx.io.unmodelled(&format!("{name} -Query {source}"));
                return Ok(());
            }
        },
        None => {
            let class = cx.text(class_parameter).unwrap_or_default().to_string();
            let filter = match cx.text("Filter") {
                None => Filter::default(),
                Some(source) => match Filter::parse(&source) {
                    Some(filter) => filter,
                    None => {
                        cx.io.unmodelled(&format!("{name} -Filter {source}"));
                        return Ok(());
                    }
                },
            };
            (class, filter)
        }
    };
    let namespace = cx.text("Namespace").unwrap_or_else(|| "root\\cimv2".into()).replace('/', "\\");
    let wanted = cx.list("Property");
    let computers = cx.list("ComputerName").unwrap_or_else(|| vec!["localhost".into()]);
    let port = if family == Family::Wmi { 135 } else { 5985 };
    for computer_name in computers {
        let local = matches!(&*computer_name.to_lowercase(), "localhost" | "." | "127.0.0.1");
        let computer = if local { Some(cx.here) } else { cx.topology.find_computer(&computer_name) };
        let Some(computer) = computer.filter(|computer| cx.fabric.reaches(cx.here, *computer, port)) else {
            cx.error(unreachable(&computer_name, family));
            continue;
        };
        let found = if namespace.eq_ignore_ascii_case("root\\cimv2") { rows(cx, computer, &class, family) } else { None };
        let Some(rows) = found else {
            let lower = class.to_lowercase();
            let of_windows = lower.starts_with("win32_")
                || lower.starts_with("cim_")
                || lower.starts_with("msft_")
                || !namespace.eq_ignore_ascii_case("root\\cimv2");
            if of_windows {
                cx.io.unmodelled(&format!("{name} {class}"));
            } else {
                let (message, id, exception) = match family {
                    Family::Wmi => {
                        (fill(text::WMI_INVALID_CLASS, &[&class]), "GetWMIManagementException", "System.Management.ManagementException")
                    }
                    Family::Cim => (
                        text::CIM_INVALID_CLASS.template.to_owned(),
                        "HRESULT 0x80041010",
                        "Microsoft.Management.Infrastructure.CimException",
                    ),
                };
                cx.error(failure(message, id, "InvalidType", exception, Value::Null));
            }
            return Ok(());
        };
        let host = cx.computer_fqdn(computer).split('.').next().unwrap_or_default().to_uppercase();
        for row in rows {
            if filter.accepts(&row) {
                cx.output(object(&class, &namespace, row, &host, wanted.as_deref(), family));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_compare_as_wql_does() {
        let row: Row = vec![("Name", Value::str("RTCSRV")), ("DriveType", Value::Int(3)), ("Started", Value::Bool(true))];
        for (source, holds) in [
            ("Name='rtcsrv'", true),
            ("Name=\"RTCSRV\" AND DriveType = 3", true),
            ("DriveType<3 OR Started = TRUE", true),
            ("Name LIKE 'RTC%'", true),
            ("Name like '%x%'", false),
            ("DriveType != 3", false),
            ("Missing = 1", false),
        ] {
            assert_eq!(Filter::parse(source).is_some_and(|filter| filter.accepts(&row)), holds, "{source}");
        }
        for bad in ["Name", "Name ISA 'x'", "(Name='a')", "Name='open", "Name='a' XOR Name='b'"] {
            assert!(Filter::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn queries_name_class_and_condition() {
        let (class, filter) = query("SELECT Name, State FROM Win32_Service WHERE Name = 'W3SVC'").expect("it is one");
        assert_eq!((class.as_str(), filter.0.len()), ("Win32_Service", 1));
        assert!(query("select * from Win32_BIOS").is_some_and(|(_, filter)| filter.0.is_empty()));
        assert!(query("delete from x").is_none());
        assert!(query("select * from x order by y").is_none());
    }
}
