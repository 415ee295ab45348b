//! Whether partners reach us, and we them (dossier F).

use firedrill_topology::{EdgePoolId, PoolId};

use crate::fabric::Fabric;
use crate::federation::{Listener, Reach, ReachFailure, ReachQuery};

impl Fabric {
    /// Whether a partner reaches us, or we it. Fills the partner's cache as the partner's look-ups would.
    pub fn reach(&mut self, _query: &ReachQuery) -> Reach {
        Reach { via: None, attempts: Vec::new(), failure: Some(ReachFailure::NoRoute) }
    }

    /// External listeners of all Edge Servers, those that do not listen included.
    pub fn listeners(&self) -> Vec<Listener> {
        Vec::new()
    }

    /// Whether an Edge pool carries media for a pool's users now, and which one (dossier F.4).
    pub fn media_edge(&self, _pool: PoolId) -> Option<(EdgePoolId, bool)> {
        None
    }
}
