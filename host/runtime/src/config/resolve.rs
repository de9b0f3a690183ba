//! Settings to configuration: checks, defaults and what depends on other settings.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use super::values::{self, choice};
use super::{
    CacheLocation, Config, ConfigError, DEFAULT_LISTEN, LimitSettings, Limits, PluginConfig,
    PluginSettings, Problem, RestartSettings, Restarts, Setting, Settings, TimeoutSettings,
    Timeouts,
};

mod routing;

/// Bytes. Below one page no WebAssembly memory can exist.
const LEAST_MEMORY: usize = 64 * 1024;

/// Bytes. What 32-bit WebAssembly can address.
const MOST_MEMORY: usize = 4 << 30;

/// Bytes. The ABI gives body sizes as `u32`, and hosts read them as `i32`.
const MOST_BUFFER: usize = i32::MAX as usize;

impl Config {
    /// Checks settings and fills in defaults.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] for the first setting that is wrong.
    pub fn resolve(settings: Settings) -> Result<Self, ConfigError> {
        let Settings {
            limits,
            timeouts,
            restarts,
            plugins,
            ..
        } = &settings;
        let routing = routing::resolve(&settings)?;
        Ok(Self {
            listen: value(&settings.listen, values::address)?.unwrap_or(DEFAULT_LISTEN),
            admin: value(&settings.admin, values::address)?,
            workers: value(&settings.workers, values::workers)?
                .unwrap_or_else(|| thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)),
            clusters: routing.clusters,
            routes: routing.routes,
            rewrite_host: value(&settings.rewrite_host, values::switch)?.unwrap_or(false),
            access_log: value(&settings.access_log, values::switch)?.unwrap_or(true),
            log_level: value(&settings.log_level, choice)?.unwrap_or_default(),
            cache: cache(&settings)?,
            limits: resolve_limits(limits)?,
            timeouts: resolve_timeouts(timeouts)?,
            restarts: resolve_restarts(restarts)?,
            plugins: resolve_plugins(plugins)?,
        })
    }
}

fn value<T>(
    setting: &Option<Setting>,
    parse: impl FnOnce(&str) -> Result<T, Problem>,
) -> Result<Option<T>, ConfigError> {
    setting
        .as_ref()
        .map(|setting| {
            parse(&setting.text).map_err(|problem| ConfigError::new(&setting.origin, problem))
        })
        .transpose()
}

fn cache(settings: &Settings) -> Result<CacheLocation, ConfigError> {
    let enabled = value(&settings.cache, values::switch)?.unwrap_or(true);
    let path = |setting| path(setting, "the path of a directory");
    let directory = settings.cache_dir.as_ref().map(path).transpose()?;
    Ok(match directory {
        _ if !enabled => CacheLocation::Disabled,
        Some(directory) => CacheLocation::Directory(directory),
        None => CacheLocation::User,
    })
}

fn resolve_limits(given: &LimitSettings) -> Result<Limits, ConfigError> {
    let default = Limits::default();
    let buffer = |text: &str| values::size(text, 1, MOST_BUFFER);
    let memory = |text: &str| values::size(text, LEAST_MEMORY, MOST_MEMORY);
    Ok(Limits {
        request_buffer: value(&given.request_buffer, buffer)?.unwrap_or(default.request_buffer),
        response_buffer: value(&given.response_buffer, buffer)?.unwrap_or(default.response_buffer),
        vm_memory: value(&given.vm_memory, memory)?.unwrap_or(default.vm_memory),
        callback_time: value(&given.callback_time, values::time)?.unwrap_or(default.callback_time),
        start_time: value(&given.start_time, values::time)?.unwrap_or(default.start_time),
        callouts: value(&given.callouts, values::callouts)?.unwrap_or(default.callouts),
        callout_response: value(&given.callout_response, buffer)?
            .unwrap_or(default.callout_response),
    })
}

fn resolve_timeouts(given: &TimeoutSettings) -> Result<Timeouts, ConfigError> {
    let default = Timeouts::default();
    Ok(Timeouts {
        header_read: value(&given.header_read, values::time)?.unwrap_or(default.header_read),
        connect: value(&given.connect, values::time)?.unwrap_or(default.connect),
        response: value(&given.response, values::time)?.unwrap_or(default.response),
        idle: value(&given.idle, values::time)?.unwrap_or(default.idle),
        drain_grace: value(&given.drain_grace, values::time)?.unwrap_or(default.drain_grace),
    })
}

