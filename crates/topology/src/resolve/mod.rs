//! From a document to a [`Topology`]: names become ids, and every problem is collected on the way.
//!
//! Work goes on after a problem with a stand-in (id 0, an empty name), so that one run shows all problems. A topology
//! with stand-ins never leaves this module: any error discards it.

mod back_ends;
mod edges;
mod name_servers;
mod names;
mod partners;
mod pools;
mod users;
mod zones;

use std::sync::Arc;

use firedrill_syntax::{Diagnostic, Diagnostics, Located, Source, Span, quote};

use crate::document::{ProductDocument, RecordDocument, TopologyDocument};
use crate::limits;
use crate::model::*;
use crate::names::NameProblem;
use crate::validate;

pub(crate) use names::{Names, What};
pub(crate) use zones::whole_name;

/// Everything that is known while a document is resolved.
pub(crate) struct Resolver<'d> {
    pub(crate) source: &'d Arc<Source>,
    pub(crate) document: &'d TopologyDocument,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) names: Names,
    pub(crate) topology: Topology,
    /// Reads the files that the document names.
    files: &'d mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
}

/// Resolves and validates a document. A topology comes only when there was no error; warnings do not block it.
pub(crate) fn resolve(
    source: &Arc<Source>,
    document: &TopologyDocument,
    files: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
) -> (Option<Topology>, Vec<Diagnostic>) {
    let (diagnostics, names, topology) = (Diagnostics::new(), Names::default(), empty(document));
    let mut resolver = Resolver { source, document, diagnostics, names, topology, files };
    if resolver.is_within_limits() {
        resolver.run();
        validate::validate(&mut resolver);
    }
    let Resolver { diagnostics, topology, .. } = resolver;
    let valid = !diagnostics.has_errors();
    (valid.then_some(topology), diagnostics.into_vec())
}

fn empty(document: &TopologyDocument) -> Topology {
    Topology {
        name: document.name.value.clone(),
        version: version(document.product.value),
        ad_domain: String::new(),
        sip_domains: Vec::new(),
        sites: Vec::new(),
        pools: Vec::new(),
        edge_pools: Vec::new(),
        computers: Vec::new(),
        sql_instances: Vec::new(),
        file_stores: Vec::new(),
        cms: CentralManagement { active: PoolId(0), standby: None },
        zones: Vec::new(),
        internal_zones: Vec::new(),
        name_servers: Vec::new(),
        partners: Vec::new(),
        xmpp_allowed_partners: Vec::new(),
        users: UserDirectory::default(),
    }
}

/// The model's generation for the document's.
pub(crate) fn version(product: ProductDocument) -> ProductVersion {
    match product {
        ProductDocument::Lync2010 => ProductVersion::Lync2010,
        ProductDocument::Lync2013 => ProductVersion::Lync2013,
        ProductDocument::Sfb2015 => ProductVersion::Sfb2015,
        ProductDocument::Sfb2019 => ProductVersion::Sfb2019,
    }
}

