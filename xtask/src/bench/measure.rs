//! One row, measured once.

use std::fs::File;
use std::net::TcpListener;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::artifacts::Artifacts;
use super::process::{Cores, Process};
use super::row::{Row, Server};

/// What is the same for all rows.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    artifacts: &'a Artifacts,
    cores: Cores,
    upstream: Process,
    connections: usize,
    seconds: f64,
}

/// What was measured of a row in one round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) requests: u64,
    pub(super) wall_seconds: f64,
    /// Of the server's process, in user and kernel mode.
    pub(super) cpu_seconds: f64,
    pub(super) workers: usize,
    /// From starting the process to its first response.
    pub(super) start_seconds: f64,
    /// Proportional set size after the requests.
    pub(super) memory_kib: u64,
}

impl<'a> Bench<'a> {
    /// Starts the upstream.
    pub(super) fn start(
        artifacts: &'a Artifacts,
        connections: usize,
        seconds: f64,
    ) -> anyhow::Result<Self> {
        let cores = Cores::detect();
        let upstream = Process::start(cores.load(artifacts.program("origin")))?;
        Ok(Self {
            artifacts,
            cores,
            upstream,
            connections,
            seconds,
        })
    }

    /// Starts a row's server, measures it and stops it.
    pub(super) fn sample(&self, row: Row) -> anyhow::Result<Sample> {
        let start = Instant::now();
        let server = self.start_server(row)?;
        server.request("/")?;
        let start = start.elapsed();

        let mut load = self.cores.load(self.artifacts.program("load"));
        load.args([server.address().to_string(), server.id().to_string()])
            .args(["--path", row.path()])
            .args(["--connections", &self.connections.to_string()])
            .args(["--seconds", &self.seconds.to_string()]);
        if let Some(field) = row
            .server()
            .guest()
            .and_then(|guest| guest.expected_field())
        {
            load.args(["--expected-field", field]);
        }
        let output = load
            .output()
            .with_context(|| format!("cannot start {load:?}"))?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
        let report: Value = serde_json::from_slice(&output.stdout)?;
        let number = |name: &str| {
            report
                .get(name)
                .and_then(Value::as_u64)
                .with_context(|| format!("no `{name}` in {report}"))
        };
        let sample = Sample {
            requests: number("requests")?,
            wall_seconds: number("wall_nanoseconds")? as f64 / 1e9,
            cpu_seconds: number("cpu_nanoseconds")? as f64 / 1e9,
            workers: row.server().workers(),
            start_seconds: start.as_secs_f64(),
            memory_kib: server.memory_kib()?,
        };
        ensure!(sample.requests > 0, "no response in {} s", self.seconds);
        Ok(sample)
    }

    fn start_server(&self, row: Row) -> anyhow::Result<Process> {
        let Self {
            artifacts,
            cores,
            upstream,
            ..
        } = self;
        let upstream = format!("http://{}", upstream.address());
        let server = row.server();
        let program = |name: &str| {
            let mut command = cores.server(artifacts.program(name), server.workers());
            command
                .args(["--upstream", &upstream])
                .args(["--listen", "127.0.0.1:0"]);
            command
        };
        match server {
            Server::Bare => Process::start(program("bare-proxy")),
            Server::ReferenceHost(guest) => {
                let mut command = program("reference-host");
                command.arg(artifacts.guest(guest));
                Process::start(command)
            }
            Server::ProxyWasi {
                plugin,
                workers,
                log_level,
            } => {
                let mut command = cores.server(artifacts.program("proxy-wasi"), workers);
                command.arg("serve");
                command.args(plugin.map(|guest| artifacts.guest(guest)));
                command
                    .args(["--upstream", &upstream])
                    .args(["--listen", "127.0.0.1:0"]);
                command.args([
                    "--workers",
                    &workers.to_string(),
                    "--no-access-log",
                    "--log-level",
                    log_level,
                ]);
                // As a service manager would take it; a file costs as little as can be.
                command.stderr(File::create(artifacts.scratch()?.join("proxy-wasi.log"))?);
                Process::start(command)
            }
            Server::Nginx => self.start_nginx(),
        }
    }

    fn start_nginx(&self) -> anyhow::Result<Process> {
        let scratch = self.artifacts.scratch()?;
        let upstream = self.upstream.address();
        // nginx cannot choose a port and tell which: take one that was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let file = scratch.join("nginx.conf");
        let settings = format!(
            "daemon off; master_process off; pid nginx.pid; error_log nginx.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{\n\
               client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;\n\
               uwsgi_temp_path temp; scgi_temp_path temp;\n\
               access_log off; keepalive_requests 1000000000; tcp_nodelay on;\n\
               upstream origin {{ server {upstream}; keepalive 256; keepalive_requests 1000000000; }}\n\
               server {{\n\
                 listen {address};\n\
                 location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header connection \"\"; }}\n\
               }}\n\
             }}\n"
        );
        std::fs::write(&file, settings)
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        let mut command: Command = self.cores.server("nginx", 1);
        command
            .arg("-p")
            .arg(&scratch)
            .arg("-c")
            .arg(&file)
            .stderr(File::create(scratch.join("nginx.err"))?);
        Process::start_silent(command, address)
    }
}

impl Sample {
    /// Returns the CPU time for one request.
    pub(super) fn cpu_microseconds(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.requests as f64
    }

    /// Returns what arrived in a second.
    pub(super) fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.wall_seconds
    }

    /// Returns what would arrive in a second if each worker had a core for itself and nothing else to wait for.
    pub(super) fn capacity(&self) -> f64 {
        self.requests as f64 / self.cpu_seconds * self.workers as f64
    }

    /// Returns which share of its workers' cores the server used.
    pub(super) fn utilization(&self) -> f64 {
        self.cpu_seconds / self.wall_seconds / self.workers as f64
    }

    /// Returns the sample for machines.
    pub(super) fn json(&self) -> Value {
        json!({
            "requests": self.requests,
            "wall_seconds": self.wall_seconds,
            "cpu_seconds": self.cpu_seconds,
            "workers": self.workers,
            "start_seconds": self.start_seconds,
            "memory_kib": self.memory_kib,
        })
    }
}
