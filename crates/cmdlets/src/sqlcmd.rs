//! `Invoke-Sqlcmd`: whether a database answers, and the few questions that scripts put to the product's databases.

use firedrill_fabric::ServiceStatus;
use firedrill_fabric::operation::DatabaseGroup;
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{PoolId, SqlId, UserId};

use crate::commands::Command;
use crate::context::{Cx, Done, as_text, failure, number};
use crate::texts::{fill, text};
use crate::users::user_names;

pub(crate) const COMMANDS: &[Command] = &[Command::new(
    "Invoke-Sqlcmd",
    ask,
    &[
        "Query",
        "ServerInstance",
        "Database",
        "QueryTimeout",
        "ConnectionTimeout",
        "Username",
        "Password",
        "Credential",
        "EncryptConnection",
        "HostName",
        "SuppressProviderContextWarning",
        "IgnoreProviderContext",
        "AbortOnError",
        "MaxCharLength",
        "OutputSqlErrors",
    ],
)
.implemented_by("Microsoft.SqlServer.Management.PowerShell.GetScriptCommand")];

/// What a server instance name leads to.
enum Server {
    /// An instance of the topology.
    Instance(SqlId),
    /// The databases that every Front End has beside it.
    Local,
}

/// `sql1.contoso.com\RTC`, `.\RTCLOCAL`, `(local)`, `tcp:server,1433`.
fn server(cx: &Cx<'_>, name: &str) -> Option<Server> {
    let plain = name.trim().strip_prefix("tcp:").unwrap_or(name.trim());
    let plain = plain.split(',').next().unwrap_or(plain);
    let (host, instance) = plain.split_once('\\').unwrap_or((plain, ""));
    let local = matches!(host.to_lowercase().as_str(), "." | "(local)" | "localhost" | "");
    let computer = if local { Some(cx.here) } else { cx.topology.find_computer(host) }?;
    if matches!(instance.to_lowercase().as_str(), "rtclocal" | "lynclocal") {
        let front_end = matches!(cx.topology.computer(computer).role, firedrill_topology::ComputerRole::FrontEnd(_));
        return (front_end && cx.fabric.computer_up(computer)).then_some(Server::Local);
    }
    let rows = cx.topology.sql_instances.iter().enumerate();
    let found = rows
        .filter(|(_, row)| row.computer == computer)
        .find(|(_, row)| row.instance.eq_ignore_ascii_case(instance))
        .map(|(index, _)| SqlId(index as u32))?;
    let reachable = computer == cx.here || cx.fabric.reaches(cx.here, computer, 1433);
    (reachable && cx.fabric.sql_up(found)).then_some(Server::Instance(found))
}

/// The pool whose user databases an instance holds as principal.
fn pool_of(cx: &Cx<'_>, sql: SqlId) -> Option<PoolId> {
    cx.topology.pool_ids().find(|pool| cx.fabric.principal(*pool, DatabaseGroup::User) == Some(sql))
}

/// A query without comments, doubled blanks, brackets and the final semicolon, in lower case.
fn normal(query: &str) -> String {
    let plain: String = query.chars().filter(|c| !matches!(c, '[' | ']')).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches(';').trim().to_lowercase()
}

fn row(columns: Vec<(&str, Value)>) -> PsObject {
    let object = PsObject::new("System.Data.DataRow").with_text("System.Data.DataRow");
    for (name, value) in columns {
        object.set(name, value);
    }
    object
}

/// The name of a counted column: `select count(*) as Total` gives `Total`; without a name PowerShell shows `Column1`.
fn alias(query: &str) -> String {
    query
        .split(" as ")
        .nth(1)
        .and_then(|rest| rest.split([' ', ',']).next())
        .map_or_else(|| "Column1".to_owned(), |name| name.trim_matches('\'').to_owned())
}

