//! Expectations as they are written: one key says what is looked at.

use std::collections::BTreeMap;

use firedrill_syntax::{DurationText, Located};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SettingsDocument;

/// Something that has to hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ExpectationDocument {
    /// Home pool of users (`RegistrarPool`).
    Homing(HomingExpectation),
    /// The service that users get: how fully, and from which pool.
    Serving(ServingExpectation),
    /// What a user can do.
    Experience(ExperienceExpectation),
    /// The Central Management Store.
    Cms(CmsExpectation),
    /// Replicas of the Central Management Store.
    Replicas(ReplicasExpectation),
    /// Front End pool to its `PoolState`.
    PoolState(BTreeMap<Located<String>, Located<PoolStateDocument>>),
    /// Status of the Backup Service.
    Backup(BackupExpectation),
    /// Windows services.
    Services(ServicesExpectation),
    /// Settings in the active Central Management Store.
    Settings(SettingsDocument),
    /// Settings in the replica of a computer: what its services act by.
    ReplicaSettings(ReplicaSettingsExpectation),
    /// The Edge pool that carries media for the users of a pool.
    Media(MediaExpectation),
    /// DNS as a partner sees it now, through its cache.
    Dns(DnsExpectation),
    /// Whether a partner reaches us, or we reach the partner.
    Federation(FederationExpectation),
    /// Computer to whether it needs "Setup or Remove Components"; a pool means all its computers.
    SetupPending(BTreeMap<Located<String>, Located<bool>>),
    /// The SQL Server instance that holds a pool's databases.
    Principal(PrincipalExpectation),
    /// Fabric quorum of a pool.
    Quorum(QuorumExpectation),
    /// How long users were without service so far.
    Rto(RtoExpectation),
    /// Which data was lost so far.
    Rpo(RpoExpectation),
    /// With `run`, `topology_builder` and `deployment_wizard`: it ends in an error. All errors are looked at; one of them has to match all of it.
    Fails(ErrorExpectation),
    /// With `run`: what the console shows as output, formatted.
    Output(TextExpectation),
    /// With `run`, `topology_builder` and `deployment_wizard`: the warnings.
    Warnings(TextExpectation),
    /// With `run`, `topology_builder` and `deployment_wizard`: the verbose messages.
    Verbose(TextExpectation),
    /// With `run`, `topology_builder` and `deployment_wizard`: what was written to the host (banners, prompts, `-WhatIf`).
    Host(TextExpectation),
    /// With `run`: remarks about the script, such as a procedure spelling that a real shell refuses.
    Remarks(TextExpectation),
    /// With `run`: the objects in the output.
    Objects(ObjectsExpectation),
    /// How long the step took in virtual time.
    Took(TookExpectation),
}

/// A selection of users.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WhoDocument {
    /// One user, by SIP address.
    User(Located<String>),
    /// A range of users, by the SIP addresses of the first and the last one.
    Users(UserRange),
    /// All users homed on a pool now.
    Pool(Located<String>),
}

/// A range of users in the order of the deployment document.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRange {
    /// The first one.
    pub from: Located<String>,
    /// The last one.
    pub to: Located<String>,
}

/// Home pool.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HomingExpectation {
    /// Whose. `{ pool: … }` asks how many users are homed there (see `count`).
    pub of: Located<WhoDocument>,
    /// The pool.
    #[serde(default)]
    pub pool: Option<Located<String>>,
    /// How many of them; all when left out.
    #[serde(default)]
    pub count: Option<Located<u32>>,
}

/// How fully users are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModeDocument {
    /// Everything works.
    Regular,
    /// Survivable: limited functionality.
    Resiliency,
    /// Cannot sign in.
    SignedOut,
}

/// Service of users.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServingExpectation {
    /// Whose.
    pub of: Located<WhoDocument>,
    /// How fully.
    pub mode: Located<ModeDocument>,
    /// The pool that serves.
    #[serde(default)]
    pub by: Option<Located<String>>,
    /// How many of them, exactly; all when left out.
    #[serde(default)]
    pub count: Option<Located<u32>>,
    /// At least so many of them.
    #[serde(default)]
    pub at_least: Option<Located<u32>>,
    /// At most so many of them.
    #[serde(default)]
    pub at_most: Option<Located<u32>>,
    /// The rule that decides, `voice_resiliency`.
    #[serde(default)]
    pub cause: Option<Located<CauseDocument>>,
}

