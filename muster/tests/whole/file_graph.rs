//! The file graph of a crate: which of its files name something that another one defines.
//!
//! Read from tokens, so paths inside macros count too. `mod x;` and `pub use` are no edges: an import of a re-export
//! is an edge to the file that defines it. What stands under `#[cfg(test)]` is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Files of a crate, relative to its `src`, and the edges between them.
pub(crate) struct FileGraph {
    pub(crate) edges: BTreeMap<String, BTreeSet<String>>,
    /// Names of the structs, enums, traits and type aliases that each file defines.
    pub(crate) types: BTreeMap<String, BTreeSet<String>>,
}

/// A module path from the crate's root.
type ModulePath = Vec<String>;

#[derive(Default)]
struct Module {
    file: String,
    /// Local name → path that it stands for, of every `use`.
    uses: BTreeMap<String, Vec<String>>,
    /// Modules whose names are all imported.
    globs: Vec<Vec<String>>,
    /// Every path of two segments and more that isn't part of a `use`.
    paths: BTreeSet<Vec<String>>,
    types: BTreeSet<String>,
}

impl FileGraph {
    /// The graph of the crate in this directory.
    pub(crate) fn of(krate: &Path) -> Self {
        let src = krate.join("src");
        let root = ["lib.rs", "main.rs"].into_iter().find(|name| src.join(name).exists());
        let mut modules = BTreeMap::new();
        read_module(&src, Path::new(root.expect("a crate has a root")), &[], &mut modules);
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut types: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (path, module) in &modules {
            types.entry(module.file.clone()).or_default().extend(module.types.iter().cloned());
            let targets = module.references().filter_map(|used| resolve(&modules, path, &used, 0));
            let others = targets.filter(|file| *file != module.file);
            edges.entry(module.file.clone()).or_default().extend(others);
        }
        Self { edges, types }
    }

    /// The circles: each a set of files that all lead to each other.
    pub(crate) fn circles(&self) -> Vec<BTreeSet<String>> {
        let reach: BTreeMap<&String, BTreeSet<&String>> =
            self.edges.keys().map(|file| (file, self.reachable(file))).collect();
        let mut circles: Vec<BTreeSet<String>> = Vec::new();
        for file in self.edges.keys().filter(|file| reach[file].contains(file)) {
            if circles.iter().any(|circle| circle.contains(file)) {
                continue;
            }
            let circle = reach[file].iter().filter(|other| reach[*other].contains(file));
            circles.push(circle.map(|other| (*other).clone()).collect());
        }
        circles
    }

    fn reachable<'a>(&'a self, from: &'a String) -> BTreeSet<&'a String> {
        let mut found = BTreeSet::new();
        let mut waiting: Vec<&String> = self.edges[from].iter().collect();
        while let Some(file) = waiting.pop() {
            if found.insert(file) {
                waiting.extend(&self.edges[file]);
            }
        }
        found
    }
}

impl Module {
    /// Every path that the module names: its imports, but for modules that are imported to qualify names with, and the
    /// paths in its code.
    fn references(&self) -> impl Iterator<Item = Vec<String>> {
        let qualifies = |name: &String| self.paths.iter().any(|path| path.first() == Some(name));
        let imports = self.uses.iter().filter(move |(name, _)| !qualifies(name)).map(|(_, path)| path);
        imports.chain(&self.globs).chain(&self.paths).cloned()
    }
}

/// The file that defines what a path names, seen from a module; none for other crates' things.
fn resolve(
    modules: &BTreeMap<ModulePath, Module>,
    from: &ModulePath,
    path: &[String],
    depth: u8,
) -> Option<String> {
    let mut at = from.clone();
    let mut rest = path;
    let (first, behind) = rest.split_first()?;
    match first.as_str() {
        "crate" => (at, rest) = (vec![], behind),
        "self" => rest = behind,
        "super" => {}
        name => {
            let child = [at.as_slice(), std::slice::from_ref(first)].concat();
            if let Some(target) = modules[&at].uses.get(name) {
                if depth > 8 || target.first() == Some(first) {
                    return None;
                }
                return resolve(modules, from, &[target.as_slice(), behind].concat(), depth + 1);
            }
            // A name of this module needs no path, so anything else is another crate's.
            if !modules.contains_key(&child) {
                return None;
            }
        }
    }
    while let Some((name, behind)) = rest.split_first() {
        if name == "super" {
            at.pop()?;
        } else if name != "self" {
            let child = [at.as_slice(), std::slice::from_ref(name)].concat();
            if modules.contains_key(&child) {
                at = child;
            } else if let Some(target) = modules[&at].uses.get(name) {
                return (depth <= 8)
                    .then(|| resolve(modules, &at, &[target.as_slice(), behind].concat(), depth + 1))
                    .flatten();
            } else {
                break;
            }
        }
        rest = behind;
    }
    Some(modules[&at].file.clone())
}

