//! What the performance table is made with: an origin, a load generator and the proxies that proxy-wasi is compared
//! with. `cargo xtask bench` starts them, one process each, and prints the table.

pub mod bare_proxy;
pub mod cpu;
pub mod endpoint;
pub mod filter;
pub mod linked_host;
pub mod load;
pub mod message;
pub mod origin;
pub mod reference_host;
