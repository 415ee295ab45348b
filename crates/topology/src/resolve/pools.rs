//! Front End pools and their servers.

use firedrill_syntax::{Located, quote};

use super::{Resolver, What, version};
use crate::document::{CentralManagementDocument, EditionDocument, HostingDocument, PoolDocument, VoiceResiliencyDocument};
use crate::model::*;

/// Failure detection interval of pool to pool (dossier B.2).
const DEFAULT_DETECTION_SECONDS: u32 = 300;
/// Failback detection interval of pool to pool (dossier B.2).
const DEFAULT_FAILBACK_SECONDS: u32 = 600;
/// Smaller values are raised to this by the product (dossier B.2).
const LEAST_SECONDS: u32 = 90;
/// Documented upper end of both intervals (dossier B.2; the page misprints 84,400).
const MOST_SECONDS: u32 = 86_400;

/// Instance name of SQL Server Express on a Standard Edition server.
pub(crate) const COLLOCATED_INSTANCE: &str = "rtc";

impl Resolver<'_> {
    /// Enters pools and Front Ends into the tables, in document order.
    pub(super) fn declare_pools(&mut self) {
        if self.document.pools.is_empty() {
            self.report(
                self.error("no-pool", self.document.name.span, "the deployment has no pool").hint("add at least one entry to `pools:`"),
            );
        }
        for (index, pool) in self.document.pools.iter().enumerate() {
            let id = PoolId(index as u32);
            let fqdn = self.fqdn("pool", &pool.fqdn);
            if let Some(fqdn) = &fqdn
                && let Some((_, first)) = self.names.add(fqdn, What::Pool(id), pool.fqdn.span)
            {
                self.report(self.duplicate("name", &pool.fqdn, first));
            }
            let site = self.site_ref(&pool.site).unwrap_or(SiteId(0));
            let edition = match pool.edition.value {
                EditionDocument::Enterprise => Edition::Enterprise,
                EditionDocument::Standard => Edition::Standard,
            };
            let fqdn = fqdn.unwrap_or_default();
            let front_ends = match edition {
                Edition::Enterprise => self.enterprise_front_ends(id, site, pool),
                Edition::Standard => self.standard_server(id, site, pool, &fqdn),
            };
            let version = pool.product.map_or(self.topology.version, |product| version(product.value));
            let automatic = pool.voice_resiliency.as_ref().is_some_and(|voice| voice.automatic);
            self.topology.pools.push(Pool {
                fqdn,
                site,
                edition,
                version,
                virtualised: pool.hosting.unwrap_or_default() == HostingDocument::Virtual,
                front_ends,
                back_end: BackEnd::StandAlone { instance: SqlId(0) },
                file_store: None,
                backup: None,
                voice: VoiceResiliency {
                    automatic,
                    detection_seconds: DEFAULT_DETECTION_SECONDS,
                    failback_seconds: DEFAULT_FAILBACK_SECONDS,
                },
                media_edge: None,
                xmpp_gateway: false,
            });
        }
    }

    fn enterprise_front_ends(&mut self, id: PoolId, site: SiteId, pool: &PoolDocument) -> Vec<ComputerId> {
        if pool.front_ends.is_empty() {
            let message = format!("the Enterprise Edition pool {} has no Front End", quote(&pool.fqdn.value));
            self.report(self.error("no-front-end", pool.fqdn.span, message).hint("list its servers in order under `front_ends:`"));
        }
        pool.front_ends
            .iter()
            .filter_map(|name| self.server("Front End", name, site, What::FrontEnd(id), ComputerRole::FrontEnd(id)))
            .collect()
    }

    fn standard_server(&mut self, id: PoolId, site: SiteId, pool: &PoolDocument, fqdn: &str) -> Vec<ComputerId> {
        if pool.front_ends.len() > 1 {
            let message =
                format!("the Standard Edition pool {} lists {} servers; it is one server", quote(&pool.fqdn.value), pool.front_ends.len());
            self.report(
                self.error("standard-edition-servers", pool.front_ends[1].span, message)
                    .hint("write `edition: enterprise` for a pool of several Front Ends, or one pool for each Standard Edition server"),
            );
        } else if let Some(name) = pool.front_ends.first()
            && !name.eq_ignore_ascii_case(&pool.fqdn)
        {
            let message = format!("the server {} has another name than its Standard Edition pool", quote(&name.value));
            self.report(
                self.error("standard-edition-servers", name.span, message)
                    .label(pool.fqdn.span, "the pool")
                    .hint("a Standard Edition server's pool FQDN is its own: leave `front_ends:` out"),
            );
        }
        // The pool's name is the server's: it was entered once, as the pool's.
        vec![self.add_computer(fqdn.to_owned(), site, ComputerRole::FrontEnd(id))]
    }

    /// Enters a server under its own name, or nothing after a diagnostic.
    pub(super) fn server(
        &mut self,
        what: &str,
        name: &Located<String>,
        site: SiteId,
        named: What,
        role: ComputerRole,
    ) -> Option<ComputerId> {
        let fqdn = self.fqdn(what, name)?;
        if let Some((_, first)) = self.names.add(&fqdn, named, name.span) {
            self.report(self.duplicate("name", name, first));
            return None;
        }
        Some(self.add_computer(fqdn, site, role))
    }

    pub(super) fn add_computer(&mut self, fqdn: String, site: SiteId, role: ComputerRole) -> ComputerId {
        let id = ComputerId(self.topology.computers.len() as u32);
        self.topology.computers.push(Computer { fqdn, site, role });
        id
    }

    /// Fills in what pools say about each other, about Edge pools and about themselves.
    pub(super) fn link_pools(&mut self) {
        let xmpp_is_listened_for = self.document.edge_pools.iter().any(|edge| edge.xmpp_port.is_some());
        let mut active: Vec<(PoolId, Located<CentralManagementDocument>)> = Vec::new();
        let mut standby: Vec<(PoolId, Located<CentralManagementDocument>)> = Vec::new();
        for (index, pool) in self.document.pools.iter().enumerate() {
            let id = PoolId(index as u32);
            let backup = pool.backup.as_ref().and_then(|name| self.pool_ref("backup pool", name));
            let media_edge = pool.media_edge.as_ref().and_then(|name| self.edge_pool_ref("media association", name));
            let (detection, failback) = match &pool.voice_resiliency {
                Some(voice) => self.intervals(&voice.value),
                None => (None, None),
            };
            match pool.central_management {
                Some(role) if role.value == CentralManagementDocument::Active => active.push((id, role)),
                Some(role) => standby.push((id, role)),
                None => {}
            }
            let target = &mut self.topology.pools[index];
            let gateway_by_default = xmpp_is_listened_for && matches!(target.version, ProductVersion::Lync2013 | ProductVersion::Sfb2015);
            target.backup = backup;
            target.media_edge = media_edge;
            target.voice.detection_seconds = detection.unwrap_or(target.voice.detection_seconds);
            target.voice.failback_seconds = failback.unwrap_or(target.voice.failback_seconds);
            target.xmpp_gateway = pool.xmpp_gateway.map_or(gateway_by_default, |gateway| gateway.value);
        }
        self.central_management("active", &active);
        self.central_management("standby", &standby);
        if let Some((id, _)) = active.first() {
            self.topology.cms.active = *id;
        } else if !self.document.pools.is_empty() {
            self.report(
                self.error("no-central-management", self.document.name.span, "no pool holds the Central Management Store")
                    .hint("write `central_management: active` at one pool"),
            );
        }
        self.topology.cms.standby = standby.first().map(|(id, _)| *id);
    }

    fn central_management(&mut self, which: &str, holders: &[(PoolId, Located<CentralManagementDocument>)]) {
        let Some((_, first)) = holders.first() else { return };
        for (id, place) in &holders[1..] {
            let pool = quote(&self.document.pools[id.index()].fqdn.value);
            let message = format!("a second pool, {pool}, holds the {which} database of the Central Management Store");
            self.report(
                self.error("several-central-management", place.span, message)
                    .label(first.span, "first here")
                    .note(
                        "one deployment has one Central Management Store: one active database, and one standby database in the backup pool",
                    )
                    .hint(format!("keep `central_management: {which}` at one pool")),
            );
        }
    }

    /// Both intervals in seconds, as the product uses them.
    fn intervals(&mut self, voice: &VoiceResiliencyDocument) -> (Option<u32>, Option<u32>) {
        let detection = voice.failure_detection.as_ref().and_then(|text| self.interval("failure detection interval", text));
        let failback = voice.failback_detection.as_ref().and_then(|text| self.interval("failback detection interval", text));
        let (failing, back) = (detection.unwrap_or(DEFAULT_DETECTION_SECONDS), failback.unwrap_or(DEFAULT_FAILBACK_SECONDS));
        let place = voice.failback_detection.as_ref().or(voice.failure_detection.as_ref());
        if let Some(place) = place
            && back <= failing
        {
            let message = format!("users go home after {back}s, no later than the {failing}s after which they were taken over");
            self.report(
                self.warning("interval-order", place.span, message)
                    .note("intervals that are too close let users go to and fro; by default failback takes twice as long")
                    .hint(format!("write `failback_detection: {}s`", (failing * 2).min(MOST_SECONDS))),
            );
        }
        (detection, failback)
    }

    fn interval(&mut self, what: &str, text: &Located<firedrill_syntax::DurationText>) -> Option<u32> {
        let seconds = self.seconds(what, text)?;
        let written = quote(&text.value.0);
        if seconds > MOST_SECONDS {
            let message = format!("the {what} {written} is longer than a day");
            self.report(
                self.error("interval-too-long", text.span, message).hint(format!("the product accepts up to {MOST_SECONDS}s (`24h`)")),
            );
            return None;
        }
        if seconds < LEAST_SECONDS {
            let message = format!("the {what} {written} is shorter than {LEAST_SECONDS}s and counts as {LEAST_SECONDS}s");
            self.report(
                self.warning("interval-clamped", text.span, message)
                    .note("pools ping each other every 30s; the product raises smaller values to 90s")
                    .hint(format!(
                        "write `{LEAST_SECONDS}s`, or the default {}",
                        if what.starts_with("failure") { "`300s`" } else { "`600s`" }
                    )),
            );
        }
        Some(seconds.max(LEAST_SECONDS))
    }
}
