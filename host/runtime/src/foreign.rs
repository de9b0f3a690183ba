//! Foreign functions (ABI 4.12): what plugins call by name, beyond the contract.

mod caller;
mod compression;

use std::collections::BTreeMap;
use std::fmt;

pub(crate) use self::caller::ForeignCalls;
pub use self::caller::{CallBackError, ForeignCaller};
use self::compression::{compress, uncompress};

/// A foreign function: bytes in, bytes out.
pub(crate) enum ForeignFunction {
    /// It needs nothing but its input.
    Plain(Box<Plain>),
    /// It may call back.
    WithCaller(Box<WithCaller>),
}

type Plain = dyn Fn(&[u8]) -> Result<Vec<u8>, ForeignError> + Send + Sync;
type WithCaller = dyn Fn(&ForeignCaller, &[u8]) -> Result<Vec<u8>, ForeignError> + Send + Sync;

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

/// Foreign functions by name: bytes in, bytes out. They run on a worker's thread, inside of the calling plugin's
/// callback, so they must not block.
///
/// Default are Envoy's `compress` and `uncompress`. Its `clear_route_cache` and `declare_property` act on the stream and
/// the plugin that call them; the host has them beside these.
pub struct ForeignFunctions(BTreeMap<String, ForeignFunction>);

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
        let function = ForeignFunction::Plain(Box::new(function));
        self.0.insert(name.into(), function);
        self
    }

    /// As [`register`](Self::register), for a function that calls its caller back: once the callback that runs has
    /// returned, or at any later time, see [`ForeignCaller::call_back`].
    ///
    /// ```
    /// use proxy_wasi_runtime::foreign::{ForeignError, ForeignFunctions};
    ///
    /// let mut functions = ForeignFunctions::default();
    /// functions.register_with_caller("look_up", |caller, name| {
    ///     let (caller, name) = (caller.clone(), name.to_vec());
    ///     std::thread::spawn(move || {
    ///         let found = [b"found ".to_vec(), name].concat();
    ///         // The plugin may be gone by now.
    ///         let _ = caller.call_back(1, found);
    ///     });
    ///     Ok(Vec::new())
    /// });
    /// ```
    pub fn register_with_caller(
        &mut self,
        name: impl Into<String>,
        function: impl Fn(&ForeignCaller, &[u8]) -> Result<Vec<u8>, ForeignError>
        + Send
        + Sync
        + 'static,
    ) -> &mut Self {
        let function = ForeignFunction::WithCaller(Box::new(function));
        self.0.insert(name.into(), function);
        self
    }

    /// Finds a function.
    pub(crate) fn get(&self, name: &str) -> Option<&ForeignFunction> {
        self.0.get(name)
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
        let call = |functions: &ForeignFunctions, name| match functions.get(name) {
            Some(ForeignFunction::Plain(function)) => Some(function(b"abc")),
            Some(ForeignFunction::WithCaller(_)) | None => None,
        };
        assert_eq!(call(&functions, "reverse"), None);
        functions
            .register("reverse", |input| Ok(input.iter().rev().copied().collect()))
            .register("compress", |_| Err(ForeignError::Failed));
        assert_eq!(call(&functions, "reverse"), Some(Ok(b"cba".to_vec())));
        assert_eq!(
            call(&functions, "compress"),
            Some(Err(ForeignError::Failed))
        );
        functions.register_with_caller("reverse", |_, _| Ok(Vec::new()));
        assert!(matches!(
            functions.get("reverse"),
            Some(ForeignFunction::WithCaller(_))
        ));
    }
}
