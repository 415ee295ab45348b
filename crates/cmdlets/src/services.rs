//! `Get-CsService` (dossier J 5 to 8, F.2, B.7, D.4).

use firedrill_fabric::{Configuration, SimDuration};
use firedrill_powershell::{PsObject, Value};

use crate::commands::Command;
use crate::context::{Cx, Done, like, number, span, texts};
use crate::inventory::{self, Owner, Role, Service};
use crate::shapes::Shape;

pub(crate) const COMMANDS: &[Command] = &[Command::new("Get-CsService", get_service, SWITCHES)];

/// Role switches; roles that no deployment of the model has simply find nothing.
const SWITCHES: &[&str] = &[
    "Identity",
    "Filter",
    "PoolFqdn",
    "ApplicationDatabase",
    "ApplicationServer",
    "ArchivingDatabase",
    "ArchivingServer",
    "BackupServer",
    "CentralManagement",
    "CentralManagementDatabase",
    "ConferencingServer",
    "Director",
    "EdgeServer",
    "FileStore",
    "LegalInterceptServer",
    "ManagementServer",
    "MediationServer",
    "MonitoringDatabase",
    "MonitoringServer",
    "PersistentChatComplianceDatabase",
    "PersistentChatDatabase",
    "PersistentChatServer",
    "PstnGateway",
    "Registrar",
    "TrustedApplicationPool",
    "UserDatabase",
    "UserServer",
    "VideoGateway",
    "VideoInteropServer",
    "WacServer",
    "WebServer",
];

/// Dossier J 6 and B.7.
pub(crate) static REGISTRAR: Shape = Shape::new(
    "Microsoft.Rtc.Management.Xds.DisplayRegistrar",
    &[
        "Identity",
        "SipServerPort",
        "SipServerTcpPort",
        "BackupRegistrar",
        "EnableAutomaticFailover",
        "FailureDetectionInterval",
        "FailbackDetectionInterval",
        "UserServer",
        "WebServer",
        "EdgeServer",
        "MonitoringDatabase",
        "ArchivingDatabase",
        "LyssWcfMtlsPort",
        "WinFabFederationPort",
        "WinFabLeaseAgentPort",
        "WinFabClientConnectionPort",
        "WinFabIPCPort",
        "WinFabReplicationPort",
        "XmppGatewaySipPort",
        "DependentServiceList",
        "ServiceId",
        "SiteId",
        "PoolFqdn",
        "Version",
        "Role",
    ],
);
/// Dossier F.2.
pub(crate) static EDGE_SERVER: Shape = Shape::new(
    "Microsoft.Rtc.Management.Xds.DisplayEdgeServer",
    &[
        "Identity",
        "Registrar",
        "AccessEdgeInternalSipPort",
        "AccessEdgeExternalSipPort",
        "AccessEdgeClientSipPort",
        "DataPsomServerPort",
        "DataPsomClientPort",
        "MediaRelayAuthEdgePort",
        "MediaRelayInternalTurnTcpPort",
        "MediaRelayExternalTurnTcpPort",
        "MediaRelayInternalTurnUdpPort",
        "MediaRelayExternalTurnUdpPort",
        "MediaCommunicationPortStart",
        "MediaCommunicationPortCount",
        "AccessEdgeExternalFqdn",
        "DataEdgeExternalFqdn",
        "AVEdgeExternalFqdn",
        "InternalInterfaceFqdn",
        "ExternalMrasFqdn",
        "XmppInternalPort",
        "XmppListeningPort",
        "SkypeSearchProxyPort",
        "DependentServiceList",
        "ServiceId",
        "SiteId",
        "PoolFqdn",
        "Version",
        "Role",
    ],
);
/// Dossier J 5.
pub(crate) static CENTRAL_MANAGEMENT: Shape = Shape::new(
    "Microsoft.Rtc.Management.Xds.DisplayCentralManagement",
    &[
        "Identity",
        "CentralManagementDatabase",
        "MirrorCentralManagementDatabase",
        "ReplicationPort",
        "Active",
        "DependentServiceList",
        "ServiceId",
        "SiteId",
        "PoolFqdn",
        "Version",
        "Role",
    ],
);
/// Dossier J 8.
pub(crate) static USER_SERVER: Shape = Shape::new(
    "Microsoft.Rtc.Management.Xds.DisplayUserServer",
    &[
        "Identity",
        "UserDatabase",
        "MirrorUserDatabase",
        "McuFactorySipPort",
        "UserPinManagementWcfHttpPort",
        "ServiceId",
        "SiteId",
        "PoolFqdn",
        "Version",
        "Role",
    ],
);
const SQL_STORE_PROPERTIES: &[&str] =
    &["Identity", "SqlInstanceName", "DependentServiceList", "ServiceId", "SiteId", "PoolFqdn", "Version", "Role"];
