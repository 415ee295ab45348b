//! `Get-CsPool`, `Get-CsComputer`, `Get-CsSite`, `Get-CsTopology` (dossier J 19 to 21, H).

use std::sync::Arc;

use firedrill_fabric::Configuration;
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{ComputerId, ComputerRole};

use crate::commands::Command;
use crate::context::{Cx, Done, like, strip_identity, texts};
use crate::inventory::{self, Cluster, ClusterKind, Service};
use crate::shapes::Shape;
use crate::topology_xml;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Get-CsPool", get_pool, &["Identity", "Filter", "Site"]),
    Command::new("Get-CsComputer", get_computer, &["Identity", "Filter", "Pool", "Local", "PoolFqdn"]),
    Command::new("Get-CsSite", get_site, &["Identity", "Filter"]),
    Command::new("Get-CsTopology", get_topology, &["AsXml", "LocalStore"]),
];

/// Dossier J 19.
pub(crate) static POOL: Shape =
    Shape::new("Microsoft.Rtc.Management.Deploy.Internal.Cluster", &["Identity", "Services", "Computers", "Fqdn", "Site"]);
/// Dossier J 20.
pub(crate) static COMPUTER: Shape = Shape::new("Microsoft.Rtc.Management.Deploy.Internal.Machine", &["Identity", "Pool", "Fqdn"]);
/// Dossier J 21.
pub(crate) static SITE: Shape = Shape::new(
    "Microsoft.Rtc.Management.Deploy.Internal.Site+CentralSite",
    &[
        "Identity",
        "SiteId",
        "Services",
        "Pools",
        "FederationRoute",
        "XmppFederationRoute",
        "DefaultPersistentChatPool",
        "Description",
        "DisplayName",
        "SiteType",
        "ParentSite",
    ],
);
/// Dossier H.
pub(crate) static TOPOLOGY: Shape =
    Shape::new("Microsoft.Rtc.Management.Deploy.Internal.DefaultTopology", &["InternalDomains", "Sites", "Clusters", "Services"]);
/// Dossier H.
pub(crate) static TOPOLOGY_CLUSTER: Shape = Shape::new(
    "Microsoft.Rtc.Management.Deploy.Internal.Cluster",
    &["Fqdn", "RequiresReplication", "RequiresSetup", "IsOnEdge", "SiteId", "Machines"],
);
/// Dossier H.
pub(crate) static TOPOLOGY_MACHINE: Shape = Shape::new("Microsoft.Rtc.Management.Deploy.Internal.Machine", &["Fqdn", "OrdinalInCluster"]);

/// Whether an object passes `-Identity` (exact) and `-Filter` (wildcard).
fn selected(cx: &Cx<'_>, identity: &str, fqdn: &str) -> bool {
    let exact = cx.text("Identity").is_none_or(|wanted| {
        let bare = strip_identity(&wanted, &["Pool", "Site"]);
        bare.eq_ignore_ascii_case(fqdn) || wanted.eq_ignore_ascii_case(identity)
    });
    let wild = cx.text("Filter").is_none_or(|pattern| like(&pattern, identity) || like(&pattern, fqdn));
    exact && wild
}

/// A named object that is not there is an error; a filter that finds nothing is not.
fn complain_when_missing(cx: &mut Cx<'_>, found: usize, kind: &str) {
    if found == 0
        && let Some(identity) = cx.text("Identity")
    {
        let error = cx.not_found(kind, &identity);
        cx.error(error);
    }
}

fn get_pool(cx: &mut Cx<'_>) -> Done {
    let configuration = cx.store()?;
    let services = inventory::services(&cx.topology, &configuration);
    let site = match cx.text("Site") {
        None => None,
        Some(name) => Some(cx.topology.find_site(&name).ok_or_else(|| cx.not_found("site", &name))?),
    };
    let mut found = 0;
    for cluster in inventory::clusters(&cx.topology) {
        if !selected(cx, &cluster.fqdn, &cluster.fqdn) || site.is_some_and(|site| site != cluster.site) {
            continue;
        }
        found += 1;
        let object = pool_object(cx, &cluster, &services);
        cx.output(object);
    }
    complain_when_missing(cx, found, "pool");
    Ok(())
}

fn pool_object(cx: &Cx<'_>, cluster: &Cluster, services: &[Service]) -> PsObject {
    let fqdn: Arc<str> = cluster.fqdn.as_str().into();
    let own = services.iter().filter(|service| service.cluster == cluster.fqdn).map(Service::identity);
    POOL.object(vec![
        Value::Str(fqdn.clone()),
        texts(own),
        texts(cluster.machines.iter().map(|computer| cx.computer_fqdn(*computer).to_owned())),
        Value::Str(fqdn.clone()),
        Value::str(cx.site_identity(cluster.site)),
    ])
    .with_text(fqdn)
}

