//! Certificates and TLS of one fabric's wire: an authority in memory, what it issues, and how a peer's chain is judged.
//!
//! Names, dates and serial numbers follow from the fabric; keys are fresh in every run, and nothing that is compared or
//! reported depends on them. They are ECDSA keys on P-256: keys that a seed could give (Ed25519) are beyond servers of the
//! product's time, and ejabberd 23.01 still stops at them.

mod session;
mod trust;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use firedrill_fabric::SimTime;
use firedrill_fabric::federation::CertificateDates;
use firedrill_fabric::seed::Seed;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SerialNumber,
};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, ClientConfig, Error, RootCertStore, ServerConfig};

pub(crate) use session::{SecureFailure, accept, secure};
pub(crate) use trust::Clock;
use trust::{Anybody, unix};

/// A certificate or a TLS configuration could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no certificate for {subject}: {why}\n\nhint: names of certificates are host names of at most 253 bytes")]
pub struct CertificateFault {
    /// For whom.
    pub subject: String,
    /// Why.
    pub why: String,
}

/// What is wrong with a peer's certificate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum CertificateProblem {
    /// None was shown.
    #[error("no certificate was shown")]
    Missing,
    /// No authority that is known here issued it.
    #[error("the certificate is from an authority that is not trusted")]
    Untrusted,
    /// Its last day has passed.
    #[error("the certificate has expired")]
    Expired,
    /// Its first day is yet to come.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// It names other domains.
    #[error("the certificate names another domain")]
    WrongName,
    /// It cannot be read, or breaks rules.
    #[error("the certificate is not acceptable: {0}")]
    Unacceptable(String),
}

/// The certificate authority of one fabric, in memory. Clones share it.
#[derive(Clone)]
pub struct Authority(Arc<Inner>);

struct Inner {
    seed: Seed,
    dates: CertificateDates,
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    clock: Clock,
    anybody: Arc<Anybody>,
    /// Insists on a certificate of this authority, at the instant of the clock.
    strict: Arc<dyn ClientCertVerifier>,
    /// What was issued, by names and dates: servers of one computer show one certificate.
    issued: Mutex<BTreeMap<(Vec<String>, CertificateDates), Credentials>>,
}

/// A certificate with its key, and the TLS configurations that use it.
#[derive(Clone)]
pub struct Credentials {
    certificate: String,
    key: String,
    /// A server that takes any client certificate, or none (XMPP).
    pub(crate) server: Arc<ServerConfig>,
    /// A server that insists on a client certificate of the authority: mutual TLS (SIP federation).
    pub(crate) mutual: Arc<ServerConfig>,
    /// A server that asks for no client certificate (registrars, remote users).
    pub(crate) one_sided: Arc<ServerConfig>,
    /// A client that takes any server certificate and shows this one.
    pub(crate) client: Arc<ClientConfig>,
}

impl Authority {
    /// The authority of a seed.
    ///
    /// # Errors
    /// When the dates cannot stand in a certificate.
    pub fn new(seed: Seed, dates: CertificateDates) -> Result<Self, CertificateFault> {
        Self::with_clock(seed, dates, Clock::new(dates.not_before))
    }

