//! `proxy-wasi inspect`.

mod report;

use std::io::{self, Write};

use proxy_wasi_linker::{Inspection, Linker};
use proxy_wasi_runtime::config::CacheLocation;
use proxy_wasi_runtime::plugin::{Artifact, LoadError, PluginEngine, PluginLoader};
use proxy_wasi_shim_artifact::SHIM;

use self::report::Report;
use crate::args::InspectArgs;
use crate::exit::{self, Failure};

pub(crate) fn run(args: &InspectArgs) -> Result<(), Failure> {
    let artifact = Artifact::read(&args.file)?;
    let inspection = Linker::new(SHIM)?
        .inspect(artifact.bytes())
        .map_err(|error| artifact.invalid(error))?;
    let refusal = refusal(&inspection, &artifact);
    let report = Report {
        path: &args.file,
        inspection: &inspection,
        refusal: refusal.as_deref(),
    };
    match write!(io::stdout(), "{report}") {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Write {
            what: "to standard output".to_owned(),
            way_out: "check where it goes",
            source: error,
        }),
        _ => Ok(()),
    }
}

/// Why `serve` will not run the file. The inspection tells from outside; whether imports and exports have the types that
/// they must have, the engine says.
fn refusal(inspection: &Inspection, artifact: &Artifact) -> Option<String> {
    if let Some(refusal) = &inspection.refusal {
        return Some(exit::one_line(refusal));
    }
    let engine = match PluginEngine::new() {
        Ok(engine) => engine,
        Err(error) => return Some(format!("this machine cannot run plugins: {error:#}")),
    };
    // A command that only looks should leave nothing behind.
    let loader = PluginLoader::new(&engine, &CacheLocation::Disabled);
    let error = loader.check_types(artifact).err()?;
    if let LoadError::Code { source, .. } = &error {
        // The report begins with the file's path.
        return Some(exit::one_line(source));
    }
    Some(exit::one_line(&error))
}
