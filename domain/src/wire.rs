//! Events on the wire: the macro that gives each event its permanent name, its JSON and its JSON Schema.

use serde::{Deserialize, Serialize};

/// Why an event can't be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The name belongs to no event of this aggregate.
    #[error("no event is called `{0}`")]
    UnknownName(String),
    /// The data does not fit the event of this name.
    #[error("the data of `{name}` can't be read")]
    Data {
        /// The event's name.
        name: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// A value before and after. The event holds both, so that one record tells what changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = require_both)]
pub struct Change<T> {
    /// Before.
    #[serde(rename = "old")]
    pub old: T,
    /// After.
    #[serde(rename = "new")]
    pub new: T,
}

/// Both values are always written, as null where there is none.
fn require_both(schema: &mut schemars::Schema) {
    schema.insert("required".to_owned(), serde_json::json!(["old", "new"]));
}

impl<T: PartialEq + Clone> Change<T> {
    /// The change from `old` to `new`. `None` if they are equal.
    pub fn between(old: &T, new: &T) -> Option<Self> {
        (old != new).then(|| Self { old: old.clone(), new: new.clone() })
    }
}

/// Declares the events of an aggregate: the enum, its wire names, its JSON and its schemas.
macro_rules! wire_events {
    ($(#[$doc:meta])* pub enum $event:ident { $($(#[$variant_doc:meta])* $variant:ident($data:path) = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $event { $($(#[$variant_doc])* $variant($data),)* }

        impl $event {
            /// Every wire name, in order of declaration.
            pub const WIRE_NAMES: &'static [&'static str] = &[$($name,)*];

            /// The event's name in the log. It never changes.
            pub fn wire_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// The event's data as JSON.
            pub fn to_json(&self) -> Vec<u8> {
                match self { $(Self::$variant(data) => serde_json::to_vec(data),)* }
                    .expect("event data has text keys and no numbers that JSON lacks")
            }

            /// The event with this wire name and data.
            pub fn from_json(name: &str, json: &[u8]) -> Result<Self, $crate::wire::DecodeError> {
                match name {
                    $($name => serde_json::from_slice(json)
                        .map(Self::$variant)
                        .map_err(|source| $crate::wire::DecodeError::Data { name: $name, source }),)*
                    other => Err($crate::wire::DecodeError::UnknownName(other.to_owned())),
                }
            }

            /// Wire name and JSON Schema (2020-12) of the data of every event.
            pub fn schemas() -> Vec<(&'static str, schemars::Schema)> {
                vec![$(($name, schemars::schema_for!($data)),)*]
            }
        }

        $(impl From<$data> for $event {
            fn from(data: $data) -> Self {
                Self::$variant(data)
            }
        })*
    };
}
pub(crate) use wire_events;
