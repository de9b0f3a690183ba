//! The configuration file: a mirror of its keys, and where in the file each value stands.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Options, Spanned};

use super::{ConfigError, Origin, PluginSettings, Problem, Setting, Settings};

mod limits;
mod place;
mod routing;
mod syntax;

use self::limits::{FileLimits, FileRestarts, FileTimeouts};
use self::routing::{FileCluster, FileRoute};
use self::syntax::syntax_error;

/// Every leaf is read as text, so that a wrong value is found where the key's name is known.
type Text = Option<Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Text,
    admin: Text,
    workers: Text,
    upstream: Text,
    rewrite_host: Text,
    access_log: Text,
    log_level: Text,
    cache: Text,
    cache_dir: Text,
    limits: Option<FileLimits>,
    timeouts: Option<FileTimeouts>,
    restarts: Option<FileRestarts>,
    clusters: Option<Vec<Spanned<FileCluster>>>,
    routes: Option<Vec<Spanned<FileRoute>>>,
    plugins: Option<Vec<Spanned<FilePlugin>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePlugin {
    name: Text,
    file: Text,
    root_id: Text,
    vm_id: Text,
    configuration: Option<Value>,
    vm_configuration: Option<Value>,
    env: Option<BTreeMap<String, Spanned<String>>>,
    failure_policy: Text,
    recovery: Text,
    on_headers_pause: Text,
    service: Text,
    callouts: Option<FileCallouts>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileCallouts {
    allow: Text,
}

/// Bytes. Far more than any configuration, and little enough to read what was not meant to be one, as `/dev/zero`.
pub const MAX_FILE_SIZE: u64 = 16 * 1024 * 1024;

/// Reads a file of configuration, the proxy's or a plugin's.
///
/// # Errors
///
/// The system's, or [`FileTooLarge`](io::ErrorKind::FileTooLarge) beyond [`MAX_FILE_SIZE`].
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MAX_FILE_SIZE + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_SIZE {
        let text = format!("it has more than {MAX_FILE_SIZE} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

impl Settings {
    /// Reads a configuration file. Relative paths in it start from its directory.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Read`] if the file cannot be read, [`ConfigError::TooLarge`], else as [`Settings::parse`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let bytes = read_file(path).map_err(|source| {
            let path = path.to_owned();
            if source.kind() == io::ErrorKind::FileTooLarge {
                ConfigError::TooLarge(path)
            } else {
                ConfigError::Read { path, source }
            }
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let origin = origin_of_byte(path.into(), error.as_bytes(), good);
            ConfigError::new(&origin, Problem::NotText(good))
        })?;
        Self::parse(path, &text)
    }

    /// Reads the text of a configuration file at `path`, which is only a name for errors and the start of relative
    /// paths.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] if the text is not YAML, has control characters, has a key that is not known or given
    /// twice, or a list or map where a text belongs. Values are looked at later, by [`Config::resolve`](super::Config::resolve).
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let path: Arc<Path> = path.into();
        // YAML has none of these, and the parser takes a NUL for the end of the text.
        let is_control = |char: char| char.is_control() && !"\t\n\r".contains(char);
        let mut characters = text.char_indices();
        if let Some((byte, character)) = characters.find(|(_, char)| is_control(*char)) {
            let origin = origin_of_byte(path, text.as_bytes(), byte);
            let problem = Problem::ControlCharacter { byte, character };
            return Err(ConfigError::new(&origin, problem));
        }
        // An empty file, or one of comments only, says nothing; the parser would call it an early end.
        let says_nothing =
            |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        let text = if text.lines().all(says_nothing) {
            "{}"
        } else {
            text
        };
        let file: File = serde_saphyr::from_str_with_options(text, options())
            .map_err(|error| syntax_error(&path, text, &error))?;
        file.into_settings(&Origins { path })
    }
}

/// The line that a byte is on.
fn origin_of_byte(path: Arc<Path>, bytes: &[u8], at: usize) -> Origin {
    let before = bytes.iter().take(at);
    let line = 1 + before.filter(|byte| **byte == b'\n').count();
    Origin::File {
        path,
        line: line as u64,
        key: String::new(),
    }
}

