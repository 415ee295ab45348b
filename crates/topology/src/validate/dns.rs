//! What partners and clients find in the external zones, against the Edge pools that they are meant to find (dossier F.5,
//! F.7, incidents 34 to 38). Only zones of the document can be looked into; all of it is a warning, because a rehearsal may
//! begin with records that somebody forgot to change.

use std::net::Ipv4Addr;

use firedrill_syntax::{Located, Span, all_of, quote};

use crate::document::{RecordDocument, SrvDocument, ViewDocument, ZoneDocument};
use crate::model::*;
use crate::resolve::{Resolver, whole_name};

/// Start of the owner name under which partners look for SIP federation.
const FEDERATION: &str = "_sipfederationtls._tcp";
/// Start of the owner name under which partners look for XMPP (RFC 6120 3.2).
const XMPP: &str = "_xmpp-server._tcp";
/// Port of SIP federation.
const FEDERATION_PORT: u16 = 5061;
/// Longest chain of aliases that is followed.
const LONGEST_CHAIN: usize = 8;

pub(super) fn check(resolver: &mut Resolver<'_>) {
    for index in 0..resolver.document.edge_pools.len() {
        external_names(resolver, EdgePoolId(index as u32));
    }
    let has_partner = |wanted: fn(&Partner) -> bool| resolver.topology.partners.iter().any(wanted);
    let (sip_partners, xmpp_partners) = (has_partner(|partner| partner.sip), has_partner(|partner| partner.xmpp));
    for domain in resolver.topology.sip_domains.clone() {
        sip_federation(resolver, &domain, sip_partners);
        xmpp_federation(resolver, &domain, xmpp_partners);
    }
}

/// The external zones of a document: what is inside says nothing to partners.
fn external(zones: &[ZoneDocument]) -> impl Iterator<Item = &ZoneDocument> {
    zones.iter().filter(|zone| zone.view == ViewDocument::External)
}

/// The records of a document that a name of the external zones stands for.
fn entries<'d>(zones: &'d [ZoneDocument], owner: &str) -> Vec<&'d RecordDocument> {
    let of_zone = |zone: &'d ZoneDocument| {
        let origin = zone.origin.to_ascii_lowercase();
        zone.records.iter().filter(move |record| whole_name(&origin, &record.name) == owner)
    };
    external(zones).flat_map(of_zone).collect()
}

/// The zone of the document that answers for a name, when it is sound.
fn zone_of<'t>(topology: &'t Topology, name: &str) -> Option<&'t Zone> {
    let is_home = |zone: &&Zone| name == zone.origin || name.strip_suffix(zone.origin.as_str()).is_some_and(|rest| rest.ends_with('.'));
    topology.zones.iter().filter(is_home).max_by_key(|zone| zone.origin.len())
}

/// IPv4 addresses of a name, through aliases; nothing when no zone of the document answers for it.
fn addresses(topology: &Topology, name: &str) -> Vec<Ipv4Addr> {
    let mut name = name.to_owned();
    for _ in 0..LONGEST_CHAIN {
        let Some(zone) = zone_of(topology, &name) else { return Vec::new() };
        if let Some(set) = zone.records.get(&(name.clone(), RecordType::A)) {
            return set.data.iter().filter_map(|data| if let RecordData::A(address) = data { Some(*address) } else { None }).collect();
        }
        match zone.records.get(&(name.clone(), RecordType::Cname)).and_then(|set| set.data.first()) {
            Some(RecordData::Cname(target)) => name.clone_from(target),
            _ => return Vec::new(),
        }
    }
    Vec::new()
}

/// The Edge pool that has a server with an external address.
fn edge_at(topology: &Topology, address: Ipv4Addr) -> Option<EdgePoolId> {
    topology.edge_pool_ids().find(|id| topology.edge_pool(*id).servers.iter().any(|server| server.external == address))
}

