//! What a stream may do, decided from settings and facts alone.

use std::time::Duration;

use firedrill_fabric::config::{XmppAllowedPartner, XmppGatewayConfiguration};
use firedrill_fabric::federation::{Listener, XmppMethods, XmppPartnerType};

use super::element::Element;
use super::words::{DIALBACK_FEATURE, SASL, STREAMS, TLS};
use crate::behaviour::Behaviour;
use crate::limits::Limits;

/// How a server treats one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PeerPolicy {
    pub(crate) methods: XmppMethods,
    /// Whether a peer whose certificate is bad is not talked to at all, even where dialback would do.
    pub(crate) strict: bool,
    /// Connections of this peer that are accepted at a time.
    pub(crate) connections: usize,
    /// Host to connect to instead of what DNS says (`ProxyFqdn`).
    pub(crate) proxy: Option<String>,
    pub(crate) kind: XmppPartnerType,
    pub(crate) times: Times,
}

/// Time-outs of streams (`Get-CsXmppGatewayConfiguration`, dossier F.7). The wire measures them in real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    /// From the connection to its authentication.
    pub(crate) establishment: Duration,
    /// Silence after which an established stream ends.
    pub(crate) inactivity: Duration,
    /// Between whitespace keep-alives (RFC 6120 4.6.1); none when the partner gets none.
    pub(crate) keep_alive: Option<Duration>,
}

impl Times {
    fn of(gateway: &XmppGatewayConfiguration, keep_alive: bool, limits: &Limits) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds.max(1)));
        Self {
            establishment: seconds(gateway.stream_establishment_timeout).min(limits.conversation),
            inactivity: seconds(gateway.stream_inactivity_timeout),
            keep_alive: keep_alive.then(|| seconds(gateway.keep_alive_interval)),
        }
    }
}

impl PeerPolicy {
    /// How a server that behaves so treats a peer.
    pub(crate) fn of(behaviour: &Behaviour, peer: &str, limits: &Limits) -> Self {
        match behaviour {
            Behaviour::Edge(listener) => Self::of_edge(listener, peer, limits),
            // A partner's server can do everything, and insists on good certificates.
            _ => Self {
                methods: XmppMethods { sasl: true, tls_dialback: true, tcp_dialback: true },
                strict: true,
                connections: limits.connections,
                proxy: None,
                kind: XmppPartnerType::Federated,
                times: Times::of(&XmppGatewayConfiguration::default(), true, limits),
            },
        }
    }

    fn of_edge(listener: &Listener, peer: &str, limits: &Limits) -> Self {
        let gateway = listener.xmpp.as_ref().map(|proxy| proxy.gateway.clone()).unwrap_or_default();
        let partner = listener.xmpp_partner(peer).cloned().unwrap_or_else(|| XmppAllowedPartner::with_defaults(peer.to_ascii_lowercase()));
        let methods = XmppMethods::of(&partner);
        Self {
            methods,
            strict: !methods.tls_dialback,
            connections: partner.connection_limit.unwrap_or(gateway.partner_connection_limit) as usize,
            proxy: partner.proxy_fqdn.clone(),
            kind: XmppPartnerType::from_name(&partner.partner_type),
            times: Times::of(&gateway, partner.enable_keep_alive, limits),
        }
    }
}

/// What a stream offers at this point (RFC 6120 4.3.2; XEP-0220 2.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Offer {
    pub(crate) starttls: bool,
    pub(crate) starttls_required: bool,
    pub(crate) external: bool,
    pub(crate) dialback: bool,
}

impl Offer {
    /// What a receiving server offers: TLS first where the peer's settings know it; EXTERNAL only to a peer whose certificate
    /// is good for its domain (XEP-0178 3); dialback where the settings allow it at this point.
    pub(crate) fn new(methods: XmppMethods, secured: bool, certificate_good: bool, authenticated: bool) -> Self {
        if authenticated {
            return Self { dialback: methods.tls_dialback, ..Self::default() };
        }
        if secured {
            return Self { external: methods.sasl && certificate_good, dialback: methods.tls_dialback, ..Self::default() };
        }
        Self {
            starttls: methods.uses_tls(),
            starttls_required: methods.uses_tls() && !methods.tcp_dialback,
            external: false,
            dialback: methods.tcp_dialback,
        }
    }

    pub(crate) fn to_xml(self) -> String {
        let mut features = Element::new(STREAMS, "features");
        if self.starttls {
            let starttls = Element::new(TLS, "starttls");
            features = features.child(if self.starttls_required { starttls.child(Element::new(TLS, "required")) } else { starttls });
        }
        if self.external {
            features = features.child(Element::new(SASL, "mechanisms").child(Element::new(SASL, "mechanism").text("EXTERNAL")));
        }
        if self.dialback {
            features = features.child(Element::new(DIALBACK_FEATURE, "dialback").child(Element::new(DIALBACK_FEATURE, "errors")));
        }
        features.to_xml()
    }

    /// What a peer offers.
    pub(crate) fn read(features: &Element) -> Self {
        let starttls = features.find(TLS, "starttls");
        let mechanisms = features.find(SASL, "mechanisms");
        let external = |mechanisms: &Element| mechanisms.elements().any(|m| m.name == "mechanism" && m.content().trim() == "EXTERNAL");
        Self {
            starttls: starttls.is_some(),
            starttls_required: starttls.is_some_and(|starttls| starttls.find(TLS, "required").is_some()),
            external: mechanisms.is_some_and(external),
            dialback: features.find(DIALBACK_FEATURE, "dialback").is_some(),
        }
    }
}

/// Whether Server Dialback may authenticate a stream now.
pub(crate) fn dialback_allowed(methods: XmppMethods, secured: bool) -> bool {
    if secured { methods.tls_dialback } else { methods.tcp_dialback }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: XmppMethods = XmppMethods { sasl: true, tls_dialback: true, tcp_dialback: true };

    #[test]
    fn offers_survive_the_wire() {
        for starttls in [false, true] {
            for external in [false, true] {
                for dialback in [false, true] {
                    let offer = Offer { starttls, starttls_required: starttls && external, external, dialback };
                    let mut framer = super::super::frame::Framer::new(&Limits::default());
                    let text = super::super::words::header(None, None, Some("1")) + &offer.to_xml();
                    let mut input = text.as_bytes();
                    let _header = framer.next(&mut input).expect("a header");
                    let Ok(Some(super::super::frame::Frame::Element(features))) = framer.next(&mut input) else { panic!("{text}") };
                    assert_eq!(Offer::read(&features), offer);
                }
            }
        }
    }

    #[test]
    fn what_is_offered_when() {
        let bare = Offer::new(ALL, false, false, false);
        assert_eq!(bare, Offer { starttls: true, starttls_required: false, external: false, dialback: true });
        assert!(Offer::new(XmppMethods { tcp_dialback: false, ..ALL }, false, false, false).starttls_required);
        assert!(!Offer::new(XmppMethods { sasl: false, tls_dialback: false, ..ALL }, false, false, false).starttls);
        assert!(Offer::new(ALL, true, true, false).external);
        assert!(!Offer::new(ALL, true, false, false).external, "not to a bad certificate");
        assert!(!Offer::new(XmppMethods { sasl: false, ..ALL }, true, true, false).external, "not where SASL is not supported");
    }
}
