//! Pool pairing (dossier A.1, A.2) and the standby database of the Central Management Store (dossier A.3).

use std::collections::BTreeMap;

use firedrill_syntax::{Span, quote};

use crate::model::*;
use crate::resolve::Resolver;

/// Shared background of all pairing warnings (dossier A.1).
const SUPPORT_NOTE: &str = "Topology Builder publishes such a pair, but it is not supported";

/// Pairs are symmetric, one to one, and of like with like.
pub(super) fn check(resolver: &mut Resolver<'_>) {
    let mut chosen_by: BTreeMap<PoolId, PoolId> = BTreeMap::new();
    for id in resolver.topology.pool_ids() {
        let Some(backup) = resolver.topology.pool(id).backup else {
            voice_without_backup(resolver, id);
            continue;
        };
        let place = backup_span(resolver, id);
        let own = name(resolver, id);
        let other = name(resolver, backup);
        if backup == id {
            resolver.report(
                resolver
                    .error("self-pairing", place, format!("the pool {own} is its own backup"))
                    .hint("name the pool that takes over when this one fails"),
            );
            continue;
        }
        if let Some(first) = chosen_by.get(&backup).copied() {
            let message = format!("two pools, {} and {own}, have the backup {other}", name(resolver, first));
            let first_place = backup_span(resolver, first);
            resolver.report(
                resolver
                    .error("shared-backup", place, message)
                    .label(first_place, "first here")
                    .note("pools are paired one to one")
                    .hint("give each pool a backup of its own"),
            );
            continue;
        }
        chosen_by.insert(backup, id);
        match resolver.topology.pool(backup).backup {
            Some(back) if back == id => {
                // A pool of 2010 cannot be paired at all, which is said elsewhere.
                let is_2010 = |id| resolver.topology.pool(id).version == ProductVersion::Lync2010;
                if id < backup && !is_2010(id) && !is_2010(backup) {
                    pair(resolver, id, backup);
                }
            }
            Some(back) => {
                let message = format!("the pool {own} has the backup {other}, whose own backup is {}", name(resolver, back));
                let back_place = backup_span(resolver, backup);
                resolver.report(
                    resolver
                        .error("one-sided-pairing", place, message)
                        .label(back_place, "the other side")
                        .note("pairs are symmetric: each pool is the other's backup")
                        .hint(format!("write `backup: {}` at {other}", own.trim_matches('`'))),
                );
            }
            None => {
                let message = format!("the pool {own} has the backup {other}, which has none");
                let other_place = resolver.document.pools[backup.index()].fqdn.span;
                resolver.report(
                    resolver
                        .error("one-sided-pairing", place, message)
                        .label(other_place, "the other side")
                        .note("pairs are symmetric: each pool is the other's backup")
                        .hint(format!("add `backup: {}` to {other}", own.trim_matches('`'))),
                );
            }
        }
    }
}

fn voice_without_backup(resolver: &mut Resolver<'_>, id: PoolId) {
    let document = &resolver.document.pools[id.index()];
    // A backup that was named and not found has its own diagnostic.
    if document.backup.is_some() {
        return;
    }
    let Some(voice) = &document.voice_resiliency else { return };
    let pool = quote(&document.fqdn.value);
    let (place, message) = match voice.failure_detection.as_ref().or(voice.failback_detection.as_ref()) {
        _ if voice.automatic => (voice.span, format!("the pool {pool} fails over for Voice automatically and has no backup pool")),
        Some(interval) => (interval.span, format!("the pool {pool} has intervals for Voice and no backup pool that could keep them")),
        None => return,
    };
    resolver.report(resolver.error("voice-without-backup", place, message).hint("add `backup:`, or remove `voice_resiliency:`"));
}

fn name(resolver: &Resolver<'_>, id: PoolId) -> String {
    quote(&resolver.document.pools[id.index()].fqdn.value)
}

fn backup_span(resolver: &Resolver<'_>, id: PoolId) -> Span {
    let document = &resolver.document.pools[id.index()];
    document.backup.as_ref().map_or(document.fqdn.span, |backup| backup.span)
}

