//! SQL back ends and file stores: their computers stand in the site of the pool that names them first.

use firedrill_syntax::{Located, Span, quote};

use super::pools::COLLOCATED_INSTANCE;
use super::{Resolver, What};
use crate::document::{AlwaysOnDocument, EditionDocument, MirroredDocument, SqlDocument};
use crate::model::*;

/// A SQL instance that a pool names, with the place where it does.
#[derive(Debug, Clone, Copy)]
struct Named {
    id: SqlId,
    span: Span,
}

impl Resolver<'_> {
    pub(super) fn back_ends(&mut self) {
        // Which pool's databases an instance holds: two pools need two instances.
        let mut holders: std::collections::BTreeMap<SqlId, (usize, Span)> = std::collections::BTreeMap::new();
        for (index, pool) in self.document.pools.iter().enumerate() {
            let site = self.topology.pools[index].site;
            let (back_end, holding) = match (pool.edition.value, pool.sql.as_ref()) {
                (EditionDocument::Standard, None) => self.collocated(index),
                (EditionDocument::Standard, Some(sql)) => {
                    if !matches!(sql.value, SqlDocument::Collocated) {
                        self.report(
                            self.error(
                                "standard-edition-sql",
                                sql.span,
                                "a Standard Edition server has SQL Server Express on the server itself",
                            )
                            .hint("leave `sql:` out"),
                        );
                    }
                    self.collocated(index)
                }
                (EditionDocument::Enterprise, None) => {
                    let message = format!("the Enterprise Edition pool {} has no SQL back end", quote(&pool.fqdn.value));
                    self.report(
                        self.error("no-back-end", pool.fqdn.span, message)
                            .hint("add `sql:` with `stand_alone:`, `mirrored:` or `always_on:`"),
                    );
                    continue;
                }
                (EditionDocument::Enterprise, Some(sql)) => match &sql.value {
                    SqlDocument::Collocated => {
                        self.report(
                            self.error(
                                "enterprise-edition-sql",
                                sql.span,
                                "an Enterprise Edition pool cannot have its databases on a Front End",
                            )
                            .hint("write `stand_alone: sql1.contoso.com\\rtc`, or `mirrored:`, or `always_on:`"),
                        );
                        continue;
                    }
                    SqlDocument::StandAlone(name) => match self.instance("SQL back end", name, site) {
                        Some(named) => (BackEnd::StandAlone { instance: named.id }, vec![named]),
                        None => continue,
                    },
                    SqlDocument::Mirrored(mirrored) => match self.mirrored(mirrored, site) {
                        Some(back_end) => back_end,
                        None => continue,
                    },
                    SqlDocument::AlwaysOn(group) => match self.always_on(group, site) {
                        Some(back_end) => back_end,
                        None => continue,
                    },
                },
            };
            for named in holding {
                match holders.get(&named.id) {
                    Some((other, first)) if *other != index => {
                        let other = quote(&self.document.pools[*other].fqdn.value);
                        let message = format!("this SQL instance already holds the databases of {other}");
                        self.report(
                            self.error("shared-instance", named.span, message)
                                .label(*first, "named first here")
                                .note("the databases of two pools have the same names (`rtcxds`, `rtcshared`, …)")
                                .hint("give this pool an instance of its own"),
                        );
                    }
                    _ => {
                        holders.insert(named.id, (index, named.span));
                    }
                }
            }
            self.topology.pools[index].back_end = back_end;
        }
    }

    fn collocated(&mut self, pool: usize) -> (BackEnd, Vec<Named>) {
        let computer = self.topology.pools[pool].front_ends.first().copied().unwrap_or(ComputerId(0));
        let instance = self.add_instance(computer, COLLOCATED_INSTANCE);
        (BackEnd::Collocated { instance }, Vec::new())
    }

    fn mirrored(&mut self, mirrored: &MirroredDocument, site: SiteId) -> Option<(BackEnd, Vec<Named>)> {
        let primary = self.instance("primary SQL Server", &mirrored.primary, site);
        let mirror = self.instance("mirror SQL Server", &mirrored.mirror, site);
        let witness = self.witness(mirrored, site);
        let (primary, mirror) = (primary?, mirror?);
        let witness = match witness {
            Some(named) => Some(named?),
            None => None,
        };
        self.apart("mirror", mirror, "primary", primary);
        if let Some(witness) = witness {
            self.apart("witness", witness, "primary", primary);
            self.apart("witness", witness, "mirror", mirror);
        }
        let back_end = BackEnd::Mirrored { primary: primary.id, mirror: mirror.id, witness: witness.map(|named| named.id) };
        Some((back_end, vec![primary, mirror]))
    }

    /// The witness, in its own site where the document names one: a witness beside the principal falls with it.
    fn witness(&mut self, mirrored: &MirroredDocument, pool_site: SiteId) -> Option<Option<Named>> {
        let Some(name) = &mirrored.witness else {
            if let Some(site) = &mirrored.witness_site {
                self.report(
                    self.error("witness-site", site.span, "there is no witness that could stand in this site")
                        .hint("name the instance under `witness:`, or leave `witness_site:` out"),
                );
            }
            return None;
        };
        let wanted = match &mirrored.witness_site {
            Some(site) => self.site_ref(site),
            None => None,
        };
        let named = self.instance("witness", name, wanted.unwrap_or(pool_site));
        if let (Some(found), Some(wanted), Some(site)) = (named, wanted, &mirrored.witness_site) {
            let computer = self.topology.sql(found.id).computer;
            let actual = self.topology.computer(computer).site;
            if actual != wanted {
                let there = quote(&self.topology.site(actual).name);
                self.report(
                    self.error("witness-site", site.span, format!("this witness was placed in site {there} by a pool before"))
                        .label(name.span, "the witness")
                        .hint("write the same `witness_site:` wherever the witness is named"),
                );
            }
        }
        Some(named)
    }

    fn always_on(&mut self, group: &AlwaysOnDocument, site: SiteId) -> Option<(BackEnd, Vec<Named>)> {
        let listener = self.fqdn("availability group listener", &group.listener);
        if let Some(listener) = &listener
            && let Some((_, first)) = self.names.add(listener, What::Listener, group.listener.span)
        {
            self.report(self.duplicate("name", &group.listener, first));
        }
        let nodes: Vec<Option<Named>> = group.nodes.iter().map(|name| self.instance("availability group node", name, site)).collect();
        let nodes: Vec<Named> = nodes.into_iter().collect::<Option<_>>()?;
        if nodes.len() < 2 {
            let message = format!("an availability group needs at least two nodes; this one has {}", nodes.len());
            self.report(
                self.error("too-few-nodes", group.listener.span, message).hint("list its instances under `nodes:`, the primary one first"),
            );
        }
        for (index, node) in nodes.iter().enumerate() {
            for earlier in &nodes[..index] {
                self.apart("node", *node, "node", *earlier);
            }
        }
        self.alike(&nodes);
        let listener = listener?;
        Some((BackEnd::AlwaysOn { listener, nodes: nodes.iter().map(|node| node.id).collect() }, nodes))
    }

    /// "Instance names for multiple AlwaysOn Availability Group instances must be the same" (SFB:plan…/back-end-server.md,
    /// dossier E.1): Topology Builder knows the group by its listener and one instance name.
    fn alike(&mut self, nodes: &[Named]) {
        let Some((first, others)) = nodes.split_first() else { return };
        let name = |resolver: &Self, named: &Named| resolver.topology.sql(named.id).instance.clone();
        let wanted = name(self, first);
        if let Some(other) = others.iter().find(|node| name(self, node) != wanted) {
            let words = if wanted.is_empty() { "the default instance".to_owned() } else { quote(&wanted) };
            self.report(
                self.error("instance-names", other.span, "the nodes of an availability group have instances of one name")
                    .label(first.span, "another name here")
                    .hint(format!("name {words} on every node")),
            );
        }
    }

    /// Partners of high availability must not fall together.
    fn apart(&mut self, what: &str, named: Named, other: &str, earlier: Named) {
        if named.id == earlier.id {
            let message = format!("the {what} is the same SQL instance as the {other}");
            self.report(
                self.error("same-instance", named.span, message)
                    .label(earlier.span, format!("the {other}"))
                    .hint("name another SQL Server"),
            );
        } else if self.topology.sql(named.id).computer == self.topology.sql(earlier.id).computer {
            let message = format!("the {what} is on the same computer as the {other} and fails with it");
            self.report(
                self.warning("same-computer", named.span, message)
                    .label(earlier.span, format!("the {other}"))
                    .hint("name another computer"),
            );
        }
    }

    fn instance(&mut self, what: &str, name: &Located<String>, site: SiteId) -> Option<Named> {
        let checked = crate::names::sql_instance(&name.value);
        let (host, instance) = self.checked("bad-sql-instance", &format!("a {what}"), name, checked)?;
        let computer = match self.names.get(&host) {
            Some((What::Sql(id) | What::FileServer(id), _)) => id,
            Some((other, span)) => {
                let message = format!("the {what} {} is {}", quote(&host), other.words());
                self.report(
                    self.error("wrong-kind", name.span, message)
                        .label(span, "defined here")
                        .hint("databases of a pool stand on a SQL Server of their own"),
                );
                return None;
            }
            None => {
                let id = self.add_computer(host.clone(), site, ComputerRole::Sql);
                self.names.add(&host, What::Sql(id), name.span);
                id
            }
        };
        Some(Named { id: self.add_instance(computer, &instance), span: name.span })
    }

    fn add_instance(&mut self, computer: ComputerId, instance: &str) -> SqlId {
        let known = self.topology.sql_instances.iter().position(|sql| sql.computer == computer && sql.instance == instance);
        let index = known.unwrap_or_else(|| {
            self.topology.sql_instances.push(SqlInstance { computer, instance: instance.to_owned() });
            self.topology.sql_instances.len() - 1
        });
        SqlId(index as u32)
    }

    pub(super) fn file_stores(&mut self) {
        for (index, pool) in self.document.pools.iter().enumerate() {
            let Some(path) = &pool.file_store else { continue };
            let checked = crate::names::unc_path(&path.value);
            let Some((host, share)) = self.checked("bad-file-store", "a file store", path, checked) else { continue };
            let own_standard_server = PoolId(index as u32);
            let computer = match self.names.get(&host) {
                Some((What::Sql(id) | What::FileServer(id), _)) => id,
                Some((What::Pool(id), _)) if id == own_standard_server && pool.edition.value == EditionDocument::Standard => {
                    self.topology.pools[index].front_ends[0]
                }
                Some((other, span)) => {
                    let message = format!("the file store's host {} is {}", quote(&host), other.words());
                    self.report(
                        self.error("wrong-kind", path.span, message)
                            .label(span, "defined here")
                            .hint("file stores stand on a file server of their own"),
                    );
                    continue;
                }
                None => {
                    let id = self.add_computer(host.clone(), self.topology.pools[index].site, ComputerRole::FileServer);
                    self.names.add(&host, What::FileServer(id), path.span);
                    id
                }
            };
            let known = self.topology.file_stores.iter().position(|s| s.computer == computer && s.share.eq_ignore_ascii_case(&share));
            let store = known.unwrap_or_else(|| {
                self.topology.file_stores.push(FileStore { computer, share });
                self.topology.file_stores.len() - 1
            });
            self.topology.pools[index].file_store = Some(FileStoreId(store as u32));
        }
    }
}
