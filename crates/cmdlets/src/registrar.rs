//! Registrars: voice resiliency, media association, registrar configuration with `PoolState` (dossier B.2, B.6, J 14).

use firedrill_fabric::config::{PoolConfiguration, RegistrarSettings};
use firedrill_fabric::{PoolState, SimDuration};
use firedrill_powershell::command::CommandError;
use firedrill_powershell::{PsObject, Value};
use firedrill_topology::{ComputerRole, PoolId};

use crate::commands::Command;
use crate::context::{Cx, Done, failure, like, member, number, span, strip_identity};
use crate::edge::{edge_reference, registrar_reference};
use crate::settings::Settings;
use crate::shapes::Shape;
use crate::texts::{fill, text};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new(
        "Set-CsRegistrar",
        set_registrar,
        &["Identity", "BackupRegistrar", "EnableAutomaticFailover", "FailureDetectionInterval", "FailbackDetectionInterval", "EdgeServer"],
    ),
    Command::new("Get-CsRegistrarConfiguration", get_configuration, &["Identity", "Filter", "LocalStore"]),
    Command::new(
        "Set-CsRegistrarConfiguration",
        set_configuration,
        &[
            "Identity",
            "Instance",
            "PoolState",
            "BackupStoreUnavailableThreshold",
            "MinEndpointExpiration",
            "MaxEndpointExpiration",
            "DefaultEndpointExpiration",
            "MaxEndpointsPerUser",
            "MaxUserCount",
            "EnableDHCPServer",
        ],
    ),
];

/// Dossier J 14.
pub(crate) static CONFIGURATION: Shape = Shape::new(
    "Microsoft.Rtc.Management.WritableConfig.Settings.Registrar.RegistrarSettings",
    &[
        "Identity",
        "MinEndpointExpiration",
        "MaxEndpointExpiration",
        "DefaultEndpointExpiration",
        "MaxEndpointsPerUser",
        "EnableDHCPServer",
        "PoolState",
        "BackupStoreUnavailableThreshold",
        "MaxUserCount",
    ],
);

/// Documented range of both intervals: 30 seconds to 24 hours (dossier B.2).
fn interval(cx: &Cx<'_>, name: &str) -> Result<Option<u32>, Box<CommandError>> {
    let Some(length) = cx.duration(name) else {
        return Ok(None);
    };
    if !(SimDuration::from_secs(30)..=SimDuration::from_secs(86_400)).contains(&length) {
        return Err(failure(
            fill(text::INTERVAL_RANGE, &[&length.to_string(), name, "00:00:30", "1.00:00:00"]),
            "IntervalOutOfRange",
            "InvalidArgument",
            "System.ArgumentOutOfRangeException",
            span(length),
        ));
    }
    Ok(u32::try_from(length.as_secs()).ok())
}

fn set_registrar(cx: &mut Cx<'_>) -> Done {
    let pool = match (cx.text("Identity"), cx.topology.computer(cx.here).role) {
        (Some(identity), _) => cx.pool_named(&identity)?,
        (None, ComputerRole::FrontEnd(pool)) => pool,
        (None, _) => return Err(cx.not_found("Registrar", cx.computer_fqdn(cx.here))),
    };
    let backup = match cx.text("BackupRegistrar") {
        None => None,
        Some(name) => Some(registrar_reference(cx, &name)?),
    };
    let edge = match cx.text("EdgeServer") {
        None => None,
        Some(name) => Some(edge_reference(cx, &name)?),
    };
    let automatic = cx.flag("EnableAutomaticFailover");
    let detection = interval(cx, "FailureDetectionInterval")?;
    let failback = interval(cx, "FailbackDetectionInterval")?;
    let has_backup = backup.is_some() || cx.store()?.pools[pool.index()].backup.is_some();
    let fqdn = cx.pool_fqdn(pool).to_owned();
    for (name, given) in [("FailureDetectionInterval", detection.is_some()), ("FailbackDetectionInterval", failback.is_some())] {
        if given && !has_backup {
            return Err(failure(
                fill(text::NEEDS_BACKUP_REGISTRAR, &[name, &fqdn]),
                "NoBackupRegistrar",
                "InvalidOperation",
                "System.InvalidOperationException",
                Value::str(fqdn),
            ));
        }
    }
    if !cx.proceed(&format!("Registrar:{fqdn}"))? {
        return Ok(());
    }
    cx.edit(|configuration| {
        let settings = &mut configuration.pools[pool.index()];
        settings.backup = backup.or(settings.backup);
        settings.media_edge = edge.or(settings.media_edge);
        settings.voice.automatic = automatic.unwrap_or(settings.voice.automatic);
        settings.voice.detection_seconds = detection.unwrap_or(settings.voice.detection_seconds);
        settings.voice.failback_seconds = failback.unwrap_or(settings.voice.failback_seconds);
        Ok(())
    })
}

