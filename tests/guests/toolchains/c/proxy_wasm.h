// The part of Proxy-Wasm ABI 0.2.1 that the plugins in C and C++ use.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOST(name) __attribute__((import_module("env"), import_name(#name))) int name
#define CALLBACK(name) __attribute__((export_name(#name))) name

enum { LOG_INFO = 2 };
enum { REQUEST_HEADERS = 0, RESPONSE_HEADERS = 2 };
enum { REQUEST_BODY = 0, PLUGIN_CONFIGURATION = 7 };
enum { CONTINUE = 0, PAUSE = 1 };

// What a host call returns through `data` comes from `malloc`.
HOST(proxy_log)(int level, const char *message, size_t size);
HOST(proxy_get_header_map_value)(int map, const char *name, size_t name_size, char **data, size_t *size);
HOST(proxy_add_header_map_value)(int map, const char *name, size_t name_size, const char *value, size_t value_size);
HOST(proxy_replace_header_map_value)(int map, const char *name, size_t name_size, const char *value, size_t value_size);
HOST(proxy_remove_header_map_value)(int map, const char *name, size_t name_size);
HOST(proxy_get_buffer_bytes)(int buffer, size_t start, size_t length, char **data, size_t *size);
HOST(proxy_set_buffer_bytes)(int buffer, size_t start, size_t length, const char *data, size_t size);
HOST(proxy_send_local_response)(int status, const char *details, size_t details_size, const char *body,
                                size_t body_size, const char *headers, size_t headers_size, int grpc_status);

// Exported as the host looks for them.
void *CALLBACK(proxy_on_memory_allocate)(size_t size);
void CALLBACK(proxy_abi_version_0_2_1)(void);
void CALLBACK(proxy_on_context_create)(uint32_t context, uint32_t root);
int CALLBACK(proxy_on_vm_start)(uint32_t root, size_t configuration_size);
int CALLBACK(proxy_on_configure)(uint32_t root, size_t configuration_size);
int CALLBACK(proxy_on_request_headers)(uint32_t context, uint32_t count, int end_of_stream);
int CALLBACK(proxy_on_request_body)(uint32_t context, size_t size, int end_of_stream);
int CALLBACK(proxy_on_response_headers)(uint32_t context, uint32_t count, int end_of_stream);
void CALLBACK(proxy_on_log)(uint32_t context);
void CALLBACK(proxy_on_delete)(uint32_t context);

#ifdef __cplusplus
}
#endif
