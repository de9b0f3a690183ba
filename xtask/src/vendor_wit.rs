//! `cargo xtask vendor-wit`: the only thing that writes `wit/deps`.
//!
//! The WASI packages are cut down to the types and functions that the contract uses. The full `wasi:http` and
//! `wasi:clocks` hold `async` functions, `stream` and `future`, which guest tools trip over (they enumerate a whole
//! interface) and which the synchronous engine refuses. A test compares each cut with the full package.

use std::fs;

use anyhow::{Context, bail};

use crate::workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail if wit/deps is not what this command would write.
    #[arg(long)]
    check: bool,
}

struct Package {
    /// The file in `wit/deps`.
    file: &'static str,
    /// The crate that carries the full package, and its file there.
    source: (&'static str, &'static str),
    header: &'static str,
    /// Interfaces and the items of each that are kept, in the source's order.
    interfaces: &'static [(&'static str, &'static [&'static str])],
}

const WASI_P3: &str = "wasmtime-wasi-http";

const PACKAGES: &[Package] = &[
    Package {
        file: "wasi-clocks.wit",
        source: (WASI_P3, "src/p3/wit/deps/clocks.wit"),
        header: "package wasi:clocks@0.3.0;",
        interfaces: &[
            ("monotonic-clock", &["mark", "now"]),
            ("system-clock", &["instant", "now"]),
        ],
    },
    Package {
        file: "wasi-http.wit",
        source: (WASI_P3, "src/p3/wit/deps/http.wit"),
        header: "package wasi:http@0.3.0;",
        interfaces: &[(
            "types",
            &[
                "method",
                "scheme",
                "DNS-error-payload",
                "TLS-alert-received-payload",
                "field-size-payload",
                "error-code",
                "field-name",
                "field-value",
                "status-code",
            ],
        )],
    },
    Package {
        file: "wasi-logging.wit",
        source: ("wasi-logger", "wit/deps/logging/logging.wit"),
        header: "package wasi:logging@0.1.0-draft;",
        interfaces: &[("logging", &["level", "log"])],
    },
    Package {
        file: "wasi-random.wit",
        source: (WASI_P3, "src/p3/wit/deps/random.wit"),
        header: "package wasi:random@0.3.0;",
        interfaces: &[("random", &["get-random-bytes", "get-random-u64"])],
    },
];

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let deps = workspace::root().join("wit/deps");
    for package in PACKAGES {
        let path = deps.join(package.file);
        let wanted = cut_package(package)?;
        if !args.check {
            fs::create_dir_all(&deps)?;
            fs::write(&path, wanted).with_context(|| format!("cannot write {}", path.display()))?;
        } else if fs::read_to_string(&path).ok().as_deref() != Some(&wanted) {
            bail!(
                "wit/deps/{} is stale; run `cargo xtask vendor-wit`",
                package.file
            );
        }
    }
    Ok(())
}

fn cut_package(package: &Package) -> anyhow::Result<String> {
    let (source, file) = package.source;
    let path = workspace::sources_of(source)?.join(file);
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut cut = format!(
        "// Cut from {file} of the crate {source} by `cargo xtask vendor-wit`. Do not edit.\n{}\n",
        package.header
    );
    for (interface, items) in package.interfaces {
        let body = block(&text, &format!("interface {interface}"))
            .with_context(|| format!("{} has no interface `{interface}`", path.display()))?;
        cut.push_str(&format!("\ninterface {interface} {{\n"));
        for (at, name) in items.iter().enumerate() {
            let item = item(body, name).with_context(|| {
                format!(
                    "interface `{interface}` of {} has no `{name}`",
                    path.display()
                )
            })?;
            cut.push_str(if at == 0 { "" } else { "\n" });
            cut.push_str(item);
        }
        cut.push_str("}\n");
    }
    Ok(cut)
}

/// What stands between the braces of the block that `opening` begins.
fn block<'a>(text: &'a str, opening: &str) -> Option<&'a str> {
    let start = text.match_indices(opening).find_map(|(at, _)| {
        let rest = text[at + opening.len()..].trim_start();
        rest.starts_with('{').then(|| text.len() - rest.len() + 1)
    })?;
    Some(text[start..start + end_of_block(&text[start..])?].trim_start_matches('\n'))
}

/// Where the block that began before `text` ends.
fn end_of_block(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let code = line.split("//").next().unwrap_or(line);
        for (offset, byte) in code.bytes().enumerate() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(at + offset);
            }
        }
        at += line.len();
    }
    None
}

/// The declaration of `name` with the comments and attributes before it.
fn item<'a>(interface: &'a str, name: &str) -> Option<&'a str> {
    let mut at = 0;
    let mut start = 0;
    let mut lines = interface.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        let is_preamble = code.starts_with("//") || code.starts_with('@');
        if !is_preamble && !code.trim().is_empty() {
            let declares = declared_name(code) == Some(name);
            let mut end = at + line.len();
            let mut depth = braces(line);
            while depth > 0 {
                let next = lines.next()?;
                depth += braces(next);
                end += next.len();
            }
            if declares {
                return interface.get(start..end);
            }
            at = end;
            start = end;
            continue;
        }
        at += line.len();
        if code.trim().is_empty() {
            start = at;
        }
    }
    None
}

/// Opening less closing braces of a line's code.
fn braces(line: &str) -> i32 {
    let code = line.split("//").next().unwrap_or(line);
    code.bytes()
        .map(|byte| i32::from(byte == b'{') - i32::from(byte == b'}'))
        .sum()
}

fn declared_name(code: &str) -> Option<&str> {
    let code = ["type ", "record ", "variant ", "enum ", "flags "]
        .iter()
        .find_map(|keyword| code.strip_prefix(keyword))
        .unwrap_or(code);
    code.split([':', ' ', '=', '{']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of an interface that say something.
    fn declarations(text: &str, interface: &str) -> Vec<String> {
        block(text, &format!("interface {interface}"))
            .unwrap_or_else(|| panic!("no interface `{interface}`"))
            .lines()
            .map(|line| line.split("//").next().unwrap_or(line).trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    }

    #[test]
    fn every_cut_is_a_strict_subset_of_its_package() {
        for package in PACKAGES {
            let (source, file) = package.source;
            let full =
                fs::read_to_string(workspace::sources_of(source).unwrap().join(file)).unwrap();
            let cut =
                fs::read_to_string(workspace::root().join("wit/deps").join(package.file)).unwrap();
            for (interface, _) in package.interfaces {
                let full = declarations(&full, interface);
                let mut rest = full.iter();
                let cut = declarations(&cut, interface);
                for line in &cut {
                    assert!(
                        rest.any(|known| known == line),
                        "`{line}` of {interface} in {} is not in the full package",
                        package.file
                    );
                }
                if package.file != "wasi-logging.wit" {
                    assert!(
                        cut.len() < full.len() || *interface == "random",
                        "{interface} is not cut"
                    );
                }
            }
        }
    }

    #[test]
    fn vendored_packages_are_current() {
        run(&Args { check: true }).unwrap();
    }

    #[test]
    fn nothing_asynchronous_is_left() {
        for package in PACKAGES {
            let cut = cut_package(package).unwrap();
            for line in cut
                .lines()
                .map(|line| line.split("//").next().unwrap_or(line))
            {
                for word in ["async", "stream<", "future<", "resource "] {
                    assert!(!line.contains(word), "{}: {line}", package.file);
                }
            }
        }
    }
}