fn state_value(state: PoolState) -> Value {
    const TYPE: &str = "Microsoft.Rtc.Management.WritableConfig.Settings.Registrar.PoolState";
    match state {
        PoolState::Active => member(TYPE, "Active", 0),
        PoolState::FailingOver => member(TYPE, "FailingOver", 1),
        PoolState::FailedOver => member(TYPE, "FailedOver", 2),
        PoolState::FailedBack => member(TYPE, "FailedBack", 3),
    }
}

fn configuration_object(identity: &str, registrar: &RegistrarSettings, state: PoolState, threshold: SimDuration) -> PsObject {
    CONFIGURATION
        .object(vec![
            Value::str(identity),
            number(registrar.min_endpoint_expiration),
            number(registrar.max_endpoint_expiration),
            number(registrar.default_endpoint_expiration),
            number(registrar.max_endpoints_per_user),
            Value::Bool(registrar.enable_dhcp_server),
            state_value(state),
            span(threshold),
            number(registrar.max_user_count),
        ])
        .with_text(identity)
}

fn get_configuration(cx: &mut Cx<'_>) -> Done {
    let configuration = cx.store()?;
    let identity = cx.text("Identity");
    let filter = cx.text("Filter");
    let selected = |name: &str| {
        let bare = |text: &str| strip_identity(text, &[]).to_owned();
        identity.as_ref().is_none_or(|wanted| bare(wanted).eq_ignore_ascii_case(&bare(name)))
            && filter.as_ref().is_none_or(|filter| like(filter, name))
    };
    let mut found = 0;
    if selected("Global") {
        found += 1;
        let object = configuration_object("Global", &RegistrarSettings::default(), PoolState::Active, SimDuration::from_mins(30));
        cx.output(object);
    }
    for pool in cx.topology.pool_ids() {
        let name = format!("Service:Registrar:{}", cx.pool_fqdn(pool));
        if selected(&name) {
            found += 1;
            let PoolConfiguration { registrar, pool_state, backup_store_unavailable_threshold, .. } = &configuration.pools[pool.index()];
            let object = configuration_object(&name, registrar, *pool_state, *backup_store_unavailable_threshold);
            cx.output(object);
        }
    }
    if let (0, Some(identity)) = (found, identity) {
        let error = cx.not_found("configuration", &identity);
        cx.error(error);
    }
    Ok(())
}

fn set_configuration(cx: &mut Cx<'_>) -> Done {
    let settings = Settings::new(cx);
    let identity = settings.text("Identity").unwrap_or_else(|| "Global".into());
    if identity.eq_ignore_ascii_case("Global") || identity.to_ascii_lowercase().starts_with("site:") {
        // The model keeps registrar settings by pool; every pool has settings of its own.
        cx.unmodelled("Identity", &identity);
        return Ok(());
    }
    let pool: PoolId = cx.pool_named(&identity)?;
    let state = match settings.text("PoolState").as_deref() {
        Some("Active") => Some(PoolState::Active),
        Some("FailingOver") => Some(PoolState::FailingOver),
        Some("FailedOver") => Some(PoolState::FailedOver),
        Some("FailedBack") => Some(PoolState::FailedBack),
        _ => None,
    };
    let threshold = settings.duration("BackupStoreUnavailableThreshold");
    if !cx.proceed(&identity)? {
        return Ok(());
    }
    cx.edit(|configuration| {
        let target = &mut configuration.pools[pool.index()];
        target.pool_state = state.unwrap_or(target.pool_state);
        target.backup_store_unavailable_threshold = threshold.unwrap_or(target.backup_store_unavailable_threshold);
        let registrar = &mut target.registrar;
        let update = |name: &str, slot: &mut u32| *slot = settings.unsigned(name).unwrap_or(*slot);
        update("MinEndpointExpiration", &mut registrar.min_endpoint_expiration);
        update("MaxEndpointExpiration", &mut registrar.max_endpoint_expiration);
        update("DefaultEndpointExpiration", &mut registrar.default_endpoint_expiration);
        update("MaxEndpointsPerUser", &mut registrar.max_endpoints_per_user);
        update("MaxUserCount", &mut registrar.max_user_count);
        registrar.enable_dhcp_server = settings.flag("EnableDHCPServer").unwrap_or(registrar.enable_dhcp_server);
        Ok(())
    })
}
