//! Why things are as they are: short lines for failure pages, most telling first.

use firedrill_topology::{ComputerId, EdgePoolId, PoolId, RecordType};

use crate::administration::Transfer;
use crate::config::PoolState;
use crate::fabric::Fabric;
use crate::federation::{Direction, EdgeRefusal, Protocol, ReachQuery};
use crate::naming::{Answer, canonical_name};
use crate::service::ServiceName;
use crate::serving::ServingCause;
use crate::world::federation::Obstacle;
use crate::world::quorum::Phase;

impl ServingCause {
    /// The rule in a few words.
    pub fn text(self) -> &'static str {
        match self {
            Self::HomePoolHealthy => "the home pool is well",
            Self::DetectionInterval => "the home pool is gone, and the backup registrar has not noticed yet",
            Self::NoBackupRegistrar => "the home pool is gone, and no backup registrar takes its users",
            Self::VoiceResiliency => "the backup registrar took over",
            Self::FailingOver => "a pool failover is under way or stuck",
            Self::FailedOver => "a pool failover has completed",
            Self::FailingBack => "a pool failback is under way or stuck",
            Self::FailbackInterval => "the home pool is back, and the backup registrar keeps its users for the failback interval",
            Self::BackEndUnavailable => "the back end has been unavailable for longer than the threshold",
            Self::RoutingGroupNoPrimary => "the routing group has no primary",
            Self::RoutingGroupNoSecondaries => "the routing group has a primary and no secondaries",
            Self::PoolQuorumLost => "the pool has lost its quorum and its Front Ends have stopped",
            Self::ServicesNotRunning => "services of the home pool do not run",
            Self::BackupPoolUnavailable => "the backup pool is not in service",
        }
    }
}

impl Fabric {
    /// State that explains why users of a pool get the service they get: short lines, most telling first.
    pub fn explain_pool(&self, home: PoolId) -> Vec<String> {
        let mut lines = Vec::new();
        for (serving, users) in self.pool_serving(home).parts {
            lines.push(format!("{users} users {}: {}", self.render_serving(&serving), serving.cause.text()));
        }
        self.explain_transfer(home, &mut lines);
        self.explain_registration(home, &mut lines);
        self.explain_front_ends(home, &mut lines);
        self.explain_back_end(home, &mut lines);
        match self.backup_of(home) {
            None => lines.push(format!("{} has no backup pool", self.topology.pool(home).fqdn)),
            Some(backup) => {
                let state = if self.pool_in_service(backup) { "in service" } else { "not in service" };
                lines.push(format!("backup pool {} is {state}", self.topology.pool(backup).fqdn));
                if !self.pool_in_service(backup) {
                    self.explain_front_ends(backup, &mut lines);
                }
            }
        }
        self.explain_faults(&mut lines);
        lines
    }

    /// State that explains why a federation answer is what it is: short lines, most telling first.
    pub fn explain_reach(&self, query: &ReachQuery) -> Vec<String> {
        let mut lines = Vec::new();
        if query.direction == Direction::Inbound {
            self.explain_names(query, &mut lines);
        } else {
            self.explain_routes(query.protocol, &mut lines);
        }
        for edge_pool in self.topology.edge_pool_ids() {
            for server in &self.topology.edge_pool(edge_pool).servers {
                lines.push(self.explain_edge(edge_pool, server.computer, query.protocol));
            }
        }
        self.explain_faults(&mut lines);
        lines
    }

    fn explain_transfer(&self, home: PoolId, lines: &mut Vec<String>) {
        let transfer = match self.pool_transfer(home) {
            Transfer::None => None,
            Transfer::FailingOver => Some("failing over"),
            Transfer::FailedOver => Some("failed over"),
            Transfer::FailingBack => Some("failing back"),
        };
        let state = self.pool_state(home);
        if let Some(transfer) = transfer {
            lines.push(format!("{} is {transfer}; PoolState {state:?}", self.topology.pool(home).fqdn));
        } else if state != PoolState::Active {
            lines.push(format!("PoolState of {} is {state:?}", self.topology.pool(home).fqdn));
        }
    }

