//! What an administrator sees of names and ports from a server: `Resolve-DnsName`, `Test-NetConnection`.

use std::net::Ipv4Addr;

use firedrill_fabric::naming::{Answer, canonical_name};
use firedrill_fabric::{ServiceName, ServiceStatus};
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{ComputerId, ComputerRole, RecordData, RecordType};

use crate::commands::Command;
use crate::context::{Cx, Done, failure, number};
use crate::dns::{type_named, type_text};
use crate::shapes::Shape;
use crate::texts::{Text, fill, text};

pub(crate) const COMMANDS: &[Command] = &[
    // Where the question goes and over what makes no difference in the model: one set of external servers answers.
    Command::new("Resolve-DnsName", resolve, &["Name", "Type", "DnsOnly", "NoHostsFile", "TcpOnly", "QuickTimeout", "NoIdn"])
        .implemented_by("Microsoft.DnsClient.Commands.ResolveDnsName"),
    Command::new("Test-NetConnection", test_connection, &["ComputerName", "Port", "CommonTCPPort"]).implemented_by("Test-NetConnection"),
];

/// Address records as the client prints them.
pub(crate) static ADDRESS: Shape = Shape::new("Microsoft.DnsClient.Commands.DnsRecord_A", &["Name", "Type", "TTL", "Section", "IPAddress"]);
/// SRV records.
pub(crate) static SERVICE: Shape = Shape::new(
    "Microsoft.DnsClient.Commands.DnsRecord_SRV",
    &["Name", "Type", "TTL", "Section", "NameTarget", "Priority", "Weight", "Port"],
);
/// Records whose data is a name.
pub(crate) static POINTER: Shape =
    Shape::new("Microsoft.DnsClient.Commands.DnsRecord_PTR", &["Name", "Type", "TTL", "Section", "NameHost"]);
/// Text records.
pub(crate) static TEXT: Shape = Shape::new("Microsoft.DnsClient.Commands.DnsRecord_TXT", &["Name", "Type", "TTL", "Section", "Strings"]);
/// SOA records, which stand for "no such data".
pub(crate) static AUTHORITY: Shape = Shape::new(
    "Microsoft.DnsClient.Commands.DnsRecord_SOA",
    &["Name", "Type", "TTL", "Section", "PrimaryServer", "NameAdministrator", "SerialNumber"],
);
/// Result of a TCP test.
pub(crate) static TCP_TEST: Shape = Shape::new(
    "TestNetConnectionResult",
    &["ComputerName", "RemoteAddress", "RemotePort", "InterfaceAlias", "SourceAddress", "TcpTestSucceeded"],
);
/// Result of a test without a port.
pub(crate) static PING_TEST: Shape =
    Shape::new("TestNetConnectionResult", &["ComputerName", "RemoteAddress", "InterfaceAlias", "SourceAddress", "PingSucceeded"]);

fn record_object(name: &str, ttl: u32, data: &RecordData) -> PsObject {
    let head = |kind: RecordType| vec![Value::str(name), Value::str(type_text(kind).0), number(ttl), Value::str("Answer")];
    let with = |kind: RecordType, tail: Vec<Value>| head(kind).into_iter().chain(tail).collect();
    match data {
        RecordData::A(address) => ADDRESS.object(with(RecordType::A, vec![Value::str(address.to_string())])),
        RecordData::Aaaa(address) => ADDRESS.object(with(RecordType::Aaaa, vec![Value::str(address.to_string())])),
        RecordData::Cname(host) => POINTER.object(with(RecordType::Cname, vec![Value::str(host.as_str())])),
        RecordData::Ns(host) => POINTER.object(with(RecordType::Ns, vec![Value::str(host.as_str())])),
        RecordData::Txt(line) => TEXT.object(with(RecordType::Txt, vec![Value::array(vec![Value::str(line.as_str())])])),
        RecordData::Srv { priority, weight, port, target } => {
            let tail = vec![Value::str(target.as_str()), number(*priority), number(*weight), number(*port)];
            SERVICE.object(with(RecordType::Srv, tail))
        }
    }
}

