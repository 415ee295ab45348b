//! Serves a master file on 127.0.0.1 until standard input ends: the server under the DNS bench.
//!
//! `serve FILE` prints the port that it was given, and the time from the start of the program's work to its first answer.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use firedrill_dns::{AddressMap, DnsServer, LoopbackBlock};
use firedrill_fabric::naming::Zones;
use firedrill_syntax::{Source, render_plain};

fn main() -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let path = std::env::args().nth(1).ok_or("usage: serve FILE")?;
    let source = Source::new(path.as_str(), std::fs::read_to_string(&path)?);
    let read = firedrill_topology::master::read_master(&source, None).map_err(|problems| render_plain(&problems))?;
    let origin = read.zone.origin.clone();
    let zones = Zones { zones: BTreeMap::from([(origin.clone(), Arc::new(read.zone))]) };
    let map = AddressMap::new(&LoopbackBlock::single(), [])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = DnsServer::start_at(IpAddr::V4(Ipv4Addr::LOCALHOST), &zones, &map).await?;
        server.serial(&origin).await?;
        println!("port {} first answer after {} us", server.address().port(), begun.elapsed().as_micros());
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
        server.shutdown().await?;
        Ok(())
    })
}