fn get_computer(cx: &mut Cx<'_>) -> Done {
    cx.store()?;
    let pool = cx.text("Pool").or_else(|| cx.text("PoolFqdn"));
    let mut found = 0;
    let mut pool_seen = pool.is_none();
    for cluster in inventory::clusters(&cx.topology) {
        if pool.as_ref().is_some_and(|pool| !pool.eq_ignore_ascii_case(&cluster.fqdn)) {
            continue;
        }
        pool_seen = true;
        for computer in &cluster.machines {
            let fqdn = cx.computer_fqdn(*computer).to_owned();
            let local = !cx.switch("Local") || *computer == cx.here;
            if !local || !selected(cx, &fqdn, &fqdn) {
                continue;
            }
            found += 1;
            cx.output(computer_object(&fqdn, &cluster.fqdn));
        }
    }
    if let (Some(pool), false) = (&pool, pool_seen) {
        let error = cx.not_found("pool", pool);
        cx.error(error);
        return Ok(());
    }
    complain_when_missing(cx, found, "computer");
    Ok(())
}

fn computer_object(fqdn: &str, pool: &str) -> PsObject {
    let fqdn: Arc<str> = fqdn.into();
    COMPUTER.object(vec![Value::Str(fqdn.clone()), Value::str(pool), Value::Str(fqdn.clone())]).with_text(fqdn)
}

fn get_site(cx: &mut Cx<'_>) -> Done {
    let configuration = cx.store()?;
    let services = inventory::services(&cx.topology, &configuration);
    let clusters = inventory::clusters(&cx.topology);
    let mut found = 0;
    for id in cx.topology.site_ids() {
        let identity = cx.site_identity(id);
        let site = cx.topology.site(id);
        if !selected(cx, &identity, &site.name) {
            continue;
        }
        found += 1;
        let settings = &configuration.sites[id.index()];
        let route = |edge: Option<firedrill_topology::EdgePoolId>| edge.map(|edge| format!("EdgeServer:{}", cx.edge_fqdn(edge)));
        let object = SITE
            .object(vec![
                Value::str(identity.as_str()),
                Value::Int(i32::try_from(id.0 + 1).unwrap_or(i32::MAX)),
                texts(services.iter().filter(|service| service.site == id).map(Service::identity)),
                texts(clusters.iter().filter(|cluster| cluster.site == id).map(|cluster| cluster.fqdn.as_str())),
                route(settings.federation_route).into(),
                route(settings.xmpp_route).into(),
                Value::Null,
                Value::Null,
                Value::str(site.display_name.as_str()),
                Value::str("CentralSite"),
                Value::Null,
            ])
            .with_text(identity);
        cx.output(object);
    }
    complain_when_missing(cx, found, "site");
    Ok(())
}

fn get_topology(cx: &mut Cx<'_>) -> Done {
    let configuration = cx.store()?;
    if cx.switch("AsXml") {
        let text = topology_xml::write(&cx.topology, &configuration);
        cx.output(PsObject::new("System.Xml.Linq.XDocument").with_text(text));
        return Ok(());
    }
    let object = topology_object(cx, &configuration);
    cx.output(object);
    Ok(())
}

fn topology_object(cx: &Cx<'_>, configuration: &Configuration) -> PsObject {
    let clusters = inventory::clusters(&cx.topology).into_iter().map(|cluster| {
        let machines = cluster.machines.iter().enumerate().map(|(ordinal, computer)| machine_object(cx, *computer, ordinal));
        let replicated = cluster.kind != ClusterKind::Plain;
        Value::from(
            TOPOLOGY_CLUSTER
                .object(vec![
                    Value::str(cluster.fqdn.as_str()),
                    Value::Bool(replicated),
                    Value::Bool(replicated),
                    Value::Bool(matches!(cluster.kind, ClusterKind::Edge(_))),
                    Value::str(cx.site_identity(cluster.site)),
                    Value::array(machines.collect()),
                ])
                .with_text(cluster.fqdn.as_str()),
        )
    });
    TOPOLOGY.object(vec![
        texts(cx.topology.sip_domains.iter().map(String::as_str)),
        texts(cx.topology.site_ids().map(|site| cx.site_identity(site))),
        Value::array(clusters.collect()),
        texts(inventory::services(&cx.topology, configuration).iter().map(Service::identity)),
    ])
}

fn machine_object(cx: &Cx<'_>, computer: ComputerId, ordinal: usize) -> Value {
    let fqdn = cx.computer_fqdn(computer);
    let ordinal = i32::try_from(ordinal + 1).unwrap_or(i32::MAX);
    TOPOLOGY_MACHINE.object(vec![Value::str(fqdn), Value::Int(ordinal)]).with_text(fqdn).into()
}

/// Whether a computer carries services of the product.
pub(crate) fn has_product(role: ComputerRole) -> bool {
    matches!(role, ComputerRole::FrontEnd(_) | ComputerRole::Edge(_))
}