/// Each service of an Edge pool has an address, and the Access Edge service has those of the pool's own servers.
fn external_names(resolver: &mut Resolver<'_>, id: EdgePoolId) {
    let document = &resolver.document.edge_pools[id.index()];
    let external = &document.external;
    for (what, name) in [
        ("Access Edge service", &external.access),
        ("Web Conferencing Edge service", &external.web_conferencing),
        ("A/V Edge service", &external.av),
    ] {
        let lower = name.to_ascii_lowercase();
        let Some(zone) = zone_of(&resolver.topology, &lower) else { continue };
        let has = |kind| zone.records.contains_key(&(lower.clone(), kind));
        if !has(RecordType::A) && !has(RecordType::Aaaa) && !has(RecordType::Cname) {
            let message = format!("the {what} {} has no address in the zone {}", quote(&lower), quote(&zone.origin));
            resolver.report(resolver.warning("external-without-address", name.span, message).hint("add a record with `a:` for it"));
        }
    }
    let own: Vec<Ipv4Addr> = resolver.topology.edge_pool(id).servers.iter().map(|server| server.external).collect();
    let access = external.access.to_ascii_lowercase();
    let Some(stray) = addresses(&resolver.topology, &access).into_iter().find(|address| !own.contains(address)) else { return };
    // A server whose address could not be read has its own diagnostic.
    if own.len() < document.servers.len() {
        return;
    }
    let message = format!(
        "the Access Edge service {} has the address {}, which no server of {} has",
        quote(&access),
        quote(&stray.to_string()),
        quote(&document.fqdn.value)
    );
    let record = entries(&resolver.document.dns_zones, &access).into_iter().flat_map(|record| &record.a);
    let place = record.into_iter().find(|text| text.trim().parse() == Ok(stray)).map(|text| text.span);
    let hint = format!("the servers have {}", all_of(own.iter().map(Ipv4Addr::to_string).collect::<Vec<_>>().iter().map(String::as_str)));
    let mut diagnostic = resolver.warning("external-elsewhere", external.access.span, message).hint(hint);
    if let Some(place) = place {
        diagnostic = diagnostic.label(place, "the address");
    }
    resolver.report(diagnostic);
}

/// The SRV records of a name with their places, and the zone document they would stand in; nothing when no sound zone of
/// the document answers for the name.
fn services<'d>(resolver: &Resolver<'d>, owner: &str) -> Option<(Vec<&'d SrvDocument>, &'d Located<String>)> {
    let document = resolver.document;
    let zone = zone_of(&resolver.topology, owner)?;
    let place = external(&document.dns_zones).find(|candidate| candidate.origin.eq_ignore_ascii_case(&zone.origin))?;
    let mut targets: Vec<&SrvDocument> = entries(&document.dns_zones, owner).into_iter().flat_map(|record| &record.srv).collect();
    // As partners try them; equal priorities in order of entry.
    targets.sort_by_key(|srv| srv.priority.value);
    Some((targets, &place.origin))
}

/// `target: "."` says that there is no such service (RFC 2782).
fn declines(targets: &[&SrvDocument]) -> bool {
    matches!(targets, [only] if only.target.trim() == ".")
}

fn bare(srv: &SrvDocument) -> String {
    srv.target.trim().trim_end_matches('.').to_ascii_lowercase()
}

fn sip_federation(resolver: &mut Resolver<'_>, domain: &str, has_partners: bool) {
    let owner = format!("{FEDERATION}.{domain}");
    let Some((targets, zone)) = services(resolver, &owner) else { return };
    let Some(first) = targets.first() else {
        if has_partners && resolver.topology.edge_pools.iter().any(|edge| edge.federation) {
            let hint = format!("add `{{ name: {owner}., srv: [{{ priority: 0, port: {FEDERATION_PORT}, target: sip.{domain} }}] }}`");
            missing(resolver, "no-federation-record", &owner, zone, "SIP federation", hint);
        }
        return;
    };
    if declines(&targets) {
        return;
    }
    if let Some(second) = targets.get(1) {
        resolver.report(
            resolver
                .warning(
                    "several-federation-targets",
                    second.target.span,
                    "partners use one target of SIP federation and ignore the others",
                )
                .label(first.target.span, "the one they use")
                .note("priorities of these records give no failover: change the record, or the address behind it")
                .hint("keep one target"),
        );
    }
    for srv in &targets {
        port(resolver, srv, FEDERATION_PORT, "SIP federation");
    }
    leads_to(resolver, first, "SIP federation", "is not enabled for federation", |edge| edge.federation);
}

