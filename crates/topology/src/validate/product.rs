//! What each product generation has and has not (dossier A.1, B.8, E.1, F.7).

use firedrill_syntax::quote;

use crate::document::SqlDocument;
use crate::model::*;
use crate::resolve::Resolver;

/// Most Front Ends of a pool (dossier B.8). The dossier is silent on 2010: ten is what its planning pages said (inferred).
fn most_front_ends(version: ProductVersion) -> usize {
    match version {
        ProductVersion::Lync2010 => 10,
        ProductVersion::Lync2013 | ProductVersion::Sfb2015 => 12,
        ProductVersion::Sfb2019 => 16,
    }
}

pub(super) fn check(resolver: &mut Resolver<'_>) {
    for id in resolver.topology.pool_ids() {
        front_ends(resolver, id);
        back_end(resolver, id);
        generation(resolver, id);
        gateway(resolver, id);
        file_store(resolver, id);
    }
    allowed_partners(resolver);
}

fn front_ends(resolver: &mut Resolver<'_>, id: PoolId) {
    let document = &resolver.document.pools[id.index()];
    let pool = resolver.topology.pool(id);
    if pool.edition != Edition::Enterprise {
        return;
    }
    let (count, version) = (document.front_ends.len(), pool.version);
    let name = quote(&document.fqdn.value);
    let most = most_front_ends(version);
    if count > most {
        let message = format!("the pool {name} has {count} Front Ends; {} allows {most}", product(version));
        resolver.report(resolver.error("too-many-front-ends", document.front_ends[most].span, message).hint("split it into two pools"));
    } else if count == 2 && version == ProductVersion::Sfb2019 {
        let message = format!("the pool {name} has two Front Ends, and {} does not publish such a topology", product(version));
        resolver.report(
            resolver.error("two-front-ends", document.fqdn.span, message).hint("use three Front Ends or more, or Standard Edition servers"),
        );
    } else if (count == 1 || count == 2) && version != ProductVersion::Lync2010 {
        let words = if count == 1 { "one Front End" } else { "two Front Ends" };
        resolver.report(
            resolver
                .warning("few-front-ends", document.fqdn.span, format!("the pool {name} has {words}"))
                .note("allowed and discouraged: such a pool loses its quorum easily, and needs its back end to stay up")
                .hint("use three Front Ends or more"),
        );
    }
}

fn back_end(resolver: &mut Resolver<'_>, id: PoolId) {
    let document = &resolver.document.pools[id.index()];
    let version = resolver.topology.pool(id).version;
    let Some(sql) = &document.sql else { return };
    match (&sql.value, version) {
        (SqlDocument::Mirrored(_), ProductVersion::Sfb2019) => {
            resolver.report(
                resolver
                    .error("mirroring-in-2019", sql.span, format!("{} does not support mirroring", product(version)))
                    .hint("use `always_on:`, or `stand_alone:`"),
            );
        }
        (SqlDocument::Mirrored(_) | SqlDocument::AlwaysOn(_), ProductVersion::Lync2010) => {
            let message = format!("{} has neither mirroring nor AlwaysOn groups", product(version));
            resolver.report(resolver.error("back-end-of-2010", sql.span, message).hint("use `stand_alone:`"));
        }
        (SqlDocument::AlwaysOn(_), ProductVersion::Lync2013) => {
            let message = format!("{} does not support AlwaysOn groups", product(version));
            resolver.report(resolver.error("always-on-in-2013", sql.span, message).hint("use `mirrored:`, or `stand_alone:`"));
        }
        _ => {}
    }
}

/// Lync Server 2010 is here for one thing: the pool that holds the store of an older deployment (procedure P3.6).
fn generation(resolver: &mut Resolver<'_>, id: PoolId) {
    let document = &resolver.document.pools[id.index()];
    let Some(place) = document.product else { return };
    let pool = resolver.topology.pool(id);
    if pool.version != ProductVersion::Lync2010 {
        return;
    }
    if resolver.topology.cms.active != id {
        resolver.report(
            resolver
                .error(
                    "pool-of-2010",
                    place.span,
                    "a pool of Lync Server 2010 is modelled only as the holder of the Central Management Store",
                )
                .hint("add `central_management: active`, or choose another `product:`"),
        );
    }
    if let Some(backup) = &document.backup {
        resolver.report(
            resolver
                .error("pairing-of-2010", backup.span, "pools of Lync Server 2010 cannot be paired")
                .label(place.span, "2010 here")
                .hint("remove `backup:`"),
        );
    }
    // Without these the model would have to say how users of 2010 are served, which it does not know.
    if let Some(user) = resolver.document.users.iter().find(|user| user.pool.eq_ignore_ascii_case(&document.fqdn)) {
        resolver.report(
            resolver
                .error("pool-of-2010", user.pool.span, "users on a pool of Lync Server 2010 are not modelled")
                .label(place.span, "2010 here")
                .hint("home them on a pool of a later generation"),
        );
    }
    if let Some(edge) = resolver.document.edge_pools.iter().find(|edge| edge.next_hop.eq_ignore_ascii_case(&document.fqdn)) {
        resolver.report(
            resolver
                .error("pool-of-2010", edge.next_hop.span, "a pool of Lync Server 2010 as next hop is not modelled")
                .label(place.span, "2010 here")
                .hint("name a pool of a later generation"),
        );
    }
}

fn gateway(resolver: &mut Resolver<'_>, id: PoolId) {
    let document = &resolver.document.pools[id.index()];
    let version = resolver.topology.pool(id).version;
    let Some(gateway) = document.xmpp_gateway else { return };
    if gateway.value && !has_xmpp(version) {
        let message = format!("{} has no XMPP gateway", product(version));
        resolver.report(resolver.error("no-xmpp", gateway.span, message).hint("remove `xmpp_gateway:`"));
    }
}

/// Not an error: much can be rehearsed without one.
fn file_store(resolver: &mut Resolver<'_>, id: PoolId) {
    let document = &resolver.document.pools[id.index()];
    if document.file_store.is_none() {
        let mut diagnostic = resolver
            .warning("no-file-store", document.fqdn.span, format!("the pool {} has no file store", quote(&document.fqdn.value)))
            .note("conference content lives there and is shipped from there to the backup pool");
        if document.central_management.is_some() {
            diagnostic = diagnostic.note("the Central Management Store keeps there what it sends to replicas, and what they report");
        }
        resolver.report(diagnostic.hint("add `file_store: \\\\files1.contoso.com\\lync`"));
    }
}

fn allowed_partners(resolver: &mut Resolver<'_>) {
    let legacy_edge = resolver.topology.edge_pools.iter().any(|edge| has_xmpp(edge.version));
    if resolver.topology.version == ProductVersion::Sfb2019
        && !legacy_edge
        && let Some(first) = resolver.document.xmpp_allowed_partners.first()
    {
        let message = format!("{} has no XMPP federation", product(ProductVersion::Sfb2019));
        resolver.report(resolver.error("no-xmpp", first.span, message).hint("remove `xmpp_allowed_partners:`"));
    }
}

/// Whether a generation has the XMPP gateway and its proxy (dossier F.7: 2013 and 2015).
pub(super) fn has_xmpp(version: ProductVersion) -> bool {
    matches!(version, ProductVersion::Lync2013 | ProductVersion::Sfb2015)
}

/// Product name and year.
pub(super) fn product(version: ProductVersion) -> String {
    format!("{} {}", version.product_name(), version.year())
}
