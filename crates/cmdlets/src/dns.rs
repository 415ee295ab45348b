//! The DNS server's module: records of the external zones (dossier F.5; behaviour of the Windows module).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use firedrill_fabric::SimDuration;
use firedrill_fabric::fault::DnsEdit;
use firedrill_fabric::naming::{canonical_name, record_type};
use firedrill_fabric::world::DnsEditError;
use firedrill_powershell::command::CommandError;
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{RecordData, RecordSet, RecordType, Zone};

use crate::commands::Command;
use crate::context::{Cx, Done, as_integer, as_text, failure, number, span};
use crate::shapes::Shape;
use crate::texts::{fill, text};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Get-DnsServerResourceRecord", get_record, &["ZoneName", "Name", "RRType", "Node", "ComputerName"])
        .implemented_by("Get-DnsServerResourceRecord"),
    Command::new(
        "Add-DnsServerResourceRecord",
        add_record,
        &[
            "ZoneName",
            "Name",
            "InputObject",
            "A",
            "IPv4Address",
            "AAAA",
            "IPv6Address",
            "CName",
            "HostNameAlias",
            "NS",
            "NameServer",
            "Srv",
            "DomainName",
            "Priority",
            "Weight",
            "Port",
            "Txt",
            "DescriptiveText",
            "TimeToLive",
            "PassThru",
            "ComputerName",
        ],
    )
    .implemented_by("Add-DnsServerResourceRecord"),
    Command::new("Add-DnsServerResourceRecordA", add_a, &["ZoneName", "Name", "IPv4Address", "TimeToLive", "PassThru", "ComputerName"])
        .implemented_by("Add-DnsServerResourceRecordA"),
    Command::new(
        "Add-DnsServerResourceRecordCName",
        add_cname,
        &["ZoneName", "Name", "HostNameAlias", "TimeToLive", "PassThru", "ComputerName"],
    )
    .implemented_by("Add-DnsServerResourceRecordCName"),
    Command::new("Set-DnsServerResourceRecord", set_record, &["NewInputObject", "OldInputObject", "ZoneName", "PassThru", "ComputerName"])
        .implemented_by("Set-DnsServerResourceRecord"),
    Command::new(
        "Remove-DnsServerResourceRecord",
        remove_record,
        &["ZoneName", "InputObject", "Name", "RRType", "RecordData", "PassThru", "ComputerName"],
    )
    .high()
    .implemented_by("Remove-DnsServerResourceRecord"),
];

/// Properties of `DnsServerResourceRecord`, and its table view.
pub(crate) static RECORD: Shape = Shape::with_view(
    "Microsoft.Management.Infrastructure.CimInstance#root/Microsoft/Windows/DNS/DnsServerResourceRecord",
    &["HostName", "RecordType", "Type", "RecordClass", "TimeToLive", "Timestamp", "RecordData", "DistinguishedName"],
    &["HostName", "RecordType", "Type", "Timestamp", "TimeToLive", "RecordData"],
);

/// A zone that an administrator's command works on, and the server's name for messages.
struct Site {
    zone: Arc<Zone>,
    server: String,
}

fn cim(message: String, id: &str, category: &str, target: &str) -> Box<CommandError> {
    failure(message, id, category, "Microsoft.Management.Infrastructure.CimException", Value::str(target))
}

fn zone(cx: &mut Cx<'_>) -> Result<Site, Box<CommandError>> {
    let name = canonical_name(&cx.text("ZoneName").unwrap_or_default());
    let found = cx.fabric.zones().zones.get(&name).cloned();
    let server = found.as_ref().map_or_else(|| "localhost".to_owned(), |zone| zone.soa.primary.clone());
    let missing = || cim(fill(text::DNS_ZONE_MISSING, &[&name, &server]), "WIN32 9601", "ObjectNotFound", &name);
    let zone = found.ok_or_else(missing)?;
    if !cx.fabric.dns_primary_up() {
        return Err(cim(fill(text::DNS_SERVER_DOWN, &[&name, &server]), "WIN32 1722", "ConnectionError", &name));
    }
    if let Some(computer) = cx.text("ComputerName") {
        let host = server.split('.').next().unwrap_or_default();
        let known = ["localhost", ".", &server, host].iter().any(|known| known.eq_ignore_ascii_case(&computer));
        if !known {
            // Which machines run DNS servers is not part of the model; one primary holds the external zones.
            cx.unmodelled("ComputerName", &computer);
        }
    }
    Ok(Site { zone, server })
}

