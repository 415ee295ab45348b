//! Settings on the configuration document: making them, and comparing them.

use firedrill_fabric::Configuration;
use firedrill_topology::{EdgePoolId, PoolId, Topology};

use crate::scenario::Setting;

/// The port that "Enable XMPP federation" opens (dossier F.6).
const XMPP_PORT: u16 = 5269;

/// Makes a setting, as the dialog of Topology Builder does.
pub(crate) fn apply(setting: Setting, document: &mut Configuration) {
    match setting {
        Setting::NextHop(edge, pool) => document.edges[edge.index()].next_hop = pool,
        Setting::Federation(edge, on) => document.edges[edge.index()].federation = on,
        Setting::Xmpp(edge, on) => {
            let port = &mut document.edges[edge.index()].xmpp_listening_port;
            *port = on.then(|| port.unwrap_or(XMPP_PORT));
        }
        Setting::MediaAssociation(pool, edge) => document.pools[pool.index()].media_edge = edge,
        Setting::FederationRoute(site, edge) => document.sites[site.index()].federation_route = edge,
        Setting::XmppRoute(site, edge) => document.sites[site.index()].xmpp_route = edge,
        Setting::Pairing(pool, backup) => pair(pool, backup, document),
        Setting::Voice { pool, automatic, detection_seconds, failback_seconds } => {
            let voice = &mut document.pools[pool.index()].voice;
            voice.automatic = automatic.unwrap_or(voice.automatic);
            voice.detection_seconds = detection_seconds.unwrap_or(voice.detection_seconds);
            voice.failback_seconds = failback_seconds.unwrap_or(voice.failback_seconds);
        }
    }
}

/// Pairs two pools, or takes a pair apart. Both directions change together, and former partners stand alone (dossier A.1).
fn pair(pool: PoolId, backup: Option<PoolId>, document: &mut Configuration) {
    let former = [document.pools[pool.index()].backup, backup.and_then(|backup| document.pools[backup.index()].backup)];
    for former in former.into_iter().flatten() {
        document.pools[former.index()].backup = None;
    }
    document.pools[pool.index()].backup = backup;
    if let Some(backup) = backup {
        document.pools[backup.index()].backup = Some(pool);
    }
    // Pairing the CMS pool puts a standby database into its partner, unpairing removes it (dossier A.3).
    if pool == document.cms_active {
        document.cms_standby = backup;
    } else if backup == Some(document.cms_active) {
        document.cms_standby = Some(pool);
    } else if document.cms_standby == Some(pool) {
        document.cms_standby = None;
    }
}

/// What is demanded of a setting and what a document holds, in words; they are equal when the demand is met.
pub(crate) fn compare(setting: Setting, document: &Configuration, topology: &Topology) -> (String, String) {
    let pool = |id: PoolId| topology.pool(id).fqdn.clone();
    let edge = |id: Option<EdgePoolId>| id.map_or_else(|| "none".to_owned(), |id| topology.edge_pool(id).fqdn.clone());
    let switch = |on: bool| if on { "on".to_owned() } else { "off".to_owned() };
    match setting {
        Setting::NextHop(id, wanted) => (pool(wanted), pool(document.edges[id.index()].next_hop)),
        Setting::Federation(id, wanted) => (switch(wanted), switch(document.edges[id.index()].federation)),
        Setting::Xmpp(id, wanted) => (switch(wanted), switch(document.edges[id.index()].xmpp_listening_port.is_some())),
        Setting::MediaAssociation(id, wanted) => (edge(wanted), edge(document.pools[id.index()].media_edge)),
        Setting::FederationRoute(id, wanted) => (edge(wanted), edge(document.sites[id.index()].federation_route)),
        Setting::XmppRoute(id, wanted) => (edge(wanted), edge(document.sites[id.index()].xmpp_route)),
        Setting::Pairing(id, wanted) => {
            let name = |id: Option<PoolId>| id.map_or_else(|| "none".to_owned(), pool);
            (name(wanted), name(document.pools[id.index()].backup))
        }
        Setting::Voice { pool, automatic, detection_seconds, failback_seconds } => {
            let voice = document.pools[pool.index()].voice;
            let text = |automatic: bool, detection: u32, failback: u32| {
                format!("automatic {}, detection {detection} s, failback {failback} s", switch(automatic))
            };
            let wanted = text(
                automatic.unwrap_or(voice.automatic),
                detection_seconds.unwrap_or(voice.detection_seconds),
                failback_seconds.unwrap_or(voice.failback_seconds),
            );
            (wanted, text(voice.automatic, voice.detection_seconds, voice.failback_seconds))
        }
    }
}

/// What a setting is called.
pub(crate) fn name(setting: Setting, topology: &Topology) -> String {
    let pool = |id: PoolId| &topology.pool(id).fqdn;
    let edge = |id: EdgePoolId| &topology.edge_pool(id).fqdn;
    match setting {
        Setting::NextHop(id, _) => format!("the next hop of {}", edge(id)),
        Setting::Federation(id, _) => format!("federation on {}", edge(id)),
        Setting::Xmpp(id, _) => format!("XMPP federation on {}", edge(id)),
        Setting::MediaAssociation(id, _) => format!("the Edge pool for media of {}", pool(id)),
        Setting::FederationRoute(id, _) => format!("the SIP federation route of {}", topology.site(id).name),
        Setting::XmppRoute(id, _) => format!("the XMPP federation route of {}", topology.site(id).name),
        Setting::Pairing(id, _) => format!("the backup pool of {}", pool(id)),
        Setting::Voice { pool: id, .. } => format!("voice resiliency of {}", pool(id)),
    }
}
