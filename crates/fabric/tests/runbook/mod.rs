//! The administrators' hands: one short word per cmdlet or dialog that the procedures name.
#![allow(dead_code, unreachable_pub, reason = "every test binary uses its own part of it")]

use std::collections::BTreeMap;

use firedrill_fabric::operation::{BackupModule, CmsFailover, PoolFailback, PoolFailover};
use firedrill_fabric::serving::{DataKind, ServiceMode};
use firedrill_fabric::{Caller, Configuration, Fabric, Operation, OperationReport, SimDuration};
use firedrill_topology::{ComputerId, EdgePoolId, PoolId};

pub fn at(computer: ComputerId) -> Caller {
    Caller { computer }
}

pub fn disaster_failover(pool: PoolId) -> PoolFailover {
    PoolFailover { pool, disaster: true, force: false, skip_verification: false, wait: None }
}

pub fn planned_failover(pool: PoolId) -> PoolFailover {
    PoolFailover { disaster: false, ..disaster_failover(pool) }
}

pub fn failback(pool: PoolId) -> PoolFailback {
    PoolFailback { pool, disaster: false, force: false, skip_verification: false, wait: SimDuration::from_secs(15) }
}

pub fn disaster_cms(sql_server: &str) -> CmsFailover {
    CmsFailover::Disaster { sql_server: sql_server.into(), instance: "rtc".into(), mirror: None, force: true, mirror_only: false }
}

pub trait Runbook {
    fn go(&mut self, operation: Operation, caller: ComputerId) -> OperationReport;
    fn fail_over(&mut self, order: PoolFailover, caller: ComputerId) -> OperationReport;
    fn fail_back(&mut self, order: PoolFailback, caller: ComputerId) -> OperationReport;
    fn fail_cms_over(&mut self, order: CmsFailover, caller: ComputerId) -> OperationReport;
    fn next_hop(&mut self, edge: EdgePoolId, pool: PoolId, caller: ComputerId);
    fn edit(&mut self, caller: ComputerId, change: impl FnOnce(&mut Configuration));
    fn modes(&self, home: PoolId) -> BTreeMap<(ServiceMode, Option<PoolId>), u32>;
    fn lost(&self, pool: PoolId, kind: DataKind) -> Vec<Option<SimDuration>>;
    fn backup_module(&self, pool: PoolId, module: BackupModule) -> firedrill_fabric::ExportState;
}

impl Runbook for Fabric {
    fn go(&mut self, operation: Operation, caller: ComputerId) -> OperationReport {
        self.perform(operation, at(caller)).expect("within the limits")
    }

    fn fail_over(&mut self, order: PoolFailover, caller: ComputerId) -> OperationReport {
        self.go(Operation::PoolFailover(order), caller)
    }

    fn fail_back(&mut self, order: PoolFailback, caller: ComputerId) -> OperationReport {
        self.go(Operation::PoolFailback(order), caller)
    }

    fn fail_cms_over(&mut self, order: CmsFailover, caller: ComputerId) -> OperationReport {
        self.go(Operation::CmsFailover(order), caller)
    }

    fn next_hop(&mut self, edge: EdgePoolId, pool: PoolId, caller: ComputerId) {
        self.edit(caller, |document| document.edges[edge.index()].next_hop = pool);
    }

    fn edit(&mut self, caller: ComputerId, change: impl FnOnce(&mut Configuration)) {
        let edited = self.edit_configuration(at(caller), |document| {
            change(document);
            Ok(())
        });
        edited.expect("the store can be written");
    }

    fn modes(&self, home: PoolId) -> BTreeMap<(ServiceMode, Option<PoolId>), u32> {
        let mut modes = BTreeMap::new();
        for (serving, users) in self.pool_serving(home).parts {
            *modes.entry((serving.mode, serving.pool)).or_default() += users;
        }
        modes
    }

    fn lost(&self, pool: PoolId, kind: DataKind) -> Vec<Option<SimDuration>> {
        self.data_losses().iter().filter(|loss| loss.pool == pool && loss.kind == kind).map(|loss| loss.window).collect()
    }

    fn backup_module(&self, pool: PoolId, module: BackupModule) -> firedrill_fabric::ExportState {
        let report = self.backup_status(pool).expect("the service answers").expect("the pool is paired");
        report.modules.iter().find(|(candidate, _, _)| *candidate == module).expect("the module is listed").1
    }
}

/// The error id of a report that must have failed.
pub fn refusal(report: &OperationReport) -> &'static str {
    report.outcome.as_ref().expect_err("refused").id
}
