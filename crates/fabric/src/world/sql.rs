//! SQL back ends: mirroring, witness, availability groups, and how long a pool has been without (dossier E).

use std::sync::Arc;

use firedrill_topology::{BackEnd, PoolId, SqlId, Topology};

use crate::event::Event;
use crate::evidence::Behaviour;
use crate::fabric::Fabric;
use crate::fault::Fault;
use crate::operation::{DatabaseGroup, MirrorSide};
use crate::time::{SimDuration, SimTime};
use crate::world::DatabaseMirrorReport;

/// How long SQL Server takes to fail over by itself (inferred; the documented target is 5 minutes, dossier A.6).
pub const SQL_FAILOVER_TIME: SimDuration = SimDuration::from_secs(30);

/// State of a pool's back end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PoolSql {
    /// By database group: position in [`BackEnd::data_instances`] that holds the principal or primary replica.
    pub(crate) principal: [u8; DatabaseGroup::ALL.len()],
    /// By database group: when an automatic failover completes.
    pub(crate) failing_over: [Option<SimTime>; DatabaseGroup::ALL.len()],
    /// Since when the user databases have not been available.
    pub(crate) unavailable_since: Option<SimTime>,
}

impl PoolSql {
    pub(crate) fn all_healthy(topology: &Topology) -> Vec<Self> {
        let healthy = Self { principal: Default::default(), failing_over: Default::default(), unavailable_since: None };
        vec![healthy; topology.pools.len()]
    }
}

impl Fabric {
    /// Whether a SQL instance answers.
    pub fn sql_up(&self, instance: SqlId) -> bool {
        self.computer_up(self.topology.sql(instance).computer) && !self.fault_active(&Fault::SqlInstance(instance))
    }

    /// The instance that holds the principal (or primary replica) of a pool's databases now; `None` when none answers.
    pub fn principal(&self, pool: PoolId, databases: DatabaseGroup) -> Option<SqlId> {
        let position = self.sql[pool.index()].principal[databases as usize];
        self.serves_data(pool, usize::from(position))
    }

    /// Which side of a mirrored back end is principal, whether it answers or not; `None` when not mirrored.
    pub fn principal_side(&self, pool: PoolId, databases: DatabaseGroup) -> Option<MirrorSide> {
        match self.topology.pool(pool).back_end {
            BackEnd::Mirrored { .. } => Some(match self.sql[pool.index()].principal[databases as usize] {
                0 => MirrorSide::Primary,
                _ => MirrorSide::Mirror,
            }),
            _ => None,
        }
    }

    /// `Get-CsDatabaseMirrorState` (dossier E.3): one report per database, of one group or of all that the pool has.
    /// Empty when the back end is not mirrored.
    pub fn mirror_states(&self, pool: PoolId, databases: Option<DatabaseGroup>) -> Vec<DatabaseMirrorReport> {
        let BackEnd::Mirrored { primary, mirror, .. } = self.topology.pool(pool).back_end else {
            return Vec::new();
        };
        let (primary_up, mirror_up) = (self.sql_up(primary), self.sql_up(mirror));
        let state = |up: bool, principal: bool| match (up, principal) {
            (false, _) => "DatabaseInaccessibleOrMirroringNotEnabled",
            (true, true) => "Principal",
            (true, false) => "Mirror",
        };
        let status = |up: bool, partner_up: bool| match (up, partner_up) {
            (false, _) => "",
            (true, true) => "synchronized",
            (true, false) => "disconnected",
        };
        let groups: Vec<DatabaseGroup> = match databases {
            Some(group) => vec![group],
            None => DatabaseGroup::ALL.to_vec(),
        };
        groups
            .into_iter()
            .filter(|group| *group != DatabaseGroup::CentralMgmt || self.admin.cms.databases.contains_key(&pool))
            .flat_map(|group| {
                let on_primary = self.principal_side(pool, group) == Some(MirrorSide::Primary);
                group.databases().iter().map(move |database| DatabaseMirrorReport {
                    database,
                    state_on_primary: state(primary_up, on_primary),
                    state_on_mirror: state(mirror_up, !on_primary),
                    status_on_primary: status(primary_up, mirror_up),
                    status_on_mirror: status(mirror_up, primary_up),
                })
            })
            .collect()
    }

    /// Moves the principal of a database group to a side (dossier E.2); the caller has checked that it may.
    pub(crate) fn fail_database_over(&mut self, pool: PoolId, group: DatabaseGroup, side: MirrorSide) {
        let position = u8::from(side == MirrorSide::Mirror);
        let sql = &mut Arc::make_mut(&mut self.sql)[pool.index()];
        if sql.principal[group as usize] == position {
            return;
        }
        sql.principal[group as usize] = position;
        sql.failing_over[group as usize] = None;
        self.stirred = true;
        self.log_principal(pool, group);
    }

    /// Whether the user databases of a pool are available to it.
    pub(crate) fn back_end_up(&self, pool: PoolId) -> bool {
        self.sql[pool.index()].unavailable_since.is_none()
    }

    /// Since when the user databases of a pool have not been available.
    pub fn back_end_unavailable_since(&self, pool: PoolId) -> Option<SimTime> {
        self.sql[pool.index()].unavailable_since
    }

