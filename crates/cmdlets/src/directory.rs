//! The ActiveDirectory module over the deployment's users and computers.
//!
//! Users are those that are enabled for the product; groups are those that setup of the product makes (documented:
//! dossier A.5, the RBAC and RTC groups). Everything else in a directory is not part of the model.

use std::sync::Arc;

use firedrill_powershell::command::CommandError;
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{ComputerId, ComputerRole, UserId};

use crate::commands::Command;
use crate::context::{Cx, Done, as_text, failure, like, texts};
use crate::texts::{fill, text};
use crate::user_filter::{Field, Filter, Literal};
use crate::users::{find_users, user_names};

const READS: &[&str] = &[
    "Filter",
    "Identity",
    "Properties",
    "ResultSetSize",
    "ResultPageSize",
    "Server",
    "SearchBase",
    "SearchScope",
    "AuthType",
    "Credential",
];

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Get-ADUser", get_user, READS).implemented_by("Microsoft.ActiveDirectory.Management.Commands.GetADUser"),
    Command::new("Get-ADComputer", get_computer, READS).implemented_by("Microsoft.ActiveDirectory.Management.Commands.GetADComputer"),
    Command::new("Get-ADGroup", get_group, READS).implemented_by("Microsoft.ActiveDirectory.Management.Commands.GetADGroup"),
    Command::new("Get-ADGroupMember", get_members, &["Identity", "Recursive", "Server", "AuthType", "Credential"])
        .implemented_by("Microsoft.ActiveDirectory.Management.Commands.GetADGroupMember"),
    Command::new("Get-ADDomain", get_domain, &["Current", "Identity", "Server", "AuthType", "Credential"])
        .implemented_by("Microsoft.ActiveDirectory.Management.Commands.GetADDomain"),
    Command::new("Get-ADForest", get_forest, &["Current", "Identity", "Server", "AuthType", "Credential"])
        .implemented_by("Microsoft.ActiveDirectory.Management.Commands.GetADForest"),
    Command::new(
        "Get-ADDomainController",
        get_controller,
        &[
            "Identity",
            "Filter",
            "Discover",
            "DomainName",
            "ForceDiscover",
            "Service",
            "SiteName",
            "NextClosestSite",
            "Writable",
            "Server",
            "AuthType",
            "Credential",
        ],
    )
    .implemented_by("Microsoft.ActiveDirectory.Management.Commands.GetADDomainController"),
];

/// Groups that setup makes, with a description (documented: "Administrative groups" of the product's planning pages).
const GROUPS: &[(&str, &str)] = &[
    ("CSAdministrator", "Members of this group can perform all administrative tasks."),
    ("CSArchivingAdministrator", "Members of this group can modify archiving configuration and policies."),
    ("CSHelpDesk", "Members of this group can view the deployment and troubleshoot."),
    ("CSServerAdministrator", "Members of this group can manage, monitor and troubleshoot servers and services."),
    ("CSUserAdministrator", "Members of this group can enable and disable users, move users and assign policies."),
    ("CSViewOnlyAdministrator", "Members of this group can view the deployment."),
    ("CSVoiceAdministrator", "Members of this group can create, configure and manage voice settings and policies."),
    ("RTCComponentUniversalServices", "Members can be used for running A/V conferencing and web components."),
    ("RTCHSUniversalServices", "Members can be used to run the Front End services."),
    ("RTCSBSUniversalServices", "Members can be used to run survivable branch services."),
    ("RTCUniversalConfigReplicator", "Members can take part in configuration replication."),
    ("RTCUniversalGlobalReadOnlyGroup", "Members have read access to global settings."),
    ("RTCUniversalGlobalWriteGroup", "Members have write access to global settings."),
    ("RTCUniversalReadOnlyAdmins", "Members can only read server and user properties."),
    ("RTCUniversalServerAdmins", "Members can manage all aspects of servers."),
    ("RTCUniversalServerReadOnlyGroup", "Members have read access to server settings."),
    ("RTCUniversalUserAdmins", "Members can manage users."),
    ("RTCUniversalUserReadOnlyGroup", "Members have read access to user settings."),
];

