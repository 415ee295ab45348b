//! The authoritative servers of the external zones: who serves which state, who has heard of a change, who has given up.
//!
//! A secondary copies a zone when NOTIFY tells it of a change (RFC 1996), else at its next refresh (RFC 1035 3.3.13). No
//! timer runs while primary and secondary agree: the instants of checks that found nothing new are computed when one of
//! them starts to matter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use firedrill_topology::{NameServerId, RecordType, Topology, Zone};

use crate::event::Event;
use crate::fabric::Fabric;
use crate::fault::{Fault, NameServerFault};
use crate::naming::{Answer, Zones};
use crate::time::{SimDuration, SimTime};

/// How long a resolver waits for one name server before it asks the next (resolv.conf(5): 5 s; inferred for partners).
pub const RESOLVER_TIMEOUT: SimDuration = SimDuration::from_secs(5);

/// How a name server treats queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameServerMode {
    /// It answers.
    Answering,
    /// It does not run.
    Down,
    /// Its packets are lost.
    Drops,
    /// It answers SERVFAIL.
    ServFail,
    /// It answers REFUSED.
    Refused,
    /// It truncates everything, and TCP is closed.
    TruncatedWithoutTcp,
    /// It answers after so long.
    Slow(SimDuration),
}

/// What a name server has to answer from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedZones {
    /// The zones.
    pub zones: Arc<Zones>,
    /// Those among them that it has given up, because no primary answered for too long (SERVFAIL).
    pub expired: BTreeSet<String>,
}

/// State of one name server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerState {
    served: ServedZones,
    /// A secondary's checks, by zone.
    checks: BTreeMap<String, Check>,
    /// Whether it could be reached when somebody last looked: a server that starts tells its secondaries (RFC 1996 3.11).
    was_up: bool,
}

/// When a secondary looks for a new serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Check {
    /// When it last knew that its copy is the primary's.
    succeeded: SimTime,
    /// When it looks next; none while nothing could be found.
    next: Option<SimTime>,
}

impl ServerState {
    /// All servers of a topology, in agreement.
    pub(super) fn all(topology: &Topology, zones: &Arc<Zones>, start: SimTime) -> Vec<Self> {
        let quiet = Check { succeeded: start, next: None };
        let state = |place: usize| Self {
            served: ServedZones { zones: Arc::clone(zones), expired: BTreeSet::new() },
            checks: if place == 0 { BTreeMap::new() } else { zones.zones.keys().map(|origin| (origin.clone(), quiet)).collect() },
            was_up: true,
        };
        (0..topology.name_servers.len().max(1)).map(state).collect()
    }
}

/// The primary is the first.
const PRIMARY: usize = 0;

fn seconds(count: u32) -> SimDuration {
    SimDuration::from_secs(i64::from(count.max(1)))
}

/// The first instant of a grid `from + k * step`, k at least 0, that is not before `now`.
fn on_grid(from: SimTime, step: SimDuration, now: SimTime) -> SimTime {
    if now <= from {
        return from;
    }
    let steps = (now.since(from).0 + step.0 - 1) / step.0;
    from + step * steps
}

impl Fabric {
    /// How many name servers serve the external zones.
    pub fn name_server_count(&self) -> usize {
        self.dns.servers.len()
    }

    /// What a name server has to answer from now.
    pub fn served_zones(&self, server: NameServerId) -> &ServedZones {
        &self.dns.servers[server.index()].served
    }

    /// How a name server treats queries now. Of several faults the one that lets least through counts.
    pub fn name_server_mode(&self, server: NameServerId) -> NameServerMode {
        use NameServerFault as F;
        if self.fault_active(&Fault::DnsServer) {
            return NameServerMode::Down;
        }
        let has = |fault| self.fault_active(&Fault::NameServer(server, fault));
        if has(F::Down) {
            return NameServerMode::Down;
        }
        if has(F::Drops) {
            return NameServerMode::Drops;
        }
        if has(F::ServFail) {
            return NameServerMode::ServFail;
        }
        if has(F::Refused) {
            return NameServerMode::Refused;
        }
        if has(F::TruncatedWithoutTcp) {
            return NameServerMode::TruncatedWithoutTcp;
        }
        let delay = |fault: &Fault| match fault {
            Fault::NameServer(id, F::Slow(delay)) if *id == server => Some(*delay),
            _ => None,
        };
        self.active_faults().filter_map(delay).max().map_or(NameServerMode::Answering, NameServerMode::Slow)
    }

