//! A directory and a command line in it.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A fresh directory, in which commands run with an environment of their own.
pub(crate) struct Shell {
    directory: tempfile::TempDir,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// A directory with files in it.
    pub(crate) fn with(files: &[(&str, &[u8])]) -> Self {
        let shell = Self::new();
        for (name, content) in files {
            shell.write(name, content);
        }
        shell
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), content).unwrap();
    }

    /// `proxy-wasi` with these arguments, divided by blanks. Single quotes hold an argument together.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proxy-wasi"));
        command
            .args(split(arguments))
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path());
        command.env("COLUMNS", "100").stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs commands and shows them with what they print. They must all end by themselves.
    pub(crate) fn transcript<'a>(&self, commands: impl IntoIterator<Item = &'a str>) -> String {
        let mut text = String::new();
        for arguments in commands {
            let output = self.run(arguments);
            let code = output.status.code().expect("no signal ends it");
            writeln!(text, "$ proxy-wasi {arguments}").unwrap();
            text += &String::from_utf8(output.stdout).unwrap();
            if !output.stderr.is_empty() {
                text += "[on standard error]\n";
                text += &without_times(&String::from_utf8(output.stderr).unwrap());
            }
            writeln!(text, "[exit code {code}]\n").unwrap();
        }
        let directory = self.path().to_str().unwrap();
        text.replace(directory, "[directory]")
    }
}

fn split(arguments: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for char in arguments.chars() {
        match char {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    if arguments.is_empty() {
        Vec::new()
    } else {
        words
    }
}

/// Log lines without the time they begin with.
fn without_times(text: &str) -> String {
    let line = |line: &str| match line.split_once("Z ") {
        Some((time, rest)) if time.starts_with(|char: char| char.is_ascii_digit()) => {
            format!("[time] {rest}\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}