fn domain_dn(cx: &Cx<'_>) -> String {
    cx.topology.ad_domain.split('.').map(|label| format!("DC={label}")).collect::<Vec<_>>().join(",")
}

fn netbios(cx: &Cx<'_>) -> String {
    cx.topology.ad_domain.split('.').next().unwrap_or_default().to_uppercase()
}

/// Refuses when no domain controller answers.
fn need_server(cx: &mut Cx<'_>) -> Done {
    if let Some(filter) = cx.text("LDAPFilter") {
        cx.unmodelled("LDAPFilter", &filter);
    }
    if cx.fabric.directory_up() {
        return Ok(());
    }
    let (template, id) = match cx.text("Server") {
        Some(_) => (text::AD_SERVER_DOWN, "ActiveDirectoryServer:0"),
        None => (text::AD_NO_SERVER, "ActiveDirectoryServer:1355"),
    };
    let exception = "Microsoft.ActiveDirectory.Management.ADServerDownException";
    Err(failure(template.template, id, "ResourceUnavailable", exception, Value::str(cx.topology.ad_domain.as_str())))
}

fn not_found(cx: &Cx<'_>, identity: &str) -> Box<CommandError> {
    failure(
        fill(text::AD_NOT_FOUND, &[identity, &domain_dn(cx)]),
        "ActiveDirectoryCmdlet:Microsoft.ActiveDirectory.Management.ADIdentityNotFoundException",
        "ObjectNotFound",
        "Microsoft.ActiveDirectory.Management.ADIdentityNotFoundException",
        Value::str(identity),
    )
}

/// The name in `-Identity`: text, or the property of an object that names it best.
fn identity(cx: &Cx<'_>) -> Option<Arc<str>> {
    let value = cx.get("Identity")?;
    if let Value::Object(object) = value {
        for name in ["DistinguishedName", "SamAccountName", "UserPrincipalName", "Identity"] {
            if let Some(found) = object.get(name).as_ref().and_then(as_text) {
                return Some(found);
            }
        }
    }
    as_text(value)
}

/// A security identifier that follows from the directory's name and a number.
fn sid(cx: &Cx<'_>, kind: &str, number: u32) -> String {
    let domain = cx.fabric.seed().guid("domain sid", 0);
    let (a, b, c) = ((domain >> 96) as u32, (domain >> 64) as u32, (domain >> 32) as u32);
    let base = match kind {
        "computer" => 1100,
        "group" => 1600,
        _ => 10_000,
    };
    format!("S-1-5-21-{a}-{b}-{c}-{}", base + number)
}

/// Which properties an object shows: the default ones and those that `-Properties` names.
struct Chosen {
    names: Vec<Arc<str>>,
}

impl Chosen {
    fn of(cx: &Cx<'_>) -> Self {
        Self { names: cx.list("Properties").unwrap_or_default() }
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|wanted| &**wanted == "*" || wanted.eq_ignore_ascii_case(name))
    }
}

/// Makes an object: default properties, then the extended ones that were asked for, sorted by name as the module does.
fn entity(
    type_name: &str,
    base: Vec<(&str, Value)>,
    extended: Vec<(&str, Value)>,
    chosen: &Chosen,
    unknown: &mut Vec<Arc<str>>,
) -> PsObject {
    for name in &chosen.names {
        let known = base.iter().chain(&extended).any(|(known, _)| known.eq_ignore_ascii_case(name));
        if &**name != "*" && !known && !unknown.contains(name) {
            unknown.push(name.clone());
        }
    }
    let mut all: Vec<(&str, Value)> = base;
    all.extend(extended.into_iter().filter(|(name, _)| chosen.has(name)));
    all.sort_by_key(|(name, _)| name.to_lowercase());
    let dn = all.iter().find(|(name, _)| *name == "DistinguishedName").and_then(|(_, value)| as_text(value)).unwrap_or_default();
    let mut object = PsObject::new(type_name).with_text(dn);
    object.type_names.insert(1, "Microsoft.ActiveDirectory.Management.ADObject".into());
    for (name, value) in all {
        object.set(name, value);
    }
    object
}

