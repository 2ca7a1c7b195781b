//! GraphiQL, for development: its page, and the files of the page, which are part of the program.
//!
//! `graphiql/fetch` makes the compressed ones. Nothing comes from another host, so the page works without a network.

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::negotiation::quality;
use super::problem::Problem;

/// Scripts, styles and requests of this host alone. React and the editor set styles through the object model, which needs
/// no permission; images of the styles are part of them. Browsers refuse one style: the one that keeps a page from scrolling
/// behind a dialog, and this page does not scroll.
const CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; \
     img-src 'self' data:; script-src 'self'; style-src 'self'",
);

/// One file.
#[derive(Debug, Clone, Copy)]
struct Asset {
    path: &'static str,
    media: &'static str,
    body: &'static [u8],
    /// Whether the body is compressed. Every browser takes gzip, also without TLS, where most don't take Brotli.
    is_gzip: bool,
}

macro_rules! graphiql {
    ($file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/graphiql/", $file))
    };
}

const ASSETS: [Asset; 5] = [
    Asset {
        path: "/graphiql",
        media: "text/html; charset=utf-8",
        body: graphiql!("page.html"),
        is_gzip: false,
    },
    Asset {
        path: "/graphiql/start.js",
        media: "text/javascript; charset=utf-8",
        body: graphiql!("start.js"),
        is_gzip: false,
    },
    Asset {
        path: "/graphiql/start.css",
        media: "text/css; charset=utf-8",
        body: graphiql!("start.css"),
        is_gzip: false,
    },
    Asset {
        path: "/graphiql/graphiql.js",
        media: "text/javascript; charset=utf-8",
        body: graphiql!("graphiql.js.gz"),
        is_gzip: true,
    },
    Asset {
        path: "/graphiql/graphiql.css",
        media: "text/css; charset=utf-8",
        body: graphiql!("graphiql.css.gz"),
        is_gzip: true,
    },
];

/// The paths of GraphiQL.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        router.route(asset.path, get(async |headers: HeaderMap| asset.response(&headers)))
    })
}

impl Asset {
    fn response(&self, headers: &HeaderMap) -> Response {
        if self.is_gzip && !takes_gzip(headers) {
            return Problem::new(StatusCode::NOT_ACCEPTABLE, "This file is sent with gzip alone.")
                .into_response();
        }
        let mut response = self.body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media));
        headers.insert(header::CONTENT_SECURITY_POLICY, CSP);
        if self.is_gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        response
    }
}

/// Without the header a client takes any coding; with it, those that are named and not refused (RFC 9110, 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    if !headers.contains_key(header::ACCEPT_ENCODING) {
        return true;
    }
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let codings: Vec<_> = values.flat_map(|value| value.split(',')).filter_map(quality).collect();
    let takes = |names: &[&str]| {
        let named = codings.iter().find(|(name, _)| names.contains(&name.as_str()));
        named.map(|(_, quality)| *quality > 0)
    };
    takes(&["gzip", "x-gzip"]).or_else(|| takes(&["*"])).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (value, takes) in [
            (None, true),
            (Some("gzip, deflate, br, zstd"), true),
            (Some("deflate, X-GZIP;q=0.1"), true),
            (Some("*"), true),
            (Some("br;q=1, *;q=0"), false),
            (Some("gzip;q=0, *"), false),
            (Some("GZip; q=0.000"), false),
            (Some("identity"), false),
            (Some(""), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(takes_gzip(&headers), takes, "{value:?}");
        }
    }
}
