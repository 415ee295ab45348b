//! Faults and DNS edits to what the fabric understands.

use std::net::{Ipv4Addr, Ipv6Addr};

use firedrill_fabric::fault::DnsEdit;
use firedrill_fabric::{Fault, NameServerFault};
use firedrill_syntax::{Located, Span, quote};
use firedrill_topology::{BackEnd, NameServerId, RecordData, RecordType};

use super::Resolver;
use crate::document::{DnsEditDocument, FaultDocument, NameServerFaultDocument, NameServerProblem, RecordTypeDocument};

impl Resolver<'_> {
    /// A fault as written; some name several faults of the fabric at once. `None` after a problem.
    pub(super) fn fault(&mut self, fault: &FaultDocument) -> Option<Vec<Fault>> {
        use FaultDocument as D;
        let topology = self.topology;
        Some(match fault {
            D::Computer(name) => vec![Fault::Computer(self.computer(name)?)],
            D::Pool(name) => vec![Fault::Pool(self.pool(name)?)],
            D::EdgePool(name) => vec![Fault::EdgePool(self.edge_pool(name)?)],
            D::Site(name) => vec![Fault::Site(self.site(name)?)],
            D::Sql(name) => vec![Fault::SqlInstance(self.sql(name)?)],
            D::BackEnd(name) => {
                let pool = self.pool(name)?;
                topology.pool(pool).back_end.data_instances().into_iter().map(Fault::SqlInstance).collect()
            }
            D::Witness(name) => {
                let pool = self.pool(name)?;
                let BackEnd::Mirrored { witness: Some(witness), .. } = topology.pool(pool).back_end else {
                    let message = format!("the back end of {} has no witness", quote(&topology.pool(pool).fqdn));
                    self.error(
                        "no-witness",
                        name.span,
                        message,
                        Some("give its mirrored back end a `witness:` in the topology, or break something else".to_owned()),
                    );
                    return None;
                };
                vec![Fault::SqlInstance(witness)]
            }
            D::FileStore(name) => {
                let pool = self.pool(name)?;
                let Some(store) = topology.pool(pool).file_store else {
                    let message = format!("{} has no file store", quote(&topology.pool(pool).fqdn));
                    self.error("no-file-store", name.span, message, Some("give the pool a `file_store:` in the topology".to_owned()));
                    return None;
                };
                vec![Fault::FileStore(store)]
            }
            D::Service(service) => {
                let computer = self.shell(&service.on);
                let name = self.service(&service.name);
                vec![Fault::Service(computer?, name?)]
            }
            D::Link(ends) => {
                let [one, other] = ends.as_slice() else {
                    let message = format!("a link has two ends, {} are written", ends.len());
                    self.error("wrong-length", ends.span, message, Some("write two sites: `[Site1, Site2]`".to_owned()));
                    return None;
                };
                let (first, second) = (self.site(one), self.site(other));
                let (first, second) = (first?, second?);
                if first == second {
                    self.error("link-to-itself", other.span, "both ends of the link are the same site", Some("name two sites".to_owned()));
                    return None;
                }
                vec![Fault::Link(first, second)]
            }
            D::Port(blocked) => {
                let (from, to) = (self.place(&blocked.from), self.place(&blocked.to));
                if *blocked.port == 0 {
                    self.error(
                        "bad-port",
                        blocked.port.span,
                        "there is no port 0",
                        Some("write a port from 1 to 65535, such as 5061 or 5269".to_owned()),
                    );
                    return None;
                }
                vec![Fault::Port { from: from?, to: to?, port: *blocked.port }]
            }
            D::ReplicaAgent(name) => vec![Fault::ReplicaAgent(self.shell(name)?)],
            D::BackupService(name) => vec![Fault::BackupService(self.pool(name)?)],
            D::DnsServer => vec![Fault::DnsServer],
            D::NameServer(fault) => {
                let (server, problem) = (self.name_server(&fault.host), self.name_server_problem(fault));
                vec![Fault::NameServer(server?, problem?)]
            }
            D::Certificate(name) => vec![Fault::Certificate(self.shell(name)?)],
            D::ActiveDirectory => vec![Fault::ActiveDirectory],
        })
    }

    fn name_server(&mut self, host: &Located<String>) -> Option<NameServerId> {
        let wanted = host.trim().trim_end_matches('.');
        let servers = &self.topology.name_servers;
        let place = servers.iter().position(|server| server.host.eq_ignore_ascii_case(wanted));
        let id = place.and_then(|place| u32::try_from(place).ok()).map(NameServerId);
        if id.is_none() {
            let hosts = firedrill_syntax::one_of(servers.iter().map(|server| server.host.as_str()));
            self.error("no-name-server", host.span, format!("there is no name server {}", quote(host)), Some(format!("write {hosts}")));
        }
        id
    }

    fn name_server_problem(&mut self, fault: &NameServerFaultDocument) -> Option<NameServerFault> {
        use NameServerProblem as P;
        if let (Some(by), false) = (&fault.by, fault.problem == P::Slow) {
            let hint = Some("remove `by`, or write `problem: slow`".to_owned());
            self.error("by-without-slow", by.span, "`by` says how late answers are", hint);
            return None;
        }
        Some(match fault.problem {
            P::Down => NameServerFault::Down,
            P::Drops => NameServerFault::Drops,
            P::Servfail => NameServerFault::ServFail,
            P::Refused => NameServerFault::Refused,
            P::TruncatedWithoutTcp => NameServerFault::TruncatedWithoutTcp,
            P::Stale => NameServerFault::Stale,
            P::MissesNotify => NameServerFault::MissesNotify,
            P::Slow => {
                let Some(by) = &fault.by else {
                    let hint = Some("add `by: 2s`".to_owned());
                    self.error("slow-without-by", fault.host.span, "how slow the name server is, is not said", hint);
                    return None;
                };
                NameServerFault::Slow(self.duration(by)?)
            }
        })
    }

    /// Edits of external zones. `None` after a problem in any of them.
    pub(super) fn dns_edits(&mut self, edits: &[Located<DnsEditDocument>], span: Span) -> Option<Vec<DnsEdit>> {
        if edits.is_empty() {
            self.error("empty-list", span, "there is no edit in this list", Some("write `- set:`, `- add:` or `- remove:`".to_owned()));
            return None;
        }
        let resolved: Vec<Option<Vec<DnsEdit>>> = edits.iter().map(|edit| self.dns_edit(edit)).collect();
        let whole: Option<Vec<Vec<DnsEdit>>> = resolved.into_iter().collect();
        whole.map(|edits| edits.into_iter().flatten().collect())
    }

    fn dns_edit(&mut self, edit: &DnsEditDocument) -> Option<Vec<DnsEdit>> {
        match edit {
            DnsEditDocument::Set(set) => {
                let name = self.zone_name(&set.name);
                let data = self.records(set.record_type, &set.data, set.name.span);
                let ttl = self.ttl(set.ttl.as_ref())?;
                Some(vec![DnsEdit::Replace { name: name?, record_type: record_type(set.record_type), ttl, data: data? }])
            }
            DnsEditDocument::Add(set) => {
                let name = self.zone_name(&set.name);
                let data = self.records(set.record_type, &set.data, set.name.span);
                let ttl = self.ttl(set.ttl.as_ref())?;
                let name = name?;
                Some(data?.into_iter().map(|data| DnsEdit::Add { name: name.clone(), ttl, data }).collect())
            }
            DnsEditDocument::Remove(removal) => {
                let name = self.zone_name(&removal.name);
                let record_type = record_type(removal.record_type);
                if removal.data.is_empty() {
                    return Some(vec![DnsEdit::Remove { name: name?, record_type, data: None }]);
                }
                let data = self.records(removal.record_type, &removal.data, removal.name.span);
                let name = name?;
                Some(data?.into_iter().map(|data| DnsEdit::Remove { name: name.clone(), record_type, data: Some(data) }).collect())
            }
        }
    }

    fn ttl(&mut self, ttl: Option<&Located<firedrill_syntax::DurationText>>) -> Option<Option<u32>> {
        match ttl {
            None => Some(None),
            Some(text) => self.seconds(text).map(Some),
        }
    }

    /// An owner name inside one of the external zones, lower case, without the final dot.
    fn zone_name(&mut self, name: &Located<String>) -> Option<String> {
        let owner = self.owner_name(name)?;
        let inside = |origin: &str| owner == origin || owner.strip_suffix(origin).is_some_and(|rest| rest.ends_with('.'));
        if self.topology.zones.iter().any(|zone| inside(&zone.origin)) {
            return Some(owner);
        }
        let origins: Vec<&str> = self.topology.zones.iter().map(|zone| zone.origin.as_str()).collect();
        let hint = match origins.as_slice() {
            [] => "this deployment has no external zones".to_owned(),
            some => format!("write the full name; the zones are {}", firedrill_syntax::one_of(some.iter().copied())),
        };
        self.error("no-zone", name.span, format!("no external zone holds {}", quote(name)), Some(hint));
        None
    }

    /// Any name as DNS has it, lower case, without the final dot.
    pub(super) fn owner_name(&mut self, name: &Located<String>) -> Option<String> {
        match dns_name(name) {
            Ok(name) => Some(name),
            Err(reason) => {
                self.error(
                    "bad-name",
                    name.span,
                    format!("{} is not a DNS name: {reason}", quote(name)),
                    Some("write the whole name, like `xmpp.contoso.com`".to_owned()),
                );
                None
            }
        }
    }

    /// Data in the notation of zone files.
    pub(super) fn records(&mut self, kind: RecordTypeDocument, texts: &[Located<String>], span: Span) -> Option<Vec<RecordData>> {
        if texts.is_empty() {
            let hint = format!("write {}", form_of(kind));
            self.error("empty-list", span, "there is no data for this name", Some(hint));
            return None;
        }
        let data: Vec<Option<RecordData>> = texts.iter().map(|text| self.record(kind, text)).collect();
        data.into_iter().collect()
    }

    fn record(&mut self, kind: RecordTypeDocument, text: &Located<String>) -> Option<RecordData> {
        match record_data(kind, text) {
            Ok(data) => Some(data),
            Err(reason) => {
                let message = format!("{} is not the data of {} record: {reason}", quote(text), article(kind));
                self.error("bad-record", text.span, message, Some(format!("write {}", form_of(kind))));
                None
            }
        }
    }
}

