//! The views: what the log says, in the shape in which it is asked for, and how far into the log they are. Terms are
//! defined in `docs/glossary.md`.
//!
//! - A [`ReadModel`] answers questions. Any number of readers share one.
//! - A [`ViewWriter`] fills the views. A process that fills them has one; nothing else can write them.
//! - [`Progress`] says how far the views are, and waits until they cover a position, so that callers read their own writes.
//!
//! With [`ReadModel::index_users`] lists of users are answered from memory (`docs/adr/0017-users-grid-in-memory.md`).
//!
//! Views can be dropped and filled again at any time (`docs/adr/0007-disposable-views.md`). Sessions, failed sign-ins,
//! the last use of tokens and the deliveries of webhooks are operational state: services write it, the log doesn't hold it,
//! and refilling the views leaves it alone. The same statements run on PostgreSQL and SQLite (`docs/adr/0003-two-adapters-one-code.md`).

pub mod agents;
pub mod apply;
pub mod audit;
pub mod audit_page;
pub mod checkpoint;
pub mod counts;
pub mod credentials;
mod database;
pub mod deliveries_page;
mod error;
pub mod group_moves;
pub mod groups;
pub mod mailboxes;
mod notifications;
pub mod page;
pub mod progress;
mod reader;
mod row;
mod schema;
pub mod search;
pub mod sessions;
mod statement;
mod table;
pub mod tokens;
pub mod user_spans;
pub mod users;
mod users_index;
pub mod users_page;
mod views_at;
pub mod webhook_cursors;
pub mod webhook_deliveries;
mod webhook_remains;
pub mod webhooks;
mod writer;

pub use error::Error;
pub use page::{Count, Edge, Page, Window};
pub use progress::Progress;
pub use reader::ReadModel;
pub use views_at::ViewsAt;
pub use writer::ViewWriter;
