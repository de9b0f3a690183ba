//! The toolchains: what each needs, and the commands that its users would give.

/// A way to make plugins.
#[derive(Debug)]
pub(super) struct Toolchain {
    /// In the table, and of the plugin's file.
    pub(super) name: &'static str,
    /// What `--list` says.
    pub(super) about: &'static str,
    pub(super) recipe: Recipe,
}

/// How a plugin is built.
#[derive(Debug)]
pub(super) enum Recipe {
    /// A package of this workspace.
    Cargo {
        package: &'static str,
        target: &'static str,
    },
    /// Commands, in order.
    Commands {
        /// Directories of tests/guests/toolchains. The commands run in a copy of the first.
        sources: &'static [&'static str],
        needs: &'static [Tool],
        /// Words between blanks. `{out}` is the plugin's file, `{wit}` this repository's wit/.
        commands: &'static [&'static str],
    },
}

/// What has to be there before a command can run. How to get it is in `tools.rs`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tool {
    /// What requirements.txt lists: Go, Node.js with npm, Zig, componentize-py, wasm-tools.
    Python,
    /// The packages of package-lock.json, in node_modules.
    Npm,
    /// `emcc` and `em++`, of the system.
    Emscripten,
    /// `wit-bindgen`, with the generator for C.
    WitBindgen,
}

