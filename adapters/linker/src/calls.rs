//! The functions that replace the shim's imports from `proxy-wasi:legacy`: calls of what the legacy module exports.
//!
//! Each catches the exception that `proc_exit` throws. What the legacy module had on its stack is gone then; the shim
//! learns of it through `take-exit`. (A module that catches foreign exceptions itself, and does not throw them again,
//! can go on after its exit; no known one does.)

use wasm_encoder::{BlockType, Catch, Function, InstructionSink, ValType};

use crate::bridge::BridgeItems;
use crate::index::to_u32;
use crate::signature::Signature;

/// A call of a function that main imports from the legacy module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// The function's index in main.
    pub(crate) function: u32,
    pub(crate) signature: &'a Signature,
}

/// A function with `signature` that makes `calls` one after the other. Each gets the first parameters, as many as it
/// takes and zero for any more; the last one gives the result, or `default` if there is none.
pub(crate) fn body(
    signature: &Signature,
    calls: &[Call<'_>],
    default: i32,
    items: &BridgeItems,
) -> Function {
    let has_result = !signature.results().is_empty();
    let mut function = Function::new([(1, ValType::I32)]);
    let exit = to_u32(signature.params().len());
    let mut code = function.instructions();
    let Some((last, others)) = calls.split_last() else {
        if has_result {
            code.i32_const(default);
        }
        code.end();
        return function;
    };
    code.block(BlockType::Result(ValType::I32));
    let block = if has_result {
        BlockType::Result(ValType::I32)
    } else {
        BlockType::Empty
    };
    code.try_table(
        block,
        [Catch::One {
            tag: items.exit_tag,
            label: 0,
        }],
    );
    for call in others {
        call_with_params(&mut code, *call, signature);
        if !call.signature.results().is_empty() {
            code.drop();
        }
    }
    call_with_params(&mut code, *last, signature);
    if !has_result && !last.signature.results().is_empty() {
        code.drop();
    }
    code.end().return_().end();
    // The exit code is on the stack. Code + 1 is 0 for the largest code, which would read as no exit at all; that one
    // code is reported as its predecessor.
    code.i32_const(1).i32_add().local_tee(exit);
    code.local_get(exit)
        .i32_eqz()
        .i32_sub()
        .global_set(items.exit_global);
    if has_result {
        code.i32_const(0);
    }
    code.end();
    function
}

fn call_with_params(code: &mut InstructionSink<'_>, call: Call<'_>, signature: &Signature) {
    for (index, _) in (0..).zip(call.signature.params()) {
        if (index as usize) < signature.params().len() {
            code.local_get(index);
        } else {
            code.i32_const(0);
        }
    }
    code.call(call.function);
}
