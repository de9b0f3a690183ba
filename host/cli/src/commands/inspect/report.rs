//! What `inspect` prints.

use std::fmt::{self, Display, Formatter, Write};
use std::path::Path;

use proxy_wasi_linker::{
    Component, ComponentRole, CoreModule, ImportSupport, ImportedItem, Inspection, Kind,
    MemoryLimits, Sizes, StubAnswer, StubReason, Toolchain,
};

use crate::exit::printable;

/// An inspection as text: one fact a line, then lists.
pub(super) struct Report<'a> {
    pub(super) path: &'a Path,
    pub(super) inspection: &'a Inspection,
    /// Why `serve` will not run it.
    pub(super) refusal: Option<&'a str>,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Inspection { kind, sizes, .. } = self.inspection;
        writeln!(
            f,
            "{}: {}",
            printable(&self.path.display().to_string()),
            title(kind)
        )?;
        match self.refusal {
            None => fact(f, "serve", "runs it")?,
            Some(refusal) => fact(f, "serve", &format!("refuses it: {refusal}"))?,
        }
        fact(f, "size", &sizes_line(sizes))?;
        fact(f, "built with", &built_with(self.inspection))?;
        match kind {
            Kind::LegacyModule(module) | Kind::OtherModule(module) => core_module(f, module),
            Kind::Plugin(component) | Kind::OtherComponent(component) => {
                list_component(f, component)
            }
        }
    }
}

fn title(kind: &Kind) -> String {
    match kind {
        Kind::LegacyModule(module) => match module.abi {
            Some(abi) => format!("legacy module, Proxy-Wasm ABI {abi}"),
            None => "legacy module".to_owned(),
        },
        Kind::OtherModule(_) => "core module, not a Proxy-Wasm one".to_owned(),
        Kind::Plugin(component) => {
            let version = component.plugin_version.as_deref().unwrap_or("?");
            format!(
                "component, plugin for proxy-wasm:plugin@{}",
                printable(version)
            )
        }
        Kind::OtherComponent(component) => format!("component, {}", role(component.role)),
    }
}

fn role(role: ComponentRole) -> &'static str {
    match role {
        ComponentRole::Plugin => "plugin",
        ComponentRole::HttpMiddleware => "wasi:http middleware",
        ComponentRole::HttpService => "wasi:http service",
        ComponentRole::Command => "wasi:cli command",
        ComponentRole::Other => "of a world of its own",
    }
}

fn sizes_line(sizes: &Sizes) -> String {
    let Sizes {
        file,
        code,
        data,
        debug,
        ..
    } = *sizes;
    format!("{file} bytes (code {code}, data {data}, names and debug information {debug})")
}

fn built_with(inspection: &Inspection) -> String {
    let toolchain = match inspection.toolchain {
        Toolchain::AssemblyScript => "AssemblyScript",
        Toolchain::Clang => "clang",
        Toolchain::Compose => "proxy-wasi compose",
        Toolchain::Emscripten => "Emscripten",
        Toolchain::Go => "Go",
        Toolchain::JavaScript => "JavaScript",
        Toolchain::Python => "Python",
        Toolchain::Rust => "Rust",
        Toolchain::TinyGo => "TinyGo",
        Toolchain::Zig => "Zig",
        Toolchain::Unknown | _ => "unknown",
    };
    let mut text = toolchain.to_owned();
    if let Some(sdk) = &inspection.sdk {
        text += &format!(", SDK {}", sdk.name);
        text.extend(
            sdk.version
                .iter()
                .map(|version| format!(" {}", printable(version))),
        );
    }
    let tools = inspection
        .producers
        .iter()
        .map(|tool| format!("{} {}", tool.name, tool.version));
    let tools: Vec<_> = tools
        .map(|tool| printable(tool.trim()).into_owned())
        .collect();
    if !tools.is_empty() {
        text += &format!(" (signed: {})", tools.join(", "));
    }
    text
}

