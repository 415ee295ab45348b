//! Prints how many bytes of heap a loaded fabric takes for each of its users: `global.yaml`, 1,000,000 users.

use std::sync::Arc;

use firedrill_fabric::{Fabric, Options, SimTime};
use firedrill_syntax::Source;
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

fn main() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/global.yaml")).unwrap_or_default();
    let before = HEAP.current_usage();
    let fabric = {
        let source = Source::new("fixtures/global.yaml", text);
        let Some(topology) = firedrill_topology::load(&source).topology else {
            eprintln!("fixtures/global.yaml does not load");
            std::process::exit(1);
        };
        Fabric::new(Arc::new(topology), Options { seed: 1, start: SimTime(0) })
    };
    let bytes = HEAP.current_usage() - before;
    println!("{:.3}", bytes as f64 / f64::from(fabric.topology().users.len()));
}
