//! A partner's cache, on virtual time. Pure: the caller brings the answers and the time.

use std::collections::BTreeMap;

use firedrill_fabric::naming::{Answer, PartnerView};
use firedrill_fabric::world::STALE_RETRY;
use firedrill_fabric::{SimDuration, SimTime};
use firedrill_topology::{RecordType, ResolverSettings};

/// What a cache does with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remembered {
    /// Kept so many seconds.
    For(u32),
    /// Not kept: TTL 0, or no server answered.
    Not,
}

/// One entry, for inspection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheLine {
    /// Name asked for, lower case, without the final dot.
    pub name: String,
    /// Type asked for.
    pub record_type: RecordType,
    /// The answer.
    pub answer: Answer,
    /// When it was stored.
    pub since: SimTime,
    /// When it runs out: from this instant on the partner asks again.
    pub until: SimTime,
    /// Whether its TTL has run out already and no server answered since (RFC 8767).
    pub stale: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    answer: Answer,
    since: SimTime,
    /// Until when nobody is asked.
    until: SimTime,
    /// When its TTL ran or runs out.
    end: SimTime,
}

/// Answers by question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cache {
    settings: ResolverSettings,
    entries: BTreeMap<(String, RecordType), Entry>,
}

impl Cache {
    pub(crate) fn new(settings: ResolverSettings) -> Self {
        Self { settings, entries: BTreeMap::new() }
    }

    /// What is still held at an instant. Entries from the future (time was turned back) do not count.
    pub(crate) fn get(&self, name: &str, record_type: RecordType, now: SimTime) -> Option<PartnerView> {
        let entry = self.entries.get(&(name.to_owned(), record_type))?;
        (entry.since <= now && now < entry.until).then(|| PartnerView {
            answer: entry.answer.clone(),
            until: Some(entry.until),
            cached: true,
        })
    }

    /// Takes an answer from the wire with its TTL (of the shortest-lived record, or RFC 2308's negative one).
    pub(crate) fn put(&mut self, name: &str, record_type: RecordType, answer: Answer, ttl: u32, now: SimTime) -> PartnerView {
        let key = (name.to_owned(), record_type);
        match keep(&self.settings, &answer, ttl) {
            Remembered::Not => {
                self.entries.remove(&key);
                PartnerView { answer, until: None, cached: false }
            }
            Remembered::For(seconds) => {
                let until = now + SimDuration::from_secs(i64::from(seconds));
                self.entries.insert(key, Entry { answer: answer.clone(), since: now, until, end: until });
                PartnerView { answer, until: Some(until), cached: false }
            }
        }
    }

    /// What is left to say when no server answered: an answer that has run out, for a resolver that serves stale data
    /// (RFC 8767). It asks again after a while.
    pub(crate) fn silence(&mut self, name: &str, record_type: RecordType, now: SimTime) -> PartnerView {
        let stale = SimDuration::from_secs(i64::from(self.settings.serve_stale_seconds));
        match self.entries.get_mut(&(name.to_owned(), record_type)) {
            Some(entry) if entry.since <= now && now < entry.end + stale => {
                entry.until = (now + STALE_RETRY).min(entry.end + stale);
                PartnerView { answer: entry.answer.clone(), until: Some(entry.until), cached: true }
            }
            _ => PartnerView { answer: Answer::NoServer, until: None, cached: false },
        }
    }

    pub(crate) fn lines(&self, now: SimTime) -> Vec<CacheLine> {
        let fresh = self.entries.iter().filter(|(_, entry)| entry.since <= now && now < entry.until);
        fresh
            .map(|((name, record_type), entry)| CacheLine {
                name: name.clone(),
                record_type: *record_type,
                answer: entry.answer.clone(),
                since: entry.since,
                until: entry.until,
                stale: entry.end <= now,
            })
            .collect()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// How long a resolver with these settings keeps an answer.
fn keep(settings: &ResolverSettings, answer: &Answer, ttl: u32) -> Remembered {
    let seconds = match answer {
        Answer::NoServer => 0,
        Answer::NoName | Answer::NoData => ttl.min(settings.max_negative_ttl_seconds),
        // The cap wins over the floor where a topology has them crossed.
        Answer::Records { .. } => ttl.max(settings.min_ttl_seconds).min(settings.max_ttl_seconds),
    };
    if seconds == 0 { Remembered::Not } else { Remembered::For(seconds) }
}