/// The type in the topology's terms.
pub(super) fn record_type(kind: RecordTypeDocument) -> RecordType {
    match kind {
        RecordTypeDocument::A => RecordType::A,
        RecordTypeDocument::Aaaa => RecordType::Aaaa,
        RecordTypeDocument::Cname => RecordType::Cname,
        RecordTypeDocument::Ns => RecordType::Ns,
        RecordTypeDocument::Srv => RecordType::Srv,
        RecordTypeDocument::Txt => RecordType::Txt,
    }
}

fn article(kind: RecordTypeDocument) -> &'static str {
    match kind {
        RecordTypeDocument::A => "an A",
        RecordTypeDocument::Aaaa => "an AAAA",
        RecordTypeDocument::Cname => "a CNAME",
        RecordTypeDocument::Ns => "an NS",
        RecordTypeDocument::Srv => "an SRV",
        RecordTypeDocument::Txt => "a TXT",
    }
}

fn form_of(kind: RecordTypeDocument) -> &'static str {
    match kind {
        RecordTypeDocument::A => "an IPv4 address, `198.51.100.20`",
        RecordTypeDocument::Aaaa => "an IPv6 address, `2001:db8::20`",
        RecordTypeDocument::Cname | RecordTypeDocument::Ns => "a full name, `xmpp2.contoso.com`",
        RecordTypeDocument::Srv => "priority, weight, port and target, `10 0 5269 xmpp2.contoso.com`",
        RecordTypeDocument::Txt => "a text",
    }
}

