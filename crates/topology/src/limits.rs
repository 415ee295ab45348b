//! How large a deployment may be. Each limit is an error of its own; none is a statement about the product.

/// Most users of all ranges together.
pub const MAX_USERS: u64 = 5_000_000;
/// Most entries in `users`, ranges and named ones together.
pub const MAX_USER_ENTRIES: usize = 20_000;
/// Most ranges in `users`.
pub const MAX_USER_RANGES: usize = 1_000;
/// Most sites.
pub const MAX_SITES: usize = 1_000;
/// Most Front End pools, and most Edge pools.
pub const MAX_POOLS: usize = 1_000;
/// Most servers that one pool may list before its own limits are even looked at.
pub const MAX_SERVERS_OF_A_POOL: usize = 64;
/// Most SIP domains, XMPP partners, federated partners, each.
pub const MAX_DOMAINS: usize = 2_000;
/// Most DNS zones.
pub const MAX_ZONES: usize = 1_000;
/// Most DNS records (addresses, targets, texts) of all zones together.
pub const MAX_RECORDS: usize = 100_000;
/// Most DNS records of one name and type.
pub const MAX_RECORDS_OF_A_SET: usize = 1_000;
/// Most name servers, and most TSIG keys: a delegation with more does not fit one datagram (RFC 1035 2.3.4).
pub const MAX_NAME_SERVERS: usize = 13;
