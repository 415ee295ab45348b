//! CMS replication: snapshot, push, import, status report (dossier D.2). Deadlines only; nothing ticks.

use firedrill_topology::{ComputerId, ComputerRole};

use super::ReplicaReport;
use super::state::{Leg, Replica};
use super::store::CmsAgents;
use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::fault::Fault;
use crate::messages::Message;
use crate::operation::OperationError;
use crate::service::ServiceName;
use crate::time::{SimDuration, SimTime};

// Together 55 seconds: "within about a minute" (field, dossier D.2); how it divides into legs is inferred.
/// The master replicator agent writes a snapshot of the changed store.
pub const SNAPSHOT_TIME: SimDuration = SimDuration::from_secs(10);
/// The file transfer agent copies it to a replica.
pub const PUSH_TIME: SimDuration = SimDuration::from_secs(15);
/// The replica agent imports it.
pub const IMPORT_TIME: SimDuration = SimDuration::from_secs(15);
/// The file transfer agent fetches the replica's status, and the master takes note.
pub const RETURN_TIME: SimDuration = SimDuration::from_secs(15);
/// How often a replica without an update reports its status (inferred: the reports are documented, their rhythm is not;
/// well under the hour after which diagnostics call a report old, dossier D.2).
pub const STATUS_REPORT_INTERVAL: SimDuration = SimDuration::from_mins(15);
/// SMB, to the share `xds-replica` of computers inside (dossier D.2).
pub const REPLICATION_PORT: u16 = 445;
/// HTTPS, to the internal interface of Edge Servers (dossier D.2, F.6).
pub const EDGE_REPLICATION_PORT: u16 = 4443;

/// What happened to replicas in one instant, for one line in the log.
#[derive(Default)]
struct Tally {
    confirmed: u32,
    stopped: u32,
    last: Option<ComputerId>,
}

impl Fabric {
    /// Replica states; needs the CMS (dossier D.3, D.9).
    ///
    /// # Errors
    /// When the CMS cannot be reached from there.
    pub fn replica_states(&self, from: ComputerId) -> Result<Vec<ReplicaReport>, OperationError> {
        self.open_store(from)?;
        let has_replica = |computer: &ComputerId| self.admin.replicas[computer.index()].is_some();
        Ok(self.topology.computer_ids().filter(has_replica).map(|computer| self.replica_state(computer)).collect())
    }

    /// Replica state of one computer as the model knows it, whether the CMS answers or not (for expectations).
    pub fn replica_state(&self, computer: ComputerId) -> ReplicaReport {
        let Some(replica) = &self.admin.replicas[computer.index()] else {
            return ReplicaReport {
                computer,
                up_to_date: false,
                last_status_report: None,
                last_update_creation: None,
                product_version: None,
            };
        };
        let newest = self.active_database().map(|(_, database)| database.stamp);
        ReplicaReport {
            computer,
            up_to_date: newest == Some(replica.confirmed),
            last_status_report: replica.last_report(self.now),
            last_update_creation: replica.last_update_creation,
            product_version: replica.last_status_report.map(|_| self.version_of(computer)),
        }
    }

    /// `Invoke-CsManagementStoreReplication` (dossier D.2): a full copy to one replica, or to all.
    pub(super) fn force_replication(&mut self, replica: Option<ComputerId>) {
        let due = self.cms_agents().map(|_| self.now + SNAPSHOT_TIME);
        let admin = self.admin_mut();
        for (index, state) in admin.replicas.iter_mut().enumerate() {
            if let Some(state) = state
                && replica.is_none_or(|wanted| wanted.index() == index)
            {
                state.confirmed = 0;
            }
        }
        admin.cms.snapshot.forced = true;
        admin.cms.snapshot.due = due;
    }

