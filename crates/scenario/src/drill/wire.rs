//! The real path: a DNS server, listeners and resolvers that follow the fabric.

use firedrill_edge::{Network, agree};
use firedrill_fabric::federation::{Reach, ReachQuery};
use firedrill_fabric::naming::{Answer, PartnerView};
use firedrill_fabric::sign_in::SignInFrom;
use firedrill_fabric::{Fabric, ServiceMode};
use firedrill_topology::{PartnerId, RecordType, UserId};

use super::Bug;

/// Sockets and the runtime that they live in.
#[derive(Debug)]
pub(crate) struct Wire {
    // Dropped before the runtime that drives it.
    network: Network,
    runtime: Engine,
}

/// A runtime of our own that can also be driven from inside another one: tests of async code use drills too.
#[derive(Debug)]
struct Engine(Option<tokio::runtime::Runtime>);

impl Engine {
    fn start() -> std::io::Result<Self> {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map(|runtime| Self(Some(runtime)))
    }

    fn block_on<F>(&self, future: F) -> Option<F::Output>
    where
        F: Future + Send,
        F::Output: Send,
    {
        let runtime = self.0.as_ref()?;
        if tokio::runtime::Handle::try_current().is_err() {
            return Some(runtime.block_on(future));
        }
        // Blocking on a thread of another runtime is refused: a thread of our own does it, while this one waits.
        std::thread::scope(|scope| match scope.spawn(|| runtime.block_on(future)).join() {
            Ok(output) => Some(output),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A runtime waits for its threads when it is dropped, which a thread of another runtime must not do.
        if let (Some(runtime), true) = (self.0.take(), tokio::runtime::Handle::try_current().is_ok()) {
            runtime.shutdown_background();
        }
    }
}

fn no_engine() -> Bug {
    Bug { what: "the wire has no runtime".to_owned(), details: String::new() }
}

/// The wire could not be had on this machine.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WireUnavailable(String);

impl Wire {
    /// Puts a fabric on the wire.
    pub(crate) fn start(fabric: &Fabric) -> Result<Self, WireUnavailable> {
        let runtime = Engine::start().map_err(|error| WireUnavailable(format!("no runtime for sockets: {}", error.kind())))?;
        let network = runtime.block_on(Network::start(fabric)).ok_or_else(|| WireUnavailable("no runtime for sockets".to_owned()))?;
        let network = network.map_err(|error| WireUnavailable(error.to_string()))?;
        Ok(Self { network, runtime })
    }

    /// Why Edge Servers share one address, when they do.
    pub(crate) fn fallback(&self) -> Option<String> {
        self.network.fallback().map(ToString::to_string)
    }

    /// Makes the wire follow the fabric.
    pub(crate) fn follow(&mut self, fabric: &Fabric) -> Result<(), Bug> {
        self.runtime
            .block_on(self.network.follow(fabric))
            .ok_or_else(no_engine)?
            .map_err(|error| Bug { what: "the wire could not follow the model".to_owned(), details: error.to_string() })
    }

    /// Walks the way of a federation question and compares it with the model's answer.
    pub(crate) fn check_reach(&self, query: &ReachQuery, fabric: &Fabric, model: &Reach) -> Result<(), Bug> {
        let wire = self.runtime.block_on(self.network.reach(query, fabric.now())).ok_or_else(no_engine)?;
        let wire =
            wire.map_err(|error| Bug { what: "the wire did what the model has no answer for".to_owned(), details: error.to_string() })?;
        agree(model, &wire).map_err(|disagreement| Bug {
            what: format!("the model and the wire disagree about {}", disagreement.differs),
            details: disagreement.to_string(),
        })
    }

    /// Signs a user in who knows of all registrars, and compares with the model: server by server, and with the service that
    /// the user gets.
    pub(crate) fn check_sign_in(&self, user: UserId, fabric: &Fabric) -> Result<(), Bug> {
        let topology = fabric.topology();
        let address = topology.users.address(user).unwrap_or_default();
        let from = SignInFrom::Known(topology.pool_ids().collect());
        // What the model leans on here is no part of the verdict.
        let model = fabric.clone().sign_in(&address, &from);
        let wire = self.runtime.block_on(self.network.sign_in(&address, &from, fabric.now())).ok_or_else(no_engine)?;
        let wire =
            wire.map_err(|error| Bug { what: "the wire did what the model has no answer for".to_owned(), details: error.to_string() })?;
        let serving = fabric.serving(user);
        let served = serving.pool.filter(|_| serving.mode != ServiceMode::SignedOut).map(|pool| (pool, serving.mode));
        if wire == model && model.outcome.ok() == served {
            return Ok(());
        }
        Err(Bug {
            what: format!("the model and the wire disagree about the sign-in of {address}"),
            details: format!("model  {model:?}\nwire   {wire:?}\nserved {serving:?}"),
        })
    }

    /// Asks a partner's resolver and compares the answer with the model's.
    pub(crate) fn check_lookup(
        &self,
        partner: PartnerId,
        name: &str,
        record_type: RecordType,
        fabric: &Fabric,
        model: &PartnerView,
    ) -> Result<(), Bug> {
        let wire = self.runtime.block_on(self.network.lookup(partner, name, record_type, fabric.now())).ok_or_else(no_engine)?;
        let differs = if comparable(&wire.answer) != comparable(&model.answer) {
            "the answer"
        } else if wire.cached != model.cached {
            "whether the answer was cached"
        } else if wire.until != model.until {
            "how long the answer may be kept"
        } else {
            return Ok(());
        };
        Err(Bug {
            what: format!("the model and the wire disagree about {differs} for {name}"),
            details: format!("model  {model:?}\nwire   {wire:?}"),
        })
    }
}

/// An answer without the order of its records, which DNS does not promise.
fn comparable(answer: &Answer) -> Answer {
    match answer {
        Answer::Records { aliases, set } => {
            let mut set = set.clone();
            set.data.sort();
            Answer::Records { aliases: aliases.clone(), set }
        }
        other => other.clone(),
    }
}
