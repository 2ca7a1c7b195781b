//! What a document may be before anybody works on it: its nesting, its size, its operation, its mutations.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Value};

#[cfg(test)]
mod tests;

/// Most open brackets at a time. The parser recurses on them, so this guards its stack.
const NESTING: usize = 48;
/// Most fragments. Validation recurses from fragment to fragment.
const FRAGMENTS: usize = 64;
/// Most selections after every fragment is put in the place where it is spread. Validation walks all of them.
const SELECTIONS: usize = 5_000;
/// Most aliases.
const ALIASES: usize = 50;
/// Most directives of one selection.
const DIRECTIVES: usize = 10;
/// Most mutations of one document.
const MUTATIONS: usize = 10;
/// Mutations in which a password is tried: one of each document at most, so that a request is one attempt.
const CREDENTIAL_MUTATIONS: [&str; 2] = ["signIn", "changePassword"];

/// Why a document is not worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    /// It could cost more than a request may.
    #[error("{0}")]
    TooComplex(&'static str),
    /// It does not say which operation to execute.
    #[error("{0}")]
    NoOperation(&'static str),
    /// What it asks for is not possible.
    #[error("{0}")]
    Invalid(&'static str),
}

/// The operation that a document asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Query, mutation or subscription.
    pub(crate) kind: OperationType,
    /// Names of its root fields, in order; fragments resolved.
    pub(crate) fields: Vec<String>,
}

impl Operation {
    /// Whether it asks for the schema. The library answers that with null where it is switched off, without a word.
    pub(crate) fn introspects(&self) -> bool {
        self.fields.iter().any(|field| matches!(field.as_str(), "__schema" | "__type"))
    }
}

/// Checks a document's text before it is parsed.
pub(crate) fn check_text(source: &str) -> Result<(), Unfit> {
    if nesting(source) > NESTING {
        return Err(Unfit::TooComplex("The document is nested too deep."));
    }
    Ok(())
}

/// Checks a parsed document before it is validated.
pub(crate) fn check(document: &ExecutableDocument, operation_name: Option<&str>) -> Result<Operation, Unfit> {
    if document.fragments.len() > FRAGMENTS {
        return Err(Unfit::TooComplex("The document has too many fragments."));
    }
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
            return Err(Unfit::TooComplex("signIn and changePassword stand in a document once at most."));
        }
        if fields.len() > MUTATIONS {
            return Err(Unfit::TooComplex("The document has too many mutations."));
        }
    }
    Ok(Operation { kind: operation.ty, fields })
}

/// The operation that the document's name or its only operation says (`GetOperation` of the GraphQL specification).
pub(crate) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, Unfit> {
    let mut operations = document.operations.iter();
    match name {
        Some(name) => operations
            .find(|(known, _)| known.is_some_and(|known| known == name))
            .map(|(_, operation)| &operation.node)
            .ok_or(Unfit::NoOperation("There is no operation of this name in the document.")),
        None => match (operations.next(), operations.next()) {
            (Some((_, only)), None) => Ok(&only.node),
            _ => Err(Unfit::NoOperation("The document has several operations: operationName must name one.")),
        },
    }
}

/// Most brackets that are open at the same time, outside of strings and comments.
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

/// Where a string that is open at `at` ends. `escape` hides what follows it; alone it stands for two bytes.
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

/// Counts what a document grows to when its fragments are put in place, each fragment once.
struct Size<'a> {
    document: &'a ExecutableDocument,
    fragments: HashMap<&'a str, usize>,
    aliases: usize,
}

impl<'a> Size<'a> {
    fn new(document: &'a ExecutableDocument) -> Self {
        Self { document, fragments: HashMap::new(), aliases: 0 }
    }

    fn add(&mut self, set: &'a SelectionSet, depth: usize) -> Result<usize, Unfit> {
        // A cycle of fragments ends here too; validation names it when it is short enough to get there.
        if depth > NESTING {
            return Err(Unfit::TooComplex("The document is nested too deep."));
        }
        let mut size = 0_usize;
        for selection in &set.items {
            if selection.node.directives().len() > DIRECTIVES {
                return Err(Unfit::TooComplex("A field has too many directives."));
            }
            size += 1;
            size = size.saturating_add(match &selection.node {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.node.alias.is_some());
                    if self.aliases > ALIASES {
                        return Err(Unfit::TooComplex("The document has too many aliases."));
                    }
                    for (_, value) in &field.node.arguments {
                        // Variables are checked elsewhere.
                        let without_variables = value.node.clone().into_const_with(|_| Ok(Value::Null));
                        without_variables.and_then(|value| check_numbers(&value))?;
                    }
                    self.add(&field.node.selection_set.node, depth + 1)?
                }
                Selection::InlineFragment(inline) => self.add(&inline.node.selection_set.node, depth + 1)?,
                Selection::FragmentSpread(spread) => {
                    self.spread(&spread.node.fragment_name.node, depth + 1)?
                }
            });
            if size > SELECTIONS {
                return Err(Unfit::TooComplex("The document asks for too many fields."));
            }
        }
        Ok(size)
    }

    fn spread(&mut self, name: &Name, depth: usize) -> Result<usize, Unfit> {
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

/// Whole numbers that an Int can't be are refused here: the executor would find them only when it gets there.
fn check_numbers(value: &Value) -> Result<(), Unfit> {
    match value {
        Value::Number(number)
            if !number.is_f64() && number.as_i64().is_none_or(|n| i32::try_from(n).is_err()) =>
        {
            Err(Unfit::Invalid("A whole number lies outside of the 32 bits of an Int."))
        }
        Value::List(values) => values.iter().try_for_each(check_numbers),
        Value::Object(fields) => fields.values().try_for_each(check_numbers),
        _ => Ok(()),
    }
}

/// Root fields with fragments resolved. The document's size was checked before, so this ends soon.
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
