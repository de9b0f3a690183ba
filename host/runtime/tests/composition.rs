//! A plugin can be composed with components in the host's place: services ← plugin ← driver. That works because no
//! import of the contract needs a plugin's export to answer it, so the composition has no cycle.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "what goes wrong in a test fails it, and says so"
)]

use std::path::Path;

use proxy_wasi_runtime::plugin::PluginEngine;
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, PackageId};
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{ManglingAndAbi, Resolve, WorldItem};

/// A component that does nothing, of a world beside the contract's.
fn stub(world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (contract, _) = resolve.push_dir(wit).unwrap();
    let package = resolve
        .push_str("stubs.wit", &stubs(&resolve, contract))
        .unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut module = wit_component::dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .unwrap();
    ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .validate(true)
        .encode()
        .unwrap()
}

/// Worlds that mirror the contract: `services` exports what plugins import, `driver` imports what they export.
fn stubs(resolve: &Resolve, contract: wit_parser::PackageId) -> String {
    let world = &resolve.worlds[resolve.packages[contract].worlds["http-plugin"]];
    let interfaces = |items: &mut dyn Iterator<Item = &WorldItem>| {
        items
            .filter_map(|item| match item {
                WorldItem::Interface { id, .. } => Some(*id),
                _ => None,
            })
            .filter(|id| {
                resolve.interfaces[*id].package == Some(contract)
                    && !resolve.interfaces[*id].functions.is_empty()
            })
            .map(|id| {
                format!(
                    "proxy-wasm:plugin/{}@0.1.0;\n",
                    resolve.interfaces[id].name.as_ref().unwrap()
                )
            })
            .collect::<Vec<_>>()
    };
    let services: String = interfaces(&mut world.imports.values())
        .iter()
        .map(|name| format!("export {name}"))
        .collect();
    let driver: String = interfaces(&mut world.exports.values())
        .iter()
        .map(|name| format!("import {name}"))
        .collect();
    format!(
        "package test:stubs;
        world services {{ {services} }}
        world plugin {{ include proxy-wasm:plugin/http-plugin@0.1.0; }}
        world driver {{ {driver} export run: func(); }}"
    )
}

fn register(graph: &mut CompositionGraph, name: &str, component: Vec<u8>) -> PackageId {
    let package = Package::from_bytes(name, None, component, graph.types_mut()).unwrap();
    graph.register_package(package).unwrap()
}

/// `plug`'s exports in the place of `socket`'s imports.
fn plug(name: &str, plug: Vec<u8>, socket: Vec<u8>) -> Vec<u8> {
    let mut graph = CompositionGraph::new();
    let plug = register(&mut graph, &format!("test:{name}-plug"), plug);
    let socket = register(&mut graph, &format!("test:{name}-socket"), socket);
    wac_graph::plug(&mut graph, vec![plug], socket).unwrap();
    graph.encode(EncodeOptions::default()).unwrap()
}

/// What of the contract a component asks others for.
fn asks_for(engine: &PluginEngine, component: &[u8]) -> Vec<String> {
    let component = Component::from_binary(engine.engine(), component).unwrap();
    let ty = component.component_type();
    let is_function = |item: ComponentItem| matches!(item, ComponentItem::ComponentFunc(_));
    ty.imports(engine.engine())
        .filter(|(name, _)| name.starts_with("proxy-wasm:plugin/"))
        .filter(|(_, import)| match &import.ty {
            ComponentItem::ComponentInstance(interface) => interface
                .exports(engine.engine())
                .any(|(_, item)| is_function(item.ty)),
            _ => true,
        })
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[test]
fn a_plugin_composes_with_services_below_and_a_driver_above() {
    let engine = PluginEngine::new().unwrap();
    assert!(asks_for(&engine, &stub("plugin")).len() > 10);

    let plugin = plug("services", stub("services"), stub("plugin"));
    assert_eq!(asks_for(&engine, &plugin), [""; 0], "nothing answers these");

    let composed = plug("driver", plugin, stub("driver"));
    let component = Component::from_binary(engine.engine(), &composed).unwrap();
    let ty = component.component_type();
    assert!(ty.get_export(engine.engine(), "run").is_some());
}
