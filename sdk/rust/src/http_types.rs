//! Methods, schemes and errors of `wasi:http` as text.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use crate::bindings::wasi::http::types::{ErrorCode, Method, Scheme};

impl Method {
    /// Returns the method as it stands in a request, `GET` for one.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
            Self::Other(other) => other,
        }
    }
}

impl From<&str> for Method {
    /// Methods are case-sensitive: `get` is another one than `GET`.
    fn from(method: &str) -> Self {
        match method {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "CONNECT" => Self::Connect,
            "OPTIONS" => Self::Options,
            "TRACE" => Self::Trace,
            "PATCH" => Self::Patch,
            other => Self::Other(other.into()),
        }
    }
}

impl Display for Method {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Scheme {
    /// Returns the scheme in lower case, as it stands in a URI.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Other(other) => other,
        }
    }
}

impl From<&str> for Scheme {
    fn from(scheme: &str) -> Self {
        match scheme.to_ascii_lowercase().as_str() {
            "http" => Self::Http,
            "https" => Self::Https,
            other => Self::Other(other.into()),
        }
    }
}

impl Display for Scheme {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Display for ErrorCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = format!("{self:?}");
        write!(
            f,
            "the callout failed: {}",
            name.strip_prefix("ErrorCode::").unwrap_or(&name)
        )
    }
}

impl Error for ErrorCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_their_own_text() {
        for method in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
            "PURGE", "get",
        ] {
            assert_eq!(Method::from(method).to_string(), method);
        }
        assert_eq!(Method::from("PATCH"), Method::Patch);
        assert_eq!(Method::from("get"), Method::Other("get".into()));
    }

    #[test]
    fn schemes_have_no_case() {
        assert_eq!(Scheme::from("HTTPS"), Scheme::Https);
        assert_eq!(Scheme::from("WS").as_str(), "ws");
    }

    #[test]
    fn failed_callouts_say_why() {
        assert_eq!(
            ErrorCode::ConnectionTimeout.to_string(),
            "the callout failed: ConnectionTimeout"
        );
    }
}