/// In the order of the table: legacy modules, then components, then those whose name ends in `-auth`.
pub(super) const TOOLCHAINS: &[Toolchain] = &[
    Toolchain {
        name: "rust-sdk-wasip1",
        about: "Rust, crate proxy-wasm 0.2, wasm32-wasip1",
        recipe: Recipe::Cargo {
            package: "toolchain-rust-sdk",
            target: "wasm32-wasip1",
        },
    },
    Toolchain {
        name: "rust-sdk-unknown",
        about: "Rust, crate proxy-wasm 0.2, wasm32-unknown-unknown",
        recipe: Recipe::Cargo {
            package: "toolchain-rust-sdk",
            target: "wasm32-unknown-unknown",
        },
    },
    Toolchain {
        name: "rust-sdk-0-1",
        about: "Rust, crate proxy-wasm 0.1 (ABI 0.1.0), wasm32-wasip1",
        recipe: Recipe::Cargo {
            package: "toolchain-rust-sdk-0-1",
            target: "wasm32-wasip1",
        },
    },
    Toolchain {
        name: "go-sdk",
        about: "Go's own compiler, proxy-wasm-go-sdk",
        recipe: Recipe::Commands {
            sources: &["go-sdk"],
            needs: &[Tool::Python],
            commands: &["env GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o {out} ."],
        },
    },
    Toolchain {
        name: "assemblyscript-solo-io",
        about: "AssemblyScript, @solo-io/proxy-runtime",
        recipe: Recipe::Commands {
            sources: &["assemblyscript-solo-io"],
            needs: &[Tool::Python, Tool::Npm],
            commands: &["npx --no asc -- index.ts -b {out} --use abort=abort_proc_exit --optimize"],
        },
    },
    Toolchain {
        name: "assemblyscript-gcore",
        about: "AssemblyScript, @gcoredev/proxy-wasm-sdk-as",
        recipe: Recipe::Commands {
            sources: &["assemblyscript-gcore"],
            needs: &[Tool::Python, Tool::Npm],
            commands: &["npx --no asc -- index.ts -o {out} --optimize"],
        },
    },
    Toolchain {
        name: "c-zig",
        about: "C with libc, the C compiler of Zig",
        recipe: Recipe::Commands {
            sources: &["c"],
            needs: &[Tool::Python],
            commands: &[
                "python -m ziglang cc -target wasm32-wasi -mexec-model=reactor -Os -s -Wall -Werror plugin.c -o {out}",
            ],
        },
    },
    Toolchain {
        name: "cpp-zig",
        about: "C++ with its library, the C++ compiler of Zig",
        recipe: Recipe::Commands {
            sources: &["cpp", "c"],
            needs: &[Tool::Python],
            commands: &[
                "python -m ziglang c++ -target wasm32-wasi -mexec-model=reactor -std=c++17 -fno-exceptions \
                 -Os -s -Wall -Werror plugin.cc -o {out}",
            ],
        },
    },
    Toolchain {
        name: "c-emscripten",
        about: "C with libc, Emscripten",
        recipe: Recipe::Commands {
            sources: &["c"],
            needs: &[Tool::Emscripten],
            // The host's functions are undefined symbols, and no mistake.
            commands: &[
                "emcc -Oz -Wall -Werror --no-entry -sSTANDALONE_WASM=1 -sALLOW_MEMORY_GROWTH=1 \
                 -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0 plugin.c -o {out}",
            ],
        },
    },
    Toolchain {
        name: "cpp-emscripten",
        about: "C++ with its library, Emscripten",
        recipe: Recipe::Commands {
            sources: &["cpp", "c"],
            needs: &[Tool::Emscripten],
            commands: &[
                "em++ -Oz -std=c++17 -Wall -Werror --no-entry -sSTANDALONE_WASM=1 -sALLOW_MEMORY_GROWTH=1 \
                 -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0 plugin.cc -o {out}",
            ],
        },
    },
    Toolchain {
        name: "zig",
        about: "Zig",
        recipe: Recipe::Commands {
            sources: &["zig"],
            needs: &[Tool::Python],
            commands: &[
                "python -m ziglang build-exe plugin.zig -target wasm32-freestanding -fno-entry -rdynamic \
                 -OReleaseSmall -femit-bin={out}",
            ],
        },
    },
    Toolchain {
        name: "tinygo-shape-0-2-0",
        about: "WebAssembly text in the shape of TinyGo's modules, which is in no registry; ABI 0.2.0",
        recipe: Recipe::Commands {
            sources: &["tinygo-shape"],
            needs: &[Tool::Python],
            commands: &["wasm-tools parse plugin.wat -o {out}"],
        },
    },
    Toolchain {
        name: "tinygo-shape-0-1-0",
        about: "the same with ABI 0.1.0",
        recipe: Recipe::Commands {
            sources: &["tinygo-shape"],
            needs: &[Tool::Python],
            commands: &[
                "cp plugin.wat 0-1-0.wat",
                "sed -i -e /;;0.2.0/d -e s/;;0.1.0// 0-1-0.wat",
                "wasm-tools parse 0-1-0.wat -o {out}",
            ],
        },
    },
    Toolchain {
        name: "wit-c",
        about: "C as a component, wit-bindgen and the C compiler of Zig",
        recipe: Recipe::Commands {
            sources: &["wit-c"],
            needs: &[Tool::Python, Tool::WitBindgen],
            commands: &[
                "wit-bindgen c {wit} --world http-filter-plugin --out-dir gen",
                "python -m ziglang cc -target wasm32-wasi -mexec-model=reactor -Os -s -Wall -Werror \
                 -Wl,-z,stack-size=65536 -Igen plugin.c gen/http_filter_plugin.c \
                 gen/http_filter_plugin_component_type.o -o plugin.core.wasm",
                "wasm-tools component new plugin.core.wasm -o {out}",
            ],
        },
    },
    Toolchain {
        name: "wit-javascript-qjs",
        about: "JavaScript as a component, componentize-qjs (QuickJS)",
        recipe: Recipe::Commands {
            sources: &["wit-javascript"],
            needs: &[Tool::Python, Tool::Npm],
            commands: &[
                "npx --no componentize-qjs -- --sync --wit {wit} --world http-filter-plugin --js plugin.js -o {out}",
            ],
        },
    },
    Toolchain {
        name: "wit-javascript-slim",
        about: "JavaScript as a component, componentize-js (SpiderMonkey) without WASI's HTTP",
        recipe: Recipe::Commands {
            sources: &["wit-javascript"],
            needs: &[Tool::Python, Tool::Npm],
            commands: &[
                "npx --no componentize-js -- plugin.js --wit {wit} --world-name http-filter-plugin -d http -d fetch-event \
                 -o {out}",
            ],
        },
    },
    Toolchain {
        name: "wit-javascript",
        about: "JavaScript as a component, componentize-js (SpiderMonkey) as it comes",
        recipe: Recipe::Commands {
            sources: &["wit-javascript"],
            needs: &[Tool::Python, Tool::Npm],
            commands: &[
                "npx --no componentize-js -- plugin.js --wit {wit} --world-name http-filter-plugin -o {out}",
            ],
        },
    },
    Toolchain {
        name: "wit-python",
        about: "Python as a component, componentize-py",
        recipe: Recipe::Commands {
            sources: &["wit-python"],
            needs: &[Tool::Python],
            commands: &[
                "componentize-py -d {wit} -w http-filter-plugin componentize plugin -o {out}",
            ],
        },
    },
    // The rest is of a world of their own, and makes callouts.
    Toolchain {
        name: "wit-c-auth",
        about: "C as a component of a world of its own",
        recipe: Recipe::Commands {
            sources: &["wit-c", "wit-auth"],
            needs: &[Tool::Python, Tool::WitBindgen],
            commands: &[
                "sh ../wit-auth/layout.sh {wit}",
                "wit-bindgen c wit --world auth-plugin --out-dir gen",
                "python -m ziglang cc -target wasm32-wasi -mexec-model=reactor -Os -s -Wall -Werror \
                 -Wl,-z,stack-size=65536 -Igen auth.c gen/auth_plugin.c \
                 gen/auth_plugin_component_type.o -o auth.core.wasm",
                "wasm-tools component new auth.core.wasm -o {out}",
            ],
        },
    },
    Toolchain {
        name: "wit-javascript-qjs-auth",
        about: "JavaScript as a component of a world of its own, componentize-qjs",
        recipe: Recipe::Commands {
            sources: &["wit-javascript", "wit-auth"],
            needs: &[Tool::Python, Tool::Npm],
            commands: &[
                "sh ../wit-auth/layout.sh {wit}",
                "npx --no componentize-qjs -- --sync --wit wit --world auth-plugin --js auth.js -o {out}",
            ],
        },
    },
    Toolchain {
        name: "wit-javascript-slim-auth",
        about: "JavaScript as a component of a world of its own, componentize-js",
        recipe: Recipe::Commands {
            sources: &["wit-javascript", "wit-auth"],
            needs: &[Tool::Python, Tool::Npm],
            commands: &[
                "sh ../wit-auth/layout.sh {wit}",
                "npx --no componentize-js -- auth.js --wit wit --world-name auth-plugin -d http -d fetch-event -o {out}",
            ],
        },
    },
    Toolchain {
        name: "wit-python-auth",
        about: "Python as a component of a world of its own",
        recipe: Recipe::Commands {
            sources: &["wit-python", "wit-auth"],
            needs: &[Tool::Python],
            commands: &[
                "sh ../wit-auth/layout.sh {wit}",
                "componentize-py -d wit -w auth-plugin componentize auth -o {out}",
            ],
        },
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::workspace;

    #[test]
    fn every_plugin_is_built_and_every_name_is_one_row() -> anyhow::Result<()> {
        let names: BTreeSet<_> = TOOLCHAINS.iter().map(|toolchain| toolchain.name).collect();
        assert_eq!(names.len(), TOOLCHAINS.len(), "two rows have one name");

        let built: BTreeSet<String> = TOOLCHAINS
            .iter()
            .flat_map(|toolchain| match toolchain.recipe {
                Recipe::Cargo { package, .. } => vec![package.replacen("toolchain-", "", 1)],
                Recipe::Commands { sources, .. } => {
                    sources.iter().map(ToString::to_string).collect()
                }
            })
            .collect();
        let mut there = BTreeSet::new();
        for entry in std::fs::read_dir(workspace::root().join("tests/guests/toolchains"))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                there.insert(entry.file_name().to_string_lossy().into_owned());
            }
        }
        assert_eq!(built, there);
        Ok(())
    }
}
