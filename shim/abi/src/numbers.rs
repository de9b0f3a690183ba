//! The enumerations that cross the ABI as `u32` (ABI reference 2.1 and 2.2).

use std::error::Error;
use std::fmt;

/// A number that names no variant of an enumeration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnknownNumber {
    /// What the number should have named, as in "log level".
    pub kind: &'static str,
    /// The number.
    pub number: u32,
}

impl fmt::Display for UnknownNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} `{}`", self.kind, self.number)
    }
}

impl Error for UnknownNumber {}

/// Defines an enumeration, its numbers and the conversions both ways.
macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident, $kind:literal { $($(#[$variant_doc:meta])* $variant:ident = $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u32)]
        pub enum $name {
            $($(#[$variant_doc])* $variant = $number,)*
        }

        impl $name {
            /// Every variant, in the order of the numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
        }

        impl TryFrom<u32> for $name {
            type Error = UnknownNumber;

            #[inline]
            fn try_from(number: u32) -> Result<Self, UnknownNumber> {
                match number {
                    $($number => Ok(Self::$variant),)*
                    _ => Err(UnknownNumber { kind: $kind, number }),
                }
            }
        }

        impl From<$name> for u32 {
            #[inline]
            fn from(value: $name) -> u32 {
                value as u32
            }
        }
    };
}

numbers! {
    /// The result of every `proxy_*` hostcall.
    ///
    /// The Rust SDK's own enumeration lacks 5, 6, 9, 11 and 12: where there is a choice, prefer 1, 2 or 10.
    Status, "status" {
        /// The hostcall did what it should.
        Ok = 0,
        /// There is nothing of that name, or nothing in this phase.
        NotFound = 1,
        /// An argument is out of its range, or not acceptable in this phase.
        BadArgument = 2,
        /// A value cannot be expressed in the ABI.
        SerializationFailure = 3,
        /// A value cannot be read.
        ParseFailure = 4,
        /// An expression is malformed.
        BadExpression = 5,
        /// A pointer and length do not lie within the module's memory.
        InvalidMemoryAccess = 6,
        /// A queue has no item.
        Empty = 7,
        /// Shared data has changed since the version given.
        CasMismatch = 8,
        /// A result is not of the type expected.
        ResultMismatch = 9,
        /// The host failed.
        InternalFailure = 10,
        /// A connection broke; also the code that `proxy_get_status` shows after a failed HTTP call.
        BrokenConnection = 11,
        /// The host does not offer this.
        Unimplemented = 12,
    }
}

numbers! {
    /// The severity of a log message.
    LogLevel, "log level" {
        /// Every step.
        Trace = 0,
        /// For whoever looks for a mistake.
        Debug = 1,
        /// What happens.
        Info = 2,
        /// What should not happen, and was recovered from.
        Warn = 3,
        /// What failed.
        Error = 4,
        /// What makes going on impossible.
        Critical = 5,
    }
}

numbers! {
    /// A map of header or trailer fields.
    HeaderMapType, "header map type" {
        /// Header fields of the request.
        HttpRequestHeaders = 0,
        /// Trailer fields of the request.
        HttpRequestTrailers = 1,
        /// Header fields of the response.
        HttpResponseHeaders = 2,
        /// Trailer fields of the response.
        HttpResponseTrailers = 3,
        /// Initial metadata of a gRPC stream, in its callback.
        GrpcReceiveInitialMetadata = 4,
        /// Trailing metadata of a gRPC stream, in its callback.
        GrpcReceiveTrailingMetadata = 5,
        /// Header fields of the answer to an HTTP call, in its callback.
        HttpCallResponseHeaders = 6,
        /// Trailer fields of the answer to an HTTP call, in its callback.
        HttpCallResponseTrailers = 7,
    }
}

numbers! {
    /// A buffer of bytes.
    BufferType, "buffer type" {
        /// The request body that the running callback shows.
        HttpRequestBody = 0,
        /// The response body that the running callback shows.
        HttpResponseBody = 1,
        /// Bytes from the client of a TCP connection.
        DownstreamData = 2,
        /// Bytes to the client of a TCP connection.
        UpstreamData = 3,
        /// The body of the answer to an HTTP call, in its callback.
        HttpCallResponseBody = 4,
        /// A gRPC message, in its callback.
        GrpcReceiveBuffer = 5,
        /// The VM's configuration.
        VmConfiguration = 6,
        /// The plugin's configuration, while the plugin starts.
        PluginConfiguration = 7,
        /// The arguments of `proxy_on_foreign_function`.
        CallData = 8,
    }
}

numbers! {
    /// What `proxy_continue_stream` and `proxy_close_stream` act on.
    StreamType, "stream type" {
        /// The request of an HTTP stream.
        HttpRequest = 0,
        /// The response of an HTTP stream.
        HttpResponse = 1,
        /// The client's side of a TCP connection.
        Downstream = 2,
        /// The other side of a TCP connection.
        Upstream = 3,
    }
}

numbers! {
    /// A kind of metric.
    MetricType, "metric type" {
        /// Only grows.
        Counter = 0,
        /// Goes up and down.
        Gauge = 1,
        /// A distribution of samples.
        Histogram = 2,
    }
}

/// A version of the ABI, as a module's marker export names it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum AbiVersion {
    /// `proxy_abi_version_0_1_0`
    V0_1_0,
    /// `proxy_abi_version_0_2_0`
    V0_2_0,
    /// `proxy_abi_version_0_2_1`
    V0_2_1,
}

impl AbiVersion {
    /// Every version, oldest first.
    pub const ALL: &[Self] = &[Self::V0_1_0, Self::V0_2_0, Self::V0_2_1];

    /// The version that an exported function of this name declares, if it is a marker that this project knows.
    pub fn from_marker(export: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|version| version.marker() == export)
    }

    /// The name of the export that declares this version.
    pub const fn marker(self) -> &'static str {
        match self {
            Self::V0_1_0 => "proxy_abi_version_0_1_0",
            Self::V0_2_0 => "proxy_abi_version_0_2_0",
            Self::V0_2_1 => "proxy_abi_version_0_2_1",
        }
    }

    /// The version as one number, 100, 200 or 201: how the linker tells the shim.
    pub const fn code(self) -> u32 {
        match self {
            Self::V0_1_0 => 100,
            Self::V0_2_0 => 200,
            Self::V0_2_1 => 201,
        }
    }

    /// The version with this [code](Self::code).
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|version| version.code() == code)
    }
}

