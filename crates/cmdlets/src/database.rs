//! SQL back ends: mirror state, database failover, tests (dossier E, J 16 and 17).

use firedrill_fabric::Operation;
use firedrill_fabric::operation::{DatabaseGroup, MirrorSide};
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{BackEnd, ComputerRole, PoolId, ProductVersion, SqlId};

use crate::commands::Command;
use crate::context::{Cx, Done};
use crate::inventory;
use crate::shapes::Shape;
use crate::texts::{fill, text};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Get-CsDatabaseMirrorState", get_mirror_state, &["PoolFqdn", "DatabaseType", "LocalStore"]).deployment(),
    Command::new("Invoke-CsDatabaseFailover", fail_over, &["PoolFqdn", "DatabaseType", "NewPrincipal", "LocalStore"]).high().deployment(),
    Command::new(
        "Test-CsDatabase",
        test,
        &["CentralManagementDatabase", "ConfiguredDatabases", "DatabaseType", "LocalService", "SqlServerFqdn", "SqlInstanceName"],
    )
    .deployment(),
];

/// Dossier J 16.
pub(crate) static MIRROR_STATE: Shape = Shape::new(
    "Microsoft.Rtc.Management.Deployment.DatabaseMirrorState",
    &["DatabaseName", "StateOnPrimary", "StateOnMirror", "MirroringStatusOnPrimary", "MirroringStatusOnMirror"],
);
/// Dossier E.4; the last property since 2015.
pub(crate) static DATABASE_TEST: Shape = Shape::new(
    "Microsoft.Rtc.SyntheticTransactions.TaskOutput",
    &[
        "SqlServerFqdn",
        "SqlInstanceName",
        "MirrorSqlServerFqdn",
        "MirrorSqlInstanceName",
        "DatabaseName",
        "DataSource",
        "SQLServerVersion",
        "ExpectedVersion",
        "InstalledVersion",
        "Succeed",
        "DatabaseHighAvailability",
    ],
);

/// The groups that a value of `-DatabaseType` names; none for types that no deployment of the model has.
fn group(name: &str) -> Option<DatabaseGroup> {
    match name {
        "User" => Some(DatabaseGroup::User),
        "App" | "Application" => Some(DatabaseGroup::Application),
        "CMS" | "CentralMgmt" | "CentralAdmin" => Some(DatabaseGroup::CentralMgmt),
        "Monitoring" => Some(DatabaseGroup::Monitoring),
        "Archiving" => Some(DatabaseGroup::Archiving),
        _ => None,
    }
}

/// The group of `-DatabaseType`; `Err` when the model does not know it, which has then been reported.
fn wanted_group(cx: &mut Cx<'_>) -> Result<Option<DatabaseGroup>, ()> {
    match cx.text("DatabaseType") {
        None => Ok(None),
        Some(name) => match group(&name) {
            Some(group) => Ok(Some(group)),
            None => {
                cx.unmodelled("DatabaseType", &name);
                Err(())
            }
        },
    }
}

fn get_mirror_state(cx: &mut Cx<'_>) -> Done {
    cx.store()?;
    let pool = cx.pool("PoolFqdn")?;
    let Ok(group) = wanted_group(cx) else {
        return Ok(());
    };
    if !matches!(cx.topology.pool(pool).back_end, BackEnd::Mirrored { .. }) {
        return not_mirrored(cx, pool, group);
    }
    for report in cx.fabric.mirror_states(pool, group) {
        let text = |status: &str| if status.is_empty() { Value::Null } else { Value::str(status) };
        let object = MIRROR_STATE.object(vec![
            Value::str(report.database),
            Value::str(report.state_on_primary),
            Value::str(report.state_on_mirror),
            text(report.status_on_primary),
            text(report.status_on_mirror),
        ]);
        cx.output(object);
    }
    Ok(())
}

