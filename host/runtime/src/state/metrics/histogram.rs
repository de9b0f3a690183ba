//! Histograms that many threads write.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{BUCKETS, Histogram};

/// A histogram in this process's memory. Recording takes no lock.
#[derive(Debug)]
pub struct SharedHistogram {
    /// One for each of [`BUCKETS`], and one for what lies above.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A histogram at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramSnapshot {
    /// The buckets' upper bounds, which belong to them.
    pub bounds: &'static [f64],
    /// The samples in each bucket alone, and above the last.
    pub counts: Vec<u64>,
    /// The sum of all samples.
    pub sum: f64,
}

impl SharedHistogram {
    /// Returns its present value. What other threads record meanwhile may be in the counts and not yet in the sum.
    #[expect(
        clippy::cast_precision_loss,
        reason = "Prometheus knows no other numbers"
    )]
    pub fn snapshot(&self) -> HistogramSnapshot {
        HistogramSnapshot {
            bounds: BUCKETS,
            counts: self
                .counts
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .collect(),
            sum: self.sum.load(Ordering::Relaxed) as f64,
        }
    }
}

impl Default for SharedHistogram {
    fn default() -> Self {
        Self {
            counts: (0..=BUCKETS.len()).map(|_| AtomicU64::default()).collect(),
            sum: AtomicU64::default(),
        }
    }
}

impl Histogram for SharedHistogram {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sample that large is above every bound"
    )]
    fn observe(&self, sample: u64) {
        let bucket = BUCKETS.partition_point(|bound| *bound < sample as f64);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(sample, Ordering::Relaxed);
    }
}

impl HistogramSnapshot {
    /// Returns the number of samples.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |sum, one| sum.wrapping_add(*one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_includes_its_bound() {
        let histogram = SharedHistogram::default();
        for sample in [0, 1, 2, 5, 6, 3_600_000, 3_600_001, u64::MAX] {
            histogram.observe(sample);
        }
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.counts.len(), BUCKETS.len() + 1);
        // 0 | 1 | 2, 5 | 6
        assert_eq!(snapshot.counts[..4], [1, 1, 2, 1]);
        assert_eq!(snapshot.counts[18..], [1, 2]);
        assert_eq!(snapshot.count(), 8);
    }

    #[test]
    fn bounds_ascend() {
        assert!(BUCKETS.is_sorted_by(|a, b| a < b));
    }
}