    /// Refuses a full copy while the store moves, or while a former master's database still calls itself active.
    pub(super) fn check_replication(&self, from: ComputerId, replica: Option<ComputerId>) -> Result<(), OperationError> {
        let pool = self.writable_store(from)?;
        if self.undemoted_master(pool).is_some() {
            return Err(Message::StoreBeingMoved.error(&[], self.topology.pool(pool).fqdn.clone()));
        }
        match replica {
            Some(computer) if self.admin.replicas[computer.index()].is_none() => {
                let fqdn = &self.topology.computer(computer).fqdn;
                Err(Message::ReplicaUnknown.error(&[fqdn], fqdn))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn replication_deadline(&self) -> Option<SimTime> {
        let legs = self.admin.replicas.iter().flatten().filter_map(Replica::due);
        legs.chain(self.admin.cms.snapshot.due).min()
    }

    pub(super) fn settle_replication(&mut self) -> bool {
        let agents = self.cms_agents();
        self.note_reporting(agents);
        let mut changed = self.settle_snapshot(agents);
        let mut tally = Tally::default();
        for index in 0..self.admin.replicas.len() {
            if self.admin.replicas[index].as_ref().is_some_and(|replica| replica.leg != Leg::Idle) {
                changed |= self.settle_replica(ComputerId(index as u32), agents, &mut tally);
            }
        }
        self.log_tally(&tally);
        changed
    }

    /// Notes which replicas report at intervals from now on, and which have stopped to. Reports themselves are derived:
    /// nothing else hangs on one that confirms what is known, so none needs an instant of its own.
    fn note_reporting(&mut self, agents: Option<CmsAgents>) {
        if !self.stirred && self.admin.cms.reported_to == agents {
            return;
        }
        let now = self.now;
        let mut altered: Vec<(usize, bool)> = Vec::new();
        for (index, replica) in self.admin.replicas.iter().enumerate() {
            let Some(replica) = replica else { continue };
            let computer = ComputerId(index as u32);
            let reports = self.transfers(agents, computer) && self.imports(computer);
            if reports != replica.reporting_since.is_some() {
                altered.push((index, reports));
            }
        }
        if altered.is_empty() && self.admin.cms.reported_to == agents {
            return;
        }
        if let Some(agents) = agents {
            for (index, reports) in &altered {
                let computer = ComputerId(*index as u32);
                let edge = matches!(self.topology.computer(computer).role, ComputerRole::Edge(_));
                if !reports && edge && !self.transfers(Some(agents), computer) {
                    self.note_edge_unreachable(agents.file_transfer, computer);
                }
            }
        }
        let admin = self.admin_mut();
        admin.cms.reported_to = agents;
        for (index, reports) in altered {
            let Some(replica) = &mut admin.replicas[index] else { continue };
            replica.last_status_report = replica.last_report(now);
            replica.reporting_since = reports.then_some(now);
        }
    }

    /// The first leg, shared by all replicas. A snapshot that could not be finished starts again when the agent is back.
    fn settle_snapshot(&mut self, agents: Option<CmsAgents>) -> bool {
        let snapshot = &self.admin.cms.snapshot;
        let wanted = self.active_database().filter(|(_, database)| snapshot.stamp != database.stamp || snapshot.forced);
        let Some((_, database)) = wanted else {
            // Nothing to export, or no store to export from: a date set before no longer holds.
            let pending = snapshot.due.is_some();
            if pending {
                self.admin_mut().cms.snapshot.due = None;
            }
            return pending;
        };
        let now = self.now;
        match (agents, snapshot.due) {
            (None, None) => false,
            (None, Some(_)) => {
                self.admin_mut().cms.snapshot.due = None;
                true
            }
            (Some(_), None) => {
                self.admin_mut().cms.snapshot.due = Some(now + SNAPSHOT_TIME);
                true
            }
            (Some(_), Some(due)) if due > now => false,
            (Some(_), Some(_)) => {
                let (document, stamp) = (database.document.clone(), database.stamp);
                self.lean(Behaviour::ReplicationFlow);
                let admin = self.admin_mut();
                let snapshot = &mut admin.cms.snapshot;
                snapshot.document = document;
                snapshot.stamp = stamp;
                snapshot.due = None;
                snapshot.forced = false;
                for replica in admin.replicas.iter_mut().flatten().filter(|replica| replica.confirmed != stamp) {
                    replica.last_update_creation = Some(now);
                    // What is already being imported or reported goes on; the newer content follows it.
                    if matches!(replica.leg, Leg::Idle | Leg::Push { .. }) {
                        replica.leg = Leg::Push { due: None };
                    }
                }
                true
            }
        }
    }

    fn settle_replica(&mut self, computer: ComputerId, agents: Option<CmsAgents>, tally: &mut Tally) -> bool {
        let Some(replica) = &self.admin.replicas[computer.index()] else { return false };
        let (due, length, possible) = match &replica.leg {
            Leg::Idle => return false,
            Leg::Push { due } => (*due, PUSH_TIME, self.transfers(agents, computer)),
            Leg::Import { due, .. } => (*due, IMPORT_TIME, self.imports(computer)),
            Leg::Return { due } => (*due, RETURN_TIME, self.transfers(agents, computer)),
        };
        let now = self.now;
        let new_due = match (possible, due) {
            (false, None) => return false,
            (false, Some(_)) => {
                tally.stopped += 1;
                tally.last = Some(computer);
                None
            }
            (true, None) => Some(now + length),
            (true, Some(due)) if due > now => return false,
            (true, Some(_)) => {
                self.finish_leg(computer, tally);
                return true;
            }
        };
        if let Some(replica) = &mut self.admin_mut().replicas[computer.index()] {
            match &mut replica.leg {
                Leg::Push { due } | Leg::Import { due, .. } | Leg::Return { due } => *due = new_due,
                Leg::Idle => {}
            }
        }
        true
    }

    fn finish_leg(&mut self, computer: ComputerId, tally: &mut Tally) {
        let now = self.now;
        let admin = self.admin_mut();
        let (document, newest) = (admin.cms.snapshot.document.clone(), admin.cms.snapshot.stamp);
        let Some(replica) = &mut admin.replicas[computer.index()] else { return };
        match std::mem::replace(&mut replica.leg, Leg::Idle) {
            Leg::Idle => {}
            Leg::Push { .. } => replica.leg = Leg::Import { due: None, document, stamp: newest },
            Leg::Import { document, stamp, .. } => {
                replica.document = document;
                replica.stamp = stamp;
                replica.leg = Leg::Return { due: None };
            }
            Leg::Return { .. } => {
                replica.confirmed = replica.stamp;
                replica.last_status_report = Some(now);
                if replica.confirmed != newest {
                    replica.leg = Leg::Push { due: None };
                }
                tally.confirmed += 1;
                tally.last = Some(computer);
                self.lean(Behaviour::ReplicationTiming);
            }
        }
    }

    /// Whether the file transfer agent can exchange files with a computer (dossier D.2; an expired certificate stops
    /// HTTPS to an Edge Server, dossier I 46).
    fn transfers(&self, agents: Option<CmsAgents>, computer: ComputerId) -> bool {
        let Some(agents) = agents else { return false };
        if !self.computer_up(computer) {
            return false;
        }
        match self.topology.computer(computer).role {
            ComputerRole::Edge(_) => {
                !self.fault_active(&Fault::Certificate(computer)) && self.reaches(agents.file_transfer, computer, EDGE_REPLICATION_PORT)
            }
            _ => self.reaches(agents.file_transfer, computer, REPLICATION_PORT),
        }
    }

    /// Whether the replica agent of a computer imports.
    fn imports(&self, computer: ComputerId) -> bool {
        self.service_running(computer, ServiceName::Replica) && !self.fault_active(&Fault::ReplicaAgent(computer))
    }

    fn log_tally(&mut self, tally: &Tally) {
        let Some(last) = tally.last else { return };
        for (count, state) in [(tally.confirmed, "up to date"), (tally.stopped, "update interrupted")] {
            if count > 0 {
                let subject = if count == 1 { self.topology.computer(last).fqdn.clone() } else { format!("{count} replicas") };
                self.log(Event::StateChanged { kind: "replica".into(), subject, state: state.into() });
            }
        }
    }

    fn version_of(&self, computer: ComputerId) -> &'static str {
        match self.topology.computer(computer).role {
            ComputerRole::FrontEnd(pool) => self.topology.pool(pool).version.build(),
            ComputerRole::Edge(edge) => self.topology.edge_pool(edge).version.build(),
            _ => self.topology.version.build(),
        }
    }
}

impl Replica {
    /// The last report that has come back by an instant: of an update, or the newest of those that come at intervals.
    fn last_report(&self, now: SimTime) -> Option<SimTime> {
        let regular = self.reporting_since.and_then(|since| {
            let whole = now.since(since).0 / STATUS_REPORT_INTERVAL.0;
            (whole > 0).then(|| since + STATUS_REPORT_INTERVAL * whole)
        });
        self.last_status_report.max(regular)
    }

    fn due(&self) -> Option<SimTime> {
        match &self.leg {
            Leg::Idle => None,
            Leg::Push { due } | Leg::Import { due, .. } | Leg::Return { due } => *due,
        }
    }
}
