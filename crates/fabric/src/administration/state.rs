//! What administration has to remember: databases, replicas, backup tracks, transfers, installed components, processes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use firedrill_topology::{ComputerId, ComputerRole, PoolId, ProductVersion, SqlId, Topology};

use super::processes::Running;
use super::store::CmsAgents;
use crate::administration::CmsDatabaseState;
use crate::config::{Configuration, PoolState};
use crate::operation::{BackupModule, OperationReport, ProcessId};
use crate::time::SimTime;

/// Everything that administration keeps between events. One value per fabric, shared until it changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdminState {
    /// Operations under way.
    pub(crate) processes: BTreeMap<ProcessId, Running>,
    /// Number of the next process.
    pub(crate) next_process: u64,
    /// Reports that nobody has taken yet.
    pub(crate) reports: BTreeMap<ProcessId, OperationReport>,
    /// Central Management Store.
    pub(crate) cms: CmsState,
    /// Replicas by computer; `None` where no replica agent runs (SQL and file servers).
    pub(crate) replicas: Vec<Option<Replica>>,
    /// By Front End pool.
    pub(crate) pools: Vec<PoolAdmin>,
    /// What the deployment wizard last installed, by computer.
    pub(crate) installed: Vec<Installed>,
    /// Computers with new components in the published topology that `Enable-CsTopology` has not brought into Active
    /// Directory yet (dossier H).
    pub(crate) unactivated: BTreeSet<ComputerId>,
}

/// Whose hands a pool's users are in, as an administrator's failover or failback left it (dossier 0.3, B.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Transfer {
    /// The home pool serves its users.
    None,
    /// Failover under way, or stuck: resiliency on the backup pool.
    FailingOver,
    /// The backup pool serves them in full.
    FailedOver,
    /// Failback under way, or stuck: resiliency on the home pool.
    FailingBack,
}

/// Components and bits that "Setup or Remove Components" applied on a computer (dossier H).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Installed {
    /// Edge: "Enable federation for this Edge pool (Port 5061)".
    pub(crate) federation: bool,
    /// Edge: XMPP proxy.
    pub(crate) xmpp: bool,
    /// Front End: XMPP translating gateway.
    pub(crate) xmpp_gateway: bool,
    /// Front End: Backup Service (paired pools).
    pub(crate) backup_service: bool,
    /// Front End: master replicator and file transfer agents (pools with a CMS database).
    pub(crate) cms_services: bool,
}

/// Names the content of a document: every change of content anywhere draws a new one, copies keep it.
pub(crate) type Stamp = u64;

/// The Central Management Store and its pointer in Active Directory (dossier D.1).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CmsState {
    /// Service connection point.
    pub(crate) scp: Arc<StoreLocation>,
    /// Databases by the pool whose back end holds them.
    pub(crate) databases: BTreeMap<PoolId, CmsDatabase>,
    /// Highest stamp drawn.
    pub(crate) stamps: Stamp,
    /// The master agent's newest snapshot.
    pub(crate) snapshot: Snapshot,
    /// The agents for which it was last looked at which replicas report.
    pub(crate) reported_to: Option<CmsAgents>,
    /// When the Backup Service next copies the active database to the standby one; `None` while nothing is to be copied
    /// or the path is broken.
    pub(crate) ship_due: Option<SimTime>,
    /// Exported configurations by number; the files of the virtual file system name them.
    pub(crate) archive: Arc<Vec<Archived>>,
}

/// `msRTCSIP-BackEndServer` (dossier D.1): where computers look for the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreLocation {
    /// SQL Server FQDN.
    pub(crate) server: String,
    /// Instance; empty for the default one.
    pub(crate) instance: String,
    /// The pool whose back end that is, when it is one of the topology's.
    pub(crate) pool: Option<PoolId>,
}

/// One exported configuration (`Export-CsConfiguration`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Archived {
    /// What was exported.
    pub(crate) document: Arc<Configuration>,
    /// When.
    pub(crate) at: SimTime,
}

/// One CMS database (xds and lis).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CmsDatabase {
    /// `CurrentState`.
    pub(crate) state: CmsDatabaseState,
    /// Set read-only by a failover or move that has begun (dossier D.5, D.6).
    pub(crate) read_only: bool,
    /// Its document.
    pub(crate) document: Arc<Configuration>,
    /// Names the document's content.
    pub(crate) stamp: Stamp,
    /// When the content last changed by the Backup Service or a write.
    pub(crate) changed: SimTime,
}

/// What the master agent exported last, and when the next export is ready.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Snapshot {
    /// Content.
    pub(crate) document: Arc<Configuration>,
    /// Names it.
    pub(crate) stamp: Stamp,
    /// When the export of the store's present content is done; `None` while nothing is to be exported or the agent cannot.
    pub(crate) due: Option<SimTime>,
    /// A full copy was asked for.
    pub(crate) forced: bool,
}

