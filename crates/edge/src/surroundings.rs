//! What all servers of one fabric share on the wire.

use std::sync::{Arc, PoisonError, RwLock};

use firedrill_dns::{AddressMap, PartnerResolver};
use firedrill_fabric::federation::{CertificateDates, XmppUndelivered};
use firedrill_fabric::seed::Seed;
use firedrill_fabric::{Fabric, SimTime};
use firedrill_topology::ComputerId;

use crate::error::EdgeError;
use crate::limits::Limits;
use crate::tls::{Authority, Clock};
use crate::xmpp::Mail;
use crate::xmpp::directory::Directory;
use crate::xmpp::ledger::Ledger;

/// What the model decides about stanzas; asked at the moment when a stanza is there. [`Fabric`] is one.
pub trait Gateway: Send + Sync + std::fmt::Debug {
    /// Whether a stanza that came in through an Edge Server reaches a user of ours.
    ///
    /// # Errors
    /// Why not.
    fn inbound(&self, edge: ComputerId, user: &str) -> Result<(), XmppUndelivered>;

    /// The Edge Server through which a user of ours reaches a partner's domain.
    ///
    /// # Errors
    /// Why there is none.
    fn outbound(&self, user: &str, partner: &str) -> Result<ComputerId, XmppUndelivered>;

    /// Whether connections from an Edge Server to partners' servers pass.
    fn reaches_partners(&self, edge: ComputerId) -> bool;
}

impl Gateway for Fabric {
    fn inbound(&self, edge: ComputerId, user: &str) -> Result<(), XmppUndelivered> {
        self.xmpp_inbound(edge, user)
    }

    fn outbound(&self, user: &str, partner: &str) -> Result<ComputerId, XmppUndelivered> {
        self.xmpp_outbound(user, partner)
    }

    fn reaches_partners(&self, edge: ComputerId) -> bool {
        Self::reaches_partners(self, edge)
    }
}

/// A gateway behind which everybody is well: for listeners without a fabric.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenGateway;

impl Gateway for OpenGateway {
    fn inbound(&self, _: ComputerId, _: &str) -> Result<(), XmppUndelivered> {
        Ok(())
    }

    fn outbound(&self, _: &str, _: &str) -> Result<ComputerId, XmppUndelivered> {
        Err(XmppUndelivered::NoRoute)
    }

    fn reaches_partners(&self, _: ComputerId) -> bool {
        true
    }
}

/// Certificates of listeners without a fabric: from the epoch to the end of 2049.
pub(crate) const WIDE: CertificateDates = CertificateDates { not_before: SimTime(0), not_after: SimTime(2_524_607_999_000_000_000) };

/// Shared by all servers of one fabric. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    map: AddressMap,
    seed: Seed,
    limits: Limits,
    authority: Authority,
    directory: Directory,
    mail: Arc<Mail>,
    ledger: Ledger,
    gateway: RwLock<Arc<dyn Gateway>>,
    /// Virtual time.
    clock: Clock,
}

impl Surroundings {
    pub(crate) fn new(
        map: &AddressMap,
        seed: Seed,
        limits: Limits,
        dates: CertificateDates,
        resolver: Option<PartnerResolver>,
        gateway: Arc<dyn Gateway>,
    ) -> Result<Self, EdgeError> {
        let clock = Clock::new(SimTime(0));
        Ok(Self(Arc::new(Inner {
            map: map.clone(),
            seed,
            limits,
            authority: Authority::with_clock(seed, dates, clock.clone())?,
            directory: Directory::new(map, seed, resolver),
            mail: Arc::default(),
            ledger: Ledger::default(),
            gateway: RwLock::new(gateway),
            clock,
        })))
    }

    pub(crate) fn map(&self) -> &AddressMap {
        &self.0.map
    }

    pub(crate) fn seed(&self) -> Seed {
        self.0.seed
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.0.authority
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.0.directory
    }

    pub(crate) fn mail(&self) -> &Arc<Mail> {
        &self.0.mail
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    pub(crate) fn gateway(&self) -> Arc<dyn Gateway> {
        Arc::clone(&self.0.gateway.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_gateway(&self, gateway: Arc<dyn Gateway>) {
        *self.0.gateway.write().unwrap_or_else(PoisonError::into_inner) = gateway;
    }

    pub(crate) fn now(&self) -> SimTime {
        self.0.clock.now()
    }

    pub(crate) fn set_now(&self, now: SimTime) {
        self.0.clock.set(now);
    }
}