    fn explain_registration(&self, home: PoolId, lines: &mut Vec<String>) {
        let state = &self.registration[home.index()];
        let Some(backup) = self.backup_of(home) else { return };
        let (home_name, backup_name) = (&self.topology.pool(home).fqdn, &self.topology.pool(backup).fqdn);
        let voice = self.settings_known_to(backup, home).voice;
        if let Some(since) = state.missing_since {
            if state.accepting {
                lines.push(format!("{backup_name} has missed {home_name} since {since} and accepts its users"));
            } else if voice.automatic {
                let takes = self.detection_end(home).map_or(String::new(), |end| format!(" and accepts its users from {end}"));
                lines.push(format!("{backup_name} has missed {home_name} since {since}{takes}"));
            } else {
                lines.push(format!("automatic failover for Voice is off between {home_name} and {backup_name}"));
            }
        }
        if let Some(since) = state.seen_since {
            lines.push(format!("{backup_name} sees {home_name} again since {since}"));
        }
    }

    fn explain_front_ends(&self, pool: PoolId, lines: &mut Vec<String>) {
        let report = self.quorum(pool);
        let fqdn = &self.topology.pool(pool).fqdn;
        let phase = match self.quorum[pool.index()].phase {
            Phase::Functional => "quorum holds",
            Phase::Lost => "no quorum",
            Phase::Placing { .. } => "users are being placed",
        };
        lines.push(format!(
            "{fqdn}: Front-End service runs on {} of {}, {phase} ({} needed for a cold start)",
            report.active, report.total, report.needed_to_start
        ));
        for front_end in &self.topology.pool(pool).front_ends {
            if let Some(state) = self.explain_front_end(*front_end) {
                lines.push(format!("{}: {state}", self.topology.computer(*front_end).fqdn));
            }
        }
        if let Some(last) = self.missing_last_standing(pool) {
            let last = &self.topology.computer(last).fqdn;
            lines.push(format!("{fqdn}: waits for {last}, which went down last: start both, or recover from quorum loss"));
        }
        if !report.without_primary.is_empty() {
            lines.push(format!("{fqdn}: {} routing groups have no primary", report.without_primary.len()));
        }
        if !report.insufficient_secondaries.is_empty() {
            lines.push(format!("{fqdn}: {} routing groups lack secondaries", report.insufficient_secondaries.len()));
        }
    }

    /// What is the matter with a Front End; none when its Front-End service runs.
    fn explain_front_end(&self, computer: ComputerId) -> Option<String> {
        if !self.computer_up(computer) {
            return Some("off".into());
        }
        let state = self.service(computer, ServiceName::RtcSrv)?;
        if self.service_running(computer, ServiceName::RtcSrv) {
            return None;
        }
        Some(if self.computers[computer.index()].stopped_by_quorum {
            "stopped by the loss of quorum".into()
        } else if self.waits_for_quorum(computer) {
            "RTCSRV StartPending, waiting for quorum".into()
        } else if state.disabled {
            format!("RTCSRV {}, disabled", state.status.text())
        } else {
            format!("RTCSRV {}", state.status.text())
        })
    }

    fn explain_back_end(&self, pool: PoolId, lines: &mut Vec<String>) {
        let fqdn = &self.topology.pool(pool).fqdn;
        if let Some(since) = self.back_end_unavailable_since(pool) {
            let end = self.back_end_grace_end(pool).map_or(String::new(), |end| format!(", threshold ends {end}"));
            lines.push(format!("{fqdn}: back end unavailable since {since}{end}"));
        }
    }

    fn explain_faults(&self, lines: &mut Vec<String>) {
        for fault in self.active_faults() {
            lines.push(format!("fault: {}", self.render_fault(fault)));
        }
    }

    /// What the partner holds, or would hear, for the names it looks up.
    fn explain_names(&self, query: &ReachQuery, lines: &mut Vec<String>) {
        let domain = canonical_name(&query.domain);
        let service = query.protocol.service_name(&domain);
        let view = self.explain_name(query, &service, RecordType::Srv, lines);
        let hosts: Vec<String> = match view {
            Answer::Records { set, .. } => set
                .data
                .iter()
                .filter_map(|data| match data {
                    firedrill_topology::RecordData::Srv { target, .. } if !target.is_empty() => Some(target.clone()),
                    _ => None,
                })
                .collect(),
            _ if query.protocol == Protocol::Xmpp => vec![domain],
            _ => Vec::new(),
        };
        for host in hosts {
            self.explain_name(query, &host, RecordType::A, lines);
        }
    }

