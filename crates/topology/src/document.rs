//! What a topology file looks like. These types read it and describe it (JSON Schema): their doc comments are what an
//! editor shows while one types. Nothing is checked here but structure; [`crate::load`] gives it meaning.

use firedrill_syntax::{DurationText, Located};
use schemars::JsonSchema;
use serde::Deserialize;

/// A deployment of Skype for Business Server (or Lync Server 2013): one forest, one Central Management Store, its
/// sites, pools, Edge pools, external DNS, partners and users.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Firedrill topology")]
pub struct TopologyDocument {
    /// Name of the deployment in reports, for example `contoso`.
    pub name: Located<String>,
    /// Product generation of the deployment.
    pub product: Located<ProductDocument>,
    /// DNS name of the Active Directory domain. Default: the first SIP domain.
    pub ad_domain: Option<Located<String>>,
    /// SIP domains, the default one first.
    pub sip_domains: Vec<Located<String>>,
    /// Central sites, usually one for each data centre.
    pub sites: Vec<SiteDocument>,
    /// Front End pools: Enterprise Edition pools and Standard Edition servers.
    pub pools: Vec<PoolDocument>,
    /// Edge pools.
    #[serde(default)]
    pub edge_pools: Vec<EdgePoolDocument>,
    /// Domains allowed as XMPP partners at the start, as `New-CsXmppAllowedPartner` adds them. Not in 2019.
    #[serde(default)]
    pub xmpp_allowed_partners: Vec<Located<String>>,
    /// Organisations on the other side of federation.
    #[serde(default)]
    pub partners: Vec<PartnerDocument>,
    /// External DNS zones as they are at the start.
    #[serde(default)]
    pub dns_zones: Vec<ZoneDocument>,
    /// Authoritative name servers of the external zones, in the order in which resolvers ask them: the first is the
    /// primary, the others are its secondaries. Default: one primary that nobody may update or transfer from.
    #[serde(default)]
    pub dns_servers: Vec<NameServerDocument>,
    /// Keys for transaction signatures (RFC 8945).
    #[serde(default)]
    pub tsig_keys: Vec<TsigKeyDocument>,
    /// Enabled users: ranges, and named ones.
    #[serde(default)]
    pub users: Vec<UserDocument>,
}

/// Product generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ProductDocument {
    /// Lync Server 2010.
    #[serde(rename = "2010")]
    Lync2010,
    /// Lync Server 2013.
    #[serde(rename = "2013")]
    Lync2013,
    /// Skype for Business Server 2015.
    #[serde(rename = "2015")]
    Sfb2015,
    /// Skype for Business Server 2019.
    #[serde(rename = "2019")]
    Sfb2019,
}

impl JsonSchema for ProductDocument {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Product".into()
    }

    // YAML reads `2015` as a number and `"2015"` as a text: editors must accept both, as the reader does.
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Product generation: 2013 (Lync Server), 2015 or 2019 (Skype for Business Server). \
                2010 (Lync Server) only for the pool that holds the Central Management Store of an older deployment.",
            "enum": [2010, 2013, 2015, 2019, "2010", "2013", "2015", "2019"],
        })
    }
}

/// A central site.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteDocument {
    /// Name, for example `Site1`; commands know it as `Site:Site1`.
    pub name: Located<String>,
    /// Name of the data centre in reports. Default: the site's name.
    pub display_name: Option<String>,
    /// Edge pool (its internal FQDN) of the site's SIP federation route.
    pub federation_route: Option<Located<String>>,
    /// Edge pool (its internal FQDN) of the site's XMPP federation route. Not in 2019.
    pub xmpp_route: Option<Located<String>>,
}

