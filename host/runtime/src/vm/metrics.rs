//! The metrics that a VM's plugins hold handles of.

use std::sync::Arc;

use slab::Slab;

use crate::state::metrics::{Counter, DefineError, Gauge, Histogram, MAX_SERIES, MetricStore};

/// Handles of one VM. More than there are series: every one can be held, and a plugin that never drops a handle is
/// still told so.
const MAX_HANDLES: usize = 2 * MAX_SERIES;

/// Handles of metrics by their numbers, which the engine keeps from plugins.
#[derive(Debug)]
pub(crate) struct MetricHandles {
    store: Arc<dyn MetricStore>,
    handles: Slab<Handle>,
}

#[derive(Debug)]
enum Handle {
    Counter(Arc<dyn Counter>),
    Gauge(Arc<dyn Gauge>),
    Histogram(Arc<dyn Histogram>),
}

impl MetricHandles {
    pub(crate) fn new(store: Arc<dyn MetricStore>) -> Self {
        Self {
            store,
            handles: Slab::new(),
        }
    }

    pub(crate) fn define_counter(&mut self, name: &str) -> Result<u32, DefineError> {
        let counter = self.store.counter(name)?;
        self.insert(Handle::Counter(counter))
    }

    pub(crate) fn define_gauge(&mut self, name: &str) -> Result<u32, DefineError> {
        let gauge = self.store.gauge(name)?;
        self.insert(Handle::Gauge(gauge))
    }

    pub(crate) fn define_histogram(&mut self, name: &str) -> Result<u32, DefineError> {
        let histogram = self.store.histogram(name)?;
        self.insert(Handle::Histogram(histogram))
    }

    fn insert(&mut self, handle: Handle) -> Result<u32, DefineError> {
        if self.handles.len() >= MAX_HANDLES {
            return Err(DefineError::LimitReached);
        }
        u32::try_from(self.handles.insert(handle)).map_err(|_| DefineError::LimitReached)
    }

    /// The counter of a handle. The engine lets no plugin name another's, or one that it has dropped.
    pub(crate) fn counter(&self, handle: u32) -> Option<&dyn Counter> {
        match self.handles.get(handle as usize)? {
            Handle::Counter(counter) => Some(&**counter),
            Handle::Gauge(_) | Handle::Histogram(_) => None,
        }
    }

    pub(crate) fn gauge(&self, handle: u32) -> Option<&dyn Gauge> {
        match self.handles.get(handle as usize)? {
            Handle::Gauge(gauge) => Some(&**gauge),
            Handle::Counter(_) | Handle::Histogram(_) => None,
        }
    }

    pub(crate) fn histogram(&self, handle: u32) -> Option<&dyn Histogram> {
        match self.handles.get(handle as usize)? {
            Handle::Histogram(histogram) => Some(&**histogram),
            Handle::Counter(_) | Handle::Gauge(_) => None,
        }
    }

    pub(crate) fn drop_handle(&mut self, handle: u32) {
        self.handles.try_remove(handle as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::metrics::MemoryMetrics;

    fn handles() -> MetricHandles {
        MetricHandles::new(Arc::new(MemoryMetrics::default()))
    }

    #[test]
    fn handles_of_one_name_reach_one_series() {
        let mut handles = handles();
        let first = handles.define_counter("a").unwrap();
        let again = handles.define_counter("a").unwrap();
        assert_ne!(first, again);
        handles.counter(first).unwrap().add(2);
        handles.drop_handle(first);
        assert!(handles.counter(first).is_none());
        assert_eq!(handles.counter(again).unwrap().value(), 2);
        assert!(handles.gauge(again).is_none() && handles.histogram(again).is_none());
    }

    #[test]
    fn handles_that_are_never_dropped_come_to_an_end() {
        let mut handles = handles();
        for _ in 0..MAX_HANDLES {
            handles.define_gauge("g").unwrap();
        }
        assert_eq!(
            handles.define_gauge("g").unwrap_err(),
            DefineError::LimitReached
        );
        handles.drop_handle(7);
        assert_eq!(handles.define_histogram("h"), Ok(7));
    }
}
