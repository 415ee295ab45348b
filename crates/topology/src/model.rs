//! The resolved deployment: every reference is an index, every name has been checked.
//!
//! [`Topology`] is what a valid document means. It never changes during a run: what administrators change (next hop,
//! routes, pairing, …) lives in the fabric's configuration document, which starts from the settings given here.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
            pub struct $name(pub u32);

            impl $name {
                /// The position in the table this id belongs to.
                pub fn index(self) -> usize {
                    self.0 as usize
                }
            }
        )*
    };
}

ids! {
    /// A central site, index into [`Topology::sites`].
    SiteId,
    /// A Front End pool, index into [`Topology::pools`].
    PoolId,
    /// An Edge pool, index into [`Topology::edge_pools`].
    EdgePoolId,
    /// A computer of any role, index into [`Topology::computers`].
    ComputerId,
    /// A SQL Server instance, index into [`Topology::sql_instances`].
    SqlId,
    /// A file store, index into [`Topology::file_stores`].
    FileStoreId,
    /// A federated partner, index into [`Topology::partners`].
    PartnerId,
    /// A DNS zone, index into [`Topology::zones`].
    ZoneId,
    /// An authoritative name server, index into [`Topology::name_servers`].
    NameServerId,
    /// A cohort of users, index into [`UserDirectory::cohorts`].
    CohortId,
    /// One user, counted through all cohorts.
    UserId,
}

/// Product generation of a deployment or of one pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum ProductVersion {
    /// Lync Server 2010: only as the generation of a CMS pool (procedure P3.6).
    Lync2010,
    /// Lync Server 2013, 5.0.8308.x.
    Lync2013,
    /// Skype for Business Server 2015, 6.0.9319.x.
    Sfb2015,
    /// Skype for Business Server 2019, 7.0.2046.x.
    Sfb2019,
}

/// A deployment: one forest, one CMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Name of the deployment, `contoso`.
    pub name: String,
    /// Generation of the deployment.
    pub version: ProductVersion,
    /// DNS name of the Active Directory domain.
    pub ad_domain: String,
    /// SIP domains, the default one first.
    pub sip_domains: Vec<String>,
    /// Central sites.
    pub sites: Vec<Site>,
    /// Front End pools.
    pub pools: Vec<Pool>,
    /// Edge pools.
    pub edge_pools: Vec<EdgePool>,
    /// All computers.
    pub computers: Vec<Computer>,
    /// All SQL Server instances.
    pub sql_instances: Vec<SqlInstance>,
    /// All file stores.
    pub file_stores: Vec<FileStore>,
    /// Where the Central Management Store lives.
    pub cms: CentralManagement,
    /// External DNS zones as they are at the start.
    pub zones: Vec<Zone>,
    /// Zones of the internal view (split horizon): what computers of the deployment resolve before the external zones.
    pub internal_zones: Vec<Zone>,
    /// Authoritative servers of the external zones in the order in which resolvers ask them: the primary, then its
    /// secondaries. Empty stands for one primary without access lists.
    pub name_servers: Vec<NameServer>,
    /// Federated partners.
    pub partners: Vec<Partner>,
    /// Domains allowed as XMPP partners at the start (`New-CsXmppAllowedPartner`).
    pub xmpp_allowed_partners: Vec<String>,
    /// Who is enabled.
    pub users: UserDirectory,
}

/// A central site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Name, `Site1`.
    pub name: String,
    /// Name of the data centre for reports; the site's name when not given.
    pub display_name: String,
    /// Site federation route (dossier F.3).
    pub federation_route: Option<EdgePoolId>,
    /// XMPP federation route of the site (dossier F.7).
    pub xmpp_route: Option<EdgePoolId>,
}

/// Edition of a Front End pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum Edition {
    /// Enterprise Edition: several Front Ends, SQL Server back end of its own.
    Enterprise,
    /// Standard Edition: one server with a collocated SQL Express.
    Standard,
}

