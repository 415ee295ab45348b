//! Faults, their healing, and everything else that strikes at an instant.
//!
//! What is broken is the set of active faults; whether a computer is off, a port closed or a store away is derived from
//! it. So overlapping faults need no counting: a computer hit by its site's fault and by one of its own comes back when
//! both have healed.

use std::collections::BTreeSet;
use std::sync::Arc;

use firedrill_topology::{ComputerId, ComputerRole, FileStoreId, Topology};

use crate::event::Event;
use crate::fabric::Fabric;
use crate::fault::{Change, Fault, Place};
use crate::messages::Message;
use crate::operation::OperationError;
use crate::world::DnsEditError;
use crate::world::services::AfterBoot;

/// What is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FaultState {
    pub(crate) active: BTreeSet<Fault>,
}

impl FaultState {
    pub(crate) fn new(_topology: &Topology) -> Self {
        Self { active: BTreeSet::new() }
    }
}

impl Fabric {
    /// Makes a change now.
    ///
    /// # Errors
    /// When a DNS edit is refused; faults and heals never are.
    pub fn apply(&mut self, change: Change) -> Result<(), DnsEditError> {
        match change {
            Change::Inject(fault) => self.inject(fault),
            Change::Heal(fault) => self.heal(&fault, AfterBoot::StartServices),
            Change::HealServicesStopped(fault) => self.heal(&fault, AfterBoot::LeaveStopped),
            Change::Dns(edit) => self.edit_dns(&edit)?,
        }
        // A limit that is hit here is hit again, and reported, when time runs on.
        let _ = self.settle();
        Ok(())
    }

