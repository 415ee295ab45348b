//! Looking at a fabric: does an expectation hold, what was found, and which state explains it.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_fabric::federation::{Level, Reach, ReachQuery, Reached};
use firedrill_fabric::naming::{Answer, PartnerView};
use firedrill_fabric::serving::{DataLoss, Outage, ServingCause};
use firedrill_fabric::world::Experience;
use firedrill_fabric::{CmsDatabaseState, Configuration, ExportState, Fabric, ServiceMode, ServiceStatus, SimDuration};
use firedrill_topology::{ComputerId, ComputerRole, EdgePoolId, PoolId, UserId};

use super::command::Said;
use super::describe::{Words, answer_words, column_words, database_words, failure_words, kind_words, mode_words, record_words};
use super::{Bug, Drill, heard, settings};
use crate::document::UntilDocument;
use crate::resolve::names::sql_name;
use crate::scenario::{Bounds, Check, DnsAnswer, EdgePlace, ExperienceColumn, Holder, Quantity, Reachability, Who};

/// What looking gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether the expectation holds.
    pub holds: bool,
    /// What was found.
    pub found: String,
    /// State that explains it, most telling first; only when it does not hold.
    pub explain: Vec<String>,
}

impl Finding {
    pub(super) fn new(holds: bool, found: impl Into<String>) -> Self {
        Self { holds, found: found.into(), explain: Vec::new() }
    }

    pub(super) fn because(mut self, explain: impl FnOnce() -> Vec<String>) -> Self {
        if !self.holds {
            self.explain = explain();
        }
        self
    }
}

/// More offenders than these are counted instead of listed.
const LISTED: usize = 4;

impl Drill {
    /// Looks whether a check holds now. `said` is what the step said that carries the check, where it said something.
    ///
    /// # Errors
    /// When the model and the wire disagree, or the wire does what the model has no answer for.
    pub fn expect(&mut self, check: &Check, said: Option<&Said>) -> Result<Finding, Bug> {
        let nothing = Said::default();
        let said = said.unwrap_or(&nothing);
        Ok(match check {
            Check::Dns { partner, name, record_type, answer, cached } => {
                let view = self.partner_view(*partner, name, *record_type)?;
                dns(&view, answer, *cached)
            }
            Check::Federation { partner, domain, protocol, direction, level, wanted } => {
                let query = ReachQuery { partner: *partner, domain: domain.clone(), protocol: *protocol, direction: *direction };
                let reached = self.reached(&query, *level)?;
                self.federation(&query, &reached, *level, *wanted)
            }
            Check::Serving { who, .. } => {
                if let Some(user) = self.one_of(*who) {
                    self.sign_in(user)?;
                }
                Look { fabric: &self.fabric, words: Words(&self.topology) }.check(check)
            }
            Check::Fails(demand) => heard::fails(demand, said),
            Check::Text(stream, demand) => heard::text(*stream, demand, said),
            Check::Objects(demand) => heard::objects(demand, said),
            Check::Took(bounds) => Finding::new(within(said.took, *bounds), said.took.to_string()),
            other => Look { fabric: &self.fabric, words: Words(&self.topology) }.check(other),
        })
    }

    /// Somebody who can sign in for the others.
    fn one_of(&self, who: Who) -> Option<UserId> {
        match who {
            Who::User(user) | Who::Users(user, _) => Some(user),
            Who::Pool(pool) => {
                let first = self.topology.users.cohorts.iter().map(|cohort| cohort.first);
                first.into_iter().find(|user| self.fabric.registrar_pool(*user) == pool)
            }
        }
    }