/// A Front End pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Pool FQDN, lower case.
    pub fqdn: String,
    /// Site it belongs to.
    pub site: SiteId,
    /// Edition.
    pub edition: Edition,
    /// Generation; differs from the deployment's only for a Lync 2010 CMS pool.
    pub version: ProductVersion,
    /// Runs on virtual machines (dossier A.1: pair like with like).
    pub virtualised: bool,
    /// Front Ends in topology order ("first servers", dossier B.8).
    pub front_ends: Vec<ComputerId>,
    /// SQL back end.
    pub back_end: BackEnd,
    /// File store.
    pub file_store: Option<FileStoreId>,
    /// Backup pool (dossier A.1).
    pub backup: Option<PoolId>,
    /// Voice resiliency towards the backup pool (dossier B.2).
    pub voice: VoiceResiliency,
    /// Edge pool associated for media (dossier F.4).
    pub media_edge: Option<EdgePoolId>,
    /// Whether the XMPP gateway (`RTCXMPPTGW`) is deployed.
    pub xmpp_gateway: bool,
}

/// Automatic failover and failback for Voice (dossier B.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VoiceResiliency {
    /// The tick-box "Automatic failover and failback for Voice".
    pub automatic: bool,
    /// Failure detection interval in seconds.
    pub detection_seconds: u32,
    /// Failback detection interval in seconds.
    pub failback_seconds: u32,
}

/// SQL back end of a pool (dossier E.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackEnd {
    /// SQL Express on the Standard Edition server itself.
    Collocated {
        /// The instance on the Front End.
        instance: SqlId,
    },
    /// One SQL Server instance.
    StandAlone {
        /// The instance.
        instance: SqlId,
    },
    /// Synchronous mirroring.
    Mirrored {
        /// Primary in the topology; principal at the start.
        primary: SqlId,
        /// Mirror in the topology.
        mirror: SqlId,
        /// Witness, needed for automatic failover.
        witness: Option<SqlId>,
    },
    /// AlwaysOn availability group.
    AlwaysOn {
        /// FQDN of the listener.
        listener: String,
        /// Nodes, the primary one first.
        nodes: Vec<SqlId>,
    },
}

/// A computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computer {
    /// FQDN, lower case.
    pub fqdn: String,
    /// Site it stands in.
    pub site: SiteId,
    /// What it is for.
    pub role: ComputerRole,
}

/// What a computer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComputerRole {
    /// A Front End (or Standard Edition server) of a pool.
    FrontEnd(PoolId),
    /// An Edge Server of an Edge pool.
    Edge(EdgePoolId),
    /// A SQL Server (back end, mirror, witness, availability group node).
    Sql,
    /// A file server.
    FileServer,
}

/// A SQL Server instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlInstance {
    /// The computer it runs on.
    pub computer: ComputerId,
    /// Instance name; empty for the default instance.
    pub instance: String,
}

/// A file store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStore {
    /// The computer that serves it.
    pub computer: ComputerId,
    /// Share name.
    pub share: String,
}

/// An Edge pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgePool {
    /// Internal pool FQDN, lower case.
    pub fqdn: String,
    /// Site it stands in.
    pub site: SiteId,
    /// Generation.
    pub version: ProductVersion,
    /// Servers in topology order.
    pub servers: Vec<EdgeServer>,
    /// FQDN of the Access Edge service seen from outside, `sip.contoso.com`.
    pub access_fqdn: String,
    /// FQDN of the Web Conferencing Edge service seen from outside.
    pub web_conferencing_fqdn: String,
    /// FQDN of the A/V Edge service seen from outside.
    pub av_fqdn: String,
    /// "Enable federation for this Edge pool (Port 5061)".
    pub federation: bool,
    /// XMPP listening port, when XMPP federation is enabled (5269).
    pub xmpp_listening_port: Option<u16>,
    /// Next hop Front End pool (dossier F.1).
    pub next_hop: PoolId,
}

/// One Edge Server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeServer {
    /// The computer.
    pub computer: ComputerId,
    /// External address of its Access Edge service.
    pub external: Ipv4Addr,
}

/// Where the Central Management Store lives at the start (dossier D.1, A.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CentralManagement {
    /// Pool that hosts the active Central Management Server.
    pub active: PoolId,
    /// Pool with the standby database; none for a CMS of the Lync 2010 generation or when never created.
    pub standby: Option<PoolId>,
}

/// A federated partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Its domain, `fabrikam.com`.
    pub domain: String,
    /// Reaches us over SIP federation.
    pub sip: bool,
    /// Reaches us over XMPP.
    pub xmpp: bool,
    /// Caps applied by its resolver to TTLs, in seconds.
    pub resolver: ResolverSettings,
}