    /// The same, judging what peers show in a handshake at the instants of a clock.
    pub(crate) fn with_clock(seed: Seed, dates: CertificateDates, clock: Clock) -> Result<Self, CertificateFault> {
        let subject = "the fabric's certificate authority";
        let failed = |error: rcgen::Error| CertificateFault { subject: subject.to_owned(), why: error.to_string() };
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::default();
        set_dates(&mut params, dates, subject)?;
        params.distinguished_name = name("Firedrill rehearsal CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.serial_number = Some(serial(seed, "certificate authority", 0));
        let certificate = params.self_signed(&key).map_err(failed)?;
        let mut roots = RootCertStore::empty();
        let unusable = |why: String| CertificateFault { subject: subject.to_owned(), why };
        roots.add(certificate.der().clone()).map_err(|error| unusable(error.to_string()))?;
        let (roots, provider) = (Arc::new(roots), Arc::new(rustls::crypto::ring::default_provider()));
        let strict = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
        Ok(Self(Arc::new(Inner {
            seed,
            dates,
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
            roots,
            clock,
            anybody: Arc::new(Anybody::new(Arc::clone(&provider))),
            strict: strict.build().map_err(|error| unusable(error.to_string()))?,
            provider,
            issued: Mutex::default(),
        })))
    }

    /// Its certificate in PEM, for the trust stores of real peers.
    pub fn pem(&self) -> &str {
        &self.0.pem
    }

    /// Its own validity; what it issues is as long valid unless told otherwise.
    pub fn dates(&self) -> CertificateDates {
        self.0.dates
    }

    /// The certificate for names and dates: the first of the names is its common name, all are DNS names of its SAN. The same
    /// names and dates give the same certificate.
    ///
    /// # Errors
    /// When a name or date cannot stand in a certificate.
    pub fn issue(&self, names: &[String], dates: CertificateDates) -> Result<Credentials, CertificateFault> {
        let wanted = (names.to_vec(), dates);
        let mut issued = self.0.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = issued.get(&wanted) {
            return Ok(known.clone());
        }
        let made = self.make(names, dates)?;
        issued.insert(wanted, made.clone());
        Ok(made)
    }

    fn make(&self, names: &[String], dates: CertificateDates) -> Result<Credentials, CertificateFault> {
        let subject = names.first().cloned().unwrap_or_default();
        let failed = |error: rcgen::Error| CertificateFault { subject: subject.clone(), why: error.to_string() };
        let kind = format!("certificate {} {} {}", names.join(" "), dates.not_before.0, dates.not_after.0);
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(names).map_err(failed)?;
        set_dates(&mut params, dates, &subject)?;
        params.distinguished_name = name(&subject);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // Servers are clients of each other (XEP-0178 3; mutual TLS).
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(serial(self.0.seed, &kind, 0));
        let certificate = params.signed_by(&key, &self.0.issuer).map_err(failed)?;
        let configured = |error: Error| CertificateFault { subject: subject.clone(), why: error.to_string() };
        let chain = vec![certificate.der().clone()];
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let shown = CertifiedKey::from_der(chain, private, &self.0.provider).map_err(configured)?;
        let shown = Arc::new(SingleCertAndKey::from(shown));
        let server = |clients: Option<Arc<dyn ClientCertVerifier>>| self.server_config(clients, &shown).map_err(configured);
        let anybody = Arc::clone(&self.0.anybody);
        let mut client = ClientConfig::builder_with_provider(Arc::clone(&self.0.provider))
            .with_safe_default_protocol_versions()
            .map_err(configured)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&anybody) as _)
            .with_client_cert_resolver(Arc::clone(&shown) as _);
        client.resumption = rustls::client::Resumption::disabled();
        Ok(Credentials {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            server: server(Some(anybody))?,
            mutual: server(Some(Arc::clone(&self.0.strict)))?,
            one_sided: server(None)?,
            client: Arc::new(client),
        })
    }

    fn server_config(
        &self,
        clients: Option<Arc<dyn ClientCertVerifier>>,
        shown: &Arc<SingleCertAndKey>,
    ) -> Result<Arc<ServerConfig>, Error> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.0.provider)).with_safe_default_protocol_versions()?;
        let builder = match clients {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::clone(shown) as _);
        // Some peers (sipsak) take a session ticket for an answer, and nothing here resumes sessions.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.time_provider = Arc::new(self.0.clock.clone());
        Ok(Arc::new(config))
    }

    /// Judges the chain that a peer has shown: issued by this authority, valid at an instant of virtual time, and for a
    /// domain (RFC 6125 by DNS names; wildcards count). Servers that act as clients show the same certificate (XEP-0178).
    ///
    /// # Errors
    /// What is wrong with it; the date comes before the name.
    pub fn judge(&self, chain: Option<&[CertificateDer<'_>]>, domain: &str, now: SimTime) -> Result<(), CertificateProblem> {
        let [leaf, others @ ..] = chain.unwrap_or_default() else { return Err(CertificateProblem::Missing) };
        let parsed = ParsedCertificate::try_from(leaf).map_err(problem)?;
        let algorithms = self.0.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.0.roots, others, unix(now), algorithms).map_err(problem)?;
        has_name(&parsed, domain)
    }
}