/// Support statements about the two pools of a pair: warnings, because publishing is not refused (dossier A.1).
fn pair(resolver: &mut Resolver<'_>, a: PoolId, b: PoolId) {
    let (first, second) = (resolver.topology.pool(a).clone(), resolver.topology.pool(b).clone());
    let documents = resolver.document;
    let (first_document, second_document) = (&documents.pools[a.index()], &documents.pools[b.index()]);
    if first.edition != second.edition {
        let message = format!("{} pairs Enterprise Edition with Standard Edition", pair_name(&first, &second));
        resolver.report(
            resolver
                .warning("pair-editions", second_document.edition.span, message)
                .label(first_document.edition.span, "the other side")
                .note(SUPPORT_NOTE)
                .hint("pair Enterprise Edition with Enterprise Edition, Standard Edition with Standard Edition"),
        );
    }
    if first.virtualised != second.virtualised {
        let message = format!("{} pairs physical with virtual servers", pair_name(&first, &second));
        resolver.report(
            resolver
                .warning("pair-hosting", second_document.fqdn.span, message)
                .label(first_document.fqdn.span, "the other side")
                .note(SUPPORT_NOTE)
                .hint("make `hosting:` of both alike"),
        );
    }
    if let (Some(one), Some(other)) = (&first_document.windows, &second_document.windows)
        && one.value != other.value
    {
        let message = format!("{} pairs servers on Windows Server {} and {}", pair_name(&first, &second), one.value, other.value);
        resolver.report(
            resolver
                .warning("pair-windows", other.span, message)
                .label(one.span, "the other side")
                .note(SUPPORT_NOTE)
                .hint("run both pools on the same operating system"),
        );
    }
    shared_computers(resolver, a, b);
    let (first_technology, second_technology) = (technology(&first.back_end), technology(&second.back_end));
    if first.edition == second.edition && first_technology != second_technology {
        let message = format!("{} pairs a back end with {first_technology} and one with {second_technology}", pair_name(&first, &second));
        let place = second_document.sql.as_ref().map_or(second_document.fqdn.span, |sql| sql.span);
        let other = first_document.sql.as_ref().map_or(first_document.fqdn.span, |sql| sql.span);
        resolver.report(
            resolver
                .warning("pair-back-ends", place, message)
                .label(other, "the other side")
                .note(SUPPORT_NOTE)
                .hint("use the same technology on both sides"),
        );
    }
    if first.version != second.version {
        let message = format!("{} pairs generation {} with {}", pair_name(&first, &second), first.version.year(), second.version.year());
        let place = second_document.product.map_or(second_document.fqdn.span, |product| product.span);
        resolver.report(
            resolver
                .warning("pair-versions", place, message)
                .label(first_document.fqdn.span, "the other side")
                .note("the data that the Backup Service ships have the form of one version")
                .hint("pair pools of one version"),
        );
    }
    for (pool, document) in [(&first, first_document), (&second, second_document)] {
        if pool.edition == Edition::Enterprise && pool.front_ends.len() < 3 && !document.front_ends.is_empty() {
            let message = format!("the paired pool {} has fewer than three Front Ends", quote(&pool.fqdn));
            resolver.report(
                resolver
                    .warning("pair-few-front-ends", document.fqdn.span, message)
                    .note("after pairing, three Front Ends of each pool must at some time run together so that data can be synchronised")
                    .hint("add Front Ends"),
            );
        }
    }
}

