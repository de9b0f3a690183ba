//! The request's method, scheme, authority and path, and the response's status: the contract's `http-start-line`.

use http::uri::{PathAndQuery, Scheme};
use http::{Method, StatusCode};
use proxy_wasi_stream::{self as stream, FilterIndex};

use super::super::Exchange;
use super::{unavailable, value};
use crate::vm::{HeaderError, StartLineAccess};

impl Exchange {
    fn read_request<R>(
        &self,
        filter: usize,
        read: impl FnOnce(&stream::RequestHead) -> R,
    ) -> Result<R, HeaderError> {
        self.machine
            .borrow()
            .request_head(FilterIndex(filter))
            .map(read)
            .map_err(unavailable)
    }

    fn edit_request(
        &self,
        filter: usize,
        edit: impl FnOnce(&mut stream::RequestHead),
    ) -> Result<(), HeaderError> {
        self.machine
            .borrow_mut()
            .request_head_mut(FilterIndex(filter))
            .map(edit)
            .map_err(unavailable)
    }
}

impl StartLineAccess for Exchange {
    fn method(&self, filter: usize) -> Result<Option<Method>, HeaderError> {
        self.read_request(filter, |head| head.method.clone())
    }

    fn set_method(&self, filter: usize, value: Option<Method>) -> Result<(), HeaderError> {
        self.edit_request(filter, |head| head.method = value)
    }

    fn scheme(&self, filter: usize) -> Result<Option<Scheme>, HeaderError> {
        self.read_request(filter, |head| head.scheme.clone())
    }

    fn set_scheme(&self, filter: usize, value: Option<Scheme>) -> Result<(), HeaderError> {
        self.edit_request(filter, |head| head.scheme = value)
    }

    fn authority(&self, filter: usize) -> Result<Option<String>, HeaderError> {
        self.read_request(filter, |head| {
            head.authority()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
    }

    fn set_authority(&self, filter: usize, authority: Option<&str>) -> Result<(), HeaderError> {
        let authority = authority.map(|text| value(text.as_bytes())).transpose()?;
        self.edit_request(filter, |head| head.set_authority(authority))
    }

    fn path_with_query(&self, filter: usize) -> Result<Option<String>, HeaderError> {
        self.read_request(filter, |head| {
            head.path.as_ref().map(|path| path.as_str().to_owned())
        })
    }

    fn set_path_with_query(&self, filter: usize, path: Option<&str>) -> Result<(), HeaderError> {
        let path = path.map(path_and_query).transpose()?;
        self.edit_request(filter, |head| head.path = path)
    }

    fn status(&self, filter: usize) -> Result<Option<StatusCode>, HeaderError> {
        self.machine
            .borrow()
            .response_head(FilterIndex(filter))
            .map(|head| head.status)
            .map_err(unavailable)
    }

    fn set_status(&self, filter: usize, value: Option<StatusCode>) -> Result<(), HeaderError> {
        let mut machine = self.machine.borrow_mut();
        machine
            .response_head_mut(FilterIndex(filter))
            .map(|head| head.status = value)
            .map_err(unavailable)
    }
}

/// A request target: a path with its query, or `*`.
pub(in super::super) fn path_and_query(path: &str) -> Result<PathAndQuery, HeaderError> {
    // `PathAndQuery` takes an empty text, and fragments, which no request target has (RFC 9112, 3.2).
    if path.is_empty() || path.contains('#') || !(path.starts_with('/') || path == "*") {
        return Err(HeaderError::InvalidValue);
    }
    PathAndQuery::try_from(path).map_err(|_| HeaderError::InvalidValue)
}
