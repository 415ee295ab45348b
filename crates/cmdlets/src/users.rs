//! `Get-CsUser`, `Get-CsUserPoolInfo`, `Move-CsUser` (dossier B.5, J 10 and 22).

use std::sync::Arc;

use firedrill_fabric::{Fabric, Operation};
use firedrill_powershell::command::CommandError;
use firedrill_powershell::value::PropertySource;
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{ComputerId, PoolId, Topology, UserCohort, UserId};

use crate::commands::Command;
use crate::context::{Cx, Done, failure, like, texts};
use crate::publish::{invalid_file, read_text};
use crate::shapes::Shape;
use crate::texts::{fill, text};
use crate::user_filter::{Field, Filter, Literal};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Get-CsUser", get_user, &["Identity", "Filter", "ResultSize", "OnLyncServer", "OnModernServer", "UnAssignedUser"])
        .implemented_by("Microsoft.Rtc.Management.AD.Cmdlets.GetOcsUserCmdlet"),
    Command::new("Get-CsUserPoolInfo", get_pool_info, &["Identity", "LocalStore"])
        .implemented_by("Microsoft.Rtc.Management.Xds.GetOCsUserPoolInfoCmdlet"),
    Command::new("Move-CsUser", move_user, &["Identity", "Target", "UserList", "PassThru"])
        .high()
        .implemented_by("Microsoft.Rtc.Management.AD.Cmdlets.MoveOcsUserCmdlet"),
];

/// Dossier J 22; what stands behind `DisplayName` is common.
pub(crate) static USER: Shape = Shape::new(
    "Microsoft.Rtc.Management.ADConnect.Schema.OCSADUser",
    &[
        "Identity",
        "SipAddress",
        "RegistrarPool",
        "HomeServer",
        "Enabled",
        "EnterpriseVoiceEnabled",
        "LineURI",
        "HostedVoiceMail",
        "HostingProvider",
        "UserRoutingGroupId",
        "DisplayName",
        "Name",
        "SamAccountName",
        "UserPrincipalName",
    ],
);
/// Dossier B.5.
pub(crate) static POOL_INFO: Shape = Shape::new(
    "Microsoft.Rtc.Management.Xds.GetOCsUserPoolInfoCmdlet+UserInformation",
    &[
        "PrimaryPoolFqdn",
        "BackupPoolFqdn",
        "UserServicesPoolFqdn",
        "PrimaryPoolMachinesInPreferredOrder",
        "BackupPoolMachinesInPreferredOrder",
        "UserServicesPoolMachinesInPreferredOrder",
        "PrimaryPoolPrimaryRegistrar",
        "PrimaryPoolBackupRegistrars",
        "PrimaryPoolPrimaryUserService",
        "PrimaryPoolBackupUserServices",
        "BackupPoolPrimaryRegistrar",
        "BackupPoolBackupRegistrars",
        "BackupPoolPrimaryUserService",
        "BackupPoolBackupUserServices",
        "Identity",
    ],
);

/// One user, as far as names go.
struct Names<'t> {
    address: String,
    /// Part before the `@`.
    local: String,
    display: Option<&'t str>,
}

impl Names<'_> {
    fn display(&self) -> &str {
        self.display.unwrap_or(&self.local)
    }

    fn domain(&self) -> &str {
        self.address.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// Distinguished name: unique, because the address is (inferred; containers are not part of the model).
    fn distinguished(&self, ad_domain: &str) -> String {
        let components: Vec<String> = ad_domain.split('.').map(|label| format!("DC={label}")).collect();
        format!("CN={},OU={},{}", self.local, self.domain(), components.join(","))
    }
}

fn names<'t>(topology: &'t Topology, cohort: &'t UserCohort, user: UserId) -> Names<'t> {
    let address = topology.users.address(user).unwrap_or_default();
    let local = address.split_once('@').map_or(address.as_str(), |(local, _)| local).to_owned();
    Names { address, local, display: cohort.display_name.as_deref() }
}

/// A user's names as other modules show them.
pub(crate) struct UserNames {
    /// SIP address without `sip:`; also the UPN.
    pub(crate) address: String,
    /// Login.
    pub(crate) local: String,
    pub(crate) display: String,
    pub(crate) distinguished: String,
}

