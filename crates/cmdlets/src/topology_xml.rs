//! The topology as the XML document of `Get-CsTopology -AsXml`, and back for `Publish-CsTopology -FileName`.
//!
//! Shape per `topology-xml.md`. Where that material does not show how a setting is written (backup registrar, voice
//! resiliency, site routes, XMPP listener, federation bit), the form here is invented; it reads what it writes.

use std::fmt::Write as _;

use firedrill_fabric::Configuration;
use firedrill_topology::{EdgePoolId, PoolId, Topology};

use crate::inventory::{self, ClusterKind, Owner, Role, Service};
use crate::services::{edge_port, edge_port_names};
use crate::shell::escape;
use crate::xml::{self, Element};

/// Why a document was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopologyXmlError {
    /// It is not XML, or too deep or too long.
    #[error(transparent)]
    Xml(#[from] xml::XmlError),
    /// It is XML, but no topology.
    #[error("the root element is <{0}>, not <Topology>")]
    NotTopology(String),
    /// It names a service that the document does not define.
    #[error("it refers to the service {0}, which it does not define")]
    UnknownService(String),
    /// A number is not one.
    #[error("{attribute}=\"{value}\" of <{element}> is not a valid number")]
    Number {
        /// Element.
        element: String,
        /// Attribute.
        attribute: &'static str,
        /// What it says.
        value: String,
    },
    /// It describes other clusters or computers than the deployment has: adding and removing servers is not modelled.
    #[error("its computers are not those of the deployment: {0}")]
    OtherComputers(String),
}

const NAMESPACE: &str = "urn:schema:Microsoft.Rtc.Management.Deploy.Topology.2008";
const ROLES_NAMESPACE: &str = "urn:schema:Microsoft.Rtc.Management.Deploy.ServiceRoles.2008";

/// The document of a configuration.
pub fn write(topology: &Topology, configuration: &Configuration) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n");
    let signature = crate::shell::guid_text(u128::from(configuration.version));
    let _ = writeln!(out, "<Topology Signature=\"{signature}\" xmlns=\"{NAMESPACE}\">");
    let services = inventory::services(topology, configuration);
    write_domains(&mut out, topology);
    write_sites(&mut out, topology, configuration, &services);
    write_clusters(&mut out, topology);
    out.push_str("  <Services>\n");
    for service in &services {
        write_service(&mut out, topology, configuration, &services, service);
    }
    out.push_str("  </Services>\n</Topology>\n");
    out
}

fn write_domains(out: &mut String, topology: &Topology) {
    let default = topology.sip_domains.first().map_or("", String::as_str);
    let _ = writeln!(out, "  <InternalDomains AllowAllDomains=\"false\" DefaultDomain=\"{}\">", escape(default));
    for domain in &topology.sip_domains {
        let _ = writeln!(out, "    <InternalDomain Name=\"{}\" Authoritative=\"false\" AllowSubDomains=\"false\" />", escape(domain));
    }
    out.push_str("  </InternalDomains>\n");
}

fn service_id(service: &Service) -> String {
    format!("<ServiceId SiteId=\"{}\" RoleName=\"{}\" Instance=\"{}\" />", service.site.0 + 1, service.role.xml_name(), service.instance)
}

fn of(services: &[Service], role: Role, owner: Owner) -> Option<&Service> {
    services.iter().find(|service| service.role == role && service.owner == owner)
}

fn write_sites(out: &mut String, topology: &Topology, configuration: &Configuration, services: &[Service]) {
    out.push_str("  <Sites>\n");
    for id in topology.site_ids() {
        let site = topology.site(id);
        let _ = writeln!(out, "    <CentralSite SiteId=\"{}\">", id.0 + 1);
        let _ = writeln!(out, "      <Name>{}</Name>", escape(&site.name));
        let settings = &configuration.sites[id.index()];
        for (element, edge) in [("FederationRoute", settings.federation_route), ("XmppFederationRoute", settings.xmpp_route)] {
            if let Some(route) = edge.and_then(|edge| of(services, Role::EdgeServer, Owner::Edge(edge))) {
                let _ = writeln!(out, "      <{element}>{}</{element}>", service_id(route));
            }
        }
        out.push_str("    </CentralSite>\n");
    }
    out.push_str("  </Sites>\n");
}