/// Why users get the service they get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseDocument {
    /// The home pool is well.
    HomePoolHealthy,
    /// The home pool is gone; the backup pool has not noticed yet.
    DetectionInterval,
    /// The home pool is gone and no backup registrar takes over.
    NoBackupRegistrar,
    /// The backup registrar took over.
    VoiceResiliency,
    /// A pool failover is under way.
    FailingOver,
    /// A pool failover has completed.
    FailedOver,
    /// A pool failback is under way.
    FailingBack,
    /// The home pool is back; the failback interval runs.
    FailbackInterval,
    /// The back end has been unreachable for longer than the threshold.
    BackEndUnavailable,
    /// The routing group has no primary.
    RoutingGroupNoPrimary,
    /// The routing group has a primary and no secondaries.
    RoutingGroupNoSecondaries,
    /// The pool lost its quorum and stopped.
    PoolQuorumLost,
    /// Services of the home pool have not started.
    ServicesNotRunning,
    /// The backup pool that should serve is itself not in service.
    BackupPoolUnavailable,
}

/// What a user can do; what is left out is not looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperienceExpectation {
    /// SIP address of the user.
    pub user: Located<String>,
    /// Sign in.
    #[serde(default)]
    pub sign_in: Option<Located<bool>>,
    /// Conferences of the user's own.
    #[serde(default)]
    pub own_conferences: Option<Located<bool>>,
    /// Join conferences of others.
    #[serde(default)]
    pub others_conferences: Option<Located<bool>>,
    /// Contacts and address book.
    #[serde(default)]
    pub contacts: Option<Located<bool>>,
    /// Presence.
    #[serde(default)]
    pub presence: Option<Located<bool>>,
    /// Peer-to-peer sessions.
    #[serde(default)]
    pub peer_to_peer: Option<Located<bool>>,
    /// Changes that last, such as a new contact.
    #[serde(default)]
    pub persistent_changes: Option<Located<bool>>,
}

/// The Central Management Store; what is left out is not looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CmsExpectation {
    /// The active master: a computer, a pool that it belongs to, or `none`.
    #[serde(default)]
    pub master: Option<Located<String>>,
    /// The active file transfer agents: a computer, a pool that all of them belong to, or `none`.
    #[serde(default)]
    pub file_transfer_agents: Option<Located<String>>,
    /// Pool to the state of the database in its back end; `none` when there is none.
    #[serde(default)]
    pub databases: BTreeMap<Located<String>, Located<CmsDatabaseDocument>>,
    /// Where Active Directory says that the store is: `sql1.contoso.com\rtc`.
    #[serde(default)]
    pub store_location: Option<Located<String>>,
}

/// State of a database of the Central Management Store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CmsDatabaseDocument {
    /// Active (`CurrentState` 0).
    Active,
    /// Backup (`CurrentState` 3).
    Backup,
    /// Freshly created.
    Empty,
    /// There is no database.
    None,
}

/// Replicas.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplicasExpectation {
    /// Which: computers, pools, Edge pools or sites; all replicas when left out.
    #[serde(default)]
    pub of: Vec<Located<String>>,
    /// Whether the master has their confirmation of the newest version (`UpToDate`).
    #[serde(default)]
    pub up_to_date: Option<Located<bool>>,
    /// Whether the document they hold is the newest one.
    #[serde(default)]
    pub version: Option<Located<ReplicaVersionDocument>>,
    /// `ProductVersion` they reported, or `none`.
    #[serde(default)]
    pub product_version: Option<Located<String>>,
}

/// The document that a replica holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaVersionDocument {
    /// The same as in the active database.
    Current,
    /// An older one.
    Behind,
}

/// `PoolState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum PoolStateDocument {
    /// Serves its own users.
    Active,
    /// A failover has begun and not ended.
    FailingOver,
    /// The backup pool serves its users in full.
    FailedOver,
    /// A failback has begun and not ended.
    FailedBack,
}

/// The Backup Service of a pool; what is left out is not looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupExpectation {
    /// Whose status, in the direction from this pool to its partner.
    pub pool: Located<String>,
    /// One module, `PresenceFocus` or `UserServices.PresenceFocus`; all that were ever initialised when left out.
    #[serde(default)]
    pub module: Option<Located<String>>,
    /// Export states that are right.
    #[serde(default)]
    pub export: Vec<Located<ExportDocument>>,
    /// Import state.
    #[serde(default)]
    pub import: Option<Located<ImportDocument>>,
    /// Whether the pool has a Backup Service that answers.
    #[serde(default)]
    pub available: Option<Located<bool>>,
}

/// Export states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ExportDocument {
    /// Nothing left to ship.
    FinalState,
    /// Everything changed is shipped within the interval.
    SteadyState,
    /// Behind.
    NonSteadyState,
    /// Never initialised.
    NotInitialized,
    /// Export fails.
    ErrorState,
}

/// Import states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ImportDocument {
    /// Fine.
    NormalState,
    /// Import fails.
    ErrorState,
}

