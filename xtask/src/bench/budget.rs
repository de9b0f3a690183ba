//! What a row may cost, compared with another row.

use std::fmt;

use super::measure::Sample;
use super::statistics::Estimate;

/// The share of its cores that a server must have used for its requests per second to be its own limit.
const SATURATED: f64 = 0.97;

/// A limit on what a row costs over its baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Budget {
    /// At most so many microseconds of CPU more for a request.
    Added(f64),
    /// At most so many times the CPU for a request.
    Cpu(f64),
    /// At least so many times the requests per second.
    Rate(f64),
    /// At most so many milliseconds from start to the first response.
    Start(f64),
}

/// How a row compares with a [`Budget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Within the budget.
    Pass,
    /// Not within the budget.
    Miss,
}

impl Budget {
    /// Says whether the budget is kept, and whether that is sure: whether all of the interval says the same.
    pub(super) fn judge(self, comparison: &Comparison) -> (Verdict, bool) {
        let (estimate, keeps): (_, fn(f64, f64) -> bool) = match self {
            Budget::Added(_) => (comparison.added, |value, limit| value <= limit),
            Budget::Cpu(_) => (comparison.cpu, |value, limit| value <= limit),
            Budget::Rate(_) => (comparison.rate, |value, limit| value >= limit),
            Budget::Start(_) => (comparison.start, |value, limit| value <= limit),
        };
        let keeps = |value| keeps(value, self.limit());
        let verdict = if keeps(estimate.median) {
            Verdict::Pass
        } else {
            Verdict::Miss
        };
        (verdict, keeps(estimate.low) == keeps(estimate.high))
    }

    fn limit(self) -> f64 {
        match self {
            Budget::Added(limit)
            | Budget::Cpu(limit)
            | Budget::Rate(limit)
            | Budget::Start(limit) => limit,
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Budget::Added(limit) => write!(f, "<= {limit} us"),
            Budget::Cpu(limit) => write!(f, "<= {limit} x CPU"),
            Budget::Rate(limit) => write!(f, ">= {limit} x req/s"),
            Budget::Start(limit) => write!(f, "<= {limit} ms to start"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Pass => "pass",
            Verdict::Miss => "MISS",
        })
    }
}

/// A row compared with its baseline, round by round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Comparison {
    /// Microseconds of CPU for a request, less the baseline's.
    pub(super) added: Estimate,
    /// CPU for a request, over the baseline's.
    pub(super) cpu: Estimate,
    /// Requests per second over the baseline's.
    pub(super) rate: Estimate,
    /// Whether `rate` compares requests per second of CPU time, because something else than the server was the limit:
    /// too few cores, or other work on the machine.
    pub(super) rate_by_cpu: bool,
    /// The row's own milliseconds from start to the first response.
    pub(super) start: Estimate,
}

impl Comparison {
    /// Compares samples of the same rounds; none without any.
    pub(super) fn of(samples: &[Sample], baseline: &[Sample]) -> Option<Self> {
        let compare = |value: &dyn Fn(&Sample, &Sample) -> f64| {
            Estimate::of(
                samples
                    .iter()
                    .zip(baseline)
                    .map(|(row, baseline)| value(row, baseline)),
            )
        };
        let rate_by_cpu = !(is_saturated(samples) && is_saturated(baseline));
        Some(Self {
            added: compare(&|row, baseline| row.cpu_microseconds() - baseline.cpu_microseconds())?,
            cpu: compare(&|row, baseline| row.cpu_microseconds() / baseline.cpu_microseconds())?,
            rate: if rate_by_cpu {
                compare(&|row, baseline| row.capacity() / baseline.capacity())?
            } else {
                compare(&|row, baseline| {
                    row.requests_per_second() / baseline.requests_per_second()
                })?
            },
            rate_by_cpu,
            start: compare(&|row, _| row.start_seconds * 1e3)?,
        })
    }
}

fn is_saturated(samples: &[Sample]) -> bool {
    Estimate::of(samples.iter().map(Sample::utilization))
        .is_some_and(|share| share.median >= SATURATED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(requests: u64, cpu: f64) -> Sample {
        Sample {
            requests,
            wall_seconds: 1.0,
            cpu_seconds: cpu,
            workers: 1,
            start_seconds: 0.01,
            memory_kib: 1,
        }
    }

    #[test]
    fn compares_round_by_round() -> Result<(), &'static str> {
        let row = [
            sample(100_000, 1.0),
            sample(50_000, 1.0),
            sample(50_000, 1.0),
        ];
        let baseline = [
            sample(125_000, 1.0),
            sample(100_000, 1.0),
            sample(100_000, 1.0),
        ];
        let comparison = Comparison::of(&row, &baseline).ok_or("no comparison")?;
        assert!((comparison.added.median - 10.0).abs() < 1e-9);
        assert!((comparison.added.low - 2.0).abs() < 1e-9);
        assert!((comparison.rate.median - 0.5).abs() < 1e-9);
        assert!(!comparison.rate_by_cpu);
        assert_eq!(
            Budget::Added(10.5).judge(&comparison),
            (Verdict::Pass, true)
        );
        assert_eq!(
            Budget::Added(5.0).judge(&comparison),
            (Verdict::Miss, false)
        );
        assert_eq!(Budget::Rate(0.9).judge(&comparison), (Verdict::Miss, true));
        assert_eq!(Budget::Cpu(2.0).judge(&comparison), (Verdict::Pass, true));
        Ok(())
    }

    #[test]
    fn an_idle_server_is_compared_by_its_cpu_time() -> Result<(), &'static str> {
        let comparison =
            Comparison::of(&[sample(1000, 0.2)], &[sample(1000, 0.1)]).ok_or("no comparison")?;
        assert!(comparison.rate_by_cpu);
        assert!((comparison.rate.median - 0.5).abs() < 1e-9);
        Ok(())
    }
}
