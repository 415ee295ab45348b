//! The figure "start to first DNS answer", for benches.

use std::time::{Duration, Instant};

use firedrill_dns::{AddressMap, DnsError, DnsServer, LoopbackBlock, PartnerResolver};
use firedrill_fabric::SimTime;
use firedrill_fabric::naming::{Answer, Zones};
use firedrill_topology::{RecordType, ResolverSettings};

/// Real time from nothing (no addresses, no runtime tasks, no prepared zone) to the first answer over UDP, for one name
/// of these zones. Needs a tokio runtime.
///
/// # Errors
/// When the server cannot start, or does not answer.
pub async fn start_to_first_answer(zones: &Zones, name: &str, record_type: RecordType) -> Result<Duration, DnsError> {
    let settings = ResolverSettings { max_ttl_seconds: 86_400, min_ttl_seconds: 0, max_negative_ttl_seconds: 3600, serve_stale_seconds: 0 };
    let begun = Instant::now();
    let block = LoopbackBlock::take();
    let map = AddressMap::new(&block, [])?;
    let server = DnsServer::start(&block, zones, &map).await?;
    let resolver = PartnerResolver::new(server.address(), &map, settings)?;
    let view = resolver.lookup(name, record_type, SimTime(0)).await;
    let taken = begun.elapsed();
    server.shutdown().await?;
    if view.answer == Answer::NoServer { Err(DnsError::Resolver(format!("no answer for `{name}`"))) } else { Ok(taken) }
}
