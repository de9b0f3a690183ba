//! What can be wrong with a configuration.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::Origin;
use super::file::MAX_FILE_SIZE;

/// Why settings make no configuration. Its text is one line and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file `{}`; check its path and permissions", .path.display())]
    Read {
        /// As it was given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is larger than any configuration.
    #[error("the configuration file `{}` has more than {MAX_FILE_SIZE} bytes; give a YAML file with the settings only", .0.display())]
    TooLarge(PathBuf),
    /// One setting is wrong.
    #[error("{origin}: {problem}")]
    Invalid {
        /// Where it was given.
        origin: Origin,
        /// What is wrong with it.
        problem: Problem,
    },
}

impl ConfigError {
    pub(super) fn new(origin: &Origin, problem: Problem) -> Self {
        Self::Invalid {
            origin: origin.clone(),
            problem,
        }
    }
}

/// What is wrong with a setting, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Not YAML, or not of the shape that the key wants.
    #[error("{0}")]
    Syntax(String),
    /// Not UTF-8.
    #[error("byte {0} is not UTF-8; save the file as UTF-8 text")]
    NotText(usize),
    /// A character that no text has, such as the NULs of a file that was not written to its end.
    #[error(
        "byte {byte} is the control character {character:?}; write it as an escape in double quotes, or save the file \
         again as UTF-8 text"
    )]
    ControlCharacter {
        /// Where it is in the file, counted from 0.
        byte: usize,
        /// Which.
        character: char,
    },
    /// Not an address and port.
    #[error(
        "`{0}` is no address to listen on; give IP:PORT, such as `127.0.0.1:8080` or `[::1]:0`"
    )]
    Address(String),
    /// Not a number in range.
    #[error("`{text}` is no number of {what}; give {least} to {most}")]
    Count {
        /// What was given.
        text: String,
        /// What is counted, in the plural.
        what: &'static str,
        /// The least that is accepted.
        least: usize,
        /// The most that is accepted.
        most: usize,
    },
    /// Not a size.
    #[error(
        "`{text}` is no size; give bytes, such as `65536`, or a unit, such as `64KiB` or `1MiB`, from {least} to {most} bytes"
    )]
    Size {
        /// What was given.
        text: String,
        /// The least that is accepted.
        least: usize,
        /// The most that is accepted.
        most: usize,
    },
    /// Not a length of time.
    #[error(
        "`{0}` is no length of time; give a number with a unit, such as `250ms` or `10s`, from `1ms` to `1day`"
    )]
    Time(String),
    /// Not true or false.
    #[error("`{0}` is neither `true` nor `false`")]
    Switch(String),
    /// None of a list of words.
    #[error("`{text}` is not known; use {}", alternatives(.known))]
    Choice {
        /// What was given.
        text: String,
        /// What is accepted.
        known: &'static [&'static str],
    },
    /// A key without which nothing can be done.
    #[error("it has no `{0}`; give {1}")]
    Missing(&'static str, &'static str),
    /// Two clusters of one name.
    #[error("another cluster is called `{0}`; give each its own name")]
    ClusterTaken(String),
    /// A name with control characters.
    #[error("`{}` cannot be a cluster's name; leave out control characters", .0.escape_debug())]
    ClusterName(String),
    /// A cluster that is not there.
    #[error("no cluster is called `{name}`; {}", known_clusters(.known))]
    UnknownCluster {
        /// What was given.
        name: String,
        /// The clusters' names.
        known: Vec<String>,
    },
    /// Settings of TLS for a URL without.
    #[error("`{0}` is without TLS; write `https://`, or remove the setting")]
    TlsWithoutHttps(String),
    /// A file without certificates.
    #[error("no certificates in `{}`: {reason}; give a PEM file with the certificates to trust", .file.display())]
    Certificates {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Not a name that a certificate can be for.
    #[error("`{0}` is no server name; give a host name or an IP address, without port")]
    ServerName(String),
    /// Both say where all requests go.
    #[error("it is given beside `routes`; add a last route without `match` instead")]
    UpstreamAndRoutes,
    /// A route behind one that matches everything.
    #[error("it is never reached: `routes[{0}]` matches every request; move that one to the end")]
    RouteNeverReached(usize),
    /// Not the beginning of a path.
    #[error("`{0}` is no beginning of a path; give one such as `/api`, without query")]
    PathPrefix(String),
    /// A prefix is to be replaced, but none is matched.
    #[error("there is no `match.path_prefix` that it could replace; give that too")]
    RewriteWithoutPrefix,
    /// Not an authority.
    #[error(
        "`{0}` is no authority; give a host such as `example.com`, `*.example.com` to match, or `host:port`"
    )]
    Authority(String),
    /// Not an authority that a request can be sent with.
    #[error("`{0}` is no authority; give a host such as `example.com`, or `host:port`")]
    RewriteAuthority(String),
    /// Not the name of a header field.
    #[error(
        "`{}` is no name of a header field; give one such as `x-version`, of letters, digits and `-`",
        .0.escape_debug()
    )]
    HeaderName(String),
    /// Not the value of a header field.
    #[error(
        "`{}` cannot be the value of a header field; leave out control characters",
        .0.escape_debug()
    )]
    HeaderValue(String),
    /// `host` is matched otherwise.
    #[error("`host` is the request's authority; use `match.authority`")]
    HostHeader,
    /// No URL, and no cluster of that name.
    #[error(
        "`{text}` is neither a URL, such as `http://127.0.0.1:9000`, nor the name of a cluster; {}",
        if .known.is_empty() { "there are none".to_owned() } else { known_clusters(.known) }
    )]
    NeitherUrlNorCluster {
        /// What was given.
        text: String,
        /// The clusters' names.
        known: Vec<String>,
    },
    /// A host of `https://` that TLS has no way to check.
    #[error(
        "`{0}` is no name that a certificate can be for; give another with `tls.server_name`, on a cluster of a \
         configuration file"
    )]
    CertificateHost(String),
    /// The shortest wait is longer than the longest.
    #[error(
        "`{text}` is longer than `restarts.longest_wait`, {}; give less, or raise that",
        humantime::format_duration(*.longest)
    )]
    FirstWait {
        /// What was given.
        text: String,
        /// The longest wait, given or not.
        longest: Duration,
    },
    /// Not a URL to send requests to.
    #[error("`{text}` is no upstream: {reason}")]
    Upstream {
        /// What was given.
        text: String,
        /// What is wrong with it, and the way out.
        reason: &'static str,
    },
    /// An empty text where one is needed.
    #[error("it is empty; give {0}")]
    Empty(&'static str),
    /// A plugin without a file.
    #[error("the plugin has no `file`; give the path of a legacy module or component")]
    NoFile,
    /// A name with control characters.
    #[error("`{}` cannot be a plugin's name; leave out control characters", .0.escape_debug())]
    Name(String),
    /// An environment variable that WASI cannot carry.
    #[error(
        "`{}` cannot be an environment variable; a name has no `=`, and neither name nor value a NUL",
        .0.escape_debug()
    )]
    Variable(String),
    /// An environment variable that is given twice.
    #[error("the environment variable `{0}` is given twice; keep one")]
    VariableTwice(String),
    /// Two plugins of one name.
    #[error("another plugin is called `{0}`; give each its own `name`")]
    NameTaken(String),
}

fn known_clusters(names: &[String]) -> String {
    if names.is_empty() {
        return "list it under `clusters`".to_owned();
    }
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("known are {}", quoted.join(", "))
}

fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
