//! Budgets that have nothing to do with requests.

use std::fmt::Write;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::measure::Bench;
use super::row::Guest;

/// VMs that are compared with one, so that what is the same however many there are cancels out. The allocator takes
/// memory in huge pages of 2 MiB: with 32 VMs more, one page too many would be 64 KiB for each.
const VMS: usize = 513;

/// A quantity with an upper limit.
#[derive(Debug)]
pub(super) struct Extra {
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) limit: f64,
    pub(super) values: anyhow::Result<Vec<f64>>,
}

impl Extra {
    /// Measures all there are.
    pub(super) fn measure(bench: &Bench<'_>) -> Vec<Self> {
        vec![
            Self {
                title: "link a legacy module of 1.3 MB",
                unit: "ms CPU",
                limit: 30.0,
                values: link_milliseconds(bench),
            },
            Self {
                title: "ten header reads of a legacy module, shim over func_wrap",
                unit: "x CPU",
                limit: 1.0,
                values: reads_ratios(bench),
            },
            Self {
                title: "memory for each VM of the legacy header plugin",
                unit: "KiB",
                limit: 100.0,
                values: vm_kib(bench, Guest::LegacyHeaders),
            },
            Self {
                title: "memory for each VM of the WIT header plugin",
                unit: "KiB",
                limit: 100.0,
                values: vm_kib(bench, Guest::WitHeaders),
            },
        ]
    }

    /// Returns the values for machines.
    pub(super) fn json(&self) -> Value {
        json!({
            "row": self.title,
            "unit": self.unit,
            "values": self.values.as_ref().ok(),
            "failure": self.values.as_ref().err().map(|failure| format!("{failure:#}")),
        })
    }
}

fn link_milliseconds(bench: &Bench<'_>) -> anyhow::Result<Vec<f64>> {
    let report = measured_by(bench, "link-time", Guest::LargeLegacy)?;
    let nanoseconds: Vec<f64> = serde_json::from_value(report)?;
    Ok(nanoseconds.iter().map(|time| time / 1e6).collect())
}

fn reads_ratios(bench: &Bench<'_>) -> anyhow::Result<Vec<f64>> {
    let report = measured_by(bench, "ten-reads", Guest::ReadsLegacy)?;
    let nanoseconds = |host: &str| -> anyhow::Result<Vec<f64>> {
        let times = report
            .get(host)
            .with_context(|| format!("no `{host}` in {report}"))?;
        Ok(serde_json::from_value(times.clone())?)
    };
    let (linked, direct) = (nanoseconds("linked")?, nanoseconds("direct")?);
    Ok(linked
        .iter()
        .zip(direct)
        .map(|(linked, direct)| linked / direct)
        .collect())
}

/// Runs a program of `benches/` on a plugin and returns what it prints.
fn measured_by(bench: &Bench<'_>, program: &str, guest: Guest) -> anyhow::Result<Value> {
    let mut command = bench.cores.server(bench.artifacts.program(program), 1);
    command.arg(bench.artifacts.guest(guest));
    let output = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", complaint.trim_end());
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Returns what one more VM costs, after requests that passed all of them.
fn vm_kib(bench: &Bench<'_>, guest: Guest) -> anyhow::Result<Vec<f64>> {
    let memory = |vms: usize| {
        let file = bench.artifacts.scratch()?.join("vms.yaml");
        let mut settings = String::from("plugins:\n");
        for vm in 0..vms {
            let plugin = bench.artifacts.guest(guest);
            writeln!(
                settings,
                "- {{ name: plugin-{vm}, vm_id: vm-{vm}, file: {} }}",
                plugin.display()
            )?;
        }
        std::fs::write(&file, settings)
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        let server = bench.servers.start_configured(&file)?;
        for _ in 0..100 {
            server.request("/")?;
        }
        server.memory_kib()
    };
    let (one, many) = (memory(1)?, memory(VMS)?);
    Ok(vec![(many as f64 - one as f64) / (VMS - 1) as f64])
}
