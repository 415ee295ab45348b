//! The real path: a DNS server, listeners and resolvers that follow the fabric.

use firedrill_edge::{Network, agree};
use firedrill_fabric::Fabric;
use firedrill_fabric::federation::{Reach, ReachQuery};
use firedrill_fabric::naming::{Answer, PartnerView};
use firedrill_topology::{PartnerId, RecordType};

use super::Bug;

/// Sockets and the runtime that they live in.
#[derive(Debug)]
pub(crate) struct Wire {
    // Dropped before the runtime that drives it.
    network: Network,
    runtime: tokio::runtime::Runtime,
}

/// The wire could not be had on this machine.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WireUnavailable(String);

impl Wire {
    /// Puts a fabric on the wire.
    pub(crate) fn start(fabric: &Fabric) -> Result<Self, WireUnavailable> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| WireUnavailable(format!("no runtime for sockets: {}", error.kind())))?;
        let network = runtime.block_on(Network::start(fabric)).map_err(|error| WireUnavailable(error.to_string()))?;
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
            .map_err(|error| Bug { what: "the wire could not follow the model".to_owned(), details: error.to_string() })
    }

    /// Walks the way of a federation question and compares it with the model's answer.
    pub(crate) fn check_reach(&self, query: &ReachQuery, fabric: &Fabric, model: &Reach) -> Result<(), Bug> {
        let wire = self.runtime.block_on(self.network.reach(query, fabric.now(), model));
        let wire =
            wire.map_err(|error| Bug { what: "the wire did what the model has no answer for".to_owned(), details: error.to_string() })?;
        agree(model, &wire).map_err(|disagreement| Bug {
            what: format!("the model and the wire disagree about {}", disagreement.differs),
            details: disagreement.to_string(),
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
        let wire = self.runtime.block_on(self.network.lookup(partner, name, record_type, fabric.now()));
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