    fn federation(&self, query: &ReachQuery, reached: &Reached, level: Level, wanted: Reachability) -> Finding {
        let words = Words(&self.topology);
        let reach = &reached.reach;
        let failure = reached.failure_at(level);
        let via = self.edge_reached(reach).filter(|_| failure.is_none());
        let holds = match wanted {
            Reachability::Reachable(None) => failure.is_none(),
            Reachability::Reachable(Some(EdgePlace::Pool(edge))) => via.is_some_and(|(pool, _)| pool == edge),
            Reachability::Reachable(Some(EdgePlace::Computer(id))) => via.is_some_and(|(_, computer)| computer == id),
            Reachability::Unreachable(None) => failure.is_some(),
            Reachability::Unreachable(Some(why)) => failure == Some(why),
        };
        let through = via.map(|(pool, computer)| format!(" through {} ({})", words.edge(pool), words.computer(computer)));
        let through = through.unwrap_or_default();
        let found = match (failure, reach.failure) {
            (None, None) => format!("reached{through}"),
            (None, Some(why)) => format!("reached{through} to {}; then {}", reached.level.words(), failure_words(why)),
            // At L0 the reason says it all.
            (Some(why), _) if reached.level == Level::Nothing => format!("not reached: {}", failure_words(why)),
            (Some(why), _) => format!("not reached: {} ({})", failure_words(why), reached.level.words()),
        };
        Finding::new(holds, found).because(|| {
            let tried = reach.attempts.iter().map(|attempt| {
                let address = attempt.address.map_or_else(|| "no address".to_owned(), |address| address.to_string());
                let target = &attempt.target;
                format!("tried {}:{} (priority {}) at {address}: {:?}", target.host, target.port, target.priority, attempt.result)
            });
            tried.chain(self.fabric.explain_reach(query)).collect()
        })
    }

    /// The Edge Server that answered, be it with a refusal.
    fn edge_reached(&self, reach: &Reach) -> Option<(EdgePoolId, ComputerId)> {
        reach.via.or_else(|| {
            let address = reach.attempts.last()?.address?;
            let of_pool = |edge: EdgePoolId| {
                let server = self.topology.edge_pool(edge).servers.iter().find(|server| server.external == address)?;
                Some((edge, server.computer))
            };
            self.topology.edge_pool_ids().find_map(of_pool)
        })
    }
}

/// A fabric that is looked at without touching it.
struct Look<'f> {
    fabric: &'f Fabric,
    words: Words<'f>,
}