fn resolve_restarts(given: &RestartSettings) -> Result<Restarts, ConfigError> {
    let default = Restarts::default();
    let restarts = Restarts {
        first_wait: value(&given.first_wait, values::time)?.unwrap_or(default.first_wait),
        longest_wait: value(&given.longest_wait, values::time)?.unwrap_or(default.longest_wait),
        healthy_after: value(&given.healthy_after, values::time)?.unwrap_or(default.healthy_after),
        failures: value(&given.failures, values::failures)?.unwrap_or(default.failures),
    };
    // Who gives only a longest wait gets a first one that is no longer.
    match &given.first_wait {
        Some(first) if restarts.first_wait > restarts.longest_wait => Err(ConfigError::new(
            &first.origin,
            Problem::FirstWait {
                text: first.text.clone(),
                longest: restarts.longest_wait,
            },
        )),
        _ => Ok(restarts),
    }
}

fn resolve_plugins(given: &[PluginSettings]) -> Result<Vec<Arc<PluginConfig>>, ConfigError> {
    // Given names first: a name made from a file's has to keep clear of all of them.
    let mut taken = HashSet::new();
    for setting in given.iter().filter_map(|plugin| plugin.name.as_ref()) {
        let name = plugin_name(&setting.text)
            .map_err(|problem| ConfigError::new(&setting.origin, problem))?;
        if !taken.insert(name.clone()) {
            return Err(ConfigError::new(&setting.origin, Problem::NameTaken(name)));
        }
    }
    given
        .iter()
        .map(|plugin| resolve_plugin(plugin, &mut taken).map(Arc::new))
        .collect()
}

fn resolve_plugin(
    given: &PluginSettings,
    taken: &mut HashSet<String>,
) -> Result<PluginConfig, ConfigError> {
    let file = path(&given.file, "the path of a legacy module or component")?;
    let text = |setting: &Option<Setting>| {
        setting
            .as_ref()
            .map(|setting| setting.text.clone())
            .unwrap_or_default()
    };
    let (failure_policy, recovery) =
        value(&given.failure_policy, values::failure_policy)?.unwrap_or_default();
    Ok(PluginConfig {
        name: match &given.name {
            Some(name) => name.text.clone(),
            None => name_from_file(&file, taken),
        },
        file,
        root_id: text(&given.root_id),
        vm_id: text(&given.vm_id),
        configuration: given.configuration.clone(),
        vm_configuration: given.vm_configuration.clone(),
        environment: environment(&given.environment)?,
        failure_policy,
        recovery: value(&given.recovery, choice)?.unwrap_or(recovery),
        on_headers_pause: value(&given.on_headers_pause, choice)?.unwrap_or_default(),
        service: value(&given.service, choice)?,
        allow_callouts: value(&given.allow_callouts, choice)?.unwrap_or_default(),
    })
}

/// Variables as WASI can carry them, in the order of their names.
fn environment(given: &[(String, Setting)]) -> Result<Vec<(String, String)>, ConfigError> {
    let mut variables = BTreeMap::new();
    for (name, value) in given {
        let problem = if name.is_empty() || name.contains(['=', '\0']) || value.text.contains('\0')
        {
            Problem::Variable(name.clone())
        } else if variables.insert(name.clone(), value.text.clone()).is_some() {
            Problem::VariableTwice(name.clone())
        } else {
            continue;
        };
        return Err(ConfigError::new(&value.origin, problem));
    }
    Ok(variables.into_iter().collect())
}

/// Names stand in log lines and metric labels.
fn plugin_name(text: &str) -> Result<String, Problem> {
    if text.chars().any(char::is_control) {
        return Err(Problem::Name(text.to_owned()));
    }
    not_empty(text, "a name")
}

fn name_from_file(file: &Path, taken: &mut HashSet<String>) -> String {
    let stem = file
        .file_stem()
        .map(|stem| stem.to_string_lossy())
        .unwrap_or_default();
    let stem: String = stem.chars().filter(|char| !char.is_control()).collect();
    let stem = if stem.is_empty() {
        "plugin".to_owned()
    } else {
        stem
    };
    let mut name = stem.clone();
    let mut number = 1_usize;
    while !taken.insert(name.clone()) {
        number += 1;
        name = format!("{stem}-{number}");
    }
    name
}

/// A path, from where it was given.
fn path(setting: &Setting, what: &'static str) -> Result<PathBuf, ConfigError> {
    let text = not_empty(&setting.text, what)
        .map_err(|problem| ConfigError::new(&setting.origin, problem))?;
    Ok(setting.origin.directory().join(text))
}

fn not_empty(text: &str, what: &'static str) -> Result<String, Problem> {
    if text.is_empty() {
        Err(Problem::Empty(what))
    } else {
        Ok(text.to_owned())
    }
}