/// The local copy of one computer, and how far its next update has come (dossier D.2).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Replica {
    /// Content of the local store.
    pub(crate) document: Arc<Configuration>,
    /// Names it.
    pub(crate) stamp: Stamp,
    /// Content that the master has this replica's confirmation of.
    pub(crate) confirmed: Stamp,
    /// When the last status report came back.
    pub(crate) last_status_report: Option<SimTime>,
    /// Since when reports have been coming at intervals without an update; `None` while they cannot.
    pub(crate) reporting_since: Option<SimTime>,
    /// When the newest update for it was created.
    pub(crate) last_update_creation: Option<SimTime>,
    /// Where the next update is.
    pub(crate) leg: Leg,
}

/// Where an update of a replica is. `due` is `None` while the leg cannot be done (link, port, service).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Leg {
    /// Nothing under way.
    Idle,
    /// The file transfer agent copies the snapshot.
    Push {
        /// When it has arrived.
        due: Option<SimTime>,
    },
    /// The replica agent imports.
    Import {
        /// When it is in the local store.
        due: Option<SimTime>,
        /// What was pushed.
        document: Arc<Configuration>,
        /// Names it.
        stamp: Stamp,
    },
    /// The file transfer agent fetches the status.
    Return {
        /// When the master has it.
        due: Option<SimTime>,
    },
}

/// Administration's view of a Front End pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PoolAdmin {
    /// In whose hands its users are.
    pub(crate) transfer: Transfer,
    /// When the backup pool took over in full.
    pub(crate) taken_over: Option<SimTime>,
    /// Set read-only by a planned failover.
    pub(crate) read_only: bool,
    /// Since when nothing has been written on the pool: it is out of service, read-only, failed over, or has no users.
    pub(crate) quiet_since: Option<SimTime>,
    /// Whom the exports go to; kept while a pool stands alone, because what was shipped stays where it is.
    pub(crate) pair: Option<Pair>,
    /// Exports towards the backup pool, one per module in the product's order.
    pub(crate) exports: [Export; 5],
    /// Conference content written here for the partner's users that only a manual sync brings back (dossier A.5).
    pub(crate) content_owed: bool,
}

/// The partner that a pool ships to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The backup pool.
    pub(crate) partner: PoolId,
    /// Whether enough Front Ends of this pool have run together since the pair was made (dossier A.1).
    pub(crate) ready: bool,
}

/// One backup module towards the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Export {
    /// Since when the path has been whole; cycles count from here.
    pub(crate) healthy_since: Option<SimTime>,
    /// Everything written up to here had been shipped when the present cycle count began; `None` before the first cycle.
    pub(crate) shipped: Option<SimTime>,
    /// A sync asked for by hand completes then.
    pub(crate) sync_due: Option<SimTime>,
}

/// Modules in the product's order; the position is the index into [`PoolAdmin::exports`].
pub(crate) const MODULES: [BackupModule; 5] =
    [BackupModule::PresenceFocus, BackupModule::DataConf, BackupModule::CmsMaster, BackupModule::RgsDataStore, BackupModule::RgsFileStore];

impl AdminState {
    /// A healthy start: replicas up to date, backups steady, everything installed that the document asks for.
    pub(crate) fn new(topology: &Topology, start: SimTime) -> Self {
        let document = Arc::new(Configuration::initial(topology));
        let stamp = 1;
        let database = |state| CmsDatabase { state, read_only: false, document: document.clone(), stamp, changed: start };
        let mut databases = BTreeMap::from([(topology.cms.active, database(CmsDatabaseState::Active))]);
        if let Some(standby) = topology.cms.standby {
            databases.insert(standby, database(CmsDatabaseState::Backup));
        }
        let replica = || Replica {
            document: document.clone(),
            stamp,
            confirmed: stamp,
            last_status_report: Some(start),
            reporting_since: Some(start),
            last_update_creation: Some(start),
            leg: Leg::Idle,
        };
        let server = |role| matches!(role, ComputerRole::FrontEnd(_) | ComputerRole::Edge(_));
        let steady = Export { healthy_since: Some(start), shipped: Some(start), sync_due: None };
        // Response Groups are replicated only once that is switched on, which it is not at the start (dossier A.5).
        let exports = |paired: bool| {
            MODULES.map(|module| match module {
                BackupModule::RgsDataStore | BackupModule::RgsFileStore => Export::NEVER,
                _ if paired => steady,
                _ => Export::NEVER,
            })
        };
        Self {
            processes: BTreeMap::new(),
            next_process: 1,
            reports: BTreeMap::new(),
            cms: CmsState {
                scp: Arc::new(StoreLocation::of_pool(topology, topology.cms.active)),
                databases,
                stamps: stamp,
                snapshot: Snapshot { document: document.clone(), stamp, due: None, forced: false },
                reported_to: None,
                ship_due: None,
                archive: Arc::default(),
            },
            replicas: topology.computers.iter().map(|computer| server(computer.role).then(replica)).collect(),
            pools: topology
                .pools
                .iter()
                .map(|pool| PoolAdmin {
                    transfer: Transfer::None,
                    taken_over: None,
                    read_only: false,
                    quiet_since: None,
                    pair: pool.backup.map(|partner| Pair { partner, ready: true }),
                    exports: exports(pool.backup.is_some()),
                    content_owed: false,
                })
                .collect(),
            installed: topology.computer_ids().map(|computer| Installed::wanted(topology, &document, computer)).collect(),
            unactivated: BTreeSet::new(),
        }
    }
}

