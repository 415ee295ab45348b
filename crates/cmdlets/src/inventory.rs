//! Clusters and services of a deployment, as the topology document of the product counts them.
//!
//! `Get-CsPool`, `Get-CsService`, `Get-CsTopology` and the XML form all derive from this one list.

use firedrill_fabric::Configuration;
use firedrill_topology::{BackEnd, ComputerId, ComputerRole, EdgePoolId, Pool, PoolId, ProductVersion, SiteId, SqlId, Topology};

/// What a cluster ("pool" in the product's words) is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ClusterKind {
    FrontEnd(PoolId),
    Edge(EdgePoolId),
    /// A SQL Server, a file server.
    Plain,
}

/// A cluster of computers.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) fqdn: String,
    pub(crate) site: SiteId,
    /// Counts the clusters of a site from 1.
    pub(crate) number: u32,
    pub(crate) kind: ClusterKind,
    pub(crate) machines: Vec<ComputerId>,
}

/// Roles that the model knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Registrar,
    UserServer,
    WebServer,
    ConferencingServer,
    ApplicationServer,
    MediationServer,
    BackupServer,
    CentralManagement,
    CentralManagementDatabase,
    UserDatabase,
    ApplicationDatabase,
    FileStore,
    EdgeServer,
    ManagementServer,
}

/// Whose service it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Pool(PoolId),
    Edge(EdgePoolId),
}

/// One service of the topology.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) role: Role,
    pub(crate) owner: Owner,
    /// FQDN of the cluster that it is installed on.
    pub(crate) cluster: String,
    pub(crate) site: SiteId,
    pub(crate) version: ProductVersion,
    /// Counts the services of one role in one site from 1.
    pub(crate) instance: u32,
}

impl Role {
    /// Prefix of identities, also the switch of `Get-CsService`.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Registrar => "Registrar",
            Self::UserServer => "UserServer",
            Self::WebServer => "WebServer",
            Self::ConferencingServer => "ConferencingServer",
            Self::ApplicationServer => "ApplicationServer",
            Self::MediationServer => "MediationServer",
            Self::BackupServer => "BackupServer",
            Self::CentralManagement => "CentralManagement",
            Self::CentralManagementDatabase => "CentralManagementDatabase",
            Self::UserDatabase => "UserDatabase",
            Self::ApplicationDatabase => "ApplicationDatabase",
            Self::FileStore => "FileStore",
            Self::EdgeServer => "EdgeServer",
            Self::ManagementServer => "ManagementServer",
        }
    }

    /// Name in the XML document and in service ids (topology-xml.md).
    pub(crate) fn xml_name(self) -> &'static str {
        match self {
            Self::UserServer => "UserServices",
            Self::WebServer => "WebServices",
            Self::ConferencingServer => "ConfServices",
            Self::CentralManagement => "CentralMgmt",
            Self::UserDatabase => "UserStore",
            Self::ApplicationDatabase => "ApplicationStore",
            Self::CentralManagementDatabase => "CentralMgmtStore",
            Self::ManagementServer => "ManagementServices",
            other => other.prefix(),
        }
    }
}

impl Service {
    /// `Registrar:pool1.contoso.com`.
    pub(crate) fn identity(&self) -> String {
        format!("{}:{}", self.role.prefix(), self.cluster)
    }

    /// `1-EdgeServer-1`.
    pub(crate) fn id(&self) -> String {
        format!("{}-{}-{}", self.site.0 + 1, self.role.xml_name(), self.instance)
    }
}

/// FQDN of the SQL store of a pool: the listener of an availability group, else the primary (or only) server.
pub(crate) fn sql_cluster(topology: &Topology, pool: &Pool) -> String {
    match &pool.back_end {
        BackEnd::AlwaysOn { listener, .. } => listener.clone(),
        other => other.data_instances().first().map(|sql| topology.computer(topology.sql(*sql).computer).fqdn.clone()).unwrap_or_default(),
    }
}

/// Name of the SQL instance of a pool's store.
pub(crate) fn sql_instance<'t>(topology: &'t Topology, pool: &Pool) -> &'t str {
    pool.back_end.data_instances().first().map_or("", |sql| &topology.sql(*sql).instance)
}

/// The mirror of a pool's store, if it is mirrored.
pub(crate) fn sql_mirror(pool: &Pool) -> Option<SqlId> {
    match pool.back_end {
        BackEnd::Mirrored { mirror, .. } => Some(mirror),
        _ => None,
    }
}