impl Look<'_> {
    fn check(&self, check: &Check) -> Finding {
        match check {
            Check::Homing { who, pool, count } => self.homing(*who, *pool, *count),
            Check::Serving { who, mode, by, quantity, cause } => self.serving(*who, *mode, *by, *quantity, *cause),
            Check::Experience { user, column, able } => self.experience(*user, *column, *able),
            Check::CmsMaster(holder) => {
                let masters: Vec<ComputerId> = self.fabric.cms_status().active_master.into_iter().collect();
                self.held(&masters, *holder)
            }
            Check::CmsTransferAgents(holder) => self.held(&self.fabric.cms_status().file_transfer_agents, *holder),
            Check::CmsDatabase { pool, state } => {
                let found = self.fabric.cms_databases().into_iter().find(|database| database.pool == *pool).map(|database| database.state);
                Finding::new(found == *state, database_words(found)).because(|| self.explain_cms())
            }
            Check::CmsLocation(sql) => {
                let instance = self.fabric.topology().sql(*sql);
                let server = &self.fabric.topology().computer(instance.computer).fqdn;
                match self.fabric.configuration_store_location() {
                    Ok((host, name)) => {
                        let holds = host.eq_ignore_ascii_case(server) && name.eq_ignore_ascii_case(&instance.instance);
                        Finding::new(holds, format!("{host}\\{name}")).because(|| self.explain_cms())
                    }
                    Err(error) => Finding::new(false, error.message),
                }
            }
            Check::Replicas { computers, up_to_date, current, product_version } => {
                self.replicas(computers, *up_to_date, *current, product_version.as_ref())
            }
            Check::PoolState { pool, state } => {
                let found = self.fabric.pool_state(*pool);
                Finding::new(found == *state, format!("{found:?}")).because(|| self.fabric.explain_pool(*pool))
            }
            Check::Backup { pool, module, export, import, available } => self.backup(*pool, *module, export, *import, *available),
            Check::Services { computers, names, status, disabled } => self.services(computers, names, *status, *disabled),
            Check::Setting { setting, replica_of } => {
                let document = match replica_of {
                    Some(computer) => self.fabric.local_store(*computer),
                    None => active_document(self.fabric),
                };
                let (wanted, found) = settings::compare(*setting, &document, self.fabric.topology());
                Finding::new(wanted == found, found).because(|| self.explain_cms())
            }
            Check::Media { pool, via, working } => {
                let found = self.fabric.media_edge(*pool);
                let right_edge = via.is_none_or(|via| via == found.map(|(edge, _)| edge));
                let right_state = working.is_none_or(|working| working == found.is_some_and(|(_, works)| works));
                let words = match found {
                    None => "no Edge pool".to_owned(),
                    Some((edge, works)) => format!("through {}, {}", self.words.edge(edge), if works { "working" } else { "not working" }),
                };
                Finding::new(right_edge && right_state, words)
            }
            Check::SetupPending { computers, pending } => {
                let wrong: Vec<ComputerId> =
                    computers.iter().copied().filter(|computer| self.fabric.setup_pending(*computer) != *pending).collect();
                let found = match (wrong.is_empty(), pending) {
                    (true, true) => "pending".to_owned(),
                    (true, false) => "not pending".to_owned(),
                    (false, true) => format!("not pending on {}", self.listed(&wrong)),
                    (false, false) => format!("pending on {}", self.listed(&wrong)),
                };
                Finding::new(wrong.is_empty(), found)
            }
            Check::PrincipalSide { pool, databases, side } => {
                let found = self.fabric.principal_side(*pool, *databases);
                let words =
                    found.map_or_else(|| "not mirrored".to_owned(), |side| format!("the {} back end", format!("{side:?}").to_lowercase()));
                Finding::new(found == Some(*side), words).because(|| self.fabric.explain_pool(*pool))
            }
            Check::PrincipalInstance { pool, databases, instance } => {
                let found = self.fabric.principal(*pool, *databases);
                let words = found.map_or_else(|| "none answers".to_owned(), |id| sql_name(self.fabric.topology(), id));
                Finding::new(found == *instance, words).because(|| self.fabric.explain_pool(*pool))
            }
            Check::Quorum { pool, functional, active, without_primary } => {
                let report = self.fabric.quorum(*pool);
                let lost = u32::try_from(report.without_primary.len()).unwrap_or(u32::MAX);
                let holds = functional.is_none_or(|wanted| wanted == report.functional)
                    && active.is_none_or(|wanted| wanted == report.active)
                    && without_primary.is_none_or(|wanted| wanted == lost);
                let state = if report.functional { "holds" } else { "is lost" };
                let words =
                    format!("{state}, {} of {} Front Ends active, {lost} routing groups without a primary", report.active, report.total);
                Finding::new(holds, words).because(|| self.fabric.explain_pool(*pool))
            }
            Check::Rto { who, until, bounds } => self.rto(*who, *until, *bounds),
            Check::Rpo { who, kind, bounds } => self.rpo(*who, *kind, *bounds),
            // The others need the drill or what the step said: `Drill::expect` answers them.
            Check::Dns { .. } | Check::Federation { .. } | Check::Fails(_) | Check::Text(..) | Check::Objects(_) | Check::Took(_) => {
                Finding::new(false, "nothing to look at")
            }
        }
    }

    fn listed(&self, computers: &[ComputerId]) -> String {
        let mut names: Vec<&str> = computers.iter().take(LISTED).map(|id| self.words.computer(*id)).collect();
        let more = format!("{} more", computers.len().saturating_sub(LISTED));
        if computers.len() > LISTED {
            names.push(&more);
        }
        names.join(", ")
    }

    /// Homes of a selection of users, counted.
    fn homes(&self, who: Who) -> BTreeMap<PoolId, u32> {
        let mut homes = BTreeMap::new();
        match who {
            Who::Pool(pool) => {
                homes.insert(pool, self.fabric.users_homed(pool));
            }
            Who::User(user) => {
                homes.insert(self.fabric.registrar_pool(user), 1);
            }
            Who::Users(first, last) => {
                for user in (first.0..=last.0).map(UserId) {
                    *homes.entry(self.fabric.registrar_pool(user)).or_insert(0) += 1;
                }
            }
        }
        homes
    }

    fn homing(&self, who: Who, pool: Option<PoolId>, count: Option<u32>) -> Finding {
        // A pool's own users are asked about by where they started: "all who were homed on Pool1 still are".
        let homes = match (who, pool) {
            (Who::Pool(from), Some(_)) => self.homes_of_starters(from),
            _ => self.homes(who),
        };
        let total: u32 = homes.values().sum();
        let wanted_pool = match (pool, who) {
            (Some(pool), _) => Some(pool),
            (None, Who::Pool(pool)) => Some(pool),
            (None, _) => None,
        };
        let there = wanted_pool.and_then(|pool| homes.get(&pool).copied()).unwrap_or(0);
        let holds = there == count.unwrap_or(total) && (total > 0 || count.is_some());
        let found: Vec<String> = homes.iter().map(|(pool, n)| format!("{n} on {}", self.words.pool(*pool))).collect();
        Finding::new(holds, if found.is_empty() { "no users".to_owned() } else { found.join(", ") })
    }

    /// Homes now of the users whom the deployment document homes on a pool.
    fn homes_of_starters(&self, pool: PoolId) -> BTreeMap<PoolId, u32> {
        let mut homes = BTreeMap::new();
        for cohort in self.fabric.topology().users.cohorts.iter().filter(|cohort| cohort.pool == pool) {
            for user in (cohort.first.0..cohort.first.0 + cohort.count).map(UserId) {
                *homes.entry(self.fabric.registrar_pool(user)).or_insert(0) += 1;
            }
        }
        homes
    }

    fn serving(&self, who: Who, mode: ServiceMode, by: Option<PoolId>, quantity: Quantity, cause: Option<ServingCause>) -> Finding {
        let mut parts = Vec::new();
        match who {
            Who::Pool(pool) => parts = self.fabric.pool_serving(pool).parts,
            Who::User(user) => parts.push((self.fabric.serving(user), 1)),
            Who::Users(first, last) => {
                for user in (first.0..=last.0).map(UserId) {
                    let serving = self.fabric.serving(user);
                    match parts.iter_mut().find(|(known, _)| *known == serving) {
                        Some((_, n)) => *n += 1,
                        None => parts.push((serving, 1)),
                    }
                }
            }
        }
        let total: u32 = parts.iter().map(|(_, n)| n).sum();
        let matching: u32 = parts
            .iter()
            .filter(|(s, _)| s.mode == mode && by.is_none_or(|by| s.pool == Some(by)) && cause.is_none_or(|cause| s.cause == cause))
            .map(|(_, n)| n)
            .sum();
        let holds = match quantity {
            // No users at all are no evidence of anything.
            Quantity::All => total > 0 && matching == total,
            Quantity::Between(low, high) => (low..=high).contains(&matching),
        };
        let found: Vec<String> = parts
            .iter()
            .map(|(s, n)| {
                let by = s.pool.map(|pool| format!(" by {}", self.words.pool(pool))).unwrap_or_default();
                format!("{n} {}{by} ({})", mode_words(s.mode), s.cause.text())
            })
            .collect();
        Finding::new(holds, if found.is_empty() { "no users".to_owned() } else { found.join("; ") })
            .because(|| self.homes(who).keys().flat_map(|pool| self.fabric.explain_pool(*pool)).collect())
    }

    fn experience(&self, user: UserId, column: ExperienceColumn, able: bool) -> Finding {
        let Experience { sign_in, own_conferences, others_conferences, contacts, presence, peer_to_peer, persistent_changes } =
            self.fabric.experience(user);
        let found = match column {
            ExperienceColumn::SignIn => sign_in,
            ExperienceColumn::OwnConferences => own_conferences,
            ExperienceColumn::OthersConferences => others_conferences,
            ExperienceColumn::Contacts => contacts,
            ExperienceColumn::Presence => presence,
            ExperienceColumn::PeerToPeer => peer_to_peer,
            ExperienceColumn::PersistentChanges => persistent_changes,
        };
        let serving = self.fabric.serving(user);
        let can = if found { "can" } else { "cannot" };
        Finding::new(found == able, format!("{can} {}, is {}", column_words(column), mode_words(serving.mode)))
            .because(|| self.fabric.explain_pool(self.fabric.registrar_pool(user)))
    }

    fn held(&self, computers: &[ComputerId], holder: Holder) -> Finding {
        let in_pool = |computer: &ComputerId, pool: PoolId| matches!(self.fabric.topology().computer(*computer).role, ComputerRole::FrontEnd(of) if of == pool);
        let holds = match holder {
            Holder::Nobody => computers.is_empty(),
            Holder::Computer(wanted) => computers.contains(&wanted),
            Holder::Pool(pool) => !computers.is_empty() && computers.iter().all(|computer| in_pool(computer, pool)),
        };
        let found = if computers.is_empty() { "none".to_owned() } else { self.listed(computers) };
        Finding::new(holds, found).because(|| self.explain_cms())
    }

    fn explain_cms(&self) -> Vec<String> {
        let status = self.fabric.cms_status();
        let mut lines = vec![match status.active_master {
            Some(computer) => format!("active master: {}", self.words.computer(computer)),
            None => "active master: none".to_owned(),
        }];
        for database in self.fabric.cms_databases() {
            let served = match database.instance {
                Some(sql) => format!("served by {}", sql_name(self.fabric.topology(), sql)),
                None => "not reachable".to_owned(),
            };
            let (pool, state) = (self.words.pool(database.pool), database_words(Some(database.state)));
            lines.push(format!("CMS database in {pool}: {state}, version {}, {served}", database.version));
        }
        let stale: Vec<ComputerId> =
            status.active_replicas.iter().copied().filter(|computer| !self.fabric.replica_state(*computer).up_to_date).collect();
        if !stale.is_empty() {
            lines.push(format!("replicas not up to date: {}", self.listed(&stale)));
        }
        lines
    }

    fn replicas(
        &self,
        computers: &[ComputerId],
        up_to_date: Option<bool>,
        current: Option<bool>,
        product_version: Option<&Option<Arc<str>>>,
    ) -> Finding {
        let databases = self.fabric.cms_databases();
        let newest = databases.iter().filter(|database| database.state == CmsDatabaseState::Active).map(|database| database.version).max();
        let mut wrong: Vec<String> = Vec::new();
        for &computer in computers {
            let report = self.fabric.replica_state(computer);
            let version = self.fabric.local_store(computer).version;
            let is_current = newest.is_some_and(|newest| version >= newest);
            let holds = up_to_date.is_none_or(|wanted| wanted == report.up_to_date)
                && current.is_none_or(|wanted| wanted == is_current)
                && product_version.is_none_or(|wanted| wanted.as_deref() == report.product_version);
            if !holds {
                let newest = newest.map_or_else(|| "none".to_owned(), |newest| newest.to_string());
                wrong.push(format!(
                    "{}: UpToDate {}, version {version} of {newest}, ProductVersion {}",
                    self.words.computer(computer),
                    if report.up_to_date { "True" } else { "False" },
                    report.product_version.unwrap_or("none"),
                ));
            }
        }
        let total = computers.len();
        let found = match wrong.len() {
            0 => format!("all {total} of them"),
            n => {
                let rest = if n > LISTED { format!("; {} more", n - LISTED) } else { String::new() };
                format!("{n} of {total} are not: {}{rest}", wrong[..n.min(LISTED)].join("; "))
            }
        };
        Finding::new(wrong.is_empty() && total > 0, found).because(|| self.explain_cms())
    }

    fn backup(
        &self,
        pool: PoolId,
        module: Option<firedrill_fabric::operation::BackupModule>,
        export: &[ExportState],
        import: Option<firedrill_fabric::ImportState>,
        available: Option<bool>,
    ) -> Finding {
        let report = match self.fabric.backup_status(pool) {
            Ok(Some(report)) => report,
            Ok(None) => return Finding::new(available == Some(false) && export.is_empty() && import.is_none(), "no backup pool"),
            Err(error) => return Finding::new(available == Some(false) && export.is_empty() && import.is_none(), error.message),
        };
        let looked_at: Vec<_> = report
            .modules
            .iter()
            .filter(|(name, state, _)| match module {
                Some(wanted) => *name == wanted,
                None => *state != ExportState::NotInitialized || export.contains(&ExportState::NotInitialized),
            })
            .collect();
        let right = |state: &ExportState, imported: &firedrill_fabric::ImportState| {
            (export.is_empty() || export.contains(state)) && import.is_none_or(|wanted| wanted == *imported)
        };
        let holds = available != Some(false)
            && (export.is_empty() && import.is_none() || !looked_at.is_empty())
            && looked_at.iter().all(|(_, state, imported)| right(state, imported));
        let found: Vec<String> = looked_at.iter().map(|(name, state, imported)| format!("{name:?} {state:?}/{imported:?}")).collect();
        Finding::new(holds, if found.is_empty() { "no such module".to_owned() } else { found.join(", ") }).because(|| {
            let active = report.active_machine.map_or("none", |computer| self.words.computer(computer));
            let shipped = report.modules.iter().map(|(name, _, _)| match self.fabric.last_shipped(pool, *name) {
                Some(at) => format!("{name:?} was last shipped completely at {at}"),
                None => format!("{name:?} was never shipped completely"),
            });
            std::iter::once(format!("Backup Service works on: {active}")).chain(shipped).collect()
        })
    }

    fn services(
        &self,
        computers: &[ComputerId],
        names: &[firedrill_fabric::ServiceName],
        status: Option<ServiceStatus>,
        disabled: Option<bool>,
    ) -> Finding {
        let mut wrong = Vec::new();
        let mut seen = 0;
        for &computer in computers {
            let installed = self.fabric.services(computer);
            let names: Vec<_> = if names.is_empty() { installed.iter().map(|(name, _)| *name).collect() } else { names.to_vec() };
            for name in names {
                seen += 1;
                let state = installed.iter().find(|(present, _)| *present == name).map(|(_, state)| state);
                let holds = state.map(|state| state.status) == status
                    && disabled.is_none_or(|wanted| state.is_some_and(|state| state.disabled == wanted));
                if !holds {
                    let found = state.map_or("not installed", |state| state.status.text());
                    let disabled = if state.is_some_and(|state| state.disabled) { ", disabled" } else { "" };
                    wrong.push(format!("{} on {}: {found}{disabled}", name.short_name(), self.words.computer(computer)));
                }
            }
        }
        let found = match wrong.len() {
            0 => format!("all {seen} of them"),
            n if n > LISTED => format!("{}; {} more", wrong[..LISTED].join("; "), n - LISTED),
            _ => wrong.join("; "),
        };
        Finding::new(wrong.is_empty() && seen > 0, found).because(|| {
            computers
                .iter()
                .filter(|computer| !self.fabric.computer_up(**computer))
                .map(|id| format!("{} is off", self.words.computer(*id)))
                .collect()
        })
    }

    fn rto(&self, who: Who, until_what: UntilDocument, bounds: Bounds) -> Finding {
        let now = self.fabric.now();
        let end = |outage: &Outage| match until_what {
            UntilDocument::Regular => outage.ended,
            UntilDocument::Resiliency => outage.signed_in,
        };
        let outages: Vec<Outage> = match who {
            Who::Pool(pool) => self.fabric.outages(pool).to_vec(),
            Who::User(user) => self.fabric.user_outages(user),
            Who::Users(first, last) => self.fabric.outages_between(first, last),
        };
        let longest = outages.iter().map(|outage| (end(outage).unwrap_or(now).since(outage.began), end(outage).is_none())).max();
        let (length, lasts) = longest.unwrap_or((SimDuration::ZERO, false));
        // An outage that lasts has no upper bound yet.
        let holds = within(length, bounds) && !(lasts && bounds.at_most.is_some());
        let found = match (outages.is_empty(), lasts) {
            (true, _) => "no outage".to_owned(),
            (false, true) => format!("{length} so far, and it lasts"),
            (false, false) => length.to_string(),
        };
        Finding::new(holds, found).because(|| {
            let mut lines: Vec<String> = outages
                .iter()
                .map(|outage| {
                    let until = end(outage).map_or_else(|| "now".to_owned(), |end| end.to_string());
                    let lack = match until_what {
                        UntilDocument::Regular => "not served in full",
                        UntilDocument::Resiliency => "signed out",
                    };
                    format!("{} {lack} from {} to {until}", self.words.who(who), outage.began)
                })
                .collect();
            if lasts {
                lines.extend(self.homes(who).into_keys().flat_map(|pool| self.fabric.explain_pool(pool)));
            }
            lines
        })
    }

    fn rpo(&self, who: Option<Who>, kind: firedrill_fabric::serving::DataKind, bounds: Bounds) -> Finding {
        let losses: Vec<&DataLoss> = match who {
            None => self.fabric.data_losses().iter().collect(),
            Some(Who::Pool(pool)) => self.fabric.data_losses().iter().filter(|loss| loss.pool == pool).collect(),
            Some(Who::User(user)) => self.fabric.losses_between(user, user).collect(),
            Some(Who::Users(first, last)) => self.fabric.losses_between(first, last).collect(),
        };
        let losses: Vec<&DataLoss> = losses.into_iter().filter(|loss| loss.kind == kind).collect();
        let all_is_lost = losses.iter().any(|loss| loss.window.is_none());
        let longest = losses.iter().filter_map(|loss| loss.window).max().unwrap_or(SimDuration::ZERO);
        let holds = if all_is_lost { bounds.at_most.is_none() } else { within(longest, bounds) };
        let found = match (losses.is_empty(), all_is_lost) {
            (true, _) => "nothing lost".to_owned(),
            (false, true) => format!("all {} lost", kind_words(kind)),
            (false, false) => format!("the last {longest} lost"),
        };
        Finding::new(holds, found).because(|| {
            let line = |loss: &&DataLoss| {
                let window = loss.window.map_or_else(|| "all of it".to_owned(), |window| format!("the last {window}"));
                let whose = loss.user.map_or_else(|| self.words.pool(loss.pool).to_owned(), |user| self.words.user(user));
                format!("{} of {whose}: {window}, lost at {}", kind_words(loss.kind), loss.at)
            };
            losses.iter().map(line).collect()
        })
    }
}

