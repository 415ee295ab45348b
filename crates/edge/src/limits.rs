//! Limits of every conversation: whatever a peer sends, memory and time stay bounded.

use std::time::Duration;

/// Limits of listeners and probes. Times are real time: the wire does not know the virtual clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest XMPP stream header, in bytes.
    pub header_bytes: usize,
    /// Largest XMPP stanza or stream-level element (RFC 6120 13.12 asks for at least 10,000), in bytes.
    pub element_bytes: usize,
    /// Elements and attributes in one XMPP stanza: four bytes on the wire can be two hundred in memory.
    pub nodes: usize,
    /// Deepest nesting of XML elements below the stream's root.
    pub depth: usize,
    /// Largest SIP message with its body, in bytes.
    pub sip_bytes: usize,
    /// Header fields in one SIP message: a few bytes on the wire can be many in memory.
    pub sip_headers: usize,
    /// Dialogs (sessions and subscriptions) that one SIP connection holds; more are refused.
    pub sip_dialogs: usize,
    /// How long a connection may take to its authentication: a TLS handshake of SIP, an XMPP stream where the gateway's
    /// `StreamEstablishmentTimeout` (60 s, dossier F.7) is not shorter. Also the longest time for one stanza or SIP message,
    /// between two SIP messages, and for a peer to read what it is told.
    pub conversation: Duration,
    /// Connections served by one listener at a time; more are turned away.
    pub connections: usize,
    /// How long the prober waits for each answer. Loopback answers at once: running into it is a fault of ours.
    pub probe: Duration,
    /// Stanzas that wait for one stream to a partner; more are refused.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 8 * 1024,
            element_bytes: 64 * 1024,
            nodes: 2_000,
            depth: 32,
            sip_bytes: 64 * 1024,
            sip_headers: 128,
            sip_dialogs: 64,
            conversation: Duration::from_secs(60),
            connections: 256,
            probe: Duration::from_secs(10),
            queue: 256,
        }
    }
}