    fn explain_name(&self, query: &ReachQuery, name: &str, record_type: RecordType, lines: &mut Vec<String>) -> Answer {
        let partner = &self.topology.partner(query.partner).domain;
        let fresh = self.ask_name_servers(name, record_type).map_or(Answer::NoServer, |(answer, _)| answer);
        match self.cached_view(query.partner, name, record_type) {
            Some(view) => {
                let until = view.until.map_or(String::new(), |until| format!(" until {until}"));
                let stale = if view.answer == fresh { "" } else { "; the zone says otherwise now" };
                lines.push(format!("{partner} has cached {name} {record_type:?}{until}: {}{stale}", render_answer(&view.answer)));
                view.answer
            }
            None => {
                lines.push(format!("{partner} would hear for {name} {record_type:?}: {}", render_answer(&fresh)));
                fresh
            }
        }
    }

    fn explain_routes(&self, protocol: Protocol, lines: &mut Vec<String>) {
        for pool in self.topology.pool_ids() {
            let front_ends = &self.topology.pool(pool).front_ends;
            let Some(front_end) = front_ends.iter().copied().find(|fe| self.computer_up(*fe)) else { continue };
            let document = self.local_store(front_end);
            let site = self.topology.pool(pool).site;
            let route = match protocol {
                Protocol::Sip => document.sites[site.index()].federation_route,
                Protocol::Xmpp => document.sites[site.index()].xmpp_route,
            };
            let edge = route.map_or("none", |edge| self.topology.edge_pool(edge).fqdn.as_str());
            let (pool, site) = (&self.topology.pool(pool).fqdn, &self.topology.site(site).name);
            lines.push(format!("{pool} takes the route of {site}: {edge}"));
        }
    }

    fn explain_edge(&self, edge_pool: EdgePoolId, computer: ComputerId, protocol: Protocol) -> String {
        let fqdn = &self.topology.computer(computer).fqdn;
        let port = protocol.default_port();
        let listener = self.listeners().into_iter().find(|l| l.computer == computer && l.protocol == protocol);
        let refusal = listener.and_then(|listener| listener.refusal);
        match self.obstacle(edge_pool, computer, protocol) {
            Some(obstacle) => format!("{fqdn} does not listen on {port}: {}", obstacle_text(obstacle)),
            None => match refusal {
                None => format!("{fqdn} listens on {port}"),
                Some(refusal) => {
                    let next_hop = self.local_store(computer).edges[edge_pool.index()].next_hop;
                    format!("{fqdn} listens on {port} and turns away: {}", self.refusal_text(refusal, next_hop))
                }
            },
        }
    }

    fn refusal_text(&self, refusal: EdgeRefusal, next_hop: PoolId) -> String {
        match refusal {
            EdgeRefusal::UnknownDomain => "the domain is not ours".into(),
            EdgeRefusal::PartnerNotAllowed => "the partner is not allowed".into(),
            EdgeRefusal::NextHopUnavailable => format!("its next hop {} does not answer", self.topology.pool(next_hop).fqdn),
            EdgeRefusal::CertificateExpired => "its certificate has expired".into(),
            EdgeRefusal::CertificateName => "its certificate does not name the host".into(),
            EdgeRefusal::NoAuthentication => "the partner's settings leave no way to authenticate it".into(),
        }
    }
}

fn obstacle_text(obstacle: Obstacle) -> String {
    match obstacle {
        Obstacle::ComputerOff => "the computer is off".into(),
        Obstacle::ServiceNotRunning(service) => format!("{} does not run", service.short_name()),
        Obstacle::NotInstalled => "enabled in its replica, but setup has not run there".into(),
        Obstacle::NotEnabled => "not enabled in its replica".into(),
        Obstacle::NoRoute => "no site's route points to its Edge pool in its replica".into(),
        Obstacle::PortTaken(port) => format!("it was given port {port}, which the Access Edge has"),
        Obstacle::PortClosed(port) => format!("port {port} is closed from the Internet"),
    }
}

fn render_answer(answer: &Answer) -> String {
    use firedrill_topology::RecordData as D;
    match answer {
        Answer::NoName => "no such name".into(),
        Answer::NoData => "no such record".into(),
        Answer::NoServer => "no server answers".into(),
        Answer::Records { set, .. } => {
            let data = set.data.iter().map(|data| match data {
                D::A(address) => address.to_string(),
                D::Aaaa(address) => address.to_string(),
                D::Cname(target) | D::Ns(target) => target.clone(),
                D::Srv { priority, weight, port, target } => {
                    let target = if target.is_empty() { "." } else { target };
                    format!("{priority} {weight} {port} {target}")
                }
                D::Txt(text) => format!("{text:?}"),
            });
            data.collect::<Vec<_>>().join(", ")
        }
    }
}
