//! Texts to values: one function for each kind of value.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::limits::{MOST_CALLOUTS, MOST_RESTART_FAILURES};
use super::{
    AllowCallouts, FailurePolicy, LogLevel, MAX_WORKERS, OnHeadersPause, Problem, Recovery, Service,
};

const LONGEST_TIME: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn address(text: &str) -> Result<SocketAddr, Problem> {
    text.parse().map_err(|_| Problem::Address(text.to_owned()))
}

pub(super) fn workers(text: &str) -> Result<NonZeroUsize, Problem> {
    text.parse::<NonZeroUsize>()
        .ok()
        .filter(|workers| workers.get() <= MAX_WORKERS)
        .ok_or_else(|| Problem::Count {
            text: text.to_owned(),
            what: "workers",
            least: 1,
            most: MAX_WORKERS,
        })
}

pub(super) fn callouts(text: &str) -> Result<usize, Problem> {
    text.parse::<usize>()
        .ok()
        .filter(|callouts| *callouts <= MOST_CALLOUTS)
        .ok_or_else(|| Problem::Count {
            text: text.to_owned(),
            what: "callouts",
            least: 0,
            most: MOST_CALLOUTS,
        })
}

pub(super) fn failures(text: &str) -> Result<u32, Problem> {
    text.parse::<u32>()
        .ok()
        .filter(|failures| (1..=MOST_RESTART_FAILURES).contains(failures))
        .ok_or_else(|| Problem::Count {
            text: text.to_owned(),
            what: "failures",
            least: 1,
            most: MOST_RESTART_FAILURES as usize,
        })
}

/// Reads bytes, or a number of KiB, MiB or GiB.
pub(super) fn size(text: &str, least: usize, most: usize) -> Result<usize, Problem> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("B", 0), ("", 0)];
    let bytes = units
        .into_iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?.trim_end(), shift)))
        .and_then(|(number, shift)| number.parse::<usize>().ok()?.checked_mul(1 << shift));
    bytes
        .filter(|bytes| (least..=most).contains(bytes))
        .ok_or_else(|| Problem::Size {
            text: text.to_owned(),
            least,
            most,
        })
}

pub(super) fn time(text: &str) -> Result<Duration, Problem> {
    humantime::parse_duration(text)
        .ok()
        .filter(|time| (Duration::from_millis(1)..=LONGEST_TIME).contains(time))
        .ok_or_else(|| Problem::Time(text.to_owned()))
}

pub(super) fn switch(text: &str) -> Result<bool, Problem> {
    text.parse().map_err(|_| Problem::Switch(text.to_owned()))
}

/// A value that has one word for each of its cases.
pub(super) trait Choice: Sized + Copy + 'static {
    /// The words, in the order of [`Self::CASES`].
    const WORDS: &'static [&'static str];
    const CASES: &'static [Self];
}

pub(super) fn choice<T: Choice>(text: &str) -> Result<T, Problem> {
    let case = T::WORDS
        .iter()
        .zip(T::CASES)
        .find(|(word, _)| **word == text);
    case.map(|(_, case)| *case).ok_or_else(|| Problem::Choice {
        text: text.to_owned(),
        known: T::WORDS,
    })
}

/// A failure policy by our words, or by Envoy's, which say at the same time what becomes of the VM.
pub(super) fn failure_policy(text: &str) -> Result<(FailurePolicy, Recovery), Problem> {
    choice(text).map(|PolicyName(policy, recovery)| (policy, recovery))
}

#[derive(Clone, Copy)]
struct PolicyName(FailurePolicy, Recovery);

impl Choice for PolicyName {
    const WORDS: &'static [&'static str] =
        &["closed", "open", "FAIL_CLOSED", "FAIL_OPEN", "FAIL_RELOAD"];
    const CASES: &'static [Self] = &[
        Self(FailurePolicy::Closed, Recovery::Restart),
        Self(FailurePolicy::Open, Recovery::Restart),
        // Envoy builds a failed VM again with another configuration only, unless it is told to reload.
        Self(FailurePolicy::Closed, Recovery::Never),
        Self(FailurePolicy::Open, Recovery::Never),
        Self(FailurePolicy::Closed, Recovery::Restart),
    ];
}

impl Choice for Recovery {
    const WORDS: &'static [&'static str] = &["restart", "never"];
    const CASES: &'static [Self] = &[Self::Restart, Self::Never];
}

impl Choice for OnHeadersPause {
    const WORDS: &'static [&'static str] = &["stop_all", "stop_iteration"];
    const CASES: &'static [Self] = &[Self::StopAll, Self::StopIteration];
}

impl Choice for Service {
    const WORDS: &'static [&'static str] = &["each_worker", "once"];
    const CASES: &'static [Self] = &[Self::EachWorker, Self::Once];
}

impl Choice for AllowCallouts {
    const WORDS: &'static [&'static str] = &["clusters", "any"];
    const CASES: &'static [Self] = &[Self::Clusters, Self::Any];
}

impl Choice for LogLevel {
    const WORDS: &'static [&'static str] = &["trace", "debug", "info", "warn", "error", "off"];
    const CASES: &'static [Self] = &[
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Off,
    ];
}

impl LogLevel {
    /// The word that the configuration uses for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Off => "off",
        }
    }
}
