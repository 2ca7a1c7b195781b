//! The portals: built pages and their assets, served from inside the binary.
//!
//! `/` is the user portal, `/admin/` the admin portal. Both find their own pages by the path, so every path that a
//! browser navigates to is answered with the portal's one document.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use rust_embed::RustEmbed;

use super::embedded::StaticFile;
use super::problem::Problem;
use super::state::HttpState;
use crate::config::PortalConfig;

/// Scripts and styles of our own, and nothing that turns text into code: no inline script, no `eval`, no HTML from
/// strings (`trusted-types 'none'`).
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";
/// Names of assets hold a digest of their content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// Kept, and asked about each time.
const REVALIDATE: &str = "no-cache";
const ASSETS: &str = "assets/";
const USER_PAGE: &str = "index.html";
const ADMIN_PAGE: &str = "admin/index.html";

#[derive(RustEmbed)]
#[folder = "../portals/dist"]
struct Dist;

static FILES: LazyLock<HashMap<String, StaticFile>> = LazyLock::new(|| {
    let names = Dist::iter().filter(|name| !name.ends_with(".br") && !name.ends_with(".gz"));
    let files = names.filter_map(|name| {
        let cache = if name.starts_with(ASSETS) { IMMUTABLE } else { REVALIDATE };
        let file = StaticFile::load(&name, Dist::get(&name)?, cache, Dist::get);
        Some((name.into_owned(), file))
    });
    files.collect()
});

/// Answers whatever is not a path of the API.
pub(super) async fn page(State(state): State<Arc<HttpState>>, request: Request) -> Response {
    let nothing = || Problem::new(StatusCode::NOT_FOUND, "There is nothing here.").into_response();
    let config = &state.gateway.config.portals;
    if config.no_portals || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return nothing();
    }
    let (path, headers) = (request.uri().path(), request.headers());
    let mut response = match find(config, path, headers) {
        PageAnswer::File(file) => file.answer(headers),
        PageAnswer::Elsewhere(path) => Redirect::permanent(path).into_response(),
        PageAnswer::Nothing => return nothing(),
    };
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    response
}

enum PageAnswer {
    File(&'static StaticFile),
    Elsewhere(&'static str),
    Nothing,
}

fn find(config: &PortalConfig, path: &str, headers: &HeaderMap) -> PageAnswer {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let (has_admin, has_user) =
        (serves(config.admin_host.as_deref(), host), serves(config.user_host.as_deref(), host));
    let name = path.strip_prefix('/').unwrap_or(path);
    let is_admin = name == "admin" || name.starts_with("admin/");
    if path == "/admin" && has_admin {
        return PageAnswer::Elsewhere("/admin/");
    }
    if path == "/" && !has_user && has_admin {
        return PageAnswer::Elsewhere("/admin/");
    }
    if name.starts_with(ASSETS) {
        return if has_admin || has_user { file(name) } else { PageAnswer::Nothing };
    }
    if if is_admin { !has_admin } else { !has_user } {
        return PageAnswer::Nothing;
    }
    match FILES.get(name) {
        Some(file) => PageAnswer::File(file),
        None if path == "/" || path == "/admin/" || is_navigation(headers) => {
            file(if is_admin { ADMIN_PAGE } else { USER_PAGE })
        }
        None => PageAnswer::Nothing,
    }
}

fn file(name: &str) -> PageAnswer {
    FILES.get(name).map_or(PageAnswer::Nothing, PageAnswer::File)
}

/// Whether a portal is served under the host that a request names; any unless one is set.
fn serves(configured: Option<&str>, host: Option<&str>) -> bool {
    let Some(configured) = configured else { return true };
    // An IPv6 address has colons of its own, and brackets.
    let name = |host: &str| match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name.to_owned(),
        _ => host.to_owned(),
    };
    host.is_some_and(|host| {
        host.eq_ignore_ascii_case(configured) || name(host).eq_ignore_ascii_case(configured)
    })
}

/// Whether a browser asks for a page, and not a program for something that is not there.
fn is_navigation(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accepted.is_some_and(|accept| accept.contains("text/html"))
}
