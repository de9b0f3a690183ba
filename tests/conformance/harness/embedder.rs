//! A host with foreign functions of its own, as an embedder of the library makes one. It is this very test program,
//! started again with one of its tests, which then serves instead.

use std::env;
use std::io;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use proxy_wasi_runtime::config::{Config, Setting, Settings};
use proxy_wasi_runtime::foreign::{ForeignCaller, ForeignError, ForeignFunctions};
use proxy_wasi_runtime::{Services, run_with};

/// The command that starts it; the flags of `proxy-wasi serve` follow, as filters that no test has for a name.
pub(super) fn command() -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["harness::embedder::its_functions_are_its_own", "--exact"])
        .args(["--nocapture", "--"]);
    command
}

#[test]
fn its_functions_are_its_own() {
    let mut flags = env::args().skip_while(|arg| arg != "--").skip(1).peekable();
    if flags.peek().is_some() {
        return serve(flags);
    }
    let library = ForeignFunctions::default();
    for name in ["call_back", "call_back_twice", "call_back_later"] {
        assert!(functions().names().any(|own| own == name), "{name}");
        assert!(library.names().all(|known| known != name), "{name}");
    }
}

#[expect(clippy::print_stdout, reason = "the ready line of `proxy-wasi serve`")]
fn serve(mut flags: impl Iterator<Item = String>) {
    let mut settings = Settings::default();
    while let (Some(flag), Some(value)) = (flags.next(), flags.next()) {
        let setting = Some(Setting::flag("a flag", value.clone()));
        match flag.as_str() {
            "--config" => settings = Settings::read(value.as_ref()).unwrap(),
            "--cache-dir" => settings.cache_dir = setting,
            "--listen" => settings.listen = setting,
            "--workers" => settings.workers = setting,
            _ => panic!("`{flag}` is no flag of this host"),
        }
    }
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
    let services = Services {
        foreign_functions: Arc::new(functions()),
        ..Services::default()
    };
    let config = Config::resolve(settings).unwrap();
    run_with(config, services, |addresses| {
        println!("listening on http://{}", addresses.listen);
    })
    .unwrap();
}

/// - `call_back`: has the caller's function 7 called with the input.
/// - `call_back_twice`: functions 1 and 2.
/// - `call_back_later`: function 7, from another thread.
fn functions() -> ForeignFunctions {
    let call = |caller: &ForeignCaller, function_id, input: &[u8]| {
        let called = caller.call_back(function_id, input);
        called.map_err(|_| ForeignError::Failed)
    };
    let mut functions = ForeignFunctions::default();
    functions.register_with_caller("call_back", move |caller, input| {
        call(caller, 7, input)?;
        Ok(caller.plugin().into())
    });
    functions.register_with_caller("call_back_twice", move |caller, input| {
        call(caller, 1, input)?;
        call(caller, 2, input)?;
        Ok(Vec::new())
    });
    functions.register_with_caller("call_back_later", move |caller, input| {
        let (caller, input) = (caller.clone(), input.to_vec());
        thread::spawn(move || call(&caller, 7, &input));
        Ok(Vec::new())
    });
    functions
}
