//! Why things are as they are: short lines for failure pages, most telling first.

use firedrill_topology::PoolId;

use crate::fabric::Fabric;
use crate::federation::ReachQuery;

impl Fabric {
    /// State that explains why users of a pool get the service they get: short lines, most telling first.
    pub fn explain_pool(&self, _home: PoolId) -> Vec<String> {
        Vec::new()
    }

    /// State that explains why a federation answer is what it is.
    pub fn explain_reach(&self, _query: &ReachQuery) -> Vec<String> {
        Vec::new()
    }
}
