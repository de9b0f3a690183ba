//! How results are shown.

use std::fmt::{self, Write};

use serde_json::{Value, json};

use super::budget::Comparison;
use super::measure::Sample;
use super::statistics::{Estimate, minimum};
use super::{Args, Measured};

/// Returns all samples for machines.
pub(super) fn json(results: &[Measured]) -> Value {
    results
        .iter()
        .map(|Measured { row, samples }| {
            json!({ "row": row.to_string(), "samples": samples.iter().map(Sample::json).collect::<Vec<_>>() })
        })
        .collect()
}

/// Returns the table for people.
pub(super) fn text(results: &[Measured], args: &Args) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "{} rounds of {} s, {} connections; medians; in brackets 95 % intervals of the medians\n",
        args.rounds, args.seconds, args.connections
    )?;
    writeln!(
        text,
        "{:34}{:>9}{:>9}{:>9}{:>6}{:>8}{:>7}   {:24}{:20}{:24}budget",
        "", "CPU us", "min", "req/s", "busy", "start", "MiB", "over", "CPU us more", "x req/s"
    )?;
    let mut by_cpu = false;
    for Measured { row, samples } in results {
        let estimate = |value: fn(&Sample) -> f64| Estimate::of(samples.iter().map(value));
        let (Some(cpu), Some(least), Some(rate), Some(busy), Some(start), Some(memory)) = (
            estimate(Sample::cpu_microseconds),
            minimum(samples.iter().map(Sample::cpu_microseconds)),
            estimate(Sample::requests_per_second),
            estimate(Sample::utilization),
            estimate(|sample| sample.start_seconds * 1e3),
            estimate(|sample| sample.memory_kib as f64 / 1024.0),
        ) else {
            continue;
        };
        write!(
            text,
            "{row:34}{:9.2}{least:9.2}{:9.0}{:5.0}%{:6.0}ms{:7.1}",
            cpu.median,
            rate.median,
            busy.median * 100.0,
            start.median,
            memory.median
        )?;
        let baseline = row
            .baseline()
            .and_then(|wanted| results.iter().find(|found| found.row == wanted));
        if let Some(baseline) = baseline
            && let Some(comparison) = Comparison::of(samples, &baseline.samples)
        {
            let mark = if comparison.rate_by_cpu { "*" } else { "" };
            by_cpu |= comparison.rate_by_cpu;
            let Comparison { added, rate, .. } = comparison;
            let added = format!(
                "{:+.2} [{:+.2} {:+.2}]",
                added.median, added.low, added.high
            );
            let rate = format!(
                "{:.3}{mark} [{:.3} {:.3}]",
                rate.median, rate.low, rate.high
            );
            let verdicts: Vec<String> = row
                .budgets()
                .iter()
                .map(|budget| {
                    let (verdict, is_sure) = budget.judge(&comparison);
                    format!(
                        "{budget}: {verdict}{}",
                        if is_sure { "" } else { " (unsure)" }
                    )
                })
                .collect();
            write!(
                text,
                "   {:24}{added:20}{rate:24}{}",
                baseline.row.to_string(),
                verdicts.join(", ")
            )?;
        }
        writeln!(text)?;
    }
    if by_cpu {
        writeln!(
            text,
            "\n* The server did not have its cores to itself: ratio of requests per second of CPU time, as with full cores."
        )?;
    }
    Ok(text)
}
