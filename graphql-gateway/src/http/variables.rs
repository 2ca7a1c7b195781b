//! Checks the values of variables before anything is executed (`CoerceVariableValues` of the GraphQL specification).

use async_graphql::parser::types::{BaseType, OperationDefinition, Type};
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{ServerError, Value, Variables};

use crate::error::{BAD_REQUEST, located_error};

/// Checks the values of the variables that an operation declares. The error is about the first that does not fit.
pub(crate) fn check(
    registry: &Registry,
    operation: &OperationDefinition,
    values: &Variables,
) -> Result<(), ServerError> {
    for positioned in &operation.variable_definitions {
        let (definition, at) = (&positioned.node, positioned.pos);
        let name = definition.name.node.as_str();
        let required = !definition.var_type.node.nullable && definition.default_value.is_none();
        match values.get(name) {
            None if required => {
                let message = format!("Variable \"${name}\" is required.");
                return Err(located_error(BAD_REQUEST, message, at));
            }
            None => {}
            Some(value) => {
                declared(registry, &definition.var_type.node, value).map_err(|wrong| {
                    located_error(BAD_REQUEST, format!("Variable \"${name}\"{wrong}"), at)
                })?;
            }
        }
    }
    Ok(())
}

/// Checks a value of a type in the notation of the operation.
pub(super) fn declared(registry: &Registry, ty: &Type, value: &Value) -> Result<(), String> {
    match (value, &ty.base) {
        (Value::Null, _) if ty.nullable => Ok(()),
        (Value::Null, _) => Err(" must not be null.".to_owned()),
        (Value::List(items), BaseType::List(inner)) => each(items, |item| declared(registry, inner, item)),
        // A single value counts as a list of one.
        (value, BaseType::List(inner)) => declared(registry, inner, value),
        (value, BaseType::Named(name)) => named(registry, name, value),
    }
}

/// Checks a value of a type in the notation of the schema.
fn defined(registry: &Registry, ty: &str, value: &Value) -> Result<(), String> {
    match (MetaTypeName::create(ty), value) {
        (MetaTypeName::NonNull(_), Value::Null) => Err(" must not be null.".to_owned()),
        (MetaTypeName::NonNull(inner), value) => defined(registry, inner, value),
        (_, Value::Null) => Ok(()),
        (MetaTypeName::List(inner), Value::List(items)) => each(items, |item| defined(registry, inner, item)),
        (MetaTypeName::List(inner), value) => defined(registry, inner, value),
        (MetaTypeName::Named(name), value) => named(registry, name, value),
    }
}

fn each(items: &[Value], check: impl Fn(&Value) -> Result<(), String>) -> Result<(), String> {
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| check(item).map_err(|wrong| format!("[{index}]{wrong}")))
}

/// Checks a value of a type that is neither a list nor non-null.
pub(super) fn named(registry: &Registry, name: &str, value: &Value) -> Result<(), String> {
    let fits = match registry.types.get(name) {
        Some(MetaType::Scalar { is_valid, .. }) => match name {
            "Int" => {
                matches!(value, Value::Number(n) if n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()))
            }
            _ => is_valid.as_ref().is_none_or(|is_valid| is_valid(value)),
        },
        Some(MetaType::Enum { enum_values, .. }) => match value {
            Value::String(text) => enum_values.contains_key(text),
            Value::Enum(text) => enum_values.contains_key(text.as_str()),
            _ => false,
        },
        Some(MetaType::InputObject { input_fields, oneof, .. }) => {
            let Value::Object(given) = value else {
                return Err(format!(" must be an object of type {name}."));
            };
            if let Some(unknown) = given.keys().find(|field| !input_fields.contains_key(field.as_str())) {
                return Err(format!(" has a field \"{unknown}\" that {name} does not have."));
            }
            if *oneof && (given.len() != 1 || given.values().any(|value| *value == Value::Null)) {
                return Err(format!(" must have exactly one field of {name}, and that not null."));
            }
            for (field, input) in input_fields {
                match given.get(field.as_str()) {
                    Some(value) => {
                        defined(registry, &input.ty, value).map_err(|wrong| format!(".{field}{wrong}"))?;
                    }
                    None if input.ty.ends_with('!') && input.default_value.is_none() => {
                        return Err(format!(".{field} is required."));
                    }
                    None => {}
                }
            }
            return Ok(());
        }
        // Not an input type. Validation reports that better.
        _ => true,
    };
    if fits { Ok(()) } else { Err(format!(" must be of type {name}.")) }
}
