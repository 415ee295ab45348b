//! What users get and have: mailboxes and contact lists of the mock.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use firedrill_fabric::SimTime;
use firedrill_topology::ComputerId;
use tokio::sync::Notify;

/// Stanzas kept; the oldest go first.
const KEPT: usize = 10_000;

/// A stanza that reached a user.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Delivery {
    /// Virtual time.
    pub at: SimTime,
    /// Who sent it.
    pub from: String,
    /// Who got it, without a resource.
    pub to: String,
    /// The Edge Server that it came through; none for deliveries to a partner's stand-in.
    pub via: Option<ComputerId>,
    /// What it was.
    pub content: Content,
}

/// What a stanza says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// An instant message.
    Message(String),
    /// A message came back; the condition of the stanza error.
    Bounce(String),
    /// Presence: its type (`available` where there is none), and the status note where the partner may see it.
    Presence(String, Option<String>),
}

/// All mailboxes of one fabric's wire: those of its users, and those of the partners' stand-ins.
#[derive(Debug, Default)]
pub struct Mail {
    kept: Mutex<VecDeque<Delivery>>,
    contacts: Mutex<BTreeSet<(String, String)>>,
    arrived: Notify,
}

impl Mail {
    /// Everything that a user got, oldest first.
    pub fn of(&self, user: &str) -> Vec<Delivery> {
        let user = user.to_lowercase();
        self.kept().iter().filter(|delivery| delivery.to == user).cloned().collect()
    }

    /// The first delivery to a user that fits, waiting for it when there is none yet. Waits for ever: put a time limit
    /// around it.
    pub async fn wait_for(&self, user: &str, fits: impl Fn(&Delivery) -> bool) -> Delivery {
        loop {
            let arrival = self.arrived.notified();
            tokio::pin!(arrival);
            // From here on no arrival is missed.
            arrival.as_mut().enable();
            if let Some(found) = self.of(user).into_iter().find(&fits) {
                return found;
            }
            arrival.await;
        }
    }

    /// Puts a partner's user on a user's contact list.
    pub fn add_contact(&self, user: &str, contact: &str) {
        self.contacts().insert((user.to_lowercase(), contact.to_lowercase()));
    }

    /// Whether a user has a contact.
    pub fn has_contact(&self, user: &str, contact: &str) -> bool {
        self.contacts().contains(&(user.to_lowercase(), contact.to_lowercase()))
    }

    pub(crate) fn deliver(&self, delivery: Delivery) {
        let mut kept = self.kept();
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(delivery);
        drop(kept);
        self.arrived.notify_waiters();
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Delivery>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn contacts(&self) -> MutexGuard<'_, BTreeSet<(String, String)>> {
        self.contacts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
