//! The functions that answer those imports of the legacy module which the shim does not answer itself.

use wasm_encoder::Function;

use crate::imports::{Adaptation, Argument};
use crate::report::StubAnswer;

/// Throws the exception that stands for `proc_exit`.
pub(crate) fn exit(tag: u32) -> Function {
    let mut function = Function::new([]);
    function.instructions().local_get(0).throw(tag).end();
    function
}

/// Calls a hostcall (by its index in main) as the ABI declares it.
pub(crate) fn adapted(adaptation: &Adaptation, hostcall: u32) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    for argument in adaptation.arguments {
        match argument {
            Argument::Param(index) => code.local_get(*index),
            Argument::Zero => code.i32_const(0),
        };
    }
    code.call(hostcall);
    if adaptation.drops_result {
        code.drop();
    }
    code.end();
    function
}

/// Reports the stub's name, which lies at `offset` in the table of stub names, then says that nobody implements it.
pub(crate) fn stub(report: u32, offset: u32, len: u32, answer: StubAnswer) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    code.i32_const(offset.cast_signed())
        .i32_const(len.cast_signed())
        .call(report);
    match answer {
        StubAnswer::Status(value) => code.i32_const(value.cast_signed()),
        StubAnswer::Nothing => &mut code,
        StubAnswer::Trap => code.unreachable(),
    };
    code.end();
    function
}
