//! The plugins that tests serve.

use std::path::{Path, PathBuf};

/// An example that exists as a legacy module and as a component, which behave the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    Auth,
    /// Not an example but a plugin for tests: `tests/guests/legacy-bodies` says what it does.
    Bodies,
    Body,
    /// Not an example but a plugin for tests: `tests/guests/legacy-callout` says what it does.
    Callout,
    Config,
    /// Not an example but a plugin for tests: `tests/guests/legacy-enemy` says what it does.
    Enemy,
    /// Not an example but a plugin for tests: `tests/guests/legacy-events` says what it does.
    Events,
    Headers,
    /// Not an example but a plugin for tests: `tests/guests/legacy-observe` says what it does.
    Observe,
}

/// [`Example::Enemy`] with the line tables of debug information.
pub fn enemy_with_lines(kind: Kind) -> &'static Path {
    Path::new(match kind {
        Kind::Legacy => env!("GUEST_LEGACY_ENEMY_LINES"),
        Kind::Wit => env!("GUEST_WIT_ENEMY_LINES"),
    })
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Legacy,
    Wit,
}

/// `legacy-rust-headers` for `wasm32-unknown-unknown`.
pub const LEGACY_RUST_HEADERS_UNKNOWN: &str = env!("GUEST_LEGACY_RUST_HEADERS_UNKNOWN");

/// The plugins that the conformance tests script. The module lacks the names that count: see there.
pub const SCRIPTED_LEGACY: &str = env!("GUEST_CONFORMANCE_SCRIPTED_LEGACY");
/// See [`SCRIPTED_LEGACY`].
pub const SCRIPTED_WIT: &str = env!("GUEST_CONFORMANCE_SCRIPTED_WIT");

impl Kind {
    pub const ALL: [Self; 2] = [Self::Legacy, Self::Wit];
}

impl Example {
    /// The built plugin.
    pub fn file(self, kind: Kind) -> PathBuf {
        Path::new(match (kind, self) {
            (Kind::Legacy, Self::Auth) => env!("GUEST_LEGACY_RUST_AUTH"),
            (Kind::Legacy, Self::Bodies) => env!("GUEST_LEGACY_BODIES"),
            (Kind::Legacy, Self::Body) => env!("GUEST_LEGACY_RUST_BODY"),
            (Kind::Legacy, Self::Callout) => env!("GUEST_LEGACY_CALLOUT"),
            (Kind::Legacy, Self::Config) => env!("GUEST_LEGACY_RUST_CONFIG"),
            (Kind::Legacy, Self::Enemy) => env!("GUEST_LEGACY_ENEMY"),
            (Kind::Legacy, Self::Events) => env!("GUEST_LEGACY_EVENTS"),
            (Kind::Legacy, Self::Headers) => env!("GUEST_LEGACY_RUST_HEADERS"),
            (Kind::Legacy, Self::Observe) => env!("GUEST_LEGACY_OBSERVE"),
            (Kind::Wit, Self::Auth) => env!("GUEST_WIT_RUST_AUTH"),
            (Kind::Wit, Self::Bodies) => env!("GUEST_WIT_BODIES"),
            (Kind::Wit, Self::Body) => env!("GUEST_WIT_RUST_BODY"),
            (Kind::Wit, Self::Callout) => env!("GUEST_WIT_CALLOUT"),
            (Kind::Wit, Self::Config) => env!("GUEST_WIT_RUST_CONFIG"),
            (Kind::Wit, Self::Enemy) => env!("GUEST_WIT_ENEMY"),
            (Kind::Wit, Self::Events) => env!("GUEST_WIT_EVENTS"),
            (Kind::Wit, Self::Headers) => env!("GUEST_WIT_RUST_HEADERS"),
            (Kind::Wit, Self::Observe) => env!("GUEST_WIT_OBSERVE"),
        })
        .to_path_buf()
    }
}
