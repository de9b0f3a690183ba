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
    meter: VmMeter,
}

impl VmLimiter {
    /// `memory_bytes` bounds all linear memories of the VM together.
    pub(crate) fn new(memory_bytes: usize, meter: VmMeter) -> Self {
        Self {
            memory_bytes,
            // A plugin's function table has an entry for each function whose address is taken: tens of thousands in
            // the largest Go programs.
            table_elements: 1 << 20,
            // componentize-py makes 73 core instances of one plugin.
            instances: 256,
            tables: 256,
            memories: 64,
            used_memory: 0,
            meter,
        }
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
            return Ok(false);
        }
        self.meter.grew(wanted - self.used_memory);
        self.used_memory = wanted;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= self.table_elements)
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
