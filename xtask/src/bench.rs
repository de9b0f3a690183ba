//! `cargo xtask bench`: the performance table, all rows measured side by side in one run.
//!
//! What counts is the CPU time that the proxy's process uses for one request: on a small and busy machine it is far
//! steadier than requests per second. Each round starts every proxy afresh, measures them one after another and
//! compares them within the round; the table shows medians over the rounds.

use std::io::Write;

use anyhow::ensure;
use clap::Args as ClapArgs;

mod artifacts;
mod budget;
mod extra;
mod measure;
mod process;
mod row;
mod servers;
mod statistics;
mod table;

use artifacts::Artifacts;
use extra::Extra;
use measure::{Bench, Sample};
use row::Row;

/// Arguments of `bench`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The rows to measure beside those that they are compared with [default: all that can run here, and budgets that
    /// have nothing to do with requests]
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
    let mut results = Results::new(rows);
    for round in 1..=args.rounds {
        eprintln!("round {round} of {}", args.rounds);
        results.measure(&bench, round % 2 == 0);
    }
    if args.rows.is_empty() {
        results.extras = Extra::measure(&bench);
    }

    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &table::json(&results))?;
        writeln!(out)?;
    } else {
        write!(out, "{}", table::text(&results, args)?)?;
    }
    ensure!(results.are_complete(), "not everything could be measured");
    Ok(())
}

/// All that was measured.
#[derive(Debug)]
struct Results {
    rows: Vec<Measured>,
    extras: Vec<Extra>,
}

/// A row and what was measured, one sample each round.
#[derive(Debug)]
struct Measured {
    row: Row,
    samples: Vec<Sample>,
    /// Why there are no more samples.
    failure: Option<anyhow::Error>,
}

impl Results {
    fn new(rows: Vec<Row>) -> Self {
        let rows = rows.into_iter().map(|row| Measured {
            row,
            samples: Vec::new(),
            failure: None,
        });
        Self {
            rows: rows.collect(),
            extras: Vec::new(),
        }
    }

    /// Measures each row once more, in the table's order or backwards: taking turns, so that a machine that slows down
    /// is not held against the last row.
    fn measure(&mut self, bench: &Bench<'_>, backwards: bool) {
        let rows: Vec<&mut Measured> = if backwards {
            self.rows.iter_mut().rev().collect()
        } else {
            self.rows.iter_mut().collect()
        };
        for measured in rows {
            if measured.failure.is_some() {
                continue;
            }
            match bench.sample(measured.row) {
                Ok(sample) => measured.samples.push(sample),
                Err(error) => measured.failure = Some(error),
            }
        }
    }

    fn are_complete(&self) -> bool {
        self.rows.iter().all(|row| row.failure.is_none())
            && self.extras.iter().all(|extra| extra.values.is_ok())
    }

    /// Returns the baseline of a row.
    fn baseline(&self, row: Row) -> Option<&Measured> {
        let wanted = row.baseline()?;
        self.rows.iter().find(|measured| measured.row == wanted)
    }
}
