//! Fragments that contain themselves ("Fragment Spreads Must Not Form Cycles" of the GraphQL specification, 5.5.2.2).
//!
//! The library checks this too, but only after documents have been measured, and measuring does not end on a cycle.

use std::collections::HashSet;

use async_graphql::Pos;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use super::document_error::DocumentError;

/// Checks every fragment of a document, used or not. The recursion is bounded by the number of fragments, which was
/// checked before.
pub(super) fn check(document: &ExecutableDocument) -> Result<(), DocumentError> {
    let mut search = Search { document, path: Vec::new(), checked: HashSet::new() };
    document.fragments.keys().try_for_each(|name| search.visit(name))
}

struct Search<'a> {
    document: &'a ExecutableDocument,
    /// The fragments on the way to the present one.
    path: Vec<&'a str>,
    /// Fragments that lead to no cycle.
    checked: HashSet<&'a str>,
}

impl<'a> Search<'a> {
    fn visit(&mut self, name: &'a str) -> Result<(), DocumentError> {
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(()) };
        if self.checked.contains(name) {
            return Ok(());
        }
        self.path.push(name);
        let mut spreads = Vec::new();
        collect(&fragment.node.selection_set.node, &mut spreads);
        for (inner, at) in spreads {
            if let Some(index) = self.path.iter().position(|outer| *outer == inner) {
                return Err(cycle(&self.path[index..], at));
            }
            self.visit(inner)?;
        }
        self.path.pop();
        self.checked.insert(name);
        Ok(())
    }
}

fn collect<'a>(set: &'a SelectionSet, spreads: &mut Vec<(&'a str, Pos)>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => collect(&field.node.selection_set.node, spreads),
            Selection::InlineFragment(inline) => collect(&inline.node.selection_set.node, spreads),
            Selection::FragmentSpread(spread) => {
                spreads.push((spread.node.fragment_name.node.as_str(), selection.pos));
            }
        }
    }
}

fn cycle(path: &[&str], at: Pos) -> DocumentError {
    let (first, via) = path.split_first().expect("a cycle has at least one fragment");
    let mut message = format!("Cannot spread fragment \"{first}\" within itself");
    if !via.is_empty() {
        let via: Vec<_> = via.iter().map(|name| format!("\"{name}\"")).collect();
        message = format!("{message} via {}", via.join(", "));
    }
    DocumentError::Invalid(format!("{message}."), at)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn f37_a_fragment_in_itself_is_invalid_at_its_spread() {
        let itself = parse_query("{ ...A } fragment A on Query { ...A }").unwrap();
        let at = Pos { line: 1, column: 32 };
        let message = "Cannot spread fragment \"A\" within itself.".to_owned();
        assert_eq!(check(&itself), Err(DocumentError::Invalid(message, at)));
        let unused = "{ a } fragment A on Query { a { ... { ...B } } } fragment B on Query { ...C } \
            fragment C on Query { ...A }";
        let found = check(&parse_query(unused).unwrap());
        assert!(
            matches!(&found, Err(DocumentError::Invalid(message, _)) if message.contains("within itself via")),
            "{found:?}"
        );
        let long: Vec<_> =
            (0..64).map(|n| format!("fragment F{n} on Query {{ ...F{} }} ", (n + 1) % 64)).collect();
        let long = long.concat();
        assert!(check(&parse_query(format!("{{ ...F0 }} {long}")).unwrap()).is_err());
    }

    #[test]
    fn a_fragment_that_stands_in_several_places_is_no_cycle() {
        let twice = "{ ...A ...B } fragment A on Query { ...B ...B } fragment B on Query { a ...Unknown }";
        assert_eq!(check(&parse_query(twice).unwrap()), Ok(()));
    }
}
