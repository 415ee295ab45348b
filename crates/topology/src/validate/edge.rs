//! Edge pools, federation and XMPP (dossier F.1 to F.7).

use firedrill_syntax::quote;

use super::product::{has_xmpp, product};
use crate::model::*;
use crate::resolve::Resolver;

/// Topology Builder's own words (dossier F.3).
const SEVERAL_FEDERATED: &str = "The topology contains more than one Federated Edge Server. This can occur during migration to a more \
    recent version of the product. In that case, only one Edge Server would be actively used for federation. Verify that the external DNS \
    SRV record points to the correct Edge Server.";

/// Words of the public diagnostics for on-premises deployments (dossier F.2).
const NO_FEDERATED: &str = "Topology needs to have at least one and just one Federated Edge Server.";

pub(super) fn check(resolver: &mut Resolver<'_>) {
    federation(resolver);
    generations(resolver);
    routes(resolver);
    addresses(resolver);
}

/// Clients and partners find an Edge pool by the address of its Access Edge service (dossier F.5). Only zones of the
/// document can be looked into.
fn addresses(resolver: &mut Resolver<'_>) {
    for document in &resolver.document.edge_pools {
        let access = &document.external.access;
        let name = access.to_ascii_lowercase();
        let is_home = |zone: &&Zone| name == zone.origin || name.ends_with(&format!(".{}", zone.origin));
        let Some(zone) = resolver.topology.zones.iter().filter(is_home).max_by_key(|zone| zone.origin.len()) else { continue };
        let has = |kind| zone.records.contains_key(&(name.clone(), kind));
        if !has(RecordType::A) && !has(RecordType::Aaaa) && !has(RecordType::Cname) {
            let message = format!("the Access Edge service {} has no address in the zone {}", quote(&name), quote(&zone.origin));
            resolver.report(resolver.warning("access-without-address", access.span, message).hint("add a record with `a:` for it"));
        }
    }
}

fn federation(resolver: &mut Resolver<'_>) {
    let edges = &resolver.document.edge_pools;
    let mut federated = edges.iter().filter(|edge| edge.federation);
    match (federated.next(), federated.next()) {
        (Some(first), Some(second)) => {
            resolver.report(
                resolver
                    .warning("several-federated-edges", second.fqdn.span, "more than one Edge pool is enabled for federation")
                    .label(first.fqdn.span, "enabled here too")
                    .note(format!("Topology Builder says: {SEVERAL_FEDERATED}"))
                    .hint("keep `federation: true` at one Edge pool"),
            );
        }
        (None, _) => {
            if let Some(edge) = edges.first() {
                resolver.report(
                    resolver
                        .warning("no-federated-edge", edge.fqdn.span, "no Edge pool is enabled for federation")
                        .note(NO_FEDERATED)
                        .hint("write `federation: true` at one Edge pool"),
                );
            }
        }
        (Some(_), None) => {}
    }
}

fn generations(resolver: &mut Resolver<'_>) {
    for (index, document) in resolver.document.edge_pools.iter().enumerate() {
        let version = resolver.topology.edge_pools[index].version;
        if version == ProductVersion::Lync2010 {
            let place = document.product.map_or(document.fqdn.span, |product| product.span);
            let message = "an Edge pool of Lync Server 2010 is not modelled";
            resolver.report(resolver.error("edge-of-2010", place, message).hint("write `product: 2013` or `2015`"));
        } else if let Some(port) = document.xmpp_port {
            if !has_xmpp(version) {
                resolver.report(
                    resolver
                        .error("no-xmpp", port.span, format!("{} has no XMPP federation", product(version)))
                        .note("beside it XMPP lives on only through an Edge pool and a Front End pool of an older generation")
                        .hint("remove `xmpp_port:`, or write `product: 2015` if this Edge pool is an older one"),
                );
            } else if port.value != 5269 && port.value != 0 {
                resolver.report(
                    resolver
                        .warning("unusual-xmpp-port", port.span, format!("the XMPP port is {}, where partners expect 5269", port.value))
                        .hint("write `xmpp_port: 5269`"),
                );
            }
        }
    }
}

fn routes(resolver: &mut Resolver<'_>) {
    for (index, document) in resolver.document.sites.iter().enumerate() {
        let Site { federation_route, xmpp_route, .. } = resolver.topology.sites[index].clone();
        if let (Some(edge), Some(place)) = (federation_route, &document.federation_route)
            && !resolver.topology.edge_pool(edge).federation
        {
            let message = format!(
                "the federation route of {} leads to {}, which is not enabled for federation",
                quote(&document.name.value),
                quote(&place.value)
            );
            resolver.report(
                resolver
                    .warning("route-without-federation", place.span, message)
                    .hint("write `federation: true` there, or name the Edge pool that has it"),
            );
        }
        if let (Some(edge), Some(place)) = (xmpp_route, &document.xmpp_route) {
            let edge = resolver.topology.edge_pool(edge).clone();
            if !has_xmpp(edge.version) {
                let message = format!(
                    "the XMPP route of {} leads to {}, and {} has no XMPP federation",
                    quote(&document.name.value),
                    quote(&place.value),
                    product(edge.version)
                );
                resolver.report(resolver.error("no-xmpp", place.span, message).hint("remove `xmpp_route:`"));
            } else if edge.xmpp_listening_port.is_none() {
                let message = format!(
                    "the XMPP route of {} leads to {}, which does not listen for XMPP",
                    quote(&document.name.value),
                    quote(&place.value)
                );
                resolver.report(
                    resolver
                        .warning("route-without-xmpp", place.span, message)
                        .hint("add `xmpp_port: 5269` there, or choose another Edge pool"),
                );
            }
        }
    }
}
