//! `property`: the plugin's own and the node's here, the stream's through its [`StreamAccess`](crate::vm::StreamAccess).

use crate::vm::access::{PropertyError, PropertyValue};
use crate::vm::bindings::proxy_wasm::plugin::property;
use crate::vm::state::{PluginInfo, VmState};

impl property::Host for VmState {
    fn get(&mut self, context: u64, path: Vec<String>) -> Result<PropertyValue, PropertyError> {
        let stream = self.stream(context).ok_or(PropertyError::UnknownContext)?;
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        // A stream context is only ever named by its own plugin's callbacks, or by plugins that share its VM.
        match self.current_plugin().and_then(|info| known(info, &path)) {
            Some(value) => Ok(value),
            None => stream.access.property(stream.filter, &path),
        }
    }

    fn get_of_root(
        &mut self,
        root: u64,
        path: Vec<String>,
    ) -> Result<PropertyValue, PropertyError> {
        let info = &self.root(root).ok_or(PropertyError::UnknownContext)?.info;
        if path.is_empty() {
            return Err(PropertyError::NotSerializable);
        }
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        known(info, &path).ok_or(PropertyError::NotFound)
    }

    fn set(&mut self, context: u64, name: String, value: Vec<u8>) -> Result<(), PropertyError> {
        let stream = self.stream(context).ok_or(PropertyError::UnknownContext)?;
        let is_set = || stream.access.property(stream.filter, &[&name]).is_ok();
        if self.is_read_only(&name) && is_set() {
            return Err(PropertyError::Rejected);
        }
        stream.access.set_property(stream.filter, &name, &value)
    }
}

/// What is the same for all streams of a plugin, and known to its root context: the plugin, and the node.
fn known(info: &PluginInfo, path: &[&str]) -> Option<PropertyValue> {
    match path {
        ["xds", node @ ..] | node if node.first() == Some(&"node") => of_node(node),
        _ => of_plugin(info, path),
    }
}

/// No control plane has given the node a name. What is not set in a message reads as empty, as in Envoy.
fn of_node(path: &[&str]) -> Option<PropertyValue> {
    match path {
        ["node"] => Some(PropertyValue::Message(Vec::new())),
        ["node", "id" | "cluster"] => Some(PropertyValue::Text(String::new())),
        _ => None,
    }
}

fn of_plugin(info: &PluginInfo, path: &[&str]) -> Option<PropertyValue> {
    let text = match path {
        ["plugin_name"] => &info.name,
        ["plugin_root_id"] => &info.root_id,
        ["plugin_vm_id"] => &info.vm_id,
        _ => return None,
    };
    Some(PropertyValue::Text(text.clone()))
}
