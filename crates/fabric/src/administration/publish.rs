//! `Publish-CsTopology`, `Enable-CsTopology` and local setup (dossier H).

use std::mem::discriminant;

use firedrill_topology::{ComputerId, ComputerRole, Edition, PoolId, Topology};

use super::processes::Voice;
use super::state::{CmsDatabase, Installed};
use super::{CmsDatabaseState, SQL_PORT};
use crate::config::Configuration;
use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::messages::Message;
use crate::operation::{Caller, DatabaseGroup, OperationError};
use crate::time::SimDuration;

/// Writing a topology to the store (inferred).
pub const PUBLISH_TIME: SimDuration = SimDuration::from_secs(20);
/// Activating it: objects and permissions in Active Directory (inferred).
pub const ENABLE_TIME: SimDuration = SimDuration::from_secs(40);
/// "Setup or Remove Components" on one computer (inferred).
pub const SETUP_TIME: SimDuration = SimDuration::from_mins(3);

impl Fabric {
    /// Whether a computer needs "Setup or Remove Components": its installed components differ from its replica's document.
    pub fn setup_pending(&self, computer: ComputerId) -> bool {
        Installed::wanted(&self.topology, &self.local_store(computer), computer) != self.installed(computer)
    }

    /// Whether a computer has components in the published topology that only `Publish-CsTopology` has seen: setup
    /// cannot install them before `Enable-CsTopology` ran (dossier H).
    pub fn activation_pending(&self, computer: ComputerId) -> bool {
        self.admin.unactivated.contains(&computer)
    }

    /// A draft is written only on top of the version it was made from, and pairs pools both ways (dossier A.1, H).
    pub(super) fn check_publish(&self, caller: Caller, draft: &Configuration, enable: bool) -> Result<PoolId, OperationError> {
        let pool = self.writable_store(caller.computer)?;
        let published = self.admin.cms.databases[&pool].document.version;
        if draft.version != published || !draft.fits(&self.topology) {
            let target = &self.topology.pool(pool).fqdn;
            return Err(Message::PublishConflict.error(&[&draft.version.to_string(), &published.to_string()], target));
        }
        self.check_pairing(&self.admin.cms.databases[&pool].document, draft)?;
        if enable {
            self.check_directory()?;
        }
        Ok(pool)
    }

    pub(super) fn publish(&mut self, voice: &mut Voice<'_>, draft: &Configuration, enable: bool) -> Result<(), OperationError> {
        let store = self.check_publish(voice.caller, draft, enable)?;
        self.lean(Behaviour::PublishDuration);
        self.lean(Behaviour::PublishVersionCheck);
        let before = self.admin.cms.databases[&store].document.clone();
        let mut document = draft.clone();
        self.follow_pairing(voice, &before, &mut document, enable);
        document.version = before.version + 1;
        self.warn_unsupported_pairs(voice, &before, &document);
        if document.edges.iter().filter(|edge| edge.federation).count() > 1 {
            self.lean(Behaviour::FederatedEdgeWarning);
            voice.warning(self, Message::SeveralFederatedEdges, &[]);
        }
        let needs = |computer: &ComputerId| Installed::wanted(&self.topology, &document, *computer) != self.installed(*computer);
        let needed: Vec<ComputerId> = self.topology.computer_ids().filter(needs).collect();
        self.commit(store, document);
        self.follow_pool_states(&before);
        if enable {
            self.activate();
            self.announce_setup(voice, needed);
        } else {
            // The to-do list is Topology Builder's; the cmdlet writes to the store and prints none (dossier H).
            self.await_activation();
            voice.report.setup_needed = needed;
        }
        self.warn_scp_mismatch(voice);
        Ok(())
    }

    /// Each pool is the other's backup (dossier A.1). A pair that was one-sided before is not this draft's doing.
    fn check_pairing(&self, before: &Configuration, draft: &Configuration) -> Result<(), OperationError> {
        let one_sided = |document: &Configuration, pool: PoolId| {
            document.pools[pool.index()].backup.filter(|backup| *backup == pool || document.pools[backup.index()].backup != Some(pool))
        };
        for pool in self.topology.pool_ids() {
            let Some(backup) = one_sided(draft, pool) else { continue };
            if one_sided(before, pool) != Some(backup) {
                let (pool, backup) = (&self.topology.pool(pool).fqdn, &self.topology.pool(backup).fqdn);
                return Err(Message::PairingOneSided.error(&[pool, backup], pool));
            }
        }
        Ok(())
    }

    /// Support statements about a new pair: publishing is not refused (dossier A.1).
    fn warn_unsupported_pairs(&mut self, voice: &mut Voice<'_>, before: &Configuration, document: &Configuration) {
        let topology = self.topology.clone();
        for pool in topology.pool_ids() {
            let Some(partner) = document.pools[pool.index()].backup.filter(|partner| pool < *partner) else { continue };
            if before.pools[pool.index()].backup == Some(partner) {
                continue;
            }
            for difference in unlike(&topology, pool, partner) {
                self.lean(Behaviour::PairingSupport);
                let names = [topology.pool(pool).fqdn.as_str(), topology.pool(partner).fqdn.as_str(), difference];
                voice.warning(self, Message::UnsupportedPair, &names);
            }
        }
    }

    /// Objects, service accounts and permissions of everything published are in Active Directory now.
    fn activate(&mut self) {
        for computer in std::mem::take(&mut self.admin_mut().unactivated) {
            self.log_setup(computer, "components activated");
        }
    }

