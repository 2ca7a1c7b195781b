//! Checks that every literal and variable fits the argument where it is used, before anything is executed
//! ("All Variable Usages Are Allowed" of the GraphQL specification, 5.8.5).
//!
//! The library checks literals that contain variables only when execution reaches them. By then earlier mutations of
//! the same document have been written.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
    Type, VariableDefinition,
};
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Pos, Positioned, ServerError, Value as ConstValue, Variables};

use async_graphql_value::Value;

use super::variables;
use crate::error::{BAD_REQUEST, VALIDATION_FAILED, located_error};

#[cfg(test)]
mod tests;

/// Checks every argument of an operation, its fragments and its directives. The recursion is bounded, because the
/// nesting of the document was checked before.
pub(super) fn check(
    registry: &Registry,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    values: &Variables,
) -> Result<(), ServerError> {
    for positioned in &operation.variable_definitions {
        let definition = &positioned.node;
        if let Some(default) = &definition.default_value {
            variables::declared(registry, &definition.var_type.node, &default.node).map_err(|wrong| {
                let message = format!("The default of \"${}\"{wrong}", definition.name.node);
                located_error(VALIDATION_FAILED, message, default.pos)
            })?;
        }
    }
    // In a mutation, the rules about characters refuse a NUL, as a user error.
    let refuses_nul = operation.ty == OperationType::Query;
    for positioned in &operation.variable_definitions {
        let (name, default) = (&positioned.node.name.node, positioned.node.default_value.as_ref());
        if refuses_nul && values.get(name).or(default.map(|default| &default.node)).is_some_and(holds_nul) {
            return Err(located_error(BAD_REQUEST, format!("Variable \"${name}\" {NUL}"), positioned.pos));
        }
    }
    let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
    let definitions: HashMap<&str, &VariableDefinition> =
        definitions.map(|definition| (definition.name.node.as_str(), definition)).collect();
    let mut usages = Usages { registry, document, definitions, values, refuses_nul, walked: HashSet::new() };
    let root = match operation.ty {
        OperationType::Query => Some(&registry.query_type),
        OperationType::Mutation => registry.mutation_type.as_ref(),
        OperationType::Subscription => registry.subscription_type.as_ref(),
    };
    usages.directives(&operation.directives)?;
    usages.set(root.and_then(|name| registry.types.get(name)), &operation.selection_set.node)
}

const NUL: &str = "holds a NUL character, which no text of Muster has.";

struct Usages<'a> {
    registry: &'a Registry,
    document: &'a ExecutableDocument,
    definitions: HashMap<&'a str, &'a VariableDefinition>,
    values: &'a Variables,
    refuses_nul: bool,
    /// Fragments that were checked already.
    walked: HashSet<&'a str>,
}