impl fmt::Display for AbiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V0_1_0 => "0.1.0",
            Self::V0_2_0 => "0.2.0",
            Self::V0_2_1 => "0.2.1",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_both_ways_and_end_where_the_abi_ends() {
        fn check<T>(all: &[T], end: u32)
        where
            T: Copy + PartialEq + fmt::Debug + TryFrom<u32, Error = UnknownNumber>,
            u32: From<T>,
        {
            for (expected, value) in (0..).zip(all) {
                assert_eq!(u32::from(*value), expected);
                assert_eq!(T::try_from(expected), Ok(*value));
            }
            assert_eq!(all.len(), usize::try_from(end).unwrap());
            assert!(T::try_from(end).is_err());
            assert!(T::try_from(u32::MAX).is_err());
        }
        check(Status::ALL, 13);
        check(LogLevel::ALL, 6);
        check(HeaderMapType::ALL, 8);
        check(BufferType::ALL, 9);
        check(StreamType::ALL, 4);
        check(MetricType::ALL, 3);
    }

    #[test]
    fn an_unknown_number_says_what_it_should_have_been() {
        let error = BufferType::try_from(9).unwrap_err();
        assert_eq!(error.to_string(), "unknown buffer type `9`");
    }

    #[test]
    fn versions_are_found_by_marker_and_code() {
        for version in AbiVersion::ALL {
            assert_eq!(AbiVersion::from_marker(version.marker()), Some(*version));
            assert_eq!(AbiVersion::from_code(version.code()), Some(*version));
        }
        assert_eq!(AbiVersion::from_marker("proxy_abi_version_0_3_0"), None);
        assert_eq!(AbiVersion::from_code(0), None);
    }
}