fn resolve(cx: &mut Cx<'_>) -> Done {
    let given = cx.text("Name").unwrap_or_default();
    let name = canonical_name(&given);
    let wanted: Vec<RecordType> = match cx.text("Type") {
        None => vec![RecordType::Aaaa, RecordType::A],
        Some(kind) if kind.eq_ignore_ascii_case("A_AAAA") => vec![RecordType::Aaaa, RecordType::A],
        Some(kind) => match type_named(&kind) {
            Some(kind) => vec![kind],
            None => {
                cx.unmodelled("Type", &kind);
                return Ok(());
            }
        },
    };
    let client_error = |template: Text, id: &str, category: &str| {
        failure(fill(template, &[&given]), id, category, "System.ComponentModel.Win32Exception", Value::str(&*given))
    };
    // The internal view answers for its zones even while the external servers are down (split horizon).
    let inside = cx.fabric.internal_zones().zone_for(&name).is_some();
    if !inside && !cx.fabric.dns_up() {
        return Err(client_error(text::DNS_TIMEOUT, "ERROR_TIMEOUT", "OperationTimeout"));
    }
    let mut found = false;
    let mut last = Answer::NoData;
    for record_type in wanted {
        let (answer, _) = cx.fabric.resolve_inside(&name, record_type);
        if let Answer::Records { aliases, set } = &answer {
            found = true;
            let mut owner = name.clone();
            for alias in aliases {
                cx.output(record_object(&owner, set.ttl, &RecordData::Cname(alias.clone())));
                owner.clone_from(alias);
            }
            for data in &set.data {
                cx.output(record_object(&owner, set.ttl, data));
            }
        }
        last = answer;
    }
    if found {
        return Ok(());
    }
    match last {
        Answer::NoServer => {
            // Internal names are not part of the model: only the external zones are.
            cx.unmodelled("Name", &given);
            Ok(())
        }
        Answer::NoName => Err(client_error(text::DNS_NAME_MISSING, "DNS_ERROR_RCODE_NAME_ERROR", "ResourceUnavailable")),
        // The client prints the SOA record of the zone.
        _ => {
            let view = if inside { cx.fabric.internal_zones() } else { cx.fabric.zones() };
            if let Some(zone) = view.zone_for(&name).cloned() {
                let object = AUTHORITY.object(vec![
                    Value::str(zone.origin.as_str()),
                    Value::str("SOA"),
                    number(zone.soa.minimum),
                    Value::str("Authority"),
                    Value::str(zone.soa.primary.as_str()),
                    Value::str(zone.soa.responsible.as_str()),
                    number(zone.soa.serial),
                ]);
                cx.output(object);
            }
            Ok(())
        }
    }
}

/// Where a connection goes.
enum Destination {
    /// A computer of the deployment, over the internal network.
    Computer(ComputerId),
    /// An external address of an Edge Server.
    External(Ipv4Addr),
}

/// Whether a name or address leads anywhere.
pub(crate) fn knows(cx: &Cx<'_>, name: &str) -> bool {
    destination(cx, name).is_some()
}

/// Whether what a name or address leads to answers a ping.
pub(crate) fn answers(cx: &Cx<'_>, name: &str) -> bool {
    match destination(cx, name) {
        Some(Destination::Computer(computer)) => cx.fabric.reaches(cx.here, computer, 0),
        Some(Destination::External(address)) => {
            cx.fabric.listeners().iter().any(|listener| listener.address == address && cx.fabric.computer_up(listener.computer))
        }
        None => false,
    }
}

fn destination(cx: &Cx<'_>, name: &str) -> Option<Destination> {
    if let Some(computer) = cx.topology.find_computer(name) {
        return Some(Destination::Computer(computer));
    }
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return Some(Destination::External(address));
    }
    // A pool's name leads to one of its servers.
    if let Some(pool) = cx.topology.find_pool(name) {
        let servers = &cx.topology.pool(pool).front_ends;
        let up = servers.iter().find(|computer| cx.fabric.computer_up(**computer)).or(servers.first());
        return up.copied().map(Destination::Computer);
    }
    if let Some(edge) = cx.topology.find_edge_pool(name) {
        let servers = &cx.topology.edge_pool(edge).servers;
        let up = servers.iter().find(|server| cx.fabric.computer_up(server.computer)).or(servers.first());
        return up.map(|server| Destination::Computer(server.computer));
    }
    let name = canonical_name(name);
    if cx.fabric.internal_zones().zone_for(&name).is_none() && !cx.fabric.dns_up() {
        return None;
    }
    match cx.fabric.resolve_inside(&name, RecordType::A).0 {
        Answer::Records { set, .. } => set.data.iter().find_map(|data| match data {
            RecordData::A(address) => Some(Destination::External(*address)),
            _ => None,
        }),
        _ => None,
    }
}

