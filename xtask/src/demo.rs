//! `cargo xtask demo`: two plugins, a legacy module and a component, in one filter chain.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::Context;
use clap::Args as ClapArgs;

use crate::workspace;

/// Arguments of `demo`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Address to listen on
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

/// A plugin of `examples/`.
struct Guest {
    package: &'static str,
    target: &'static str,
}

/// The same plugin in both forms, in the order of the request path.
const GUESTS: [Guest; 2] = [
    Guest {
        package: "legacy-rust-headers",
        target: "wasm32-wasip1",
    },
    Guest {
        package: "wit-rust-headers",
        target: "wasm32-wasip2",
    },
];

/// Builds the plugins and the proxy, and serves until it is told to stop.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut plugins = Vec::with_capacity(GUESTS.len());
    for guest in &GUESTS {
        plugins.push(workspace::build_guest(guest.package, guest.target)?);
    }
    // Apart from running it, so that what to try is said when nothing more is built.
    workspace::succeed(workspace::cargo().args(["build", "--package", "proxy-wasi"]))?;

    eprintln!(
        "\nTry, in another terminal:\n\n    curl -i http://{}/hello\n",
        args.listen
    );
    let mut serve = workspace::cargo();
    serve
        .args(["run", "--quiet", "--package", "proxy-wasi", "--", "serve"])
        .arg(format!("--listen={}", args.listen))
        .args(plugins);
    become_process(&mut serve)
}

/// Takes the command's place, so that signals reach the proxy alone and the shell waits for it to drain.
#[cfg(unix)]
fn become_process(command: &mut Command) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt;

    let error = command.exec();
    Err(error).with_context(|| format!("cannot run {command:?}"))
}

/// Runs the command to its end.
#[cfg(not(unix))]
fn become_process(command: &mut Command) -> anyhow::Result<()> {
    workspace::succeed(command)
}
