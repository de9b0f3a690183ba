//! Processes that serve, and the cores that they run on.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// The longest that a server may take to start: compiling a large plugin takes seconds.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Which cores serve, and which one makes requests and answers as the upstream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cores {
    count: usize,
    can_pin: bool,
}

impl Cores {
    pub(super) fn detect() -> Self {
        let taskset = Command::new("taskset")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        Self {
            count: available_parallelism().map_or(1, usize::from),
            can_pin: taskset.is_ok_and(|status| status.success()),
        }
    }

    /// Prepares a server, on as many of the first cores as it has workers.
    pub(super) fn server(self, program: impl AsRef<std::ffi::OsStr>, workers: usize) -> Command {
        self.pinned(
            program,
            format!("0-{}", workers.min(self.count).saturating_sub(1)),
        )
    }

    /// Prepares a program that makes or answers requests, on the last core.
    pub(super) fn load(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        self.pinned(program, self.count.saturating_sub(1).to_string())
    }

    fn pinned(self, program: impl AsRef<std::ffi::OsStr>, cores: String) -> Command {
        if !self.can_pin {
            return Command::new(program);
        }
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &cores]).arg(program);
        command
    }
}

impl std::fmt::Display for Cores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { count, can_pin } = self;
        write!(
            f,
            "{count} cores, {}",
            if *can_pin {
                "servers pinned to the first"
            } else {
                "nothing pinned"
            }
        )
    }
}

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Starts a server that prints `listening on http://ADDRESS` once it listens. Its standard error goes to `log`: a
    /// file, as a service manager would have it, and nothing costs less.
    pub(super) fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let mut child = spawn(command.stdout(Stdio::piped()), log)?;
        let stdout = child.stdout.take();
        let (send, ready) = mpsc::channel();
        // Reads on after the ready line, so that the server never waits for a full pipe.
        std::thread::spawn(move || {
            for line in stdout
                .into_iter()
                .flat_map(|stdout| BufReader::new(stdout).lines())
                .map_while(Result::ok)
            {
                if let Some(address) = line
                    .strip_prefix("listening on http://")
                    .and_then(|rest| rest.parse().ok())
                {
                    send.send(address).ok();
                }
            }
        });
        // Owned from here on, so that a server that fails to get ready is stopped as well.
        let mut process = Self {
            child,
            address: SocketAddr::from(([0; 4], 0)),
        };
        match ready.recv_timeout(START_LIMIT) {
            Ok(address) => process.address = address,
            Err(_) => bail!("no ready line from {command:?}{}", last_words(log)),
        }
        Ok(process)
    }

    /// Starts a server that prints nothing, and waits until `address` accepts connections.
    #[expect(
        clippy::disallowed_methods,
        reason = "a server that prints nothing can only be asked again and again"
    )]
    pub(super) fn start_silent(
        mut command: Command,
        address: SocketAddr,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let child = spawn(&mut command, log)?;
        let mut process = Self { child, address };
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(address).is_err() {
            if let Some(status) = process.child.try_wait()? {
                bail!("{command:?} ended with {status}{}", last_words(log));
            }
            if Instant::now() > deadline {
                bail!("{command:?} does not listen on {address}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(process)
    }

    /// Returns the address that it listens on.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Makes one request and waits for the first bytes of its response.
    pub(super) fn request(&self, path: &str) -> anyhow::Result<()> {
        let mut socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(START_LIMIT))?;
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n",
            self.address
        )?;
        let mut line = String::new();
        BufReader::new(socket).read_line(&mut line)?;
        if !line.starts_with("HTTP/1.1 200 ") {
            bail!("the first response is `{}`", line.trim_end());
        }
        Ok(())
    }

    /// Returns the memory that the process would give back if it ended (its proportional set size), in KiB.
    pub(super) fn memory_kib(&self) -> anyhow::Result<u64> {
        let file = format!("/proc/{}/smaps_rollup", self.id());
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read `{file}`"))?;
        text.lines()
            .find_map(|line| {
                line.strip_prefix("Pss:")?
                    .trim()
                    .strip_suffix("kB")?
                    .trim()
                    .parse()
                    .ok()
            })
            .with_context(|| format!("no `Pss` in `{file}`"))
    }
}

fn spawn(command: &mut Command, log: &Path) -> anyhow::Result<Child> {
    let file = File::create(log).with_context(|| format!("cannot write `{}`", log.display()))?;
    command
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))
}

/// Returns the last line of a log, for the end of an error message.
fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines()
        .last()
        .map_or_else(String::new, |line| format!(": {line}"))
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only if the process has ended, and then there is nothing to do.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