const PLAIN_PROPERTIES: &[&str] = &["Identity", "DependentServiceList", "ServiceId", "SiteId", "PoolFqdn", "Version", "Role"];
/// Dossier D.4.
pub(crate) static CENTRAL_MANAGEMENT_DATABASE: Shape =
    Shape::new("Microsoft.Rtc.Management.Xds.DisplayCentralManagementDatabase", SQL_STORE_PROPERTIES);
/// As the CMS database (inferred).
pub(crate) static USER_DATABASE: Shape = Shape::new("Microsoft.Rtc.Management.Xds.DisplayUserDatabase", SQL_STORE_PROPERTIES);
/// As the CMS database (inferred).
pub(crate) static APPLICATION_DATABASE: Shape = Shape::new("Microsoft.Rtc.Management.Xds.DisplayApplicationDatabase", SQL_STORE_PROPERTIES);
/// Inferred.
pub(crate) static FILE_STORE: Shape = Shape::new(
    "Microsoft.Rtc.Management.Xds.DisplayFileStore",
    &["Identity", "ShareName", "DependentServiceList", "ServiceId", "SiteId", "PoolFqdn", "Version", "Role"],
);
/// Services without settings of their own in the model (inferred).
pub(crate) static WEB_SERVER: Shape = Shape::new("Microsoft.Rtc.Management.Xds.DisplayWebServer", PLAIN_PROPERTIES);
/// See [`WEB_SERVER`].
pub(crate) static CONFERENCING_SERVER: Shape = Shape::new("Microsoft.Rtc.Management.Xds.DisplayConferencingServer", PLAIN_PROPERTIES);
/// See [`WEB_SERVER`].
pub(crate) static APPLICATION_SERVER: Shape = Shape::new("Microsoft.Rtc.Management.Xds.DisplayApplicationServer", PLAIN_PROPERTIES);
/// See [`WEB_SERVER`].
pub(crate) static MEDIATION_SERVER: Shape = Shape::new("Microsoft.Rtc.Management.Xds.DisplayMediationServer", PLAIN_PROPERTIES);
/// See [`WEB_SERVER`].
pub(crate) static BACKUP_SERVER: Shape = Shape::new("Microsoft.Rtc.Management.Xds.DisplayBackupServer", PLAIN_PROPERTIES);
/// See [`WEB_SERVER`].
pub(crate) static MANAGEMENT_SERVER: Shape = Shape::new("Microsoft.Rtc.Management.Xds.DisplayManagementServer", PLAIN_PROPERTIES);

fn get_service(cx: &mut Cx<'_>) -> Done {
    let configuration = cx.store()?;
    let services = inventory::services(&cx.topology, &configuration);
    let role = SWITCHES[3..].iter().find(|switch| cx.switch(switch));
    let identity = cx.text("Identity");
    let pool = cx.text("PoolFqdn");
    let filter = cx.text("Filter");
    let mut found = 0;
    for service in &services {
        let name = service.identity();
        let wanted = role.is_none_or(|role| *role == service.role.prefix())
            && pool.as_ref().is_none_or(|pool| pool.eq_ignore_ascii_case(&service.cluster))
            && identity.as_ref().is_none_or(|identity| identity_matches(identity, &name))
            && filter.as_ref().is_none_or(|filter| like(filter, &name));
        if !wanted {
            continue;
        }
        found += 1;
        let object = service_object(cx, &configuration, &services, service);
        cx.output(object);
    }
    if let (0, Some(identity)) = (found, identity) {
        let error = cx.not_found("service", &identity);
        cx.error(error);
    }
    Ok(())
}