/// Whether a chain that was found good in the handshake is for a domain.
pub(crate) fn names(chain: &[CertificateDer<'_>], domain: &str) -> bool {
    let parsed = chain.first().and_then(|leaf| ParsedCertificate::try_from(leaf).ok());
    parsed.is_some_and(|parsed| has_name(&parsed, domain).is_ok())
}

fn has_name(certificate: &ParsedCertificate<'_>, domain: &str) -> Result<(), CertificateProblem> {
    let domain = ServerName::try_from(domain).map_err(|_| CertificateProblem::WrongName)?;
    verify_server_name(certificate, &domain).map_err(problem)
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("dates", &self.0.dates).finish_non_exhaustive()
    }
}

impl Credentials {
    /// The certificate in PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// Its private key in PEM (PKCS #8), for real peers of a rehearsal.
    pub fn key_pem(&self) -> &str {
        &self.key
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// A positive serial number of 16 bytes (RFC 5280 4.1.2.2).
fn serial(seed: Seed, kind: &str, counter: u64) -> SerialNumber {
    let mut bytes = seed.guid(&format!("serial {kind}"), counter).to_be_bytes();
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

fn set_dates(params: &mut CertificateParams, dates: CertificateDates, subject: &str) -> Result<(), CertificateFault> {
    let date = |instant: SimTime| {
        let failed = |error: time::error::ComponentRange| CertificateFault { subject: subject.to_owned(), why: error.to_string() };
        time::OffsetDateTime::from_unix_timestamp(instant.0.div_euclid(1_000_000_000)).map_err(failed)
    };
    params.not_before = date(dates.not_before)?;
    params.not_after = date(dates.not_after)?;
    Ok(())
}

fn problem(error: Error) -> CertificateProblem {
    match error {
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => CertificateProblem::Expired,
        Error::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
            CertificateProblem::NotYetValid
        }
        Error::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) => {
            CertificateProblem::WrongName
        }
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => CertificateProblem::Untrusted,
        other => CertificateProblem::Unacceptable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000_000;
    const DATES: CertificateDates = CertificateDates { not_before: SimTime(1000 * DAY), not_after: SimTime(2000 * DAY) };

    fn chain(credentials: &Credentials) -> Vec<CertificateDer<'static>> {
        use rustls::pki_types::pem::PemObject;
        vec![CertificateDer::from_pem_slice(credentials.certificate_pem().as_bytes()).expect("PEM")]
    }

    #[test]
    fn a_chain_is_judged_by_issuer_date_and_name() {
        let authority = Authority::new(Seed(1), DATES).expect("authority");
        let names = ["contoso.com".to_owned(), "*.contoso.com".to_owned()];
        let short = CertificateDates { not_after: SimTime(1500 * DAY), ..DATES };
        let leaf = chain(&authority.issue(&names, short).expect("issued"));
        let judge = |domain: &str, day: i64| authority.judge(Some(&leaf), domain, SimTime(day * DAY));
        assert_eq!(judge("contoso.com", 1400), Ok(()));
        assert_eq!(judge("xmpp.contoso.com", 1400), Ok(()));
        assert_eq!(judge("contoso.com", 1501), Err(CertificateProblem::Expired));
        assert_eq!(judge("contoso.com", 999), Err(CertificateProblem::NotYetValid));
        assert_eq!(judge("fabrikam.net", 1400), Err(CertificateProblem::WrongName));
        assert_eq!(judge("not a name", 1400), Err(CertificateProblem::WrongName));
        assert_eq!(authority.judge(None, "contoso.com", SimTime(1400 * DAY)), Err(CertificateProblem::Missing));
        let other = Authority::new(Seed(2), DATES).expect("authority");
        assert_eq!(other.judge(Some(&leaf), "contoso.com", SimTime(1400 * DAY)), Err(CertificateProblem::Untrusted));
    }

    #[test]
    fn names_that_no_certificate_can_carry_are_refused() {
        let authority = Authority::new(Seed(1), DATES).expect("authority");
        let error = authority.issue(&["ümlaut".to_owned()], DATES).expect_err("not ASCII");
        assert!(error.to_string().contains("ümlaut"), "{error}");
    }
}