/// All clusters: Front End pools, Edge pools, then SQL Servers and file servers in document order.
pub(crate) fn clusters(topology: &Topology) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut numbers = vec![0u32; topology.sites.len()];
    let mut add = |fqdn: &str, site: SiteId, kind: ClusterKind, machines: Vec<ComputerId>| {
        if clusters.iter().any(|cluster| cluster.fqdn.eq_ignore_ascii_case(fqdn)) {
            return;
        }
        numbers[site.index()] += 1;
        clusters.push(Cluster { fqdn: fqdn.to_owned(), site, number: numbers[site.index()], kind, machines });
    };
    for id in topology.pool_ids() {
        let pool = topology.pool(id);
        add(&pool.fqdn, pool.site, ClusterKind::FrontEnd(id), pool.front_ends.clone());
    }
    for id in topology.edge_pool_ids() {
        let edge = topology.edge_pool(id);
        add(&edge.fqdn, edge.site, ClusterKind::Edge(id), edge.servers.iter().map(|server| server.computer).collect());
    }
    let mut nodes = Vec::new();
    for pool in &topology.pools {
        if let BackEnd::AlwaysOn { listener, nodes: members } = &pool.back_end {
            let machines: Vec<ComputerId> = members.iter().map(|sql| topology.sql(*sql).computer).collect();
            nodes.extend(machines.iter().copied());
            add(listener, pool.site, ClusterKind::Plain, machines);
        }
    }
    for id in topology.computer_ids() {
        let computer = topology.computer(id);
        if matches!(computer.role, ComputerRole::Sql | ComputerRole::FileServer) && !nodes.contains(&id) {
            add(&computer.fqdn, computer.site, ClusterKind::Plain, vec![id]);
        }
    }
    clusters
}

/// All services, pool by pool, then the Edge pools'.
pub(crate) fn services(topology: &Topology, configuration: &Configuration) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    let mut add = |role: Role, owner: Owner, cluster: String, site: SiteId, version: ProductVersion| {
        let instance = services.iter().filter(|other| other.role == role && other.site == site).count() as u32 + 1;
        services.push(Service { role, owner, cluster, site, version, instance });
    };
    for id in topology.pool_ids() {
        let pool = topology.pool(id);
        let owner = Owner::Pool(id);
        for role in
            [Role::Registrar, Role::UserServer, Role::WebServer, Role::ConferencingServer, Role::ApplicationServer, Role::MediationServer]
        {
            add(role, owner, pool.fqdn.clone(), pool.site, pool.version);
        }
        if configuration.pools[id.index()].backup.is_some() && pool.version != ProductVersion::Lync2010 {
            add(Role::BackupServer, owner, pool.fqdn.clone(), pool.site, pool.version);
        }
        let store = sql_cluster(topology, pool);
        let store_site =
            pool.back_end.data_instances().first().map_or(pool.site, |sql| topology.computer(topology.sql(*sql).computer).site);
        if configuration.cms_active == id || configuration.cms_standby == Some(id) {
            add(Role::CentralManagement, owner, pool.fqdn.clone(), pool.site, pool.version);
            add(Role::CentralManagementDatabase, owner, store.clone(), store_site, pool.version);
        }
        add(Role::UserDatabase, owner, store.clone(), store_site, pool.version);
        add(Role::ApplicationDatabase, owner, store, store_site, pool.version);
        if let Some(file_store) = pool.file_store {
            let computer = topology.file_stores[file_store.index()].computer;
            let (fqdn, site) = (topology.computer(computer).fqdn.clone(), topology.computer(computer).site);
            add(Role::FileStore, owner, fqdn, site, pool.version);
        }
    }
    for id in topology.edge_pool_ids() {
        let edge = topology.edge_pool(id);
        add(Role::EdgeServer, Owner::Edge(id), edge.fqdn.clone(), edge.site, edge.version);
        add(Role::ManagementServer, Owner::Edge(id), edge.fqdn.clone(), edge.site, edge.version);
    }
    services
}

/// Services that a service depends on, by role and owner (topology-xml.md, "Dependencies seen").
pub(crate) fn dependencies(service: &Service, topology: &Topology, configuration: &Configuration) -> Vec<(Role, Owner)> {
    let own = service.owner;
    match (service.role, own) {
        (Role::EdgeServer, Owner::Edge(edge)) => vec![(Role::Registrar, Owner::Pool(configuration.edges[edge.index()].next_hop))],
        (Role::Registrar, Owner::Pool(pool)) => {
            let mut needed = vec![(Role::UserServer, own), (Role::WebServer, own)];
            needed.extend(configuration.pools[pool.index()].media_edge.map(|edge| (Role::EdgeServer, Owner::Edge(edge))));
            needed
        }
        (Role::UserServer, Owner::Pool(pool)) => {
            let mut needed = vec![(Role::UserDatabase, own), (Role::ConferencingServer, own)];
            needed.extend(topology.pool(pool).file_store.map(|_| (Role::FileStore, own)));
            needed
        }
        (Role::WebServer, _) => vec![(Role::UserServer, own)],
        (Role::ConferencingServer, Owner::Pool(pool)) => {
            let mut needed = vec![(Role::WebServer, own), (Role::UserServer, own)];
            needed.extend(configuration.pools[pool.index()].media_edge.map(|edge| (Role::EdgeServer, Owner::Edge(edge))));
            needed
        }
        (Role::MediationServer, Owner::Pool(pool)) => {
            let mut needed = vec![(Role::Registrar, own)];
            needed.extend(configuration.pools[pool.index()].media_edge.map(|edge| (Role::EdgeServer, Owner::Edge(edge))));
            needed
        }
        (Role::ApplicationServer, _) => vec![(Role::Registrar, own), (Role::ApplicationDatabase, own)],
        (Role::CentralManagement, _) => vec![(Role::CentralManagementDatabase, own)],
        _ => Vec::new(),
    }
}