/// How a partner's resolver treats TTLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolverSettings {
    /// Longest time a positive answer is kept, in seconds.
    pub max_ttl_seconds: u32,
    /// Shortest time a positive answer is kept, in seconds.
    pub min_ttl_seconds: u32,
    /// Longest time a negative answer is kept (RFC 2308), in seconds.
    pub max_negative_ttl_seconds: u32,
    /// For how long after its end an answer is still served while no server answers (RFC 8767), in seconds; 0 is not at all.
    pub serve_stale_seconds: u32,
}

/// An authoritative name server of the external zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameServer {
    /// Host name, `ns1.contoso.com`.
    pub host: String,
    /// Who may transfer zones (AXFR, RFC 5936).
    pub transfer_to: AccessList,
    /// Who may update zones (RFC 2136); counts on the primary.
    pub update_by: AccessList,
    /// Servers outside the fabric that are told of changes (NOTIFY, RFC 1996).
    pub notify: Vec<SocketAddrV4>,
}

/// Who is let in: holders of a key, or senders from an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessList {
    /// Keys that let in.
    pub keys: Vec<Arc<TsigKey>>,
    /// Addresses that let in without a key.
    pub addresses: Vec<Ipv4Addr>,
}

/// A shared key for transaction signatures (TSIG, RFC 8945).
#[derive(Clone, PartialEq, Eq)]
pub struct TsigKey {
    /// Name, lower case, without the final dot.
    pub name: String,
    /// Algorithm.
    pub algorithm: TsigAlgorithm,
    /// The secret.
    pub secret: Vec<u8>,
}

impl std::fmt::Debug for TsigKey {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TsigKey").field("name", &self.name).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Algorithm of a TSIG key (RFC 8945 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TsigAlgorithm {
    /// HMAC-SHA1.
    HmacSha1,
    /// HMAC-SHA256.
    HmacSha256,
    /// HMAC-SHA384.
    HmacSha384,
    /// HMAC-SHA512.
    HmacSha512,
}

/// An external DNS zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Apex, lower case, without the final dot.
    pub origin: String,
    /// SOA data.
    pub soa: Soa,
    /// Record sets by owner name (lower case, absolute, without the final dot) and type.
    pub records: BTreeMap<(String, RecordType), RecordSet>,
}

/// SOA data (RFC 1035 3.3.13); times in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Soa {
    /// Primary name server.
    pub primary: String,
    /// Mailbox of the person responsible, as a domain name.
    pub responsible: String,
    /// Serial at the start.
    pub serial: u32,
    /// Refresh.
    pub refresh: u32,
    /// Retry.
    pub retry: u32,
    /// Expire.
    pub expire: u32,
    /// Negative TTL (RFC 2308).
    pub minimum: u32,
    /// TTL of the SOA record itself.
    pub ttl: u32,
}

/// Types of records that zones hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum RecordType {
    /// IPv4 address.
    A,
    /// Alias.
    Cname,
    /// Name server.
    Ns,
    /// Service (RFC 2782).
    Srv,
    /// Text.
    Txt,
    /// IPv6 address.
    Aaaa,
}

/// All records of one name and type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordSet {
    /// TTL in seconds, one for the set (RFC 2181 5.2).
    pub ttl: u32,
    /// Data in order of entry.
    pub data: Vec<RecordData>,
}

/// Record data. Names are lower case and absolute, without the final dot; the SRV target `.` is the empty string.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordData {
    /// IPv4 address.
    A(Ipv4Addr),
    /// IPv6 address.
    Aaaa(std::net::Ipv6Addr),
    /// Alias target.
    Cname(String),
    /// Name server.
    Ns(String),
    /// Service.
    Srv {
        /// Lower is tried first.
        priority: u16,
        /// Share among equals.
        weight: u16,
        /// Port.
        port: u16,
        /// Host; empty for "no service here".
        target: String,
    },
    /// Text.
    Txt(String),
}

/// Everybody who is enabled, as cohorts: a million users cost as much as one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserDirectory {
    /// Cohorts in document order; user ids run through them.
    pub cohorts: Vec<UserCohort>,
}

