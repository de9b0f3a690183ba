//! How results are shown.

use std::fmt::{self, Write};

use serde_json::{Value, json};

use super::budget::Comparison;
use super::extra::Extra;
use super::measure::Sample;
use super::statistics::{Estimate, minimum};
use super::{Args, Measured, Results};

/// Returns all samples for machines.
pub(super) fn json(results: &Results) -> Value {
    let rows = results.rows.iter().map(|measured| {
        json!({
            "row": measured.row.to_string(),
            "samples": measured.samples.iter().map(Sample::json).collect::<Vec<_>>(),
            "failure": measured.failure.as_ref().map(|failure| format!("{failure:#}")),
        })
    });
    rows.chain(results.extras.iter().map(Extra::json)).collect()
}

/// Returns the table for people.
pub(super) fn text(results: &Results, args: &Args) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "{} rounds of {} s, {} connections; medians; in brackets 95 % intervals of the medians\n",
        args.rounds, args.seconds, args.connections
    )?;
    writeln!(
        text,
        "{:34}{:>9}{:>9}{:>9}{:>6}{:>8}{:>7}   {:24}{:24}{:24}budget",
        "", "CPU us", "min", "req/s", "busy", "start", "MiB", "over", "CPU us more", "x req/s"
    )?;
    let mut by_cpu = false;
    for measured in &results.rows {
        write!(text, "{:34}", measured.row)?;
        if let Some(failure) = &measured.failure {
            writeln!(text, "failed: {failure:#}")?;
            continue;
        }
        write_figures(&mut text, &measured.samples)?;
        let baseline = results.baseline(measured.row);
        let comparison = baseline.and_then(|baseline| {
            Some((
                baseline,
                Comparison::of(&measured.samples, &baseline.samples)?,
            ))
        });
        if let Some((baseline, comparison)) = comparison {
            write_comparison(&mut text, measured, baseline, &comparison)?;
            by_cpu |= comparison.rate_by_cpu;
        }
        writeln!(text)?;
    }
    if by_cpu {
        writeln!(
            text,
            "\n* The server did not have its cores to itself: ratio of requests per second of CPU time, as with full cores."
        )?;
    }
    if !results.extras.is_empty() {
        writeln!(text)?;
    }
    for extra in &results.extras {
        write_extra(&mut text, extra)?;
    }
    Ok(text)
}

fn write_figures(text: &mut String, samples: &[Sample]) -> fmt::Result {
    let median = |value: fn(&Sample) -> f64| {
        Estimate::of(samples.iter().map(value)).map_or(f64::NAN, |estimate| estimate.median)
    };
    let least = minimum(samples.iter().map(Sample::cpu_microseconds));
    write!(
        text,
        "{:9.2}{:9.2}{:9.0}{:5.0}%{:6.0}ms{:7.1}",
        median(Sample::cpu_microseconds),
        least.unwrap_or(f64::NAN),
        median(Sample::requests_per_second),
        median(Sample::utilization) * 100.0,
        median(|sample| sample.start_seconds * 1e3),
        median(|sample| sample.memory_kib as f64 / 1024.0),
    )
}

fn write_comparison(
    text: &mut String,
    measured: &Measured,
    baseline: &Measured,
    comparison: &Comparison,
) -> fmt::Result {
    let Comparison { added, rate, .. } = comparison;
    let mark = if comparison.rate_by_cpu { "*" } else { "" };
    let added = format!(
        "{:+.2} [{:+.2} {:+.2}]",
        added.median, added.low, added.high
    );
    let rate = format!(
        "{:.3}{mark} [{:.3} {:.3}]",
        rate.median, rate.low, rate.high
    );
    let verdicts = measured.row.budgets().iter().map(|budget| {
        let (verdict, is_sure) = budget.judge(comparison);
        format!(
            "{budget}: {verdict}{}",
            if is_sure { "" } else { " (unsure)" }
        )
    });
    let verdicts: Vec<String> = verdicts.collect();
    let over = baseline.row.to_string();
    write!(
        text,
        "   {over:24}{added:24}{rate:24}{}",
        verdicts.join(", ")
    )
}

fn write_extra(text: &mut String, extra: &Extra) -> fmt::Result {
    let Extra {
        title, unit, limit, ..
    } = extra;
    let values = match &extra.values {
        Ok(values) => values,
        Err(failure) => return writeln!(text, "{title}: failed: {failure:#}"),
    };
    let Some(Estimate { median, low, high }) = Estimate::of(values.iter().copied()) else {
        return Ok(());
    };
    let verdict = if median <= *limit { "pass" } else { "MISS" };
    writeln!(
        text,
        "{title}: {median:.1} [{low:.1} {high:.1}] {unit}, budget <= {limit}: {verdict}"
    )
}