/// `Registrar:pool1.contoso.com`, also with `Service:` before it.
fn identity_matches(wanted: &str, name: &str) -> bool {
    let bare = match wanted.split_once(':') {
        Some((head, tail)) if head.eq_ignore_ascii_case("service") => tail,
        _ => wanted,
    };
    bare.eq_ignore_ascii_case(name)
}

/// Identities of the services that depend on one.
fn dependents(cx: &Cx<'_>, configuration: &Configuration, services: &[Service], service: &Service) -> Value {
    texts(
        services
            .iter()
            .filter(|other| {
                inventory::dependencies(other, &cx.topology, configuration)
                    .iter()
                    .any(|(role, owner)| *role == service.role && *owner == service.owner)
            })
            .map(Service::identity),
    )
}

/// `EdgeServer` settings with the defaults of `Set-CsEdgeServer` (dossier F.1); the Xmpp gateway port is 23456, as in
/// the firewall documents (dossier L).
const EDGE_PORTS: &[(&str, u16)] = &[
    ("AccessEdgeInternalSipPort", 5061),
    ("AccessEdgeExternalSipPort", 5061),
    ("AccessEdgeClientSipPort", 443),
    ("DataPsomServerPort", 8057),
    ("DataPsomClientPort", 443),
    ("MediaRelayAuthEdgePort", 5062),
    ("MediaRelayInternalTurnTcpPort", 443),
    ("MediaRelayExternalTurnTcpPort", 443),
    ("MediaRelayInternalTurnUdpPort", 3478),
    ("MediaRelayExternalTurnUdpPort", 3478),
    ("MediaCommunicationPortStart", 50_000),
    ("MediaCommunicationPortCount", 10_000),
    ("XmppInternalPort", 23_456),
    ("SkypeSearchProxyPort", 4443),
];

/// A port of an Edge pool, set or default.
pub(crate) fn edge_port(configuration: &Configuration, edge: firedrill_topology::EdgePoolId, name: &str) -> Option<u16> {
    let set = configuration.edges[edge.index()].ports.get(name).copied();
    set.or_else(|| EDGE_PORTS.iter().find(|(port, _)| *port == name).map(|(_, default)| *default))
}

/// Ports of an Edge pool by parameter name of `Set-CsEdgeServer`, without the listening port of XMPP.
pub(crate) fn edge_port_names() -> impl Iterator<Item = &'static str> {
    EDGE_PORTS.iter().map(|(name, _)| *name)
}

