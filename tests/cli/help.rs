//! Help states what each command does, its defaults and its units.

use crate::shell::Shell;

#[test]
fn help() {
    let commands = ["--help", "serve --help", "compose --help", "inspect --help"];
    insta::assert_snapshot!(Shell::new().transcript(commands));
}

#[test]
fn version() {
    let output = Shell::new().run("--version");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("proxy-wasi {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(output.status.code(), Some(0));
}
