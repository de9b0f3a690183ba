//! Foreign functions (ABI 4.12): what plugins call by name, beyond the contract.

mod compression;

use std::collections::BTreeMap;
use std::fmt;

use self::compression::{compress, uncompress};

/// A foreign function: bytes in, bytes out. It runs on a worker's thread, inside a plugin's callback, so it must not
/// block.
pub type ForeignFunction = dyn Fn(&[u8]) -> Result<Vec<u8>, ForeignError> + Send + Sync;

/// Why a foreign function failed. Legacy modules get the number in parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    /// The function does not accept the input (BadArgument, 2).
    #[error("the input is not valid")]
    InvalidInput,
    /// The function could not express its result (SerializationFailure, 3).
    #[error("the result cannot be expressed")]
    NotSerializable,
    /// The function failed (InternalFailure, 10).
    #[error("the function failed")]
    Failed,
}

/// Foreign functions by name.
///
/// Default are Envoy's `compress` and `uncompress`. Its `clear_route_cache` and `declare_property` act on the stream and
/// the plugin that call them; the host has them beside these.
pub struct ForeignFunctions(BTreeMap<String, Box<ForeignFunction>>);

impl ForeignFunctions {
    /// Offers no functions.
    pub fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Offers a function, in the place of another one of this name.
    pub fn register(
        &mut self,
        name: impl Into<String>,
        function: impl Fn(&[u8]) -> Result<Vec<u8>, ForeignError> + Send + Sync + 'static,
    ) -> &mut Self {
        self.0.insert(name.into(), Box::new(function));
        self
    }

    /// Finds a function.
    pub fn get(&self, name: &str) -> Option<&ForeignFunction> {
        self.0.get(name).map(Box::as_ref)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Default for ForeignFunctions {
    fn default() -> Self {
        let mut functions = Self::none();
        functions.register("compress", compress);
        functions.register("uncompress", uncompress);
        functions
    }
}

impl fmt::Debug for ForeignFunctions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_takes_the_place_of_another() {
        let mut functions = ForeignFunctions::default();
        assert_eq!(
            functions.names().collect::<Vec<_>>(),
            ["compress", "uncompress"]
        );
        assert!(functions.get("reverse").is_none());
        functions
            .register("reverse", |input| Ok(input.iter().rev().copied().collect()))
            .register("compress", |_| Err(ForeignError::Failed));
        assert_eq!(
            functions.get("reverse").unwrap()(b"abc"),
            Ok(b"cba".to_vec())
        );
        assert_eq!(
            functions.get("compress").unwrap()(b"abc"),
            Err(ForeignError::Failed)
        );
    }
}
