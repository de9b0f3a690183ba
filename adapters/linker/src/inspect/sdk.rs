//! Which Proxy-Wasm SDK a module was written with: a guess from strings that SDKs leave in the data.

use super::search::find;

/// A Proxy-Wasm SDK.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sdk {
    /// Its package's name, such as `proxy-wasm` on crates.io.
    pub name: &'static str,
    /// Its version, where the file tells.
    pub version: Option<String>,
}

/// What an SDK leaves behind.
struct Trace {
    sdk: &'static str,
    text: &'static str,
    /// AssemblyScript's strings are UTF-16.
    is_utf16: bool,
    /// The version follows, and this much of it is at the end of `text`.
    version: Option<&'static str>,
}

/// The more telling trace of an SDK comes first.
const TRACES: &[Trace] = &[
    // Panic messages hold paths such as `…/proxy-wasm-0.2.4/src/dispatcher.rs`.
    Trace {
        sdk: "proxy-wasm",
        text: "/proxy-wasm-0.",
        is_utf16: false,
        version: Some("0."),
    },
    Trace {
        sdk: "proxy-wasm",
        text: "proxy_wasm::dispatcher",
        is_utf16: false,
        version: None,
    },
    // Go's build information names each module and, behind a tab, its version.
    Trace {
        sdk: GO,
        text: "github.com/proxy-wasm/proxy-wasm-go-sdk\t",
        is_utf16: false,
        version: Some(""),
    },
    Trace {
        sdk: GO,
        text: "github.com/proxy-wasm/proxy-wasm-go-sdk",
        is_utf16: false,
        version: None,
    },
    Trace {
        sdk: TINYGO,
        text: "github.com/tetratelabs/proxy-wasm-go-sdk",
        is_utf16: false,
        version: None,
    },
    Trace {
        sdk: "@solo-io/proxy-runtime",
        text: "@solo-io/proxy-runtime",
        is_utf16: true,
        version: None,
    },
    Trace {
        sdk: "@kong/proxy-wasm-sdk",
        text: "@kong/proxy-wasm-sdk",
        is_utf16: true,
        version: None,
    },
    Trace {
        sdk: "@gcoredev/proxy-wasm-sdk-as",
        text: "@gcoredev/proxy-wasm-sdk-as",
        is_utf16: true,
        version: None,
    },
];

const GO: &str = "github.com/proxy-wasm/proxy-wasm-go-sdk";
const TINYGO: &str = "github.com/tetratelabs/proxy-wasm-go-sdk";

impl Sdk {
    pub(super) fn find(bytes: &[u8]) -> Option<Self> {
        TRACES.iter().find_map(|trace| {
            let at = find(bytes, &trace.bytes())?;
            let version = trace.version.map(|begun| {
                let rest = bytes.get(at + trace.text.len()..).unwrap_or_default();
                let is_version = |byte: &&u8| byte.is_ascii_alphanumeric() || b".-+".contains(byte);
                let rest = rest
                    .iter()
                    .take_while(is_version)
                    .map(|byte| char::from(*byte));
                begun.chars().chain(rest).collect()
            });
            Some(Self {
                name: trace.sdk,
                version,
            })
        })
    }
}

impl Trace {
    fn bytes(&self) -> Vec<u8> {
        if self.is_utf16 {
            self.text
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect()
        } else {
            self.text.as_bytes().to_vec()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_end_where_paths_go_on() {
        let sdk = |name, version: &str| {
            Some(Sdk {
                name,
                version: Some(version.to_owned()),
            })
        };
        let path = b"xx/cargo/proxy-wasm-0.2.5-rc.1/src/traits.rs";
        assert_eq!(Sdk::find(path), sdk("proxy-wasm", "0.2.5-rc.1"));
        let build = b"dep\tgithub.com/proxy-wasm/proxy-wasm-go-sdk\tv0.0.0-2026\th1:";
        assert_eq!(Sdk::find(build), sdk(GO, "v0.0.0-2026"));
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        assert_eq!(Sdk::find(b""), None);
    }
}
