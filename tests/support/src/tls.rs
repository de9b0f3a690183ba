//! Certificates for servers of tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

/// A certificate authority that nobody trusts unless told.
#[derive(Debug)]
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Ca {
    /// Makes one, and writes its certificate to a file.
    #[must_use]
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let name = format!("proxy-wasi-ca-{}-{number}.pem", std::process::id());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, certificate.pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            file,
        }
    }

    /// The certificate, as a PEM file. It goes with the authority.
    pub fn file(&self) -> &str {
        self.file.to_str().unwrap()
    }

    /// A server of this name, that takes one of these protocols.
    pub fn server(&self, name: &str, protocols: &[&str]) -> TlsAcceptor {
        let identity = Identity {
            names: &[name],
            ..Identity::default()
        };
        self.server_of(&identity, protocols).0
    }

    /// A server with such a certificate, that takes one of these protocols.
    pub fn server_of(&self, identity: &Identity<'_>, protocols: &[&str]) -> (TlsAcceptor, Shown) {
        let key = KeyPair::generate().unwrap();
        let certificate = identity.params().signed_by(&key, &self.issuer).unwrap();
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = match identity.version_1_2 {
            true => &[&rustls::version::TLS12],
            false => &[&rustls::version::TLS13],
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = protocols
            .iter()
            .map(|protocol| protocol.as_bytes().to_vec())
            .collect();
        let shown = Shown {
            pem: certificate.pem().replace("\r\n", "\n"),
            sha256: format!("{:x}", Sha256::digest(certificate.der())),
        };
        (TlsAcceptor::from(Arc::new(config)), shown)
    }
}

/// A certificate that a server shows.
#[derive(Clone, Debug)]
pub struct Shown {
    pub pem: String,
    /// In hexadecimal digits.
    pub sha256: String,
}

/// Who a server is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity<'a> {
    /// Names and addresses.
    pub names: &'a [&'a str],
    pub uris: &'a [&'a str],
    pub organization: Option<&'a str>,
    pub common_name: Option<&'a str>,
    /// It speaks TLS 1.2 and not 1.3.
    pub version_1_2: bool,
}

impl Identity<'_> {
    fn params(&self) -> CertificateParams {
        let names: Vec<_> = self.names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        let uris = self.uris.iter();
        params
            .subject_alt_names
            .extend(uris.map(|&uri| SanType::URI(uri.try_into().unwrap())));
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in [
            (DnType::OrganizationName, self.organization),
            (DnType::CommonName, self.common_name),
        ] {
            if let Some(value) = value {
                params.distinguished_name.push(kind, value);
            }
        }
        params
    }
}

impl Default for Ca {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Ca {
    fn drop(&mut self) {
        // It lies among the system's temporary files anyway.
        let _ = std::fs::remove_file(&self.file);
    }
}
