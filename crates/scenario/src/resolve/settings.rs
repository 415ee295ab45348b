//! Settings of the topology: what Topology Builder edits and what overrides change before the start.

use firedrill_syntax::{Located, Span, quote};
use firedrill_topology::{PoolId, ProductVersion, Topology};

use super::Resolver;
use crate::document::{Assignments, Overrides, SettingsDocument, Switches};
use crate::scenario::Setting;

/// What settings are for; it decides which ones make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// They will be made.
    Edit,
    /// They are compared.
    Compare,
}

impl Resolver<'_> {
    /// All settings, in the order of the text.
    pub(super) fn settings(&mut self, document: &SettingsDocument, purpose: Purpose) -> Vec<(Setting, Span)> {
        let mut all: Vec<(Setting, Span)> = Vec::new();
        for (edge, pool) in in_order(&document.next_hop) {
            let (edge, pool) = (self.edge_pool(edge), self.pool(pool).map(|id| (id, pool.span)));
            if let (Some(edge), Some((pool, span))) = (edge, pool) {
                all.push((Setting::NextHop(edge, pool), span));
            }
        }
        for (edge, switch) in switches(&document.federation) {
            all.extend(self.edge_pool(edge).map(|edge| (Setting::Federation(edge, switch.value), switch.span)));
        }
        for (edge, switch) in switches(&document.xmpp) {
            let Some(id) = self.edge_pool(edge) else { continue };
            if switch.value && purpose == Purpose::Edit && self.topology.edge_pool(id).version == ProductVersion::Sfb2019 {
                let message = format!("{} runs Skype for Business Server 2019, which has no XMPP", quote(edge));
                self.error("xmpp-removed", switch.span, message, Some("leave XMPP to an Edge pool of an earlier version".to_owned()));
                continue;
            }
            all.push((Setting::Xmpp(id, switch.value), switch.span));
        }
        for (pool, edge) in in_order(&document.media_association) {
            let (pool, edge) = (self.pool(pool), self.edge_pool_or_none(edge).map(|id| (id, edge.span)));
            if let (Some(pool), Some((edge, span))) = (pool, edge) {
                all.push((Setting::MediaAssociation(pool, edge), span));
            }
        }
        for (routes, make) in [
            (&document.federation_route, Setting::FederationRoute as fn(_, _) -> Setting),
            (&document.xmpp_route, Setting::XmppRoute as fn(_, _) -> Setting),
        ] {
            for (site, edge) in in_order(routes) {
                let (site, edge) = (self.site(site), self.edge_pool_or_none(edge).map(|id| (id, edge.span)));
                if let (Some(site), Some((edge, span))) = (site, edge) {
                    all.push((make(site, edge), span));
                }
            }
        }
        for (pool, backup) in in_order(&document.pairing) {
            let (one, other) = (self.pool(pool), self.pool_or_none(backup));
            let (Some(one), Some(other)) = (one, other) else { continue };
            if other == Some(one) {
                let message = format!("{} cannot be its own backup pool", quote(pool));
                self.error("paired-with-itself", backup.span, message, Some("name the other pool of the pair, or `none`".to_owned()));
                continue;
            }
            all.push((Setting::Pairing(one, other), backup.span));
        }
        for (pool, voice) in sorted(document.voice_resiliency.iter()) {
            let id = self.pool(pool);
            let detection = voice.detection.as_ref().map(|text| self.seconds(text));
            let failback = voice.failback.as_ref().map(|text| self.seconds(text));
            let Some(id) = id else { continue };
            // A problem with one interval is reported already; the setting is then left out as a whole.
            if detection == Some(None) || failback == Some(None) {
                continue;
            }
            let automatic = voice.automatic.map(Located::into_inner);
            if automatic.is_none() && detection.is_none() && failback.is_none() {
                self.error(
                    "empty-mapping",
                    pool.span,
                    format!("nothing is said about {}", quote(pool)),
                    Some("write `automatic:`, `detection:` or `failback:`".to_owned()),
                );
                continue;
            }
            let setting =
                Setting::Voice { pool: id, automatic, detection_seconds: detection.flatten(), failback_seconds: failback.flatten() };
            all.push((setting, pool.span));
        }
        all.sort_by_key(|(_, span)| *span);
        if purpose == Purpose::Edit {
            self.contradictory_pairings(&all);
        }
        all
    }

    /// A pool that two entries pair differently.
    fn contradictory_pairings(&mut self, settings: &[(Setting, Span)]) {
        let pairings: Vec<(PoolId, Option<PoolId>, Span)> = settings
            .iter()
            .filter_map(|(setting, span)| match setting {
                Setting::Pairing(one, other) => Some((*one, *other, *span)),
                _ => None,
            })
            .collect();
        for (index, (one, other, span)) in pairings.iter().enumerate() {
            let clash = pairings[..index].iter().find(|(first, second, _)| {
                // Written from both ends, a pair is one statement.
                let mirrored = Some(*first) == *other && *second == Some(*one);
                let touches = |pool: PoolId| pool == *first || Some(pool) == *second;
                !mirrored && (touches(*one) || other.is_some_and(touches))
            });
            if let Some((_, _, before)) = clash {
                let message = format!("{} is paired twice", quote(&self.topology.pool(*one).fqdn));
                let diagnostic = firedrill_syntax::Diagnostic::error("paired-twice", self.source, *span, message)
                    .label(*before, "the other pairing")
                    .hint("a pool has one backup pool, and is the backup of that pool");
                self.problems.push(diagnostic);
            }
        }
    }

    /// Applies overrides to a topology.
    pub(super) fn overrides(&mut self, overrides: &Overrides, topology: &mut Topology) {
        for (setting, _) in self.settings(&overrides.settings, Purpose::Edit) {
            apply_to_topology(setting, topology);
        }
        if let Some(name) = &overrides.cms
            && let Some(pool) = self.pool(name)
        {
            topology.cms.active = pool;
        }
        if let Some(name) = &overrides.cms_standby
            && let Some(pool) = self.pool_or_none(name)
        {
            topology.cms.standby = pool;
            if pool == Some(topology.cms.active) {
                self.error(
                    "standby-is-active",
                    name.span,
                    format!("{} holds the active store already", quote(name)),
                    Some("name its backup pool, or `none`".to_owned()),
                );
            }
        }
        if let Some(text) = &overrides.ttl
            && let Some(ttl) = self.seconds(text)
        {
            for set in topology.zones.iter_mut().flat_map(|zone| zone.records.values_mut()) {
                set.ttl = ttl;
            }
        }
        for written in &overrides.dns {
            let span = super::entry_span(self.source, written.span);
            for edit in self.dns_edits(std::slice::from_ref(written), span).into_iter().flatten() {
                if let Err(reason) = super::zone_edit::apply(&edit, topology) {
                    let hint = "look at the zone of the topology: an edit changes what is there".to_owned();
                    self.error("no-record", span, reason, Some(hint));
                }
            }
        }
        for (domain, resolver) in sorted(overrides.partner_resolver.iter()) {
            let partner = self.partner(domain);
            let max = resolver.max_ttl.as_ref().and_then(|text| self.seconds(text));
            let min = resolver.min_ttl.as_ref().and_then(|text| self.seconds(text));
            let negative = resolver.max_negative_ttl.as_ref().and_then(|text| self.seconds(text));
            let Some(partner) = partner else { continue };
            let settings = &mut topology.partners[partner.index()].resolver;
            settings.max_ttl_seconds = max.unwrap_or(settings.max_ttl_seconds);
            settings.min_ttl_seconds = min.unwrap_or(settings.min_ttl_seconds);
            settings.max_negative_ttl_seconds = negative.unwrap_or(settings.max_negative_ttl_seconds);
            if settings.min_ttl_seconds > settings.max_ttl_seconds {
                let (min, max) = (settings.min_ttl_seconds, settings.max_ttl_seconds);
                let message = format!("the shortest time an answer is kept ({min} s) is longer than the longest one ({max} s)");
                self.error("ttl-bounds", domain.span, message, Some("raise `max_ttl` or lower `min_ttl`".to_owned()));
            }
        }
    }
}

