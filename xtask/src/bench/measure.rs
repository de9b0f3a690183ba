//! One row, measured once.

use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::artifacts::Artifacts;
use super::process::Cores;
use super::row::Row;
use super::servers::Servers;

/// What is the same for all rows.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    pub(super) artifacts: &'a Artifacts,
    pub(super) cores: Cores,
    pub(super) servers: Servers<'a>,
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
        Ok(Self {
            artifacts,
            cores,
            servers: Servers::new(artifacts, cores)?,
            connections,
            seconds,
        })
    }

    /// Starts a row's server, measures it and stops it.
    pub(super) fn sample(&self, row: Row) -> anyhow::Result<Sample> {
        let start = Instant::now();
        let server = self.servers.start(row)?;
        server.request("/")?;
        let start = start.elapsed();

        let mut load = self.cores.load(self.artifacts.program("load"));
        load.args([server.address().to_string(), server.id().to_string()])
            .args(["--path", row.path()])
            .args(["--connections", &self.connections.to_string()])
            .args(["--seconds", &self.seconds.to_string()]);
        let guest = row.server().guest();
        if let Some(field) = guest.and_then(|guest| guest.expected_field()) {
            load.args(["--expected-field", field]);
        }
        let output = load
            .output()
            .with_context(|| format!("cannot start {load:?}"))?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}", complaint.trim_end());
        let report: Value = serde_json::from_slice(&output.stdout)?;
        let number = |name: &str| {
            let number = report.get(name).and_then(Value::as_u64);
            number.with_context(|| format!("no `{name}` in {report}"))
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