/// A Front End pool.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolDocument {
    /// Pool FQDN; of a Standard Edition server its own.
    pub fqdn: Located<String>,
    /// Name of the site it belongs to.
    pub site: Located<String>,
    /// Enterprise Edition (several Front Ends with a SQL back end) or Standard Edition (one server).
    pub edition: Located<EditionDocument>,
    /// Generation of this pool where it differs from the deployment's.
    pub product: Option<Located<ProductDocument>>,
    /// Physical or virtual servers; pairs should be alike. Default: virtual.
    pub hosting: Option<HostingDocument>,
    /// Windows Server that its servers run on; pairs should have the same.
    pub windows: Option<Located<WindowsDocument>>,
    /// FQDNs of the Front Ends in topology order: the first ones matter for quorum. Left out for Standard Edition.
    #[serde(default)]
    pub front_ends: Vec<Located<String>>,
    /// SQL back end. Left out for Standard Edition, whose SQL Server Express is on the server itself.
    pub sql: Option<Located<SqlDocument>>,
    /// File store as a UNC path, for example `\\files1.contoso.com\lync`.
    pub file_store: Option<Located<String>>,
    /// Backup pool. Pairs are symmetric: that pool must name this one.
    pub backup: Option<Located<String>>,
    /// "Automatic failover and failback for Voice" towards the backup pool.
    pub voice_resiliency: Option<Located<VoiceResiliencyDocument>>,
    /// Edge pool (its internal FQDN) associated for media: Web Conferencing and A/V.
    pub media_edge: Option<Located<String>>,
    /// Whether this pool holds the active or the standby database of the Central Management Store.
    pub central_management: Option<Located<CentralManagementDocument>>,
    /// Whether the XMPP Translating Gateway is deployed. Default: it is when an Edge pool listens for XMPP. Not in 2019.
    pub xmpp_gateway: Option<Located<bool>>,
}

/// Release of Windows Server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum WindowsDocument {
    /// Windows Server 2008 R2.
    #[serde(rename = "2008 R2")]
    Windows2008R2,
    /// Windows Server 2012.
    #[serde(rename = "2012")]
    Windows2012,
    /// Windows Server 2012 R2.
    #[serde(rename = "2012 R2")]
    Windows2012R2,
    /// Windows Server 2016.
    #[serde(rename = "2016")]
    Windows2016,
    /// Windows Server 2019.
    #[serde(rename = "2019")]
    Windows2019,
    /// Windows Server 2022.
    #[serde(rename = "2022")]
    Windows2022,
}

impl std::fmt::Display for WindowsDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Windows2008R2 => "2008 R2",
            Self::Windows2012 => "2012",
            Self::Windows2012R2 => "2012 R2",
            Self::Windows2016 => "2016",
            Self::Windows2019 => "2019",
            Self::Windows2022 => "2022",
        })
    }
}

impl JsonSchema for WindowsDocument {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Windows".into()
    }

    // As with products: a year is a number or a text.
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Release of Windows Server, for example 2016 or 2012 R2.",
            "enum": ["2008 R2", 2012, "2012", "2012 R2", 2016, "2016", 2019, "2019", 2022, "2022"],
        })
    }
}

/// Edition of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EditionDocument {
    /// Enterprise Edition.
    Enterprise,
    /// Standard Edition.
    Standard,
}

/// What servers run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostingDocument {
    /// Bare metal.
    Physical,
    /// Virtual machines.
    #[default]
    Virtual,
}

/// Which database of the Central Management Store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CentralManagementDocument {
    /// The active one; exactly one pool of the deployment.
    Active,
    /// The standby one, in the backup pool of the active one.
    Standby,
}

/// SQL back end of a pool. An instance is written `host.fqdn\instance`, or the host alone for the default instance.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SqlDocument {
    /// SQL Server Express on the Standard Edition server itself, instance RTC.
    Collocated,
    /// One instance without high availability; also a SQL Server failover cluster, by its network name: its own nodes are
    /// not modelled.
    StandAlone(Located<String>),
    /// Synchronous mirroring (2013 and 2015).
    Mirrored(MirroredDocument),
    /// AlwaysOn availability group (2015 and 2019).
    AlwaysOn(AlwaysOnDocument),
}

/// Synchronous mirroring.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MirroredDocument {
    /// Instance that is primary in the topology and principal at the start.
    pub primary: Located<String>,
    /// Instance that is mirror in the topology.
    pub mirror: Located<String>,
    /// Witness, needed for automatic failover. One witness may serve several pools.
    pub witness: Option<Located<String>>,
    /// Site where the witness stands. Default: that of the first pool that names it.
    pub witness_site: Option<Located<String>>,
}

/// AlwaysOn availability group.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlwaysOnDocument {
    /// FQDN of the availability group listener.
    pub listener: Located<String>,
    /// Instances, the one that is primary at the start first.
    pub nodes: Vec<Located<String>>,
}

/// Automatic failover and failback for Voice.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoiceResiliencyDocument {
    /// The tick-box "Automatic failover and failback for Voice".
    pub automatic: bool,
    /// Failure detection interval. Default: 300s. Below 90s the product uses 90s.
    pub failure_detection: Option<Located<DurationText>>,
    /// Failback detection interval. Default: 600s. Below 90s the product uses 90s.
    pub failback_detection: Option<Located<DurationText>>,
}