/// The document of the active store; where nobody reaches it, the newest replica's, which is what is known of it.
pub(crate) fn active_document(fabric: &Fabric) -> Arc<Configuration> {
    let topology = fabric.topology();
    let front_ends = || topology.pools.iter().flat_map(|pool| pool.front_ends.iter().copied());
    let central = front_ends().filter(|computer| fabric.computer_up(*computer)).find_map(|computer| fabric.central_store(computer).ok());
    central
        .or_else(|| front_ends().map(|computer| fabric.local_store(computer)).max_by_key(|document| document.version))
        .unwrap_or_else(|| Arc::new(Configuration::initial(topology)))
}

fn within(length: SimDuration, bounds: Bounds) -> bool {
    bounds.at_least.is_none_or(|least| length >= least) && bounds.at_most.is_none_or(|most| length <= most)
}

fn dns(view: &PartnerView, wanted: &DnsAnswer, cached: Option<bool>) -> Finding {
    let (right, found) = match (&view.answer, wanted) {
        (Answer::Records { set, .. }, DnsAnswer::Records(data)) => {
            let (mut present, mut wanted) = (set.data.clone(), data.clone());
            present.sort();
            wanted.sort();
            (present == wanted, answer_words(&DnsAnswer::Records(present)))
        }
        (Answer::Records { set, .. }, _) => (false, set.data.iter().map(record_words).collect::<Vec<_>>().join(", ")),
        (Answer::NoName, wanted) => (*wanted == DnsAnswer::NoName, answer_words(&DnsAnswer::NoName)),
        (Answer::NoData, wanted) => (*wanted == DnsAnswer::NoData, answer_words(&DnsAnswer::NoData)),
        (Answer::NoServer, wanted) => (*wanted == DnsAnswer::NoServer, answer_words(&DnsAnswer::NoServer)),
    };
    let source = if view.cached { ", from its cache" } else { ", fresh" };
    Finding::new(right && cached.is_none_or(|wanted| wanted == view.cached), format!("{found}{source}"))
        .because(|| view.until.map(|until| format!("the partner asks again at {until}")).into_iter().collect())
}
