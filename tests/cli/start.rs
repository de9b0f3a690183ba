//! Starts that fail: exit code 1, no ready line, and the plugin's own log lines.

use std::net::TcpListener;

use crate::modules::{self, wasm};
use crate::shell::Shell;

fn serve(text: &str) -> String {
    let shell = Shell::with(&[("plugin.wasm", &wasm(text))]);
    shell.transcript(["serve plugin.wasm --listen 127.0.0.1:0 --workers 2"])
}

#[test]
fn a_plugin_that_refuses_to_start() {
    insta::assert_snapshot!(serve(modules::REFUSES_START));
}

#[test]
fn a_plugin_that_refuses_its_configuration() {
    insta::assert_snapshot!(serve(modules::REFUSES_CONFIGURATION));
}

#[test]
fn a_plugin_that_traps() {
    // The shim's own functions have no names, and numbers that move with every change of it.
    let transcript = serve(modules::TRAPS);
    let pieces = transcript.split("<function ").enumerate();
    let unnumbered: String = pieces
        .map(|(at, piece)| match at {
            0 => piece.to_owned(),
            _ => format!(
                "<function {}",
                piece.trim_start_matches(|char: char| char.is_ascii_digit())
            ),
        })
        .collect();
    insta::assert_snapshot!(unnumbered);
}

#[test]
fn an_address_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let shell = Shell::with(&[("plugin.wasm", &wasm(modules::MINIMAL))]);
    let transcript = shell.transcript([format!("serve plugin.wasm --listen {address}").as_str()]);
    insta::assert_snapshot!(transcript.replace(&address, "[address]"));
}
