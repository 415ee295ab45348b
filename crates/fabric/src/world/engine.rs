//! The engine: the clock jumps from deadline to deadline, and at each the state comes to rest.

use crate::fabric::{Fabric, LimitError};
use crate::time::{SimDuration, SimTime};

/// Longest virtual time of a run: longer than any drill, short enough that a runaway wait ends.
pub const VIRTUAL_TIME_LIMIT: SimDuration = SimDuration::from_mins(366 * 24 * 60);
/// Most instants that one call may pass through.
pub const INSTANTS_LIMIT: u64 = 1_000_000;
/// Most rounds in which the subjects of one instant may answer each other.
pub const SETTLE_LIMIT: u32 = 1_000;

impl Fabric {
    /// Lets virtual time run to an instant; everything due on the way happens. An instant that has passed changes nothing.
    ///
    /// # Errors
    /// When a limit of events or of virtual time is hit.
    pub fn advance_to(&mut self, until: SimTime) -> Result<(), LimitError> {
        self.check_time(until)?;
        self.settle()?;
        let mut instants = 0;
        while let Some(due) = self.next_deadline().filter(|due| *due <= until) {
            self.count_instant(&mut instants, until)?;
            self.run_instant(due)?;
        }
        self.now = self.now.max(until);
        self.account_outages();
        Ok(())
    }

    /// Lets virtual time run until a condition holds, at most to `limit`; says whether it holds.
    /// Stops early when nothing is due any more.
    pub(crate) fn advance_until(&mut self, limit: SimTime, holds: impl Fn(&Self) -> bool) -> Result<bool, LimitError> {
        self.check_time(limit)?;
        self.settle()?;
        let mut instants = 0;
        while !holds(self) {
            let Some(due) = self.next_deadline().filter(|due| *due <= limit) else { break };
            self.count_instant(&mut instants, limit)?;
            self.run_instant(due)?;
        }
        self.account_outages();
        Ok(holds(self))
    }

    /// The next instant at which something is due.
    pub fn next_deadline(&self) -> Option<SimTime> {
        [
            self.agenda.first_key_value().map(|((at, _), _)| *at),
            self.services_deadline(),
            self.sql_deadline(),
            self.quorum_deadline(),
            self.registration_deadline(),
            self.administration_deadline(),
            self.name_servers_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Last instant that a run may reach.
    pub(crate) fn time_limit(&self) -> SimTime {
        self.start + VIRTUAL_TIME_LIMIT
    }

    fn check_time(&self, until: SimTime) -> Result<(), LimitError> {
        if until > self.time_limit() { Err(LimitError::Time { limit: VIRTUAL_TIME_LIMIT }) } else { Ok(()) }
    }

    fn count_instant(&self, instants: &mut u64, until: SimTime) -> Result<(), LimitError> {
        *instants += 1;
        if *instants > INSTANTS_LIMIT { Err(LimitError::Events { limit: INSTANTS_LIMIT, until }) } else { Ok(()) }
    }

    fn run_instant(&mut self, at: SimTime) -> Result<(), LimitError> {
        self.now = self.now.max(at);
        while let Some(change) = self.take_due_change() {
            self.apply_scheduled(change);
        }
        self.settle()?;
        // What is still due now would be due for ever: a bug of ours that must not become an endless run.
        match self.next_deadline() {
            Some(due) if due <= self.now => Err(LimitError::Settle { limit: SETTLE_LIMIT, at: self.now }),
            _ => Ok(()),
        }
    }

    /// Lets all subjects answer each other until nothing changes, then records who is served how.
    pub(crate) fn settle(&mut self) -> Result<(), LimitError> {
        for _ in 0..SETTLE_LIMIT {
            // Every subject runs in every round: no short circuit.
            let changed = [
                self.settle_services(),
                self.settle_sql(),
                self.settle_quorum(),
                self.settle_registration(),
                self.settle_administration(),
                self.settle_name_servers(),
            ];
            if !changed.contains(&true) {
                self.stirred = false;
                self.record_serving();
                return Ok(());
            }
        }
        Err(LimitError::Settle { limit: SETTLE_LIMIT, at: self.now })
    }
}