/// Absolute name of an owner as the module takes it: relative to the zone, `@`, or absolute.
fn owner(zone: &Zone, name: &str) -> String {
    let lower = canonical_name(name);
    if lower == "@" || lower.is_empty() || lower == zone.origin {
        return zone.origin.clone();
    }
    if name.ends_with('.') || lower.ends_with(&format!(".{}", zone.origin)) { lower } else { format!("{lower}.{}", zone.origin) }
}

/// Name as the module prints it: relative to the zone.
fn host_name(zone: &Zone, name: &str) -> String {
    if name == zone.origin {
        return "@".to_owned();
    }
    name.strip_suffix(&format!(".{}", zone.origin)).unwrap_or(name).to_owned()
}

/// Types by name and number.
const TYPES: &[(RecordType, &str, u16)] = &[
    (RecordType::A, "A", 1),
    (RecordType::Ns, "NS", 2),
    (RecordType::Cname, "CNAME", 5),
    (RecordType::Txt, "TXT", 16),
    (RecordType::Aaaa, "AAAA", 28),
    (RecordType::Srv, "SRV", 33),
];

/// The type with a name.
pub(crate) fn type_named(name: &str) -> Option<RecordType> {
    TYPES.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name)).map(|(record_type, ..)| *record_type)
}

/// Name and number of a type.
pub(crate) fn type_text(record_type: RecordType) -> (&'static str, u16) {
    TYPES.iter().find(|(known, ..)| *known == record_type).map_or(("A", 1), |(_, name, number)| (*name, *number))
}

fn dotted(name: &str) -> Value {
    Value::str(format!("{name}."))
}

/// Data as a nested instance; its text is what the table's last column shows.
fn data_object(data: &RecordData) -> PsObject {
    let object = |kind: &str| {
        PsObject::new(format!("Microsoft.Management.Infrastructure.CimInstance#root/Microsoft/Windows/DNS/DnsServerResourceRecord{kind}"))
    };
    match data {
        RecordData::A(address) => object("A").with("IPv4Address", address.to_string()).with_text(address.to_string()),
        RecordData::Aaaa(address) => object("AAAA").with("IPv6Address", address.to_string()).with_text(address.to_string()),
        RecordData::Cname(alias) => object("CName").with("HostNameAlias", dotted(alias)).with_text(format!("{alias}.")),
        RecordData::Ns(server) => object("NS").with("NameServer", dotted(server)).with_text(format!("{server}.")),
        RecordData::Txt(line) => object("TXT").with("DescriptiveText", line.as_str()).with_text(line.as_str()),
        RecordData::Srv { priority, weight, port, target } => object("SRV")
            .with("DomainName", dotted(target))
            .with("Port", number(*port))
            .with("Priority", number(*priority))
            .with("Weight", number(*weight))
            .with_text(format!("[{priority}][{weight}][{port}][{target}.]")),
    }
}

fn record_object(zone: &Zone, name: &str, ttl: u32, data: &RecordData) -> PsObject {
    let (type_name, type_number) = type_text(record_type(data));
    RECORD.object(vec![
        Value::str(host_name(zone, name)),
        Value::str(type_name),
        number(type_number),
        Value::str("IN"),
        span(SimDuration::from_secs(i64::from(ttl))),
        Value::Null,
        data_object(data).into(),
        Value::str(format!("DC={},DC={},cn=MicrosoftDNS,DC=DomainDnsZones", host_name(zone, name), zone.origin)),
    ])
}

