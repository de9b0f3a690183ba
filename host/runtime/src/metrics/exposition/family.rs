//! Families of series in the model of the `prometheus` crate.
#![expect(
    clippy::cast_precision_loss,
    reason = "Prometheus knows no other numbers"
)]

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};

/// The labels of a series: names and values.
pub(super) type Labels<'a> = Vec<(&'static str, &'a str)>;

/// What a histogram shows.
pub(super) struct Distribution {
    pub(super) bounds: &'static [f64],
    /// The samples in each bucket alone, and above the last.
    pub(super) counts: Vec<u64>,
    pub(super) sum: f64,
}

pub(super) fn counters<'a>(
    name: &str,
    help: &str,
    series: impl IntoIterator<Item = (Labels<'a>, u64)>,
) -> MetricFamily {
    family(name, help, MetricType::COUNTER, series, |metric, value| {
        let mut counter = Counter::default();
        counter.set_value(value as f64);
        metric.set_counter(counter);
    })
}

pub(super) fn gauges<'a>(
    name: &str,
    help: &str,
    series: impl IntoIterator<Item = (Labels<'a>, u64)>,
) -> MetricFamily {
    family(name, help, MetricType::GAUGE, series, |metric, value| {
        let mut gauge = Gauge::default();
        gauge.set_value(value as f64);
        metric.set_gauge(gauge);
    })
}

pub(super) fn histogram<'a>(
    name: &str,
    help: &str,
    series: impl IntoIterator<Item = (Labels<'a>, Distribution)>,
) -> MetricFamily {
    family(
        name,
        help,
        MetricType::HISTOGRAM,
        series,
        |metric, value| {
            let mut cumulative = 0_u64;
            let mut buckets = Vec::with_capacity(value.bounds.len());
            for (bound, count) in value.bounds.iter().zip(&value.counts) {
                cumulative = cumulative.wrapping_add(*count);
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(*bound);
                bucket.set_cumulative_count(cumulative);
                buckets.push(bucket);
            }
            let all = value
                .counts
                .iter()
                .fold(0, |sum: u64, one| sum.wrapping_add(*one));
            let mut histogram = Histogram::default();
            histogram.set_bucket(buckets);
            histogram.set_sample_count(all);
            histogram.set_sample_sum(value.sum);
            metric.set_histogram(histogram);
        },
    )
}

fn family<'a, V>(
    name: &str,
    help: &str,
    kind: MetricType,
    series: impl IntoIterator<Item = (Labels<'a>, V)>,
    set: impl Fn(&mut Metric, V),
) -> MetricFamily {
    let metrics = series.into_iter().map(|(labels, value)| {
        let mut metric = Metric::from_label(labels.into_iter().map(label).collect());
        set(&mut metric, value);
        metric
    });
    let mut family = MetricFamily::default();
    family.set_metric(metrics.collect());
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family
}

fn label((name, value): (&str, &str)) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}
