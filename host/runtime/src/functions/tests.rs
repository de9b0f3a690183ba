use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proxy_wasi_abi::{callback, hostcall};
use wit_parser::{FunctionKind, Resolve};

use super::*;

fn names(areas: &[Area]) -> Vec<&'static str> {
    areas
        .iter()
        .flat_map(|area| area.functions)
        .map(|function| function.name)
        .collect()
}

fn assert_lists<'a>(areas: &[Area], known: impl Iterator<Item = &'a str>, outside: &[&'a str]) {
    let listed = names(areas);
    let unique: BTreeSet<_> = listed.iter().copied().collect();
    assert_eq!(unique.len(), listed.len(), "a name is listed twice");
    let known: BTreeSet<_> = known.chain(outside.iter().copied()).collect();
    let missing: Vec<_> = known.difference(&unique).collect();
    assert!(missing.is_empty(), "{missing:?} have no entry");
    let unknown: Vec<_> = unique.difference(&known).collect();
    assert!(unknown.is_empty(), "nobody knows {unknown:?}");
}

#[test]
fn every_hostcall_of_the_shim_has_an_entry() {
    let known = hostcall::HOSTCALLS.iter().map(|hostcall| hostcall.name);
    assert_lists(HOSTCALLS, known, hostcalls::OUTSIDE);
}

#[test]
fn every_callback_of_the_shim_has_an_entry() {
    let known = callback::CALLBACKS.iter().map(|callback| callback.name);
    assert_lists(CALLBACKS, known, callbacks::OUTSIDE);
}

/// The functions of the contract, as `interface.function`.
fn contract() -> BTreeSet<String> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).unwrap();
    let mut names = BTreeSet::new();
    for (interface, id) in &resolve.packages[package].interfaces {
        for (name, function) in &resolve.interfaces[*id].functions {
            let name = if matches!(function.kind, FunctionKind::Freestanding) {
                name
            } else {
                // `[method]counter.add`
                name.split_once(']').unwrap().1
            };
            names.insert(format!("{interface}.{name}"));
        }
    }
    names
}

#[test]
fn every_function_of_the_contract_has_an_entry() {
    let mut listed: BTreeMap<String, usize> = BTreeMap::new();
    for function in HOSTCALLS
        .iter()
        .chain(CALLBACKS)
        .flat_map(|area| area.functions)
    {
        // What WASI has is not ours to list.
        let own = function
            .wit
            .iter()
            .filter(|name| !name.starts_with("wasi:"));
        for name in own {
            *listed.entry((*name).to_owned()).or_default() += 1;
        }
    }
    for (name, _) in CONTRACT_ONLY {
        let before = listed.insert((*name).to_owned(), 1);
        assert_eq!(before, None, "`{name}` is not only in the contract");
    }
    let listed: BTreeSet<_> = listed.into_keys().collect();
    let contract = contract();
    let missing: Vec<_> = contract.difference(&listed).collect();
    assert!(missing.is_empty(), "{missing:?} have no entry");
    let unknown: Vec<_> = listed.difference(&contract).collect();
    assert!(unknown.is_empty(), "the contract lacks {unknown:?}");
}

/// What is said in a table's cell must not end the cell.
#[test]
fn texts_fit_in_a_table() {
    for function in HOSTCALLS
        .iter()
        .chain(CALLBACKS)
        .flat_map(|area| area.functions)
    {
        for support in [function.legacy, function.component] {
            if let Support::Differs(text) | Support::Absent(text) = support {
                assert!(!text.contains(['|', '\n']), "{}: {text}", function.name);
                assert!(
                    !text.ends_with('.') && !text.is_empty(),
                    "{}: {text}",
                    function.name
                );
            }
        }
    }
}

/// Compares a page, or the part of it between two markers, with what it is made from.
fn assert_page(file: &str, marker: Option<&str>, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(file);
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    let expected = match marker {
        None => made.to_owned(),
        Some(marker) => {
            let (begin, end) = (
                format!("<!-- {marker} -->\n"),
                format!("<!-- /{marker} -->\n"),
            );
            let (before, rest) = page.split_once(&begin).expect("the page has the marker");
            let (_, after) = rest.split_once(&end).expect("the page has the end marker");
            format!("{before}{begin}{made}{end}{after}")
        }
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "`BLESS` is for whoever runs this test"
    )]
    let bless = std::env::var_os("BLESS").is_some();
    if bless {
        std::fs::write(&path, expected).unwrap();
    } else {
        assert!(
            page == expected,
            "{file} is not what it is made from; `BLESS=1 cargo test -p proxy-wasi-runtime functions` writes it"
        );
    }
}

#[test]
fn the_page_is_up_to_date() {
    assert_page("docs/functions.md", None, &page::functions());
}

#[test]
fn the_readme_is_up_to_date() {
    assert_page("README.md", Some("functions"), &page::summary());
}