/// An Edge pool.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgePoolDocument {
    /// Internal FQDN of the pool; commands know it as `EdgeServer:<fqdn>`.
    pub fqdn: Located<String>,
    /// Name of the site it stands in.
    pub site: Located<String>,
    /// Generation of this Edge pool where it differs from the deployment's.
    pub product: Option<Located<ProductDocument>>,
    /// Its servers in topology order.
    pub servers: Vec<EdgeServerDocument>,
    /// FQDNs seen from outside.
    pub external: EdgeExternalDocument,
    /// "Enable federation for this Edge pool (Port 5061)": exactly one Edge pool should have it. Default: false.
    #[serde(default)]
    pub federation: bool,
    /// XMPP listening port (5269); left out when XMPP federation is not enabled. Not in 2019.
    pub xmpp_port: Option<Located<u16>>,
    /// Next hop: the Front End pool that takes what comes in.
    pub next_hop: Located<String>,
}

/// An Edge Server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeServerDocument {
    /// Internal FQDN of the server.
    pub fqdn: Located<String>,
    /// External IPv4 address of its Access Edge service.
    pub external: Located<String>,
}

/// FQDNs of an Edge pool's services seen from outside.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeExternalDocument {
    /// Access Edge service, for example `sip.contoso.com`.
    pub access: Located<String>,
    /// Web Conferencing Edge service, for example `webcon.contoso.com`.
    pub web_conferencing: Located<String>,
    /// A/V Edge service, for example `av.contoso.com`.
    pub av: Located<String>,
}

/// A federated partner.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerDocument {
    /// Its domain, for example `fabrikam.com`.
    pub domain: Located<String>,
    /// How it federates with this deployment.
    pub federation: Located<Vec<FederationDocument>>,
    /// How its resolver treats TTLs.
    #[serde(default)]
    pub resolver: ResolverDocument,
}

/// A kind of federation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FederationDocument {
    /// SIP over mutual TLS, port 5061.
    Sip,
    /// XMPP server-to-server, port 5269.
    Xmpp,
}

/// How a partner's resolver treats TTLs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolverDocument {
    /// Longest time an answer is kept, whatever its TTL. Default: 1d.
    pub max_ttl: Option<Located<DurationText>>,
    /// Shortest time an answer is kept, whatever its TTL. Default: 0s.
    pub min_ttl: Option<Located<DurationText>>,
    /// Longest time a negative answer is kept (RFC 2308). Default: 3h.
    pub max_negative_ttl: Option<Located<DurationText>>,
    /// For how long after its end an answer is still served while no name server answers (RFC 8767). Default: 0s, not at
    /// all.
    pub serve_stale: Option<Located<DurationText>>,
}

/// An authoritative name server of the external zones.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameServerDocument {
    /// Its host name, for example `ns1.contoso.com`.
    pub host: Located<String>,
    /// Addresses that may transfer zones (AXFR). An address of 127.0.0.0/8 stands for a program on this machine.
    #[serde(default)]
    pub transfer_to: Vec<Located<String>>,
    /// Names of keys whose holders may transfer zones.
    #[serde(default)]
    pub transfer_keys: Vec<Located<String>>,
    /// Addresses that may update zones (RFC 2136) without a key. Only the primary takes updates.
    #[serde(default)]
    pub update_from: Vec<Located<String>>,
    /// Names of keys whose holders may update zones. Only the primary takes updates.
    #[serde(default)]
    pub update_keys: Vec<Located<String>>,
    /// Servers outside the fabric to be told of changes (NOTIFY), address and port: `127.0.0.53:5353`. Loopback only.
    #[serde(default)]
    pub notify: Vec<Located<String>>,
}

/// A key for transaction signatures, as `tsig-keygen` makes them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TsigKeyDocument {
    /// Its name, for example `ops.contoso.com`.
    pub name: Located<String>,
    /// Its algorithm. Default: hmac-sha256.
    pub algorithm: Option<TsigAlgorithmDocument>,
    /// The secret in Base64. A key of a rehearsal, not of production: it stands here for everybody to read.
    pub secret: Located<String>,
}