    /// What the store newly asks of computers in the domain has to wait for `Enable-CsTopology`. Edge Servers stand in no
    /// domain: their setup reads their replica alone.
    pub(super) fn await_activation(&mut self) {
        let Some((_, database)) = self.active_database() else { return };
        let document = database.document.clone();
        let gains = |computer: &ComputerId| {
            matches!(self.topology.computer(*computer).role, ComputerRole::FrontEnd(_))
                && !self.admin.unactivated.contains(computer)
                && Installed::wanted(&self.topology, &document, *computer).adds_to(self.installed(*computer))
        };
        let waiting: Vec<ComputerId> = self.topology.computer_ids().filter(gains).collect();
        for computer in waiting {
            self.lean(Behaviour::SetupNeedsActivation);
            self.admin_mut().unactivated.insert(computer);
            self.log_setup(computer, "components wait for Enable-CsTopology");
        }
    }

    fn log_setup(&mut self, computer: ComputerId, state: &str) {
        let subject = self.topology.computer(computer).fqdn.clone();
        self.log(Event::StateChanged { kind: "setup".into(), subject, state: state.into() });
    }

    /// Pairing the CMS pool anew gives its partner the standby role (dossier A.3). Topology Builder creates the database
    /// too; `Publish-CsTopology` writes to the store only (dossier H), and Standard Edition partners get theirs by hand.
    fn follow_pairing(&mut self, voice: &mut Voice<'_>, before: &Configuration, document: &mut Configuration, create: bool) {
        let active = document.cms_active;
        let (old, new) = (before.pools[active.index()].backup, document.pools[active.index()].backup);
        if old == new {
            return;
        }
        document.cms_standby = new;
        if new.is_some() {
            self.lean(Behaviour::StandbyDatabase);
        }
        let Some(partner) = new.filter(|partner| create && self.topology.pool(*partner).edition == Edition::Enterprise) else { return };
        if self.admin.cms.databases.contains_key(&partner) {
            return;
        }
        let (now, topology) = (self.now, self.topology.clone());
        let from = voice.caller.computer;
        let server = self.principal(partner, DatabaseGroup::CentralMgmt).map(|instance| topology.sql(instance).computer);
        if !server.is_some_and(|server| self.reaches(from, server, SQL_PORT)) {
            voice.warning(self, Message::StandbyNotCreated, &[&topology.pool(partner).fqdn]);
            return;
        }
        let standby = CmsDatabase { state: CmsDatabaseState::Backup, ..CmsDatabase::empty(&topology, now) };
        self.admin_mut().cms.databases.insert(partner, standby);
    }

    pub(super) fn enable_topology(&mut self, voice: &mut Voice<'_>) -> Result<(), OperationError> {
        self.writable_store(voice.caller.computer)?;
        self.lean(Behaviour::PublishDuration);
        self.lean(Behaviour::EnableActivates);
        self.activate();
        self.warn_scp_mismatch(voice);
        Ok(())
    }

    /// Setup needs a role, and on a computer of the domain Active Directory with the objects of what it is to install.
    pub(super) fn check_setup(&self, computer: ComputerId) -> Result<(), OperationError> {
        self.check_shell(computer)?;
        let fqdn = &self.topology.computer(computer).fqdn;
        if self.admin.replicas[computer.index()].is_none() {
            return Err(Message::SetupNeedsReplica.error(&[fqdn], fqdn));
        }
        let wanted = Installed::wanted(&self.topology, &self.local_store(computer), computer);
        let in_domain = matches!(self.topology.computer(computer).role, ComputerRole::FrontEnd(_));
        if in_domain && wanted.adds_to(self.installed(computer)) {
            self.check_directory()?;
            if self.activation_pending(computer) {
                return Err(Message::SetupNotActivated.error(&[fqdn], fqdn));
            }
        }
        Ok(())
    }

    /// Installs and removes what the local replica says; new services stay stopped until they are started (dossier A.2).
    pub(super) fn run_setup(&mut self, voice: &mut Voice<'_>, computer: ComputerId) {
        self.lean(Behaviour::SetupAppliesReplica);
        self.lean(Behaviour::SetupDuration);
        let fqdn = self.topology.computer(computer).fqdn.clone();
        voice.verbose(self, Message::VerboseSetup, &[&fqdn]);
        let wanted = Installed::wanted(&self.topology, &self.local_store(computer), computer);
        if wanted != self.installed(computer) {
            self.admin_mut().installed[computer.index()] = wanted;
            self.refresh_components(computer);
            self.log(Event::StateChanged { kind: "setup".into(), subject: fqdn, state: "components changed".into() });
        }
    }
}

/// In what two pools differ that should pair with their like only (dossier A.1).
fn unlike(topology: &Topology, one: PoolId, other: PoolId) -> impl Iterator<Item = &'static str> {
    let (one, other) = (topology.pool(one), topology.pool(other));
    // Different editions have different back ends anyway.
    let back_ends = one.edition == other.edition && discriminant(&one.back_end) != discriminant(&other.back_end);
    [
        (one.edition != other.edition, "they are of different editions"),
        (one.virtualised != other.virtualised, "one runs on physical and the other on virtual servers"),
        (back_ends, "their back ends use different technologies of high availability"),
        (one.version != other.version, "they run different versions of the product"),
    ]
    .into_iter()
    .filter_map(|(differ, what)| differ.then_some(what))
}
