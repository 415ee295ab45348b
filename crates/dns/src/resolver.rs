//! A partner's resolver: hickory's against our server, with a cache that lives in virtual time.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use firedrill_fabric::SimTime;
use firedrill_fabric::naming::{Answer, PartnerView, canonical_name};
use firedrill_topology::{RecordData, RecordSet, RecordType, ResolverSettings};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as WireError, NetError};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::CNAME;
use hickory_resolver::proto::rr::{Name, RData, Record};

use crate::address::AddressMap;
use crate::cache::{Cache, CacheLine};
use crate::error::DnsError;
use crate::query::{query, query_tcp, wire_name};

/// How long an answer over UDP may take, in real time. Loopback answers in well under a millisecond; what takes longer
/// is asked again over TCP, which a server that is down refuses at once, so a busy machine is not taken for an outage.
const UDP_TIMEOUT: Duration = Duration::from_millis(250);
/// How long an answer over TCP may take.
const TCP_TIMEOUT: Duration = Duration::from_secs(5);
/// Aliases followed at most, as the server does.
const ALIASES_MAX: usize = 16;

/// The resolver of one federated partner.
pub struct PartnerResolver {
    /// The servers that it asks, in order.
    upstreams: Vec<Upstream>,
    map: AddressMap,
    cache: Mutex<Cache>,
}

/// One server, with a resolver of hickory's that knows no other: hickory would choose among several by their speed.
struct Upstream {
    resolver: TokioResolver,
    server: SocketAddr,
}

/// What the wire gave: an answer and for how many seconds it may be kept.
struct Heard {
    answer: Answer,
    ttl: u32,
}

impl PartnerResolver {
    /// A resolver that asks one server and nobody else: no hosts file, no search list, no cache but ours.
    ///
    /// # Errors
    /// When hickory-resolver refuses the set-up.
    pub fn new(server: SocketAddr, map: &AddressMap, settings: ResolverSettings) -> Result<Self, DnsError> {
        Self::with_servers(&[server], map, settings)
    }

    /// A resolver that asks some servers in order: the next one when one stays silent, fails or refuses.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_servers(servers: &[SocketAddr], map: &AddressMap, settings: ResolverSettings) -> Result<Self, DnsError> {
        let upstreams = servers.iter().map(|server| Upstream::new(*server)).collect::<Result<_, _>>()?;
        Ok(Self { upstreams, map: map.clone(), cache: Mutex::new(Cache::new(settings)) })
    }

    /// What the partner sees for a name at a virtual instant; asks the server when nothing is held any more. Names are
    /// lower case, without the final dot; addresses in the answer are the topology's.
    pub async fn lookup(&self, name: &str, record_type: RecordType, now: SimTime) -> PartnerView {
        let name = canonical_name(name);
        if let Some(view) = self.cache().get(&name, record_type, now) {
            return view;
        }
        match self.ask(&name, record_type).await {
            Some(Heard { answer, ttl }) => self.cache().put(&name, record_type, answer, ttl, now),
            None => self.cache().silence(&name, record_type, now),
        }
    }

    /// What the cache holds at an instant, by name and type.
    pub fn cached(&self, now: SimTime) -> Vec<CacheLine> {
        self.cache().lines(now)
    }

    /// What the cache holds for one question, without asking anybody.
    pub fn peek(&self, name: &str, record_type: RecordType, now: SimTime) -> Option<PartnerView> {
        self.cache().get(&canonical_name(name), record_type, now)
    }

    /// Forgets everything, as a restart of the partner's resolver would.
    pub fn clear(&self) {
        self.cache().clear();
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the servers in order. `None`: none gave an answer.
    async fn ask(&self, name: &str, record_type: RecordType) -> Option<Heard> {
        let Ok(name) = wire_name(name) else {
            // What no query can carry does not exist anywhere.
            return Some(Heard { answer: Answer::NoName, ttl: 0 });
        };
        for upstream in &self.upstreams {
            let message = upstream.ask(&name, wire_type(record_type)).await;
            if let Some(message) = message.filter(is_answer) {
                return Some(self.read(&message, &name, record_type));
            }
        }
        None
    }

    /// Whether some server answers at all, whatever the cache holds.
    pub async fn server_answers(&self) -> bool {
        for upstream in &self.upstreams {
            if upstream.ask_once(&Name::root(), hickory_resolver::proto::rr::RecordType::SOA).await.as_ref().is_some_and(is_answer) {
                return true;
            }
        }
        false
    }

    /// Follows aliases through an answer section and collects the records at the end.
    fn read(&self, message: &Message, asked: &Name, record_type: RecordType) -> Heard {
        let wire_type = wire_type(record_type);
        let mut name = asked.clone();
        let mut aliases = Vec::new();
        let mut ttl = u32::MAX;
        while aliases.len() < ALIASES_MAX {
            let records: Vec<&Record> =
                message.answers.iter().filter(|record| record.name == name && record.record_type() == wire_type).collect();
            if let Some(first) = records.first() {
                let set_ttl = records.iter().map(|record| record.ttl).min().unwrap_or(first.ttl);
                let data = records.iter().filter_map(|record| self.data(&record.data)).collect();
                return Heard { answer: Answer::Records { aliases, set: RecordSet { ttl: set_ttl, data } }, ttl: ttl.min(set_ttl) };
            }
            let alias = message.answers.iter().find_map(|record| match &record.data {
                RData::CNAME(CNAME(target)) if record.name == name => Some((target, record.ttl)),
                _ => None,
            });
            let Some((target, alias_ttl)) = alias else { break };
            ttl = ttl.min(alias_ttl);
            name = target.clone();
            aliases.push(text(target));
        }
        let soa = message.authorities.iter().find_map(|record| match &record.data {
            RData::SOA(soa) => Some((record.name.is_root(), record.ttl.min(soa.minimum))),
            _ => None,
        });
        // A referral: other servers would be responsible, and none of them is here.
        let referred = soa.is_none() && message.authorities.iter().any(|record| matches!(record.data, RData::NS(_)));
        let (outside, negative_ttl) = soa.unwrap_or((referred, 0));
        negative(message.metadata.response_code, ttl.min(negative_ttl), outside)
    }

    /// Record data in the topology's terms. `None` for an address that stands for nothing (it was never published).
    fn data(&self, data: &RData) -> Option<RecordData> {
        Some(match data {
            RData::A(address) => RecordData::A(self.map.topology(address.0)?),
            RData::AAAA(address) => RecordData::Aaaa(self.map.topology6(address.0)?),
            RData::CNAME(CNAME(target)) => RecordData::Cname(text(target)),
            RData::NS(host) => RecordData::Ns(text(&host.0)),
            RData::SRV(srv) => RecordData::Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target: text(&srv.target) },
            RData::TXT(txt) => RecordData::Txt(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => return None,
        })
    }
}

