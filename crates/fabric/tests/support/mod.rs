//! A small deployment built in code, so that the laws of the model do not hang on fixture files.
#![allow(dead_code, unreachable_pub, reason = "every test binary uses its own part of it")]

use std::net::Ipv4Addr;
use std::sync::Arc;

use firedrill_fabric::{Change, Fabric, Fault, Options, SimDuration, SimTime};
use firedrill_topology::{
    AddressPattern, BackEnd, CentralManagement, Computer, ComputerId, ComputerRole, EdgePool, EdgePoolId, EdgeServer, Edition, FileStore,
    FileStoreId, Partner, Pool, PoolId, ProductVersion, RecordData, RecordSet, RecordType, ResolverSettings, Site, SiteId, Soa, SqlId,
    SqlInstance, Topology, UserCohort, UserDirectory, UserId, VoiceResiliency, Zone,
};

/// 2026-01-05T08:00:00Z.
pub const START: SimTime = SimTime(1_767_600_000_000_000_000);

/// The pool of site 1.
pub const POOL1: PoolId = PoolId(0);
/// Its backup pool, in site 2.
pub const POOL2: PoolId = PoolId(1);

/// How the back ends are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sql {
    StandAlone,
    Mirrored,
    MirroredWithWitness,
    AlwaysOn,
}

/// What to build. Two sites, a pool and an Edge pool of two servers in each; pool 1 holds the CMS.
#[derive(Debug, Clone)]
pub struct Plan {
    pub front_ends: usize,
    pub version: ProductVersion,
    pub edition: Edition,
    pub sql: Sql,
    pub paired: bool,
    pub voice: VoiceResiliency,
    pub users: u32,
    pub resolver: ResolverSettings,
    pub xmpp_allowed: Vec<String>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            front_ends: 3,
            version: ProductVersion::Sfb2015,
            edition: Edition::Enterprise,
            sql: Sql::MirroredWithWitness,
            paired: true,
            voice: VoiceResiliency { automatic: true, detection_seconds: 300, failback_seconds: 600 },
            users: 20_000,
            resolver: ResolverSettings {
                max_ttl_seconds: 86_400,
                min_ttl_seconds: 0,
                max_negative_ttl_seconds: 10_800,
                serve_stale_seconds: 0,
            },
            xmpp_allowed: vec!["fabrikam.net".into()],
        }
    }
}

impl Plan {
    pub fn build(&self) -> Topology {
        let mut computers = Vec::new();
        let mut sql_instances = Vec::new();
        let mut file_stores = Vec::new();
        let mut pools = Vec::new();
        let mut edge_pools = Vec::new();
        for index in 0..2u32 {
            let number = index + 1;
            let site = SiteId(index);
            let mut add = |fqdn: String, role: ComputerRole| {
                computers.push(Computer { fqdn, site, role });
                ComputerId(computers.len() as u32 - 1)
            };
            let front_ends: Vec<ComputerId> = (1..=self.front_ends)
                .map(|fe| add(format!("fe{number}-{fe}.contoso.com"), ComputerRole::FrontEnd(PoolId(index))))
                .collect();
            let mut add_sql = |name: &str| {
                let computer = add(format!("{name}{number}.contoso.com"), ComputerRole::Sql);
                sql_instances.push(SqlInstance { computer, instance: "rtc".into() });
                SqlId(sql_instances.len() as u32 - 1)
            };
            let back_end = match (self.edition, self.sql) {
                (Edition::Standard, _) => {
                    sql_instances.push(SqlInstance { computer: front_ends[0], instance: "rtc".into() });
                    BackEnd::Collocated { instance: SqlId(sql_instances.len() as u32 - 1) }
                }
                (_, Sql::StandAlone) => BackEnd::StandAlone { instance: add_sql("sql") },
                (_, Sql::Mirrored) => BackEnd::Mirrored { primary: add_sql("sqlp"), mirror: add_sql("sqlm"), witness: None },
                (_, Sql::MirroredWithWitness) => {
                    BackEnd::Mirrored { primary: add_sql("sqlp"), mirror: add_sql("sqlm"), witness: Some(add_sql("sqlw")) }
                }
                (_, Sql::AlwaysOn) => {
                    BackEnd::AlwaysOn { listener: format!("aol{number}.contoso.com"), nodes: vec![add_sql("node1-"), add_sql("node2-")] }
                }
            };
            let files = add(format!("files{number}.contoso.com"), ComputerRole::FileServer);
            file_stores.push(FileStore { computer: files, share: "sfb".into() });
            let servers = (1..=2)
                .map(|server| EdgeServer {
                    computer: add(format!("edge{number}-{server}.contoso.com"), ComputerRole::Edge(EdgePoolId(index))),
                    external: Ipv4Addr::new(203, 0, 113, (number * 10 + server) as u8),
                })
                .collect();
            pools.push(Pool {
                fqdn: format!("pool{number}.contoso.com"),
                site,
                edition: self.edition,
                version: self.version,
                virtualised: true,
                front_ends,
                back_end,
                file_store: Some(FileStoreId(index)),
                backup: self.paired.then_some(PoolId(1 - index)),
                voice: self.voice,
                media_edge: Some(EdgePoolId(index)),
                xmpp_gateway: self.version < ProductVersion::Sfb2019,
            });
            edge_pools.push(EdgePool {
                fqdn: format!("edgepool{number}.contoso.com"),
                site,
                version: self.version,
                servers,
                access_fqdn: format!("sip{number}.contoso.com"),
                web_conferencing_fqdn: format!("webcon{number}.contoso.com"),
                av_fqdn: format!("av{number}.contoso.com"),
                federation: index == 0,
                xmpp_listening_port: (self.version < ProductVersion::Sfb2019).then_some(5269),
                next_hop: PoolId(index),
            });
        }
        let site = |name: &str| Site {
            name: name.into(),
            display_name: name.into(),
            federation_route: Some(EdgePoolId(0)),
            xmpp_route: Some(EdgePoolId(0)),
        };
        Topology {
            name: "contoso".into(),
            version: self.version,
            ad_domain: "contoso.com".into(),
            sip_domains: vec!["contoso.com".into()],
            sites: vec![site("Site1"), site("Site2")],
            pools,
            edge_pools,
            computers,
            sql_instances,
            file_stores,
            cms: CentralManagement { active: POOL1, standby: self.paired.then_some(POOL2) },
            zones: vec![contoso_zone()],
            internal_zones: Vec::new(),
            name_servers: Vec::new(),
            partners: ["fabrikam.com", "fabrikam.net", "stranger.org"]
                .iter()
                .map(|domain| Partner {
                    domain: (*domain).into(),
                    sip: *domain == "fabrikam.com",
                    xmpp: *domain == "fabrikam.net",
                    resolver: self.resolver,
                })
                .collect(),
            xmpp_allowed_partners: self.xmpp_allowed.clone(),
            users: UserDirectory { cohorts: vec![cohort(0, self.users, POOL1), cohort(self.users, self.users, POOL2)] },
        }
    }