impl<'a> Usages<'a> {
    /// Checks the selections of a type. `None` is an unknown type, which validation reports.
    fn set(&mut self, parent: Option<&'a MetaType>, set: &'a SelectionSet) -> Result<(), ServerError> {
        for selection in &set.items {
            self.directives(selection.node.directives())?;
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let known = parent.and_then(|parent| parent.field_by_name(&field.name.node));
                    for (name, value) in &field.arguments {
                        if let Some(argument) = known.and_then(|known| known.args.get(name.node.as_str())) {
                            self.argument(argument, value)?;
                        }
                    }
                    let inner = known.map(|known| MetaTypeName::concrete_typename(&known.ty));
                    let inner = inner.and_then(|name| self.registry.types.get(name));
                    self.set(inner, &field.selection_set.node)?;
                }
                Selection::InlineFragment(inline) => {
                    let inner = match &inline.node.type_condition {
                        Some(condition) => self.registry.types.get(condition.node.on.node.as_str()),
                        None => parent,
                    };
                    self.set(inner, &inline.node.selection_set.node)?;
                }
                Selection::FragmentSpread(spread) => self.spread(&spread.node.fragment_name.node)?,
            }
        }
        Ok(())
    }

    fn spread(&mut self, name: &'a Name) -> Result<(), ServerError> {
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(()) };
        if !self.walked.insert(name.as_str()) {
            return Ok(());
        }
        self.directives(&fragment.node.directives)?;
        let condition = self.registry.types.get(fragment.node.type_condition.node.on.node.as_str());
        self.set(condition, &fragment.node.selection_set.node)
    }

    fn directives(&self, directives: &[Positioned<Directive>]) -> Result<(), ServerError> {
        for directive in directives {
            let Some(known) = self.registry.directives.get(directive.node.name.node.as_str()) else {
                continue;
            };
            for (name, value) in &directive.node.arguments {
                if let Some(argument) = known.args.get(name.node.as_str()) {
                    self.argument(argument, value)?;
                }
            }
        }
        Ok(())
    }

    fn argument(&self, argument: &MetaInputValue, value: &Positioned<Value>) -> Result<(), ServerError> {
        self.value(&argument.ty, argument.default_value.is_some(), &value.node)
            .map_err(|wrong| wrong.of(&argument.name, value.pos))
    }

    /// Checks a value of a type in the notation of the schema. `has_default` is about the argument or field.
    fn value(&self, ty: &str, has_default: bool, value: &Value) -> Result<(), InvalidValue> {
        if let Value::Variable(name) = value {
            return self.variable(name, ty, has_default);
        }
        match (MetaTypeName::create(ty), value) {
            (MetaTypeName::NonNull(_), Value::Null) => Err(InvalidValue::literal(" must not be null.")),
            (MetaTypeName::NonNull(inner), value) => self.value(inner, false, value),
            (_, Value::Null) => Ok(()),
            (MetaTypeName::List(inner), Value::List(items)) => {
                items.iter().enumerate().try_for_each(|(index, item)| {
                    self.value(inner, false, item).map_err(|wrong| wrong.inside(&format!("[{index}]")))
                })
            }
            (MetaTypeName::List(inner), value) => self.value(inner, false, value),
            (MetaTypeName::Named(name), value) => self.named(name, value),
        }
    }

    fn named(&self, name: &str, value: &Value) -> Result<(), InvalidValue> {
        match (self.registry.types.get(name), value) {
            (Some(MetaType::InputObject { input_fields, oneof, .. }), Value::Object(given)) => {
                if let Some(unknown) = given.keys().find(|field| !input_fields.contains_key(field.as_str())) {
                    return Err(InvalidValue::literal(format!(
                        " has a field \"{unknown}\" that {name} does not have."
                    )));
                }
                if *oneof && !self.is_one(given.values()) {
                    return Err(InvalidValue::literal(format!(
                        " must have exactly one field of {name}, and that never null."
                    )));
                }
                for (field, input) in input_fields {
                    let path = format!(".{field}");
                    let has_default = input.default_value.is_some();
                    match given.get(field.as_str()) {
                        Some(value) => {
                            self.value(&input.ty, has_default, value).map_err(|wrong| wrong.inside(&path))?;
                        }
                        None if input.ty.ends_with('!') && !has_default => {
                            return Err(InvalidValue::literal(" is required.").inside(&path));
                        }
                        None => {}
                    }
                }
                Ok(())
            }
            // In a document the values of an enum are names; in variables they are strings.
            (Some(MetaType::Enum { .. }), Value::String(_)) => {
                Err(InvalidValue::literal(format!(" must be a value of {name}, without quotes.")))
            }
            // No literal of Muster's scalars contains a variable.
            (_, value) => match value.clone().into_const() {
                Some(value) if self.refuses_nul && holds_nul(&value) => {
                    Err(InvalidValue { code: BAD_REQUEST, message: format!(" {NUL}") })
                }
                Some(value) => variables::named(self.registry, name, &value).map_err(InvalidValue::literal),
                None => Err(InvalidValue::literal(format!(" must be of type {name}."))),
            },
        }
    }

    /// Whether a literal of a `@oneOf` type has exactly one field, and the field can't be null.
    fn is_one<'v>(&self, mut given: impl Iterator<Item = &'v Value>) -> bool {
        match (given.next(), given.next()) {
            (Some(Value::Variable(name)), None) => self
                .definitions
                .get(name.as_str())
                .is_some_and(|definition| !definition.var_type.node.nullable),
            (Some(value), None) => *value != Value::Null,
            _ => false,
        }
    }

    /// `IsVariableUsageAllowed` of the GraphQL specification. Also checks the value: even a variable with a default may
    /// be null.
    fn variable(&self, name: &Name, ty: &str, has_default: bool) -> Result<(), InvalidValue> {
        let Some(definition) = self.definitions.get(name.as_str()) else {
            return Err(InvalidValue::literal(format!(": variable \"${name}\" is not defined.")));
        };
        let declared = &definition.var_type.node;
        let own = definition.default_value.as_ref().map(|default| &default.node);
        let has_own = own.is_some_and(|default| *default != ConstValue::Null);
        let fits = match MetaTypeName::create(ty) {
            MetaTypeName::NonNull(inner) if declared.nullable => {
                (has_own || has_default) && is_compatible(declared, inner)
            }
            _ => is_compatible(declared, ty),
        };
        if !fits {
            let message =
                format!(" is of type {ty}: variable \"${name}\" of type {declared} can't stand there.");
            return Err(InvalidValue::literal(message));
        }
        if ty.ends_with('!') && self.values.get(name.as_str()).or(own) == Some(&ConstValue::Null) {
            return Err(InvalidValue {
                code: BAD_REQUEST,
                message: format!(": variable \"${name}\" must not be null."),
            });
        }
        Ok(())
    }
}

/// `AreTypesCompatible` of the GraphQL specification.
fn is_compatible(declared: &Type, ty: &str) -> bool {
    match (MetaTypeName::create(ty), &declared.base) {
        (MetaTypeName::NonNull(_), _) if declared.nullable => false,
        (MetaTypeName::NonNull(inner), base) => {
            is_compatible(&Type { base: base.clone(), nullable: true }, inner)
        }
        (MetaTypeName::List(inner), BaseType::List(item)) => is_compatible(item, inner),
        (MetaTypeName::Named(name), BaseType::Named(declared)) => declared == name,
        _ => false,
    }
}

/// Whether a value contains a NUL. Databases can't store it, so nothing can be found by it.
fn holds_nul(value: &ConstValue) -> bool {
    match value {
        ConstValue::String(text) => text.contains('\0'),
        ConstValue::List(items) => items.iter().any(holds_nul),
        ConstValue::Object(fields) => fields.values().any(holds_nul),
        _ => false,
    }
}

/// Why a value does not fit. The message begins with the path to it.
struct InvalidValue {
    code: &'static str,
    message: String,
}

impl InvalidValue {
    fn literal(message: impl Into<String>) -> Self {
        Self { code: VALIDATION_FAILED, message: message.into() }
    }

    fn inside(self, path: &str) -> Self {
        Self { message: format!("{path}{}", self.message), ..self }
    }

    fn of(self, argument: &str, at: Pos) -> ServerError {
        located_error(self.code, format!("Argument \"{argument}\"{}", self.message), at)
    }
}