/// Windows services.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServicesExpectation {
    /// Computers; a pool means all its computers.
    pub on: Vec<Located<String>>,
    /// Short names, `RTCSRV`; all that are installed when left out.
    #[serde(default)]
    pub names: Vec<Located<String>>,
    /// Their status.
    pub status: Located<ServiceStatusDocument>,
    /// Whether they are disabled.
    #[serde(default)]
    pub disabled: Option<Located<bool>>,
}

/// Status of a Windows service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ServiceStatusDocument {
    /// Serves.
    Running,
    /// Does not run.
    Stopped,
    /// Waits, for quorum or for time.
    StartPending,
    /// Draining or ending.
    StopPending,
    /// There is no such service on the computer.
    NotInstalled,
}

/// Settings in the replica of a computer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplicaSettingsExpectation {
    /// The computer.
    pub on: Located<String>,
    /// The settings.
    pub settings: SettingsDocument,
}

/// Media of a pool's users.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaExpectation {
    /// The Front End pool.
    pub pool: Located<String>,
    /// The Edge pool, or `none`.
    #[serde(default)]
    pub via: Option<Located<String>>,
    /// Whether it carries media now.
    #[serde(default)]
    pub working: Option<Located<bool>>,
}

/// DNS as a partner sees it. Exactly one of `data` and `answer`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsExpectation {
    /// Domain of the partner whose resolver is asked.
    pub seen_by: Located<String>,
    /// Full owner name.
    pub name: Located<String>,
    /// Type of the records.
    #[serde(rename = "type")]
    pub record_type: super::RecordTypeDocument,
    /// All records, in any order, written as in a zone file.
    #[serde(default)]
    pub data: Vec<Located<String>>,
    /// What is answered instead of records.
    #[serde(default)]
    pub answer: Option<Located<DnsAnswerDocument>>,
    /// Whether the answer comes from the partner's cache.
    #[serde(default)]
    pub cached: Option<Located<bool>>,
}

/// An answer without records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DnsAnswerDocument {
    /// The name does not exist (NXDOMAIN).
    NoName,
    /// The name exists, the type does not.
    NoData,
    /// No server answers.
    NoServer,
}

/// Which federation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProtocolDocument {
    /// XMPP, `_xmpp-server._tcp`, port 5269.
    Xmpp,
    /// SIP, `_sipfederationtls._tcp`, port 5061.
    Sip,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectionDocument {
    /// The partner opens the connection to us.
    #[default]
    Inbound,
    /// A user of ours reaches the partner.
    Outbound,
}

/// Reachability between a partner and us.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FederationExpectation {
    /// Which federation.
    pub protocol: Located<ProtocolDocument>,
    /// Domain of the partner.
    pub partner: Located<String>,
    /// Our domain; the first SIP domain when left out.
    #[serde(default)]
    pub domain: Option<Located<String>>,
    /// Which way.
    #[serde(default)]
    pub direction: DirectionDocument,
    /// Whether it works; true when left out, false when `failure` is given.
    #[serde(default)]
    pub reachable: Option<Located<bool>>,
    /// The Edge pool or Edge Server that answers.
    #[serde(default)]
    pub via: Option<Located<String>>,
    /// Why it does not work.
    #[serde(default)]
    pub failure: Option<Located<FailureDocument>>,
}

/// Why federation does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureDocument {
    /// No DNS server answered.
    DnsUnavailable,
    /// There are no records that lead to us.
    NoRecords,
    /// The SRV target is `.`: decidedly no service.
    ServiceDeclined,
    /// The SRV target lies outside the SIP domain.
    StrictMatch,
    /// No target accepted a connection.
    NotConnected,
    /// Somebody answered: the domain is not one of ours.
    UnknownDomain,
    /// Somebody answered: the partner is not allowed.
    PartnerNotAllowed,
    /// Somebody answered: the next hop pool, or its gateway, cannot be reached.
    NextHopUnavailable,
    /// Somebody answered: the certificate has expired.
    CertificateExpired,
    /// No site has a route for this federation.
    NoRoute,
    /// The Edge of the route is not in service.
    RouteUnavailable,
    /// Our user is not served in full.
    UserNotServed,
}

/// Where a pool's databases are served from; what is left out is not looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrincipalExpectation {
    /// The pool.
    pub pool: Located<String>,
    /// Which databases.
    #[serde(default)]
    pub databases: DatabasesDocument,
    /// Side of the mirror, by the names of the topology.
    #[serde(default)]
    pub side: Option<Located<SideDocument>>,
    /// Instance that answers, `sql1.contoso.com\rtc`, or `none`.
    #[serde(default)]
    pub instance: Option<Located<String>>,
}