fn xmpp_federation(resolver: &mut Resolver<'_>, domain: &str, has_partners: bool) {
    let owner = format!("{XMPP}.{domain}");
    let Some((targets, zone)) = services(resolver, &owner) else { return };
    let listening: Vec<u16> = resolver.topology.edge_pools.iter().filter_map(|edge| edge.xmpp_listening_port).collect();
    let Some(first) = targets.first() else {
        if has_partners && let Some(port) = listening.first() {
            let hint = format!("add `{{ name: {owner}., srv: [{{ priority: 10, port: {port}, target: xmpp.{domain} }}] }}`");
            missing(resolver, "no-xmpp-record", &owner, zone, "XMPP", hint);
        }
        return;
    };
    if declines(&targets) {
        return;
    }
    if listening.is_empty() {
        let message = format!("partners are sent to {} for XMPP, and no Edge pool listens for it", quote(&bare(first)));
        resolver.report(
            resolver
                .warning("xmpp-record-without-xmpp", first.target.span, message)
                .hint("remove the record, or add `xmpp_port: 5269` to an Edge pool of 2013 or 2015"),
        );
        return;
    }
    for srv in &targets {
        let of_target = addresses(&resolver.topology, &bare(srv)).into_iter().find_map(|address| edge_at(&resolver.topology, address));
        if let Some(due) = of_target.and_then(|edge| resolver.topology.edge_pool(edge).xmpp_listening_port) {
            port(resolver, srv, due, "XMPP");
        }
    }
    leads_to(resolver, first, "XMPP", "does not listen for XMPP", |edge| edge.xmpp_listening_port.is_some());
}

fn missing(resolver: &mut Resolver<'_>, code: &'static str, owner: &str, zone: &Located<String>, what: &str, hint: String) {
    let message = format!("partners do not find {what}: the zone {} has no record {}", quote(&zone.value), quote(owner));
    resolver.report(resolver.warning(code, zone.span, message).hint(hint));
}

fn port(resolver: &mut Resolver<'_>, srv: &SrvDocument, due: u16, what: &str) {
    let found = srv.port.value;
    // Port 0 is refused elsewhere.
    if found != due && found != 0 {
        let message = format!("partners are sent to port {found} for {what}, and the Edge listens on {due}");
        resolver.report(resolver.warning("record-port", srv.port.span, message).hint(format!("write `port: {due}`")));
    }
}

/// The target that partners try first leads to Edge Servers, and to those of an Edge pool that carries the protocol.
fn leads_to(resolver: &mut Resolver<'_>, srv: &SrvDocument, what: &str, lack: &str, carries: fn(&EdgePool) -> bool) {
    let target = bare(srv);
    let found = addresses(&resolver.topology, &target);
    let (message, label, hint): (String, Option<Span>, String) = if let Some(stranger) =
        found.iter().find(|address| edge_at(&resolver.topology, **address).is_none())
    {
        let message =
            format!("the target {} of {what} has the address {}, which no Edge Server has", quote(&target), quote(&stranger.to_string()));
        (message, None, format!("give it the external addresses of the Edge pool that carries {what}"))
    } else {
        let edges = found.iter().filter_map(|address| edge_at(&resolver.topology, *address));
        let Some(wrong) = edges.into_iter().find(|edge| !carries(resolver.topology.edge_pool(*edge))) else { return };
        let name = &resolver.document.edge_pools[wrong.index()].fqdn;
        let message = format!("the target {} of {what} leads to {}, which {lack}", quote(&target), quote(&name.value));
        (message, Some(name.span), format!("point the record to the Edge pool that carries {what}"))
    };
    let mut diagnostic = resolver.warning("record-leads-elsewhere", srv.target.span, message).hint(hint);
    if let Some(span) = label {
        diagnostic = diagnostic.label(span, "this Edge pool");
    }
    resolver.report(diagnostic);
}
