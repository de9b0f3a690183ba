//! Medians and how sure they are.

/// The share of cases in which a true median may lie outside of an [`Estimate`]'s interval.
const DOUBT: f64 = 0.05;

/// A median with its 95 % confidence interval.
///
/// The interval is made of order statistics, so it assumes nothing about the distribution. With fewer than six values
/// it is their whole range, which is less sure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Estimate {
    /// Estimates the median that `values` are samples of; none if there are no values.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let outside = outside(values.len());
        Some(Self {
            median: f64::midpoint(*values.get(last / 2)?, *values.get(values.len() / 2)?),
            low: *values.get(outside)?,
            high: *values.get(last - outside)?,
        })
    }
}

/// Returns how many of `count` sorted values lie outside of the interval on each side.
fn outside(count: usize) -> usize {
    // The true median has exactly `k` of the samples below it with probability C(count, k) / 2^count.
    let (mut below, mut probability, mut sum) = (
        0,
        0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX)),
        0.0,
    );
    while below < count / 2 {
        sum += probability;
        if 2.0 * sum > DOUBT {
            break;
        }
        probability *= (count - below) as f64 / (below + 1) as f64;
        below += 1;
    }
    below.saturating_sub(1)
}

/// Returns the least value.
pub(super) fn minimum(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    values.into_iter().min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let estimate = Estimate::of([4.0, 1.0, 3.0, 2.0]);
        assert_eq!(
            estimate,
            Some(Estimate {
                median: 2.5,
                low: 1.0,
                high: 4.0
            })
        );
        assert_eq!(Estimate::of([]), None);
    }

    #[test]
    fn intervals_are_those_of_the_sign_test() {
        // From tables of the binomial distribution: the interval runs from the k-th to the k-th last value.
        for (count, first) in [
            (5, 1),
            (6, 1),
            (8, 1),
            (9, 2),
            (12, 3),
            (15, 4),
            (20, 6),
            (25, 8),
        ] {
            assert_eq!(outside(count) + 1, first, "{count} values");
        }
    }
}