fn missing_record(site: &Site, name: &str) -> Box<CommandError> {
    cim(fill(text::DNS_RECORD_MISSING, &[name, &site.zone.origin, &site.server]), "WIN32 9714", "ObjectNotFound", name)
}

fn wanted_type(cx: &mut Cx<'_>) -> Result<Option<RecordType>, ()> {
    match cx.text("RRType") {
        None => Ok(None),
        Some(name) => match type_named(&name) {
            Some(record_type) => Ok(Some(record_type)),
            None => {
                cx.unmodelled("RRType", &name);
                Err(())
            }
        },
    }
}

fn get_record(cx: &mut Cx<'_>) -> Done {
    let site = zone(cx)?;
    let Ok(record_type) = wanted_type(cx) else {
        return Ok(());
    };
    let name = cx.text("Name").map(|name| owner(&site.zone, &name));
    let mut found = 0;
    for ((owner, of_type), set) in &site.zone.records {
        if name.as_ref().is_some_and(|name| name != owner) || record_type.is_some_and(|wanted| wanted != *of_type) {
            continue;
        }
        for data in &set.data {
            found += 1;
            cx.output(record_object(&site.zone, owner, set.ttl, data));
        }
    }
    if let (0, Some(_)) = (found, &name) {
        let error = missing_record(&site, &cx.text("Name").unwrap_or_default());
        cx.error(error);
    }
    Ok(())
}

fn seconds(length: Option<SimDuration>) -> Option<u32> {
    length.and_then(|length| u32::try_from(length.as_secs()).ok())
}

fn invalid(parameter: &str, value: &str) -> Box<CommandError> {
    failure(
        fill(text::BAD_VALUE, &[value, parameter]),
        "ParameterArgumentTransformationError",
        "InvalidData",
        "System.Management.Automation.ParameterBindingArgumentTransformationException",
        Value::str(value),
    )
}

/// Data that the parameters of an `Add-` command describe.
fn given_data(cx: &Cx<'_>) -> Result<Vec<RecordData>, Box<CommandError>> {
    let name = |parameter: &str| cx.text(parameter).map(|name| canonical_name(&name));
    if let Some(addresses) = cx.list("IPv4Address") {
        let parse = |text: &Arc<str>| text.parse::<Ipv4Addr>().map(RecordData::A).map_err(|_| invalid("IPv4Address", text));
        return addresses.iter().map(parse).collect();
    }
    if let Some(addresses) = cx.list("IPv6Address") {
        let parse = |text: &Arc<str>| text.parse::<Ipv6Addr>().map(RecordData::Aaaa).map_err(|_| invalid("IPv6Address", text));
        return addresses.iter().map(parse).collect();
    }
    if let Some(alias) = name("HostNameAlias") {
        return Ok(vec![RecordData::Cname(alias)]);
    }
    if let Some(server) = name("NameServer") {
        return Ok(vec![RecordData::Ns(server)]);
    }
    if let Some(line) = cx.text("DescriptiveText") {
        return Ok(vec![RecordData::Txt(line.to_string())]);
    }
    let small = |parameter: &str| cx.integer(parameter).and_then(|value| u16::try_from(value).ok()).unwrap_or(0);
    if let Some(target) = name("DomainName") {
        let (priority, weight, port) = (small("Priority"), small("Weight"), small("Port"));
        return Ok(vec![RecordData::Srv { priority, weight, port, target }]);
    }
    Err(invalid("InputObject", ""))
}

fn edit(cx: &mut Cx<'_>, site: &Site, name: &str, edit: &DnsEdit) -> Done {
    cx.fabric.edit_dns(edit).map_err(|error| match error {
        DnsEditError::NoRecord { .. } => missing_record(site, name),
        other => cim(other.to_string(), "WIN32 9709", "InvalidOperation", name),
    })
}