impl Resolver<'_> {
    fn run(&mut self) {
        self.deployment();
        self.sites();
        self.declare_pools();
        self.declare_edge_pools();
        self.back_ends();
        self.file_stores();
        self.link_sites();
        self.link_pools();
        self.link_edge_pools();
        self.partners();
        self.zones();
        self.name_servers();
        self.users();
    }

    fn is_within_limits(&mut self) -> bool {
        let document = self.document;
        let records: usize = document.dns_zones.iter().flat_map(|zone| &zone.records).map(RecordDocument::count).sum();
        let servers = document.pools.iter().map(|p| p.front_ends.len()).chain(document.edge_pools.iter().map(|e| e.servers.len()));
        for (what, count, limit) in [
            ("sites", document.sites.len(), limits::MAX_SITES),
            ("pools", document.pools.len(), limits::MAX_POOLS),
            ("Edge pools", document.edge_pools.len(), limits::MAX_POOLS),
            ("servers of one pool", servers.max().unwrap_or(0), limits::MAX_SERVERS_OF_A_POOL),
            ("SIP domains", document.sip_domains.len(), limits::MAX_DOMAINS),
            ("allowed XMPP partners", document.xmpp_allowed_partners.len(), limits::MAX_DOMAINS),
            ("partners", document.partners.len(), limits::MAX_DOMAINS),
            ("DNS zones", document.dns_zones.len(), limits::MAX_ZONES),
            ("name servers", document.dns_servers.len(), limits::MAX_NAME_SERVERS),
            ("TSIG keys", document.tsig_keys.len(), limits::MAX_NAME_SERVERS),
            ("DNS records", records, limits::MAX_RECORDS),
            ("entries of users", document.users.len(), limits::MAX_USER_ENTRIES),
        ] {
            if count > limit {
                let message = format!("{count} {what} are more than this program takes on; the limit is {limit}");
                self.report(self.error("limit", document.name.span, message).hint("leave out what the rehearsal does not touch"));
            }
        }
        !self.diagnostics.has_errors()
    }

    fn deployment(&mut self) {
        let document = self.document;
        if document.product.value == ProductDocument::Lync2010 {
            self.report(
                self.error("product-2010", document.product.span, "a whole deployment of Lync Server 2010 is not modelled")
                    .hint("write `product: 2013`, and `product: 2010` at the pool that holds the Central Management Store"),
            );
        }
        if document.name.trim().is_empty() {
            self.report(self.error("empty-name", document.name.span, "the deployment has no name").hint("for example `name: contoso`"));
        }
        if document.sip_domains.is_empty() {
            self.report(
                self.error("no-sip-domain", document.name.span, "the deployment has no SIP domain")
                    .hint("add `sip_domains: [contoso.com]`"),
            );
        }
        let mut seen: std::collections::BTreeMap<String, Span> = std::collections::BTreeMap::new();
        for domain in &document.sip_domains {
            let Some(name) = self.fqdn("SIP domain", domain) else { continue };
            match seen.get(&name) {
                Some(first) => self.report(self.duplicate("SIP domain", domain, *first)),
                None => {
                    seen.insert(name.clone(), domain.span);
                    self.topology.sip_domains.push(name);
                }
            }
        }
        self.topology.ad_domain = match &document.ad_domain {
            Some(domain) => self.fqdn("Active Directory domain", domain).unwrap_or_default(),
            None => self.topology.sip_domains.first().cloned().unwrap_or_default(),
        };
    }

    fn sites(&mut self) {
        if self.document.sites.is_empty() {
            self.report(
                self.error("no-site", self.document.name.span, "the deployment has no site").hint("add at least one entry to `sites:`"),
            );
        }
        for (index, site) in self.document.sites.iter().enumerate() {
            let name = site.name.trim();
            if name.is_empty() || name.contains([':', '\\', '/']) || name.chars().any(char::is_control) {
                self.report(
                    self.error("bad-name", site.name.span, format!("{} is not a name for a site", quote(name)))
                        .hint("letters, digits, spaces and hyphens, as in `Site1`; commands add `Site:` themselves"),
                );
            }
            if let Some(first) = self.names.add_site(name, SiteId(index as u32), site.name.span) {
                self.report(self.duplicate("site", &site.name, first));
            }
            self.topology.sites.push(Site {
                name: name.to_owned(),
                display_name: site.display_name.clone().unwrap_or_else(|| name.to_owned()),
                federation_route: None,
                xmpp_route: None,
            });
        }
    }

    fn link_sites(&mut self) {
        for (index, site) in self.document.sites.iter().enumerate() {
            let federation = site.federation_route.as_ref().and_then(|name| self.edge_pool_ref("federation route", name));
            let xmpp = site.xmpp_route.as_ref().and_then(|name| self.edge_pool_ref("XMPP route", name));
            self.topology.sites[index].federation_route = federation;
            self.topology.sites[index].xmpp_route = xmpp;
        }
    }

    // Words that several parts share.

    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(crate) fn error(&self, code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, self.source, span, message)
    }

    pub(crate) fn warning(&self, code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(code, self.source, span, message)
    }

    /// The diagnostic for a name that was given before.
    pub(crate) fn duplicate(&self, what: &str, name: &Located<String>, first: Span) -> Diagnostic {
        self.error("duplicate-name", name.span, format!("the {what} {} is defined twice", quote(&name.value)))
            .label(first, "first here")
            .hint("names are unique, without regard to case: rename one, or remove it")
    }

    /// The name in lower case, or nothing after a diagnostic.
    pub(crate) fn fqdn(&mut self, what: &str, name: &Located<String>) -> Option<String> {
        let checked = crate::names::fqdn(&name.value);
        self.checked("bad-fqdn", &format!("a valid name for the {what}"), name, checked)
    }

    /// The value, or nothing after a diagnostic: `` `x` is not <what>: <reason> ``.
    pub(crate) fn checked<T>(
        &mut self,
        code: &'static str,
        what: &str,
        name: &Located<String>,
        checked: Result<T, NameProblem>,
    ) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(NameProblem { reason, hint }) => {
                let message = format!("{} is not {what}: {reason}", quote(&name.value));
                self.report(self.error(code, name.span, message).hint(hint));
                None
            }
        }
    }

    /// A duration in whole seconds that fits DNS and the model, or nothing after a diagnostic.
    pub(crate) fn seconds(&mut self, what: &str, text: &Located<firedrill_syntax::DurationText>) -> Option<u32> {
        let duration = text.resolve(self.source, &mut self.diagnostics)?;
        if duration.subsec_millis() != 0 {
            let message = format!("the {what} is counted in whole seconds, not {}", quote(&text.value.0));
            self.report(self.error("bad-duration", text.span, message).hint(format!("write `{}s`", duration.as_secs().max(1))));
            return None;
        }
        u32::try_from(duration.as_secs()).ok()
    }
}
