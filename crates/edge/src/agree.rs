//! Two worlds, one truth: the model's answer against the wire's.

use std::fmt;

use firedrill_fabric::federation::{Attempt, Reach};

/// Model and wire answered differently: a bug of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// What differs.
    pub differs: &'static str,
    /// The model's answer.
    pub model: Reach,
    /// The wire's answer.
    pub wire: Reach,
}

/// Compares two answers hop by hop.
///
/// # Errors
/// When they differ: where they got, why not, or on which way.
pub fn agree(model: &Reach, wire: &Reach) -> Result<(), Disagreement> {
    let differs = if model.failure != wire.failure {
        "whether and why the domain is reached"
    } else if model.via != wire.via {
        "the Edge Server that answered"
    } else if model.attempts != wire.attempts {
        "the attempts on the way"
    } else {
        return Ok(());
    };
    Err(Disagreement { differs, model: model.clone(), wire: wire.clone() })
}

impl std::error::Error for Disagreement {}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the model and the wire disagree about {}", self.differs)?;
        for (who, reach) in [("model", &self.model), ("wire", &self.wire)] {
            let outcome = match (&reach.via, &reach.failure) {
                (Some((_, computer)), _) => format!("reached via computer {}", computer.0),
                (None, Some(failure)) => format!("not reached: {failure:?}"),
                (None, None) => "neither reached nor failed".to_owned(),
            };
            writeln!(f, "  {who:<5}  {outcome}")?;
            for attempt in &reach.attempts {
                writeln!(f, "         {}", describe(attempt))?;
            }
        }
        write!(f, "\nhint: this is a bug of the rehearsal ground, not of the runbook; please report it with the scenario and its seed")
    }
}

fn describe(attempt: &Attempt) -> String {
    let address = attempt.address.map_or_else(|| "no address".to_owned(), |address| address.to_string());
    let target = &attempt.target;
    format!("{} {} {}:{} at {address}: {:?}", target.priority, target.weight, target.host, target.port, attempt.result)
}