/// Whether something listens on a port of a computer; `None` when the model does not know what would.
fn listens(cx: &Cx<'_>, computer: ComputerId, port: u16) -> Option<bool> {
    let role = cx.topology.computer(computer).role;
    let running = |service: ServiceName| cx.fabric.service(computer, service).is_some_and(|state| state.status == ServiceStatus::Running);
    let front_end = matches!(role, ComputerRole::FrontEnd(_));
    let product = front_end || matches!(role, ComputerRole::Edge(_));
    Some(match port {
        // Windows itself: shares, remote management, remote desktop.
        135 | 445 | 3389 | 5985 => true,
        80 | 443 | 8080 | 4443 if front_end => running(ServiceName::W3svc),
        4443 => running(ServiceName::Replica),
        5060 | 5061 | 444 | 5062 if product => running(ServiceName::RtcSrv),
        5077 | 5090..=5094 if front_end => running(ServiceName::FabricHostSvc),
        9001 if front_end => running(ServiceName::LyncBackup),
        23_456 if front_end => running(ServiceName::RtcXmppTgw),
        5269 | 23_456 => running(ServiceName::RtcXmppTgwPx),
        1433 | 5022 | 7022 if role == ComputerRole::Sql => {
            let instances = cx.topology.sql_instances.iter().enumerate().filter(|(_, row)| row.computer == computer);
            let mut ids = instances.map(|(index, _)| firedrill_topology::SqlId(index as u32));
            ids.any(|sql| cx.fabric.sql_up(sql))
        }
        _ => return None,
    })
}

/// The port that is asked for, when one is.
fn wanted_port(cx: &Cx<'_>) -> Option<u16> {
    match cx.text("CommonTCPPort").as_deref() {
        Some("HTTP") => Some(80),
        Some("RDP") => Some(3389),
        Some("SMB") => Some(445),
        Some("WINRM") => Some(5985),
        _ => cx.integer("Port").and_then(|port| u16::try_from(port).ok()),
    }
}

fn test_connection(cx: &mut Cx<'_>) -> Done {
    let Some(name) = cx.text("ComputerName") else {
        cx.io.unmodelled("Test-NetConnection without -ComputerName");
        return Ok(());
    };
    let destination = destination(cx, &name);
    let address = match &destination {
        Some(Destination::External(address)) => Value::str(address.to_string()),
        _ => Value::Null,
    };
    if destination.is_none() {
        cx.warning(&fill(text::NAME_RESOLUTION_FAILED, &[&name]));
    }
    let source = Value::str(cx.computer_fqdn(cx.here));
    let Some(port) = wanted_port(cx) else {
        let reached = match destination {
            Some(Destination::Computer(computer)) => cx.fabric.reaches(cx.here, computer, 445),
            Some(Destination::External(address)) => {
                cx.fabric.listeners().iter().any(|listener| listener.address == address && cx.fabric.computer_up(listener.computer))
            }
            None => false,
        };
        cx.output(PING_TEST.object(vec![Value::Str(name), address, Value::str("Ethernet"), source, Value::Bool(reached)]));
        return Ok(());
    };
    let succeeded = match destination {
        None => Some(false),
        Some(Destination::Computer(computer)) if !cx.fabric.reaches(cx.here, computer, port) => Some(false),
        Some(Destination::Computer(computer)) => listens(cx, computer, port),
        Some(Destination::External(address)) => {
            let listener = cx.fabric.listeners().into_iter().find(|listener| listener.address == address && listener.port == port);
            listener.map(|listener| listener.listening)
        }
    };
    let Some(succeeded) = succeeded else {
        cx.unmodelled("Port", &port.to_string());
        return Ok(());
    };
    if !succeeded {
        cx.warning(&fill(text::TCP_CONNECT_FAILED, &[&name, &port.to_string()]));
    }
    let values = vec![Value::Str(name), address, number(port), Value::str("Ethernet"), source, Value::Bool(succeeded)];
    cx.output(TCP_TEST.object(values));
    Ok(())
}
