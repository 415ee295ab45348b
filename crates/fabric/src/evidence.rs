//! Fidelity as data: which behaviours the model has, where they come from, and how sure we are.

/// How sure we are that the real product behaves this way; the weaker, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Microsoft documentation.
    Documented,
    /// Blogs, forums, public scripts.
    Field,
    /// Deduced from documented or field facts.
    Inferred,
    /// No source: a choice of this model.
    Invented,
}

/// Declares the behaviours: variant, class, citation, summary.
macro_rules! behaviours {
    ($($variant:ident = $class:ident, $cite:literal, $summary:literal;)*) => {
        /// A modelled behaviour that verdicts can lean on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub enum Behaviour {
            $(#[doc = $summary] $variant,)*
        }

        impl Behaviour {
            /// All behaviours, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Evidence class.
            pub fn evidence(self) -> Evidence {
                match self { $(Self::$variant => Evidence::$class),* }
            }

            /// Where it comes from.
            pub fn citation(self) -> &'static str {
                match self { $(Self::$variant => $cite),* }
            }

            /// What it says.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary),* }
            }
        }
    };
}

// Add a line where a behaviour is modelled, and call `Fabric::lean` where it decides something.
behaviours! {
    HomingUnchanged = Documented, "dossier B.3", "pool failure, failover and failback never change RegistrarPool";
    SignedOutWithoutPool = Documented, "dossier B.3", "users of a pool that is gone cannot sign in until the backup registrar or a failover takes them";
    ResiliencyDuringTransfer = Documented, "dossier B.3", "users are in resiliency mode while a pool failover or failback runs";
    BackupPoolServes = Documented, "dossier B.3", "after a failover the backup pool alone serves the users";
    BackEndThreshold = Documented, "dossier E.5, B.6", "30 minutes without a back end lead to resiliency mode; recovery is automatic";
    SqlAutomaticFailover = Documented, "dossier E.5", "SQL fails over by itself with a witness or in an availability group";
    PoolQuorum = Documented, "dossier B.8", "below the functional number of Front Ends the pool stops";
    RoutingGroupLoss = Documented, "dossier B.9", "a routing group without a primary signs its users out; one without secondaries limits them";
    QuorumLossRecovery = Documented, "dossier B.9", "quorum loss recovery reloads routing groups from the back end";
    InitialPlacement = Inferred, "dossier B.8", "how long the initial placement of users takes at a cold start";
    ReplicaRebuild = Inferred, "dossier B.9", "another Front End builds a missing replica after a while";
    BootTime = Inferred, "dossier G", "how long a computer takes to boot";
    ServiceStart = Inferred, "dossier G.1", "how long services take to start, and which require which";
    ServiceStop = Inferred, "dossier G.1", "how long services take to stop, and which stop with which";
    DnsCaching = Documented, "RFC 1035 3.2.1, RFC 2308 5; dossier F.5", "partners see a DNS change when what they have cached runs out";
    NextNameServer = Inferred, "RFC 1034 5.3.3; resolv.conf(5)", "a resolver asks the name servers in their order, and the next one after five seconds of silence, SERVFAIL or REFUSED";
    DnsServeStale = Documented, "RFC 8767", "a resolver that serves stale data gives an answer that has run out while no name server answers";
    XmppTargets = Documented, "RFC 6120 3.2, RFC 2782", "XMPP partners try SRV targets in order, and the domain's address only without SRV records";
    SipFederationTarget = Documented, "dossier F.5", "SIP federation uses the first SRV record alone, and it must lie inside the domain";
    SignInRedirect = Field, "dossier B.1", "any registrar sends a user to the primary and the backup registrar, and only the one that serves accepts";
    RemoteUserTargets = Documented, "dossier F.5, LYNC:edge-server-disaster-recovery", "remote users try the SRV records of _sip._tls in order until an Access Edge answers";
    OutboundRoute = Inferred, "dossier F.3, F.7", "outbound federation takes the route of the site whose pool serves the user";
    SqlAvailability = Documented, "dossier E.5", "principal and mirror lost, or one of them and the witness, leave no back end";
    EvenPoolWitness = Documented, "dossier B.8", "the primary SQL Server has a vote in the quorum of even-sized pools";
    TwoFrontEnds = Inferred, "dossier B.8, B.9", "a pool of two Front Ends serves its users in full with one of them";
    TwoFrontEndsReturn = Documented, "dossier B.8, I 15", "the two Front Ends of a pool come back together, in the reverse order of going down, or after quorum loss recovery";
    UserPlacement = Inferred, "dossier B.9", "how many routing groups a pool has, where their replicas lie, and which users belong to which";
    CutLinkMovesNobody = Inferred, "dossier B.1, B.2", "a cut link alone moves nobody: clients try the home pool first";
    FailedOverUnaware = Inferred, "dossier B.1, C.2", "a running pool that was failed over behind a cut link keeps its users until the link is back";
    EdgeListens = Documented, "dossier 0.2 rule 10, F.1, F.3, F.7, H", "an Edge listens by its own replica, what setup installed, its services and its ports";
    XmppPortTaken = Inferred, "dossier F.1, F.6", "an XMPP proxy that was given the Access Edge's port 5061 does not listen";
    EdgeNextHop = Documented, "dossier C.3, F.1", "federation stops when the next hop of the Edge does not answer";
    SipActiveEdge = Inferred, "dossier F.3", "of several federated Edge pools the one that a route names is active; without such a route the federated one is";
    CertificateExpiry = Documented, "dossier I 46", "an Edge whose certificate has expired turns everybody away";
    VoiceFailback = Documented, "dossier B.2", "the backup registrar sends users home after the failback detection interval";
    VoiceDetection = Documented, "dossier B.2", "the backup registrar accepts users after the failure detection interval";
    NextHopRefusal = Documented, "dossier C.3", "a pool that is the next hop of an Edge pool cannot be failed over";
    FailoverDuration = Inferred, "dossier A.6, C.4", "how long a pool failover takes";
    FailbackDuration = Inferred, "dossier C.4", "failback takes 60 minutes per 20,000 users, linear, at least three minutes";
    // Administration: pool failover and failback, CMS, replication, Backup Service and the other operations.
    UnpairedRefusal = Documented, "dossier C.3 row 2", "a pool without a backup pool cannot be failed over";
    FailoverNeedsCms = Documented, "dossier C.3 row 3", "pool failover and failback need a CMS that works and is not on the failing pool";
    PreconditionOrder = Inferred, "dossier C.3", "preconditions of a pool failover are checked in the order of the table";
    PoolStateRefusal = Inferred, "dossier C.3 row 5, L", "failover starts from Active, failback from FailedOver; both can be repeated after a failure";
    PlannedNeedsSource = Field, "dossier C.2, C.5", "a planned failover talks to the source pool over port 9001";
    MidRunInterfaceLoss = Field, "dossier C.5", "losing port 9001 in the middle leaves the pool FailingOver";
    BackEndDownNeedsDisasterMode = Documented, "dossier C.1", "a pool whose back end is down fails over in disaster mode only";
    BackupPoolMustServe = Inferred, "dossier C.3 row 7", "the backup pool must be in service with its Backup Service running";
    DataVerification = Inferred, "dossier C.1, C.3 row 8", "data on the backup pool is verified unless -SkipDataVerification is given";
    HydrationSteps = Inferred, "dossier C.4", "the backup pool loads users per routing group, in steps that a fault can interrupt";
    HydrationFailure = Documented, "dossier C.5", "hydration fails after repeated attempts; running the cmdlet again helps";
    FailbackNeedsHomePool = Inferred, "dossier C.4, seed", "failback needs the home pool's services, back end and file store";
    PoolStateMachine = Inferred, "dossier 0.3", "PoolState goes Active, FailingOver, FailedOver, FailedBack, Active and stays where a run breaks off";
    PoolStateRepair = Field, "dossier B.6", "setting PoolState by hand puts a half-failed pool back";
    PlannedDrain = Documented, "dossier C.2", "a planned failover makes the pool read-only and ships everything first";
    DisasterLoss = Documented, "dossier C.2", "disaster mode accepts the loss of what was not shipped";
    RpoWindow = Inferred, "dossier A.6, C.2", "what is lost reaches from the last complete shipping to the crash";
    NotReplicated = Documented, "dossier A.4", "Response Groups and locations are not replicated to the backup pool";
    FailbackSync = Inferred, "dossier C.4", "a failback first syncs what changed meanwhile, for a quarter of its time, and then moves users";
    ContentOwed = Documented, "dossier A.5", "conference content needs a sync of its own after failback";
    ShellLoss = Inferred, "direction, rule 3", "an operation breaks off when the computer that runs it goes down";
    OldMasterStaysActive = Documented, "dossier D.5", "the former CMS database stays active until the Backup Service demotes it";
    CmsMoveExclusive = Documented, "dossier D.5", "the CMS cannot be moved while a move is under way or broken off";
    StoreReadOnlyWhileMoving = Documented, "dossier D.5, D.6", "the source store is read-only while the CMS moves";
    CmsDownTable = Inferred, "dossier D.9", "what needs the CMS fails with the SQL client's errors while it is down";
    DirectoryIndependent = Inferred, "dossier 0.1, D.1", "the CMS is found through Active Directory";
    CmsFailoverRunsOnTarget = Documented, "dossier D.5, D.6", "CMS failover and move run on a computer of the target pool";
    CmsFailoverToDefinedDatabase = Documented, "dossier D.5", "the CMS fails over to the standby database defined in the topology only";
    CmsFailoverNeedsPrincipal = Inferred, "dossier D.5, procedures P3.5", "the named back end must be the principal of the mirror";
    DisasterSetNeedsForce = Documented, "dossier D.5", "-Force is mandatory in the disaster recovery set";
    NormalCmsFailoverDrains = Documented, "dossier D.5", "a normal CMS failover completes replication, sets the source read-only and switches";
    CmsFailoverDuration = Inferred, "dossier A.6", "a CMS failover takes less than its target of five minutes";
    CmsAgentsOnNewPool = Inferred, "dossier D.5, L", "one Front End of the CMS pool is active master, one active file transfer agent";
    UnshippedConfigurationLost = Inferred, "dossier A.3, D.5", "a disaster CMS failover loses configuration that was not shipped";
    MoveCmsRules = Documented, "dossier D.6", "the CMS moves to the pool of the computer that runs the move";
    InstallDatabaseRules = Documented, "dossier D.7", "Install-CsDatabase creates an empty CMS database";
    PublishVersionCheck = Inferred, "dossier H", "a draft based on an older version is not published";
    PublishSetupList = Documented, "dossier H", "pairing, CMS moves, the federation bit and XMPP need local setup";
    FederatedEdgeWarning = Documented, "dossier F.3", "more than one federated Edge pool is published with a warning";
    PublishDuration = Inferred, "dossier H", "how long publishing and enabling a topology takes";
    EnableActivates = Documented, "dossier H, PS:Enable-CsTopology", "Enable-CsTopology brings what was published into Active Directory; Publish-CsTopology alone does not";
    SetupNeedsActivation = Inferred, "dossier H", "setup installs no new component in the domain before its topology was enabled";
    PairingIsMutual = Documented, "dossier A.1", "pools are paired one to one, each the other's backup";
    PairingSupport = Documented, "dossier A.1", "pairs of unlike pools are published, though not supported";
    PairNeedsFrontEnds = Documented, "dossier A.1", "a new pair ships nothing before three Front Ends of each Enterprise pool ran together";
    StandbyDatabase = Documented, "dossier A.3", "without a database in the backup pool the CMS is not shipped";
    SetupAppliesReplica = Documented, "dossier D.8, H", "local setup installs what the local replica says";
    SetupDuration = Inferred, "dossier H", "how long local setup takes";
    ReplicationFlow = Documented, "dossier D.2", "changes reach a computer by snapshot, push, import and status report";
    ReplicationTiming = Field, "dossier D.2", "a replica is up to date again about a minute after a change";
    StatusReports = Inferred, "dossier D.2", "replicas report their status every fifteen minutes when there is no update";
    LocalReplicaTest = Documented, "dossier H, PS:Test-CsReplica", "Test-CsReplica checks services and groups of the local computer";
    BackupCycle = Documented, "dossier A.5", "the Backup Service ships everything changed within its sync interval";
    BackupStates = Field, "dossier A.5", "export and import states per module and direction";
    PoolBackupWaits = Documented, "dossier A.5, PS:Backup-CsPool", "Backup-CsPool calls the Backup Service and waits until it has caught up";
    OnlyActiveCmsExports = Field, "dossier A.5", "CMSMaster is initialised on the active CMS pool only";
    MoveUserRules = Documented, "dossier B.5", "Move-CsUser needs a live source pool unless -Force drops the data";
    DatabaseFailoverRules = Documented, "dossier E.2", "a database failover needs a mirrored pair, and -Force without the principal";
    ServiceControl = Documented, "dossier G.1", "services start and stop with their dependencies";
    ComputerFailoverRules = Documented, "dossier G.3", "computer failover drains, stops and disables; failback enables and starts";
    ComputerDrainDuration = Inferred, "dossier G.3", "how long draining a Front End takes";
    RegistrarResetRules = Documented, "dossier B.9", "what each reset type of a pool's registrar state does";
    RegistrarResetDuration = Inferred, "dossier B.9", "how long loading routing groups from the backup store takes";
    StartPoolRules = Documented, "dossier B.8, B.9", "Start-CsPool starts all Front Ends when enough of them can start";
}

/// The set of behaviours that a run leaned on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct BehaviourSet([u64; 4]);

impl BehaviourSet {
    /// Adds a behaviour.
    pub fn insert(&mut self, behaviour: Behaviour) {
        let index = behaviour as usize;
        self.0[index / 64] |= 1 << (index % 64);
    }

    /// Adds all behaviours of another set.
    pub fn extend(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine |= theirs;
        }
    }

    /// The behaviours in order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = Behaviour> + '_ {
        Behaviour::ALL.iter().copied().filter(|b| self.0[*b as usize / 64] & (1 << (*b as usize % 64)) != 0)
    }

    /// The weakest evidence class in the set; `Documented` when it is empty.
    pub fn weakest(&self) -> Evidence {
        self.iter().map(Behaviour::evidence).max().unwrap_or(Evidence::Documented)
    }
}