/// A back end without a mirror: the state that the product has for it (dossier E.3; that rows are printed is inferred).
fn not_mirrored(cx: &mut Cx<'_>, pool: PoolId, group: Option<DatabaseGroup>) -> Done {
    const NOT_ENABLED: &str = "DatabaseInaccessibleOrMirroringNotEnabled";
    let has_cms = cx.fabric.cms_databases().iter().any(|database| database.pool == pool);
    for (of, name, _) in DATABASES {
        if group.is_some_and(|group| group != *of) || (*of == DatabaseGroup::CentralMgmt && !has_cms) {
            continue;
        }
        let object =
            MIRROR_STATE.object(vec![Value::str(*name), Value::str(NOT_ENABLED), Value::str(NOT_ENABLED), Value::Null, Value::Null]);
        cx.output(object);
    }
    Ok(())
}

fn fail_over(cx: &mut Cx<'_>) -> Done {
    cx.store()?;
    let pool = cx.pool("PoolFqdn")?;
    let Ok(Some(databases)) = wanted_group(cx) else {
        return Ok(());
    };
    let new_principal = match cx.text("NewPrincipal").as_deref() {
        Some("Primary") => MirrorSide::Primary,
        _ => MirrorSide::Mirror,
    };
    let target = format!("{} ({databases:?})", cx.pool_fqdn(pool));
    if !cx.proceed(&target)? {
        return Ok(());
    }
    let force = cx.switch("Force");
    cx.perform(Operation::DatabaseFailover { pool, databases, new_principal, force }).map(|_| ())
}

/// Databases with the schema versions of public captures of 2015 and 2019 (field: dossier E.4).
const DATABASES: &[(DatabaseGroup, &str, &str)] = &[
    (DatabaseGroup::User, "rtcxds", "15.13.21"),
    (DatabaseGroup::User, "rtcshared", "5.0.1"),
    (DatabaseGroup::User, "rtcab", "62.42.13"),
    (DatabaseGroup::Application, "rgsconfig", "5.5.2"),
    (DatabaseGroup::Application, "rgsdyn", "2.2.1"),
    (DatabaseGroup::Application, "cpsdyn", "1.1.2"),
    (DatabaseGroup::CentralMgmt, "xds", "10.16.7"),
    (DatabaseGroup::CentralMgmt, "lis", "3.1.1"),
];

fn test(cx: &mut Cx<'_>) -> Done {
    let Ok(group) = wanted_group(cx) else {
        return Ok(());
    };
    let mut failed = 0;
    if cx.switch("LocalService") {
        failed += test_local(cx);
    } else {
        let configuration = cx.store()?;
        let group = if cx.switch("CentralManagementDatabase") { Some(DatabaseGroup::CentralMgmt) } else { group };
        let server = cx.text("SqlServerFqdn");
        let instance = cx.text("SqlInstanceName");
        let mut seen = false;
        for pool in cx.topology.pool_ids() {
            let has_cms = configuration.cms_active == pool || configuration.cms_standby == Some(pool);
            let Some(sql) = store_on(cx, pool, server.as_deref(), instance.as_deref()) else {
                continue;
            };
            // Without a server the active Central Management Store is meant.
            if server.is_none() && configuration.cms_active != pool {
                continue;
            }
            seen = true;
            for (of, name, version) in DATABASES {
                if group.is_some_and(|group| group != *of) || (*of == DatabaseGroup::CentralMgmt && !has_cms) {
                    continue;
                }
                let succeed = cx.fabric.sql_up(sql) && holds_principal(cx, pool, *of, sql);
                failed += u32::from(!succeed);
                let object = test_object(cx, Some(pool), sql, name, version, succeed);
                cx.output(object);
            }
        }
        if let (false, Some(server)) = (seen, server) {
            let error = cx.not_found("SQL Server", &server);
            cx.error(error);
            return Ok(());
        }
    }
    if failed > 0 {
        cx.warning(&fill(text::TEST_DATABASE_ERRORS, &[&failed.to_string(), "0"]));
    }
    Ok(())
}