impl StoreLocation {
    /// The location of a pool's own back end: its primary (or only) instance, or the availability group's listener.
    pub(crate) fn of_pool(topology: &Topology, pool: PoolId) -> Self {
        let back_end = &topology.pool(pool).back_end;
        let instance: Option<SqlId> = back_end.data_instances().first().copied();
        let name = instance.map(|id| topology.sql(id).instance.clone()).unwrap_or_default();
        let server = match back_end {
            firedrill_topology::BackEnd::AlwaysOn { listener, .. } => listener.clone(),
            _ => instance.map(|id| topology.computer(topology.sql(id).computer).fqdn.clone()).unwrap_or_default(),
        };
        Self { server, instance: name, pool: Some(pool) }
    }

    /// `host\\instance`, or the host alone for the default instance.
    pub(crate) fn display(&self) -> String {
        if self.instance.is_empty() { self.server.clone() } else { format!("{}\\{}", self.server, self.instance) }
    }
}

impl CmsDatabase {
    /// A database as it was just created: without content, and with a name that no content has.
    pub(crate) fn empty(topology: &Topology, now: SimTime) -> Self {
        let document = Arc::new(Configuration { version: 0, ..Configuration::initial(topology) });
        Self { state: CmsDatabaseState::Empty, read_only: false, document, stamp: 0, changed: now }
    }

    /// Whether anything was ever written or shipped into it.
    pub(crate) fn has_content(&self) -> bool {
        self.stamp != 0
    }
}

impl Export {
    /// Nothing was ever shipped.
    pub(crate) const NEVER: Self = Self { healthy_since: None, shipped: None, sync_due: None };
}

impl Transfer {
    /// The hands that a `PoolState` names.
    pub(crate) fn of_state(state: PoolState) -> Self {
        match state {
            PoolState::Active => Self::None,
            PoolState::FailingOver => Self::FailingOver,
            PoolState::FailedOver => Self::FailedOver,
            PoolState::FailedBack => Self::FailingBack,
        }
    }

    /// The `PoolState` that goes with it.
    pub(crate) fn pool_state(self) -> PoolState {
        match self {
            Self::None => PoolState::Active,
            Self::FailingOver => PoolState::FailingOver,
            Self::FailedOver => PoolState::FailedOver,
            Self::FailingBack => PoolState::FailedBack,
        }
    }

    /// For the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "in its own hands",
            Self::FailingOver => "failing over",
            Self::FailedOver => "failed over",
            Self::FailingBack => "failing back",
        }
    }
}

impl Installed {
    /// Whether it has a component that another lacks.
    pub(crate) fn adds_to(self, other: Self) -> bool {
        let components = |set: Self| [set.federation, set.xmpp, set.xmpp_gateway, set.backup_service, set.cms_services];
        components(self).into_iter().zip(components(other)).any(|(mine, theirs)| mine && !theirs)
    }

    /// What a document asks "Setup or Remove Components" to install on a computer (dossier H).
    pub(crate) fn wanted(topology: &Topology, document: &Configuration, computer: ComputerId) -> Self {
        match topology.computer(computer).role {
            ComputerRole::FrontEnd(pool) => {
                let settings = topology.pool(pool);
                let modern = !matches!(settings.version, ProductVersion::Lync2010);
                let gateway = !matches!(settings.version, ProductVersion::Sfb2019 | ProductVersion::Lync2010)
                    && (settings.xmpp_gateway
                        || document.edges.iter().any(|edge| edge.xmpp_listening_port.is_some() && edge.next_hop == pool));
                Self {
                    xmpp_gateway: gateway,
                    backup_service: modern && document.pools[pool.index()].backup.is_some(),
                    cms_services: document.cms_active == pool || document.cms_standby == Some(pool),
                    ..Self::default()
                }
            }
            ComputerRole::Edge(edge) => {
                let settings = &document.edges[edge.index()];
                // The 2019 product has no XMPP proxy, whatever a port was set to (dossier G.2).
                let xmpp = settings.xmpp_listening_port.is_some() && topology.edge_pool(edge).version < ProductVersion::Sfb2019;
                Self { federation: settings.federation, xmpp, ..Self::default() }
            }
            ComputerRole::Sql | ComputerRole::FileServer => Self::default(),
        }
    }
}