/// The port that "Enable XMPP federation" opens (dossier F.6).
pub(crate) const XMPP_PORT: u16 = 5269;

fn apply_to_topology(setting: Setting, topology: &mut Topology) {
    match setting {
        Setting::NextHop(edge, pool) => topology.edge_pools[edge.index()].next_hop = pool,
        Setting::Federation(edge, on) => topology.edge_pools[edge.index()].federation = on,
        Setting::Xmpp(edge, on) => {
            let port = &mut topology.edge_pools[edge.index()].xmpp_listening_port;
            *port = on.then(|| port.unwrap_or(XMPP_PORT));
        }
        Setting::MediaAssociation(pool, edge) => topology.pools[pool.index()].media_edge = edge,
        Setting::FederationRoute(site, edge) => topology.sites[site.index()].federation_route = edge,
        Setting::XmppRoute(site, edge) => topology.sites[site.index()].xmpp_route = edge,
        Setting::Pairing(pool, backup) => {
            for former in [topology.pool(pool).backup, backup.and_then(|backup| topology.pool(backup).backup)].into_iter().flatten() {
                topology.pools[former.index()].backup = None;
            }
            topology.pools[pool.index()].backup = backup;
            if let Some(backup) = backup {
                topology.pools[backup.index()].backup = Some(pool);
            }
            // Pairing the CMS pool puts a standby database into its partner, unpairing removes it (dossier A.3).
            if pool == topology.cms.active {
                topology.cms.standby = backup;
            } else if backup == Some(topology.cms.active) {
                topology.cms.standby = Some(pool);
            } else if topology.cms.standby == Some(pool) {
                topology.cms.standby = None;
            }
        }
        Setting::Voice { pool, automatic, detection_seconds, failback_seconds } => {
            let voice = &mut topology.pools[pool.index()].voice;
            voice.automatic = automatic.unwrap_or(voice.automatic);
            voice.detection_seconds = detection_seconds.unwrap_or(voice.detection_seconds);
            voice.failback_seconds = failback_seconds.unwrap_or(voice.failback_seconds);
        }
    }
}

/// Entries in the order of the text; a map sorts them by name.
fn sorted<'a, V: 'a>(entries: impl Iterator<Item = (&'a Located<String>, &'a V)>) -> Vec<(&'a Located<String>, &'a V)> {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|(name, _)| name.span);
    entries
}

fn in_order(map: &Assignments) -> Vec<(&Located<String>, &Located<String>)> {
    sorted(map.iter())
}

fn switches(map: &Switches) -> Vec<(&Located<String>, &Located<bool>)> {
    sorted(map.iter())
}
