//! What the type names of the reference mean to the binder.

use firedrill_powershell::ParameterType;
use firedrill_topology::ProductVersion;

/// Enumerations with their members as far as the reference prints them: name in the reference, .NET name, members.
/// `DatabaseNameType` and `BackupCategory` differ by version and are made in [`parameter_type`].
const ENUMS: &[(&str, &str, &[&str])] = &[
    // Dossier B.6.
    (
        "PoolState",
        "Microsoft.Rtc.Management.WritableConfig.Settings.Registrar.PoolState",
        &["Active", "FailingOver", "FailedOver", "FailedBack"],
    ),
    // Dossier B.9.
    (
        "PoolResetType",
        "Microsoft.Rtc.Management.Hadr.PoolResetType",
        &["ServiceReset", "QuorumLossRecovery", "FullReset", "MachineStateRemoved"],
    ),
    // Dossier E.2.
    ("MirrorRole", "Microsoft.Rtc.Management.Deployment.MirrorRole", &["Primary", "Mirror"]),
    // Dossier F.7.
    (
        "PartnerType",
        "Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.PartnerType",
        &["Federated", "PublicVerified", "PublicUnverified"],
    ),
    (
        "SaslNegotiation",
        "Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.SaslNegotiation",
        &["NotSupported", "Optional", "Required"],
    ),
    (
        "TlsNegotiation",
        "Microsoft.Rtc.Management.WritableConfig.Settings.XmppFederation.TlsNegotiation",
        &["NotSupported", "Optional", "Required"],
    ),
    (
        "AuthenticationMechanism",
        "Microsoft.Rtc.Admin.Authentication.AuthenticationMechanism",
        &["TrustedServer", "Negotiate", "ClientCertificate", "LiveID"],
    ),
    ("TcpPort", "System.String", &["HTTP", "RDP", "SMB", "WINRM"]),
];

/// `-DatabaseType` (dossier E.3): what the current and the earlier pages list, per version.
const DATABASE_TYPES: &[(&str, u8)] = &[
    ("ActiveMonitoring", 12),
    ("App", 14),
    ("Application", 14),
    ("Archiving", 14),
    ("BIStaging", 12),
    ("CentralAdmin", 2),
    ("CentralMgmt", 14),
    ("CMS", 14),
    ("Edge", 14),
    ("Lyss", 14),
    ("Monitoring", 14),
    ("PersistentChat", 14),
    ("PersistentChatCompliance", 14),
    ("Provision", 14),
    ("Registrar", 14),
    ("SigninTelemetry", 12),
    ("User", 14),
];