/// A range of users of one pool, or one named user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCohort {
    /// Id of the first user.
    pub first: UserId,
    /// How many.
    pub count: u32,
    /// How addresses are formed.
    pub pattern: AddressPattern,
    /// Home pool (`RegistrarPool`) at the start.
    pub pool: PoolId,
    /// Enterprise Voice.
    pub enterprise_voice: bool,
    /// Display name for named users.
    pub display_name: Option<String>,
}

/// How the SIP addresses of a cohort are formed: `user{n:05}@contoso.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPattern {
    /// Text before the number, lower case.
    pub prefix: Arc<str>,
    /// Digits of the number, zero-padded; `None` for a named user, whose whole address is `prefix` + `suffix`.
    pub digits: Option<u8>,
    /// Number of the first user.
    pub start: u32,
    /// Text after the number, with the domain, lower case.
    pub suffix: Arc<str>,
}

impl Topology {
    /// The site with an id.
    pub fn site(&self, id: SiteId) -> &Site {
        &self.sites[id.index()]
    }

    /// The pool with an id.
    pub fn pool(&self, id: PoolId) -> &Pool {
        &self.pools[id.index()]
    }

    /// The Edge pool with an id.
    pub fn edge_pool(&self, id: EdgePoolId) -> &EdgePool {
        &self.edge_pools[id.index()]
    }

    /// The computer with an id.
    pub fn computer(&self, id: ComputerId) -> &Computer {
        &self.computers[id.index()]
    }

    /// The SQL instance with an id.
    pub fn sql(&self, id: SqlId) -> &SqlInstance {
        &self.sql_instances[id.index()]
    }

    /// The partner with an id.
    pub fn partner(&self, id: PartnerId) -> &Partner {
        &self.partners[id.index()]
    }

    /// Ids of all pools, in document order.
    pub fn pool_ids(&self) -> impl Iterator<Item = PoolId> + use<> {
        (0..self.pools.len() as u32).map(PoolId)
    }

    /// Ids of all Edge pools, in document order.
    pub fn edge_pool_ids(&self) -> impl Iterator<Item = EdgePoolId> + use<> {
        (0..self.edge_pools.len() as u32).map(EdgePoolId)
    }

    /// Ids of all sites, in document order.
    pub fn site_ids(&self) -> impl Iterator<Item = SiteId> + use<> {
        (0..self.sites.len() as u32).map(SiteId)
    }

    /// Ids of all computers, in document order.
    pub fn computer_ids(&self) -> impl Iterator<Item = ComputerId> + use<> {
        (0..self.computers.len() as u32).map(ComputerId)
    }

    /// The pool with an FQDN, without regard to case.
    pub fn find_pool(&self, fqdn: &str) -> Option<PoolId> {
        position(&self.pools, |p| p.fqdn.eq_ignore_ascii_case(fqdn)).map(PoolId)
    }

    /// The Edge pool with an FQDN, without regard to case.
    pub fn find_edge_pool(&self, fqdn: &str) -> Option<EdgePoolId> {
        position(&self.edge_pools, |p| p.fqdn.eq_ignore_ascii_case(fqdn)).map(EdgePoolId)
    }

    /// The computer with an FQDN (or, when unambiguous, a host name), without regard to case.
    pub fn find_computer(&self, name: &str) -> Option<ComputerId> {
        if let Some(found) = position(&self.computers, |c| c.fqdn.eq_ignore_ascii_case(name)) {
            return Some(ComputerId(found));
        }
        let mut hosts =
            self.computers.iter().enumerate().filter(|(_, c)| c.fqdn.split('.').next().is_some_and(|host| host.eq_ignore_ascii_case(name)));
        match (hosts.next(), hosts.next()) {
            (Some((index, _)), None) => Some(ComputerId(index as u32)),
            _ => None,
        }
    }

    /// The site with a name, without regard to case; `Site:` may stand before it.
    pub fn find_site(&self, name: &str) -> Option<SiteId> {
        let bare = match name.split_once(':') {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("site") => rest,
            _ => name,
        };
        position(&self.sites, |s| s.name.eq_ignore_ascii_case(bare)).map(SiteId)
    }

    /// The partner with a domain, without regard to case.
    pub fn find_partner(&self, domain: &str) -> Option<PartnerId> {
        position(&self.partners, |p| p.domain.eq_ignore_ascii_case(domain)).map(PartnerId)
    }

