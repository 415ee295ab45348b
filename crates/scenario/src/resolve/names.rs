//! Names to ids, with a hint where a name leads nowhere.

use firedrill_fabric::ServiceName;
use firedrill_fabric::fault::Place;
use firedrill_fabric::operation::BackupModule;
use firedrill_syntax::{Diagnostic, Located, Span, nearest, one_of, quote};
use firedrill_topology::{ComputerId, ComputerRole, EdgePoolId, PartnerId, PoolId, SiteId, SqlId, UserId};

use super::Resolver;

/// More names than these are not listed in a hint.
const LISTED: usize = 6;

impl Resolver<'_> {
    /// A Front End pool.
    pub(super) fn pool(&mut self, name: &Located<String>) -> Option<PoolId> {
        let found = self.topology.find_pool(name);
        if found.is_none() {
            let names: Vec<&str> = self.topology.pools.iter().map(|pool| pool.fqdn.as_str()).collect();
            self.unknown("unknown-pool", "Front End pool", name, &names);
        }
        found
    }

    /// A Front End pool, or the word `none`.
    pub(super) fn pool_or_none(&mut self, name: &Located<String>) -> Option<Option<PoolId>> {
        if is_none(name) { Some(None) } else { self.pool(name).map(Some) }
    }

    /// An Edge pool.
    pub(super) fn edge_pool(&mut self, name: &Located<String>) -> Option<EdgePoolId> {
        let found = self.topology.find_edge_pool(name);
        if found.is_none() {
            let names: Vec<&str> = self.topology.edge_pools.iter().map(|pool| pool.fqdn.as_str()).collect();
            self.unknown("unknown-edge-pool", "Edge pool", name, &names);
        }
        found
    }

    /// An Edge pool, or the word `none`.
    pub(super) fn edge_pool_or_none(&mut self, name: &Located<String>) -> Option<Option<EdgePoolId>> {
        if is_none(name) { Some(None) } else { self.edge_pool(name).map(Some) }
    }

    /// A site.
    pub(super) fn site(&mut self, name: &Located<String>) -> Option<SiteId> {
        let found = self.topology.find_site(name);
        if found.is_none() {
            let names: Vec<&str> = self.topology.sites.iter().map(|site| site.name.as_str()).collect();
            self.unknown("unknown-site", "site", name, &names);
        }
        found
    }

    /// A computer of any role.
    pub(super) fn computer(&mut self, name: &Located<String>) -> Option<ComputerId> {
        let found = self.topology.find_computer(name);
        if found.is_none() {
            let hosts =
                self.topology.computers.iter().filter(|computer| host(&computer.fqdn).eq_ignore_ascii_case(name)).map(|c| c.fqdn.as_str());
            let hosts: Vec<&str> = hosts.collect();
            if hosts.len() > 1 {
                let message = format!("{} is the host name of several computers", quote(name));
                self.error("ambiguous-computer", name.span, message, Some(format!("write {}", one_of(hosts.iter().copied().take(LISTED)))));
                return None;
            }
            let names: Vec<&str> = self.topology.computers.iter().map(|computer| computer.fqdn.as_str()).collect();
            self.unknown("unknown-computer", "computer", name, &names);
        }
        found
    }

    /// A computer that runs a management shell: a Front End or an Edge Server.
    pub(super) fn shell(&mut self, name: &Located<String>) -> Option<ComputerId> {
        let computer = self.computer(name)?;
        match self.topology.computer(computer).role {
            ComputerRole::FrontEnd(_) | ComputerRole::Edge(_) => Some(computer),
            ComputerRole::Sql | ComputerRole::FileServer => {
                let message = format!("{} has no management shell", quote(&self.topology.computer(computer).fqdn));
                self.error("no-shell", name.span, message, Some("commands run on Front Ends and Edge Servers".to_owned()));
                None
            }
        }
    }

    /// All computers behind a name: a computer, a pool, an Edge pool or (where `sites` is true) a site.
    pub(super) fn computers(&mut self, name: &Located<String>, sites: bool) -> Vec<ComputerId> {
        let topology = self.topology;
        // A Standard Edition pool has the name of its only server: the same computer either way.
        if let Some(pool) = topology.find_pool(name) {
            return topology.pool(pool).front_ends.clone();
        }
        if let Some(edge) = topology.find_edge_pool(name) {
            return topology.edge_pool(edge).servers.iter().map(|server| server.computer).collect();
        }
        if let (true, Some(site)) = (sites, topology.find_site(name)) {
            return topology.computer_ids().filter(|id| topology.computer(*id).site == site && has_replica(topology, *id)).collect();
        }
        if let Some(computer) = topology.find_computer(name) {
            return vec![computer];
        }
        let mut names: Vec<&str> = topology.computers.iter().map(|computer| computer.fqdn.as_str()).collect();
        names.extend(topology.pools.iter().map(|pool| pool.fqdn.as_str()));
        names.extend(topology.edge_pools.iter().map(|pool| pool.fqdn.as_str()));
        names.extend(topology.sites.iter().map(|site| site.name.as_str()).filter(|_| sites));
        self.unknown("unknown-computer", "computer or pool", name, &names);
        Vec::new()
    }

    /// A federated partner.
    pub(super) fn partner(&mut self, name: &Located<String>) -> Option<PartnerId> {
        let found = self.topology.find_partner(name);
        if found.is_none() {
            let names: Vec<&str> = self.topology.partners.iter().map(|partner| partner.domain.as_str()).collect();
            self.unknown("unknown-partner", "federated partner", name, &names);
        }
        found
    }

    /// One of our SIP domains.
    pub(super) fn sip_domain(&mut self, name: &Located<String>) -> Option<String> {
        let topology = self.topology;
        let found = topology.sip_domains.iter().find(|domain| domain.eq_ignore_ascii_case(name));
        if found.is_none() {
            let names: Vec<&str> = topology.sip_domains.iter().map(String::as_str).collect();
            self.unknown("unknown-domain", "SIP domain", name, &names);
        }
        found.cloned()
    }

    /// A user.
    pub(super) fn user(&mut self, address: &Located<String>) -> Option<UserId> {
        let users = &self.topology.users;
        let found = users.find(address);
        if found.is_none() {
            let message = format!("no user of this deployment has the address {}", quote(address));
            let named: Vec<String> = users
                .cohorts
                .iter()
                .filter(|cohort| cohort.pattern.digits.is_none())
                .filter_map(|cohort| users.address(cohort.first))
                .collect();
            let ranges = users.cohorts.iter().filter(|cohort| cohort.count > 1).take(LISTED).filter_map(|cohort| {
                let last = UserId(cohort.first.0 + cohort.count - 1);
                Some(format!("{} to {}", quote(&users.address(cohort.first)?), quote(&users.address(last)?)))
            });
            let ranges: Vec<String> = ranges.collect();
            let hint = match nearest(address, named.iter().map(String::as_str)) {
                Some(near) => Some(format!("did you mean {}?", quote(near))),
                None if ranges.is_empty() => None,
                None => Some(format!("the users are {}", ranges.join(", "))),
            };
            self.error("unknown-user", address.span, message, hint);
        }
        found
    }

    /// A SQL Server instance: `server\instance`, or the server alone when it has one.
    pub(super) fn sql(&mut self, name: &Located<String>) -> Option<SqlId> {
        let topology = self.topology;
        let (server, instance) = name.split_once('\\').unwrap_or((name, ""));
        let of_server: Vec<SqlId> = (0..topology.sql_instances.len() as u32)
            .map(SqlId)
            .filter(|id| {
                let fqdn = &topology.computer(topology.sql(*id).computer).fqdn;
                fqdn.eq_ignore_ascii_case(server) || host(fqdn).eq_ignore_ascii_case(server)
            })
            .collect();
        let exact: Vec<SqlId> = of_server.iter().copied().filter(|id| topology.sql(*id).instance.eq_ignore_ascii_case(instance)).collect();
        match (exact.as_slice(), of_server.as_slice()) {
            ([only], _) => Some(*only),
            ([], [only]) if instance.is_empty() => Some(*only),
            _ => {
                let names: Vec<String> = (0..topology.sql_instances.len() as u32).map(|id| sql_name(topology, SqlId(id))).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                self.unknown("unknown-sql-instance", "SQL Server instance", name, &names);
                None
            }
        }
    }

    /// A Windows service.
    pub(super) fn service(&mut self, name: &Located<String>) -> Option<ServiceName> {
        let found = ServiceName::from_short_name(name);
        if found.is_none() {
            let names: Vec<&str> = ServiceName::ALL.iter().map(|service| service.short_name()).collect();
            let message = format!("there is no Windows service named {}", quote(name));
            self.unknown_as("unknown-service", "Windows service", name, &names, message);
        }
        found
    }

    /// A module of the Backup Service, by its short or its full name.
    pub(super) fn module(&mut self, name: &Located<String>) -> Option<BackupModule> {
        const MODULES: [(&str, BackupModule); 5] = [
            ("UserServices.PresenceFocus", BackupModule::PresenceFocus),
            ("ConfServices.DataConf", BackupModule::DataConf),
            ("CentralMgmt.CMSMaster", BackupModule::CmsMaster),
            ("ApplicationServer.RGSDataStore", BackupModule::RgsDataStore),
            ("ApplicationServer.RGSFileStore", BackupModule::RgsFileStore),
        ];
        let found = MODULES.iter().find(|(full, _)| {
            full.eq_ignore_ascii_case(name) || full.split_once('.').is_some_and(|(_, short)| short.eq_ignore_ascii_case(name))
        });
        if found.is_none() {
            let names: Vec<&str> = MODULES.iter().filter_map(|(full, _)| full.split_once('.').map(|(_, short)| short)).collect();
            let message = format!("the Backup Service has no module named {}", quote(name));
            self.unknown_as("unknown-module", "module of the Backup Service", name, &names, message);
        }
        found.map(|(_, module)| *module)
    }

    /// One end of a blocked port.
    pub(super) fn place(&mut self, name: &Located<String>) -> Option<Place> {
        let topology = self.topology;
        let found = match name.to_ascii_lowercase().as_str() {
            "internet" => Some(Place::Internet),
            "anywhere" => Some(Place::Anywhere),
            _ => None,
        };
        let found = found
            .or_else(|| topology.find_pool(name).map(Place::Pool))
            .or_else(|| topology.find_edge_pool(name).map(Place::EdgePool))
            .or_else(|| topology.find_site(name).map(Place::Site))
            .or_else(|| topology.find_computer(name).map(Place::Computer));
        if found.is_none() {
            let mut names = vec!["internet", "anywhere"];
            names.extend(topology.sites.iter().map(|site| site.name.as_str()));
            names.extend(topology.pools.iter().map(|pool| pool.fqdn.as_str()));
            names.extend(topology.edge_pools.iter().map(|pool| pool.fqdn.as_str()));
            names.extend(topology.computers.iter().map(|computer| computer.fqdn.as_str()));
            self.unknown("unknown-place", "place", name, &names);
        }
        found
    }

    /// `there is no … named …`, with the nearest name, what else bears the name, or a short list.
    fn unknown(&mut self, code: &'static str, kind: &str, name: &Located<String>, names: &[&str]) {
        let message = format!("there is no {kind} named {} in {}", quote(name), quote(&self.topology.name));
        self.unknown_as(code, kind, name, names, message);
    }

    /// As [`Self::unknown`], with a message of its own.
    fn unknown_as(&mut self, code: &'static str, kind: &str, name: &Located<String>, names: &[&str], message: String) {
        if self.problems.is_full() {
            self.problems.push(Diagnostic::error(code, self.source, name.span, message));
            return;
        }
        let siblings: Vec<&str> = names.iter().copied().filter(|other| differ_in_digits(other, name)).take(LISTED).collect();
        let hint = if let Some(other) = self.other_kind(kind, name) {
            Some(other)
        } else if let Some(near) = nearest_name(name, names) {
            Some(format!("did you mean {}?", quote(&near)))
        } else if !siblings.is_empty() {
            Some(format!("write {}", one_of(siblings)))
        } else if names.len() <= LISTED {
            Some(if names.is_empty() {
                format!("this deployment has no {kind} at all")
            } else {
                format!("write {}", one_of(names.iter().copied()))
            })
        } else {
            names.first().map(|first| format!("one of them is {}", quote(first)))
        };
        self.error(code, name.span, message, hint);
    }

    /// What a name is when it is not what is wanted.
    fn other_kind(&self, wanted: &str, name: &str) -> Option<String> {
        let topology = self.topology;
        let is = if topology.find_pool(name).is_some() {
            "a Front End pool"
        } else if topology.find_edge_pool(name).is_some() {
            "an Edge pool"
        } else if let Some(computer) = topology.find_computer(name) {
            return Some(match topology.computer(computer).role {
                ComputerRole::FrontEnd(pool) => format!("{} is a Front End of {}", quote(name), quote(&topology.pool(pool).fqdn)),
                ComputerRole::Edge(edge) => format!("{} is a server of {}", quote(name), quote(&topology.edge_pool(edge).fqdn)),
                ComputerRole::Sql => format!("{} is a SQL Server", quote(name)),
                ComputerRole::FileServer => format!("{} is a file server", quote(name)),
            });
        } else if topology.find_site(name).is_some() {
            "a site"
        } else if topology.find_partner(name).is_some() {
            "a federated partner"
        } else {
            return None;
        };
        Some(format!("{} is {is}; a {wanted} is expected here", quote(name)))
    }

    /// Adds an error.
    pub(crate) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>, hint: Option<String>) {
        self.problems.push(Diagnostic::error(code, self.source, span, message).maybe_hint(hint));
    }
}

