//! `Publish-CsTopology`, `Enable-CsTopology` and local setup (dossier H).

use firedrill_topology::{ComputerId, Edition, PoolId};

use super::CmsDatabaseState;
use super::processes::Voice;
use super::state::{CmsDatabase, Installed};
use crate::config::Configuration;
use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::messages::Message;
use crate::operation::{Caller, OperationError};
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

    /// A draft is written only on top of the version it was made from (dossier H).
    pub(super) fn check_publish(&self, caller: Caller, draft: &Configuration, enable: bool) -> Result<PoolId, OperationError> {
        let pool = self.writable_store(caller.computer)?;
        let published = self.admin.cms.databases[&pool].document.version;
        if draft.version != published || !draft.fits(&self.topology) {
            let target = &self.topology.pool(pool).fqdn;
            return Err(Message::PublishConflict.error(&[&draft.version.to_string(), &published.to_string()], target));
        }
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
        self.follow_pairing(&before, &mut document);
        document.version = before.version + 1;
        if document.edges.iter().filter(|edge| edge.federation).count() > 1 {
            self.lean(Behaviour::FederatedEdgeWarning);
            voice.warning(self, Message::SeveralFederatedEdges, &[]);
        }
        let needs = |computer: &ComputerId| Installed::wanted(&self.topology, &document, *computer) != self.installed(*computer);
        let needed: Vec<ComputerId> = self.topology.computer_ids().filter(needs).collect();
        self.commit(store, document);
        self.follow_pool_states(&before);
        self.announce_setup(voice, needed);
        self.warn_scp_mismatch(voice);
        Ok(())
    }

    /// Pairing the CMS pool anew gives its partner a standby database (dossier A.3); Standard Edition partners get theirs
    /// by hand.
    fn follow_pairing(&mut self, before: &Configuration, document: &mut Configuration) {
        let active = document.cms_active;
        let (old, new) = (before.pools[active.index()].backup, document.pools[active.index()].backup);
        if old == new {
            return;
        }
        document.cms_standby = new;
        let now = self.now;
        let topology = self.topology.clone();
        if let Some(partner) = new.filter(|partner| self.topology.pool(*partner).edition == Edition::Enterprise) {
            let databases = &mut self.admin_mut().cms.databases;
            databases
                .entry(partner)
                .or_insert_with(|| CmsDatabase { state: CmsDatabaseState::Backup, ..CmsDatabase::empty(&topology, now) });
        }
    }

    pub(super) fn enable_topology(&mut self, voice: &mut Voice<'_>) -> Result<(), OperationError> {
        self.writable_store(voice.caller.computer)?;
        self.lean(Behaviour::PublishDuration);
        self.warn_scp_mismatch(voice);
        Ok(())
    }

    pub(super) fn check_setup(&self, computer: ComputerId) -> Result<(), OperationError> {
        self.check_shell(computer)?;
        if self.admin.replicas[computer.index()].is_none() {
            let fqdn = &self.topology.computer(computer).fqdn;
            return Err(Message::SetupNeedsReplica.error(&[fqdn], fqdn));
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
