//! The Backup Service (dossier A.5, J 11 to 13).

use firedrill_fabric::administration::{BackupReport, DEFAULT_BACKUP_RETRIES, DEFAULT_BACKUP_WAIT, ExportState, ImportState};
use firedrill_fabric::operation::{BackupGoal, BackupModule, PoolBackup};
use firedrill_fabric::{Behaviour, Operation, SimDuration};
use firedrill_powershell::{PsObject, Value};

use crate::commands::Command;
use crate::context::{Cx, Done, failure, number, refusal, span, texts};
use crate::settings::Settings;
use crate::shapes::Shape;
use crate::texts::{Text, fill, text};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Get-CsBackupServiceStatus", get_status, &["PoolFqdn", "Category"]),
    Command::new("Invoke-CsBackupServiceSync", sync, &["PoolFqdn", "BackupModule"]),
    Command::new("Get-CsBackupServiceConfiguration", get_configuration, &["Identity", "Filter", "LocalStore"]),
    Command::new(
        "Set-CsBackupServiceConfiguration",
        set_configuration,
        &[
            "Identity",
            "Instance",
            "SyncInterval",
            "MaxConcurrentCalls",
            "MaxBatchesPerCmsSync",
            "MaxBatchesPerUserStoreSync",
            "MaxDataConfPackageSizeKB",
            "EnableRgsBackupService",
        ],
    ),
    Command::new("Backup-CsPool", backup_pool, BACKUP),
    // Without a routing group: the model ships a pool's users together.
    Command::new("Sync-CsUserData", sync_user_data, &["PoolFqdn", "LocalStore", "Target"]),
    Command::new("Get-CsPoolBackupRelationship", get_relationship, &["PoolFqdn", "LocalStore"]),
];

const BACKUP: &[&str] =
    &["PoolFqdn", "Category", "FullBackup", "SteadyState", "FailedOverPoolOnly", "RetryCount", "WaitTime", "LocalStore"];

/// Dossier J 12.
pub(crate) static STATUS: Shape =
    Shape::new("System.Object", &["OverallExportStatus", "OverallImportStatus", "ActiveMachineFqdn", "BackupModules"]);
/// Dossier J 12.
pub(crate) static MODULE: Shape =
    Shape::new("Microsoft.Rtc.Management.Hadr.BackupService.BackupModuleStatus", &["Identity", "ExportStatus", "ImportStatus"]);
/// Dossier J 13.
pub(crate) static CONFIGURATION: Shape = Shape::new(
    "Microsoft.Rtc.Management.WritableConfig.Settings.BackupService.BackupServiceConfiguration",
    &[
        "Identity",
        "SyncInterval",
        "MaxConcurrentCalls",
        "MaxBatchesPerCmsSync",
        "MaxBatchesPerUserStoreSync",
        "MaxDataConfPackageSizeKB",
        "AuthorizedUniversalGroups",
        "AuthorizedLocalAccounts",
    ],
);
/// The same with what 2019 added.
pub(crate) static CONFIGURATION_2019: Shape = Shape::new(
    "Microsoft.Rtc.Management.WritableConfig.Settings.BackupService.BackupServiceConfiguration",
    &[
        "Identity",
        "SyncInterval",
        "MaxConcurrentCalls",
        "MaxBatchesPerCmsSync",
        "MaxBatchesPerUserStoreSync",
        "MaxDataConfPackageSizeKB",
        "AuthorizedUniversalGroups",
        "AuthorizedLocalAccounts",
        "EnableRgsBackupService",
    ],
);
/// Dossier J 11.
pub(crate) static RELATIONSHIP: Shape =
    Shape::new("Microsoft.Rtc.Management.Hadr.BackupService.BackupRelation", &["PoolFqdn", "BackupPoolFqdn"]);

/// Full names of the modules (dossier A.4).
const MODULES: &[(BackupModule, &str)] = &[
    (BackupModule::PresenceFocus, "UserServices.PresenceFocus"),
    (BackupModule::DataConf, "ConfServices.DataConf"),
    (BackupModule::CmsMaster, "CentralMgmt.CMSMaster"),
    (BackupModule::RgsDataStore, "ApplicationServer.RGSDataStore"),
    (BackupModule::RgsFileStore, "ApplicationServer.RGSFileStore"),
];

fn module_name(module: BackupModule) -> &'static str {
    MODULES.iter().find(|(known, _)| *known == module).map_or("", |(_, name)| name)
}

/// Which modules a text names; the monitoring document prints the short names, and `All` (dossier A.5).
fn modules_named(name: &str) -> Option<Vec<BackupModule>> {
    if name.eq_ignore_ascii_case("All") {
        return Some(MODULES.iter().map(|(module, _)| *module).collect());
    }
    let short = |full: &str| full.rsplit('.').next().unwrap_or_default().to_owned();
    let found = MODULES.iter().find(|(_, full)| full.eq_ignore_ascii_case(name) || short(full).eq_ignore_ascii_case(name));
    found.map(|(module, _)| vec![*module])
}