/// Record data in the notation of zone files (RFC 1035 5.1, RFC 2782).
fn record_data(kind: RecordTypeDocument, text: &str) -> Result<RecordData, String> {
    let text = text.trim();
    match kind {
        RecordTypeDocument::A => text.parse::<Ipv4Addr>().map(RecordData::A).map_err(|_| "it is not an IPv4 address".to_owned()),
        RecordTypeDocument::Aaaa => text.parse::<Ipv6Addr>().map(RecordData::Aaaa).map_err(|_| "it is not an IPv6 address".to_owned()),
        RecordTypeDocument::Cname => dns_name(text).map(RecordData::Cname),
        RecordTypeDocument::Ns => dns_name(text).map(RecordData::Ns),
        RecordTypeDocument::Txt => Ok(RecordData::Txt(text.to_owned())),
        RecordTypeDocument::Srv => {
            let parts: Vec<&str> = text.split_whitespace().collect();
            let [priority, weight, port, target] = parts.as_slice() else {
                return Err(format!("it has {} parts instead of four", parts.len()));
            };
            let number = |what: &str, text: &str| text.parse::<u16>().map_err(|_| format!("the {what} is not a number from 0 to 65535"));
            Ok(RecordData::Srv {
                priority: number("priority", priority)?,
                weight: number("weight", weight)?,
                port: number("port", port)?,
                // The target `.` says that there is decidedly no such service (RFC 2782).
                target: if *target == "." { String::new() } else { dns_name(target)? },
            })
        }
    }
}

/// A DNS name of two labels or more, lower case, without the final dot; labels may start with an underscore.
fn dns_name(text: &str) -> Result<String, String> {
    let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
    if name.is_empty() {
        return Err("it is empty".to_owned());
    }
    if name.len() > 253 {
        return Err("it has more than 253 characters".to_owned());
    }
    if !name.contains('.') {
        return Err("it has no domain".to_owned());
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Err("two dots follow each other".to_owned());
        }
        if label.len() > 63 {
            return Err(format!("the part {} has more than 63 characters", quote(label)));
        }
        if let Some(bad) = label.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*'))) {
            return Err(format!("it contains {}", quote(&bad.to_string())));
        }
    }
    Ok(name)
}