/// The type of a parameter from its name in the reference.
pub(crate) fn parameter_type(command: &str, parameter: &str, raw: &str, version: ProductVersion) -> ParameterType {
    if let Some(element) = raw.strip_suffix("[]") {
        return ParameterType::Array(Box::new(parameter_type(command, parameter, element, version)));
    }
    // `-Filter` of the user cmdlets is an OPATH expression and often written as a script block.
    if parameter == "Filter"
        && matches!(
            command,
            "Get-CsUser"
                | "Get-CsAdUser"
                | "Get-CsMeetingRoom"
                | "Get-CsCommonAreaPhone"
                | "Get-CsAnalogDevice"
                | "Get-ADUser"
                | "Get-ADComputer"
                | "Get-ADGroup"
                | "Get-ADDomainController"
        )
    {
        return ParameterType::Filter;
    }
    let short = raw.rsplit('.').next().unwrap_or(raw);
    if let Some((_, full, members)) = ENUMS.iter().find(|(name, ..)| *name == short) {
        return enumeration(full, members.iter().copied());
    }
    match short {
        "SwitchParameter" => ParameterType::Switch,
        "Boolean" => ParameterType::Bool,
        "Byte" => ParameterType::Integer("System.Byte".into(), 0, 255),
        "Int16" => ParameterType::Integer("System.Int16".into(), i128::from(i16::MIN), i128::from(i16::MAX)),
        "UInt16" => ParameterType::Integer("System.UInt16".into(), 0, i128::from(u16::MAX)),
        "Int32" => ParameterType::Integer("System.Int32".into(), i128::from(i32::MIN), i128::from(i32::MAX)),
        "UInt32" => ParameterType::Integer("System.UInt32".into(), 0, i128::from(u32::MAX)),
        "Int64" => ParameterType::Integer("System.Int64".into(), i128::from(i64::MIN), i128::from(i64::MAX)),
        "UInt64" => ParameterType::Integer("System.UInt64".into(), 0, i128::from(u64::MAX)),
        "TimeSpan" => ParameterType::TimeSpan,
        "DateTime" => ParameterType::DateTime,
        "Guid" => ParameterType::Guid,
        "Hashtable" => ParameterType::Hashtable,
        "String" | "string" => ParameterType::Text("System.String".into()),
        "Fqdn" => ParameterType::Text("Microsoft.Rtc.Management.Deploy.Fqdn".into()),
        "XdsIdentity" => ParameterType::Text("Microsoft.Rtc.Management.Xds.XdsIdentity".into()),
        "XdsGlobalRelativeIdentity" => ParameterType::Text("Microsoft.Rtc.Management.Xds.XdsGlobalRelativeIdentity".into()),
        "UserIdParameter" => ParameterType::Text("Microsoft.Rtc.Management.AD.UserIdParameter".into()),
        "OUIdParameter" => ParameterType::Text("Microsoft.Rtc.Management.AD.OUIdParameter".into()),
        "RgsIdentity" => ParameterType::Text("Microsoft.Rtc.Rgs.Management.RgsIdentity".into()),
        "Uri" => ParameterType::Text("System.Uri".into()),
        "IPAddress" => ParameterType::Text("System.Net.IPAddress".into()),
        "PhoneNumber" => ParameterType::Text("Microsoft.Rtc.Management.PhoneNumber".into()),
        "DatabaseNameType" => database_types(version),
        "BackupCategory" => {
            let members: &[&str] = if version >= ProductVersion::Sfb2015 { &["CMS", "UserData", "RGS"] } else { &["CMS", "UserData"] };
            enumeration("Microsoft.Rtc.Management.Hadr.BackupService.BackupCategory", members.iter().copied())
        }
        // A count or the word "Unlimited"; a list, a hashtable of changes; objects of any kind.
        _ if raw.contains("Unlimited") => ParameterType::Text("Microsoft.Rtc.Management.ADConnect.Core.Unlimited`1[System.UInt32]".into()),
        // The members of the remaining enumerations are not in the facts: text, as they print.
        _ if is_enumeration(short) => ParameterType::Text(short.into()),
        _ => ParameterType::Object,
    }
}

fn database_types(version: ProductVersion) -> ParameterType {
    let bit: u8 = match version {
        ProductVersion::Lync2010 | ProductVersion::Lync2013 => 2,
        ProductVersion::Sfb2015 => 4,
        ProductVersion::Sfb2019 => 8,
    };
    let members = DATABASE_TYPES.iter().filter(|(_, versions)| versions & bit != 0).map(|(name, _)| *name);
    enumeration("Microsoft.Rtc.Management.Deployment.DatabaseNameType", members)
}

fn enumeration(full: &str, members: impl Iterator<Item = &'static str>) -> ParameterType {
    ParameterType::Enum(full.into(), members.map(Into::into).collect())
}

/// Types of the reference that are written as one word and whose members the facts do not list.
fn is_enumeration(short: &str) -> bool {
    const OBJECTS: &[&str] = &[
        "PSObject",
        "PSCredential",
        "Object",
        "NTService",
        "XElement",
        "ChatRoom",
        "AudioFile",
        "X509Certificate2",
        "SecureString",
        "Addin",
        "Category",
        "AgentGroup",
        "HolidaySet",
        "BusinessHours",
        "Queue",
        "Workflow",
        "LocationProfile",
        "TrunkConfiguration",
        "VoicePolicy",
        "CallAction",
        "TimeRange",
        "Prompt",
        "Question",
        "NormalizationRule",
        "Route",
        "TestConfiguration",
        "AccessNumber",
        "AcpInfo",
        "CertificateReference",
        "DisplayPhoto",
        "Filter",
        "PSListModifier",
        "ServiceSettings",
        "IRealmChoice",
        "ITLSTLSChoice",
        "ITransportChoice",
    ];
    !OBJECTS.contains(&short) && short.chars().all(|c| c.is_ascii_alphanumeric())
}