fn ask(cx: &mut Cx<'_>) -> Done {
    if let Some(file) = cx.text("InputFile") {
        cx.unmodelled("InputFile", &file);
        return Ok(());
    }
    let query = cx.text("Query").unwrap_or_default();
    let name = cx.get("ServerInstance").and_then(as_text).unwrap_or_else(|| ".".into());
    let exception = "System.Data.SqlClient.SqlException";
    let Some(found) = server(cx, &name) else {
        return Err(failure(text::SQL_UNREACHABLE.template, "SqlExectionError", "InvalidOperation", exception, Value::Null));
    };
    let database = cx.text("Database").unwrap_or_else(|| "master".into()).to_lowercase();
    let plain = normal(&query);
    let pool = match found {
        Server::Instance(sql) => pool_of(cx, sql),
        Server::Local => None,
    };
    // A database whose principal is elsewhere cannot be opened.
    if matches!(found, Server::Instance(_))
        && pool.is_none()
        && matches!(database.as_str(), "rtcxds" | "rtcshared" | "rtcab" | "rgsconfig" | "rgsdyn" | "cpsdyn")
    {
        let domain = cx.topology.ad_domain.split('.').next().unwrap_or_default().to_uppercase();
        return Err(failure(
            fill(text::SQL_NO_DATABASE, &[&database, &domain]),
            "SqlExectionError",
            "InvalidOperation",
            exception,
            Value::Null,
        ));
    }
    match answer(cx, &found, pool, &database, &plain) {
        Some(rows) => rows.into_iter().for_each(|row| cx.output(row)),
        None => {
            let shown: String = query.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(120).collect();
            cx.unmodelled("Query", &shown);
        }
    }
    Ok(())
}

/// Answers a query; `None` when it is not one of those that are modelled.
fn answer(cx: &Cx<'_>, server: &Server, pool: Option<PoolId>, database: &str, query: &str) -> Option<Vec<PsObject>> {
    let databases = || -> Vec<&'static str> {
        let mut names = vec!["master", "model", "msdb", "tempdb"];
        match server {
            Server::Local => names.extend(["rtc", "rtcdyn", "xds"]),
            Server::Instance(sql) => {
                for pool in cx.topology.pool_ids() {
                    for group in [DatabaseGroup::User, DatabaseGroup::Application, DatabaseGroup::CentralMgmt] {
                        if cx.fabric.principal(pool, group) == Some(*sql) {
                            names.extend(group.databases());
                        }
                    }
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    };
    if matches!(
        query,
        "select name from sys.databases"
            | "select name from master.sys.databases"
            | "select name from master..sysdatabases"
            | "select name from sysdatabases"
    ) {
        return Some(databases().into_iter().map(|name| row(vec![("name", Value::str(name))])).collect());
    }
    if query == "select @@servername" || query.starts_with("select @@servername as ") {
        let Server::Instance(sql) = server else { return None };
        let host = cx.sql_fqdn(*sql).split('.').next().unwrap_or_default().to_uppercase();
        let instance = &cx.topology.sql(*sql).instance;
        let shown = if instance.is_empty() { host } else { format!("{host}\\{}", instance.to_uppercase()) };
        return Some(vec![row(vec![(&alias(query), Value::str(shown))])]);
    }
    if query == "select 1" {
        return Some(vec![row(vec![("Column1", Value::Int(1))])]);
    }
    // Everybody who is homed on the pool: rtcxds on the back end, rtc on each Front End.
    let table = query.split(" from ").nth(1)?.split(' ').next()?.rsplit('.').next()?;
    let users_of = |pool: PoolId| -> Vec<UserId> {
        (0..cx.topology.users.len()).map(UserId).filter(|user| cx.fabric.registrar_pool(*user) == pool).collect()
    };
    let pool = match server {
        Server::Instance(_) => pool?,
        Server::Local => match cx.topology.computer(cx.here).role {
            firedrill_topology::ComputerRole::FrontEnd(pool) => pool,
            _ => return None,
        },
    };
    match (database, table) {
        ("rtcxds" | "rtc", "resource") => {
            if query.starts_with("select count(*)") && !query.contains(" where ") {
                return Some(vec![row(vec![(&alias(query), number(cx.fabric.users_homed(pool)))])]);
            }
            if matches!(query, "select userathost from resource" | "select userathost from dbo.resource") {
                return Some(
                    users_of(pool).into_iter().map(|user| row(vec![("UserAtHost", Value::str(user_names(cx, user).address))])).collect(),
                );
            }
            let wanted = query.split("where userathost = '").nth(1)?.strip_suffix('\'')?;
            let user = cx.topology.users.find(wanted)?;
            let homed = cx.fabric.registrar_pool(user) == pool;
            Some(homed.then(|| row(vec![("UserAtHost", Value::str(wanted))])).into_iter().collect())
        }
        ("rtcdyn", "registrarendpoint" | "endpoint") if query.starts_with("select count(*)") && !query.contains(" where ") => {
            // One endpoint for each user while the Front End serves (inferred: the model has no clients).
            let serving = cx.topology.pool(pool).front_ends.iter().any(|fe| {
                cx.fabric.service(*fe, firedrill_fabric::ServiceName::RtcSrv).is_some_and(|state| state.status == ServiceStatus::Running)
            });
            let count = if serving { cx.fabric.users_homed(pool) } else { 0 };
            Some(vec![row(vec![(&alias(query), number(count))])])
        }
        _ => None,
    }
}
