//! Federated partners and the domains allowed over XMPP.

use std::collections::BTreeMap;

use firedrill_syntax::{Span, quote};

use super::Resolver;
use crate::document::{FederationDocument, ResolverDocument};
use crate::model::*;

/// Longest time a partner's resolver keeps a positive answer unless told otherwise (RFC 2181 8 leaves it to the
/// resolver; a day is what common resolvers do).
const DEFAULT_MAX_TTL_SECONDS: u32 = 86_400;
/// Longest time a negative answer is kept unless told otherwise (RFC 2308 5: one to three hours work well).
const DEFAULT_MAX_NEGATIVE_TTL_SECONDS: u32 = 10_800;

impl Resolver<'_> {
    pub(super) fn partners(&mut self) {
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for domain in &self.document.xmpp_allowed_partners {
            let Some(name) = self.fqdn("allowed XMPP partner", domain) else { continue };
            match seen.insert(name.clone(), domain.span) {
                Some(first) => self.report(self.duplicate("allowed XMPP partner", domain, first)),
                None => self.topology.xmpp_allowed_partners.push(name),
            }
        }
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for partner in &self.document.partners {
            let resolver = self.resolver_settings(&partner.resolver, partner.domain.span);
            if partner.federation.is_empty() {
                let message = format!("the partner {} federates in no way", quote(&partner.domain.value));
                self.report(
                    self.error("no-federation", partner.federation.span, message)
                        .hint("write `federation: [sip]`, `[xmpp]` or `[sip, xmpp]`"),
                );
            }
            let Some(domain) = self.fqdn("partner", &partner.domain) else { continue };
            if let Some(first) = seen.insert(domain.clone(), partner.domain.span) {
                self.report(self.duplicate("partner", &partner.domain, first));
            }
            if let Some(own) = self.topology.sip_domains.iter().position(|own| *own == domain) {
                let place = self.document.sip_domains.get(own).map_or_else(Span::default, |own| own.span);
                self.report(
                    self.error(
                        "own-domain-as-partner",
                        partner.domain.span,
                        format!("the partner {} is this deployment's own SIP domain", quote(&domain)),
                    )
                    .label(place, "own domain")
                    .hint("a partner has a domain of its own"),
                );
            }
            self.topology.partners.push(Partner {
                domain,
                sip: partner.federation.contains(&FederationDocument::Sip),
                xmpp: partner.federation.contains(&FederationDocument::Xmpp),
                resolver,
            });
        }
    }

    fn resolver_settings(&mut self, resolver: &ResolverDocument, place: Span) -> ResolverSettings {
        let max = resolver.max_ttl.as_ref().and_then(|text| self.seconds("longest TTL", text));
        let min = resolver.min_ttl.as_ref().and_then(|text| self.seconds("shortest TTL", text));
        let negative = resolver.max_negative_ttl.as_ref().and_then(|text| self.seconds("longest negative TTL", text));
        let stale = resolver.serve_stale.as_ref().and_then(|text| self.seconds("time for stale answers", text));
        let settings = ResolverSettings {
            max_ttl_seconds: max.unwrap_or(DEFAULT_MAX_TTL_SECONDS),
            min_ttl_seconds: min.unwrap_or(0),
            max_negative_ttl_seconds: negative.unwrap_or(DEFAULT_MAX_NEGATIVE_TTL_SECONDS),
            serve_stale_seconds: stale.unwrap_or(0),
        };
        if settings.min_ttl_seconds > settings.max_ttl_seconds {
            let place = resolver.min_ttl.as_ref().map_or(place, |text| text.span);
            let message = format!("the shortest TTL ({}s) exceeds the longest ({}s)", settings.min_ttl_seconds, settings.max_ttl_seconds);
            self.report(self.error("ttl-limits", place, message).hint("swap them, or leave one out"));
        }
        settings
    }
}
