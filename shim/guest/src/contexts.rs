//! The contexts of this VM: what the host calls them, and what the legacy module does (ABI reference 5.1).

use std::cell::RefCell;

use crate::bindings::proxy_wasm::plugin::plugin_types::{RootContext, StreamContext};
use crate::id_map::IdMap;

/// A context as the legacy module knows it. One counter from 1 gives all ids; 0 is the VM.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Context {
    /// The VM, in which the start functions run.
    Vm,
    /// A root context.
    Root {
        /// The legacy id.
        id: u32,
        /// What the host calls it.
        root: RootContext,
    },
    /// A stream context.
    Stream {
        /// The legacy id.
        id: u32,
        /// Its root.
        root: RootContext,
        /// What the host calls it.
        stream: StreamContext,
    },
}

impl Context {
    /// The legacy id.
    #[inline]
    pub(crate) fn id(self) -> u32 {
        match self {
            Self::Vm => 0,
            Self::Root { id, .. } | Self::Stream { id, .. } => id,
        }
    }

    /// The root context that this is, or belongs to.
    #[inline]
    pub(crate) fn root(self) -> Option<RootContext> {
        match self {
            Self::Vm => None,
            Self::Root { root, .. } | Self::Stream { root, .. } => Some(root),
        }
    }

    /// The stream that this is.
    #[inline]
    pub(crate) fn stream(self) -> Option<StreamContext> {
        match self {
            Self::Vm | Self::Root { .. } => None,
            Self::Stream { stream, .. } => Some(stream),
        }
    }
}

/// A plugin that runs in this VM.
#[derive(Debug, Default)]
pub(crate) struct Root {
    /// What the host calls it.
    root: RootContext,
    /// The legacy id; 0 until `proxy_on_context_create`.
    id: u32,
    /// The plugin's name.
    pub(crate) name: String,
    /// The configured `root_id`.
    pub(crate) root_id: String,
    /// The configured `vm_id`.
    pub(crate) vm_id: String,
    /// The plugin's configuration.
    pub(crate) configuration: Vec<u8>,
    /// What `proxy_get_status` shows.
    pub(crate) status: (u32, String),
}

/// All contexts.
#[derive(Debug)]
pub(crate) struct Contexts {
    last_id: u32,
    roots: Vec<Root>,
    /// By what the host calls them.
    streams: IdMap<Context>,
    /// By legacy id.
    ids: IdMap<Context>,
    vm_configuration: Vec<u8>,
}

thread_local! {
    static CONTEXTS: RefCell<Contexts> = const { RefCell::new(Contexts::new()) };
}

/// Reads or changes the contexts. `f` must not run legacy code.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&mut Contexts) -> R) -> R {
    CONTEXTS.with_borrow_mut(f)
}

impl Contexts {
    const fn new() -> Self {
        Self {
            last_id: 0,
            roots: Vec::new(),
            streams: IdMap::new(),
            ids: IdMap::new(),
            vm_configuration: Vec::new(),
        }
    }

    /// Whether a plugin has been added and not removed.
    pub(crate) fn has_roots(&self) -> bool {
        !self.roots.is_empty()
    }

    /// Adds a plugin, whose root context is created later.
    pub(crate) fn add_root(
        &mut self,
        root: RootContext,
        name: String,
        root_id: String,
        vm_id: String,
    ) {
        self.roots.retain(|other| other.root != root);
        self.roots.push(Root {
            root,
            name,
            root_id,
            vm_id,
            ..Root::default()
        });
    }

    /// A plugin.
    pub(crate) fn root(&self, root: RootContext) -> Option<&Root> {
        self.roots.iter().find(|other| other.root == root)
    }

    /// A plugin.
    pub(crate) fn root_mut(&mut self, root: RootContext) -> Option<&mut Root> {
        self.roots.iter_mut().find(|other| other.root == root)
    }

    /// Gives a plugin's root context its legacy id. False if it has one already.
    pub(crate) fn create_root(&mut self, root: RootContext) -> Option<(Context, bool)> {
        let existing = self.root(root)?.id;
        if existing != 0 {
            return Some((Context::Root { id: existing, root }, false));
        }
        let id = self.next_id();
        self.root_mut(root)?.id = id;
        let context = Context::Root { id, root };
        self.ids.insert(id.into(), context);
        Some((context, true))
    }

    /// The root context of a plugin, if it has been created.
    pub(crate) fn root_context(&self, root: RootContext) -> Option<Context> {
        match self.root(root)?.id {
            0 => None,
            id => Some(Context::Root { id, root }),
        }
    }

