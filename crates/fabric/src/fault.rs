//! Faults and their healing, and everything else that can be scheduled.

use firedrill_topology::{ComputerId, EdgePoolId, FileStoreId, NameServerId, PoolId, RecordData, RecordType, SiteId, SqlId};

use crate::service::ServiceName;
use crate::time::SimDuration;

/// Something broken. Each fault heals by naming it again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A computer is off.
    Computer(ComputerId),
    /// All Front Ends of a pool, and its back end and file store computers, are off.
    Pool(PoolId),
    /// All servers of an Edge pool are off.
    EdgePool(EdgePoolId),
    /// Everything in a site is off.
    Site(SiteId),
    /// A SQL Server instance does not run (also a witness).
    SqlInstance(SqlId),
    /// A file store cannot be reached.
    FileStore(FileStoreId),
    /// A service crashed and does not come back by itself.
    Service(ComputerId, ServiceName),
    /// No traffic between two sites, either way.
    Link(SiteId, SiteId),
    /// One TCP port is blocked from one place to another (one way).
    Port {
        /// Where connections come from.
        from: Place,
        /// Where they go to.
        to: Place,
        /// Port.
        port: u16,
    },
    /// The replica agent of a computer hangs: it accepts files and imports nothing.
    ReplicaAgent(ComputerId),
    /// The Backup Service of a pool runs and ships nothing.
    BackupService(PoolId),
    /// The external DNS servers do not answer.
    DnsServer,
    /// One external DNS server misbehaves.
    NameServer(NameServerId, NameServerFault),
    /// A computer's certificate has expired.
    Certificate(ComputerId),
    /// Active Directory cannot be reached.
    ActiveDirectory,
}

/// What is wrong with a name server. Resolvers go on to the next one unless the answer is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameServerFault {
    /// It does not run: queries are lost, connections refused. It transfers nothing.
    Down,
    /// Something on the way drops its packets.
    Drops,
    /// It runs and answers SERVFAIL.
    ServFail,
    /// It runs and answers REFUSED, as after a broken access list.
    Refused,
    /// All its answers over UDP are truncated and TCP is closed, as behind a firewall that forgot TCP 53.
    TruncatedWithoutTcp,
    /// It serves the zones as they were when this struck: a primary that did not reload, a secondary that neither hears
    /// NOTIFY nor refreshes.
    Stale,
    /// NOTIFY does not reach it: it learns of changes at its next refresh (RFC 1996 2).
    MissesNotify,
    /// It answers late.
    Slow(SimDuration),
}

/// One end of a blocked port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Outside.
    Internet,
    /// Every computer of a site.
    Site(SiteId),
    /// Every Front End of a pool.
    Pool(PoolId),
    /// Every server of an Edge pool.
    EdgePool(EdgePoolId),
    /// One computer.
    Computer(ComputerId),
    /// Anywhere.
    Anywhere,
}

/// What can be done to the fabric at an instant without a caller: faults, heals, and the hands of outside operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A fault strikes.
    Inject(Fault),
    /// A fault heals; computers come back with their services starting.
    Heal(Fault),
    /// A fault heals; computers come back with their services stopped.
    HealServicesStopped(Fault),
    /// An external DNS edit by the operator of the zone.
    Dns(DnsEdit),
}

/// An edit of an external zone. Names are absolute, lower case, without the final dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsEdit {
    /// Adds one record; the set gets the TTL.
    Add {
        /// Owner.
        name: String,
        /// TTL in seconds; the set's, or the zone's default of 3600, when not given.
        ttl: Option<u32>,
        /// Data.
        data: RecordData,
    },
    /// Replaces all records of a name and type.
    Replace {
        /// Owner.
        name: String,
        /// Type.
        record_type: RecordType,
        /// TTL in seconds.
        ttl: Option<u32>,
        /// New data.
        data: Vec<RecordData>,
    },
    /// Removes one record, or all of a name and type.
    Remove {
        /// Owner.
        name: String,
        /// Type.
        record_type: RecordType,
        /// The record; all when not given.
        data: Option<RecordData>,
    },
}
