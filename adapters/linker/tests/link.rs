//! Links the module of every directory below `tests/link` and compares what comes out.
//!
//! | File | Holds |
//! |---|---|
//! | `module.wat` | the module, or component, to link |
//! | `module.wasm` | the same, if it has no text form |
//! | `report.txt` | what the linker reports |
//! | `legacy.wat` | the module as it is in the component |
//! | `inspection.txt` | what an inspection finds |
//! | `error.txt` | the error; the directory's name begins with `error-` |
//!
//! `BLESS=1` writes what came out over what was expected.
//!
//! Of every case that links it is also checked that the component is valid, that linking again gives the same bytes,
//! that code and names of the module are as they were, and that the segments write the same bytes.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics has failed"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use libtest_mimic::{Arguments, Failed, Trial};
use pretty_assertions::StrComparison;
use proxy_wasi_linker::{LinkError, LinkReport, Linker, Refusal};

#[path = "support/core_module.rs"]
mod core_module;
#[path = "support/test_shim.rs"]
mod test_shim;
#[path = "support/untouched.rs"]
mod untouched;

use untouched::Image;

fn main() {
    let arguments = Arguments::from_args();
    let linker = Linker::new(&test_shim::test_shim()).expect("the test shim keeps the contract");
    let linker: &'static Linker = Box::leak(Box::new(linker.validate(true)));
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/link");
    let mut directories: Vec<PathBuf> = fs::read_dir(cases)
        .expect("tests/link can be listed")
        .map(|entry| entry.expect("tests/link can be listed").path())
        .collect();
    directories.sort();
    let trials = directories
        .into_iter()
        .map(|directory| {
            let name = file_name(&directory);
            Trial::test(name, move || run(linker, &directory))
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}

fn run(linker: &Linker, case: &Path) -> Result<(), Failed> {
    let module = read_module(case)?;
    let expects_error = file_name(case).starts_with("error-");
    let linked = linker.link(&module);
    check_inspection(linker, case, &module, linked.as_ref().err())?;
    match linked {
        Ok(_) if expects_error => Err("linked, though the case is called `error-`".into()),
        Ok(linked) => {
            check_component(linker, &module, &linked.component)?;
            let [_, library] = core_module::main_and_library(&linked.component);
            compare(
                &case.join("legacy.wat"),
                &wasmprinter::print_bytes(library)?,
            )?;
            compare(&case.join("report.txt"), &print_report(&linked.report))
        }
        Err(error) if expects_error => compare(&case.join("error.txt"), &format!("{error}\n")),
        Err(error) => Err(error.to_string().into()),
    }
}

/// An inspection must foretell what linking does.
fn check_inspection(
    linker: &Linker,
    case: &Path,
    module: &[u8],
    error: Option<&LinkError>,
) -> Result<(), Failed> {
    let text = match linker.inspect(module) {
        Ok(inspection) => {
            let is_component = matches!(error, Some(LinkError::AlreadyComponent));
            // That of invalid function bodies is said of the component when linking, of the module here.
            let agrees = match (&inspection.refusal, error) {
                (Some(Refusal::Link(refusal)), Some(error)) => refusal == error,
                (Some(Refusal::Binary(_)), Some(LinkError::Invalid { .. })) | (None, None) => true,
                _ => is_component,
            };
            check(agrees, "the inspection comes to another conclusion")?;
            let refused = inspection.refusal.as_ref();
            let refused = refused.map(|refusal| format!("refused: {refusal}\n"));
            format!("{inspection:#?}\n{}", refused.unwrap_or_default())
        }
        Err(error) => format!("{error}\n"),
    };
    compare(&case.join("inspection.txt"), &text)
}

fn check_component(linker: &Linker, module: &[u8], component: &[u8]) -> Result<(), Failed> {
    let again = linker.link(module)?.component;
    check(again == component, "linking again gives other bytes")?;
    let [main, library] = core_module::main_and_library(component);
    let same_code = untouched::code(module) == untouched::code(library);
    check(same_code, "the code section has changed")?;
    for section in ["name", ".debug_info", ".debug_line", "producers"] {
        let [before, after] =
            [module, library].map(|module| core_module::custom_section(module, section));
        check(before == after, &format!("section `{section}` has changed"))?;
    }
    let mut expected = Image::default();
    expected.write(module, 0);
    let mut image = Image::default();
    image.write(main, 1);
    image.write(library, 0);
    check(image == expected, "the segments write other bytes")
}

fn check(holds: bool, message: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(message.into()) }
}

fn print_report(report: &LinkReport) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "abi: {}", report.abi);
    let _ = writeln!(text, "callbacks: {}", report.callbacks.join(" "));
    for stub in &report.stubs {
        let _ = writeln!(
            text,
            "stub: {} {}: {:?}, answers {:?}",
            stub.import, stub.signature, stub.reason, stub.answer
        );
    }
    for import in &report.adapted {
        let _ = writeln!(text, "adapted: {import}");
    }
    for import in &report.duplicates {
        let _ = writeln!(text, "duplicate: {import}");
    }
    let segments = report.segments;
    let _ = writeln!(
        text,
        "segments: {} moved as {}, {} kept",
        segments.moved, segments.merged, segments.kept
    );
    text
}

fn read_module(case: &Path) -> Result<Vec<u8>, Failed> {
    let wasm = case.join("module.wasm");
    if wasm.exists() {
        return Ok(fs::read(wasm)?);
    }
    Ok(wat::parse_file(case.join("module.wat"))?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "`BLESS` is for whoever runs this test"
)]
fn compare(expected: &Path, actual: &str) -> Result<(), Failed> {
    if env::var_os("BLESS").is_some() {
        return Ok(fs::write(expected, actual)?);
    }
    let text = fs::read_to_string(expected).unwrap_or_default();
    if text == actual {
        return Ok(());
    }
    let file = file_name(expected);
    let difference = StrComparison::new(&text, actual);
    Err(format!("{file} differs; `BLESS=1` accepts:\n{difference}").into())
}

fn file_name(path: &Path) -> String {
    match path.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => panic!("{} has no name", path.display()),
    }
}