fn write_clusters(out: &mut String, topology: &Topology) {
    out.push_str("  <Clusters>\n");
    for cluster in inventory::clusters(topology) {
        let replicated = cluster.kind != ClusterKind::Plain;
        let _ = writeln!(
            out,
            "    <Cluster Fqdn=\"{}\" RequiresReplication=\"{replicated}\" RequiresSetup=\"{replicated}\">",
            escape(&cluster.fqdn)
        );
        let _ = writeln!(out, "      <ClusterId SiteId=\"{}\" Number=\"{}\" />", cluster.site.0 + 1, cluster.number);
        for (ordinal, computer) in cluster.machines.iter().enumerate() {
            let fqdn = escape(&topology.computer(*computer).fqdn);
            let _ = writeln!(out, "      <Machine OrdinalInCluster=\"{}\" Fqdn=\"{fqdn}\">", ordinal + 1);
            let side = if matches!(cluster.kind, ClusterKind::Edge(_)) { "Internal" } else { "Primary" };
            let _ = writeln!(out, "        <NetInterface InterfaceSide=\"{side}\" InterfaceNumber=\"1\" IPAddress=\"0.0.0.0\" />");
            if let ClusterKind::Edge(edge) = cluster.kind
                && let Some(server) = topology.edge_pool(edge).servers.iter().find(|server| server.computer == *computer)
            {
                let external = server.external;
                let _ = writeln!(out, "        <NetInterface InterfaceSide=\"External\" InterfaceNumber=\"1\" IPAddress=\"{external}\" />");
            }
            out.push_str("      </Machine>\n");
        }
        out.push_str("    </Cluster>\n");
    }
    out.push_str("  </Clusters>\n");
}

fn write_service(out: &mut String, topology: &Topology, configuration: &Configuration, services: &[Service], service: &Service) {
    let version = service.version.topology_integer();
    let role = service.role.xml_name();
    let _ = writeln!(
        out,
        "    <Service RoleVersion=\"1\" ServiceVersion=\"{version}\" Type=\"Microsoft.Rtc.Management.Deploy.Internal.ServiceRoles.{role}Service\">"
    );
    let _ = writeln!(out, "      {}", service_id(service));
    out.push_str("      <DependsOn>\n");
    for (role, owner) in inventory::dependencies(service, topology, configuration) {
        if let Some(needed) = of(services, role, owner) {
            let _ = writeln!(out, "        <Dependency Usage=\"Default\">{}</Dependency>", service_id(needed));
        }
    }
    if let (Role::Registrar, Owner::Pool(pool)) = (service.role, service.owner)
        && let Some(backup) = configuration.pools[pool.index()].backup
        && let Some(needed) = of(services, Role::Registrar, Owner::Pool(backup))
    {
        let _ = writeln!(out, "        <Dependency Usage=\"Backup\">{}</Dependency>", service_id(needed));
    }
    out.push_str("      </DependsOn>\n");
    let _ = writeln!(out, "      <InstalledOn Cluster=\"{}\" />", escape(&service.cluster));
    match (service.role, service.owner) {
        (Role::EdgeServer, Owner::Edge(edge)) => write_edge_ports(out, configuration, edge),
        (Role::Registrar, Owner::Pool(pool)) => {
            let voice = configuration.pools[pool.index()].voice;
            let _ = writeln!(
                out,
                "      <RegistrarService IsDirector=\"false\" EnableAutomaticFailover=\"{}\" FailureDetectionInterval=\"{}\" FailbackDetectionInterval=\"{}\" xmlns=\"{ROLES_NAMESPACE}\" />",
                voice.automatic, voice.detection_seconds, voice.failback_seconds
            );
        }
        (Role::CentralManagement, Owner::Pool(pool)) => {
            let active = configuration.cms_active == pool;
            let _ = writeln!(out, "      <CentralMgmtService IsActive=\"{active}\" xmlns=\"{ROLES_NAMESPACE}\" />");
        }
        (Role::FileStore, Owner::Pool(pool)) => {
            let share = topology.pool(pool).file_store.map_or("", |store| &topology.file_stores[store.index()].share);
            let _ = writeln!(out, "      <FileStoreService ShareName=\"{}\" xmlns=\"{ROLES_NAMESPACE}\" />", escape(share));
        }
        _ => {}
    }
    out.push_str("    </Service>\n");
}

