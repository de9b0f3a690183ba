//! `cargo xtask bench`: the performance table, all rows measured side by side in one run.
//!
//! What counts is the CPU time that the proxy's process uses for one request: on a small and busy machine it is far
//! steadier than requests per second. Each round starts every proxy afresh, measures them one after another and
//! compares them within the round; the table shows medians over the rounds.

use std::io::Write;

use anyhow::{Context, ensure};
use clap::Args as ClapArgs;

mod artifacts;
mod budget;
mod measure;
mod process;
mod row;
mod statistics;
mod table;

use artifacts::Artifacts;
use measure::{Bench, Sample};
use row::Row;

/// Arguments of `bench`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The rows to measure, and the ones that they are compared with [default: all that can run here]
    #[arg(long, value_enum, value_delimiter = ',')]
    rows: Vec<Row>,
    /// How often each row is measured
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// How long each row is measured in a round
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Connections that make requests, one at a time each
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Print every sample as JSON instead of the table
    #[arg(long)]
    json: bool,
    /// Measure what was built before
    #[arg(long)]
    no_build: bool,
}

/// Builds, measures and prints.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(args.rounds > 0, "`--rounds` must be at least 1");
    let mut rows = Row::with_baselines(&args.rows);
    if !args.rows.contains(&Row::Nginx) && !artifacts::has_nginx() {
        eprintln!("left out: nginx is not installed");
        rows.retain(|row| *row != Row::Nginx);
    }
    let artifacts = Artifacts::locate()?;
    if !args.no_build {
        artifacts.build(&rows)?;
    }
    let bench = Bench::start(&artifacts, args.connections, args.seconds)?;
    let mut results: Vec<_> = rows
        .into_iter()
        .map(|row| Measured {
            row,
            samples: Vec::new(),
        })
        .collect();
    for round in 1..=args.rounds {
        eprintln!("round {round} of {}", args.rounds);
        // There and back again, so that a machine that slows down is not held against the last row.
        let order: Box<dyn Iterator<Item = &mut Measured>> = if round % 2 == 0 {
            Box::new(results.iter_mut().rev())
        } else {
            Box::new(results.iter_mut())
        };
        for Measured { row, samples } in order {
            samples.push(bench.sample(*row).with_context(|| format!("row `{row}`"))?);
        }
    }

    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &table::json(&results))?;
        writeln!(out)?;
    } else {
        write!(out, "{}", table::text(&results, args)?)?;
    }
    Ok(())
}

/// A row and what was measured, one sample each round.
#[derive(Debug)]
struct Measured {
    row: Row,
    samples: Vec<Sample>,
}