fn report(cx: &mut Cx<'_>, unknown: Vec<Arc<str>>) {
    for name in unknown {
        cx.unmodelled("Properties", &name);
    }
}

fn user_object(cx: &Cx<'_>, user: UserId, chosen: &Chosen, unknown: &mut Vec<Arc<str>>) -> PsObject {
    let names = user_names(cx, user);
    let (given, surname) = names.display.split_once(' ').unwrap_or((&names.display, ""));
    let pool = cx.fabric.registrar_pool(user);
    let base = vec![
        ("DistinguishedName", Value::str(names.distinguished.as_str())),
        ("Enabled", Value::Bool(true)),
        ("GivenName", Value::str(given)),
        ("Name", Value::str(names.display.as_str())),
        ("ObjectClass", Value::str("user")),
        ("ObjectGUID", Value::Guid(cx.fabric.seed().guid("directory user", u64::from(user.0)))),
        ("SamAccountName", Value::str(names.local.as_str())),
        ("SID", Value::str(sid(cx, "user", user.0))),
        ("Surname", Value::str(surname)),
        ("UserPrincipalName", Value::str(names.address.as_str())),
    ];
    let sip = format!("sip:{}", names.address);
    let extended = vec![
        ("DisplayName", Value::str(names.display.as_str())),
        ("EmailAddress", Value::str(names.address.as_str())),
        ("mail", Value::str(names.address.as_str())),
        ("CN", Value::str(names.local.as_str())),
        ("proxyAddresses", texts([format!("SMTP:{}", names.address), sip.clone()])),
        ("msRTCSIP-PrimaryUserAddress", Value::str(sip)),
        ("msRTCSIP-UserEnabled", Value::Bool(true)),
        ("msRTCSIP-DeploymentLocator", Value::str("SRV:")),
        ("msRTCSIP-PrimaryHomeServer", Value::str(crate::users::home_server(&cx.topology.ad_domain, pool))),
        ("msRTCSIP-UserRoutingGroupId", Value::Guid(cx.fabric.routing_group(user))),
        ("msRTCSIP-OptionFlags", Value::Int(257)),
        ("msRTCSIP-Line", Value::Null),
        ("telephoneNumber", Value::Null),
        ("Title", Value::Null),
        ("Department", Value::Null),
        ("Office", Value::Null),
        ("City", Value::Null),
        ("Country", Value::Null),
        ("Manager", Value::Null),
        ("OfficePhone", Value::Null),
        ("MobilePhone", Value::Null),
        ("Description", Value::Null),
        ("MemberOf", Value::array(Vec::new())),
        ("PasswordExpired", Value::Bool(false)),
        ("LockedOut", Value::Bool(false)),
        ("adminCount", Value::Null),
    ];
    entity("Microsoft.ActiveDirectory.Management.ADUser", base, extended, chosen, unknown)
}

