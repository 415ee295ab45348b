//! The configuration document: what the Central Management Store holds and replicas copy (dossier D.1).
//!
//! One value per version. The active database, the standby database, every computer's replica and a Topology Builder
//! draft each hold one, shared. Behaviour follows the copy on the computer concerned, never a global truth.

use std::collections::BTreeMap;

use firedrill_topology::{EdgePoolId, PoolId, Topology, VoiceResiliency};

use crate::time::SimDuration;

/// One version of the deployment's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Configuration {
    /// Counts changes; never decreases within one database.
    pub version: u64,
    /// By site.
    pub sites: Vec<SiteConfiguration>,
    /// By pool.
    pub pools: Vec<PoolConfiguration>,
    /// By Edge pool.
    pub edges: Vec<EdgeConfiguration>,
    /// Pool whose Central Management Server is active according to the topology.
    pub cms_active: PoolId,
    /// Pool with the standby database according to the topology.
    pub cms_standby: Option<PoolId>,
    /// XMPP partners by domain (`New-CsXmppAllowedPartner`).
    pub xmpp_partners: BTreeMap<String, XmppAllowedPartner>,
    /// `Get-CsXmppGatewayConfiguration`.
    pub xmpp_gateway: XmppGatewayConfiguration,
    /// `Get-CsBackupServiceConfiguration`.
    pub backup_service: BackupServiceConfiguration,
}

/// Settings of a site (dossier F.3, F.7).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SiteConfiguration {
    /// Site federation route.
    pub federation_route: Option<EdgePoolId>,
    /// XMPP federation route.
    pub xmpp_route: Option<EdgePoolId>,
}

/// Settings of a Front End pool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PoolConfiguration {
    /// Backup pool.
    pub backup: Option<PoolId>,
    /// Voice resiliency.
    pub voice: VoiceResiliency,
    /// Edge pool for media.
    pub media_edge: Option<EdgePoolId>,
    /// `PoolState` of the registrar configuration (dossier B.6).
    pub pool_state: PoolState,
    /// `BackupStoreUnavailableThreshold`, 30 minutes by default (dossier B.6, E.5).
    pub backup_store_unavailable_threshold: SimDuration,
    /// Further registrar settings that are stored and shown, without effect in the model.
    pub registrar: RegistrarSettings,
}

/// `PoolState` (dossier B.6, 0.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum PoolState {
    /// Serves its own users.
    Active,
    /// A failover has begun and not ended.
    FailingOver,
    /// The backup pool serves its users in full.
    FailedOver,
    /// A failback has begun and not ended.
    FailedBack,
}

/// Registrar settings of `Get-CsRegistrarConfiguration` (dossier B.6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegistrarSettings {
    /// `MinEndpointExpiration`, seconds.
    pub min_endpoint_expiration: u32,
    /// `MaxEndpointExpiration`, seconds.
    pub max_endpoint_expiration: u32,
    /// `DefaultEndpointExpiration`, seconds.
    pub default_endpoint_expiration: u32,
    /// `MaxEndpointsPerUser`.
    pub max_endpoints_per_user: u32,
    /// `MaxUserCount`.
    pub max_user_count: u32,
    /// `EnableDHCPServer`.
    pub enable_dhcp_server: bool,
}

/// Settings of an Edge pool (dossier F.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EdgeConfiguration {
    /// Next hop registrar.
    pub next_hop: PoolId,
    /// "Enable federation for this Edge pool (Port 5061)".
    pub federation: bool,
    /// `XmppListeningPort`; `None` when XMPP is not enabled.
    pub xmpp_listening_port: Option<u16>,
    /// All other ports by parameter name of `Set-CsEdgeServer`, where they differ from the defaults.
    pub ports: BTreeMap<String, u16>,
}

/// A partner allowed over XMPP (dossier F.7).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the fields are the parameters of New-CsXmppAllowedPartner: dossier F.7")]
pub struct XmppAllowedPartner {
    pub domain: String,
    pub partner_type: String,
    pub sasl_negotiation: String,
    pub tls_negotiation: String,
    pub support_dialback_negotiation: bool,
    pub enable_keep_alive: bool,
    pub additional_domains: Vec<String>,
    pub connection_limit: Option<u32>,
    pub proxy_fqdn: Option<String>,
    pub description: Option<String>,
}

/// XMPP gateway settings (dossier F.7).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the fields are the parameters of Set-CsXmppGatewayConfiguration: dossier F.7")]
pub struct XmppGatewayConfiguration {
    pub keep_alive_interval: u32,
    pub partner_connection_limit: u32,
    pub stream_establishment_timeout: u32,
    pub stream_inactivity_timeout: u32,
    pub subscription_refresh_interval: u32,
    pub connection_limit: Option<u32>,
    pub dialback_passphrase: Option<String>,
    pub enable_logging_all_message_bodies: bool,
}

