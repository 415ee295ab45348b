//! The Central Management Server: failover, move, databases, location (dossier D.4 to D.8, J 3 and 4).

use std::sync::Arc;

use firedrill_fabric::Operation;
use firedrill_fabric::operation::CmsFailover;
use firedrill_powershell::Value;
use firedrill_topology::{BackEnd, SqlId};

use crate::commands::Command;
use crate::context::{Cx, Done, refusal};
use crate::shapes::Shape;
use crate::spellings;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new(
        "Invoke-CsManagementServerFailover",
        fail_over,
        &["BackupSqlServerFqdn", "BackupSqlInstanceName", "BackupMirrorSqlServerFqdn", "BackupMirrorSqlInstanceName", "Restore"],
    )
    .high(),
    Command::new("Move-CsManagementServer", move_server, &["ConfigurationFileName", "LisConfigurationFileName"]).high().deployment(),
    // Where data files lie changes nothing that the model shows.
    Command::new(
        "Install-CsDatabase",
        install_database,
        &[
            "CentralManagementDatabase",
            "SqlServerFqdn",
            "SqlInstanceName",
            "Clean",
            "Backup",
            "UseDefaultSqlPaths",
            "DatabasePaths",
            "DatabasePathMap",
            "Collocated",
        ],
    )
    .deployment(),
    Command::new("Get-CsManagementConnection", get_connection, &[]),
    Command::new("Get-CsConfigurationStoreLocation", get_location, &[]).deployment(),
    Command::new("Set-CsConfigurationStoreLocation", set_location, &["SqlServerFqdn", "SqlInstanceName"]).deployment(),
];

/// Dossier J 3.
pub(crate) static CONNECTION: Shape = Shape::new(
    "Microsoft.Rtc.Management.Xds.ManagementConnection",
    &["StoreProvider", "Connection", "ReadOnly", "SqlServer", "SqlInstance"],
);
/// Dossier J 4; the type name is inferred.
pub(crate) static STORE_LOCATION: Shape = Shape::new("Microsoft.Rtc.Management.Deployment.ConfigurationStoreLocation", &["BackEndServer"]);

fn owned(value: Option<Arc<str>>) -> String {
    value.map(|text| text.to_string()).unwrap_or_default()
}

fn fail_over(cx: &mut Cx<'_>) -> Done {
    let operation = Operation::CmsFailover(which_failover(cx));
    // The banner of current and proposed state comes first, also with -WhatIf: that is how the runbook learns the pool.
    let banner = cx.fabric.cms_banner(cx.caller(), &operation).map_err(|error| refusal(&error))?;
    for line in &banner {
        cx.io.host(line);
    }
    let target = cx.computer_fqdn(cx.here).to_owned();
    if !cx.proceed(&target)? {
        return Ok(());
    }
    cx.perform(operation).map(|_| ())
}

fn which_failover(cx: &mut Cx<'_>) -> CmsFailover {
    if cx.switch("Restore") {
        return CmsFailover::Restore;
    }
    let primary = cx.text("BackupSqlServerFqdn");
    let procedure_mirror = cx.text("MirrorSQLServerFqdn");
    if primary.is_none() && procedure_mirror.is_none() {
        return CmsFailover::Normal;
    }
    if !cx.switch("Force") {
        // Strict binding never comes here: the reference makes -Force mandatory in this set.
        cx.io.remark(
            "Invoke-CsManagementServerFailover without -Force: the procedure leaves it out; a real shell asks for the mandatory parameter Force",
        );
    }
    match (primary, procedure_mirror) {
        (Some(primary), _) => CmsFailover::Disaster {
            sql_server: primary.to_string(),
            instance: owned(cx.text("BackupSqlInstanceName")),
            mirror: cx.text("BackupMirrorSqlServerFqdn").map(|server| (server.to_string(), owned(cx.text("BackupMirrorSqlInstanceName")))),
            force: true,
            mirror_only: false,
        },
        (None, mirror) => {
            debug_assert_eq!(&*cx.parameters.set, spellings::MIRROR_SET);
            CmsFailover::Disaster {
                sql_server: owned(mirror),
                instance: owned(cx.text("MirrorSQLInstanceName")),
                mirror: None,
                force: true,
                mirror_only: true,
            }
        }
    }
}

fn move_server(cx: &mut Cx<'_>) -> Done {
    let operation = Operation::MoveCms {
        force: cx.switch("Force"),
        configuration_file: cx.text("ConfigurationFileName").map(|path| path.to_string()),
        lis_file: cx.text("LisConfigurationFileName").map(|path| path.to_string()),
    };
    let banner = cx.fabric.cms_banner(cx.caller(), &operation).map_err(|error| refusal(&error))?;
    for line in &banner {
        cx.io.host(line);
    }
    let target = cx.computer_fqdn(cx.here).to_owned();
    if !cx.proceed(&target)? {
        return Ok(());
    }
    cx.perform(operation).map(|_| ())
}

fn install_database(cx: &mut Cx<'_>) -> Done {
    if !cx.switch("CentralManagementDatabase") {
        // Databases of other roles are there from the start; the switch that asked for them has been reported already.
        return Ok(());
    }
    let sql_server = owned(cx.text("SqlServerFqdn"));
    if !cx.proceed(&sql_server)? {
        return Ok(());
    }
    let operation = Operation::InstallCmsDatabase {
        sql_server,
        instance: owned(cx.text("SqlInstanceName")),
        clean: cx.switch("Clean"),
        standby: cx.switch("Backup"),
    };
    cx.perform(operation).map(|_| ())
}

/// The name that connections use: the listener of an availability group, else the server.
fn connection_name(cx: &Cx<'_>, sql: SqlId) -> String {
    let listener = cx.topology.pools.iter().find_map(|pool| match &pool.back_end {
        BackEnd::AlwaysOn { listener, nodes } if nodes.contains(&sql) => Some(listener.clone()),
        _ => None,
    });
    listener.unwrap_or_else(|| cx.sql_fqdn(sql).to_owned())
}

fn joined(server: &str, instance: &str) -> String {
    if instance.is_empty() { server.to_owned() } else { format!("{server}\\{instance}") }
}

fn get_connection(cx: &mut Cx<'_>) -> Done {
    let sql = cx.fabric.management_connection(cx.here).map_err(|error| refusal(&error))?;
    let server = connection_name(cx, sql);
    let instance = cx.topology.sql(sql).instance.clone();
    let object = CONNECTION.object(vec![
        Value::str("Sql"),
        Value::str(joined(&server, &instance)),
        Value::Bool(false),
        Value::str(server),
        if instance.is_empty() { Value::Null } else { Value::str(instance) },
    ]);
    cx.output(object);
    Ok(())
}

fn get_location(cx: &mut Cx<'_>) -> Done {
    let (server, instance) = cx.fabric.configuration_store_location().map_err(|error| refusal(&error))?;
    let location = joined(&server, &instance);
    cx.output(STORE_LOCATION.object(vec![Value::str(location.as_str())]).with_text(location));
    Ok(())
}

fn set_location(cx: &mut Cx<'_>) -> Done {
    let sql_server = owned(cx.text("SqlServerFqdn"));
    if !cx.proceed(&sql_server)? {
        return Ok(());
    }
    let instance = owned(cx.text("SqlInstanceName"));
    cx.perform(Operation::SetConfigurationStoreLocation { sql_server, instance }).map(|_| ())
}
