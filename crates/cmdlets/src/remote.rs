//! Other computers: which can be reached by remote shells, and what is installed on them.

use firedrill_fabric::{Fabric, ServiceName};
use firedrill_powershell::Value;
use firedrill_powershell::command::{CommandError, ModuleInfo, RemoteTarget};
use firedrill_topology::{ComputerId, ComputerRole, PoolId, ProductVersion};

use crate::context::failure;
use crate::texts::{fill, text};

/// Port of remote management over HTTP, and over HTTPS (documented: about_Remote_Requirements).
const WINRM: u16 = 5985;
const WINRM_SSL: u16 = 5986;
const TRANSPORT_EXCEPTION: &str = "System.Management.Automation.Remoting.PSRemotingTransportException";

/// The computer that a remote shell runs on.
pub(crate) fn reach(fabric: &Fabric, here: ComputerId, target: &RemoteTarget) -> Result<ComputerId, Box<CommandError>> {
    let (host, port, product) = parse(target);
    let shown = if target.by_uri { host.as_str() } else { &target.name };
    let unresolved = || failure(fill(text::WINRM_NAME, &[shown]), "ComputerNotFound", "OpenError", TRANSPORT_EXCEPTION, Value::str(shown));
    let silent =
        || failure(fill(text::WINRM_TIMEOUT, &[shown]), "WinRMOperationTimeout", "OpenError", TRANSPORT_EXCEPTION, Value::str(shown));
    let topology = fabric.topology();
    if matches!(host.as_str(), "localhost" | "." | "127.0.0.1" | "::1") && !product {
        return Ok(here);
    }
    if product {
        // The product's own shell runs in the web server of a Front End (dossier: `https://pool/OcsPowershell`).
        let candidates: Vec<ComputerId> = match pool_named(fabric, &host) {
            Some(pool) => topology.pool(pool).front_ends.clone(),
            None => vec![topology.find_computer(&host).ok_or_else(unresolved)?],
        };
        let serves = |computer: &ComputerId| {
            matches!(topology.computer(*computer).role, ComputerRole::FrontEnd(_))
                && fabric.service_running(*computer, ServiceName::W3svc)
                && fabric.reaches(here, *computer, port)
        };
        return candidates.into_iter().find(serves).ok_or_else(silent);
    }
    let computer = topology.find_computer(&host).ok_or_else(unresolved)?;
    if fabric.reaches(here, computer, port) { Ok(computer) } else { Err(silent()) }
}

/// Host, port and whether the product's own shell is meant.
fn parse(target: &RemoteTarget) -> (String, u16, bool) {
    if !target.by_uri {
        let port = target.port.unwrap_or(if target.ssl { WINRM_SSL } else { WINRM });
        return (target.name.trim().to_lowercase(), port, false);
    }
    let lower = target.name.trim().to_lowercase();
    let (scheme, rest) = lower.split_once("://").unwrap_or(("http", &lower));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let product = path.trim_end_matches('/').ends_with("ocspowershell");
    let default = match (product, scheme) {
        (true, "https") => 443,
        (true, _) => 80,
        (false, "https") => WINRM_SSL,
        (false, _) => WINRM,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(default)),
        None => (authority, default),
    };
    (host.to_owned(), port, product)
}

/// The pool with an FQDN or its first label.
fn pool_named(fabric: &Fabric, name: &str) -> Option<PoolId> {
    let topology = fabric.topology();
    topology.find_pool(name).or_else(|| {
        topology.pool_ids().find(|pool| topology.pool(*pool).fqdn.split('.').next().is_some_and(|label| label.eq_ignore_ascii_case(name)))
    })
}

/// Modules beyond those of Windows: the administrative tools that setup puts on a computer of its role (documented: the
/// prerequisites of the roles; the DNS tools stand for the usual administrator's choice, inferred).
pub(crate) fn modules(fabric: &Fabric, computer: ComputerId) -> Vec<ModuleInfo> {
    let topology = fabric.topology();
    let module =
        |name: &str, version: [i32; 4], kind: &'static str| ModuleInfo { name: name.into(), version, kind, description: "".into() };
    let product = |version: ProductVersion| {
        let numbers: Vec<i32> = version.build().split('.').filter_map(|part| part.parse().ok()).collect();
        let name = match version {
            ProductVersion::Lync2010 | ProductVersion::Lync2013 => "Lync",
            ProductVersion::Sfb2015 | ProductVersion::Sfb2019 => "SkypeForBusiness",
        };
        module(name, numbers.try_into().unwrap_or([1, 0, 0, 0]), "Binary")
    };
    match topology.computer(computer).role {
        ComputerRole::FrontEnd(pool) => vec![
            product(topology.pool(pool).version),
            module("ActiveDirectory", [1, 0, 0, 0], "Manifest"),
            module("DnsServer", [2, 0, 0, 0], "Manifest"),
            module("SQLPS", [1, 0, 0, 0], "Manifest"),
        ],
        ComputerRole::Edge(edge) => vec![product(topology.edge_pool(edge).version)],
        ComputerRole::Sql => vec![module("SQLPS", [1, 0, 0, 0], "Manifest"), module("SqlServer", [21, 1, 18256, 0], "Script")],
        ComputerRole::FileServer => Vec::new(),
    }
}
