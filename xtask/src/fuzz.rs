//! `cargo xtask fuzz`: builds the fuzz targets with coverage and runs them for a bounded time.
//!
//! What `cargo fuzz run --sanitizer none` does, without a nightly compiler: coverage comes from a pass of LLVM that the
//! stable one has too. libFuzzer itself is C++, so a C++ compiler is needed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::workspace;

/// The targets: binaries of `fuzz/`, without their `fuzz-`.
const TARGETS: &[&str] = &["linker", "pairs"];

/// What makes the compiler count edges and show comparisons to libFuzzer. As in cargo-fuzz.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
    "--cfg=fuzzing",
];

/// Seconds that one input may take. The slowest that links takes some milliseconds.
const SLOW: u32 = 10;

/// MiB. Beyond it an input makes the linker take memory that its size does not explain.
const MEMORY: u32 = 2048;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The targets to run; all of them by default.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(TARGETS.iter().copied()))]
    targets: Vec<String>,
    /// For how long each runs, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Runs the targets; fails with the first input that breaks one.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let directory = workspace::target_dir()?.join("fuzz");
    let built = build(&directory)?;
    let chosen = |target: &&&str| {
        args.targets.is_empty() || args.targets.iter().any(|chosen| chosen == **target)
    };
    for target in TARGETS.iter().filter(chosen) {
        run_target(target, &built, &directory, args.seconds)?;
    }
    Ok(())
}

/// Builds all targets; returns the directory of the programs.
fn build(directory: &Path) -> anyhow::Result<PathBuf> {
    let host = host_triple()?;
    let mut cargo = workspace::cargo();
    // With a target named, flags are for it alone and not for build scripts.
    cargo
        .args(["build", "--release", "--package", "proxy-wasi-fuzz"])
        .args(["--target", &host, "--target-dir"])
        .arg(directory)
        .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}"));
    workspace::succeed(&mut cargo)?;
    Ok(directory.join(host).join("release"))
}

fn host_triple() -> anyhow::Result<String> {
    let output = std::process::Command::new("rustc")
        .args(["--print", "host-tuple"])
        .current_dir(workspace::root())
        .output()
        .context("cannot run rustc")?;
    ensure!(output.status.success(), "rustc does not name its host");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Runs one target. What it finds interesting is kept for the next time.
fn run_target(target: &str, built: &Path, directory: &Path, seconds: u32) -> anyhow::Result<()> {
    let corpus = directory.join("corpus").join(target);
    let found = directory.join("found").join(target);
    for directory in [&corpus, &found] {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
    }
    let seeds = directory.join("seeds").join(target);
    sow(target, &seeds)?;
    let mut fuzzer = std::process::Command::new(built.join(format!("fuzz-{target}")));
    fuzzer
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={SLOW}"))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg("-print_final_stats=1")
        .args([&corpus, &seeds]);
    let status = fuzzer
        .status()
        .with_context(|| format!("cannot run {fuzzer:?}"))?;
    ensure!(
        status.success(),
        "`{target}` broke; the input is in {}, and `cargo xtask fuzz {target}` starts from it when it is put into {}",
        found.display(),
        corpus.display()
    );
    Ok(())
}

/// What a target starts from, made anew each time.
fn sow(target: &str, seeds: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(seeds).with_context(|| format!("cannot make {}", seeds.display()))?;
    if target != "linker" {
        // libFuzzer wants something to start from, and finds its way from nothing.
        return Ok(fs::write(seeds.join("empty-map"), [0; 4])?);
    }
    let cases = workspace::root().join("adapters/linker/tests/link");
    for case in fs::read_dir(&cases).with_context(|| format!("cannot list {}", cases.display()))? {
        let case = case?;
        let seed = seeds.join(case.file_name());
        let (text, binary) = (
            case.path().join("module.wat"),
            case.path().join("module.wasm"),
        );
        if text.exists() {
            let bytes = wat::parse_file(&text)
                .with_context(|| format!("{} does not assemble", text.display()))?;
            fs::write(seed, bytes)?;
        } else if binary.exists() {
            fs::copy(binary, seed)?;
        }
    }
    Ok(())
}
