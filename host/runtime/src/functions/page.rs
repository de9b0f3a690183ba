//! The tables of the documentation.

use std::fmt::Write;

use proxy_wasi_abi::hostcall::hostcall;
use proxy_wasi_abi::{AbiVersion, wasi};

use super::{Area, CALLBACKS, CONTRACT_ONLY, Function, HOSTCALLS, Support};

/// Returns `docs/functions.md`.
#[must_use]
pub fn functions() -> String {
    let mut page = String::from(INTRODUCTION);
    for (title, areas) in [("Host functions", HOSTCALLS), ("Callbacks", CALLBACKS)] {
        page += &format!("\n## {title}\n");
        for area in areas {
            page += &format!("\n### {}\n\n{HEADING}", area.title);
            for function in area.functions {
                page += &row(function);
            }
        }
    }
    page += "\n## Only in the contract\n\n| Function | Does |\n|---|---|\n";
    for (name, does) in CONTRACT_ONLY {
        page += &format!("| `{name}` | {does} |\n");
    }
    page += &wasi_section();
    page
}

const INTRODUCTION: &str = "\
# Every function and callback

What becomes of each function and callback of Proxy-Wasm 0.1.0, 0.2.0 and 0.2.1, in legacy modules and in components, which
have functions with types instead (the [contract](../wit/README.md)). *Works* means: as in Envoy 1.36. Numbers in
parentheses are the status that modules get; components get an error that names the cause. How streams behave as a whole is
in [deviations.md](deviations.md).

This page is made from [functions.rs](../host/runtime/src/functions.rs); a test compares the two, and the lists of what the
shim and the contract have.
";

const HEADING: &str =
    "| Function | In | Legacy modules | Components have | Which |\n|---|---|---|---|---|\n";

fn row(function: &Function) -> String {
    let wit: Vec<_> = function
        .wit
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let wit = if wit.is_empty() {
        "-".to_owned()
    } else {
        wit.join(", ")
    };
    format!(
        "| `{}` | {} | {} | {wit} | {} |\n",
        function.name,
        versions(function.name),
        status(function.legacy),
        component(function),
    )
}

/// The versions whose text has a function; all if nothing is said.
fn versions(name: &str) -> String {
    let all = AbiVersion::ALL;
    let Some(hostcall) = hostcall(name) else {
        return String::new();
    };
    if hostcall.versions.len() == all.len() {
        return "all".to_owned();
    }
    let versions: Vec<_> = hostcall.versions.iter().map(ToString::to_string).collect();
    versions.join(", ")
}

fn component(function: &Function) -> String {
    let differs = matches!(function.component, Support::Differs(_));
    if differs && function.component == function.legacy {
        "differs likewise".to_owned()
    } else {
        status(function.component)
    }
}

fn status(support: Support) -> String {
    match support {
        Support::Works => "works".to_owned(),
        Support::Differs(how) => format!("differs: {how}"),
        Support::Absent(why) => format!("none: {why}"),
    }
}

fn wasi_section() -> String {
    let mut section = String::from(
        "\n## WASI preview 1\n\nModules may import all of these from `wasi_snapshot_preview1` and `wasi_unstable`. There \
         are clocks and random numbers, standard\noutput and error go to the log line by line, and there are no files and \
         sockets. Components have the same of WASI 0.2 and 0.3.\n\n",
    );
    let names: Vec<_> = wasi::WASI
        .iter()
        .map(|function| format!("`{}`", function.name))
        .collect();
    // The width of the other pages.
    let mut width = 0;
    for (at, name) in names.iter().enumerate() {
        let comma = if at + 1 < names.len() { "," } else { "." };
        if width + name.len() + 2 > 120 {
            section.push('\n');
            width = 0;
        } else if at > 0 {
            section.push(' ');
            width += 1;
        }
        width += name.len() + 1;
        // Writing to a string cannot fail.
        let _ = write!(section, "{name}{comma}");
    }
    section.push('\n');
    section
}

/// Returns the table of the README: each area in a row.
#[must_use]
pub fn summary() -> String {
    let mut table = String::from(
        "| | Functions and callbacks | Legacy modules | Components |\n|---|---|---|---|\n",
    );
    for area in HOSTCALLS.iter().chain(CALLBACKS) {
        let names: Vec<_> = area
            .functions
            .iter()
            .map(|function| format!("`{}`", function.name))
            .collect();
        let legacy = in_short(area, |function| function.legacy);
        let component = in_short(area, |function| function.component);
        table += &format!(
            "| {} | {} | {legacy} | {component} |\n",
            area.title,
            names.join(", ")
        );
    }
    table
}

/// How an area behaves, counted.
fn in_short(area: &Area, of: fn(&Function) -> Support) -> String {
    let all = area.functions.len();
    let count = |is: fn(&Support) -> bool| {
        area.functions
            .iter()
            .filter(|function| is(&of(function)))
            .count()
    };
    let differing = count(|support| matches!(support, Support::Differs(_)));
    let works = count(|support| matches!(support, Support::Works));
    match (works + differing, differing) {
        (0, _) => "none".to_owned(),
        (some, 0) if some == all => "works".to_owned(),
        (some, differing) if some == all && differing == all => {
            "works, with differences".to_owned()
        }
        (some, differing) if some == all => format!("works, {differing} with differences"),
        (some, 0) => format!("{some} of {all}"),
        (some, differing) => format!("{some} of {all}, {differing} with differences"),
    }
}