fn add(cx: &mut Cx<'_>, site: &Site, name: &str, data: Vec<RecordData>, ttl: Option<u32>) -> Done {
    let shown = host_name(&site.zone, name);
    for data in data {
        let exists = site.zone.records.get(&(name.to_owned(), record_type(&data))).is_some_and(|set| set.data.contains(&data));
        if exists {
            let message = fill(text::DNS_RECORD_EXISTS, &[&shown, &site.zone.origin, &site.server]);
            cx.error(cim(message, "WIN32 9711", "ResourceExists", &shown));
            continue;
        }
        if !cx.proceed(&format!("{shown} in zone {}", site.zone.origin))? {
            continue;
        }
        edit(cx, site, &shown, &DnsEdit::Add { name: name.to_owned(), ttl, data: data.clone() })?;
        if cx.switch("PassThru") {
            let ttl =
                cx.fabric.zones().zones.get(&site.zone.origin).and_then(|zone| zone.records.get(&(name.to_owned(), record_type(&data))));
            let object = record_object(&site.zone, name, ttl.map_or(3600, |set| set.ttl), &data);
            cx.output(object);
        }
    }
    Ok(())
}

fn add_record(cx: &mut Cx<'_>) -> Done {
    let site = zone(cx)?;
    if let Some(Value::Object(object)) = cx.get("InputObject").cloned() {
        let Some(record) = read_object(&site.zone, &object) else {
            return Err(invalid("InputObject", ""));
        };
        return add(cx, &site, &record.name, vec![record.data], record.ttl);
    }
    add_named(cx, &site)
}

fn add_named(cx: &mut Cx<'_>, site: &Site) -> Done {
    let name = owner(&site.zone, &cx.text("Name").unwrap_or_default());
    let data = given_data(cx)?;
    let ttl = seconds(cx.duration("TimeToLive"));
    add(cx, site, &name, data, ttl)
}

fn add_a(cx: &mut Cx<'_>) -> Done {
    let site = zone(cx)?;
    add_named(cx, &site)
}

fn add_cname(cx: &mut Cx<'_>) -> Done {
    let site = zone(cx)?;
    add_named(cx, &site)
}

/// A record as an object of this module describes it.
struct Described {
    name: String,
    ttl: Option<u32>,
    data: RecordData,
}

fn read_object(zone: &Zone, object: &PsObject) -> Option<Described> {
    let name = owner(zone, &as_text(&object.get("HostName")?)?);
    let of_type = type_named(&as_text(&object.get("RecordType")?)?)?;
    let ttl = match object.get("TimeToLive") {
        Some(Value::TimeSpan(length)) => seconds(Some(SimDuration(length.nanoseconds()))),
        _ => None,
    };
    let Some(Value::Object(fields)) = object.get("RecordData") else {
        return None;
    };
    let text = |field: &str| as_text(&fields.get(field)?);
    let host = |field: &str| text(field).map(|name| canonical_name(&name));
    let small = |field: &str| as_integer(&fields.get(field)?).and_then(|value| u16::try_from(value).ok());
    let data = match of_type {
        RecordType::A => RecordData::A(text("IPv4Address")?.parse().ok()?),
        RecordType::Aaaa => RecordData::Aaaa(text("IPv6Address")?.parse().ok()?),
        RecordType::Cname => RecordData::Cname(host("HostNameAlias")?),
        RecordType::Ns => RecordData::Ns(host("NameServer")?),
        RecordType::Txt => RecordData::Txt(text("DescriptiveText")?.to_string()),
        RecordType::Srv => {
            RecordData::Srv { priority: small("Priority")?, weight: small("Weight")?, port: small("Port")?, target: host("DomainName")? }
        }
    };
    Some(Described { name, ttl, data })
}

fn described(cx: &Cx<'_>, zone: &Zone, parameter: &str) -> Result<Described, Box<CommandError>> {
    match cx.get(parameter) {
        Some(Value::Object(object)) => read_object(zone, object).ok_or_else(|| invalid(parameter, "")),
        Some(other) => Err(invalid(parameter, &as_text(other).unwrap_or_default())),
        None => Err(invalid(parameter, "")),
    }
}

