//! Starts many fabrics' name servers in one process, asks each once, and ends them: prints how long that took.
//!
//! `side_by_side [COUNT]`, 100 by default.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use firedrill_dns::{AddressMap, DnsServer, LoopbackBlock};
use firedrill_fabric::naming::Zones;
use firedrill_syntax::{Source, render_plain};

const ZONE: &str = include_str!("../../../fixtures/zones/contoso.com.zone");

fn main() -> Result<(), Box<dyn Error>> {
    let count: usize = std::env::args().nth(1).map_or(Ok(100), |text| text.parse())?;
    let read = firedrill_topology::master::read_master(&Source::new("contoso.com.zone", ZONE), None)
        .map_err(|problems| render_plain(&problems))?;
    let zones = Zones { zones: BTreeMap::from([(read.zone.origin.clone(), Arc::new(read.zone))]) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let begun = Instant::now();
        let mut running = Vec::new();
        for _ in 0..count {
            let block = LoopbackBlock::take();
            let map = AddressMap::new(&block, [])?;
            let server = DnsServer::start(&block, &zones, &map).await?;
            server.serial("contoso.com").await?;
            running.push((server, block));
        }
        let started = begun.elapsed();
        for (server, _block) in running {
            server.shutdown().await?;
        }
        println!("{count} servers started and asked in {} ms, gone after {} ms", started.as_millis(), begun.elapsed().as_millis());
        Ok(())
    })
}
