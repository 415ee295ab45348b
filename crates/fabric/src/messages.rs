//! Every string of the product in one table, with how sure we are of each.
//!
//! `documented` and `field` texts stand byte for byte as the source has them. `invented` texts were written once, here,
//! because no source prints the real ones (dossier C.5, L). `{0}`, `{1}` … are replaced by names.

use crate::evidence::{Behaviour, Evidence};
use crate::operation::OperationError;

/// One entry of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Stable id, `NextHopRefusal`.
    pub id: &'static str,
    /// How sure we are of the text.
    pub evidence: Evidence,
    /// Where the text, or for invented texts the rule, comes from.
    pub citation: &'static str,
    /// `System.Management.Automation.ErrorCategory`; empty for texts that are not errors.
    pub category: &'static str,
    /// .NET exception type; empty for texts that are not errors.
    pub exception: &'static str,
    /// First half of the FullyQualifiedErrorId: the product's where it is known, the id where not.
    pub fqid: &'static str,
    /// The rule that speaks through it, when it is an error.
    pub rule: Option<Behaviour>,
    /// Text with places for names.
    pub text: &'static str,
}

macro_rules! messages {
    (
        errors { $($error:ident = $class:ident, $cite:literal, $category:ident, $exception:literal, $fqid:literal, $rule:ident, $text:literal;)* }
        lines { $($line:ident = $line_class:ident, $line_cite:literal, $line_text:literal;)* }
    ) => {
        /// A text of the product.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Message {
            $(#[doc = $text] $error,)*
            $(#[doc = $line_text] $line,)*
        }

        impl Message {
            /// All texts, errors first, in order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$error,)* $(Self::$line,)*];

            /// The entry of the table.
            pub fn entry(self) -> Entry {
                match self {
                    $(Self::$error => Entry {
                        id: stringify!($error),
                        evidence: Evidence::$class,
                        citation: $cite,
                        category: stringify!($category),
                        exception: $exception,
                        fqid: if $fqid.is_empty() { stringify!($error) } else { $fqid },
                        rule: Some(Behaviour::$rule),
                        text: $text,
                    },)*
                    $(Self::$line => Entry {
                        id: stringify!($line),
                        evidence: Evidence::$line_class,
                        citation: $line_cite,
                        category: "",
                        exception: "",
                        fqid: "",
                        rule: None,
                        text: $line_text,
                    },)*
                }
            }
        }
    };
}

messages! {
    errors {
        // Pool failover and failback (dossier C.3, C.5).
        NoBackupPool = Invented, "dossier C.3 row 2", InvalidOperation, "System.InvalidOperationException", "", UnpairedRefusal,
            "Pool \"{0}\" does not have an associated backup pool. Failover and failback are available for paired pools only.";
        FailoverCmsUnavailable = Invented, "dossier C.3 row 3", ResourceUnavailable, "System.InvalidOperationException", "", FailoverNeedsCms,
            "The Central Management Store is not available. Fail over the Central Management Server before you fail over or fail back pool \"{0}\". {1}";
        FailoverCmsOnPool = Invented, "dossier C.3 row 3", InvalidOperation, "System.InvalidOperationException", "", FailoverNeedsCms,
            "Pool \"{0}\" hosts the active Central Management Server. Fail over the Central Management Server to its backup pool before you fail over this pool.";
        FailoverCmsIncomplete = Invented, "dossier C.3 row 3", InvalidOperation, "System.InvalidOperationException", "", FailoverNeedsCms,
            "The Central Management Server isn't fully failed over: no active Master Replicator Agent or File Transfer Agent was found on pool \"{1}\". Complete the failover of the Central Management Server, then run this cmdlet for pool \"{0}\" again.";
        NextHopRefusal = Documented, "dossier C.3 row 4", InvalidOperation, "System.InvalidOperationException", "", NextHopRefusal,
            "This Front-end pool \"{0}\" is specified in topology as the next hop for the Edge server. Failing over this pool may cause External access/Federation/Split-domain/XMPP features to stop working. Please use Topology Builder to change the Edge internal next hop setting to point to a different Front-end pool,  before you proceed.";
        FailoverWrongState = Invented, "dossier C.3 row 5", InvalidOperation, "System.InvalidOperationException", "", PoolStateRefusal,
            "Pool \"{0}\" cannot be failed over because its PoolState is {1}.";
        FailbackWrongState = Invented, "dossier C.3 row 5, L", InvalidOperation, "System.InvalidOperationException", "", PoolStateRefusal,
            "Pool \"{0}\" cannot be failed back because its PoolState is {1}. Only a pool that has been failed over can be failed back.";
        TransferInProgress = Invented, "dossier C.3 row 5", ResourceBusy, "System.InvalidOperationException", "", PoolStateRefusal,
            "Another failover or failback of pool \"{0}\" is in progress.";
        DcomError = Field, "dossier C.5 (the text after `configured` is not captured)", ConnectionError, "System.InvalidOperationException", "ProcessRecord", PlannedNeedsSource,
            "Unable to connect to the servers in pool \"{0}\" due to a Distributed Component Object Model (DCOM) error. Verify that Front End service is running on servers in this pool. If the pool is set up for load balancing, verify that load balancer is configured correctly.";
        CompatibleInterface = Field, "dossier C.5", InvalidResult, "System.InvalidOperationException", "ProcessRecord", MidRunInterfaceLoss,
            "Could not find a compatible interface with the server.";
        SourceBackEndDown = Invented, "dossier C.1 -DisasterMode", ResourceUnavailable, "System.InvalidOperationException", "", BackEndDownNeedsDisasterMode,
            "The back-end databases of pool \"{0}\" cannot be reached. Use the DisasterMode parameter to fail over this pool.";
        BackupPoolUnavailable = Invented, "dossier C.3 row 7", ResourceUnavailable, "System.InvalidOperationException", "", BackupPoolMustServe,
            "Backup pool \"{0}\" is not in service. Verify that the services on its Front End Servers are running and that its databases can be reached.";
        BackupServiceUnavailable = Invented, "dossier C.3 row 7", ResourceUnavailable, "System.InvalidOperationException", "", BackupPoolMustServe,
            "The Backup Service is not running on any Front End Server of pool \"{0}\".";
        DataVerificationFailed = Invented, "dossier C.3 row 8", InvalidData, "System.InvalidOperationException", "", DataVerification,
            "The data of pool \"{0}\" could not be verified on pool \"{1}\". Use the SkipDataVerification parameter to continue without verification; data that has not been replicated will be lost.";
        HydrationFailed = Documented, "dossier C.5", OperationStopped, "System.InvalidOperationException", "ProcessRecord", HydrationFailure,
            "Failed to complete hydration process after repeated attempts.";
        HomePoolNotInService = Invented, "dossier C.4", ResourceUnavailable, "System.InvalidOperationException", "", FailbackNeedsHomePool,
            "Pool \"{0}\" is not in service. Verify that the services on its Front End Servers are running before you fail back.";
        HomePoolBackEndDown = Invented, "dossier C.4", ResourceUnavailable, "System.InvalidOperationException", "", FailbackNeedsHomePool,
            "The back-end databases of pool \"{0}\" cannot be reached.";
        HomePoolFileStoreDown = Invented, "dossier C.4", ResourceUnavailable, "System.InvalidOperationException", "", FailbackNeedsHomePool,
            "The file store of pool \"{0}\" cannot be reached.";
        PoolStateNotWritten = Invented, "dossier C.3 row 3, 0.3", WriteError, "System.InvalidOperationException", "", FailoverNeedsCms,
            "The state of pool \"{0}\" could not be written to the Central Management Store. {1}";
        ComputerUnavailable = Invented, "direction: a step has a current computer", ResourceUnavailable, "System.InvalidOperationException", "", ShellLoss,
            "The computer \"{0}\" is not available: no shell runs on it.";
        ShellLost = Invented, "direction: operations are processes", ConnectionError, "System.Management.Automation.Remoting.PSRemotingTransportException", "", ShellLoss,
            "The computer \"{0}\" on which the cmdlet was running is no longer available.";

        // Central Management Store (dossier D).
        NotInBackupMode = Documented, "dossier D.5", InvalidOperation, "System.InvalidOperationException", "", OldMasterStaysActive,
            "Cannot fail over the Central Management Server. The new Central Management Store located at \"{0}\" is not in Backup mode.";
        CmsFailoverInProgress = Documented, "dossier D.5", InvalidOperation, "System.InvalidOperationException", "", CmsMoveExclusive,
            "Central Management Server cannot be moved to pool {0} because either a previous failover attempt failover or there is already a failover in progress. If the central management server was recently moved to another pool this condition might be caused by a delay in Active Directory Replication";
        StoreBeingMoved = Documented, "dossier D.5", InvalidOperation, "System.InvalidOperationException", "", StoreReadOnlyWhileMoving,
            "###50020:XDSForceReplication: This central management store is being moved to another location. No changes can be made until this move is complete";
        StoreUnreachable = Inferred, "dossier D.9 (SQL client text, error 26)", ConnectionError, "System.Data.SqlClient.SqlException", "", CmsDownTable,
            "A network-related or instance-specific error occurred while establishing a connection to SQL Server. The server was not found or was not accessible. Verify that the instance name is correct and that SQL Server is configured to allow remote connections. (provider: SQL Network Interfaces, error: 26 - Error Locating Server/Instance Specified)";
        StoreDatabaseMissing = Inferred, "dossier D.9 (SQL client text, error 4060)", OpenError, "System.Data.SqlClient.SqlException", "", CmsDownTable,
            "Cannot open database \"xds\" requested by the login. The login failed.";
        DirectoryUnreachable = Inferred, "dossier 0.1, D.1 (directory client text)", ResourceUnavailable, "System.DirectoryServices.ActiveDirectory.ActiveDirectoryServerDownException", "", DirectoryIndependent,
            "Active Directory server \"{0}\" could not be contacted.";
        NoCmsDeployed = Invented, "dossier D.1, D.4", ObjectNotFound, "System.InvalidOperationException", "", CmsDownTable,
            "The Central Management Store location in Active Directory, \"{0}\", is not a database server of this topology.";
        CmsWrongComputer = Invented, "dossier D.5, D.6", InvalidOperation, "System.InvalidOperationException", "", CmsFailoverRunsOnTarget,
            "This cmdlet must be run on a computer in the pool that will host the Central Management Server. Computer \"{0}\" is not in such a pool.";
        CmsAlreadyHere = Invented, "dossier D.5, D.6", InvalidOperation, "System.InvalidOperationException", "", CmsFailoverRunsOnTarget,
            "Pool \"{0}\" already hosts the active Central Management Server.";
        NoStandbyDatabase = Invented, "dossier D.5, A.3", InvalidOperation, "System.InvalidOperationException", "", CmsFailoverToDefinedDatabase,
            "Pool \"{0}\" is not defined in the topology as the pool with the backup Central Management Store.";
        WrongBackupSql = Invented, "dossier D.5", InvalidArgument, "System.ArgumentException", "", CmsFailoverToDefinedDatabase,
            "SQL Server instance \"{0}\" is not defined in the topology as a database of the backup Central Management Store of pool \"{1}\".";
        BackupSqlNotPrincipal = Invented, "dossier D.5, procedures P3.5", InvalidOperation, "System.InvalidOperationException", "", CmsFailoverNeedsPrincipal,
            "The Central Management Store database on SQL Server instance \"{0}\" is not the principal of its mirroring session. Specify the instance that is principal now.";
        BackupSqlUnreachable = Invented, "dossier D.5", ConnectionError, "System.InvalidOperationException", "", CmsFailoverNeedsPrincipal,
            "The backup Central Management Store on SQL Server instance \"{0}\" cannot be reached.";
        ForceRequired = Invented, "dossier D.5", InvalidArgument, "System.Management.Automation.ParameterBindingException", "", DisasterSetNeedsForce,
            "The Force parameter is required to fail over the Central Management Server while the active Central Management Store is not available.";
        CmsReplicationIncomplete = Invented, "dossier D.5", OperationTimeout, "System.TimeoutException", "", NormalCmsFailoverDrains,
            "The Central Management Store of pool \"{0}\" could not be replicated completely to pool \"{1}\". Verify that the Backup Service is running in both pools.";
        CmsSwitchFailed = Invented, "dossier D.5", WriteError, "System.InvalidOperationException", "", StoreReadOnlyWhileMoving,
            "The Central Management Server was not moved to pool \"{0}\": its Central Management Store cannot be reached. Fix the problem and run the cmdlet again, or cancel with the Restore parameter on pool \"{1}\".";
        MoveSourceUnavailable = Invented, "dossier D.6", ResourceUnavailable, "System.InvalidOperationException", "", MoveCmsRules,
            "The active Central Management Store cannot be reached. Use the Force parameter with the files of an exported configuration to move the Central Management Server.";
        MoveNoDatabase = Invented, "dossier D.6", InvalidOperation, "System.InvalidOperationException", "", MoveCmsRules,
            "Pool \"{0}\" has no Central Management Store database. Run Install-CsDatabase -CentralManagementDatabase first.";
        ExportFileMissing = Inferred, "dossier D.6 (.NET text)", ObjectNotFound, "System.IO.FileNotFoundException", "", MoveCmsRules,
            "Could not find file '{0}'.";
        ExportFileInvalid = Invented, "dossier D.6", InvalidData, "System.IO.InvalidDataException", "", MoveCmsRules,
            "The file \"{0}\" does not contain an exported configuration.";
        FrontEndNotRunning = Invented, "dossier D.6", ResourceUnavailable, "System.InvalidOperationException", "", MoveCmsRules,
            "The Front-End service is not running on computer \"{0}\".";
        SqlServerUnknown = Inferred, "dossier D.7 (SQL client text, error 40)", ConnectionError, "System.Data.SqlClient.SqlException", "", InstallDatabaseRules,
            "A network-related or instance-specific error occurred while establishing a connection to SQL Server. The server was not found or was not accessible. Verify that the instance name is correct and that SQL Server is configured to allow remote connections. (provider: Named Pipes Provider, error: 40 - Could not open a connection to SQL Server)";
        SqlServerNotInPool = Invented, "dossier D.7", InvalidArgument, "System.ArgumentException", "", InstallDatabaseRules,
            "SQL Server instance \"{0}\" does not hold the databases of any Front End pool of this topology.";
        DatabaseInUse = Invented, "dossier D.7", ResourceExists, "System.InvalidOperationException", "", InstallDatabaseRules,
            "The database \"xds\" on SQL Server instance \"{0}\" already exists and holds the active Central Management Store. Use the Clean parameter to drop and recreate it.";
        PublishConflict = Invented, "dossier H", InvalidOperation, "System.InvalidOperationException", "", PublishVersionCheck,
            "The topology was changed by somebody else since it was downloaded (version {0} was downloaded, version {1} is published). Download the topology again and repeat the changes.";
        ReplicaUnknown = Invented, "dossier D.2", ObjectNotFound, "System.InvalidOperationException", "", ReplicationFlow,
            "Computer \"{0}\" is not a replica of the Central Management Store.";
        PairingOneSided = Invented, "dossier A.1", InvalidOperation, "System.InvalidOperationException", "", PairingIsMutual,
            "Pool \"{0}\" has \"{1}\" as its backup pool, but is not the backup pool of \"{1}\". Two pools back each other up.";
        SetupNotActivated = Invented, "dossier H", ResourceUnavailable, "System.InvalidOperationException", "", SetupNeedsActivation,
            "The components of computer \"{0}\" cannot be activated: the published topology has not been enabled, and their objects are not in Active Directory. Run Enable-CsTopology, then run setup again.";
        SetupNeedsReplica = Invented, "dossier H", ResourceUnavailable, "System.InvalidOperationException", "", SetupAppliesReplica,
            "Computer \"{0}\" has no role in the topology. There is nothing to set up.";

        // Backup Service (dossier A.5).
        BackupServiceUnreachable = Invented, "dossier A.5", ConnectionError, "System.ServiceModel.EndpointNotFoundException", "", BackupStates,
            "The Backup Service of pool \"{0}\" cannot be reached. Verify that it is running on a Front End Server of the pool.";
        BackupSyncFailed = Invented, "dossier A.5", ConnectionError, "System.InvalidOperationException", "", BackupStates,
            "The Backup Service of pool \"{0}\" cannot ship data to backup pool \"{1}\".";
        PoolBackupIncomplete = Invented, "dossier A.5", OperationTimeout, "System.TimeoutException", "", PoolBackupWaits,
            "The backup of pool \"{0}\" did not complete: the Backup Service has not reached the state that was asked for.";

        // Users (dossier B.5).
        MoveError = Invented, "dossier B.5, L (only the id is known)", InvalidOperation, "Microsoft.Rtc.Management.AD.MoveUserException", "MoveError", MoveUserRules,
            "Cannot move user \"{0}\": pool \"{1}\" cannot be contacted. Use the Force parameter to move the account without its data.";
        MoveTargetUnavailable = Invented, "dossier B.5", InvalidOperation, "Microsoft.Rtc.Management.AD.MoveUserException", "MoveError", MoveUserRules,
            "Cannot move user \"{0}\": target pool \"{1}\" is not in service.";

        // SQL (dossier E.2).
        NotMirrored = Invented, "dossier E.2", InvalidOperation, "System.InvalidOperationException", "", DatabaseFailoverRules,
            "The databases of pool \"{0}\" are not mirrored.";
        PrincipalInaccessible = Invented, "dossier E.2", ResourceUnavailable, "System.InvalidOperationException", "", DatabaseFailoverRules,
            "The current principal \"{0}\" cannot be reached. Use the Force parameter to fail over without it.";
        NewPrincipalInaccessible = Invented, "dossier E.2", ResourceUnavailable, "System.InvalidOperationException", "", DatabaseFailoverRules,
            "SQL Server instance \"{0}\" cannot be reached and cannot become principal.";

        // Services and computers (dossier G).
        ComputerUnreachable = Inferred, "dossier G.1 (RPC text)", ConnectionError, "System.InvalidOperationException", "", ServiceControl,
            "Cannot open Service Control Manager on computer '{0}'. This operation might require other privileges. The RPC server is unavailable";
        ServiceMissing = Inferred, "dossier G.1 (.NET text)", ObjectNotFound, "System.InvalidOperationException", "", ServiceControl,
            "Service {0} was not found on computer '{1}'.";
        ServiceDisabled = Inferred, "dossier G.1, G.3 (Windows error 1058)", InvalidOperation, "System.ComponentModel.Win32Exception", "", ServiceControl,
            "Cannot start service {0} on computer '{1}'. The service cannot be started, either because it is disabled or because it has no enabled devices associated with it";
        ServiceStartTimeout = Inferred, "dossier G.1 (.NET text)", OperationTimeout, "System.ServiceProcess.TimeoutException", "", ServiceControl,
            "Time out has expired and the operation has not been completed. Service {0} on computer '{1}' is {2}.";
        ComputerFailoverVersion = Invented, "dossier G.3", NotImplemented, "System.NotSupportedException", "", ComputerFailoverRules,
            "Failover of single computers is not available in this version of the product.";
        ComputerNotFrontEnd = Invented, "dossier G.3", InvalidArgument, "System.ArgumentException", "", ComputerFailoverRules,
            "Computer \"{0}\" is not a Front End Server of an Enterprise Edition pool.";
        ComputerCapacity = Invented, "dossier G.3", InvalidOperation, "System.InvalidOperationException", "", ComputerFailoverRules,
            "The other Front End Servers of pool \"{1}\" do not have the capacity to take over from computer \"{0}\". Use the Force parameter to fail it over nevertheless.";
        ComputerDrainTimeout = Invented, "dossier G.3", OperationTimeout, "System.TimeoutException", "", ComputerFailoverRules,
            "Computer \"{0}\" could not be failed over within {1}. Nothing has been changed on it.";
        ComputerStartTimeout = Invented, "dossier G.3", OperationTimeout, "System.TimeoutException", "", ComputerFailoverRules,
            "Computer \"{0}\" could not be failed back within {1}. Its services have been left disabled.";

        // Pool registrar (dossier B.9).
        PoolHasNoFrontEnd = Invented, "dossier B.9", ResourceUnavailable, "System.InvalidOperationException", "", RegistrarResetRules,
            "No Front End Server of pool \"{0}\" can be reached.";
        RegistrarResetBackEnd = Invented, "dossier B.9", ResourceUnavailable, "System.InvalidOperationException", "", RegistrarResetRules,
            "The back-end databases of pool \"{0}\" cannot be reached. The registrar state cannot be loaded from the backup store.";
        MachineNotLost = Invented, "dossier B.9", InvalidArgument, "System.ArgumentException", "", RegistrarResetRules,
            "Computer \"{0}\" is not a Front End Server of pool \"{1}\".";
        StartPoolTooFew = Invented, "dossier B.8, B.9", InvalidOperation, "System.InvalidOperationException", "", StartPoolRules,
            "Pool \"{0}\" cannot be started: {1} of its Front End Servers can be started, {2} are needed.";
        StartPoolTimeout = Invented, "dossier B.9", OperationTimeout, "System.TimeoutException", "", StartPoolRules,
            "The Front End services of pool \"{0}\" did not start in time.";
    }
    lines {
        // Warnings.
        ScpMismatch = Documented, "dossier D.5", "The Central Management Store database in Active Directory doesn't match the one in the topology";
        SeveralFederatedEdges = Documented, "dossier F.3",
            "Warning: The topology contains more than one Federated Edge Server. This can occur during migration to a more recent version of the product. In that case, only one Edge Server would be actively used for federation. Verify that the external DNS SRV record points to the correct Edge Server.";
        DisasterModeWarning = Invented, "dossier C.2", "Pool \"{0}\" is failed over in disaster mode. Changes made since {1} may be lost.";
        WaitTimeWarning = Invented, "dossier C.1", "The data of pool \"{0}\" is not completely synchronised after waiting for {1}.";
        FailbackDisasterWarning = Invented, "dossier C.1", "Data that users of pool \"{0}\" created on the backup pool will be lost.";
        ContentOwedWarning = Invented, "dossier A.5, C.4",
            "Conference content created during the failover is still on pool \"{0}\". Run Invoke-CsBackupServiceSync -PoolFqdn {0} -BackupModule ConfServices.DataConf.";
        MoveForceWarning = Invented, "dossier B.5", "User \"{0}\" is moved without contacts and meetings.";
        SetupNeededWarning = Invented, "dossier H, D.6", "Run local setup (Setup or Remove Components) on the following computers: {0}";

        StandbyNotCreated = Invented, "dossier A.3",
            "The backup Central Management Store of pool \"{0}\" could not be created, because its SQL Server cannot be reached. Create it with Install-CsDatabase.";
        UnsupportedPair = Invented, "dossier A.1", "Pools \"{0}\" and \"{1}\" are paired although {2}. This is not supported.";

        // Banner of CMS failover and move (dossier D.6).
        BannerMove = Field, "dossier D.6", "This cmdlet moves Central Management Server to the pool that contains this computer.";
        BannerCurrent = Field, "dossier D.6", "Current State:";
        BannerProposed = Field, "dossier D.6", "Proposed State:";
        BannerPool = Field, "dossier D.6", "Central Management Server Pool: \"{0}\"";
        BannerFileStore = Field, "dossier D.6", "Central Management File Store: \"{0}\"";
        BannerStore = Field, "dossier D.6", "Central Management Store: \"{0}\"";
        BannerScp = Field, "dossier D.6", "Central Management Store SCP: \"{0}\"";

        // Verbose lines of pool failover and failback; the product's are not captured (dossier C.4).
        VerboseChecks = Invented, "dossier C.3", "Verifying the prerequisites for pool \"{0}\".";
        VerboseState = Invented, "dossier 0.3", "Setting PoolState of pool \"{0}\" to {1}.";
        VerboseReadOnly = Invented, "dossier C.2", "Setting pool \"{0}\" to read-only.";
        VerboseDrain = Invented, "dossier C.2", "Waiting for the Backup Service of pool \"{0}\" to reach the final state.";
        VerboseFinal = Invented, "dossier C.2", "The Backup Service of pool \"{0}\" has reached the final state.";
        VerboseSkipSource = Invented, "dossier C.2", "Disaster mode: pool \"{0}\" is not contacted.";
        VerboseHydrate = Invented, "dossier C.4", "Hydrating the routing groups of pool \"{0}\" on pool \"{1}\": {2} of {3}.";
        VerboseHydrateRetry = Invented, "dossier C.4, C.5", "Hydration on pool \"{0}\" was interrupted; attempt {1} of {2}.";
        VerboseSyncBack = Invented, "dossier C.4", "Synchronising data from pool \"{0}\" to pool \"{1}\".";
        VerboseRedirect = Invented, "dossier C.4", "Redirecting the users of pool \"{0}\" to pool \"{1}\".";
        VerboseReturn = Invented, "dossier C.4", "Redirecting the users of pool \"{0}\" from pool \"{1}\" back to their home pool.";
        VerboseDone = Inferred, "dossier H (house style of the deployment cmdlets)", "\"{0}\" processing has completed successfully.";
        VerboseCmsDrain = Invented, "dossier D.5", "Waiting for the Central Management Store to be replicated to pool \"{0}\".";
        VerboseCmsReadOnly = Invented, "dossier D.5", "Setting the Central Management Store of pool \"{0}\" to read-only.";
        VerboseCmsSwitch = Invented, "dossier D.5", "Activating the Central Management Store of pool \"{0}\".";
        VerboseScp = Invented, "dossier D.5", "Updating the Central Management Store service connection point in Active Directory to \"{0}\".";
        VerboseAgents = Invented, "dossier D.5", "Starting the Master Replicator Agent and the File Transfer Agent on pool \"{0}\".";
        VerboseSetup = Invented, "dossier H", "Applying the configuration of the local replica to computer \"{0}\".";
        VerboseService = Invented, "dossier G.1", "Service {0} on computer \"{1}\" is {2}.";
        VerboseDrainComputer = Invented, "dossier G.3", "Moving users and conferences from computer \"{0}\" to other Front End Servers.";
    }
}

impl Message {
    /// The text with its places filled in.
    pub fn text(self, names: &[&str]) -> String {
        let template = self.entry().text;
        let mut text = String::with_capacity(template.len() + names.iter().map(|name| name.len()).sum::<usize>());
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            text.push_str(&rest[..at]);
            let place = rest.as_bytes().get(at + 1).copied().filter(u8::is_ascii_digit);
            match place {
                Some(digit) if rest.as_bytes().get(at + 2) == Some(&b'}') => {
                    text.push_str(names.get(usize::from(digit - b'0')).copied().unwrap_or_default());
                    rest = &rest[at + 3..];
                }
                _ => {
                    text.push('{');
                    rest = &rest[at + 1..];
                }
            }
        }
        text.push_str(rest);
        text
    }

    /// The error with its places filled in, about `target`.
    pub fn error(self, names: &[&str], target: impl Into<String>) -> OperationError {
        let Entry { id, category, exception, evidence, .. } = self.entry();
        OperationError { id, message: self.text(names), category, exception, target: target.into(), evidence }
    }

    /// The message with an id.
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|message| message.entry().id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The refusal that runbooks match, as the documentation prints it: two spaces after `pool,`.
    #[test]
    fn the_next_hop_refusal_is_byte_for_byte_the_documented_one() {
        let expected = concat!(
            "This Front-end pool \"pool1.contoso.com\" is specified in topology as the next hop for the Edge server. ",
            "Failing over this pool may cause External access/Federation/Split-domain/XMPP features to stop working. ",
            "Please use Topology Builder to change the Edge internal next hop setting to point to a different Front-end pool,",
            "  before you proceed."
        );
        assert_eq!(Message::NextHopRefusal.text(&["pool1.contoso.com"]), expected);
    }

    /// A text that asks for more names than the table's places would print nothing there: ids are unique, places run from 0.
    #[test]
    fn ids_are_unique_and_places_are_dense() {
        let mut ids: Vec<_> = Message::ALL.iter().map(|message| message.entry().id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Message::ALL.len());
        for message in Message::ALL {
            let text = message.entry().text;
            let places = (0..10).filter(|n| text.contains(&format!("{{{n}}}"))).count();
            assert!((0..places).all(|n| text.contains(&format!("{{{n}}}"))), "{text}");
            assert_eq!(Message::find(message.entry().id), Some(*message));
        }
    }
}