/// The filter in words that the user filter knows: attribute names of the directory become those of the product.
fn translated(filter: &str) -> String {
    const NAMES: &[(&str, &str)] = &[
        ("msRTCSIP-PrimaryUserAddress", "SipAddress"),
        ("msRTCSIP-UserEnabled", "Enabled"),
        ("msRTCSIP-Line", "LineURI"),
        ("msRTCSIP-DeploymentLocator", "HostingProvider"),
        ("EmailAddress", "UserPrincipalName"),
        ("mail", "UserPrincipalName"),
    ];
    let mut out = String::new();
    let mut rest = filter;
    while !rest.is_empty() {
        let starts_word = out.chars().last().is_none_or(|c| !c.is_alphanumeric() && c != '-' && c != '\'' && c != '"');
        let hit = NAMES.iter().find(|(name, _)| {
            starts_word
                && rest.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
                && rest[name.len()..].starts_with(char::is_whitespace)
        });
        if let Some((name, product)) = hit {
            out.push_str(product);
            rest = &rest[name.len()..];
        } else if let Some(c) = rest.chars().next() {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn limit(cx: &Cx<'_>) -> usize {
    cx.get("ResultSetSize").and_then(crate::context::as_integer).and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX)
}

fn get_user(cx: &mut Cx<'_>) -> Done {
    need_server(cx)?;
    let chosen = Chosen::of(cx);
    let mut unknown = Vec::new();
    if let Some(identity) = identity(cx) {
        let administrator = identity.eq_ignore_ascii_case("Administrator");
        let login = cx.topology.sip_domains.iter().find_map(|domain| cx.topology.users.find(&format!("{identity}@{domain}")));
        let found = login.map_or_else(|| find_users(cx, &identity), |user| vec![user]);
        let Some(user) = found.first().filter(|_| !identity.contains(['*', '?'])) else {
            if administrator {
                cx.unmodelled("Identity", &identity);
                return Ok(());
            }
            return Err(not_found(cx, &identity));
        };
        let object = user_object(cx, *user, &chosen, &mut unknown);
        cx.output(object);
        report(cx, unknown);
        return Ok(());
    }
    if cx.given("LDAPFilter") {
        return Ok(());
    }
    let source = cx.get("Filter").and_then(as_text).unwrap_or_default();
    let filter = if source.trim() == "*" {
        None
    } else {
        let parsed = Filter::parse(&translated(&source)).map_err(|error| {
            failure(
                fill(text::AD_BAD_FILTER, &[&source, &error.to_string()]),
                "ActiveDirectoryCmdlet:Microsoft.ActiveDirectory.Management.ADFilterParsingException",
                "ParserError",
                "Microsoft.ActiveDirectory.Management.ADFilterParsingException",
                Value::Null,
            )
        })?;
        for name in parsed.unknown_fields() {
            cx.io.unmodelled(&format!("Get-ADUser -Filter {name}"));
        }
        Some(parsed)
    };
    let most = limit(cx);
    let mut shown = 0;
    let base = cx.text("SearchBase").map(|base| base.to_lowercase());
    for user in (0..cx.topology.users.len()).map(UserId) {
        if shown == most || !cx.io.wants_more() {
            break;
        }
        let names = user_names(cx, user);
        if base.as_ref().is_some_and(|base| !names.distinguished.to_lowercase().ends_with(base.as_str())) {
            continue;
        }
        let passes = filter.as_ref().is_none_or(|filter| {
            filter.accepts(&mut |field| match field {
                Field::RegistrarPool => Literal::Text(cx.pool_fqdn(cx.fabric.registrar_pool(user)).to_owned()),
                Field::SipAddress => Literal::Text(format!("sip:{}", names.address)),
                Field::Enabled => Literal::Bool(true),
                Field::EnterpriseVoiceEnabled | Field::HostedVoiceMail => Literal::Null,
                Field::DisplayName => Literal::Text(names.display.clone()),
                Field::Identity => Literal::Text(names.distinguished.clone()),
                Field::SamAccountName => Literal::Text(names.local.clone()),
                Field::UserPrincipalName => Literal::Text(names.address.clone()),
                Field::LineUri => Literal::Null,
                Field::HostingProvider => Literal::Text("SRV:".to_owned()),
            })
        });
        if passes {
            shown += 1;
            let object = user_object(cx, user, &chosen, &mut unknown);
            cx.output(object);
        }
    }
    report(cx, unknown);
    Ok(())
}

/// A filter over a few named texts; `None` when it compares something else.
fn passes(cx: &mut Cx<'_>, fields: &[(&str, &str)]) -> Option<bool> {
    let source = cx.get("Filter").and_then(as_text).unwrap_or_default();
    let source = source.trim().to_owned();
    if source == "*" {
        return Some(true);
    }
    let mut words = source.splitn(3, char::is_whitespace);
    let (name, operator, value) = (words.next()?, words.next()?, words.next()?);
    let value = value.trim().trim_matches(['\'', '"']);
    let (_, own) = fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    match operator.to_lowercase().as_str() {
        "-eq" => Some(own.eq_ignore_ascii_case(value)),
        "-ne" => Some(!own.eq_ignore_ascii_case(value)),
        "-like" => Some(like(value, own)),
        "-notlike" => Some(!like(value, own)),
        _ => None,
    }
}

fn unfilterable(cx: &mut Cx<'_>) {
    let source = cx.get("Filter").and_then(as_text).unwrap_or_default();
    cx.unmodelled("Filter", &source);
}

fn computer_object(cx: &Cx<'_>, computer: ComputerId, chosen: &Chosen, unknown: &mut Vec<Arc<str>>) -> PsObject {
    let fqdn = cx.computer_fqdn(computer);
    let host = fqdn.split('.').next().unwrap_or(fqdn).to_uppercase();
    let system = match cx.topology.version {
        firedrill_topology::ProductVersion::Sfb2019 => "Windows Server 2019 Standard",
        _ => "Windows Server 2012 R2 Standard",
    };
    let base = vec![
        ("DistinguishedName", Value::str(format!("CN={host},CN=Computers,{}", domain_dn(cx)))),
        ("DNSHostName", Value::str(fqdn)),
        ("Enabled", Value::Bool(true)),
        ("Name", Value::str(host.as_str())),
        ("ObjectClass", Value::str("computer")),
        ("ObjectGUID", Value::Guid(cx.fabric.seed().guid("directory computer", u64::from(computer.0)))),
        ("SamAccountName", Value::str(format!("{host}$"))),
        ("SID", Value::str(sid(cx, "computer", computer.0))),
        ("UserPrincipalName", Value::Null),
    ];
    let extended = vec![
        ("OperatingSystem", Value::str(system)),
        ("Description", Value::Null),
        ("IPv4Address", Value::Null),
        ("CN", Value::str(host)),
        ("MemberOf", Value::array(Vec::new())),
        ("LastLogonDate", Value::Null),
    ];
    entity("Microsoft.ActiveDirectory.Management.ADComputer", base, extended, chosen, unknown)
}

/// Computers that are members of the domain: Edge Servers are not.
fn members(cx: &Cx<'_>) -> Vec<ComputerId> {
    cx.topology.computer_ids().filter(|id| !matches!(cx.topology.computer(*id).role, ComputerRole::Edge(_))).collect()
}

fn get_computer(cx: &mut Cx<'_>) -> Done {
    need_server(cx)?;
    let chosen = Chosen::of(cx);
    let mut unknown = Vec::new();
    let all = members(cx);
    if let Some(identity) = identity(cx) {
        let wanted = identity.trim_end_matches('$');
        let wanted = wanted.strip_prefix("CN=").and_then(|rest| rest.split(',').next()).unwrap_or(wanted);
        let found = cx.topology.find_computer(wanted).filter(|computer| all.contains(computer)).ok_or_else(|| not_found(cx, &identity))?;
        let object = computer_object(cx, found, &chosen, &mut unknown);
        cx.output(object);
        report(cx, unknown);
        return Ok(());
    }
    let most = limit(cx);
    let mut shown = 0;
    for computer in all {
        if shown == most {
            break;
        }
        let fqdn = cx.computer_fqdn(computer).to_owned();
        let host = fqdn.split('.').next().unwrap_or(&fqdn).to_uppercase();
        let sam = format!("{host}$");
        match passes(cx, &[("Name", &host), ("DNSHostName", &fqdn), ("SamAccountName", &sam), ("CN", &host)]) {
            Some(true) => {
                shown += 1;
                let object = computer_object(cx, computer, &chosen, &mut unknown);
                cx.output(object);
            }
            Some(false) => {}
            None => {
                unfilterable(cx);
                return Ok(());
            }
        }
    }
    report(cx, unknown);
    Ok(())
}

fn group_object(cx: &Cx<'_>, at: usize, chosen: &Chosen, unknown: &mut Vec<Arc<str>>) -> PsObject {
    let (name, description) = GROUPS[at];
    let number = u32::try_from(at).unwrap_or(0);
    let base = vec![
        ("DistinguishedName", Value::str(format!("CN={name},CN=Users,{}", domain_dn(cx)))),
        ("GroupCategory", Value::str("Security")),
        ("GroupScope", Value::str("Universal")),
        ("Name", Value::str(name)),
        ("ObjectClass", Value::str("group")),
        ("ObjectGUID", Value::Guid(cx.fabric.seed().guid("directory group", u64::from(number)))),
        ("SamAccountName", Value::str(name)),
        ("SID", Value::str(sid(cx, "group", number))),
    ];
    let extended = vec![("Description", Value::str(description)), ("CN", Value::str(name)), ("MemberOf", Value::array(Vec::new()))];
    entity("Microsoft.ActiveDirectory.Management.ADGroup", base, extended, chosen, unknown)
}

fn find_group(identity: &str) -> Option<usize> {
    let wanted = identity.strip_prefix("CN=").and_then(|rest| rest.split(',').next()).unwrap_or(identity);
    GROUPS.iter().position(|(name, _)| name.eq_ignore_ascii_case(wanted))
}

/// Groups that exist in every directory, whose members are not part of the model.
const BUILT_IN: &[&str] =
    &["Domain Admins", "Domain Users", "Domain Computers", "Enterprise Admins", "Schema Admins", "Administrators", "Domain Controllers"];

fn get_group(cx: &mut Cx<'_>) -> Done {
    need_server(cx)?;
    let chosen = Chosen::of(cx);
    let mut unknown = Vec::new();
    if let Some(identity) = identity(cx) {
        if BUILT_IN.iter().any(|name| name.eq_ignore_ascii_case(&identity)) {
            cx.unmodelled("Identity", &identity);
            return Ok(());
        }
        let at = find_group(&identity).ok_or_else(|| not_found(cx, &identity))?;
        let object = group_object(cx, at, &chosen, &mut unknown);
        cx.output(object);
        report(cx, unknown);
        return Ok(());
    }
    for (at, (name, description)) in GROUPS.iter().enumerate() {
        match passes(cx, &[("Name", name), ("SamAccountName", name), ("Description", description)]) {
            Some(true) => {
                let object = group_object(cx, at, &chosen, &mut unknown);
                cx.output(object);
            }
            Some(false) => {}
            None => {
                unfilterable(cx);
                return Ok(());
            }
        }
    }
    report(cx, unknown);
    Ok(())
}

fn get_members(cx: &mut Cx<'_>) -> Done {
    need_server(cx)?;
    let identity = identity(cx).unwrap_or_default();
    let Some(at) = find_group(&identity) else {
        if BUILT_IN.iter().any(|name| name.eq_ignore_ascii_case(&identity)) {
            cx.unmodelled("Identity", &identity);
            return Ok(());
        }
        return Err(not_found(cx, &identity));
    };
    let principal = |name: &str, class: &str, dn: String, sid: String, guid: u128| {
        PsObject::new("Microsoft.ActiveDirectory.Management.ADPrincipal")
            .with("distinguishedName", dn.as_str())
            .with("name", name)
            .with("objectClass", class)
            .with("objectGUID", Value::Guid(guid))
            .with("SamAccountName", if class == "computer" { format!("{name}$") } else { name.to_owned() })
            .with("SID", sid)
            .with_text(dn)
    };
    // Setup puts the Front Ends into the group of its services; the account that runs the drill administers.
    match GROUPS[at].0 {
        "RTCHSUniversalServices" | "RTCUniversalConfigReplicator" | "RTCComponentUniversalServices" => {
            for computer in members(cx) {
                if !matches!(cx.topology.computer(computer).role, ComputerRole::FrontEnd(_)) {
                    continue;
                }
                let fqdn = cx.computer_fqdn(computer);
                let host = fqdn.split('.').next().unwrap_or(fqdn).to_uppercase();
                let guid = cx.fabric.seed().guid("directory computer", u64::from(computer.0));
                let object = principal(
                    &host,
                    "computer",
                    format!("CN={host},CN=Computers,{}", domain_dn(cx)),
                    sid(cx, "computer", computer.0),
                    guid,
                );
                cx.output(object);
            }
        }
        "CSAdministrator" | "RTCUniversalServerAdmins" | "RTCUniversalUserAdmins" => {
            let guid = cx.fabric.seed().guid("administrator", 0);
            let dn = format!("CN=Administrator,CN=Users,{}", domain_dn(cx));
            let domain = sid(cx, "group", 0);
            let domain = domain.rsplit_once('-').map_or(domain.as_str(), |(domain, _)| domain).to_owned();
            let object = principal("Administrator", "user", dn, format!("{domain}-500"), guid);
            cx.output(object);
        }
        _ => {}
    }
    Ok(())
}

/// The one domain of the forest.
fn same_domain(cx: &Cx<'_>) -> Done {
    match identity(cx) {
        Some(name)
            if !name.eq_ignore_ascii_case(&cx.topology.ad_domain)
                && !name.eq_ignore_ascii_case(&netbios(cx))
                && *name != *domain_dn(cx) =>
        {
            Err(not_found(cx, &name))
        }
        _ => Ok(()),
    }
}

fn controller(cx: &Cx<'_>) -> String {
    // Domain controllers are not part of a topology; one stands for all of them.
    format!("dc1.{}", cx.topology.ad_domain)
}

fn get_domain(cx: &mut Cx<'_>) -> Done {
    need_server(cx)?;
    same_domain(cx)?;
    let (dn, dc) = (domain_dn(cx), controller(cx));
    let domain = cx.topology.ad_domain.clone();
    let object = PsObject::new("Microsoft.ActiveDirectory.Management.ADDomain")
        .with("ComputersContainer", format!("CN=Computers,{dn}"))
        .with("DistinguishedName", dn.as_str())
        .with("DNSRoot", domain.as_str())
        .with("DomainControllersContainer", format!("OU=Domain Controllers,{dn}"))
        .with("DomainMode", "Windows2012R2Domain")
        .with("Forest", domain.as_str())
        .with("InfrastructureMaster", dc.as_str())
        .with("Name", domain.split('.').next().unwrap_or_default())
        .with("NetBIOSName", netbios(cx))
        .with("ObjectClass", "domainDNS")
        .with("PDCEmulator", dc.as_str())
        .with("ReplicaDirectoryServers", texts([dc.as_str()]))
        .with("RIDMaster", dc.as_str())
        .with("SystemsContainer", format!("CN=System,{dn}"))
        .with("UsersContainer", format!("CN=Users,{dn}"))
        .with_text(dn);
    cx.output(object);
    Ok(())
}

fn get_forest(cx: &mut Cx<'_>) -> Done {
    need_server(cx)?;
    same_domain(cx)?;
    let dc = controller(cx);
    let domain = cx.topology.ad_domain.clone();
    let sites: Vec<Arc<str>> = cx.topology.sites.iter().map(|site| site.name.as_str().into()).collect();
    let object = PsObject::new("Microsoft.ActiveDirectory.Management.ADForest")
        .with("DomainNamingMaster", dc.as_str())
        .with("Domains", texts([domain.as_str()]))
        .with("ForestMode", "Windows2012R2Forest")
        .with("GlobalCatalogs", texts([dc.as_str()]))
        .with("Name", domain.as_str())
        .with("RootDomain", domain.as_str())
        .with("SchemaMaster", dc.as_str())
        .with("Sites", texts(sites))
        .with("UPNSuffixes", texts(cx.topology.sip_domains.iter().filter(|d| **d != domain).map(String::as_str)))
        .with_text(domain);
    cx.output(object);
    Ok(())
}

fn get_controller(cx: &mut Cx<'_>) -> Done {
    need_server(cx)?;
    let dc = controller(cx);
    let host = dc.split('.').next().unwrap_or_default().to_uppercase();
    if let Some(name) = identity(cx)
        && !name.eq_ignore_ascii_case(&dc)
        && !name.eq_ignore_ascii_case(&host)
    {
        return Err(not_found(cx, &name));
    }
    let site = cx.topology.sites.first().map(|site| site.name.clone()).unwrap_or_default();
    let object = PsObject::new("Microsoft.ActiveDirectory.Management.ADDomainController")
        .with("ComputerObjectDN", format!("CN={host},OU=Domain Controllers,{}", domain_dn(cx)))
        .with("Domain", cx.topology.ad_domain.as_str())
        .with("Enabled", true)
        .with("Forest", cx.topology.ad_domain.as_str())
        .with("HostName", dc.as_str())
        .with("IsGlobalCatalog", true)
        .with("IsReadOnly", false)
        .with("Name", host.as_str())
        .with("OperatingSystem", "Windows Server 2012 R2 Standard")
        .with("Site", site)
        .with_text(dc);
    cx.output(object);
    Ok(())
}