/// The word that takes an assignment away.
pub(super) fn is_none(name: &str) -> bool {
    name.eq_ignore_ascii_case("none")
}

/// Computers that hold a replica of the Central Management Store (dossier D.1).
pub(crate) fn has_replica(topology: &firedrill_topology::Topology, computer: ComputerId) -> bool {
    matches!(topology.computer(computer).role, ComputerRole::FrontEnd(_) | ComputerRole::Edge(_))
}

/// `server\instance`.
pub(crate) fn sql_name(topology: &firedrill_topology::Topology, id: SqlId) -> String {
    let sql = topology.sql(id);
    let server = &topology.computer(sql.computer).fqdn;
    if sql.instance.is_empty() { server.clone() } else { format!("{server}\\{}", sql.instance) }
}

/// The name that was probably meant. Names of one domain are compared by their hosts alone: the rest is no evidence.
fn nearest_name(name: &str, names: &[&str]) -> Option<String> {
    if let Some((label, domain)) = name.split_once('.') {
        let labels = names
            .iter()
            .filter_map(|other| other.split_once('.').filter(|(_, of)| of.eq_ignore_ascii_case(domain)).map(|(label, _)| label));
        let labels: Vec<&str> = labels.collect();
        if !labels.is_empty() {
            return nearest(label, labels).map(|label| format!("{label}.{domain}"));
        }
    }
    nearest(name, names.iter().copied()).map(str::to_owned)
}

/// `pool3` and `pool1`: neither is a typo of the other, and whoever writes one knows the other.
fn differ_in_digits(one: &str, other: &str) -> bool {
    let bare = |name: &str| name.chars().filter(|c| !c.is_ascii_digit()).collect::<String>().to_ascii_lowercase();
    !one.eq_ignore_ascii_case(other) && bare(one) == bare(other)
}

fn host(fqdn: &str) -> &str {
    fqdn.split('.').next().unwrap_or(fqdn)
}
