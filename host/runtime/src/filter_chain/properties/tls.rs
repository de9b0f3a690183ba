//! What TLS has shown of a peer: the fields that `upstream` has of it.
//!
//! Certificates are read when somebody asks, by the library that has verified them. What it cannot read is not there.

mod subject;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use webpki::EndEntityCert;

use super::value::{Found, text};
use crate::upstream::UpstreamTls;

/// Looks a field up.
pub(super) fn get(tls: &UpstreamTls, name: &str) -> Found {
    match name {
        // `TLSv1_3` is `TLSv1.3` to everybody else.
        "tls_version" => Some(text(tls.version?.as_str()?.replace('_', "."))),
        // The proxy shows no certificate of its own. Envoy then says so in this one; our alternative names are not found.
        "subject_local_certificate" => Some(text("")),
        _ => of_certificate(tls.certificate.as_ref()?, name).map(text),
    }
}

fn of_certificate(certificate: &CertificateDer<'_>, name: &str) -> Option<String> {
    let read = || EndEntityCert::try_from(certificate).ok();
    match name {
        "subject_peer_certificate" => subject::rfc2253(read()?.subject()),
        "dns_san_peer_certificate" => read()?.valid_dns_names().next().map(str::to_owned),
        "uri_san_peer_certificate" => read()?.valid_uri_names().next().map(str::to_owned),
        "sha256_peer_certificate_digest" => Some(format!("{:x}", Sha256::digest(certificate))),
        "peer_certificate" => Some(url_encoded_pem(certificate)),
        _ => None,
    }
}

/// The certificate as PEM (RFC 7468), in which what a URL gives another meaning is percent-encoded.
fn url_encoded_pem(certificate: &[u8]) -> String {
    let mut encoded = String::from("-----BEGIN%20CERTIFICATE-----%0A");
    for (at, c) in STANDARD.encode(certificate).chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            encoded.push_str("%0A");
        }
        match c {
            '+' => encoded.push_str("%2B"),
            '/' => encoded.push_str("%2F"),
            '=' => encoded.push_str("%3D"),
            c => encoded.push(c),
        }
    }
    encoded.push_str("%0A-----END%20CERTIFICATE-----%0A");
    encoded
}

#[cfg(test)]
mod tests {
    use rustls::ProtocolVersion;

    use super::*;

    fn tls(certificate: Option<&[u8]>) -> UpstreamTls {
        UpstreamTls {
            version: Some(ProtocolVersion::TLSv1_3),
            certificate: certificate.map(|bytes| CertificateDer::from(bytes.to_vec())),
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_names() {
        let tls = tls(Some(b"no certificate"));
        for name in [
            "subject_peer_certificate",
            "dns_san_peer_certificate",
            "uri_san_peer_certificate",
            "dns_san_local_certificate",
            "nothing",
        ] {
            assert!(get(&tls, name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_peer_without_a_certificate_has_nothing_but_a_version() {
        let tls = tls(None);
        assert!(get(&tls, "tls_version").is_some());
        assert!(get(&tls, "sha256_peer_certificate_digest").is_none());
        assert!(get(&tls, "peer_certificate").is_none());
    }

    #[test]
    fn pem_has_lines_of_64_and_no_meaning_in_urls() {
        let short = url_encoded_pem(&[0xff, 0xff, 0xbe, 0xfb]);
        assert_eq!(
            short,
            "-----BEGIN%20CERTIFICATE-----%0A%2F%2F%2B%2B%2Bw%3D%3D%0A-----END%20CERTIFICATE-----%0A"
        );
        let long = url_encoded_pem(&[0; 49]);
        let lines: Vec<_> = long.split("%0A").map(str::len).collect();
        assert_eq!(lines[1..3], [64, 4 + 2 * 2]);
        assert!(!long.contains(['\n', ' ', '+', '/', '=']));
    }
}
