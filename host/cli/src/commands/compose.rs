//! `proxy-wasi compose`.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use proxy_wasi_linker::Linker;
use proxy_wasi_runtime::plugin::{Artifact, ArtifactError};
use proxy_wasi_shim_artifact::SHIM;

use crate::args::ComposeArgs;
use crate::exit::Failure;

pub(crate) fn run(args: &ComposeArgs) -> Result<(), Failure> {
    let to_stdout = args.output == Path::new("-");
    if to_stdout && io::stdout().is_terminal() {
        return Err(Failure::Usage(
            "a component is no text for a terminal; give `-o FILE`, or redirect `-o -`".to_owned(),
        ));
    }
    let legacy = Artifact::read(&args.legacy)?;
    // Validated: it may go anywhere, and nobody waits for this command's milliseconds.
    let linker = Linker::new(SHIM)?;
    // Of what is not broken, linking says better why it cannot be linked.
    if let Err(broken @ ArtifactError::Binary { .. }) = legacy.check(&linker) {
        return Err(broken.into());
    }
    let linked = linker
        .validate(true)
        .link(legacy.bytes())
        .map_err(|source| Failure::Link {
            path: args.legacy.clone(),
            source,
        })?;
    if to_stdout {
        let written = io::stdout()
            .write_all(&linked.component)
            .and_then(|()| io::stdout().flush());
        return written.map_err(|source| Failure::Write {
            what: "to standard output".to_owned(),
            way_out: "check what reads it",
            source,
        });
    }
    fs::write(&args.output, &linked.component).map_err(|source| Failure::Write {
        what: format!("`{}`", args.output.display()),
        way_out: "give `-o` a path in a directory that exists and that you may write to",
        source,
    })
}
