//! What one VM may use.

use wasmtime::ResourceLimiter;

use crate::metrics::VmMeter;

/// Enforces a VM's memory and table limits. A growth beyond them fails inside the plugin, as it would on a full machine.
#[derive(Debug)]
pub(crate) struct VmLimiter {
    memory_bytes: usize,
    table_elements: usize,
    instances: usize,
    tables: usize,
    memories: usize,
    used_memory: usize,
    used_elements: usize,
    memory_was_refused: bool,
    meter: VmMeter,
}

impl VmLimiter {
    /// `memory_bytes` bounds all linear memories of the VM together.
    pub(crate) fn new(memory_bytes: usize, meter: VmMeter) -> Self {
        Self {
            memory_bytes,
            // All tables together. A plugin's function table has an entry for each function whose address is taken: tens
            // of thousands in the largest Go programs. An entry takes eight bytes of the host's.
            table_elements: 1 << 20,
            // componentize-py makes 73 core instances of one plugin.
            instances: 256,
            tables: 256,
            memories: 64,
            used_memory: 0,
            used_elements: 0,
            memory_was_refused: false,
            meter,
        }
    }

    /// Whether the VM wanted more memory than it may have.
    pub(super) fn memory_was_refused(&self) -> bool {
        self.memory_was_refused
    }
}

impl ResourceLimiter for VmLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let wanted = self
            .used_memory
            .saturating_add(desired.saturating_sub(current));
        if wanted > self.memory_bytes {
            self.memory_was_refused = true;
            return Ok(false);
        }
        self.meter.grew(wanted - self.used_memory);
        self.used_memory = wanted;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let wanted = self
            .used_elements
            .saturating_add(desired.saturating_sub(current));
        if wanted > self.table_elements {
            return Ok(false);
        }
        self.used_elements = wanted;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> VmLimiter {
        VmLimiter::new(1000, VmMeter::new(std::sync::Arc::default()))
    }

    #[test]
    fn memories_are_counted_together() {
        let mut limiter = limiter();
        assert!(limiter.memory_growing(0, 600, None).unwrap());
        assert!(limiter.memory_growing(0, 300, None).unwrap());
        assert!(!limiter.memory_was_refused());
        assert!(!limiter.memory_growing(300, 401, None).unwrap());
        assert!(limiter.memory_was_refused());
        assert!(limiter.memory_growing(600, 700, None).unwrap());
        assert!(!limiter.memory_growing(700, usize::MAX, None).unwrap());
    }

    #[test]
    fn tables_are_counted_together() {
        let mut limiter = limiter();
        assert!(limiter.table_growing(0, 1 << 19, None).unwrap());
        assert!(limiter.table_growing(0, 1 << 19, None).unwrap());
        assert!(!limiter.table_growing(0, 1, None).unwrap());
        assert!(!limiter.table_growing(1 << 19, usize::MAX, None).unwrap());
    }
}
