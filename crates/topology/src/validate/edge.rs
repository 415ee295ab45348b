//! Edge pools, federation and XMPP (dossier F.1 to F.7).

use std::collections::BTreeMap;

use firedrill_syntax::{Span, quote};

use super::product::{has_xmpp, product};
use crate::document::{FederationDocument, PoolDocument};
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
    one_xmpp_route(resolver);
    gateway(resolver);
    external_names(resolver);
    partners(resolver);
}

/// "Each Edge pool must have unique FQDNs (internal and external)" (LYNC:edge-server-disaster-recovery, dossier F.5). The
/// three services of one Edge pool may share one.
fn external_names(resolver: &mut Resolver<'_>) {
    let mut seen: BTreeMap<String, (usize, Span)> = BTreeMap::new();
    for (index, document) in resolver.document.edge_pools.iter().enumerate() {
        let external = &document.external;
        for name in [&external.access, &external.web_conferencing, &external.av] {
            let lower = name.to_ascii_lowercase();
            if let Some((what, span)) = resolver.names.get(&lower) {
                let message = format!("the external name {} is that of {} inside", quote(&name.value), what.words());
                resolver.report(
                    resolver
                        .error("duplicate-name", name.span, message)
                        .label(span, "first here")
                        .hint("give the outside a name of its own, as in `sip.contoso.com`"),
                );
            }
            match seen.get(&lower) {
                Some((other, first)) if *other != index => {
                    let message = format!("two Edge pools have the external name {}", quote(&name.value));
                    resolver.report(
                        resolver
                            .error("duplicate-name", name.span, message)
                            .label(*first, "first here")
                            .note("every Edge pool has FQDNs of its own, inside and outside")
                            .hint("rename one, as in `sip2.contoso.com`"),
                    );
                }
                Some(_) => {}
                None => drop(seen.insert(lower, (index, name.span))),
            }
        }
    }
}

/// Partners need an Edge pool to talk to, and what their protocol asks for (dossier F.3, F.7).
fn partners(resolver: &mut Resolver<'_>) {
    let topology = &resolver.topology;
    let is_pure_2019 = topology.version == ProductVersion::Sfb2019 && !topology.edge_pools.iter().any(|edge| has_xmpp(edge.version));
    let listens = topology.edge_pools.iter().any(|edge| edge.xmpp_listening_port.is_some());
    let has_edge = !topology.edge_pools.is_empty();
    let allowed = topology.xmpp_allowed_partners.clone();
    if let Some(first) = resolver.document.partners.first()
        && !has_edge
    {
        resolver.report(
            resolver
                .warning("partner-without-edge", first.domain.span, "the deployment has partners and no Edge pool that they could reach")
                .hint("add at least one entry to `edge_pools:`, or remove the partners"),
        );
        return;
    }
    for document in &resolver.document.partners {
        let domain = quote(&document.domain.value);
        let place = document.federation.span;
        if !document.federation.contains(&FederationDocument::Xmpp) {
            continue;
        }
        if is_pure_2019 {
            let message = format!("{} has no XMPP federation", product(ProductVersion::Sfb2019));
            resolver.report(resolver.error("no-xmpp", place, message).hint("write `federation: [sip]`, or remove the partner"));
        } else if !listens {
            let message = format!("the partner {domain} federates over XMPP, and no Edge pool listens for it");
            resolver.report(
                resolver.warning("partner-without-xmpp", place, message).hint("add `xmpp_port: 5269` to an Edge pool of 2013 or 2015"),
            );
        } else if !allowed.iter().any(|name| name.eq_ignore_ascii_case(&document.domain)) {
            resolver.report(
                resolver
                    .warning("xmpp-partner-not-allowed", place, format!("the XMPP partner {domain} is not allowed"))
                    .note("domains that `New-CsXmppAllowedPartner` has not added are turned away")
                    .hint(format!("add `{}` to `xmpp_allowed_partners:`", document.domain.value)),
            );
        }
    }
}

/// The proxy on the Edge hands over to the gateway on a Front End (dossier F.7).
fn gateway(resolver: &mut Resolver<'_>) {
    let listening = resolver.document.edge_pools.iter().find_map(|edge| edge.xmpp_port);
    if let Some(port) = listening
        && !resolver.topology.pools.iter().any(|pool| pool.xmpp_gateway)
    {
        let is_off = |pool: &PoolDocument| pool.xmpp_gateway.as_ref().is_some_and(|gateway| !gateway.value);
        let hint = if resolver.document.pools.iter().any(is_off) {
            "remove `xmpp_gateway: false`"
        } else {
            "remove `xmpp_port:`, or add a pool of 2013 or 2015 with the gateway"
        };
        resolver.report(
            resolver
                .warning("no-xmpp-gateway", port.span, "an Edge pool listens for XMPP, and no Front End pool has the gateway")
                .note("XMPP needs both: the proxy on the Edge, the gateway on the Front Ends of a pool of 2013 or 2015")
                .hint(hint),
        );
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

/// One Edge pool is designated for XMPP, in both directions (LYNC:edge-server-disaster-recovery, dossier F.5).
fn one_xmpp_route(resolver: &mut Resolver<'_>) {
    let routes = resolver.topology.sites.iter().zip(&resolver.document.sites);
    let mut routes = routes.filter_map(|(site, document)| Some((site.xmpp_route?, document.xmpp_route.as_ref()?)));
    let Some((first, first_place)) = routes.next() else { return };
    if let Some((_, place)) = routes.find(|(edge, _)| *edge != first) {
        resolver.report(
            resolver
                .warning("several-xmpp-routes", place.span, "the XMPP routes of the sites lead to different Edge pools")
                .label(first_place.span, "another one here")
                .note("one Edge pool is designated for XMPP: partners come in through it, and answers go out through it")
                .hint(format!("write `xmpp_route: {}` at all sites", first_place.value)),
        );
    }
}