fn core_module(f: &mut Formatter<'_>, module: &CoreModule) -> fmt::Result {
    for memory in &module.memories {
        fact(f, "memory", &memory_line(memory))?;
    }
    let start: Vec<_> = module.start.iter().map(|step| step.name()).collect();
    fact(
        f,
        "start",
        if start.is_empty() {
            "nothing to run".to_owned()
        } else {
            start.join(", ")
        }
        .as_str(),
    )?;
    fact(f, "allocator", module.allocator.unwrap_or("none"))?;

    let callbacks = |called| {
        let callbacks = module
            .callbacks
            .iter()
            .filter(move |callback| callback.is_called == called);
        callbacks.map(|callback| signed(&callback.name, callback.signature.as_ref()))
    };
    list(f, "callbacks", callbacks(true))?;
    list(f, "callbacks that the host does not call", callbacks(false))?;

    let imports = |group: ImportGroup| {
        let imports = module
            .imports
            .iter()
            .filter(move |import| group_of(import) == group);
        imports.map(import_line)
    };
    list(f, "imports", imports(ImportGroup::Implemented))?;
    list(
        f,
        "imports that are not implemented",
        imports(ImportGroup::Unimplemented),
    )?;
    list(
        f,
        "imports that nobody knows",
        imports(ImportGroup::Unknown),
    )?;
    list(
        f,
        "imports that cannot be linked",
        imports(ImportGroup::Refused),
    )
}

fn memory_line(memory: &MemoryLimits) -> String {
    let maximum = match memory.maximum_pages {
        Some(pages) => format!("at most {pages}"),
        None => "no maximum".to_owned(),
    };
    let origin = if memory.is_imported { "imported, " } else { "" };
    let pages = if memory.initial_pages == 1 {
        "page"
    } else {
        "pages"
    };
    format!(
        "{origin}{} {pages} of 64 KiB at start, {maximum}",
        memory.initial_pages
    )
}

#[derive(Clone, Copy, PartialEq)]
enum ImportGroup {
    Implemented,
    Unimplemented,
    Unknown,
    Refused,
}

fn group_of(import: &ImportedItem) -> ImportGroup {
    match &import.support {
        ImportSupport::Implemented | ImportSupport::Adapted => ImportGroup::Implemented,
        ImportSupport::Stub {
            reason: StubReason::Unimplemented | StubReason::Signature,
            ..
        } => ImportGroup::Unimplemented,
        ImportSupport::Stub {
            reason: StubReason::Unknown,
            ..
        } => ImportGroup::Unknown,
        ImportSupport::Refused { .. } => ImportGroup::Refused,
    }
}

fn import_line(import: &ImportedItem) -> String {
    let name = signed(
        &format!("{}.{}", import.module, import.name),
        import.signature.as_ref(),
    );
    match &import.support {
        ImportSupport::Implemented => name,
        ImportSupport::Adapted => format!("{name}, a known variant of its signature"),
        ImportSupport::Stub {
            answer,
            known_signature,
            ..
        } => {
            let answer = match answer {
                StubAnswer::Status(status) => format!("a call answers {status}"),
                StubAnswer::Nothing => "a call does nothing".to_owned(),
                StubAnswer::Trap => "a call traps".to_owned(),
            };
            match known_signature {
                Some(known) if import.signature.as_ref() != Some(known) => {
                    format!("{name}, known as `{known}`: {answer}")
                }
                _ => format!("{name}: {answer}"),
            }
        }
        ImportSupport::Refused { kind } => format!("{name}, a {kind}"),
    }
}

fn signed(name: &str, signature: Option<&impl Display>) -> String {
    let name = printable(name);
    signature.map_or_else(
        || name.to_string(),
        |signature| format!("{name} {signature}"),
    )
}

fn list_component(f: &mut Formatter<'_>, component: &Component) -> fmt::Result {
    fact(f, "modules", &component.core_modules.to_string())?;
    list(f, "exports", component.exports.iter())?;
    list(f, "imports", component.imports.iter())
}

fn fact(f: &mut Formatter<'_>, name: &str, value: &str) -> fmt::Result {
    writeln!(f, "  {name:<12}{value}")
}

fn list(
    f: &mut Formatter<'_>,
    title: &str,
    items: impl Iterator<Item = impl AsRef<str>>,
) -> fmt::Result {
    let mut text = String::new();
    let mut count = 0;
    for item in items {
        count += 1;
        writeln!(text, "    {}", printable(item.as_ref()))?;
    }
    if count > 0 {
        write!(f, "  {title} ({count})\n{text}")?;
    }
    Ok(())
}
