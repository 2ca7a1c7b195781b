//! The limits of a document that are checked before it is validated: nesting, cycles, size, operation, mutations.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Value};

use super::cycles;
use super::document_error::DocumentError;

#[cfg(test)]
mod tests;

/// Deepest nesting of brackets. The parser recurses on them, so this protects its stack.
const NESTING: usize = 48;
/// Most fragments. Validation recurses from one to the next.
const FRAGMENTS: usize = 64;
/// Most selections once every fragment is put in place. Validation visits all of them.
const SELECTIONS: usize = 5_000;
/// Most aliases.
const ALIASES: usize = 50;
/// Most directives on one selection.
const DIRECTIVES: usize = 10;
/// Most mutations of one document.
const MUTATIONS: usize = 10;
/// Mutations that try a password. A document has one at most, so that a request is one attempt.
const CREDENTIAL_MUTATIONS: [&str; 2] = ["signIn", "changePassword"];

/// The operation that a document asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Query, mutation or subscription.
    pub(crate) kind: OperationType,
    /// Names of its root fields, in order; fragments resolved.
    pub(crate) fields: Vec<String>,
}

impl Operation {
    /// Whether it asks for the schema. Where introspection is off, the library would silently answer null.
    pub(crate) fn introspects(&self) -> bool {
        self.fields.iter().any(|field| matches!(field.as_str(), "__schema" | "__type"))
    }
}

/// Checks a document's text before it is parsed.
pub(crate) fn check_text(source: &str) -> Result<(), DocumentError> {
    if nesting(source) > NESTING {
        return Err(DocumentError::TooComplex("The document is nested too deep."));
    }
    Ok(())
}

/// Checks a parsed document before it is validated.
pub(crate) fn check(
    document: &ExecutableDocument,
    operation_name: Option<&str>,
) -> Result<Operation, DocumentError> {
    if document.fragments.len() > FRAGMENTS {
        return Err(DocumentError::TooComplex("The document has too many fragments."));
    }
    cycles::check(document)?;
    let operation = operation(document, operation_name)?;
    let mut size = Size::new(document);
    for (_, operation) in document.operations.iter() {
        size.add(&operation.node.selection_set.node, 0)?;
    }
    let mut fields = Vec::new();
    root_fields(document, &operation.selection_set.node, &mut fields);
    if operation.ty == OperationType::Mutation {
        let tries = fields.iter().filter(|field| CREDENTIAL_MUTATIONS.contains(&field.as_str())).count();
        if tries > 1 {
            return Err(DocumentError::TooComplex(
                "signIn and changePassword stand in a document once at most.",
            ));
        }
        if fields.len() > MUTATIONS {
            return Err(DocumentError::TooComplex("The document has too many mutations."));
        }
    }
    Ok(Operation { kind: operation.ty, fields })
}

/// The operation of this name, or the only one (`GetOperation` of the GraphQL specification).
pub(crate) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, DocumentError> {
    let mut operations = document.operations.iter();
    match name {
        Some(name) => operations
            .find(|(known, _)| known.is_some_and(|known| known == name))
            .map(|(_, operation)| &operation.node)
            .ok_or(DocumentError::NoOperation("There is no operation of this name in the document.")),
        None => match (operations.next(), operations.next()) {
            (Some((_, only)), None) => Ok(&only.node),
            _ => Err(DocumentError::NoOperation(
                "The document has several operations: operationName must name one.",
            )),
        },
    }
}

/// The deepest nesting of brackets outside strings and comments.
fn nesting(source: &str) -> usize {
    let bytes = source.as_bytes();
    let (mut open, mut deepest, mut at) = (0_usize, 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' | b'(' => {
                open += 1;
                deepest = deepest.max(open);
                at += 1;
            }
            b'}' | b']' | b')' => {
                open = open.saturating_sub(1);
                at += 1;
            }
            b'#' => at += bytes[at..].iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count(),
            b'"' if bytes[at..].starts_with(b"\"\"\"") => at = after(bytes, at + 3, b"\"\"\"", b"\\\"\"\""),
            b'"' => at = after(bytes, at + 1, b"\"", b"\\"),
            _ => at += 1,
        }
    }
    deepest
}