    /// Forgets a plugin and its streams.
    pub(crate) fn remove_root(&mut self, root: RootContext) {
        self.roots.retain(|other| other.root != root);
        self.streams.retain(|context| context.root() != Some(root));
        self.ids.retain(|context| context.root() != Some(root));
    }

    /// The context of a stream, if the legacy module has one for it.
    #[inline]
    pub(crate) fn stream(&self, stream: StreamContext) -> Option<Context> {
        self.streams.get(stream).copied()
    }

    /// Gives a stream its legacy id.
    pub(crate) fn create_stream(&mut self, root: RootContext, stream: StreamContext) -> Context {
        let context = Context::Stream {
            id: self.next_id(),
            root,
            stream,
        };
        if let Some(old) = self.streams.insert(stream, context) {
            self.ids.remove(old.id().into());
        }
        self.ids.insert(context.id().into(), context);
        context
    }

    /// Forgets a stream.
    pub(crate) fn remove_stream(&mut self, stream: StreamContext) {
        if let Some(context) = self.streams.remove(stream) {
            self.ids.remove(context.id().into());
        }
    }

    /// The context with a legacy id.
    pub(crate) fn find(&self, id: u32) -> Option<Context> {
        if id == 0 {
            Some(Context::Vm)
        } else {
            self.ids.get(id.into()).copied()
        }
    }

    /// The VM's configuration, which all its plugins share.
    pub(crate) fn vm_configuration(&self) -> &[u8] {
        &self.vm_configuration
    }

    /// Sets the VM's configuration.
    pub(crate) fn set_vm_configuration(&mut self, configuration: Vec<u8>) {
        self.vm_configuration = configuration;
    }

    /// The next id that no live context has. At 50,000 streams a second the counter wraps within a day.
    fn next_id(&mut self) -> u32 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.last_id != 0 && !self.ids.contains(self.last_id.into()) {
                return self.last_id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: RootContext = 77;

    fn contexts() -> Contexts {
        let mut contexts = Contexts::new();
        contexts.add_root(ROOT, "name".into(), "root".into(), "vm".into());
        contexts
    }

    #[test]
    fn roots_and_streams_share_one_counter_from_one() {
        let mut contexts = contexts();
        assert_eq!(contexts.root_context(ROOT), None);
        assert_eq!(
            contexts.create_root(ROOT),
            Some((Context::Root { id: 1, root: ROOT }, true))
        );
        assert_eq!(
            contexts.create_root(ROOT),
            Some((Context::Root { id: 1, root: ROOT }, false))
        );
        assert_eq!(contexts.create_root(78), None);
        assert_eq!(contexts.create_stream(ROOT, 5).id(), 2);
        contexts.add_root(78, String::new(), String::new(), String::new());
        assert_eq!(
            contexts.create_root(78),
            Some((Context::Root { id: 3, root: 78 }, true))
        );
        assert_eq!(
            contexts.create_stream(78, 6),
            Context::Stream {
                id: 4,
                root: 78,
                stream: 6
            }
        );
        assert_eq!(contexts.find(4).and_then(Context::stream), Some(6));
        assert_eq!(contexts.find(0), Some(Context::Vm));
        assert_eq!(contexts.find(5), None);
    }

    #[test]
    fn ids_of_the_dead_are_not_given_again_and_not_found() {
        let mut contexts = contexts();
        contexts.create_root(ROOT);
        let old = contexts.create_stream(ROOT, 5);
        contexts.remove_stream(5);
        assert_eq!(contexts.find(old.id()), None);
        assert_eq!(contexts.stream(5), None);
        assert_eq!(contexts.create_stream(ROOT, 5).id(), old.id() + 1);
    }

    #[test]
    fn the_counter_wraps_past_the_living() {
        let mut contexts = contexts();
        contexts.create_root(ROOT);
        contexts.last_id = u32::MAX - 1;
        assert_eq!(contexts.create_stream(ROOT, 5).id(), u32::MAX);
        assert_eq!(
            contexts.create_stream(ROOT, 6).id(),
            2,
            "0 is the VM and 1 the root"
        );
    }

    #[test]
    fn a_root_takes_its_streams_along() {
        let mut contexts = contexts();
        contexts.add_root(78, String::new(), String::new(), String::new());
        contexts.create_root(ROOT);
        contexts.create_root(78);
        contexts.create_stream(ROOT, 5);
        let other = contexts.create_stream(78, 6);
        contexts.remove_root(ROOT);
        assert_eq!(contexts.stream(5), None);
        assert_eq!(contexts.stream(6), Some(other));
        assert_eq!(contexts.find(1), None);
        assert!(contexts.has_roots());
        contexts.remove_root(78);
        assert!(!contexts.has_roots());
    }
}
