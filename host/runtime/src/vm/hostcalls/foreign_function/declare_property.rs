//! Envoy's `declare_property` (ABI 9.2): says what a property will be, before any stream sets it.

use prost::Message;

use crate::vm::bindings::proxy_wasm::plugin::foreign_function::ForeignFunctionError;
use crate::vm::state::VmState;

/// Properties that one root context may declare: as many as one stream may set.
const MAX_DECLARED: usize = 128;

/// A property that lives as long as its connection, which none does here.
const CONNECTION: i32 = 2;

/// The argument. Its other fields are the value's type and schema, which only the host's own readers would need:
/// plugins read the bytes that were set.
#[derive(Message, PartialEq)]
struct Declaration {
    #[prost(string, tag = 1)]
    name: String,
    #[prost(bool, tag = 2)]
    read_only: bool,
    #[prost(int32, tag = 5)]
    span: i32,
}

impl VmState {
    pub(super) fn declare_property(
        &mut self,
        root: u64,
        input: &[u8],
    ) -> Result<Vec<u8>, ForeignFunctionError> {
        let declaration =
            Declaration::decode(input).map_err(|_| ForeignFunctionError::InvalidInput)?;
        if declaration.span == CONNECTION {
            self.report_once("declare_property", || {
                "no property lives as long as its connection here: it was not declared".to_owned()
            });
            return Err(ForeignFunctionError::InvalidInput);
        }
        let declared = &mut self
            .root_mut(root)
            .ok_or(ForeignFunctionError::Failed)?
            .declared_properties;
        if declared.len() >= MAX_DECLARED {
            return Err(ForeignFunctionError::Failed);
        }
        // Declared once and for all.
        if declared.contains_key(&declaration.name) {
            return Err(ForeignFunctionError::InvalidInput);
        }
        declared.insert(declaration.name, declaration.read_only);
        Ok(Vec::new())
    }

    /// Whether the plugin that runs has declared that a property, once set, stays what it is.
    pub(in crate::vm) fn is_read_only(&self, name: &str) -> bool {
        let root = self.root(self.current.root);
        root.is_some_and(|root| root.declared_properties.get(name) == Some(&true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read() {
        // All five fields, as protoc writes them.
        let bytes = b"\x0a\x04mine\x10\x01\x18\x03\x22\x02ab\x28\x01";
        let declaration = Declaration::decode(&bytes[..]).unwrap();
        assert_eq!(declaration.name, "mine");
        assert!(declaration.read_only);
        assert_eq!(declaration.span, 1);
        assert_eq!(
            Declaration::decode(&b""[..]).unwrap(),
            Declaration::default()
        );
        assert!(Declaration::decode(&b"\x0a\x05mine"[..]).is_err());
    }
}