fn options() -> Options {
    Options {
        duplicate_keys: DuplicateKeyPolicy::Error,
        // YAML 1.2: `configuration: {country: no}` is about Norway.
        strict_booleans: true,
        with_snippet: false,
        ..Options::default()
    }
}

/// Makes the origins of settings in one file.
struct Origins {
    path: Arc<Path>,
}

impl Origins {
    fn of<T>(&self, value: &Spanned<T>, key: String) -> Origin {
        Origin::File {
            path: self.path.clone(),
            line: value.referenced.line(),
            key,
        }
    }

    fn setting(&self, text: Text, key: impl Into<String>) -> Option<Setting> {
        text.map(|text| Setting {
            origin: self.of(&text, key.into()),
            text: text.value,
        })
    }
}

impl File {
    fn into_settings(self, origins: &Origins) -> Result<Settings, ConfigError> {
        let clusters = self.clusters.into_iter().flatten().enumerate();
        let routes = self.routes.into_iter().flatten().enumerate();
        let plugins = self.plugins.into_iter().flatten().enumerate();
        Ok(Settings {
            listen: origins.setting(self.listen, "listen"),
            admin: origins.setting(self.admin, "admin"),
            workers: origins.setting(self.workers, "workers"),
            upstream: origins.setting(self.upstream, "upstream"),
            rewrite_host: origins.setting(self.rewrite_host, "rewrite_host"),
            access_log: origins.setting(self.access_log, "access_log"),
            log_level: origins.setting(self.log_level, "log_level"),
            cache: origins.setting(self.cache, "cache"),
            cache_dir: origins.setting(self.cache_dir, "cache_dir"),
            limits: self.limits.unwrap_or_default().into_settings(origins),
            timeouts: self.timeouts.unwrap_or_default().into_settings(origins),
            restarts: self.restarts.unwrap_or_default().into_settings(origins),
            clusters: clusters
                .map(|(at, cluster)| routing::cluster_settings(cluster, at, origins))
                .collect::<Result<_, _>>()?,
            routes: routes
                .map(|(at, route)| routing::route_settings(route, at, origins))
                .collect::<Result<_, _>>()?,
            plugins: plugins
                .map(|(at, plugin)| plugin_settings(plugin, at, origins))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn plugin_settings(
    plugin: Spanned<FilePlugin>,
    at: usize,
    origins: &Origins,
) -> Result<PluginSettings, ConfigError> {
    let origin = origins.of(&plugin, format!("plugins[{at}]"));
    let plugin = plugin.value;
    let setting = |text, key| origins.setting(text, format!("plugins[{at}].{key}"));
    Ok(PluginSettings {
        file: setting(plugin.file, "file")
            .ok_or_else(|| ConfigError::new(&origin, Problem::NoFile))?,
        name: setting(plugin.name, "name"),
        root_id: setting(plugin.root_id, "root_id"),
        vm_id: setting(plugin.vm_id, "vm_id"),
        configuration: handed_over(plugin.configuration),
        vm_configuration: handed_over(plugin.vm_configuration),
        environment: environment(plugin.env, at, origins),
        failure_policy: setting(plugin.failure_policy, "failure_policy"),
        recovery: setting(plugin.recovery, "recovery"),
        on_headers_pause: setting(plugin.on_headers_pause, "on_headers_pause"),
        service: setting(plugin.service, "service"),
        allow_callouts: setting(plugin.callouts.unwrap_or_default().allow, "callouts.allow"),
    })
}

fn environment(
    variables: Option<BTreeMap<String, Spanned<String>>>,
    at: usize,
    origins: &Origins,
) -> Vec<(String, Setting)> {
    let variables = variables.into_iter().flatten();
    variables
        .map(|(name, value)| {
            let setting = Setting {
                origin: origins.of(&value, format!("plugins[{at}].env.{name}")),
                text: value.value,
            };
            (name, setting)
        })
        .collect()
}

/// Texts as they are, everything else as compact JSON: what Envoy does with `StringValue` and `Struct`.
fn handed_over(configuration: Option<Value>) -> Bytes {
    match configuration {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) => text.into(),
        Some(other) => other.to_string().into(),
    }
}