/// The modules of `-Category`; all without it.
fn category(cx: &Cx<'_>) -> Vec<BackupModule> {
    match cx.text("Category").as_deref() {
        Some("CMS") => vec![BackupModule::CmsMaster],
        Some("UserData") => vec![BackupModule::PresenceFocus, BackupModule::DataConf],
        Some("RGS") => vec![BackupModule::RgsDataStore, BackupModule::RgsFileStore],
        _ => MODULES.iter().map(|(module, _)| *module).collect(),
    }
}

fn unknown_module(name: &str) -> Box<firedrill_powershell::command::CommandError> {
    failure(
        fill(text::OBJECT_NOT_FOUND, &["backup module", name]),
        "BackupModuleNotFound",
        "InvalidArgument",
        "System.ArgumentException",
        Value::str(name),
    )
}

fn get_status(cx: &mut Cx<'_>) -> Done {
    let pool = cx.pool("PoolFqdn")?;
    let wanted: Vec<BackupModule> = match (cx.given("Category"), cx.text("BackupModule")) {
        (false, Some(name)) => modules_named(&name).ok_or_else(|| unknown_module(&name))?,
        _ => category(cx),
    };
    // An unpaired pool has nothing to report (inferred, as for Get-CsPoolBackupRelationship).
    cx.fabric.lean(Behaviour::BackupStates);
    if let Some(report) = cx.fabric.backup_status_from(cx.here, pool).map_err(|error| refusal(&error))? {
        if report.modules.iter().any(|(module, export, _)| (*module, *export) == (BackupModule::CmsMaster, ExportState::NotInitialized)) {
            cx.fabric.lean(Behaviour::OnlyActiveCmsExports);
        }
        let object = status_object(cx, &report, &wanted);
        cx.output(object);
    }
    Ok(())
}

fn status_object(cx: &Cx<'_>, report: &BackupReport, wanted: &[BackupModule]) -> PsObject {
    let modules: Vec<_> = report.modules.iter().filter(|(module, ..)| wanted.contains(module)).collect();
    // The worst of the modules that export at all (inferred: dossier A.5).
    let rank = |state: &ExportState| match state {
        ExportState::NotInitialized => 0,
        ExportState::FinalState => 1,
        ExportState::SteadyState => 2,
        ExportState::NonSteadyState => 3,
        ExportState::ErrorState => 4,
    };
    let export = modules.iter().map(|(_, export, _)| *export).max_by_key(rank).unwrap_or(ExportState::NotInitialized);
    let import = modules.iter().map(|(_, _, import)| *import).max_by_key(|state| *state == ImportState::ErrorState);
    let rows = modules.iter().map(|(module, export, import)| {
        let name = module_name(*module);
        let row = vec![Value::str(name), Value::str(format!("{export:?}")), Value::str(format!("{import:?}"))];
        MODULE.object(row).with_text(name).into()
    });
    STATUS.object(vec![
        Value::str(format!("{export:?}")),
        Value::str(format!("{:?}", import.unwrap_or(ImportState::NormalState))),
        report.active_machine.map(|computer| cx.computer_fqdn(computer)).into(),
        Value::array(rows.collect()),
    ])
}

fn sync(cx: &mut Cx<'_>) -> Done {
    let pool = cx.pool("PoolFqdn")?;
    let module = match cx.text("BackupModule") {
        None => None,
        Some(name) => match modules_named(&name).ok_or_else(|| unknown_module(&name))?.as_slice() {
            [one] => Some(*one),
            _ => None,
        },
    };
    cx.perform(Operation::BackupSync { pool, module }).map(|_| ())
}

fn backup_pool(cx: &mut Cx<'_>) -> Done {
    // The pair is looked up in the topology (documented: PS:Backup-CsPool -LocalStore).
    cx.store()?;
    let pool = cx.pool("PoolFqdn")?;
    let (full, steady, failed_over_only) = (cx.switch("FullBackup"), cx.switch("SteadyState"), cx.switch("FailedOverPoolOnly"));
    if full && steady {
        return Err(contradiction(text::BACKUP_GOALS));
    }
    if failed_over_only && !full {
        return Err(contradiction(text::BACKUP_NEEDS_FULL));
    }
    let fqdn = cx.pool_fqdn(pool).to_owned();
    if !cx.proceed(&fqdn)? {
        return Ok(());
    }
    let goal = match (full, steady) {
        (true, _) => BackupGoal::Final,
        (false, true) => BackupGoal::Steady,
        (false, false) => BackupGoal::Shipped,
    };
    let retries = cx.integer("RetryCount").map_or(DEFAULT_BACKUP_RETRIES, |count| u32::try_from(count.max(1)).unwrap_or(u32::MAX));
    let wait = cx.duration("WaitTime").unwrap_or(DEFAULT_BACKUP_WAIT);
    let order = PoolBackup { pool, modules: category(cx), goal, failed_over_only, retries, wait };
    cx.perform(Operation::PoolBackup(order)).map(|_| ())
}

