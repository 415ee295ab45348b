//! Certificates and TLS of one fabric's wire: an authority in memory, what it issues, and how a peer's chain is judged.
//!
//! Names, dates and serial numbers follow from the fabric; keys are fresh in every run, and nothing that is compared or
//! reported depends on them. They are ECDSA keys on P-256: keys that a seed could give (Ed25519) are beyond servers of the
//! product's time, and ejabberd 23.01 still stops at them.

use std::sync::Arc;
use std::time::Duration;

use firedrill_fabric::SimTime;
use firedrill_fabric::federation::CertificateDates;
use firedrill_fabric::seed::Seed;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SerialNumber,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName as DerName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};

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
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
}

/// A certificate with its key, and the TLS configurations that use it.
#[derive(Clone)]
pub struct Credentials {
    certificate: String,
    key: String,
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) client: Arc<ClientConfig>,
}

impl Authority {
    /// The authority of a seed.
    ///
    /// # Errors
    /// When the dates cannot stand in a certificate.
    pub fn new(seed: Seed, dates: CertificateDates) -> Result<Self, CertificateFault> {
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
        roots.add(certificate.der().clone()).map_err(|error| CertificateFault { subject: subject.to_owned(), why: error.to_string() })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Ok(Self(Arc::new(Inner { seed, dates, pem: certificate.pem(), issuer: Issuer::new(params, key), roots, provider })))
    }

    /// Its certificate in PEM, for the trust stores of real peers.
    pub fn pem(&self) -> &str {
        &self.0.pem
    }

    /// Its own validity; what it issues is as long valid unless told otherwise.
    pub fn dates(&self) -> CertificateDates {
        self.0.dates
    }

    /// Issues a certificate: the first of the names is its common name, all are DNS names of its SAN. The same names and
    /// dates give the same serial number.
    ///
    /// # Errors
    /// When a name or date cannot stand in a certificate.
    pub fn issue(&self, names: &[String], dates: CertificateDates) -> Result<Credentials, CertificateFault> {
        let subject = names.first().cloned().unwrap_or_default();
        let failed = |error: rcgen::Error| CertificateFault { subject: subject.clone(), why: error.to_string() };
        let kind = format!("certificate {} {} {}", names.join(" "), dates.not_before.0, dates.not_after.0);
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(names).map_err(failed)?;
        set_dates(&mut params, dates, &subject)?;
        params.distinguished_name = name(&subject);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // Servers are clients of each other (XEP-0178 3).
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(serial(self.0.seed, &kind, 0));
        let certificate = params.signed_by(&key, &self.0.issuer).map_err(failed)?;
        let chain = vec![certificate.der().clone()];
        let private = || PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let configured = |error: Error| CertificateFault { subject: subject.clone(), why: error.to_string() };
        let anybody = Arc::new(Anybody { provider: Arc::clone(&self.0.provider) });
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&self.0.provider))
            .with_safe_default_protocol_versions()
            .map_err(configured)?
            .with_client_cert_verifier(Arc::clone(&anybody) as Arc<dyn ClientCertVerifier>)
            .with_single_cert(chain.clone(), private())
            .map_err(configured)?;
        // Some peers take a session ticket for an answer, and nothing here resumes sessions.
        server.send_tls13_tickets = 0;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        let mut client = ClientConfig::builder_with_provider(Arc::clone(&self.0.provider))
            .with_safe_default_protocol_versions()
            .map_err(configured)?
            .dangerous()
            .with_custom_certificate_verifier(anybody)
            .with_client_auth_cert(chain, private())
            .map_err(configured)?;
        client.resumption = rustls::client::Resumption::disabled();
        Ok(Credentials { certificate: certificate.pem(), key: key.serialize_pem(), server: Arc::new(server), client: Arc::new(client) })
    }

    /// Judges the chain that a peer has shown: issued by this authority, valid at an instant of virtual time, and for a
    /// domain (RFC 6125 by DNS names; wildcards count). Servers that act as clients show the same certificate (XEP-0178).
    ///
    /// # Errors
    /// What is wrong with it; the date comes before the name.
    pub fn judge(&self, chain: Option<&[CertificateDer<'_>]>, domain: &str, now: SimTime) -> Result<(), CertificateProblem> {
        let [leaf, others @ ..] = chain.unwrap_or_default() else { return Err(CertificateProblem::Missing) };
        let parsed = ParsedCertificate::try_from(leaf).map_err(problem)?;
        let instant = UnixTime::since_unix_epoch(Duration::from_nanos(u64::try_from(now.0).unwrap_or(0)));
        let algorithms = self.0.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.0.roots, others, instant, algorithms).map_err(problem)?;
        let domain = ServerName::try_from(domain).map_err(|_| CertificateProblem::WrongName)?;
        verify_server_name(&parsed, &domain).map_err(problem)
    }
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

/// Takes every certificate in the handshake, as XMPP servers do: whether it is good is decided afterwards, because an
/// untrusted one still leaves Server Dialback. That the peer has the key is checked all the same.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DerName] {
        &[]
    }

    fn verify_client_cert(&self, _: &CertificateDer<'_>, _: &[CertificateDer<'_>], _: UnixTime) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ServerCertVerifier::supported_verify_schemes(self)
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