/// The end of a string whose content begins at `at`. A one-byte `escape` also hides the byte after it.
fn after(bytes: &[u8], mut at: usize, end: &[u8], escape: &[u8]) -> usize {
    while at < bytes.len() {
        if bytes[at..].starts_with(escape) {
            at += escape.len().max(2);
        } else if bytes[at..].starts_with(end) {
            return at + end.len();
        } else {
            at += 1;
        }
    }
    at
}

/// Counts the selections of a document with its fragments put in place. Each fragment is counted once.
struct Size<'a> {
    document: &'a ExecutableDocument,
    fragments: HashMap<&'a str, usize>,
    aliases: usize,
}

impl<'a> Size<'a> {
    fn new(document: &'a ExecutableDocument) -> Self {
        Self { document, fragments: HashMap::new(), aliases: 0 }
    }

    fn add(&mut self, set: &'a SelectionSet, depth: usize) -> Result<usize, DocumentError> {
        if depth > NESTING {
            return Err(DocumentError::TooComplex("The document is nested too deep."));
        }
        let mut size = 0_usize;
        for selection in &set.items {
            if selection.node.directives().len() > DIRECTIVES {
                return Err(DocumentError::TooComplex("A field has too many directives."));
            }
            size += 1;
            size = size.saturating_add(match &selection.node {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.node.alias.is_some());
                    if self.aliases > ALIASES {
                        return Err(DocumentError::TooComplex("The document has too many aliases."));
                    }
                    for (_, value) in &field.node.arguments {
                        // Variables are checked in `variables`.
                        let without_variables = value.node.clone().into_const_with(|_| Ok(Value::Null));
                        without_variables.and_then(|literal| check_numbers(&literal, value.pos))?;
                    }
                    self.add(&field.node.selection_set.node, depth + 1)?
                }
                Selection::InlineFragment(inline) => self.add(&inline.node.selection_set.node, depth + 1)?,
                Selection::FragmentSpread(spread) => {
                    self.spread(&spread.node.fragment_name.node, depth + 1)?
                }
            });
            if size > SELECTIONS {
                return Err(DocumentError::TooComplex("The document asks for too many fields."));
            }
        }
        Ok(size)
    }

    fn spread(&mut self, name: &Name, depth: usize) -> Result<usize, DocumentError> {
        let document = self.document;
        let Some((name, fragment)) = document.fragments.get_key_value(name) else { return Ok(0) };
        if let Some(size) = self.fragments.get(name.as_str()) {
            return Ok(*size);
        }
        let size = self.add(&fragment.node.selection_set.node, depth)?;
        self.fragments.insert(name.as_str(), size);
        Ok(size)
    }
}

/// Rejects whole numbers outside the range of Int. The library would find them only during execution.
fn check_numbers(value: &Value, at: Pos) -> Result<(), DocumentError> {
    match value {
        Value::Number(number)
            if !number.is_f64() && number.as_i64().is_none_or(|n| i32::try_from(n).is_err()) =>
        {
            Err(DocumentError::Invalid(
                "A whole number lies outside of the 32 bits of an Int.".to_owned(),
                at,
            ))
        }
        Value::List(values) => values.iter().try_for_each(|value| check_numbers(value, at)),
        Value::Object(fields) => fields.values().try_for_each(|value| check_numbers(value, at)),
        _ => Ok(()),
    }
}

/// The root fields with fragments resolved. The recursion is bounded, because the size was checked before.
fn root_fields(document: &ExecutableDocument, set: &SelectionSet, fields: &mut Vec<String>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => fields.push(field.node.name.node.to_string()),
            Selection::InlineFragment(inline) => {
                root_fields(document, &inline.node.selection_set.node, fields);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    root_fields(document, &fragment.node.selection_set.node, fields);
                }
            }
        }
    }
}