    /// The instance at a position of the back end, when it answers and may serve (dossier E.5).
    fn serves_data(&self, pool: PoolId, position: usize) -> Option<SqlId> {
        let back_end = &self.topology.pool(pool).back_end;
        let instance = instance_at(back_end, position);
        if !self.sql_up(instance) {
            return None;
        }
        match back_end {
            // A principal that sees neither mirror nor witness gives up its databases; without a witness it carries on.
            BackEnd::Mirrored { primary, mirror, witness: Some(witness) } => {
                let partner = if position == 0 { *mirror } else { *primary };
                (self.sql_up(partner) || self.sql_up(*witness)).then_some(instance)
            }
            _ => Some(instance),
        }
    }

    /// Where an automatic failover would go: position of the instance that takes over.
    fn automatic_target(&self, pool: PoolId, position: usize) -> Option<usize> {
        match &self.topology.pool(pool).back_end {
            BackEnd::Mirrored { witness: Some(witness), .. } => {
                let other = 1 - position;
                (self.sql_up(*witness) && self.serves_data(pool, other).is_some()).then_some(other)
            }
            BackEnd::AlwaysOn { nodes, .. } => (0..nodes.len()).find(|other| *other != position && self.sql_up(nodes[*other])),
            _ => None,
        }
    }

    pub(crate) fn sql_deadline(&self) -> Option<SimTime> {
        self.sql.iter().flat_map(|pool| pool.failing_over.iter().flatten()).min().copied()
    }

    pub(crate) fn settle_sql(&mut self) -> bool {
        let due = self.sql_deadline().is_some_and(|due| due <= self.now);
        if !due && !self.stirred {
            return false;
        }
        let mut changed = false;
        for pool in self.topology.pool_ids() {
            for group in DatabaseGroup::ALL {
                changed |= self.settle_database_group(pool, group);
            }
            changed |= self.note_availability(pool);
        }
        self.stirred |= changed;
        changed
    }

    fn settle_database_group(&mut self, pool: PoolId, group: DatabaseGroup) -> bool {
        let index = group as usize;
        let state = &self.sql[pool.index()];
        let (position, pending) = (usize::from(state.principal[index]), state.failing_over[index]);
        let serves = self.serves_data(pool, position).is_some();
        let target = if serves { None } else { self.automatic_target(pool, position) };
        let next = match (target, pending) {
            (None, _) => None,
            (Some(_), None) => Some(self.now + SQL_FAILOVER_TIME),
            (Some(target), Some(due)) if due <= self.now => {
                let sql = &mut Arc::make_mut(&mut self.sql)[pool.index()];
                sql.principal[index] = target as u8;
                sql.failing_over[index] = None;
                self.lean(Behaviour::SqlAutomaticFailover);
                self.log_principal(pool, group);
                return true;
            }
            (Some(_), pending) => pending,
        };
        if next == pending {
            return false;
        }
        Arc::make_mut(&mut self.sql)[pool.index()].failing_over[index] = next;
        true
    }

    fn note_availability(&mut self, pool: PoolId) -> bool {
        let up = self.principal(pool, DatabaseGroup::User).is_some();
        let since = self.sql[pool.index()].unavailable_since;
        if up == since.is_none() {
            return false;
        }
        self.lean(Behaviour::SqlAvailability);
        Arc::make_mut(&mut self.sql)[pool.index()].unavailable_since = if up { None } else { Some(self.now) };
        let subject = self.topology.pool(pool).fqdn.clone();
        let state = if up { "back end available" } else { "back end unavailable" };
        self.log(Event::StateChanged { kind: "sql".into(), subject, state: state.into() });
        true
    }

    fn log_principal(&mut self, pool: PoolId, group: DatabaseGroup) {
        let position = usize::from(self.sql[pool.index()].principal[group as usize]);
        let pool = self.topology.pool(pool);
        let sql = self.topology.sql(pool.back_end.data_instances()[position]);
        let state = format!("principal on {}\\{}", self.topology.computer(sql.computer).fqdn, sql.instance);
        let subject = format!("{} of {}", group.text(), pool.fqdn);
        self.log(Event::StateChanged { kind: "sql".into(), subject, state });
    }
}

/// The instance at a position of [`BackEnd::data_instances`].
fn instance_at(back_end: &BackEnd, position: usize) -> SqlId {
    match back_end {
        BackEnd::Collocated { instance } | BackEnd::StandAlone { instance } => *instance,
        BackEnd::Mirrored { primary, mirror, .. } => [*primary, *mirror][position],
        BackEnd::AlwaysOn { nodes, .. } => nodes[position],
    }
}

impl DatabaseGroup {
    /// All groups.
    pub const ALL: [Self; 5] = [Self::User, Self::Application, Self::CentralMgmt, Self::Monitoring, Self::Archiving];

    /// Databases of the group (dossier E.3).
    pub fn databases(self) -> &'static [&'static str] {
        match self {
            Self::User => &["rtcxds", "rtcshared", "rtcab"],
            Self::Application => &["rgsconfig", "rgsdyn", "cpsdyn"],
            Self::CentralMgmt => &["xds", "lis"],
            Self::Monitoring => &["lcscdr", "qoemetrics"],
            Self::Archiving => &["lcslog"],
        }
    }

    /// Name as `-DatabaseType` takes it.
    pub fn text(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Application => "Application",
            Self::CentralMgmt => "CentralMgmt",
            Self::Monitoring => "Monitoring",
            Self::Archiving => "Archiving",
        }
    }
}