/// A pair whose databases or file stores stand on one computer loses both sides with it: inferred from the purpose of
/// pairing (dossier A.1, A.4). Witnesses may be shared (dossier E.1).
fn shared_computers(resolver: &mut Resolver<'_>, a: PoolId, b: PoolId) {
    // After errors some references are stand-ins, which all pools share.
    if resolver.diagnostics.has_errors() {
        return;
    }
    let documents = resolver.document;
    let stores = |id: PoolId| {
        let topology = &resolver.topology;
        let (pool, document) = (topology.pool(id), &documents.pools[id.index()]);
        let sql = pool.back_end.data_instances().into_iter().map(|sql| topology.sql(sql).computer);
        let sql_place = document.sql.as_ref().map_or(document.fqdn.span, |sql| sql.span);
        let file = pool.file_store.map(|store| topology.file_stores[store.index()].computer);
        let file_place = document.file_store.as_ref().map_or(document.fqdn.span, |store| store.span);
        sql.map(|computer| (computer, sql_place)).chain(file.map(|computer| (computer, file_place))).collect::<Vec<_>>()
    };
    let (ours, theirs) = (stores(a), stores(b));
    let shared = theirs.iter().find_map(|(computer, place)| Some((*computer, *place, ours.iter().find(|(own, _)| own == computer)?.1)));
    if let Some((computer, place, other)) = shared {
        let fqdn = quote(&resolver.topology.computer(computer).fqdn);
        let (first, second) = (resolver.topology.pool(a), resolver.topology.pool(b));
        let message = format!("{} keeps data of both pools on {fqdn}", pair_name(first, second));
        resolver.report(
            resolver
                .warning("pair-shared-computer", place, message)
                .label(other, "the other side")
                .note("what the Backup Service ships to the partner falls with the same computer")
                .hint("give each pool a SQL Server and a file server of its own"),
        );
    }
}

fn pair_name(first: &Pool, second: &Pool) -> String {
    format!("the pair {} and {}", quote(&first.fqdn), quote(&second.fqdn))
}

fn technology(back_end: &BackEnd) -> &'static str {
    match back_end {
        BackEnd::Collocated { .. } => "SQL Server Express",
        BackEnd::StandAlone { .. } => "no high availability",
        BackEnd::Mirrored { .. } => "mirroring",
        BackEnd::AlwaysOn { .. } => "an AlwaysOn group",
    }
}

/// The standby database belongs into the backup pool of the active one (dossier A.3).
pub(super) fn central_management(resolver: &mut Resolver<'_>) {
    let CentralManagement { active, standby } = resolver.topology.cms.clone();
    let documents = resolver.document;
    let Some(active_document) = documents.pools.get(active.index()) else { return };
    let Some(active_place) = active_document.central_management else { return };
    let active_pool = resolver.topology.pool(active).clone();
    let Some(standby) = standby else {
        // Said of sound pairs only: a pair that is wrong in itself has to be mended first.
        if let Some(backup) = active_pool.backup
            && backup != active
            && resolver.topology.pool(backup).backup == Some(active)
            && documents.pools[backup.index()].central_management.is_none()
            && active_pool.version != ProductVersion::Lync2010
        {
            let message = format!(
                "the Central Management Store has no standby database, although its pool is paired with {}",
                name(resolver, backup)
            );
            resolver.report(
                resolver
                    .warning("no-standby-central-management", active_place.span, message)
                    .note("pairing creates it; Standard Edition sometimes needs Install-CsDatabase by hand")
                    .hint(format!("write `central_management: standby` at {}", name(resolver, backup))),
            );
        }
        return;
    };
    let Some(standby_place) = documents.pools[standby.index()].central_management else { return };
    if active_pool.version == ProductVersion::Lync2010 {
        resolver.report(
            resolver
                .error("standby-of-2010", standby_place.span, "a Central Management Store of Lync Server 2010 has no standby database")
                .label(active_place.span, "active here")
                .hint("remove `central_management: standby`"),
        );
    } else if active_pool.backup != Some(standby) {
        let message = format!("the standby database is in {}, which is not the backup of the active one's pool", name(resolver, standby));
        let hint = match active_pool.backup {
            Some(backup) => format!("write `central_management: standby` at {}", name(resolver, backup)),
            None => format!("pair {} with {}", name(resolver, active), name(resolver, standby)),
        };
        resolver.report(
            resolver
                .warning("standby-not-in-backup", standby_place.span, message)
                .label(active_place.span, "active here")
                .note("the Backup Service ships the store to the backup pool only")
                .hint(hint),
        );
    }
}
