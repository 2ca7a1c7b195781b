//! What stands in the events: as much as in those of Muster.

use std::time::{SystemTime, UNIX_EPOCH};

use load::Turn;
use serde::{Deserialize, Serialize};

/// Names, address, phone: as in Muster's benchmark.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Personal {
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
}

/// Who asked what when, which Muster puts into headers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) command_id: String,
    pub(crate) correlation_id: String,
    pub(crate) actor: String,
    pub(crate) client: String,
    pub(crate) time: u64,
}

/// Register or approve.
pub(crate) enum Asked {
    Register(Personal),
    Approve,
}

/// What a client asks in its turn: it registers a user, then approves it, then registers the next.
pub(crate) fn asked(run: &str, turn: Turn) -> (String, Asked, Envelope) {
    let name = format!("{run}-{}-{}", turn.client, turn.count / 2);
    let asked = if turn.count.is_multiple_of(2) { Asked::Register(personal(&name)) } else { Asked::Approve };
    let envelope = Envelope {
        command_id: format!("{run}-{}", turn.number),
        correlation_id: format!("{run}-{}", turn.number),
        actor: "anonymous".to_owned(),
        client: "127.0.0.1 bench".to_owned(),
        time: micros(),
    };
    (name, asked, envelope)
}

fn personal(name: &str) -> Personal {
    Personal {
        first_name: "Alexandra".to_owned(),
        last_name: "Montgomery".to_owned(),
        email: format!("{name}@example.com"),
        phone: "+49 30 1234567".to_owned(),
    }
}

/// Identity and name of the group that users are approved into.
pub(crate) const GROUP: (&str, &str) = ("group_0b9f4c1e-6f0e-5d7a-9a43-1f2c3d4e5f60", "bench");

/// Microseconds since 1970.
pub(crate) fn micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::try_from(now.as_micros()).unwrap_or(0))
}

/// A word that no earlier run had.
pub(crate) fn run_name() -> String {
    format!("b{}", micros())
}
