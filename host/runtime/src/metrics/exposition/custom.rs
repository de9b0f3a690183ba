//! Metrics of plugins under names that Prometheus takes.
//!
//! Plugins name metrics as they like: `auth.denied`, or Envoy's names with tags inside. Here each character but ASCII
//! letters, digits, `_` and `:` becomes `_`, and [`CUSTOM_PREFIX`] stands in front. The text before a sample says what
//! the plugin's name was. Two things can meet then:
//!
//! - several names of one type that become the same: they are series of one family, each with its own name in the label
//!   `name`;
//! - several types under one name, or a histogram's `_count`, `_sum` or `_bucket` and somebody else's name: counters
//!   keep it before gauges, and these before histograms; the others get their type as a suffix, and a number if that
//!   does not help.

use std::collections::{BTreeMap, HashSet};

use prometheus::proto::MetricFamily;

use super::CUSTOM_PREFIX;
use super::family::{Distribution, Labels, counters, gauges, histogram};
use crate::state::metrics::{MetricSnapshot, MetricValue};

/// In the order in which they get names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    fn of(value: &MetricValue) -> Self {
        match value {
            MetricValue::Counter(_) => Self::Counter,
            MetricValue::Gauge(_) => Self::Gauge,
            MetricValue::Histogram(_) => Self::Histogram,
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Counter => "_counter",
            Self::Gauge => "_gauge",
            Self::Histogram => "_histogram",
        }
    }
}

pub(super) fn families(series: &[MetricSnapshot]) -> Vec<MetricFamily> {
    let mut groups: BTreeMap<(Kind, String), Vec<&MetricSnapshot>> = BTreeMap::new();
    for one in series {
        let key = (Kind::of(&one.value), valid_name(&one.name));
        groups.entry(key).or_default().push(one);
    }
    let mut taken = HashSet::new();
    let mut families: Vec<_> = groups
        .into_iter()
        .map(|((kind, name), members)| family(kind, &free_name(&mut taken, kind, name), &members))
        .collect();
    families.sort_by(|a, b| a.name().cmp(b.name()));
    families
}

/// A name with nothing in it that Prometheus does not take.
fn valid_name(name: &str) -> String {
    let valid = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | ':');
    let mut text = String::with_capacity(CUSTOM_PREFIX.len() + name.len());
    text.push_str(CUSTOM_PREFIX);
    text.extend(
        name.chars()
            .map(|char| if valid(char) { char } else { '_' }),
    );
    text
}

/// The name, or one made from it of which no sample has been seen.
fn free_name(taken: &mut HashSet<String>, kind: Kind, name: String) -> String {
    let mut candidate = name.clone();
    let mut number = 1_usize;
    while samples(kind, &candidate).any(|sample| taken.contains(&sample)) {
        candidate = format!("{name}{}", kind.suffix());
        if number > 1 {
            candidate = format!("{candidate}_{number}");
        }
        number += 1;
    }
    taken.extend(samples(kind, &candidate));
    candidate
}

/// The names of a family's samples.
fn samples(kind: Kind, name: &str) -> impl Iterator<Item = String> {
    let suffixes: &[&str] = match kind {
        Kind::Counter | Kind::Gauge => &[""],
        Kind::Histogram => &["", "_bucket", "_count", "_sum"],
    };
    suffixes.iter().map(move |suffix| format!("{name}{suffix}"))
}

fn family(kind: Kind, name: &str, members: &[&MetricSnapshot]) -> MetricFamily {
    let help = match members {
        [only] => format!("Defined by a plugin: {}", only.name),
        _ => "Defined by plugins, under the names in the label".to_owned(),
    };
    let series = members.iter().map(|one| {
        let labels: Labels<'_> = match members {
            [_] => vec![],
            _ => vec![("name", &*one.name)],
        };
        (labels, &one.value)
    });
    let number = |value: &MetricValue| match value {
        MetricValue::Counter(number) | MetricValue::Gauge(number) => Some(*number),
        MetricValue::Histogram(_) => None,
    };
    let distribution = |value: &MetricValue| match value {
        MetricValue::Counter(_) | MetricValue::Gauge(_) => None,
        MetricValue::Histogram(histogram) => Some(Distribution {
            bounds: histogram.bounds,
            counts: histogram.counts.clone(),
            sum: histogram.sum,
        }),
    };
    // All members are of one kind: none is lost.
    let numbers = series
        .clone()
        .filter_map(|(labels, value)| Some((labels, number(value)?)));
    match kind {
        Kind::Counter => counters(name, &help, numbers),
        Kind::Gauge => gauges(name, &help, numbers),
        Kind::Histogram => {
            let distributions =
                series.filter_map(|(labels, value)| Some((labels, distribution(value)?)));
            histogram(name, &help, distributions)
        }
    }
}