    /// Faults that are active now, in order.
    pub fn active_faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.active.iter()
    }

    /// Whether exactly this fault is active.
    pub fn fault_active(&self, fault: &Fault) -> bool {
        self.faults.active.contains(fault)
    }

    /// Whether Active Directory answers.
    pub fn directory_up(&self) -> bool {
        !self.fault_active(&Fault::ActiveDirectory)
    }

    /// Whether a file store can be reached: its computer is on, and the store itself is well.
    pub fn file_store_up(&self, store: FileStoreId) -> bool {
        !self.fault_active(&Fault::FileStore(store)) && self.computer_up(self.topology.file_stores[store.index()].computer)
    }

    /// Refuses when a computer cannot run a shell now.
    ///
    /// # Errors
    /// When it is off.
    pub fn check_shell(&self, computer: ComputerId) -> Result<(), OperationError> {
        if self.computer_up(computer) {
            return Ok(());
        }
        let fqdn = &self.topology.computer(computer).fqdn;
        Err(Message::ComputerUnavailable.error(&[fqdn], fqdn))
    }

    pub(crate) fn take_due_change(&mut self) -> Option<Change> {
        let (at, _) = self.agenda.first_key_value().map(|(key, _)| *key)?;
        if at > self.now {
            return None;
        }
        Arc::make_mut(&mut self.agenda).pop_first().map(|(_, change)| change)
    }

    pub(crate) fn apply_scheduled(&mut self, change: Change) {
        match change {
            Change::Inject(fault) => self.inject(fault),
            Change::Heal(fault) => self.heal(&fault, AfterBoot::StartServices),
            Change::HealServicesStopped(fault) => self.heal(&fault, AfterBoot::LeaveStopped),
            Change::Dns(edit) => {
                if let Err(error) = self.edit_dns(&edit) {
                    self.log(Event::StateChanged { kind: "dns".into(), subject: "edit".into(), state: format!("refused: {error}") });
                }
            }
        }
    }

    fn inject(&mut self, fault: Fault) {
        if !Arc::make_mut(&mut self.faults).active.insert(fault.clone()) {
            return;
        }
        self.stirred = true;
        self.log(Event::FaultInjected { fault: self.render_fault(&fault) });
        for computer in self.computers_of(&fault) {
            self.power_off(computer);
        }
        if let Fault::Service(computer, service) = fault {
            self.crash_service(computer, service);
        }
    }

    fn heal(&mut self, fault: &Fault, after: AfterBoot) {
        if !Arc::make_mut(&mut self.faults).active.remove(fault) {
            return;
        }
        self.stirred = true;
        self.log(Event::FaultHealed { fault: self.render_fault(fault) });
        for computer in self.computers_of(fault) {
            if !self.held_down(computer) {
                self.power_on(computer, after);
            }
        }
        if let Fault::Service(computer, service) = *fault {
            self.service_mended(computer, service, after);
        }
    }

    /// Takes a crashed service out of the set of faults, because somebody started it.
    pub(crate) fn clear_service_fault(&mut self, fault: &Fault) {
        if self.faults.active.contains(fault) {
            Arc::make_mut(&mut self.faults).active.remove(fault);
            self.log(Event::FaultHealed { fault: self.render_fault(fault) });
        }
    }

    /// Whether some active fault keeps a computer off.
    fn held_down(&self, computer: ComputerId) -> bool {
        self.faults.active.iter().any(|fault| self.switches_off(fault, computer))
    }

    fn switches_off(&self, fault: &Fault, computer: ComputerId) -> bool {
        match *fault {
            Fault::Computer(id) => id == computer,
            Fault::Site(site) => self.topology.computer(computer).site == site,
            Fault::Pool(pool) => self.plan.pool_computers[pool.index()].contains(&computer),
            Fault::EdgePool(edge) => self.topology.computer(computer).role == ComputerRole::Edge(edge),
            _ => false,
        }
    }

    fn computers_of(&self, fault: &Fault) -> Vec<ComputerId> {
        if matches!(fault, Fault::Computer(_) | Fault::Site(_) | Fault::Pool(_) | Fault::EdgePool(_)) {
            self.topology.computer_ids().filter(|id| self.switches_off(fault, *id)).collect()
        } else {
            Vec::new()
        }
    }

    /// A fault in words, for logs: `pool pool1.contoso.com`.
    pub fn render_fault(&self, fault: &Fault) -> String {
        let t = &self.topology;
        let computer = |id: ComputerId| t.computer(id).fqdn.as_str();
        match fault {
            Fault::Computer(id) => format!("computer {}", computer(*id)),
            Fault::Pool(id) => format!("pool {}", t.pool(*id).fqdn),
            Fault::EdgePool(id) => format!("edge pool {}", t.edge_pool(*id).fqdn),
            Fault::Site(id) => format!("site {}", t.site(*id).name),
            Fault::SqlInstance(id) => {
                let sql = t.sql(*id);
                format!("sql {}\\{}", computer(sql.computer), sql.instance)
            }
            Fault::FileStore(id) => {
                let store = &t.file_stores[id.index()];
                format!("file store \\\\{}\\{}", computer(store.computer), store.share)
            }
            Fault::Service(id, service) => format!("service {} on {}", service.short_name(), computer(*id)),
            Fault::Link(a, b) => format!("link {} - {}", t.site(*a).name, t.site(*b).name),
            Fault::Port { from, to, port } => format!("port {port} from {} to {}", self.render_place(*from), self.render_place(*to)),
            Fault::ReplicaAgent(id) => format!("replica agent on {}", computer(*id)),
            Fault::BackupService(id) => format!("backup service of {}", t.pool(*id).fqdn),
            Fault::DnsServer => "external dns servers".into(),
            Fault::NameServer(id, fault) => self.render_name_server_fault(*id, *fault),
            Fault::Certificate(id) => format!("certificate of {}", computer(*id)),
            Fault::ActiveDirectory => "active directory".into(),
        }
    }

    fn render_place(&self, place: Place) -> String {
        let t = &self.topology;
        match place {
            Place::Internet => "the internet".into(),
            Place::Site(id) => format!("site {}", t.site(id).name),
            Place::Pool(id) => t.pool(id).fqdn.clone(),
            Place::EdgePool(id) => t.edge_pool(id).fqdn.clone(),
            Place::Computer(id) => t.computer(id).fqdn.clone(),
            Place::Anywhere => "anywhere".into(),
        }
    }
}