fn read_module(src: &Path, file: &Path, path: &[String], modules: &mut BTreeMap<ModulePath, Module>) {
    let text =
        fs::read_to_string(src.join(file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut module = Module { file: file.to_string_lossy().into_owned(), ..Module::default() };
    let mut children = Vec::new();
    read_items(tokens, true, &mut module, &mut children);
    let is_root =
        matches!(file.file_name().and_then(|name| name.to_str()), Some("lib.rs" | "main.rs" | "mod.rs"));
    let directory = if is_root { file.parent().expect("a file").to_owned() } else { file.with_extension("") };
    modules.insert(path.to_vec(), module);
    for name in children {
        let flat = directory.join(format!("{name}.rs"));
        let nested = directory.join(&name).join("mod.rs");
        let found = if src.join(&flat).exists() { flat } else { nested };
        read_module(src, &found, &[path, &[name]].concat(), modules);
    }
}

/// Takes in the items of a file or block: imports, child modules, paths, and the types of the file itself.
fn read_items(tokens: TokenStream, is_top: bool, module: &mut Module, children: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match (word(&tokens, at).as_str(), tokens.get(at)) {
            ("#", _) if is_test(&tokens, at) => at = after_item(&tokens, at + 2),
            ("use", _) => {
                let end = (at..tokens.len()).find(|end| word(&tokens, *end) == ";").unwrap_or(tokens.len());
                read_use(&tokens[at + 1..end], &[], module);
                at = end;
            }
            ("mod", _) if word(&tokens, at + 2) == ";" => {
                children.push(word(&tokens, at + 1));
                at += 2;
            }
            ("struct" | "enum" | "trait" | "type" | "union", Some(TokenTree::Ident(_))) if is_top => {
                module.types.insert(word(&tokens, at + 1));
                at += 1;
            }
            (_, Some(TokenTree::Group(group))) => {
                read_items(group.stream(), false, module, children);
            }
            (_, Some(TokenTree::Ident(_))) => {
                let (path, end) = path_at(&tokens, at);
                if path.len() > 1 {
                    module.paths.insert(path);
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
}

/// A path `a::b::c` that begins here, and where it ends.
fn path_at(tokens: &[TokenTree], begin: usize) -> (Vec<String>, usize) {
    let mut path = vec![word(tokens, begin)];
    let mut at = begin + 1;
    while word(tokens, at) == ":"
        && word(tokens, at + 1) == ":"
        && matches!(tokens.get(at + 2), Some(TokenTree::Ident(_)))
    {
        path.push(word(tokens, at + 2));
        at += 3;
    }
    (path, at)
}

fn read_use(tokens: &[TokenTree], prefix: &[String], module: &mut Module) {
    // Behind a comma at the end there is nothing.
    for part in tokens.split(|token| token.to_string() == ",").filter(|part| !part.is_empty()) {
        let mut path = prefix.to_vec();
        let mut name = None;
        let mut words = part.iter();
        while let Some(token) = words.next() {
            match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    read_use(&group.stream().into_iter().collect::<Vec<_>>(), &path, module);
                    path.clear();
                }
                TokenTree::Punct(star) if star.as_char() == '*' => {
                    module.globs.push(std::mem::take(&mut path));
                }
                TokenTree::Ident(ident) if *ident == "as" => name = words.next().map(ToString::to_string),
                TokenTree::Ident(ident) if *ident == "self" && !path.is_empty() => {}
                TokenTree::Ident(ident) => path.push(ident.to_string()),
                _ => {}
            }
        }
        if let Some(last) = path.last() {
            module.uses.insert(name.unwrap_or_else(|| last.clone()), path);
        }
    }
}

/// Whether `#[cfg(test)]` begins here.
fn is_test(tokens: &[TokenTree], at: usize) -> bool {
    matches!(tokens.get(at + 1), Some(TokenTree::Group(group)) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// Where the item ends that begins here: behind its `;` or its block.
fn after_item(tokens: &[TokenTree], begin: usize) -> usize {
    (begin..tokens.len())
        .find(|at| match &tokens[*at] {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            token => token.to_string() == ";",
        })
        .unwrap_or(tokens.len())
}

fn word(tokens: &[TokenTree], at: usize) -> String {
    match tokens.get(at) {
        Some(TokenTree::Group(_)) | None => String::new(),
        Some(token) => token.to_string(),
    }
}