/// The instance of a pool's store that a server name means.
fn store_on(cx: &Cx<'_>, pool: PoolId, server: Option<&str>, instance: Option<&str>) -> Option<SqlId> {
    let pool = cx.topology.pool(pool);
    let instances = pool.back_end.data_instances();
    let Some(server) = server else {
        return instances.first().copied();
    };
    let named = |sql: &SqlId| {
        let row = cx.topology.sql(*sql);
        cx.computer_fqdn(row.computer).eq_ignore_ascii_case(server) && instance.is_none_or(|name| row.instance.eq_ignore_ascii_case(name))
    };
    if inventory::sql_cluster(&cx.topology, pool).eq_ignore_ascii_case(server) {
        return instances.first().copied();
    }
    instances.iter().copied().find(|sql| named(sql))
}

/// A mirror cannot be read; a listener leads to whichever node is primary.
fn holds_principal(cx: &Cx<'_>, pool: PoolId, group: DatabaseGroup, sql: SqlId) -> bool {
    match (&cx.topology.pool(pool).back_end, cx.fabric.principal(pool, group)) {
        (BackEnd::AlwaysOn { .. }, principal) => principal.is_some(),
        (_, principal) => principal == Some(sql),
    }
}

fn test_object(cx: &Cx<'_>, pool: Option<PoolId>, sql: SqlId, name: &str, version: &str, succeed: bool) -> PsObject {
    let row = cx.topology.sql(sql);
    let back_end = pool.map(|pool| &cx.topology.pool(pool).back_end);
    let mirror = match back_end {
        Some(BackEnd::Mirrored { primary, mirror, .. }) if *primary == sql => Some(*mirror),
        _ => None,
    };
    let availability = match back_end {
        Some(BackEnd::Mirrored { .. }) => "Mirroring",
        Some(BackEnd::AlwaysOn { .. }) => "AlwaysOn",
        _ => "None",
    };
    // An availability group is reached through its listener.
    let server = match (pool, back_end) {
        (Some(pool), Some(BackEnd::AlwaysOn { .. })) => inventory::sql_cluster(&cx.topology, cx.topology.pool(pool)),
        _ => cx.computer_fqdn(row.computer).to_owned(),
    };
    let mut values = vec![
        Value::str(server),
        Value::str(row.instance.as_str()),
        mirror.map(|mirror| cx.sql_fqdn(mirror)).into(),
        mirror.map(|mirror| cx.topology.sql(mirror).instance.as_str()).into(),
        Value::str(name),
        Value::Null,
        Value::Null,
        Value::str(version),
        if succeed { Value::str(version) } else { Value::Null },
        Value::Bool(succeed),
    ];
    if cx.topology.version >= ProductVersion::Sfb2015 {
        values.push(Value::str(availability));
    }
    DATABASE_TEST.object(values)
}

/// The local databases of a Front End (instance RTCLOCAL), which live and die with the computer.
fn test_local(cx: &mut Cx<'_>) -> u32 {
    let fqdn = cx.computer_fqdn(cx.here).to_owned();
    if !crate::topology::has_product(cx.topology.computer(cx.here).role) {
        return 0;
    }
    let mut databases = vec![("RTCLOCAL", "xds", "10.16.7")];
    if matches!(cx.topology.computer(cx.here).role, ComputerRole::FrontEnd(_)) {
        databases.push(("RTCLOCAL", "rtc", "125.74.89"));
    }
    for (instance, name, version) in databases {
        let mut values = vec![
            Value::str(fqdn.as_str()),
            Value::str(instance),
            Value::Null,
            Value::Null,
            Value::str(name),
            Value::Null,
            Value::Null,
            Value::str(version),
            Value::str(version),
            Value::Bool(true),
        ];
        if cx.topology.version >= ProductVersion::Sfb2015 {
            values.push(Value::str("None"));
        }
        cx.output(DATABASE_TEST.object(values));
    }
    0
}
