//! Faults and DNS edits as they are written.

use firedrill_syntax::{DurationText, Located};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that breaks, or that heals. Names are FQDNs; an unambiguous host name will do for a computer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultDocument {
    /// A computer is off.
    Computer(Located<String>),
    /// All Front Ends of a pool, its back end and its file store are off.
    Pool(Located<String>),
    /// All servers of an Edge pool are off.
    EdgePool(Located<String>),
    /// Everything in a site is off.
    Site(Located<String>),
    /// A SQL Server instance is stopped: `sql1.contoso.com\rtc`, or the computer alone when it has one instance.
    Sql(Located<String>),
    /// All SQL Server instances that hold a pool's databases are stopped (witness not included): name the pool.
    BackEnd(Located<String>),
    /// The SQL Server witness of a pool's mirrored back end is stopped: name the pool.
    Witness(Located<String>),
    /// The file store of a pool cannot be reached: name the pool.
    FileStore(Located<String>),
    /// A service crashed and does not come back by itself.
    Service(ServiceFault),
    /// No traffic between two sites, either way: `[Site1, Site2]`.
    Link(Located<Vec<Located<String>>>),
    /// One TCP port is blocked from one place to another, one way.
    Port(PortFault),
    /// The replica agent of a computer hangs: it accepts files and imports nothing.
    ReplicaAgent(Located<String>),
    /// The Backup Service of a pool runs and ships nothing: name the pool.
    BackupService(Located<String>),
    /// The external DNS servers do not answer.
    DnsServer,
    /// One external DNS server misbehaves.
    NameServer(NameServerFaultDocument),
    /// The certificate of a computer has expired.
    Certificate(Located<String>),
    /// Active Directory cannot be reached.
    ActiveDirectory,
}

/// A name server that misbehaves. Resolvers go on to the next one unless the answer is good.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameServerFaultDocument {
    /// Its host name, as under `dns_servers:` of the topology.
    pub host: Located<String>,
    /// What is wrong with it.
    pub problem: NameServerProblem,
    /// How late it answers, with `problem: slow`. Partners wait five seconds before they ask the next one.
    #[serde(default)]
    pub by: Option<Located<DurationText>>,
}

/// What is wrong with a name server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameServerProblem {
    /// It does not run.
    Down,
    /// Its packets are lost.
    Drops,
    /// It answers SERVFAIL.
    Servfail,
    /// It answers REFUSED.
    Refused,
    /// All its answers over UDP are truncated, and TCP is closed.
    TruncatedWithoutTcp,
    /// It serves the zones as they were: a primary that does not reload, a secondary that neither hears NOTIFY nor
    /// refreshes.
    Stale,
    /// NOTIFY does not reach it: it learns of changes at its next refresh.
    MissesNotify,
    /// It answers late: say `by`.
    Slow,
}

/// A service of a computer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceFault {
    /// The computer.
    pub on: Located<String>,
    /// Short name of the service, `RTCSRV`.
    pub name: Located<String>,
}

/// A blocked port. A place is `internet`, `anywhere`, a site, a pool, an Edge pool or a computer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortFault {
    /// Where connections come from.
    pub from: Located<String>,
    /// Where they go to.
    pub to: Located<String>,
    /// The port.
    pub port: Located<u16>,
}

/// An edit of an external zone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DnsEditDocument {
    /// Replaces all records of a name and type.
    Set(RecordSetDocument),
    /// Adds records to those of a name and type.
    Add(RecordSetDocument),
    /// Removes records of a name and type: those given as `data`, or all.
    Remove(RecordRemoval),
}

/// Records of one name and type. Data is written as in a zone file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordSetDocument {
    /// Full owner name, `_xmpp-server._tcp.contoso.com`.
    pub name: Located<String>,
    /// Type of the records.
    #[serde(rename = "type")]
    pub record_type: RecordTypeDocument,
    /// How long resolvers may keep the answer; what the set has, or one hour, when left out.
    #[serde(default)]
    pub ttl: Option<Located<DurationText>>,
    /// Data: an address for A and AAAA, `priority weight port target` for SRV, a name for CNAME and NS, text for TXT.
    pub data: Vec<Located<String>>,
}

/// Records to be removed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordRemoval {
    /// Full owner name.
    pub name: Located<String>,
    /// Type of the records.
    #[serde(rename = "type")]
    pub record_type: RecordTypeDocument,
    /// The records; all when left out.
    #[serde(default)]
    pub data: Vec<Located<String>>,
}

/// Types of DNS records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum RecordTypeDocument {
    /// IPv4 address.
    A,
    /// IPv6 address.
    #[serde(rename = "AAAA")]
    Aaaa,
    /// Alias.
    #[serde(rename = "CNAME")]
    Cname,
    /// Name server.
    #[serde(rename = "NS")]
    Ns,
    /// Service.
    #[serde(rename = "SRV")]
    Srv,
    /// Text.
    #[serde(rename = "TXT")]
    Txt,
}
