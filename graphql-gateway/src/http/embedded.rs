//! Files inside the binary, compressed beforehand, and how one is answered.

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::EmbeddedFile;

/// A file, with what it weighs less in if a client takes that.
pub(super) struct StaticFile {
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
    content_type: &'static str,
    /// Of the plain content; the compressed ones say so by a suffix, as RFC 9110, section 8.8.3.3 advises.
    digest: String,
    cache_control: &'static str,
}

impl StaticFile {
    /// The file of this name. `variant` gives the compressed forms by the name with their suffix.
    pub(super) fn load(
        name: &str,
        file: EmbeddedFile,
        cache_control: &'static str,
        variant: impl Fn(&str) -> Option<EmbeddedFile>,
    ) -> Self {
        let compressed = |suffix: &str| variant(&format!("{name}{suffix}")).map(|file| bytes(file.data));
        Self {
            brotli: compressed(".br"),
            gzip: compressed(".gz"),
            content_type: content_type(name),
            digest: hex::encode(&file.metadata.sha256_hash()[..16]),
            plain: bytes(file.data),
            cache_control,
        }
    }

    /// The answer to a GET or HEAD.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response {
        let (coding, body) = match (&self.brotli, &self.gzip) {
            (Some(body), _) if accepts(request, "br") => (Some("br"), body),
            (_, Some(body)) if accepts(request, "gzip") => (Some("gzip"), body),
            _ => (None, &self.plain),
        };
        let tag = match coding {
            Some(coding) => format!("\"{}-{coding}\"", self.digest),
            None => format!("\"{}\"", self.digest),
        };
        let known = request.get_all(header::IF_NONE_MATCH).iter().any(|tags| {
            tags.to_str()
                .is_ok_and(|tags| tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag))
        });
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Body::from(body.clone()).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache_control));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::ETAG, HeaderValue::from_str(&tag).expect("a tag is hexadecimal digits"));
        if !known {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            if let Some(coding) = coding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
            }
        }
        response
    }
}

/// Whether a client takes a coding (RFC 9110, section 12.5.3). One with the weight 0 is refused.
fn accepts(request: &HeaderMap, coding: &str) -> bool {
    let listed = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut weights = listed.flat_map(|list| list.split(',')).filter_map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        parts.next().filter(|name| name.eq_ignore_ascii_case(coding))?;
        Some(
            parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(1.0, |weight| weight.parse().unwrap_or(0.0)),
        )
    });
    weights.next().is_some_and(|weight: f32| weight > 0.0)
}

fn bytes(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => data.into(),
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "webmanifest") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_taken_unless_its_weight_is_zero() {
        for (text, taken) in [
            ("gzip, deflate, br", true),
            ("br;q=0.5", true),
            ("BR", true),
            ("br;q=0", false),
            ("br; q=0.0", false),
            ("gzip", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
            assert_eq!(accepts(&headers, "br"), taken, "{text}");
        }
        assert!(!accepts(&HeaderMap::new(), "br"));
    }
}
