//! The proxy as a whole: plugins loaded, workers started, served until it is told to stop.

mod admin;
mod files;
mod plugins;
mod signals;
mod watchdog;
mod worker;
mod workers;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::admin::Phase;
use crate::config::Config;
use crate::plugin::LoadError;
use crate::server::{self, AccessLogWriter};
use crate::services::Services;
use crate::upstream::{Cluster, TlsError, Trust};
use crate::vm::StartError;

use self::admin::Admin;
use self::files::way_out;
use self::signals::{Event, Signals};
use self::watchdog::Watchdog;
use self::worker::{DONE_GRACE, WorkerSetup};
use self::workers::Workers;

/// What a stop may take beyond its grace periods: to end threads, and to write the last lines of the log.
const STOP_SPARE: Duration = Duration::from_secs(1);

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
    #[error("cannot listen on {address}; {}", way_out(.source, "choose another with `--listen`"))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The admin endpoint's address is taken, or not ours.
    #[error(
        "cannot serve the admin endpoint on {address}; {}",
        way_out(.source, "choose another with `--admin`")
    )]
    Admin {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A thread or runtime could not be made, or signals not be received.
    #[error("cannot run a worker; {}", way_out(.0, "give the process more threads and memory, or fewer `--workers`"))]
    Worker(#[source] io::Error),
    /// A worker ended with a panic, which is a bug.
    #[error("`{0}` panicked; please report this, with what the log says about it")]
    Panicked(
        /// The worker's name.
        String,
    ),
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
/// A second signal ends the process at once, with exit code 1; so does a stop that takes longer than
/// `timeouts.drain_grace` and the time that plugins have to finish.
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
    let listen_error = |source| RunError::Listen {
        address: config.listen,
        source,
    };
    // Before anything that takes time: who has the address by mistake wants to know now.
    server::probe(config.listen).map_err(listen_error)?;
    if let Some(address) = config.admin {
        server::probe(address).map_err(|source| RunError::Admin { address, source })?;
    }
    let trust = Arc::new(Trust::default());
    let cluster = |cluster| Cluster::new(cluster, &trust).map(Arc::new);
    let clusters: Arc<[_]> = config
        .clusters
        .iter()
        .map(cluster)
        .collect::<Result<_, _>>()?;
    let plugins = Arc::new(plugins::load(&config)?);
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
    let mut workers = Workers::new();
    workers.spawn(setup(listener, 0))?;
    workers.wait_for_start()?;
    for index in 1..config.workers.get() {
        let listener = server::bind(address, true).map_err(listen_error)?;
        workers.spawn(setup(listener, index))?;
    }
    workers.wait_for_start()?;
    // Before anybody is told, so that whoever hears of it can stop it.
    let mut signals = Signals::listen().map_err(RunError::Worker)?;
    admin.set(Phase::Ready);
    ready(Addresses {
        listen: address,
        admin: admin.address(),
    });

    let event = signals.wait_or(workers.first_to_end());
    admin.set(Phase::Draining);
    trigger.start();
    // Before the first line in the log, which may be what does not come to an end.
    let watchdog = Watchdog::start(
        signals,
        config.timeouts.drain_grace + DONE_GRACE + STOP_SPARE,
    );
    match &event {
        Event::Signal(signal) => {
            tracing::info!(signal, "stopping: open requests are finished first");
        }
        Event::Other(worker) => tracing::error!(
            worker,
            "stopping: a worker has ended by itself; the others finish their open requests first"
        ),
    }
    let mut ended = workers.join();
    if let (Ok(()), Event::Other(worker)) = (&ended, event) {
        ended = Err(RunError::Panicked(worker));
    }
    if let Some(log) = access_log
        && let Err(error) = log.finish()
    {
        tracing::error!(%error, "the access log is not complete");
    }
    drop(admin);
    drop(watchdog);
    ended
}
