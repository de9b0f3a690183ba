//! `proxy-wasi inspect`.

use proxy_wasi_runtime::plugin::Artifact;

use crate::args::InspectArgs;
use crate::exit::Failure;

pub(crate) fn run(args: &InspectArgs) -> Result<(), Failure> {
    let _artifact = Artifact::read(&args.file)?;
    Ok(())
}
