//! One file for each command.

mod compose;
mod inspect;
mod serve;

use crate::args::Command;
use crate::exit::Failure;

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(*args),
        Command::Compose(args) => compose::run(&args),
        Command::Inspect(args) => inspect::run(&args),
    }
}