/// Usage names of the two ports that are bits in Topology Builder.
const FEDERATION: &str = "AccessEdgeExternalSipPort";
const XMPP: &str = "XmppListeningPort";

fn write_edge_ports(out: &mut String, configuration: &Configuration, edge: EdgePoolId) {
    let settings = &configuration.edges[edge.index()];
    let _ = writeln!(out, "      <Ports xmlns=\"{ROLES_NAMESPACE}\">");
    for name in edge_port_names() {
        if name == FEDERATION && !settings.federation {
            continue;
        }
        if let Some(port) = edge_port(configuration, edge, name) {
            let _ = writeln!(out, "        <Port Owner=\"urn:component:EdgeServer\" Usage=\"{name}\" Port=\"{port}\" />");
        }
    }
    if let Some(port) = settings.xmpp_listening_port {
        let _ = writeln!(out, "        <Port Owner=\"urn:component:EdgeServer\" Usage=\"{XMPP}\" Port=\"{port}\" />");
    }
    out.push_str("      </Ports>\n");
}

/// Reads a document and applies what it says to a draft of the configuration.
///
/// # Errors
/// When it is no topology, or one of other computers; the draft is then unchanged.
pub fn read(text: &str, topology: &Topology, draft: &Configuration) -> Result<Configuration, TopologyXmlError> {
    let root = xml::parse(text)?;
    if root.name != "Topology" {
        return Err(TopologyXmlError::NotTopology(root.name));
    }
    compare_clusters(&root, topology)?;
    let mut next = draft.clone();
    let index = ServiceIndex::new(&root, topology);
    for site in root.descend(&["Sites", "CentralSite"]) {
        let Some(id) = site.child_text("Name").and_then(|name| topology.find_site(&name)) else {
            continue;
        };
        next.sites[id.index()].federation_route = index.edge_of(site.child("FederationRoute"))?;
        next.sites[id.index()].xmpp_route = index.edge_of(site.child("XmppFederationRoute"))?;
    }
    let mut standby = None;
    for service in root.descend(&["Services", "Service"]) {
        let Some(cluster) = service.child("InstalledOn").and_then(|installed| installed.attribute("Cluster")) else {
            continue;
        };
        let role = service.child("ServiceId").and_then(|id| id.attribute("RoleName")).unwrap_or_default();
        match (role, topology.find_pool(cluster), topology.find_edge_pool(cluster)) {
            ("EdgeServer", _, Some(edge)) => read_edge(service, &index, &mut next, edge)?,
            ("Registrar", Some(pool), _) => read_registrar(service, &index, &mut next, pool)?,
            ("CentralMgmt", Some(pool), _) => {
                let active = service.child("CentralMgmtService").and_then(|element| element.attribute("IsActive"));
                if active == Some("true") {
                    next.cms_active = pool;
                } else {
                    standby = Some(pool);
                }
            }
            _ => {}
        }
    }
    next.cms_standby = standby;
    Ok(next)
}

/// Service ids of a document, and whose services they are.
struct ServiceIndex {
    rows: Vec<(String, Option<PoolId>, Option<EdgePoolId>)>,
}

impl ServiceIndex {
    fn new(root: &Element, topology: &Topology) -> Self {
        let rows = root
            .descend(&["Services", "Service"])
            .filter_map(|service| {
                let cluster = service.child("InstalledOn")?.attribute("Cluster")?;
                Some((id_text(service.child("ServiceId")?), topology.find_pool(cluster), topology.find_edge_pool(cluster)))
            })
            .collect();
        Self { rows }
    }

    fn find(&self, id: &str) -> Result<&(String, Option<PoolId>, Option<EdgePoolId>), TopologyXmlError> {
        self.rows.iter().find(|(known, ..)| known == id).ok_or_else(|| TopologyXmlError::UnknownService(id.to_owned()))
    }