fn service_object(cx: &Cx<'_>, configuration: &Configuration, services: &[Service], service: &Service) -> PsObject {
    let identity = service.identity();
    let id = Value::str(identity.as_str());
    let dependents = dependents(cx, configuration, services, service);
    let tail = |mut head: Vec<Value>, with_dependents: bool| {
        if with_dependents {
            head.push(dependents.clone());
        }
        head.extend([
            Value::str(service.id()),
            Value::str(cx.site_identity(service.site)),
            Value::str(service.cluster.as_str()),
            Value::Int(service.version.topology_integer()),
            Value::str(service.role.prefix()),
        ]);
        head
    };
    let object = match (service.role, service.owner) {
        (Role::Registrar, Owner::Pool(pool)) => {
            let settings = &configuration.pools[pool.index()];
            let fqdn = cx.pool_fqdn(pool);
            let paired = settings.backup.is_some();
            let interval = |seconds: u32| if paired { span(SimDuration::from_secs(i64::from(seconds))) } else { Value::Null };
            let ports = [5077, 5090, 5091, 5092, 5093, 5094, 5098].map(Value::Int);
            let mut head = vec![
                id,
                Value::Int(5061),
                Value::Int(5060),
                settings.backup.map(|backup| format!("Registrar:{}", cx.pool_fqdn(backup))).into(),
                Value::Bool(settings.voice.automatic),
                interval(settings.voice.detection_seconds),
                interval(settings.voice.failback_seconds),
                Value::str(format!("UserServer:{fqdn}")),
                Value::str(format!("WebServer:{fqdn}")),
                settings.media_edge.map(|edge| format!("EdgeServer:{}", cx.edge_fqdn(edge))).into(),
                Value::Null,
                Value::Null,
            ];
            head.extend(ports);
            REGISTRAR.object(tail(head, true))
        }
        (Role::UserServer, Owner::Pool(pool)) => {
            let (store, mirror) = stores(cx, pool, "UserDatabase");
            USER_SERVER.object(tail(vec![id, store, mirror, Value::Int(444), Value::Int(443)], false))
        }
        (Role::CentralManagement, Owner::Pool(pool)) => {
            let (store, mirror) = stores(cx, pool, "CentralManagementDatabase");
            let active = Value::Bool(configuration.cms_active == pool);
            CENTRAL_MANAGEMENT.object(tail(vec![id, store, mirror, Value::Int(4443), active], true))
        }
        (Role::CentralManagementDatabase | Role::UserDatabase | Role::ApplicationDatabase, Owner::Pool(pool)) => {
            let shape = match service.role {
                Role::CentralManagementDatabase => &CENTRAL_MANAGEMENT_DATABASE,
                Role::UserDatabase => &USER_DATABASE,
                _ => &APPLICATION_DATABASE,
            };
            let instance = inventory::sql_instance(&cx.topology, cx.topology.pool(pool));
            shape.object(tail(vec![id, Value::str(instance)], true))
        }
        (Role::FileStore, Owner::Pool(pool)) => {
            let share = cx.topology.pool(pool).file_store.map(|store| cx.topology.file_stores[store.index()].share.clone());
            FILE_STORE.object(tail(vec![id, share.into()], true))
        }
        (Role::EdgeServer, Owner::Edge(edge)) => EDGE_SERVER.object(tail(edge_values(cx, configuration, edge, id), true)),
        (role, _) => {
            let shape = match role {
                Role::WebServer => &WEB_SERVER,
                Role::ConferencingServer => &CONFERENCING_SERVER,
                Role::ApplicationServer => &APPLICATION_SERVER,
                Role::MediationServer => &MEDIATION_SERVER,
                Role::BackupServer => &BACKUP_SERVER,
                _ => &MANAGEMENT_SERVER,
            };
            shape.object(tail(vec![id], true))
        }
    };
    object.with_text(identity)
}

fn stores(cx: &Cx<'_>, pool: firedrill_topology::PoolId, prefix: &str) -> (Value, Value) {
    let pool = cx.topology.pool(pool);
    let store = format!("{prefix}:{}", inventory::sql_cluster(&cx.topology, pool));
    let mirror = inventory::sql_mirror(pool).map(|mirror| format!("{prefix}:{}", cx.sql_fqdn(mirror)));
    (Value::str(store), mirror.into())
}

fn edge_values(cx: &Cx<'_>, configuration: &Configuration, id: firedrill_topology::EdgePoolId, identity: Value) -> Vec<Value> {
    let edge = cx.topology.edge_pool(id);
    let settings = &configuration.edges[id.index()];
    let port = |name: &str| edge_port(configuration, id, name).map_or(Value::Null, number);
    let federation = if settings.federation { port("AccessEdgeExternalSipPort") } else { Value::Null };
    vec![
        identity,
        Value::str(format!("Registrar:{}", cx.pool_fqdn(settings.next_hop))),
        port("AccessEdgeInternalSipPort"),
        federation,
        port("AccessEdgeClientSipPort"),
        port("DataPsomServerPort"),
        port("DataPsomClientPort"),
        port("MediaRelayAuthEdgePort"),
        port("MediaRelayInternalTurnTcpPort"),
        port("MediaRelayExternalTurnTcpPort"),
        port("MediaRelayInternalTurnUdpPort"),
        port("MediaRelayExternalTurnUdpPort"),
        port("MediaCommunicationPortStart"),
        port("MediaCommunicationPortCount"),
        Value::str(edge.access_fqdn.as_str()),
        Value::str(edge.web_conferencing_fqdn.as_str()),
        Value::str(edge.av_fqdn.as_str()),
        Value::str(edge.fqdn.as_str()),
        Value::str(edge.av_fqdn.as_str()),
        port("XmppInternalPort"),
        settings.xmpp_listening_port.map_or(Value::Null, number),
        port("SkypeSearchProxyPort"),
    ]
}