/// Groups of databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
pub enum DatabasesDocument {
    /// rtcxds, rtcshared, rtcab.
    #[default]
    User,
    /// rgsconfig, rgsdyn, cpsdyn.
    Application,
    /// xds, lis.
    CentralMgmt,
    /// LcsCDR, QoEMetrics.
    Monitoring,
    /// LcsLog.
    Archiving,
}

/// Side of a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SideDocument {
    /// The primary back end of the topology.
    Primary,
    /// The mirror back end of the topology.
    Mirror,
}

/// Fabric quorum; what is left out is not looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuorumExpectation {
    /// The pool.
    pub pool: Located<String>,
    /// Whether the pool-level quorum holds.
    #[serde(default)]
    pub functional: Option<Located<bool>>,
    /// Front Ends whose Front-End service runs.
    #[serde(default)]
    pub active: Option<Located<u32>>,
    /// Number of routing groups without a primary.
    #[serde(default)]
    pub without_primary: Option<Located<u32>>,
}

/// Time without service; the longest outage counts, one that still lasts until now.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RtoExpectation {
    /// Whose.
    pub of: Located<WhoDocument>,
    /// Until when.
    #[serde(default)]
    pub until: UntilDocument,
    /// At most so long, and over by now.
    #[serde(default)]
    pub at_most: Option<Located<DurationText>>,
    /// At least so long.
    #[serde(default)]
    pub at_least: Option<Located<DurationText>>,
}

/// End of an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UntilDocument {
    /// The last user has full service again.
    #[default]
    Regular,
    /// Nobody is signed out any more: all are in resiliency mode or better.
    Resiliency,
}

/// Lost data; the longest window counts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RpoExpectation {
    /// Whose.
    pub of: Located<WhoDocument>,
    /// Which data.
    pub data: Located<DataDocument>,
    /// At most this window is lost.
    #[serde(default)]
    pub at_most: Option<Located<DurationText>>,
    /// At least this window is lost.
    #[serde(default)]
    pub at_least: Option<Located<DurationText>>,
}

/// Kinds of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataDocument {
    /// Contacts, schedules, settings, presence documents.
    UserData,
    /// Content of conferences.
    ConferenceContent,
    /// Configuration in the Central Management Store.
    Configuration,
    /// Response Groups.
    ResponseGroups,
    /// Locations for emergency calls.
    Locations,
}

/// An error; what is left out is not looked at. `fails: {}` is content with any error.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorExpectation {
    /// The whole message, byte for byte, without the name of the command before it.
    #[serde(default)]
    pub message: Option<Located<String>>,
    /// A part of the message.
    #[serde(default)]
    pub contains: Option<Located<String>>,
    /// `FullyQualifiedErrorId`, or its part before the comma.
    #[serde(default)]
    pub error_id: Option<Located<String>>,
    /// `CategoryInfo.Category`.
    #[serde(default)]
    pub category: Option<Located<String>>,
    /// How many errors there are in all.
    #[serde(default)]
    pub count: Option<Located<u32>>,
}

/// Text; what is left out is not looked at.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextExpectation {
    /// All of it, without blank lines and spaces at the ends.
    #[serde(default)]
    pub is: Option<Located<String>>,
    /// Parts that occur in it, in any order.
    #[serde(default)]
    pub contains: Vec<Located<String>>,
    /// Parts that do not occur in it.
    #[serde(default)]
    pub lacks: Vec<Located<String>>,
    /// A regular expression that matches somewhere; `(?m)` lets `^` and `$` match at lines.
    #[serde(default)]
    pub matches: Option<Located<String>>,
}

/// Objects in the output. Values are compared with what the console prints for the property, without regard to case;
/// `*` stands for any characters.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectsExpectation {
    /// How many.
    #[serde(default)]
    pub count: Option<Located<u32>>,
    /// Property values that every object has.
    #[serde(default)]
    pub all: BTreeMap<Located<String>, Located<String>>,
    /// Property values that some object has; all of them on the same object.
    #[serde(default)]
    pub any: BTreeMap<Located<String>, Located<String>>,
    /// Property values that no object has together.
    #[serde(default)]
    pub none: BTreeMap<Located<String>, Located<String>>,
    /// The objects one by one: each entry names property values of one object, in order.
    #[serde(default)]
    pub are: Vec<BTreeMap<Located<String>, Located<String>>>,
}

/// Virtual time that a step took.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TookExpectation {
    /// At most.
    #[serde(default)]
    pub at_most: Option<Located<DurationText>>,
    /// At least.
    #[serde(default)]
    pub at_least: Option<Located<DurationText>>,
}
