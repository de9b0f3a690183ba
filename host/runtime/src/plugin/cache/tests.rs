use std::cell::Cell;
use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use super::directory::{Directory, DirectoryError};
use super::*;

const COMPONENT: &str = "(component (core module (func (export \"f\"))))";

struct Fixture {
    directory: tempfile::TempDir,
    engine: Engine,
    artifact: Artifact,
    compiled: Cell<usize>,
}

impl Fixture {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            engine: Engine::default(),
            artifact: artifact(COMPONENT),
            compiled: Cell::new(0),
        }
    }

    fn key(&self) -> CacheKey {
        CacheKey::new(&self.engine, &self.artifact, b"shim")
    }

    /// Opens the cache anew, as a start does.
    fn load(&self) -> Component {
        let cache = ComponentCache::open(&CacheLocation::Directory(
            self.directory.path().join("cache"),
        ));
        let compile = || {
            self.compiled.set(self.compiled.get() + 1);
            Ok::<_, Infallible>(
                Component::from_binary(&self.engine, self.artifact.bytes()).unwrap(),
            )
        };
        cache
            .load_or_compile(&self.engine, &self.key(), compile)
            .unwrap()
    }

    fn entry(&self) -> PathBuf {
        self.directory
            .path()
            .join("cache")
            .join(self.key().file_name())
    }
}

fn artifact(wat: &str) -> Artifact {
    Artifact::from_bytes("test.wasm", wat::parse_str(wat).unwrap()).unwrap()
}

#[test]
fn compiles_once() {
    let fixture = Fixture::new();
    fixture.load();
    fixture.load();
    assert_eq!(fixture.compiled.get(), 1);
}

#[test]
fn a_damaged_entry_is_replaced() {
    let fixture = Fixture::new();
    fixture.load();
    let good = fs::read(fixture.entry()).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let cut = good[..good.len() - 1].to_vec();
    let mut other_key = good.clone();
    other_key[9] ^= 1;
    for damaged in [
        flipped,
        cut,
        other_key,
        good[..20].to_vec(),
        Vec::new(),
        b"text".repeat(99),
    ] {
        let before = fixture.compiled.get();
        fs::write(fixture.entry(), damaged).unwrap();
        fixture.load();
        assert_eq!(fixture.compiled.get(), before + 1);
        assert_eq!(fs::read(fixture.entry()).unwrap().len(), good.len());
        fixture.load();
        assert_eq!(fixture.compiled.get(), before + 1);
    }
}

#[test]
fn an_entry_that_wasmtime_refuses_is_replaced() {
    let fixture = Fixture::new();
    fixture.load();
    // A well-formed entry whose code is none.
    let forged = [
        entry::header(&fixture.key(), b"no code"),
        b"no code".to_vec(),
    ]
    .concat();
    fs::write(fixture.entry(), forged).unwrap();
    fixture.load();
    assert_eq!(fixture.compiled.get(), 2);
}

#[test]
fn keys_differ_by_everything_that_decides_the_code() {
    let engine = Engine::default();
    let mut config = Config::new();
    config.epoch_interruption(true);
    let other_engine = Engine::new(&config).unwrap();
    let component = artifact(COMPONENT);
    let module = artifact("(module)");

    assert_eq!(
        CacheKey::new(&engine, &module, b"shim"),
        CacheKey::new(&engine, &module, b"shim")
    );
    assert_ne!(
        CacheKey::new(&engine, &module, b"shim"),
        CacheKey::new(&engine, &module, b"other")
    );
    assert_ne!(
        CacheKey::new(&engine, &module, b"shim"),
        CacheKey::new(&other_engine, &module, b"shim")
    );
    assert_ne!(
        CacheKey::new(&engine, &module, b"shim"),
        CacheKey::new(&engine, &component, b"shim")
    );
    // A component is not linked.
    assert_eq!(
        CacheKey::new(&engine, &component, b"shim"),
        CacheKey::new(&engine, &component, b"other")
    );
}

#[test]
fn evicts_what_was_not_used_for_longest() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("cache");
    let directory = Directory::open(path.clone()).unwrap();
    let name = |entry: &str| format!("{entry}{}", directory::SUFFIX);
    for (entry, age) in [("old", 30), ("used", 20), ("new", 10)] {
        directory.write(&name(entry), &[&[0; 100]]).unwrap();
        let file = fs::File::options()
            .append(true)
            .open(path.join(name(entry)))
            .unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age))
            .unwrap();
    }
    fs::write(path.join("README"), "not ours").unwrap();
    directory.read(&name("used")).unwrap().unwrap();

    directory.evict(250);
    assert_eq!(names(&path), ["README", &name("new"), &name("used")]);
    // Even if it alone is too large, what was used last stays.
    directory.evict(10);
    assert_eq!(names(&path), ["README", &name("used")]);
}

#[test]
fn removes_what_was_abandoned() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("cache");
    let directory = Directory::open(path.clone()).unwrap();
    for (file, age) in [("a.1.unfinished", 2 * 60 * 60), ("b.2.unfinished", 60)] {
        let file = fs::File::create(path.join(file)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age))
            .unwrap();
    }
    directory.evict(u64::MAX);
    assert_eq!(names(&path), ["b.2.unfinished"]);
}

fn names(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn others_can_neither_read_nor_write() {
        let fixture = Fixture::new();
        fixture.load();
        assert_eq!(
            fixture.entry().parent().unwrap().metadata().unwrap().mode() & 0o777,
            0o700
        );
        assert_eq!(fixture.entry().metadata().unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_directory_that_others_write_to_is_not_used() {
        let temporary = tempfile::tempdir().unwrap();
        set_mode(temporary.path(), 0o777);
        let error = Directory::open(temporary.path().to_owned()).unwrap_err();
        assert!(matches!(error, DirectoryError::OthersWrite(_)), "{error}");
    }

    #[test]
    fn an_entry_that_others_write_to_is_not_used() {
        let fixture = Fixture::new();
        fixture.load();
        set_mode(&fixture.entry(), 0o666);
        fixture.load();
        assert_eq!(fixture.compiled.get(), 2);
        // It was replaced, not taken over.
        assert_eq!(fixture.entry().metadata().unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_in_place_of_the_directory_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(Directory::open(file.path().to_owned()).is_err());
    }
}