/// Ships a pool's user data to its backup pool; fails where the Backup Service is not active (documented: dossier A.5). That
/// the module of presence documents and contacts is meant is inferred.
fn sync_user_data(cx: &mut Cx<'_>) -> Done {
    cx.store()?;
    let pool = cx.pool("PoolFqdn")?;
    cx.perform(Operation::BackupSync { pool, module: Some(BackupModule::PresenceFocus) }).map(|_| ())
}

/// Parameters that cannot stand together.
fn contradiction(what: Text) -> Box<firedrill_powershell::command::CommandError> {
    failure(fill(what, &[]), "InvalidParameters", "InvalidArgument", "System.ArgumentException", Value::Null)
}

fn get_configuration(cx: &mut Cx<'_>) -> Done {
    let configuration = cx.store()?;
    if let Some(identity) = cx.text("Identity").or_else(|| cx.text("Filter"))
        && !crate::context::like(&identity, "Global")
    {
        if cx.given("Identity") {
            let error = cx.not_found("configuration", &identity);
            cx.error(error);
        }
        return Ok(());
    }
    let settings = &configuration.backup_service;
    let mut values = vec![
        Value::str("Global"),
        span(settings.sync_interval),
        number(settings.max_concurrent_calls),
        number(settings.max_batches_per_cms_sync),
        number(settings.max_batches_per_user_store_sync),
        number(settings.max_data_conf_package_size_kb),
        // Not part of the model: the defaults (documented: dossier A.5).
        texts(["RTCUniversalServerAdmins"]),
        texts(["NetworkService"]),
    ];
    let object = if cx.topology.version == firedrill_topology::ProductVersion::Sfb2019 {
        values.push(Value::Bool(settings.enable_rgs_backup_service));
        CONFIGURATION_2019.object(values)
    } else {
        CONFIGURATION.object(values)
    };
    cx.output(object.with_text("Global"));
    Ok(())
}

fn set_configuration(cx: &mut Cx<'_>) -> Done {
    let settings = Settings::new(cx);
    let interval = settings.duration("SyncInterval");
    // Documented range: 5 seconds to 3 hours (dossier A.5).
    if let Some(interval) = interval
        && !(SimDuration::from_secs(5)..=SimDuration::from_mins(180)).contains(&interval)
    {
        return Err(failure(
            fill(text::INTERVAL_RANGE, &[&interval.to_string(), "SyncInterval", "00:00:05", "03:00:00"]),
            "SyncIntervalOutOfRange",
            "InvalidArgument",
            "System.ArgumentOutOfRangeException",
            span(interval),
        ));
    }
    let unsigned = |name: &str| settings.unsigned(name);
    let (calls, cms, user, size) = (
        unsigned("MaxConcurrentCalls"),
        unsigned("MaxBatchesPerCmsSync"),
        unsigned("MaxBatchesPerUserStoreSync"),
        unsigned("MaxDataConfPackageSizeKB"),
    );
    let rgs = settings.flag("EnableRgsBackupService");
    if !cx.proceed("Global")? {
        return Ok(());
    }
    cx.edit(|configuration| {
        let target = &mut configuration.backup_service;
        target.sync_interval = interval.unwrap_or(target.sync_interval);
        target.max_concurrent_calls = calls.unwrap_or(target.max_concurrent_calls);
        target.max_batches_per_cms_sync = cms.unwrap_or(target.max_batches_per_cms_sync);
        target.max_batches_per_user_store_sync = user.unwrap_or(target.max_batches_per_user_store_sync);
        target.max_data_conf_package_size_kb = size.unwrap_or(target.max_data_conf_package_size_kb);
        target.enable_rgs_backup_service = rgs.unwrap_or(target.enable_rgs_backup_service);
        Ok(())
    })
}

fn get_relationship(cx: &mut Cx<'_>) -> Done {
    let configuration = cx.store()?;
    let pool = cx.pool("PoolFqdn")?;
    // An unpaired pool emits nothing (inferred: dossier A.5).
    if let Some(backup) = configuration.pools[pool.index()].backup {
        let object = RELATIONSHIP.object(vec![Value::str(cx.pool_fqdn(pool)), Value::str(cx.pool_fqdn(backup))]);
        cx.output(object);
    }
    Ok(())
}
