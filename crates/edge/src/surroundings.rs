//! What all servers of one fabric share on the wire.

use std::sync::{Arc, PoisonError, RwLock};

use firedrill_dns::{AddressMap, PartnerResolver};
use firedrill_fabric::federation::{CertificateDates, Undelivered};
use firedrill_fabric::seed::Seed;
use firedrill_fabric::sign_in::RegistrarAnswer;
use firedrill_fabric::{Fabric, ServiceMode, SimTime};
use firedrill_topology::{ComputerId, PoolId};

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
    fn inbound(&self, edge: ComputerId, user: &str) -> Result<(), Undelivered>;

    /// The Edge Server through which a user of ours reaches a partner's domain.
    ///
    /// # Errors
    /// Why there is none.
    fn outbound(&self, user: &str, partner: &str) -> Result<ComputerId, Undelivered>;

    /// Whether connections from an Edge Server to partners' servers pass.
    fn reaches_partners(&self, edge: ComputerId) -> bool;

    /// Whether a SIP request that came in through an Edge Server reaches a user of ours.
    ///
    /// # Errors
    /// Why not.
    fn sip_inbound(&self, edge: ComputerId, user: &str) -> Result<(), Undelivered>;

    /// The Edge Server through which a user of ours reaches a partner's domain over SIP.
    ///
    /// # Errors
    /// Why there is none.
    fn sip_outbound(&self, user: &str, partner: &str) -> Result<ComputerId, Undelivered>;

    /// What the registrar of a pool says to a user's REGISTER.
    fn registrar(&self, pool: PoolId, user: &str) -> RegistrarAnswer;

    /// What an Access Edge says to a remote user's REGISTER.
    fn access(&self, edge: ComputerId, user: &str) -> RegistrarAnswer;
}

impl Gateway for Fabric {
    fn inbound(&self, edge: ComputerId, user: &str) -> Result<(), Undelivered> {
        self.xmpp_inbound(edge, user)
    }

    fn outbound(&self, user: &str, partner: &str) -> Result<ComputerId, Undelivered> {
        self.xmpp_outbound(user, partner)
    }

    fn reaches_partners(&self, edge: ComputerId) -> bool {
        Self::reaches_partners(self, edge)
    }

    fn sip_inbound(&self, edge: ComputerId, user: &str) -> Result<(), Undelivered> {
        Self::sip_inbound(self, edge, user)
    }

    fn sip_outbound(&self, user: &str, partner: &str) -> Result<ComputerId, Undelivered> {
        Self::sip_outbound(self, user, partner)
    }

    fn registrar(&self, pool: PoolId, user: &str) -> RegistrarAnswer {
        self.registrar_answer(pool, user)
    }

    fn access(&self, edge: ComputerId, user: &str) -> RegistrarAnswer {
        self.access_answer(edge, user)
    }
}

/// A gateway behind which everybody is well: for listeners without a fabric.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenGateway;

impl Gateway for OpenGateway {
    fn inbound(&self, _: ComputerId, _: &str) -> Result<(), Undelivered> {
        Ok(())
    }

    fn outbound(&self, _: &str, _: &str) -> Result<ComputerId, Undelivered> {
        Err(Undelivered::NoRoute)
    }

    fn reaches_partners(&self, _: ComputerId) -> bool {
        true
    }

    fn sip_inbound(&self, _: ComputerId, _: &str) -> Result<(), Undelivered> {
        Ok(())
    }

    fn sip_outbound(&self, _: &str, _: &str) -> Result<ComputerId, Undelivered> {
        Err(Undelivered::NoRoute)
    }

    fn registrar(&self, pool: PoolId, _: &str) -> RegistrarAnswer {
        RegistrarAnswer::Accepted(pool, ServiceMode::Regular)
    }

    fn access(&self, _: ComputerId, _: &str) -> RegistrarAnswer {
        RegistrarAnswer::Accepted(PoolId(0), ServiceMode::Regular)
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
