//! Metrics in this process's memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::{
    Counter, DefineError, Gauge, Histogram, MAX_ALL_NAMES_BYTES, MAX_NAME_BYTES, MAX_SERIES,
    MetricSnapshot, MetricStore, MetricValue, SharedHistogram,
};

/// Metrics in this process's memory: they end with it.
#[derive(Debug, Default)]
pub struct MemoryMetrics {
    series: RwLock<Series>,
}

type ByName<T> = BTreeMap<Arc<str>, Arc<T>>;

#[derive(Debug, Default)]
struct Series {
    counters: ByName<SharedCounter>,
    gauges: ByName<SharedGauge>,
    histograms: ByName<SharedHistogram>,
    name_bytes: usize,
}

impl MemoryMetrics {
    /// Finds a series, or makes one.
    fn define<T: Default>(
        &self,
        name: &str,
        of: fn(&Series) -> &ByName<T>,
        of_mut: fn(&mut Series) -> &mut ByName<T>,
    ) -> Result<Arc<T>, DefineError> {
        let find = |series: &Series| of(series).get(name).map(Arc::clone);
        // Nothing is left half done under the lock, so a panic there, which is a bug elsewhere, does no harm.
        let known = find(&self.series.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(known) = known {
            return Ok(known);
        }
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(DefineError::InvalidName);
        }
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been faster.
        if let Some(known) = find(&series) {
            return Ok(known);
        }
        if series.len() >= MAX_SERIES || series.name_bytes + name.len() > MAX_ALL_NAMES_BYTES {
            return Err(DefineError::LimitReached);
        }
        series.name_bytes += name.len();
        let new = Arc::<T>::default();
        of_mut(&mut series).insert(name.into(), Arc::clone(&new));
        Ok(new)
    }
}

impl MetricStore for MemoryMetrics {
    fn counter(&self, name: &str) -> Result<Arc<dyn Counter>, DefineError> {
        let counter = self.define(name, |all| &all.counters, |all| &mut all.counters)?;
        Ok(counter)
    }

    fn gauge(&self, name: &str) -> Result<Arc<dyn Gauge>, DefineError> {
        let gauge = self.define(name, |all| &all.gauges, |all| &mut all.gauges)?;
        Ok(gauge)
    }

    fn histogram(&self, name: &str) -> Result<Arc<dyn Histogram>, DefineError> {
        let histogram = self.define(name, |all| &all.histograms, |all| &mut all.histograms)?;
        Ok(histogram)
    }

    fn snapshot(&self) -> Vec<MetricSnapshot> {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        let counters = values(&series.counters, |one| MetricValue::Counter(one.value()));
        let gauges = values(&series.gauges, |one| MetricValue::Gauge(one.value()));
        let histograms = values(&series.histograms, |one| {
            MetricValue::Histogram(one.snapshot())
        });
        counters.chain(gauges).chain(histograms).collect()
    }
}

fn values<T>(
    all: &ByName<T>,
    value: impl Fn(&T) -> MetricValue,
) -> impl Iterator<Item = MetricSnapshot> {
    all.iter().map(move |(name, one)| MetricSnapshot {
        name: Arc::clone(name),
        value: value(one),
    })
}

impl Series {
    fn len(&self) -> usize {
        self.counters.len() + self.gauges.len() + self.histograms.len()
    }
}

#[derive(Debug, Default)]
struct SharedCounter(AtomicU64);

impl Counter for SharedCounter {
    fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
struct SharedGauge(AtomicU64);

impl SharedGauge {
    fn update(&self, change: impl Fn(u64) -> u64) {
        // The closure always has a value, so this cannot fail.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |value| {
                Some(change(value))
            });
    }
}

impl Gauge for SharedGauge {
    fn add(&self, amount: u64) {
        self.update(|value| value.saturating_add(amount));
    }

    fn subtract(&self, amount: u64) {
        self.update(|value| value.saturating_sub(amount));
    }

    fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::*;

    #[test]
    fn keeps_the_contract() {
        contract::check(|| Arc::new(MemoryMetrics::default()));
    }
}
