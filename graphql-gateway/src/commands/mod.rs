//! The routes of a command to its owner: in this process, or over HTTP; and the one that reserves e-mail addresses.

mod in_process;
mod over_http;
mod reserving;
mod route;

pub use in_process::OwnersInProcess;
pub use over_http::OwnersOverHttp;
pub use reserving::ReservingRoute;
pub use route::CommandRoute;