/// The names of a user.
pub(crate) fn user_names(cx: &Cx<'_>, user: UserId) -> UserNames {
    let topology = &cx.topology;
    let display = topology.users.cohort_of(user).and_then(|id| topology.users.cohorts[id.index()].display_name.clone());
    let address = topology.users.address(user).unwrap_or_default();
    let local = address.split_once('@').map_or(address.as_str(), |(local, _)| local).to_owned();
    let distinguished = identity_of(topology, user);
    UserNames { display: display.unwrap_or_else(|| local.clone()), address, local, distinguished }
}

fn user_not_found(identity: &str) -> Box<CommandError> {
    failure(
        fill(text::USER_NOT_FOUND, &[identity]),
        "ManagementObjectNotFound",
        "InvalidData",
        "Microsoft.Rtc.Management.AD.ManagementException",
        Value::str(identity),
    )
}

/// Users that an identity names: SIP address, UPN, `DOMAIN\login`, display name (with `*`), distinguished name.
pub(crate) fn find_users(cx: &Cx<'_>, identity: &str) -> Vec<UserId> {
    let topology = &cx.topology;
    if let Some(user) = topology.users.find(identity) {
        return vec![user];
    }
    let local_of = |domain: &str, local: &str| topology.users.find(&format!("{local}@{domain}"));
    if let Some(rest) = identity.strip_prefix("CN=").or_else(|| identity.strip_prefix("cn=")) {
        let mut parts = rest.split(',');
        let local = parts.next().unwrap_or_default();
        let unit = parts.find_map(|part| part.strip_prefix("OU=").or_else(|| part.strip_prefix("ou=")));
        return unit.and_then(|domain| local_of(domain, local)).into_iter().collect();
    }
    if let Some((domain, login)) = identity.split_once('\\') {
        let ours = topology.ad_domain.split('.').next().is_some_and(|label| label.eq_ignore_ascii_case(domain));
        let found = topology.sip_domains.iter().find_map(|domain| local_of(domain, login));
        return found.filter(|_| ours).into_iter().collect();
    }
    let wild = identity.contains(['*', '?']);
    let mut found = Vec::new();
    for cohort in &topology.users.cohorts {
        if let Some(display) = &cohort.display_name {
            if like(identity, display) {
                found.push(cohort.first);
            }
        } else if wild {
            let users = (cohort.first.0..cohort.first.0 + cohort.count).map(UserId);
            found.extend(users.filter(|user| like(identity, names(topology, cohort, *user).display())));
        } else if let Some(user) =
            topology.sip_domains.iter().find_map(|domain| cohort.find(&format!("{identity}@{domain}").to_ascii_lowercase()))
        {
            found.push(user);
        }
    }
    found
}

/// The one user that an identity names.
pub(crate) fn find_user(cx: &Cx<'_>, identity: &str) -> Result<UserId, Box<CommandError>> {
    find_users(cx, identity).first().copied().ok_or_else(|| user_not_found(identity))
}

fn get_user(cx: &mut Cx<'_>) -> Done {
    cx.need_directory()?;
    let mut left = match cx.text("ResultSize") {
        None => u64::MAX,
        Some(size) if size.eq_ignore_ascii_case("Unlimited") => u64::MAX,
        // 0 returns nothing but a warning in the product; here it simply returns nothing.
        Some(size) => size.parse().map_err(|_| bad_size(&size))?,
    };
    if cx.switch("UnAssignedUser") {
        // Users without a home pool: the model has none.
        return Ok(());
    }
    let filter = match cx.text("Filter") {
        None => None,
        Some(source) => Some(Filter::parse(&source).map_err(|error| bad_filter(&source, &error))?),
    };
    if let Some(filter) = &filter {
        for name in filter.unknown_fields() {
            cx.unmodelled("Filter", name);
        }
    }
    let objects = UserObjects::new(cx);
    if let Some(identity) = cx.text("Identity") {
        let found = find_users(cx, &identity);
        if found.is_empty() && !identity.contains('*') {
            cx.error(user_not_found(&identity));
        }
        for user in found {
            if left > 0 && matches(cx.fabric, filter.as_ref(), user) {
                left -= 1;
                cx.output(objects.of(user));
            }
        }
        return Ok(());
    }
    let topology = cx.topology.clone();
    let snapshot = objects.snapshot.clone();
    // A million users are never there at once: each object is made when the next command takes it.
    let users = (0..topology.users.cohorts.len()).flat_map(move |index| {
        let cohort = &topology.users.cohorts[index];
        (cohort.first.0..cohort.first.0 + cohort.count).map(UserId)
    });
    let found = users.filter(move |user| matches(&snapshot.fabric, filter.as_ref(), *user));
    cx.io.outputs(Box::new(found.take(usize::try_from(left).unwrap_or(usize::MAX)).map(move |user| Value::from(objects.of(user)))));
    Ok(())
}

