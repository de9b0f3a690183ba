//! The WASI 0.2 that components of ordinary toolchains import, for plugins: the real clocks and random numbers, no
//! files, no sockets, the environment of the configuration, and output that becomes the plugin's log.
//!
//! The implementation is wasmtime-wasi's, except where that one would block: its synchronous functions start a runtime
//! of their own, which inside a worker's runtime is a panic. Here every operation that could wait is asked once and
//! then taken for done ([`once`]); plugin output never waits, and a plugin that sleeps is told at once that it has.

mod io;
mod output;
mod sockets;

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random, sync};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use self::io::Io;
use super::log::PluginOutput;
use super::state::{VmState, Wasi};

struct HasIo;

impl HasData for HasIo {
    type Data<'a> = Io<'a>;
}

impl Wasi {
    pub(crate) fn new(environment: &[(String, String)]) -> Self {
        let stdout = PluginOutput::default();
        let stderr = PluginOutput::default();
        let ctx: WasiCtx = WasiCtxBuilder::new()
            .stdout(output::Stream(stdout.clone()))
            .stderr(output::Stream(stderr.clone()))
            .envs(environment)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        Self {
            ctx,
            table: ResourceTable::new(),
            stdout,
            stderr,
        }
    }

    /// Whether the plugin has printed something.
    #[inline]
    pub(crate) fn has_output(&self) -> bool {
        self.stdout.any() || self.stderr.any()
    }
}

impl WasiView for Wasi {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }
}

pub(crate) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    let l = linker;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(l, |s| s.wasi.clocks())?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, |s| s.wasi.clocks())?;
    random::random::add_to_linker::<_, WasiRandom>(l, |s| s.wasi.ctx.random())?;
    random::insecure::add_to_linker::<_, WasiRandom>(l, |s| s.wasi.ctx.random())?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(l, |s| s.wasi.ctx.random())?;
    cli::exit::add_to_linker::<_, WasiCli>(l, |s| s.wasi.cli())?;
    cli::environment::add_to_linker::<_, WasiCli>(l, |s| s.wasi.cli())?;
    cli::stdin::add_to_linker::<_, WasiCli>(l, |s| s.wasi.cli())?;
    cli::stdout::add_to_linker::<_, WasiCli>(l, |s| s.wasi.cli())?;
    cli::stderr::add_to_linker::<_, WasiCli>(l, |s| s.wasi.cli())?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(l, |s| s.wasi.cli())?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(l, |s| s.wasi.cli())?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, |s| s.wasi.cli())?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, |s| s.wasi.cli())?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, |s| s.wasi.cli())?;
    // There are no preopened directories, so no descriptor ever exists and none of the blocking functions is reached.
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(l, |s| s.wasi.filesystem())?;
    sync::filesystem::types::add_to_linker::<_, WasiFilesystem>(l, |s| s.wasi.filesystem())?;
    wasmtime_wasi_io::bindings::wasi::io::error::add_to_linker::<_, HasIo>(l, |s| {
        Io(&mut s.wasi.table)
    })?;
    sync::io::poll::add_to_linker::<_, HasIo>(l, |s| Io(&mut s.wasi.table))?;
    sync::io::streams::add_to_linker::<_, HasIo>(l, |s| Io(&mut s.wasi.table))?;
    sockets::add_to_linker(l)
}
