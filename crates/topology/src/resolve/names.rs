//! Which name belongs to what, and references to names.

use std::collections::BTreeMap;

use firedrill_syntax::{Located, Span, all_of, nearest, quote};

use super::Resolver;
use crate::model::{ComputerId, EdgePoolId, PoolId, SiteId};

/// What a name was given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A Front End pool.
    Pool(PoolId),
    /// An Edge pool.
    EdgePool(EdgePoolId),
    /// A Front End of an Enterprise Edition pool.
    FrontEnd(PoolId),
    /// A server of an Edge pool.
    EdgeServer(EdgePoolId),
    /// A SQL Server.
    Sql(ComputerId),
    /// A file server.
    FileServer(ComputerId),
    /// The listener of an availability group.
    Listener,
}

impl What {
    /// The kind in words, with its article.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Pool(_) => "a Front End pool",
            Self::EdgePool(_) => "an Edge pool",
            Self::FrontEnd(_) => "a Front End",
            Self::EdgeServer(_) => "an Edge Server",
            Self::Sql(_) => "a SQL Server",
            Self::FileServer(_) => "a file server",
            Self::Listener => "an availability group listener",
        }
    }
}

/// All names of a deployment, in lower case.
#[derive(Debug, Default)]
pub(crate) struct Names {
    fqdns: BTreeMap<String, (What, Span)>,
    sites: BTreeMap<String, (SiteId, Span)>,
}

impl Names {
    /// Gives a name to something. Returns what had it before; the first one keeps it.
    pub(crate) fn add(&mut self, fqdn: &str, what: What, span: Span) -> Option<(What, Span)> {
        if let Some(taken) = self.fqdns.get(fqdn) {
            return Some(*taken);
        }
        self.fqdns.insert(fqdn.to_owned(), (what, span));
        None
    }

    /// Gives a name to a site. Returns the place of the site that had it before.
    pub(crate) fn add_site(&mut self, name: &str, id: SiteId, span: Span) -> Option<Span> {
        let key = name.to_lowercase();
        if let Some((_, first)) = self.sites.get(&key) {
            return Some(*first);
        }
        self.sites.insert(key, (id, span));
        None
    }

    /// Who has a name.
    pub(crate) fn get(&self, fqdn: &str) -> Option<(What, Span)> {
        self.fqdns.get(&fqdn.to_ascii_lowercase()).copied()
    }
}

/// Most names that a hint lists.
const LISTED: usize = 6;

fn suggestion(wanted: &str, what: &str, candidates: &[String]) -> String {
    let names = || candidates.iter().map(String::as_str);
    if let Some(near) = nearest(wanted, names()) {
        return format!("did you mean {}?", quote(near));
    }
    match candidates.len() {
        0 => format!("there is no {what} in this document"),
        1..=LISTED => format!("there is {}", all_of(names())),
        more => format!("there are {more} to choose from, {} first", quote(&candidates[0])),
    }
}

impl Resolver<'_> {
    /// The site with a name, or nothing after a diagnostic.
    pub(crate) fn site_ref(&mut self, name: &Located<String>) -> Option<SiteId> {
        if let Some((id, _)) = self.names.sites.get(&name.trim().to_lowercase()) {
            return Some(*id);
        }
        if !self.diagnostics.is_full() {
            let candidates: Vec<String> = self.document.sites.iter().map(|s| s.name.value.clone()).collect();
            let hint = suggestion(&name.value, "site", &candidates);
            self.report(self.error("unknown-site", name.span, format!("there is no site {}", quote(&name.value))).hint(hint));
        } else {
            self.report(self.error("unknown-site", name.span, "unknown site"));
        }
        None
    }

    /// The Front End pool with a name, or nothing after a diagnostic that says what the name is instead. `role` is
    /// what the pool is wanted for: "next hop".
    pub(crate) fn pool_ref(&mut self, role: &str, name: &Located<String>) -> Option<PoolId> {
        let hint = match self.names.get(&name.value) {
            Some((What::Pool(id), _)) => return Some(id),
            Some((What::FrontEnd(pool), _)) => {
                format!("it belongs to the pool {}: name that", quote(&self.document.pools[pool.index()].fqdn.value))
            }
            Some((What::EdgePool(edge), _)) if role == "next hop" => {
                let own = quote(&self.document.edge_pools[edge.index()].fqdn.value);
                format!("the next hop is where the Edge hands over to the inside: name a Front End pool, not {own}")
            }
            Some(_) => "name a Front End pool".to_owned(),
            None => self.pool_suggestion(&name.value),
        };
        self.refuse("unknown-pool", role, "a Front End pool", name, hint);
        None
    }

    fn pool_suggestion(&self, wanted: &str) -> String {
        if self.diagnostics.is_full() {
            return String::new();
        }
        let candidates: Vec<String> = self.document.pools.iter().map(|p| p.fqdn.value.clone()).collect();
        suggestion(wanted, "Front End pool", &candidates)
    }

    /// The Edge pool with a name, or nothing after a diagnostic that says what the name is instead.
    pub(crate) fn edge_pool_ref(&mut self, role: &str, name: &Located<String>) -> Option<EdgePoolId> {
        let hint = match self.names.get(&name.value) {
            Some((What::EdgePool(id), _)) => return Some(id),
            Some((What::EdgeServer(pool), _)) => {
                format!("it belongs to the Edge pool {}: name that", quote(&self.document.edge_pools[pool.index()].fqdn.value))
            }
            Some(_) => "name an Edge pool by its internal FQDN".to_owned(),
            None if self.diagnostics.is_full() => String::new(),
            None => {
                // People name an Edge by what the outside sees; the topology names it by its inside.
                let outside = self.document.edge_pools.iter().find(|e| e.external.access.eq_ignore_ascii_case(&name.value));
                match outside {
                    Some(edge) => format!("that is its name from outside; its internal FQDN is {}", quote(&edge.fqdn.value)),
                    None => {
                        let candidates: Vec<String> = self.document.edge_pools.iter().map(|e| e.fqdn.value.clone()).collect();
                        suggestion(&name.value, "Edge pool", &candidates)
                    }
                }
            }
        };
        self.refuse("unknown-edge-pool", role, "an Edge pool", name, hint);
        None
    }

    fn refuse(&mut self, unknown: &'static str, role: &str, due: &str, name: &Located<String>, hint: String) {
        let quoted = quote(&name.value);
        let diagnostic = match self.names.get(&name.value) {
            Some((what, span)) => self
                .error("wrong-kind", name.span, format!("the {role} {quoted} is {}, where {due} is due", what.words()))
                .label(span, "defined here"),
            None => self.error(unknown, name.span, format!("the {role} {quoted} is not {due} of this document")),
        };
        self.report(diagnostic.maybe_hint((!hint.is_empty()).then_some(hint)));
    }
}