    /// Whether some external DNS server answers.
    pub fn dns_up(&self) -> bool {
        (0..self.dns.servers.len()).any(|place| self.server_answers(place))
    }

    /// Whether the primary runs, where the operator of the zones works.
    pub fn dns_primary_up(&self) -> bool {
        !matches!(self.name_server_mode(id(PRIMARY)), NameServerMode::Down | NameServerMode::Drops)
    }

    /// Whether resolvers go on to a secondary now.
    pub(super) fn primary_is_passed_over(&self) -> bool {
        self.dns.servers.len() > 1 && !self.server_answers(PRIMARY)
    }

    /// Whether a resolver gets answers from a server in time.
    fn server_answers(&self, place: usize) -> bool {
        match self.name_server_mode(id(place)) {
            NameServerMode::Answering => true,
            NameServerMode::Slow(delay) => delay < RESOLVER_TIMEOUT,
            _ => false,
        }
    }

    /// Asks the name servers in order, as a resolver does: who is silent, fails or refuses is passed over. `None`: nobody
    /// answered. The number is for how many seconds the answer may be kept.
    pub(crate) fn ask_name_servers(&self, name: &str, record_type: RecordType) -> Option<(Answer, u32)> {
        (0..self.dns.servers.len()).filter(|place| self.server_answers(*place)).find_map(|place| {
            let served = &self.dns.servers[place].served;
            served.zones.resolve_without(&served.expired, name, record_type)
        })
    }

    /// Lets the primary load what was entered, NOTIFY go out, and secondaries check and expire what is due. Says whether
    /// anything changed.
    pub(crate) fn settle_name_servers(&mut self) -> bool {
        let stale = |fabric: &Self, place| fabric.fault_active(&Fault::NameServer(id(place), NameServerFault::Stale));
        let primary_up = self.transfers_zones(PRIMARY);
        let was_up = self.dns.servers[PRIMARY].was_up;
        let reload = !stale(self, PRIMARY) && !Arc::ptr_eq(&self.dns.servers[PRIMARY].served.zones, &self.dns.zones);
        if !reload && was_up == primary_up && self.dns.servers.len() == 1 {
            return false;
        }
        let before = Arc::clone(&self.dns);
        if reload {
            let dns = Arc::make_mut(&mut self.dns);
            dns.servers[PRIMARY].served.zones = Arc::clone(&dns.zones);
        }
        if was_up != primary_up {
            Arc::make_mut(&mut self.dns).servers[PRIMARY].was_up = primary_up;
        }
        let news = primary_up && (reload || !was_up);
        for place in 1..self.dns.servers.len() {
            if !stale(self, place) {
                self.settle_secondary(place, primary_up, news);
            }
        }
        *before != *self.dns
    }

    fn settle_secondary(&mut self, place: usize, primary_up: bool, news: bool) {
        let origins: Vec<String> = self.dns.servers[place].checks.keys().cloned().collect();
        let reachable = primary_up && self.transfers_zones(place);
        let hears = news && reachable && !self.fault_active(&Fault::NameServer(id(place), NameServerFault::MissesNotify));
        for origin in origins {
            let zones = &self.dns.servers[PRIMARY].served.zones.zones;
            let (Some(theirs), Some(ours)) = (zones.get(&origin), self.dns.servers[place].served.zones.zones.get(&origin)) else {
                continue;
            };
            let (theirs, ours) = (Arc::clone(theirs), Arc::clone(ours));
            let agree = Arc::ptr_eq(&theirs, &ours) || theirs == ours;
            let mut check = self.dns.servers[place].checks[&origin];
            if hears && (!agree || check.next.is_some()) {
                self.copy_zone(place, &origin, &theirs, agree);
                continue;
            }
            if news && !agree && check.next.is_none() {
                self.log_server(
                    place,
                    &origin,
                    format!("NOTIFY of serial {} missed; serial {} served", theirs.soa.serial, ours.soa.serial),
                );
            }
            let refresh = seconds(ours.soa.refresh);
            if check.next.is_none() && !(agree && reachable) {
                // The checks up to now found the primary and nothing new.
                let passed = self.now.since(check.succeeded).0 / refresh.0;
                check.succeeded += refresh * passed;
                check.next = Some(check.succeeded + refresh);
            }
            if let Some(next) = check.next.filter(|_| reachable) {
                // Those that fell into the primary's absence failed and were repeated after the retry time.
                let next = on_grid(next, seconds(ours.soa.retry), self.now);
                check.next = Some(next);
                if next <= self.now {
                    self.copy_zone(place, &origin, &theirs, agree);
                    continue;
                }
            }
            self.set_check(place, &origin, check);
            if check.next.is_some() && self.now >= check.succeeded + seconds(ours.soa.expire) {
                self.expire_zone(place, &origin, &ours);
            }
        }
    }