    /// The Edge pool whose service an element names; none without the element.
    fn edge_of(&self, element: Option<&Element>) -> Result<Option<EdgePoolId>, TopologyXmlError> {
        match element.and_then(|element| element.child("ServiceId")) {
            None => Ok(None),
            Some(id) => Ok(self.find(&id_text(id))?.2),
        }
    }
}

fn id_text(element: &Element) -> String {
    let part = |name: &str| element.attribute(name).unwrap_or_default();
    format!("{}-{}-{}", part("SiteId"), part("RoleName"), part("Instance"))
}

fn read_number<T: std::str::FromStr>(element: &Element, attribute: &'static str) -> Result<Option<T>, TopologyXmlError> {
    let Some(value) = element.attribute(attribute) else {
        return Ok(None);
    };
    value.parse().map(Some).map_err(|_| TopologyXmlError::Number { element: element.name.clone(), attribute, value: value.to_owned() })
}

fn read_edge(service: &Element, index: &ServiceIndex, next: &mut Configuration, edge: EdgePoolId) -> Result<(), TopologyXmlError> {
    for dependency in service.descend(&["DependsOn", "Dependency"]) {
        let Some(id) = dependency.child("ServiceId").map(id_text) else {
            continue;
        };
        if let (true, Some(pool)) = (id.contains("-Registrar-"), index.find(&id)?.1) {
            next.edges[edge.index()].next_hop = pool;
        }
    }
    let settings = &mut next.edges[edge.index()];
    settings.federation = false;
    settings.xmpp_listening_port = None;
    for port in service.descend(&["Ports", "Port"]) {
        let number: Option<u16> = read_number(port, "Port")?;
        match (port.attribute("Usage"), number) {
            (Some(FEDERATION), Some(_)) => settings.federation = true,
            (Some(XMPP), number) => settings.xmpp_listening_port = number,
            _ => {}
        }
    }
    Ok(())
}

fn read_registrar(service: &Element, index: &ServiceIndex, next: &mut Configuration, pool: PoolId) -> Result<(), TopologyXmlError> {
    let settings = &mut next.pools[pool.index()];
    settings.backup = None;
    settings.media_edge = None;
    for dependency in service.descend(&["DependsOn", "Dependency"]) {
        let Some(id) = dependency.child("ServiceId").map(id_text) else {
            continue;
        };
        let (_, owner, edge) = index.find(&id)?;
        if dependency.attribute("Usage") == Some("Backup") {
            settings.backup = *owner;
        } else if id.contains("-EdgeServer-") {
            settings.media_edge = *edge;
        }
    }
    if let Some(element) = service.child("RegistrarService") {
        settings.voice.automatic = element.attribute("EnableAutomaticFailover") == Some("true");
        if let Some(seconds) = read_number(element, "FailureDetectionInterval")? {
            settings.voice.detection_seconds = seconds;
        }
        if let Some(seconds) = read_number(element, "FailbackDetectionInterval")? {
            settings.voice.failback_seconds = seconds;
        }
    }
    Ok(())
}

fn compare_clusters(root: &Element, topology: &Topology) -> Result<(), TopologyXmlError> {
    let mut given: Vec<String> = root
        .descend(&["Clusters", "Cluster", "Machine"])
        .filter_map(|machine| machine.attribute("Fqdn"))
        .map(str::to_ascii_lowercase)
        .collect();
    let mut ours: Vec<String> = inventory::clusters(topology)
        .iter()
        .flat_map(|cluster| cluster.machines.iter())
        .map(|computer| topology.computer(*computer).fqdn.to_ascii_lowercase())
        .collect();
    given.sort();
    given.dedup();
    ours.sort();
    ours.dedup();
    let extra = given.iter().find(|fqdn| !ours.contains(fqdn)).map(|fqdn| format!("{fqdn} is new"));
    let missing = ours.iter().find(|fqdn| !given.contains(fqdn)).map(|fqdn| format!("{fqdn} is missing"));
    match extra.or(missing) {
        None => Ok(()),
        Some(difference) => Err(TopologyXmlError::OtherComputers(difference)),
    }
}