fn bad_size(size: &str) -> Box<CommandError> {
    failure(
        fill(text::BAD_FILTER, &[size, "-ResultSize takes a number or Unlimited"]),
        "InvalidResultSize",
        "InvalidArgument",
        "System.FormatException",
        Value::str(size),
    )
}

fn bad_filter(source: &str, error: &crate::user_filter::FilterError) -> Box<CommandError> {
    failure(
        fill(text::BAD_FILTER, &[source, &error.to_string()]),
        "InvalidFilter",
        "InvalidArgument",
        "Microsoft.Rtc.Management.ADConnect.ParsingException",
        Value::str(source),
    )
}

fn matches(fabric: &Fabric, filter: Option<&Filter>, user: UserId) -> bool {
    let Some(filter) = filter else {
        return true;
    };
    let topology = fabric.topology();
    let Some(cohort) = topology.users.cohort_of(user).map(|id| &topology.users.cohorts[id.index()]) else {
        return false;
    };
    filter.accepts(&mut |field| {
        let names = || names(topology, cohort, user);
        match field {
            Field::RegistrarPool => Literal::Text(topology.pool(fabric.registrar_pool(user)).fqdn.clone()),
            Field::SipAddress => Literal::Text(format!("sip:{}", names().address)),
            Field::Enabled => Literal::Bool(true),
            Field::EnterpriseVoiceEnabled => Literal::Bool(cohort.enterprise_voice),
            Field::HostedVoiceMail => Literal::Bool(false),
            Field::DisplayName => Literal::Text(names().display().to_owned()),
            Field::Identity => Literal::Text(names().distinguished(&topology.ad_domain)),
            Field::SamAccountName => Literal::Text(names().local),
            Field::UserPrincipalName => Literal::Text(names().address),
            Field::LineUri => Literal::Null,
            Field::HostingProvider => Literal::Text("SRV:".to_owned()),
        }
    })
}

/// Distinguished name of a user.
fn identity_of(topology: &Topology, user: UserId) -> String {
    let cohort = topology.users.cohort_of(user).map(|id| &topology.users.cohorts[id.index()]);
    cohort.map(|cohort| names(topology, cohort, user).distinguished(&topology.ad_domain)).unwrap_or_default()
}

/// What the objects of one query read from: the fabric as it was.
#[derive(Debug)]
struct Snapshot {
    fabric: Fabric,
}

/// Properties of one user, computed when a script reads them: a million users that are only counted cost next to nothing.
#[derive(Debug)]
struct UserProperties {
    snapshot: Arc<Snapshot>,
    user: UserId,
}

/// Makes the objects of one query.
struct UserObjects {
    snapshot: Arc<Snapshot>,
    shape: PsObject,
}

impl UserObjects {
    fn new(cx: &Cx<'_>) -> Self {
        Self { snapshot: Arc::new(Snapshot { fabric: cx.fabric.clone() }), shape: USER.empty() }
    }

    fn of(&self, user: UserId) -> PsObject {
        let properties = UserProperties { snapshot: self.snapshot.clone(), user };
        let text = Some(identity_of(self.snapshot.fabric.topology(), user).into());
        PsObject {
            type_names: self.shape.type_names.clone(),
            properties: Arc::default(),
            text,
            source: Some(Arc::new(properties)),
            ..PsObject::new("")
        }
    }
}

impl PropertySource for UserProperties {
    fn names(&self) -> Vec<Arc<str>> {
        USER.names()
    }