    /// A successful check: the copy is the primary's.
    fn copy_zone(&mut self, place: usize, origin: &str, zone: &Arc<Zone>, agree: bool) {
        self.set_check(place, origin, Check { succeeded: self.now, next: None });
        let was_expired = self.dns.servers[place].served.expired.contains(origin);
        if agree && !was_expired {
            return;
        }
        let served = &mut Arc::make_mut(&mut self.dns).servers[place].served;
        served.expired.remove(origin);
        Arc::make_mut(&mut served.zones).zones.insert(origin.to_owned(), Arc::clone(zone));
        self.log_server(place, origin, format!("serial {} transferred", zone.soa.serial));
    }

    fn expire_zone(&mut self, place: usize, origin: &str, zone: &Zone) {
        if self.dns.servers[place].served.expired.contains(origin) {
            return;
        }
        Arc::make_mut(&mut self.dns).servers[place].served.expired.insert(origin.to_owned());
        self.log_server(place, origin, format!("serial {} expired", zone.soa.serial));
    }

    fn set_check(&mut self, place: usize, origin: &str, check: Check) {
        if self.dns.servers[place].checks.get(origin) != Some(&check) {
            Arc::make_mut(&mut self.dns).servers[place].checks.insert(origin.to_owned(), check);
        }
    }

    /// When a secondary checks or gives up next.
    pub(crate) fn name_servers_deadline(&self) -> Option<SimTime> {
        if self.dns.servers.len() == 1 {
            return None;
        }
        let primary_up = self.transfers_zones(PRIMARY);
        let of_server = |place: usize| {
            let server = &self.dns.servers[place];
            if self.fault_active(&Fault::NameServer(id(place), NameServerFault::Stale)) {
                return None;
            }
            let reachable = primary_up && self.transfers_zones(place);
            let of_zone = |(origin, check): (&String, &Check)| {
                let next = check.next?;
                let zone = server.served.zones.zones.get(origin)?;
                let expires = (!server.served.expired.contains(origin)).then(|| check.succeeded + seconds(zone.soa.expire));
                if reachable { Some(expires.map_or(next, |expires| expires.min(next))) } else { expires }
            };
            server.checks.iter().filter_map(of_zone).min()
        };
        (1..self.dns.servers.len()).filter_map(of_server).min()
    }

    /// Whether a server takes part in zone transfers, which need TCP and a server that answers.
    fn transfers_zones(&self, place: usize) -> bool {
        matches!(self.name_server_mode(id(place)), NameServerMode::Answering | NameServerMode::Slow(_))
    }

    fn log_server(&mut self, place: usize, origin: &str, state: String) {
        let host = self.name_server_host(id(place));
        self.log(Event::StateChanged { kind: "dns".into(), subject: format!("{origin} on {host}"), state });
    }

    /// Host name of a name server.
    pub fn name_server_host(&self, server: NameServerId) -> &str {
        self.topology.name_servers.get(server.index()).map_or("the name server", |server| &server.host)
    }

    pub(crate) fn render_name_server_fault(&self, server: NameServerId, fault: NameServerFault) -> String {
        let host = self.name_server_host(server);
        match fault {
            NameServerFault::Down => format!("name server {host} down"),
            NameServerFault::Drops => format!("name server {host} drops packets"),
            NameServerFault::ServFail => format!("name server {host} answers SERVFAIL"),
            NameServerFault::Refused => format!("name server {host} answers REFUSED"),
            NameServerFault::TruncatedWithoutTcp => format!("name server {host} truncates and has no TCP"),
            NameServerFault::Stale => format!("name server {host} serves stale zones"),
            NameServerFault::MissesNotify => format!("name server {host} misses NOTIFY"),
            NameServerFault::Slow(delay) => format!("name server {host} slow by {delay}"),
        }
    }
}

fn id(place: usize) -> NameServerId {
    // At most 13 by the limits of the document.
    NameServerId(u32::try_from(place).unwrap_or(u32::MAX))
}
