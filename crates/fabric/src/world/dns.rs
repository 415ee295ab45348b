//! External DNS: the zones now, their edits, and what partners have cached.

use std::collections::BTreeMap;
use std::sync::Arc;

use firedrill_topology::{PartnerId, RecordType, Topology};

use crate::fabric::Fabric;
use crate::fault::DnsEdit;
use crate::naming::{Answer, PartnerView, Zones};
use crate::world::DnsEditError;

/// Zones and caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DnsState {
    pub(crate) zones: Arc<Zones>,
}

impl DnsState {
    pub(crate) fn new(topology: &Topology) -> Self {
        let zones: BTreeMap<_, _> = topology.zones.iter().map(|zone| (zone.origin.clone(), Arc::new(zone.clone()))).collect();
        Self { zones: Arc::new(Zones { zones }) }
    }
}

impl Fabric {
    /// External zones as they are now.
    pub fn zones(&self) -> &Arc<Zones> {
        &self.dns.zones
    }

    /// Edits an external zone now; the serial rises.
    pub fn edit_dns(&mut self, _edit: &DnsEdit) -> Result<(), DnsEditError> {
        Err(DnsEditError::NoZone("edits are not built yet".into()))
    }

    /// What a partner's resolver answers for a name now; asks and caches when nothing is cached.
    pub fn partner_view(&mut self, _partner: PartnerId, _name: &str, _record_type: RecordType) -> PartnerView {
        PartnerView { answer: Answer::NoServer, until: None, cached: false }
    }
}