/// Backup Service settings (dossier A.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the fields are the parameters of Set-CsBackupServiceConfiguration: dossier A.5")]
pub struct BackupServiceConfiguration {
    pub sync_interval: SimDuration,
    pub max_concurrent_calls: u32,
    pub max_batches_per_cms_sync: u32,
    pub max_batches_per_user_store_sync: u32,
    pub max_data_conf_package_size_kb: u32,
    pub enable_rgs_backup_service: bool,
}

impl Configuration {
    /// The configuration that a topology starts with.
    pub fn initial(topology: &Topology) -> Self {
        Self {
            version: 1,
            sites: topology
                .sites
                .iter()
                .map(|site| SiteConfiguration { federation_route: site.federation_route, xmpp_route: site.xmpp_route })
                .collect(),
            pools: topology
                .pools
                .iter()
                .map(|pool| PoolConfiguration {
                    backup: pool.backup,
                    voice: pool.voice,
                    media_edge: pool.media_edge,
                    pool_state: PoolState::Active,
                    backup_store_unavailable_threshold: SimDuration::from_mins(30),
                    registrar: RegistrarSettings::default(),
                })
                .collect(),
            edges: topology
                .edge_pools
                .iter()
                .map(|edge| EdgeConfiguration {
                    next_hop: edge.next_hop,
                    federation: edge.federation,
                    xmpp_listening_port: edge.xmpp_listening_port,
                    ports: BTreeMap::new(),
                })
                .collect(),
            cms_active: topology.cms.active,
            cms_standby: topology.cms.standby,
            xmpp_partners: topology
                .xmpp_allowed_partners
                .iter()
                .map(|domain| (domain.clone(), XmppAllowedPartner::with_defaults(domain.clone())))
                .collect(),
            xmpp_gateway: XmppGatewayConfiguration::default(),
            backup_service: BackupServiceConfiguration::default(),
        }
    }
}

impl Configuration {
    /// Whether the document describes this deployment: as many sites, pools and Edge pools, and no reference beyond them.
    pub(crate) fn fits(&self, topology: &Topology) -> bool {
        let pool = |id: &PoolId| id.index() < topology.pools.len();
        let edge = |id: &EdgePoolId| id.index() < topology.edge_pools.len();
        self.sites.len() == topology.sites.len()
            && self.pools.len() == topology.pools.len()
            && self.edges.len() == topology.edge_pools.len()
            && pool(&self.cms_active)
            && self.cms_standby.iter().all(pool)
            && self.sites.iter().flat_map(|site| site.federation_route.iter().chain(&site.xmpp_route)).all(edge)
            && self.pools.iter().all(|settings| settings.backup.iter().all(pool) && settings.media_edge.iter().all(edge))
            && self.edges.iter().all(|settings| pool(&settings.next_hop))
    }
}

impl Default for RegistrarSettings {
    fn default() -> Self {
        Self {
            min_endpoint_expiration: 300,
            max_endpoint_expiration: 900,
            default_endpoint_expiration: 600,
            max_endpoints_per_user: 8,
            max_user_count: 12_000,
            enable_dhcp_server: false,
        }
    }
}

impl XmppAllowedPartner {
    /// Whether a domain is this partner's: its primary one, or one of the additional ones.
    pub fn has_domain(&self, domain: &str) -> bool {
        std::iter::once(&self.domain).chain(&self.additional_domains).any(|known| known.eq_ignore_ascii_case(domain))
    }

    /// A partner with the defaults of `New-CsXmppAllowedPartner`.
    pub fn with_defaults(domain: String) -> Self {
        Self {
            domain,
            partner_type: "PublicUnverified".into(),
            sasl_negotiation: "Required".into(),
            tls_negotiation: "Required".into(),
            support_dialback_negotiation: true,
            enable_keep_alive: true,
            additional_domains: Vec::new(),
            connection_limit: None,
            proxy_fqdn: None,
            description: None,
        }
    }
}

impl Default for XmppGatewayConfiguration {
    fn default() -> Self {
        Self {
            keep_alive_interval: 300,
            partner_connection_limit: 20,
            stream_establishment_timeout: 60,
            stream_inactivity_timeout: 600,
            subscription_refresh_interval: 28_800,
            connection_limit: None,
            dialback_passphrase: None,
            enable_logging_all_message_bodies: false,
        }
    }
}

impl Default for BackupServiceConfiguration {
    fn default() -> Self {
        Self {
            sync_interval: SimDuration::from_mins(2),
            max_concurrent_calls: 10,
            max_batches_per_cms_sync: 500,
            max_batches_per_user_store_sync: 500,
            max_data_conf_package_size_kb: 102_400,
            enable_rgs_backup_service: false,
        }
    }
}
