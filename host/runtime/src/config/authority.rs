//! Hosts with ports, as authorities and URLs have them.

use std::net::Ipv6Addr;

use http::uri::Authority;

/// The port that a text ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    Absent,
    Given(u16),
    /// Not from 1 to 65535.
    Invalid,
}

/// The port of an authority. `Authority::port_u16` takes one that is empty or too large for none.
pub(super) fn port(authority: &Authority) -> Port {
    let rest = authority.as_str().strip_prefix(authority.host());
    let Some(digits) = rest.and_then(|rest| rest.strip_prefix(':')) else {
        return Port::Absent;
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Port::Invalid;
    }
    match digits.parse() {
        Ok(port) if port != 0 => Port::Given(port),
        _ => Port::Invalid,
    }
}

/// Whether a host can be one: an IPv6 address in brackets, an IPv4 address, or a name, maybe with a dot at its end.
pub(super) fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']');
        return address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    !host.contains('*') && name.split('.').all(|label| !label.is_empty())
}

/// Reads `HOST[:PORT]`.
pub(super) fn parse(text: &str) -> Option<Authority> {
    let authority = Authority::try_from(text).ok()?;
    let fits =
        !text.contains('@') && is_host(authority.host()) && port(&authority) != Port::Invalid;
    fits.then_some(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_and_without_ports() {
        for text in [
            "a",
            "a.b",
            "a.b.",
            "a_b:1",
            "127.0.0.1:65535",
            "[::1]",
            "[::1]:80",
        ] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            ".",
            "..",
            ".a",
            "a..b",
            "a:",
            ":80",
            "a:0",
            "a:+80",
            "a:65536",
            "a:x",
            "[zz]",
            "[::1",
            "[127.0.0.1]",
            "a@b",
            "a b",
            "*",
            "*.a",
            "a/b",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
