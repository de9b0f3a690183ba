//! A running `proxy-wasi serve`.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::{Client, Reply};

/// How long anything may take before a test is given up. Never reached by a test that passes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks at what tells nobody when it changes.
const POLL: Duration = Duration::from_millis(5);

/// A proxy to start.
#[derive(Debug)]
pub struct ProxyBuilder {
    command: Command,
    listen: String,
    workers: usize,
    admin: bool,
}

/// A proxy that did not start, or has ended.
#[derive(Debug)]
pub struct Failed {
    pub status: ExitStatus,
    pub stderr: String,
}

/// A running proxy. Killed when dropped.
#[derive(Debug)]
pub struct Proxy {
    child: Child,
    address: SocketAddr,
    admin: Option<SocketAddr>,
    log: Arc<Log>,
    readers: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    changed: Condvar,
}

impl ProxyBuilder {
    /// `binary serve`, on a free port, with one worker, and without the user's compile cache.
    pub fn new(binary: impl AsRef<OsStr>) -> Self {
        Self::serve(binary).arg("--no-cache")
    }

    /// As [`new`](Self::new), with a compile cache of its own.
    pub fn cached(binary: impl AsRef<OsStr>, directory: impl AsRef<OsStr>) -> Self {
        Self::serve(binary)
            .arg("--cache-dir")
            .arg(directory.as_ref())
    }

    /// Another program than `proxy-wasi`, which takes the same flags and says the same when it is ready, maybe behind
    /// lines of its own.
    pub fn of(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            command,
            listen: "127.0.0.1:0".to_owned(),
            workers: 1,
            admin: false,
        }
    }

    fn serve(binary: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(binary);
        command.arg("serve");
        Self::of(command)
    }

    /// So many workers instead of one.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// With an admin endpoint on a free port.
    #[must_use]
    pub fn admin(mut self) -> Self {
        self.admin = true;
        self
    }

    /// Listens elsewhere than on a free port.
    #[must_use]
    pub fn listen(mut self, address: impl ToString) -> Self {
        self.listen = address.to_string();
        self
    }

    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.command.arg(arg.into());
        self
    }

    #[must_use]
    pub fn args<A: Into<OsString>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Starts the proxy and waits for its ready line.
    pub fn start(self) -> Proxy {
        self.try_start()
            .unwrap_or_else(|failed| panic!("the proxy did not start: {failed:?}"))
    }

    /// Starts the proxy and waits for its ready line or its end.
    pub fn try_start(mut self) -> Result<Proxy, Failed> {
        if self.admin {
            self.command.args(["--admin", "127.0.0.1:0"]);
        }
        let mut child = self
            .command
            .args(["--workers", &self.workers.to_string()])
            .args(["--listen", &self.listen])
            .spawn()
            .expect("the binary runs");
        let log = Arc::new(Log::default());
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let reader = thread::spawn({
            let log = Arc::clone(&log);
            move || log.read(stderr)
        });
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = mpsc::channel();
        // Reads on after the lines that matter: that keeps the pipe open.
        let rest = thread::spawn(move || {
            for line in stdout.lines() {
                // Nobody may want it any more.
                let _ = sender.send(line.expect("standard output is text"));
            }
        });
        let mut proxy = Proxy {
            child,
            address: SocketAddr::from(([0; 4], 0)),
            admin: None,
            log,
            readers: vec![reader, rest],
        };
        let deadline = Instant::now() + PATIENCE;
        // Its child is killed when this panics.
        let next_line = |proxy: &Proxy| {
            let left = deadline.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) => Some(line),
                Err(RecvTimeoutError::Disconnected) => None,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the proxy is not ready; its log:\n{}", proxy.log.text())
                }
            }
        };
        loop {
            let Some(line) = next_line(&proxy) else {
                return Err(proxy.wait());
            };
            if let Some(address) = line.strip_prefix("listening on http://") {
                proxy.address = address.parse().expect("the ready line names an address");
                break;
            }
        }
        if self.admin {
            let line = next_line(&proxy).unwrap_or_default();
            let address = line.strip_prefix("admin on http://");
            proxy.admin = address.and_then(|address| address.parse().ok());
            assert!(
                proxy.admin.is_some(),
                "`{line}` does not name the admin endpoint's address"
            );
        }
        Ok(proxy)
    }
}

impl Proxy {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A client of this proxy, over HTTP/1.1.
    pub fn client(&self) -> Client {
        Client::http1(self.address)
    }

    /// A client of this proxy, over HTTP/2 with prior knowledge.
    pub fn http2(&self) -> Client {
        Client::http2(self.address)
    }

    /// A client of the admin endpoint.
    pub fn admin(&self) -> Client {
        Client::http1(self.admin.expect("the proxy has an admin endpoint"))
    }

    /// The value of a metric, by its name and labels as the admin endpoint shows them.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let text = self.admin().get("/metrics", &[]);
        let line = text
            .text()
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        Some(line.parse().expect("a sample is a number"))
    }

    /// Waits until a metric has a value: what ends an exchange is counted after the client has its response.
    pub fn wait_for_metric(&self, series: &str, value: f64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.metric(series);
            if seen == Some(value) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "`{series}` is {seen:?}, not {value}"
            );
            pause();
        }
    }

    /// A GET over HTTP/1.1.
    pub fn get(&self, path: &str) -> Reply {
        self.client().get(path, &[])
    }

    /// Waits for a line of the log that holds all of `parts`, and returns it.
    pub fn wait_for_log(&self, parts: &[&str]) -> String {
        self.log
            .wait_for(|lines| {
                lines
                    .iter()
                    .find(|line| parts.iter().all(|part| line.contains(part)))
                    .cloned()
            })
            .unwrap_or_else(|| panic!("no line with {parts:?} in the log:\n{}", self.log.text()))
    }

    /// Waits until so many lines of the log hold `part`, and returns them.
    pub fn wait_for_lines(&self, part: &str, count: usize) -> Vec<String> {
        self.log
            .wait_for(|lines| {
                let found: Vec<_> = lines
                    .iter()
                    .filter(|line| line.contains(part))
                    .cloned()
                    .collect();
                (found.len() >= count).then_some(found)
            })
            .unwrap_or_else(|| {
                panic!(
                    "not {count} lines with `{part}` in the log:\n{}",
                    self.log.text()
                )
            })
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let status = Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success());
    }

    /// Waits for the end of the process.
    pub fn wait(mut self) -> Failed {
        let status = wait_for_end(&mut self.child).unwrap_or_else(|| {
            panic!("the proxy has not ended; its log:\n{}", self.log.text());
        });
        for reader in self.readers.drain(..) {
            reader.join().expect("the output was read");
        }
        Failed {
            status,
            stderr: self.log.text(),
        }
    }
}

/// Before another look.
#[expect(
    clippy::disallowed_methods,
    reason = "neither the end of a child, with a deadline, nor a change of a metric is an event"
)]
fn pause() {
    thread::sleep(POLL);
}

/// Nothing if it has not ended in time.
fn wait_for_end(child: &mut Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            return Some(status);
        }
        pause();
    }
    None
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Log {
    fn read(&self, stderr: impl BufRead) {
        for line in stderr.lines() {
            let Ok(line) = line else { break };
            self.lines.lock().unwrap().push(line);
            self.changed.notify_all();
        }
    }

    fn wait_for<R>(&self, find: impl Fn(&[String]) -> Option<R>) -> Option<R> {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.lines.lock().unwrap();
        loop {
            if let Some(found) = find(&lines) {
                return Some(found);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            lines = self.changed.wait_timeout(lines, left).unwrap().0;
        }
    }

    fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }
}
