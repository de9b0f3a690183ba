//! The proxy as a whole: plugins loaded, workers started, served until it is told to stop.

mod admin;
mod files;
mod plugins;
mod signals;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use crate::admin::Phase;
use crate::config::Config;
use crate::plugin::LoadError;
use crate::server::{self, AccessLogWriter};
use crate::services::Services;
use crate::upstream::{Cluster, TlsError, Trust};
use crate::vm::StartError;

use self::admin::Admin;
use self::signals::Signals;
use self::worker::WorkerSetup;

/// Why a proxy did not start, or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The plugin engine could not be made.
    #[error("this machine cannot run plugins: {0:#}")]
    Engine(wasmtime::Error),
    /// A plugin's file cannot be used.
    #[error("plugin `{plugin}` cannot be loaded")]
    Load {
        /// The plugin's name.
        plugin: String,
        /// What is wrong with the file.
        #[source]
        source: Box<LoadError>,
    },
    /// A plugin did not start.
    #[error("plugin `{plugin}` did not start")]
    Start {
        /// The plugin's name.
        plugin: String,
        /// What it says, or how it trapped.
        #[source]
        source: StartError,
    },
    /// A cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] TlsError),
    /// The listening address is taken, or not ours.
    #[error("cannot listen on {address}; choose another with `--listen`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The admin endpoint's address is taken, or not ours.
    #[error("cannot serve the admin endpoint on {address}; choose another with `--admin`")]
    Admin {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A thread or runtime could not be made, or signals not be received.
    #[error("cannot start a worker")]
    Worker(#[source] io::Error),
    /// A worker ended with a panic, which is a bug.
    #[error("a worker panicked; please report this")]
    Panicked,
}

/// Where a proxy that takes requests can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Addresses {
    /// For requests.
    pub listen: SocketAddr,
    /// For the admin endpoint, if there is one.
    pub admin: Option<SocketAddr>,
}

/// Serves until the process gets SIGTERM or SIGINT, then until the exchanges that are open then have ended.
///
/// `ready` is called with the bound addresses once every worker has started its plugins and accepts connections.
///
/// # Errors
///
/// A plugin cannot be loaded or does not start, the address cannot be bound, or a worker fails.
pub fn run(config: Config, ready: impl FnOnce(Addresses)) -> Result<(), RunError> {
    run_with(config, Services::default(), ready)
}

/// As [`run`], with an embedder's own services.
///
/// # Errors
///
/// See [`run`].
pub fn run_with(
    config: Config,
    services: Services,
    ready: impl FnOnce(Addresses),
) -> Result<(), RunError> {
    files::raise_limit();
    let config = Arc::new(config);
    let trust = Arc::new(Trust::default());
    let cluster = |cluster| Cluster::new(cluster, &trust).map(Arc::new);
    let clusters: Arc<[_]> = config
        .clusters
        .iter()
        .map(cluster)
        .collect::<Result<_, _>>()?;
    let plugins = Arc::new(plugins::load(&config)?);
    let listen_error = |source| RunError::Listen {
        address: config.listen,
        source,
    };
    let listener = server::bind(config.listen, true).map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    let (trigger, drain) = server::drain();

    let access_log = match config.access_log {
        true => Some(AccessLogWriter::start(io::stderr()).map_err(RunError::Worker)?),
        false => None,
    };
    let admin = Admin::start(config.admin, &plugins, &services.state)?;
    let setup = |listener, index| WorkerSetup {
        config: Arc::clone(&config),
        is_first: index == 0,
        plugins: Arc::clone(&plugins),
        clusters: Arc::clone(&clusters),
        trust: Arc::clone(&trust),
        listener,
        drain: drain.clone(),
        access_log: access_log.as_ref().map(AccessLogWriter::handle),
        services: services.clone(),
        metrics: admin.add_worker(),
    };

    // The first worker shows whether the plugins start at all, and shows their log lines once.
    let first = Worker::spawn(0, setup(listener, 0))?;
    first.wait_for_start()?;
    let mut workers = vec![first];
    for index in 1..config.workers.get() {
        let listener = server::bind(address, true).map_err(listen_error)?;
        workers.push(Worker::spawn(index, setup(listener, index))?);
    }
    for worker in workers.iter().skip(1) {
        worker.wait_for_start()?;
    }
    // Before anybody is told, so that whoever hears of it can stop it.
    let mut signals = Signals::listen().map_err(RunError::Worker)?;
    admin.set(Phase::Ready);
    ready(Addresses {
        listen: address,
        admin: admin.address(),
    });

    let signal = signals.wait();
    admin.set(Phase::Draining);
    tracing::info!(signal, "stopping: open requests are finished first");
    stop_at_once_if_asked_again(signals);
    trigger.start();
    for worker in workers {
        worker.thread.join().map_err(|_| RunError::Panicked)??;
    }
    if let Some(log) = access_log {
        log.finish().map_err(RunError::Worker)?;
    }
    Ok(())
}

/// Ends the process at the next signal, whatever is still open.
fn stop_at_once_if_asked_again(mut signals: Signals) {
    let wait = move || {
        let signal = signals.wait();
        tracing::warn!(signal, "stopped at once: open requests are cut off");
        #[expect(clippy::exit, reason = "that is what a second signal asks for")]
        std::process::exit(1);
    };
    // Without the thread, the grace period ends the process in time.
    drop(thread::Builder::new().name("signals".into()).spawn(wait));
}

struct Worker {
    thread: JoinHandle<Result<(), RunError>>,
    started: Receiver<Result<(), RunError>>,
}

impl Worker {
    fn spawn(index: usize, setup: WorkerSetup) -> Result<Self, RunError> {
        let (sender, started) = channel();
        let thread = thread::Builder::new()
            .name(format!("worker-{index}"))
            .spawn(move || setup.run(sender))
            .map_err(RunError::Worker)?;
        Ok(Self { thread, started })
    }

    fn wait_for_start(&self) -> Result<(), RunError> {
        // A worker always tells, unless it panics.
        self.started.recv().unwrap_or(Err(RunError::Panicked))
    }
}
