//! The keys of limits, timeouts and restarts.

use serde::Deserialize;

use super::{Origins, Text};
use crate::config::{LimitSettings, RestartSettings, TimeoutSettings};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileLimits {
    request_buffer: Text,
    response_buffer: Text,
    vm_memory: Text,
    callback_time: Text,
    callouts: Text,
    callout_response: Text,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileTimeouts {
    header_read: Text,
    connect: Text,
    response: Text,
    idle: Text,
    drain_grace: Text,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRestarts {
    first_wait: Text,
    longest_wait: Text,
    healthy_after: Text,
    failures: Text,
}

impl FileLimits {
    pub(super) fn into_settings(self, origins: &Origins) -> LimitSettings {
        LimitSettings {
            request_buffer: origins.setting(self.request_buffer, "limits.request_buffer"),
            response_buffer: origins.setting(self.response_buffer, "limits.response_buffer"),
            vm_memory: origins.setting(self.vm_memory, "limits.vm_memory"),
            callback_time: origins.setting(self.callback_time, "limits.callback_time"),
            callouts: origins.setting(self.callouts, "limits.callouts"),
            callout_response: origins.setting(self.callout_response, "limits.callout_response"),
        }
    }
}

impl FileTimeouts {
    pub(super) fn into_settings(self, origins: &Origins) -> TimeoutSettings {
        TimeoutSettings {
            header_read: origins.setting(self.header_read, "timeouts.header_read"),
            connect: origins.setting(self.connect, "timeouts.connect"),
            response: origins.setting(self.response, "timeouts.response"),
            idle: origins.setting(self.idle, "timeouts.idle"),
            drain_grace: origins.setting(self.drain_grace, "timeouts.drain_grace"),
        }
    }
}

impl FileRestarts {
    pub(super) fn into_settings(self, origins: &Origins) -> RestartSettings {
        RestartSettings {
            first_wait: origins.setting(self.first_wait, "restarts.first_wait"),
            longest_wait: origins.setting(self.longest_wait, "restarts.longest_wait"),
            healthy_after: origins.setting(self.healthy_after, "restarts.healthy_after"),
            failures: origins.setting(self.failures, "restarts.failures"),
        }
    }
}