    pub fn fabric(&self) -> Fabric {
        self.fabric_with_seed(7)
    }

    pub fn fabric_with_seed(&self, seed: u64) -> Fabric {
        Fabric::new(Arc::new(self.build()), Options { seed, start: START })
    }
}

fn cohort(first: u32, count: u32, pool: PoolId) -> UserCohort {
    UserCohort {
        first: UserId(first),
        count,
        pattern: AddressPattern { prefix: "user".into(), digits: Some(6), start: first, suffix: "@contoso.com".into() },
        pool,
        enterprise_voice: true,
        display_name: None,
    }
}

pub fn srv(priority: u16, weight: u16, port: u16, target: &str) -> RecordData {
    RecordData::Srv { priority, weight, port, target: target.into() }
}

pub fn a(last: u8) -> RecordData {
    RecordData::A(Ipv4Addr::new(203, 0, 113, last))
}

fn contoso_zone() -> Zone {
    let set = |ttl: u32, data: Vec<RecordData>| RecordSet { ttl, data };
    let records = [
        (
            "_xmpp-server._tcp.contoso.com",
            RecordType::Srv,
            set(3600, vec![srv(10, 0, 5269, "xmpp1.contoso.com"), srv(20, 0, 5269, "xmpp2.contoso.com")]),
        ),
        ("_sipfederationtls._tcp.contoso.com", RecordType::Srv, set(3600, vec![srv(0, 0, 5061, "sip.contoso.com")])),
        ("xmpp1.contoso.com", RecordType::A, set(300, vec![a(11), a(12)])),
        ("xmpp2.contoso.com", RecordType::A, set(300, vec![a(21), a(22)])),
        ("sip.contoso.com", RecordType::A, set(300, vec![a(11), a(12)])),
        ("chat.contoso.com", RecordType::Cname, set(60, vec![RecordData::Cname("xmpp1.contoso.com".into())])),
        ("contoso.com", RecordType::Ns, set(3600, vec![RecordData::Ns("ns1.contoso.com".into())])),
    ];
    Zone {
        origin: "contoso.com".into(),
        soa: Soa {
            primary: "ns1.contoso.com".into(),
            responsible: "hostmaster.contoso.com".into(),
            serial: 1,
            refresh: 3600,
            retry: 600,
            expire: 86_400,
            minimum: 600,
            ttl: 900,
        },
        records: records.into_iter().map(|(name, kind, set)| ((name.to_owned(), kind), set)).collect(),
    }
}

/// Short words for what tests do.
pub trait Drill {
    fn run(&mut self, length: SimDuration);
    fn strike(&mut self, fault: Fault);
    fn mend(&mut self, fault: Fault);
    fn front_end(&self, pool: PoolId, number: usize) -> ComputerId;
}

impl Drill for Fabric {
    fn run(&mut self, length: SimDuration) {
        let until = self.now() + length;
        self.advance_to(until).expect("within the limits");
    }

    fn strike(&mut self, fault: Fault) {
        self.apply(Change::Inject(fault)).expect("faults are never refused");
    }

    fn mend(&mut self, fault: Fault) {
        self.apply(Change::Heal(fault)).expect("heals are never refused");
    }

    /// Counted from 1, as the names are.
    fn front_end(&self, pool: PoolId, number: usize) -> ComputerId {
        self.topology().pool(pool).front_ends[number - 1]
    }
}

pub const fn seconds(seconds: i64) -> SimDuration {
    SimDuration::from_secs(seconds)
}

pub const fn minutes(minutes: i64) -> SimDuration {
    SimDuration::from_mins(minutes)
}

/// Long enough for everything to come up again: boot, services, placement, rebuilt replicas, intervals, catching up.
pub const LONG: SimDuration = SimDuration::from_mins(6 * 60);