    /// The SQL instance on a computer; an empty instance name finds the only or default one.
    pub fn find_sql(&self, computer_fqdn: &str, instance: &str) -> Option<SqlId> {
        position(&self.sql_instances, |s| {
            self.computer(s.computer).fqdn.eq_ignore_ascii_case(computer_fqdn) && s.instance.eq_ignore_ascii_case(instance)
        })
        .map(SqlId)
    }
}

impl BackEnd {
    /// All SQL instances that can hold the pool's databases, the preferred one first.
    pub fn data_instances(&self) -> Vec<SqlId> {
        match self {
            Self::Collocated { instance } | Self::StandAlone { instance } => vec![*instance],
            Self::Mirrored { primary, mirror, .. } => vec![*primary, *mirror],
            Self::AlwaysOn { nodes, .. } => nodes.clone(),
        }
    }
}

impl UserDirectory {
    /// Number of users.
    pub fn len(&self) -> u32 {
        self.cohorts.last().map_or(0, |c| c.first.0 + c.count)
    }

    /// Whether nobody is enabled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cohort of a user.
    pub fn cohort_of(&self, user: UserId) -> Option<CohortId> {
        let index = self.cohorts.partition_point(|c| c.first.0 + c.count <= user.0);
        (index < self.cohorts.len()).then_some(CohortId(index as u32))
    }

    /// SIP address of a user, without `sip:`.
    pub fn address(&self, user: UserId) -> Option<String> {
        let cohort = &self.cohorts[self.cohort_of(user)?.index()];
        let AddressPattern { prefix, digits, start, suffix } = &cohort.pattern;
        Some(match digits {
            None => format!("{prefix}{suffix}"),
            Some(width) => format!("{prefix}{:0width$}{suffix}", start + (user.0 - cohort.first.0), width = usize::from(*width)),
        })
    }

    /// The user with a SIP address; `sip:` may stand before it.
    pub fn find(&self, address: &str) -> Option<UserId> {
        let lower = address.to_ascii_lowercase();
        let bare = lower.strip_prefix("sip:").unwrap_or(&lower);
        self.cohorts.iter().find_map(|cohort| cohort.find(bare))
    }
}

impl UserCohort {
    /// The user of this cohort with a lower-case SIP address.
    pub fn find(&self, address: &str) -> Option<UserId> {
        let middle = address.strip_prefix(&*self.pattern.prefix)?.strip_suffix(&*self.pattern.suffix)?;
        let Some(width) = self.pattern.digits else {
            return middle.is_empty().then_some(self.first);
        };
        if middle.len() < usize::from(width) || !middle.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if middle.len() > usize::from(width) && middle.starts_with('0') {
            return None;
        }
        let offset = middle.parse::<u32>().ok()?.checked_sub(self.pattern.start)?;
        (offset < self.count).then_some(UserId(self.first.0 + offset))
    }
}

impl ProductVersion {
    /// The integer that topology objects carry: 5 to 8 (dossier, legend).
    pub fn topology_integer(self) -> i32 {
        match self {
            Self::Lync2010 => 5,
            Self::Lync2013 => 6,
            Self::Sfb2015 => 7,
            Self::Sfb2019 => 8,
        }
    }

    /// The product version that replicas report.
    pub fn build(self) -> &'static str {
        match self {
            Self::Lync2010 => "4.0.7577.0",
            Self::Lync2013 => "5.0.8308.0",
            Self::Sfb2015 => "6.0.9319.0",
            Self::Sfb2019 => "7.0.2046.0",
        }
    }

    /// What signature data call it: `2013`.
    pub fn year(self) -> &'static str {
        match self {
            Self::Lync2010 => "2010",
            Self::Lync2013 => "2013",
            Self::Sfb2015 => "2015",
            Self::Sfb2019 => "2019",
        }
    }

    /// Prefix of service display names: the product's marketing name at the time.
    pub fn product_name(self) -> &'static str {
        match self {
            Self::Lync2010 | Self::Lync2013 => "Lync Server",
            Self::Sfb2015 | Self::Sfb2019 => "Skype for Business Server",
        }
    }
}

fn position<T>(items: &[T], matches: impl FnMut(&T) -> bool) -> Option<u32> {
    items.iter().position(matches).map(|index| index as u32)
}
