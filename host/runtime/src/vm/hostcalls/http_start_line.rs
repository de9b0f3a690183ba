//! `http-start-line`: method, scheme, authority, path and status.

use http::{Method as HttpMethod, uri::Scheme as HttpScheme};

use crate::vm::access::{HeaderError, final_status};
use crate::vm::bindings::proxy_wasm::plugin::http_start_line;
use crate::vm::bindings::wasi::http::types::{Method, Scheme};
use crate::vm::state::VmState;

impl http_start_line::Host for VmState {
    fn get_method(&mut self, context: u64) -> Result<Option<Method>, HeaderError> {
        let stream = self.headers_of(context)?;
        Ok(stream
            .access
            .method(stream.filter)?
            .map(|method| method_to_wit(&method)))
    }

    fn set_method(&mut self, context: u64, value: Option<Method>) -> Result<(), HeaderError> {
        let stream = self.headers_of(context)?;
        stream
            .access
            .set_method(stream.filter, value.map(method_from_wit).transpose()?)
    }

    fn get_scheme(&mut self, context: u64) -> Result<Option<Scheme>, HeaderError> {
        let stream = self.headers_of(context)?;
        Ok(stream
            .access
            .scheme(stream.filter)?
            .map(|scheme| scheme_to_wit(&scheme)))
    }

    fn set_scheme(&mut self, context: u64, value: Option<Scheme>) -> Result<(), HeaderError> {
        let stream = self.headers_of(context)?;
        stream
            .access
            .set_scheme(stream.filter, value.map(scheme_from_wit).transpose()?)
    }

    fn get_authority(&mut self, context: u64) -> Result<Option<String>, HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.authority(stream.filter)
    }

    fn set_authority(&mut self, context: u64, value: Option<String>) -> Result<(), HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.set_authority(stream.filter, value.as_deref())
    }

    fn get_path_with_query(&mut self, context: u64) -> Result<Option<String>, HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.path_with_query(stream.filter)
    }

    fn set_path_with_query(
        &mut self,
        context: u64,
        value: Option<String>,
    ) -> Result<(), HeaderError> {
        let stream = self.headers_of(context)?;
        stream
            .access
            .set_path_with_query(stream.filter, value.as_deref())
    }

    fn get_status(&mut self, context: u64) -> Result<Option<u16>, HeaderError> {
        let stream = self.headers_of(context)?;
        Ok(stream
            .access
            .status(stream.filter)?
            .map(|status| status.as_u16()))
    }

    fn set_status(&mut self, context: u64, value: Option<u16>) -> Result<(), HeaderError> {
        let stream = self.headers_of(context)?;
        let status = value
            .map(|code| final_status(code).ok_or(HeaderError::InvalidValue))
            .transpose()?;
        stream.access.set_status(stream.filter, status)
    }
}

fn method_to_wit(method: &HttpMethod) -> Method {
    match *method {
        HttpMethod::GET => Method::Get,
        HttpMethod::HEAD => Method::Head,
        HttpMethod::POST => Method::Post,
        HttpMethod::PUT => Method::Put,
        HttpMethod::DELETE => Method::Delete,
        HttpMethod::CONNECT => Method::Connect,
        HttpMethod::OPTIONS => Method::Options,
        HttpMethod::TRACE => Method::Trace,
        HttpMethod::PATCH => Method::Patch,
        _ => Method::Other(method.as_str().to_owned()),
    }
}

fn method_from_wit(method: Method) -> Result<HttpMethod, HeaderError> {
    Ok(match method {
        Method::Get => HttpMethod::GET,
        Method::Head => HttpMethod::HEAD,
        Method::Post => HttpMethod::POST,
        Method::Put => HttpMethod::PUT,
        Method::Delete => HttpMethod::DELETE,
        Method::Connect => HttpMethod::CONNECT,
        Method::Options => HttpMethod::OPTIONS,
        Method::Trace => HttpMethod::TRACE,
        Method::Patch => HttpMethod::PATCH,
        Method::Other(name) => {
            HttpMethod::from_bytes(name.as_bytes()).map_err(|_| HeaderError::InvalidValue)?
        }
    })
}

fn scheme_to_wit(scheme: &HttpScheme) -> Scheme {
    match scheme.as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    }
}

fn scheme_from_wit(scheme: Scheme) -> Result<HttpScheme, HeaderError> {
    match scheme {
        Scheme::Http => Ok(HttpScheme::HTTP),
        Scheme::Https => Ok(HttpScheme::HTTPS),
        Scheme::Other(name) => {
            HttpScheme::try_from(name.as_str()).map_err(|_| HeaderError::InvalidValue)
        }
    }
}