impl Upstream {
    fn new(server: SocketAddr) -> Result<Self, DnsError> {
        let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
        udp.port = server.port();
        tcp.port = server.port();
        let config = ResolverConfig::from_name_servers(vec![NameServerConfig::new(server.ip(), true, vec![udp, tcp])]);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.ip_strategy = LookupIpStrategy::Ipv4Only;
        options.attempts = 0;
        options.timeout = UDP_TIMEOUT;
        options.try_tcp_on_error = false;
        options.recursion_desired = false;
        options.preserve_intermediates = true;
        options.os_port_selection = true;
        let resolver = builder.build().map_err(|error| DnsError::Resolver(error.to_string()))?;
        Ok(Self { resolver, server })
    }

    async fn ask(&self, name: &Name, wire_type: hickory_resolver::proto::rr::RecordType) -> Option<Message> {
        match self.resolver.lookup(name.clone(), wire_type).await {
            Ok(lookup) => Some(lookup.message().clone()),
            Err(NetError::Dns(WireError::ResponseCode(_))) => None,
            // The single query serves three cases in which hickory-resolver (0.26.3, `handle_noerror`) says less than the
            // server did: a negative answer behind aliases loses their TTLs, the target of an SRV record behind an alias
            // is taken for the next name to ask, and a loop of aliases ends in an error.
            Err(NetError::Dns(_) | NetError::Proto(_) | NetError::Message(_) | NetError::Msg(_)) => self.ask_once(name, wire_type).await,
            Err(_) => query_tcp(self.server, name, wire_type, TCP_TIMEOUT).await.ok(),
        }
    }

    /// One query over UDP; over TCP when that stays without answer.
    async fn ask_once(&self, name: &Name, wire_type: hickory_resolver::proto::rr::RecordType) -> Option<Message> {
        match query(self.server, name, wire_type, UDP_TIMEOUT).await {
            Ok(message) => Some(message),
            Err(_) => query_tcp(self.server, name, wire_type, TCP_TIMEOUT).await.ok(),
        }
    }
}

/// Whether a message answers the question; other codes send a resolver to the next server.
fn is_answer(message: &Message) -> bool {
    matches!(message.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
}

impl std::fmt::Debug for PartnerResolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let servers: Vec<SocketAddr> = self.upstreams.iter().map(|upstream| upstream.server).collect();
        f.debug_struct("PartnerResolver").field("servers", &servers).field("cache", &*self.cache()).finish_non_exhaustive()
    }
}

fn no_server() -> Heard {
    Heard { answer: Answer::NoServer, ttl: 0 }
}

/// A negative answer (RFC 2308 2). Names outside all zones get their SOA from the root that ends our closed world: on
/// the real Internet somebody else would be responsible, and the model says that nobody is.
fn negative(code: ResponseCode, ttl: u32, outside: bool) -> Heard {
    match code {
        _ if outside => no_server(),
        ResponseCode::NXDomain => Heard { answer: Answer::NoName, ttl },
        _ => Heard { answer: Answer::NoData, ttl },
    }
}

fn wire_type(record_type: RecordType) -> hickory_resolver::proto::rr::RecordType {
    use hickory_resolver::proto::rr::RecordType as Wire;
    match record_type {
        RecordType::A => Wire::A,
        RecordType::Aaaa => Wire::AAAA,
        RecordType::Cname => Wire::CNAME,
        RecordType::Ns => Wire::NS,
        RecordType::Srv => Wire::SRV,
        RecordType::Txt => Wire::TXT,
    }
}

/// A name in the model's form: lower case, without the final dot; the root is the empty string.
fn text(name: &Name) -> String {
    let mut text = name.to_ascii().to_ascii_lowercase();
    text.truncate(text.trim_end_matches('.').len());
    text
}
