// The plugin of the toolchain tests, in Go with proxy-wasm-go-sdk.
package main

import (
	"bytes"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {}

func init() {
	proxywasm.SetVMContext(&vmContext{})
}

type vmContext struct {
	types.DefaultVMContext
}

func (*vmContext) NewPluginContext(uint32) types.PluginContext {
	return &pluginContext{}
}

type pluginContext struct {
	types.DefaultPluginContext
	configuration []byte
}

func (c *pluginContext) OnPluginStart(int) types.OnPluginStartStatus {
	configuration, err := proxywasm.GetPluginConfiguration()
	if err != nil {
		proxywasm.LogCriticalf("no configuration: %v", err)
		return types.OnPluginStartStatusFailed
	}
	c.configuration = configuration
	proxywasm.LogInfof("configured: %s", configuration)
	return types.OnPluginStartStatusOK
}

func (c *pluginContext) NewHttpContext(uint32) types.HttpContext {
	return &httpContext{configuration: c.configuration}
}

type httpContext struct {
	types.DefaultHttpContext
	configuration []byte
	// Of the request's body.
	bytes int
}

func (c *httpContext) OnHttpRequestHeaders(int, bool) types.Action {
	path, err := proxywasm.GetHttpRequestHeader(":path")
	check(err)
	// Absent in most requests, which is an error here.
	who, _ := proxywasm.GetHttpRequestHeader("x-who")
	proxywasm.LogInfof("request: %s from %s", path, who)
	if path == "/deny" {
		check(proxywasm.SendHttpResponse(403, [][2]string{{"x-denied-by", "toolchain"}}, []byte("denied\n"), -1))
		return types.ActionPause
	}
	check(proxywasm.AddHttpRequestHeader("x-plugin", "toolchain"))
	check(proxywasm.RemoveHttpRequestHeader("content-length"))
	return types.ActionContinue
}

func (c *httpContext) OnHttpRequestBody(size int, endOfStream bool) types.Action {
	if !endOfStream {
		return types.ActionPause
	}
	if size == 0 {
		return types.ActionContinue
	}
	body, err := proxywasm.GetHttpRequestBody(0, size)
	check(err)
	c.bytes = len(body)
	check(proxywasm.ReplaceHttpRequestBody(bytes.ReplaceAll(body, []byte("cat"), c.configuration)))
	return types.ActionContinue
}

func (c *httpContext) OnHttpResponseHeaders(int, bool) types.Action {
	check(proxywasm.ReplaceHttpResponseHeader("x-configured", string(c.configuration)))
	check(proxywasm.RemoveHttpResponseHeader("x-remove"))
	return types.ActionContinue
}

func (c *httpContext) OnHttpStreamDone() {
	proxywasm.LogInfof("bytes: %d", c.bytes)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