/// Algorithm of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum TsigAlgorithmDocument {
    /// HMAC-SHA1.
    #[serde(rename = "hmac-sha1")]
    HmacSha1,
    /// HMAC-SHA256.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// HMAC-SHA384.
    #[serde(rename = "hmac-sha384")]
    HmacSha384,
    /// HMAC-SHA512.
    #[serde(rename = "hmac-sha512")]
    HmacSha512,
}

/// Who sees a zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViewDocument {
    /// Everybody outside.
    #[default]
    External,
    /// Computers of the deployment (split horizon). Names that no internal zone holds are resolved in the external zones.
    Internal,
}

/// A DNS zone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneDocument {
    /// Apex of the zone, for example `contoso.com`.
    pub origin: Located<String>,
    /// Who sees it; both views may hold zones of one name. Default: external.
    #[serde(default)]
    pub view: ViewDocument,
    /// A master file (RFC 1035 5) that holds the zone, relative to this file: an export of your name server. Nothing else is
    /// said about the zone here then.
    pub file: Option<Located<String>>,
    /// Start of authority. Every zone has one.
    pub soa: Option<SoaDocument>,
    /// TTL of records that name none. Default: 1h.
    pub ttl: Option<Located<DurationText>>,
    /// Records.
    #[serde(default)]
    pub records: Vec<RecordDocument>,
}

/// Start of authority (RFC 1035 3.3.13).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SoaDocument {
    /// Primary name server, for example `ns1.contoso.com`.
    pub primary: Located<String>,
    /// Mailbox of the person responsible with a dot for the @, for example `hostmaster.contoso.com`.
    pub responsible: Located<String>,
    /// Serial at the start; every change raises it.
    pub serial: u32,
    /// How often secondary servers look for a new serial. Default: 1h.
    pub refresh: Option<Located<DurationText>>,
    /// How soon they try again. Default: 10m.
    pub retry: Option<Located<DurationText>>,
    /// When they give up. Default: 7d.
    pub expire: Option<Located<DurationText>>,
    /// How long resolvers remember that a name does not exist (RFC 2308). Default: 5m.
    pub negative_ttl: Option<Located<DurationText>>,
    /// TTL of the SOA record itself. Default: 1h.
    pub ttl: Option<Located<DurationText>>,
}

/// Records of one name. A name is relative to the zone (`sip`, `_sip._tls`); `@` is the zone's apex; a name that ends
/// in the zone's own is taken as whole.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordDocument {
    /// Owner name.
    pub name: Located<String>,
    /// TTL of these records. Default: the zone's.
    pub ttl: Option<Located<DurationText>>,
    /// IPv4 addresses.
    #[serde(default)]
    pub a: Vec<Located<String>>,
    /// IPv6 addresses.
    #[serde(default)]
    pub aaaa: Vec<Located<String>>,
    /// Alias: the whole name it stands for. Nothing else may stand at an alias.
    pub cname: Option<Located<String>>,
    /// Name servers, whole names.
    #[serde(default)]
    pub ns: Vec<Located<String>>,
    /// Services (RFC 2782).
    #[serde(default)]
    pub srv: Vec<SrvDocument>,
    /// Texts.
    #[serde(default)]
    pub txt: Vec<Located<String>>,
}

impl RecordDocument {
    /// How many records the entry stands for.
    pub fn count(&self) -> usize {
        let Self { name: _, ttl: _, a, aaaa, cname, ns, srv, txt } = self;
        a.len() + aaaa.len() + usize::from(cname.is_some()) + ns.len() + srv.len() + txt.len()
    }
}

/// A service record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SrvDocument {
    /// Lower is tried first.
    pub priority: Located<u16>,
    /// Share among records of equal priority. Default: 0.
    #[serde(default)]
    pub weight: u16,
    /// Port.
    pub port: Located<u16>,
    /// Whole name of the host; `.` says that there is no such service.
    pub target: Located<String>,
}

/// Users: one named user, or with `count` a range of users.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserDocument {
    /// SIP address without `sip:`. In a range `{n}` stands for the number and `{n:05}` for the number with five digits:
    /// `user{n:05}@contoso.com`.
    pub address: Located<String>,
    /// Home pool (`RegistrarPool`).
    pub pool: Located<String>,
    /// How many users the range has.
    pub count: Option<Located<u32>>,
    /// Number of the first user of the range. Default: 1.
    pub start: Option<Located<u32>>,
    /// Display name of a named user.
    pub display_name: Option<Located<String>>,
    /// Enabled for Enterprise Voice. Default: true.
    pub enterprise_voice: Option<bool>,
}
