// The plugin of the toolchain tests, in Zig, over the ABI itself.

const std = @import("std");

const allocator = std.heap.wasm_allocator;

extern "env" fn proxy_log(level: u32, message: [*]const u8, size: usize) u32;
extern "env" fn proxy_get_header_map_value(map: u32, name: [*]const u8, name_size: usize, data: *?[*]u8, size: *usize) u32;
extern "env" fn proxy_add_header_map_value(map: u32, name: [*]const u8, name_size: usize, value: [*]const u8, value_size: usize) u32;
extern "env" fn proxy_replace_header_map_value(map: u32, name: [*]const u8, name_size: usize, value: [*]const u8, value_size: usize) u32;
extern "env" fn proxy_remove_header_map_value(map: u32, name: [*]const u8, name_size: usize) u32;
extern "env" fn proxy_get_buffer_bytes(buffer: u32, start: usize, length: usize, data: *?[*]u8, size: *usize) u32;
extern "env" fn proxy_set_buffer_bytes(buffer: u32, start: usize, length: usize, data: [*]const u8, size: usize) u32;
extern "env" fn proxy_send_local_response(status: u32, details: [*]const u8, details_size: usize, body: [*]const u8, body_size: usize, headers: [*]const u8, headers_size: usize, grpc_status: i32) u32;

const request_headers = 0;
const response_headers = 2;
const request_body = 0;
const plugin_configuration = 7;
const keep_going = 0;
const pause = 1;

var configuration: []const u8 = "";

/// Of the streams' request bodies, by context.
var bytes: std.AutoHashMapUnmanaged(u32, usize) = .empty;

/// What the host returns: memory that it had from `proxy_on_memory_allocate`.
const Returned = struct {
    data: ?[*]u8 = null,
    size: usize = 0,

    fn slice(self: Returned) []u8 {
        return if (self.data) |data| data[0..self.size] else &.{};
    }

    fn free(self: Returned) void {
        allocator.free(self.slice());
    }
};

fn log(comptime format: []const u8, arguments: anytype) void {
    var line: [256]u8 = undefined;
    const text = std.fmt.bufPrint(&line, format, arguments) catch &line;
    _ = proxy_log(2, text.ptr, text.len);
}

fn requestHeader(name: []const u8) Returned {
    var value: Returned = .{};
    _ = proxy_get_header_map_value(request_headers, name.ptr, name.len, &value.data, &value.size);
    return value;
}

fn buffer(kind: u32, size: usize) Returned {
    var value: Returned = .{};
    if (size > 0) _ = proxy_get_buffer_bytes(kind, 0, size, &value.data, &value.size);
    return value;
}

export fn proxy_abi_version_0_2_1() void {}

export fn proxy_on_memory_allocate(size: usize) ?[*]u8 {
    const memory = allocator.alloc(u8, size) catch return null;
    return memory.ptr;
}

export fn proxy_on_context_create(_: u32, _: u32) void {}

export fn proxy_on_vm_start(_: u32, _: usize) u32 {
    return 1;
}

export fn proxy_on_configure(_: u32, size: usize) u32 {
    configuration = buffer(plugin_configuration, size).slice();
    log("configured: {s}", .{configuration});
    return 1;
}

export fn proxy_on_request_headers(context: u32, _: u32, _: u32) u32 {
    bytes.put(allocator, context, 0) catch return pause;
    const path = requestHeader(":path");
    defer path.free();
    const who = requestHeader("x-who");
    defer who.free();
    log("request: {s} from {s}", .{ path.slice(), who.slice() });
    if (std.mem.eql(u8, path.slice(), "/deny")) {
        const body = "denied\n";
        // One pair: number, sizes, then name and value with a zero byte each.
        const headers = "\x01\x00\x00\x00\x0b\x00\x00\x00\x09\x00\x00\x00x-denied-by\x00toolchain\x00";
        _ = proxy_send_local_response(403, "", 0, body, body.len, headers, headers.len, -1);
        return pause;
    }
    _ = proxy_add_header_map_value(request_headers, "x-plugin", 8, "toolchain", 9);
    _ = proxy_remove_header_map_value(request_headers, "content-length", 14);
    return keep_going;
}

export fn proxy_on_request_body(context: u32, size: usize, end_of_stream: u32) u32 {
    if (end_of_stream == 0) return pause;
    const body = buffer(request_body, size);
    defer body.free();
    bytes.put(allocator, context, size) catch return pause;
    const edited = std.mem.replaceOwned(u8, allocator, body.slice(), "cat", configuration) catch return pause;
    defer allocator.free(edited);
    _ = proxy_set_buffer_bytes(request_body, 0, size, edited.ptr, edited.len);
    return keep_going;
}

export fn proxy_on_response_headers(_: u32, _: u32, _: u32) u32 {
    _ = proxy_replace_header_map_value(response_headers, "x-configured", 12, configuration.ptr, configuration.len);
    _ = proxy_remove_header_map_value(response_headers, "x-remove", 8);
    return keep_going;
}

export fn proxy_on_log(context: u32) void {
    log("bytes: {d}", .{bytes.get(context) orelse 0});
}

export fn proxy_on_delete(context: u32) void {
    _ = bytes.remove(context);
}