fn set_record(cx: &mut Cx<'_>) -> Done {
    let site = zone(cx)?;
    let old = described(cx, &site.zone, "OldInputObject")?;
    let new = described(cx, &site.zone, "NewInputObject")?;
    let shown = host_name(&site.zone, &old.name);
    let of_type = record_type(&old.data);
    let Some(RecordSet { data, .. }) = site.zone.records.get(&(old.name.clone(), of_type)).filter(|set| set.data.contains(&old.data))
    else {
        return Err(missing_record(&site, &shown));
    };
    if new.name != old.name || record_type(&new.data) != of_type {
        // Name and type of a record cannot be changed (documented: the module).
        return Err(invalid("NewInputObject", &host_name(&site.zone, &new.name)));
    }
    if !cx.proceed(&format!("{shown} in zone {}", site.zone.origin))? {
        return Ok(());
    }
    let data: Vec<RecordData> = data.iter().map(|data| if *data == old.data { new.data.clone() } else { data.clone() }).collect();
    let replace = DnsEdit::Replace { name: old.name.clone(), record_type: of_type, ttl: new.ttl, data };
    edit(cx, &site, &shown, &replace)?;
    if cx.switch("PassThru") {
        let ttl = new.ttl.or(old.ttl).unwrap_or(3600);
        cx.output(record_object(&site.zone, &new.name, ttl, &new.data));
    }
    Ok(())
}

/// The data that `-RecordData` names among those of a set: one text, or for SRV priority, weight, port and target.
fn named_data(set: &RecordSet, given: &[Arc<str>]) -> Option<RecordData> {
    let forms = |data: &RecordData| -> Vec<String> {
        match data {
            RecordData::A(address) => vec![address.to_string()],
            RecordData::Aaaa(address) => vec![address.to_string()],
            RecordData::Cname(name) | RecordData::Ns(name) => vec![name.clone()],
            RecordData::Txt(line) => vec![line.to_lowercase()],
            RecordData::Srv { priority, weight, port, target } => {
                vec![priority.to_string(), weight.to_string(), port.to_string(), target.clone()]
            }
        }
    };
    let wanted: Vec<String> = match given {
        // `"10 0 5269 xmpp.contoso.com."` in one text.
        [one] => one.split_whitespace().map(canonical_name).collect(),
        many => many.iter().map(|part| canonical_name(part)).collect(),
    };
    set.data.iter().find(|data| forms(data) == wanted).cloned()
}

fn remove_record(cx: &mut Cx<'_>) -> Done {
    let site = zone(cx)?;
    let (name, of_type, data) = if cx.get("InputObject").is_some() {
        let old = described(cx, &site.zone, "InputObject")?;
        (old.name, record_type(&old.data), Some(old.data))
    } else {
        let Ok(Some(of_type)) = wanted_type(cx) else {
            return Ok(());
        };
        let name = owner(&site.zone, &cx.text("Name").unwrap_or_default());
        let shown = host_name(&site.zone, &name);
        let set = site.zone.records.get(&(name.clone(), of_type)).ok_or_else(|| missing_record(&site, &shown))?;
        let data = match cx.list("RecordData") {
            None => None,
            Some(given) => Some(named_data(set, &given).ok_or_else(|| missing_record(&site, &shown))?),
        };
        (name, of_type, data)
    };
    let shown = host_name(&site.zone, &name);
    // -Force answers the question that the command asks otherwise.
    let forced = cx.switch("Force") && !cx.io.what_if();
    if !forced && !cx.proceed(&format!("{shown} in zone {}", site.zone.origin))? {
        return Ok(());
    }
    edit(cx, &site, &shown, &DnsEdit::Remove { name: name.clone(), record_type: of_type, data: data.clone() })?;
    if let (true, Some(data)) = (cx.switch("PassThru"), data) {
        cx.output(record_object(&site.zone, &name, 3600, &data));
    }
    Ok(())
}