    fn get(&self, name: &str) -> Option<Value> {
        let property = USER.properties.iter().find(|known| known.eq_ignore_ascii_case(name))?;
        let fabric = &self.snapshot.fabric;
        let topology = fabric.topology();
        let cohort = &topology.users.cohorts[topology.users.cohort_of(self.user)?.index()];
        let names = || names(topology, cohort, self.user);
        Some(match *property {
            "Identity" => Value::str(names().distinguished(&topology.ad_domain)),
            "SipAddress" => Value::str(format!("sip:{}", names().address)),
            "RegistrarPool" => Value::str(topology.pool(fabric.registrar_pool(self.user)).fqdn.as_str()),
            "HomeServer" => Value::str(home_server(&topology.ad_domain, fabric.registrar_pool(self.user))),
            "Enabled" => Value::Bool(true),
            "EnterpriseVoiceEnabled" => Value::Bool(cohort.enterprise_voice),
            "LineURI" => Value::str(""),
            "HostedVoiceMail" => Value::Bool(false),
            "HostingProvider" => Value::str("SRV:"),
            "UserRoutingGroupId" => Value::Guid(fabric.routing_group(self.user)),
            "DisplayName" | "Name" => Value::str(names().display()),
            "SamAccountName" => Value::str(names().local),
            "UserPrincipalName" => Value::str(names().address),
            _ => return None,
        })
    }
}

/// The legacy attribute of the pool in the directory.
pub(crate) fn home_server(ad_domain: &str, pool: PoolId) -> String {
    let components: Vec<String> = ad_domain.split('.').map(|label| format!("DC={label}")).collect();
    let number = pool.0 + 1;
    format!("CN=Lc Services,CN=Microsoft,CN=1:{number},CN=Pools,CN=RTC Service,CN=Services,CN=Configuration,{}", components.join(","))
}

fn get_pool_info(cx: &mut Cx<'_>) -> Done {
    cx.store()?;
    cx.need_directory()?;
    let identity = cx.text("Identity").unwrap_or_default();
    let user = match find_user(cx, &identity) {
        Ok(user) => user,
        Err(error) => {
            cx.error(error);
            return Ok(());
        }
    };
    let info = cx.fabric.user_pool_info(user);
    let list = |computers: &[ComputerId]| texts(computers.iter().map(|computer| cx.computer_fqdn(*computer)));
    let first = |computers: &[ComputerId]| computers.first().map(|computer| cx.computer_fqdn(*computer)).into();
    let rest = |computers: &[ComputerId]| list(computers.get(1..).unwrap_or_default());
    let (primary, backup) = (&info.primary_machines, &info.backup_machines);
    let home = Value::str(cx.pool_fqdn(info.primary));
    let object = POOL_INFO.object(vec![
        home.clone(),
        info.backup.map(|pool| cx.pool_fqdn(pool)).into(),
        home,
        list(primary),
        list(backup),
        list(primary),
        first(primary),
        rest(primary),
        first(primary),
        rest(primary),
        first(backup),
        rest(backup),
        first(backup),
        rest(backup),
        Value::str(format!("sip:{}", cx.topology.users.address(user).unwrap_or_default())),
    ]);
    cx.output(object);
    Ok(())
}

fn move_user(cx: &mut Cx<'_>) -> Done {
    cx.need_directory()?;
    let target = cx.pool("Target")?;
    let force = cx.switch("Force");
    let identities: Vec<String> = match cx.text("UserList") {
        None => vec![cx.text("Identity").unwrap_or_default().to_string()],
        Some(path) => {
            let lines: Vec<String> =
                read_text(cx, &path)?.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
            if lines.is_empty() {
                return Err(invalid_file(&path, "users", "it names none"));
            }
            lines
        }
    };
    for identity in identities {
        let user = match find_user(cx, &identity) {
            Ok(user) => user,
            Err(error) => {
                cx.error(error);
                continue;
            }
        };
        let subject = identity_of(cx.fabric.topology(), user);
        if !cx.proceed(&subject)? {
            continue;
        }
        match cx.perform(Operation::MoveUser { user, target, force }) {
            Ok(_) if cx.switch("PassThru") => {
                let object = UserObjects::new(cx).of(user);
                cx.output(object);
            }
            Ok(_) => {}
            Err(error) if cx.state.limit.is_some() => return Err(error),
            Err(error) => cx.error(error),
        }
    }
    Ok(())
}
