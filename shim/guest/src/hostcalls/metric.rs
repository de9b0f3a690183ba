//! Metrics (ABI reference 9.1).

use std::cell::RefCell;

use proxy_wasi_abi::{MetricType, Status};

use super::Answer;
use crate::bindings::proxy_wasm::plugin::metrics::{Counter, Gauge, Histogram, MetricError};
use crate::log;
use crate::memory::{self, Input};

/// The metrics that this VM has defined. An id is the index in its list, from 1, with the type in the low two bits.
struct Metrics {
    counters: Vec<(String, Counter)>,
    gauges: Vec<(String, Gauge)>,
    histograms: Vec<(String, Histogram)>,
}

thread_local! {
    static METRICS: RefCell<Metrics> =
        const { RefCell::new(Metrics { counters: Vec::new(), gauges: Vec::new(), histograms: Vec::new() }) };
}

/// `proxy_define_metric`. The name's memory is checked before the type.
pub(crate) fn define(kind: u32, name: Input, id: u32) -> Answer {
    let number = memory::with_inputs([name], |[name]| {
        let kind = MetricType::try_from(kind).map_err(|_| Status::BadArgument)?;
        let name = log::text(name);
        let index = METRICS.with_borrow_mut(|metrics| match kind {
            MetricType::Counter => index_of(&mut metrics.counters, &name, Counter::define),
            MetricType::Gauge => index_of(&mut metrics.gauges, &name, Gauge::define),
            MetricType::Histogram => index_of(&mut metrics.histograms, &name, Histogram::define),
        });
        id_of(kind, index.map_err(refusal)?)
    })??;
    memory::store_u32(id, number)
}

/// The index of a metric. One that exists is not defined again: a plugin that defines on each request must not fill
/// the list.
fn index_of<M>(
    metrics: &mut Vec<(String, M)>,
    name: &str,
    define: impl FnOnce(&str) -> Result<M, MetricError>,
) -> Result<usize, MetricError> {
    if let Some(index) = metrics.iter().position(|(existing, _)| existing == name) {
        return Ok(index);
    }
    metrics.push((name.to_owned(), define(name)?));
    Ok(metrics.len() - 1)
}

fn id_of(kind: MetricType, index: usize) -> Result<u32, Status> {
    let place = u32::try_from(index + 1)
        .ok()
        .and_then(|place| place.checked_mul(4));
    Ok(place.ok_or(Status::InternalFailure)? | u32::from(kind))
}

/// The type and the index of an id, whether or not there is such a metric. None if the low bits are no type.
fn split(id: u32) -> Option<(MetricType, usize)> {
    let kind = MetricType::try_from(id & 3).ok()?;
    Some((kind, (id >> 2).wrapping_sub(1) as usize))
}

fn at<M>(metrics: &[(String, M)], index: usize) -> Result<&M, Status> {
    metrics
        .get(index)
        .map(|(_, metric)| metric)
        .ok_or(Status::NotFound)
}

/// `proxy_increment_metric`
pub(crate) fn increment(id: u32, delta: i64) -> Answer {
    METRICS.with_borrow(|metrics| match split(id) {
        Some((MetricType::Counter, index)) => {
            let counter = at(&metrics.counters, index)?;
            let amount = u64::try_from(delta)
                .ok()
                .filter(|amount| *amount > 0)
                .ok_or(Status::BadArgument)?;
            counter.add(amount);
            Ok(())
        }
        Some((MetricType::Gauge, index)) => {
            let gauge = at(&metrics.gauges, index)?;
            if delta > 0 {
                gauge.add(delta.unsigned_abs());
            } else {
                gauge.subtract(delta.unsigned_abs());
            }
            Ok(())
        }
        Some((MetricType::Histogram, _)) | None => Err(Status::BadArgument),
    })
}

/// `proxy_record_metric`
pub(crate) fn record(id: u32, value: u64) -> Answer {
    METRICS.with_borrow(|metrics| {
        match split(id).ok_or(Status::NotFound)? {
            (MetricType::Counter, index) => at(&metrics.counters, index)?.add(value),
            (MetricType::Gauge, index) => at(&metrics.gauges, index)?.set(value),
            (MetricType::Histogram, index) => at(&metrics.histograms, index)?.observe(value),
        }
        Ok(())
    })
}

/// `proxy_get_metric`
pub(crate) fn get(id: u32, result: u32) -> Answer {
    let value = METRICS.with_borrow(|metrics| match split(id) {
        Some((MetricType::Counter, index)) => Ok(at(&metrics.counters, index)?.value()),
        Some((MetricType::Gauge, index)) => Ok(at(&metrics.gauges, index)?.value()),
        Some((MetricType::Histogram, _)) | None => Err(Status::BadArgument),
    })?;
    memory::store_u64(result, value)
}

fn refusal(error: MetricError) -> Status {
    match error {
        MetricError::InvalidName => Status::BadArgument,
        MetricError::LimitReached => Status::InternalFailure,
        MetricError::Unsupported => {
            log::unimplemented("proxy_define_metric");
            Status::Unimplemented
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_the_type() {
        assert_eq!(
            [0, 1, 2].map(|index| id_of(MetricType::Counter, index)),
            [Ok(4), Ok(8), Ok(12)]
        );
        assert_eq!(id_of(MetricType::Gauge, 0), Ok(5));
        assert_eq!(id_of(MetricType::Histogram, 1), Ok(10));
        assert_eq!(split(9), Some((MetricType::Gauge, 1)));
        assert_eq!(split(7), None);
        assert_eq!(
            split(0).map(|(kind, index)| (kind, index > 1 << 31)),
            Some((MetricType::Counter, true))
        );
    }

    #[test]
    fn ids_that_were_never_given() {
        assert_eq!(
            [4, 5, 6, 7].map(|id| increment(id, 1)),
            [
                Err(Status::NotFound),
                Err(Status::NotFound),
                Err(Status::BadArgument),
                Err(Status::BadArgument),
            ]
        );
        assert_eq!(
            [0, 4, 5, 6, 7].map(|id| record(id, 1)),
            [Err(Status::NotFound); 5]
        );
        assert_eq!(
            [4, 5, 6, 7].map(|id| get(id, 0)),
            [
                Err(Status::NotFound),
                Err(Status::NotFound),
                Err(Status::BadArgument),
                Err(Status::BadArgument),
            ]
        );
    }

    #[test]
    fn a_name_is_defined_once() {
        let mut metrics = Vec::new();
        assert_eq!(index_of(&mut metrics, "a", |_| Ok(1)).ok(), Some(0));
        assert_eq!(index_of(&mut metrics, "b", |_| Ok(2)).ok(), Some(1));
        assert_eq!(
            index_of(&mut metrics, "a", |_| panic!("defined again")).ok(),
            Some(0)
        );
        assert!(index_of(&mut metrics, "c", |_| Err(MetricError::LimitReached)).is_err());
        assert_eq!(metrics.len(), 2);
    }
}
