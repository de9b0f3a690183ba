//! Names that are no cluster's, for plugins that may call anywhere.

use crate::config::{UpstreamProtocol, UpstreamUrl};

/// Reads `host:port`, or `outbound|port|subset|host`, as Istio names clusters.
pub(super) fn parse(name: &str, protocol: UpstreamProtocol) -> Option<UpstreamUrl> {
    let authority = match name.strip_prefix("outbound|") {
        Some(rest) => {
            let mut parts = rest.split('|');
            let (port, _subset, host) = (parts.next()?, parts.next()?, parts.next()?);
            if parts.next().is_some() {
                return None;
            }
            format!("{host}:{port}")
        }
        None => name.to_owned(),
    };
    let (host, port) = authority.rsplit_once(':')?;
    let fits = !host.is_empty()
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && !authority.contains(['/', '@', '?', '#', '|']);
    if !fits {
        return None;
    }
    UpstreamUrl::parse(&format!("{}://{authority}", protocol.scheme())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names() {
        let table = [
            ("auth.svc:8080", false, Some("http://auth.svc:8080")),
            ("auth.svc:8443", true, Some("https://auth.svc:8443")),
            ("[::1]:80", false, Some("http://[::1]:80")),
            (
                "outbound|80||auth.ns.svc.cluster.local",
                false,
                Some("http://auth.ns.svc.cluster.local:80"),
            ),
            ("outbound|80|v1|auth", false, Some("http://auth:80")),
            ("auth", false, None),
            ("auth:", false, None),
            (":80", false, None),
            ("auth:0", false, None),
            ("auth:http", false, None),
            ("user@auth:80", false, None),
            ("auth:80/path", false, None),
            ("http://auth:80", false, None),
            ("outbound|80|auth", false, None),
            ("outbound|80||auth|x", false, None),
            ("outbound|||auth", false, None),
            ("", false, None),
        ];
        for (name, tls, expected) in table {
            let protocol = if tls {
                UpstreamProtocol::Https
            } else {
                UpstreamProtocol::Http1
            };
            let url = parse(name, protocol).map(|url| url.to_string());
            assert_eq!(url.as_deref(), expected, "{name}");
        }
    }
}
