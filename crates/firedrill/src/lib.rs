//! Firedrill for Rust tests: a fabric in a few lines.
//!
//! A [`Drill`] is a deployment under a virtual clock. Tests run commands in it as PowerShell, break and heal things, let
//! time run, and ask who is served by which pool:
//!
//! ```
//! use firedrill::{Drill, ServiceMode};
//!
//! # fn main() -> Result<(), firedrill::Error> {
//! # std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).ok();
//! let mut drill = Drill::from_file("fixtures/contoso.yaml", 7)?;
//! drill.inject("pool: pool1.contoso.com")?;
//! drill.advance("6m")?;
//!
//! let served = drill.serving("user00042@contoso.com")?;
//! assert_eq!((served.mode, served.by.as_deref()), (ServiceMode::Resiliency, Some("pool2.contoso.com")));
//!
//! drill.run("pool2-fe1", "Invoke-CsManagementServerFailover -BackupSqlServerFqdn sql2a.contoso.com -BackupSqlInstanceName rtc -Force -Confirm:$false")?;
//! drill.run("pool2-fe1", "Set-CsEdgeServer EdgeServer:edgeserver1.contoso.com -Registrar Registrar:pool2.contoso.com")?;
//! drill.run("pool2-fe1", "Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -DisasterMode")?;
//! drill.expect("serving: { of: { pool: pool1.contoso.com }, mode: regular, by: pool2.contoso.com }")?;
//! # Ok(())
//! # }
//! ```
//!
//! With [`Drill::connect`] the fabric also has a real DNS server and real listeners on loopback, and every question about
//! federation is put to the model and to real sockets, which must agree.

mod drill;

pub use drill::{Drill, Error, Output, Served};
pub use firedrill_fabric::{Fabric, ServiceMode, SimDuration, SimTime};
pub use firedrill_topology::Topology;

/// The crates behind the facade, for tests that need more than it offers.
pub mod crates {
    pub use firedrill_cmdlets as cmdlets;
    pub use firedrill_dns as dns;
    pub use firedrill_edge as edge;
    pub use firedrill_fabric as fabric;
    pub use firedrill_powershell as powershell;
    pub use firedrill_report as report;
    pub use firedrill_scenario as scenario;
    pub use firedrill_syntax as syntax;
    pub use firedrill_topology as topology;
}
