//! Chooses the media type of a GraphQL answer by the Accept header (RFC 9110, section 12.5.1).

use std::cmp::Reverse;

use axum::http::{HeaderMap, header};

use crate::headers::only;

/// The media type of an answer. The status of failures depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/graphql-response+json`: the status says whether the request was executed.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request, since another status may come from a proxy.
    Json,
}

impl Media {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// What the caller prefers; `None` if it accepts neither.
    ///
    /// Without an Accept header it is the newer type, as GraphQL over HTTP says since 2025. For a wildcard it is
    /// `application/json`, which any such client can read.
    pub(crate) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::ACCEPT);
        if values.iter().all(|value| value.as_bytes().trim_ascii().is_empty()) {
            return Some(Self::GraphqlResponse);
        }
        let ranges: Vec<(Option<Self>, u16, u8)> = values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(range)
            .collect();
        // The most specific range decides the quality of a type; of equally specific ones the first.
        let preference = |media: Self| {
            let covers = ranges.iter().enumerate().filter(|(_, (of, ..))| of.is_none_or(|of| of == media));
            let (index, (_, quality, specific)) =
                covers.max_by_key(|(index, (_, _, specific))| (*specific, Reverse(*index)))?;
            (*quality > 0).then_some((*quality, *specific, Reverse(index)))
        };
        // Of types with equal quality the one that is named wins, then the one that is first, then the older.
        let both = [Self::GraphqlResponse, Self::Json].into_iter();
        both.filter_map(|media| Some((preference(media)?, media)))
            .max_by_key(|(preference, _)| *preference)
            .map(|(_, media)| media)
    }
}

/// A media range that covers one of the two types or both: the type (`None` for both), its quality in thousandths, how
/// specific it is.
fn range(text: &str) -> Option<(Option<Media>, u16, u8)> {
    let mut parts = text.split(';').map(str::trim);
    let (media, specific) = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/graphql-response+json" => (Some(Media::GraphqlResponse), 2),
        "application/json" => (Some(Media::Json), 2),
        "application/*" => (None, 1),
        "*/*" => (None, 0),
        _ => return None,
    };
    let mut quality = 1_000;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => quality = thousandths(value.trim())?,
            "charset" if !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8") => return None,
            _ => {}
        }
    }
    Some((media, quality, specific))
}

/// A media range in lower case, and its quality in thousandths. Parameters other than the quality are passed over.
pub(super) fn quality(text: &str) -> Option<(String, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next()?.to_ascii_lowercase();
    let quality = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let quality = quality.map_or(Some(1_000), |(_, value)| thousandths(value.trim()))?;
    Some((range, quality))
}

/// A quality from 0 to 1 with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, decimals) {
        ("0", decimals) => Some(decimals),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

/// Whether the body is declared as JSON in UTF-8. Nothing else is accepted: pages of other sites can send forms and
/// plain text without a preflight request, but not JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = only(headers, header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    media.eq_ignore_ascii_case("application/json")
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// Whether the body is sent as it is: no content coding, or `identity` alone.
pub(crate) fn is_uncoded(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter();
    codings
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn the_media_type_follows_the_accept_header() {
        let newer = Some(Media::GraphqlResponse);
        let older = Some(Media::Json);
        assert_eq!(Media::accepted(&HeaderMap::new()), newer);
        for (accept, media) in [
            ("application/graphql-response+json", newer),
            ("application/json", older),
            ("APPLICATION/JSON; charset=UTF-8", older),
            ("*/*", older),
            ("application/*;q=0.5", older),
            ("application/graphql-response+json, application/json;q=0.9", newer),
            ("application/json, application/graphql-response+json", older),
            ("application/graphql-response+json;q=0.2, application/json;q=0.8, */*;q=0.1", older),
            ("*/*, application/graphql-response+json", newer),
            ("application/json;q=0, */*", newer),
            ("*/*, application/graphql-response+json;q=0", older),
            ("application/graphql-response+json;q=0.1, */*", older),
            ("application/*;q=0, */*", None),
            ("", newer),
            (" ", newer),
            ("text/html, application/json;q=0", None),
            ("text/html", None),
            ("application/json; charset=utf-16", None),
            ("application/json;q=nonsense", None),
        ] {
            assert_eq!(Media::accepted(&headers(header::ACCEPT, accept)), media, "{accept}");
        }
    }

    #[test]
    fn only_json_in_utf_8_is_taken() {
        for (content_type, taken) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("application/json;charset=\"UTF-8\"", true),
            ("application/json; charset=iso-8859-1", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("multipart/form-data; boundary=x", false),
            ("application/graphql", false),
        ] {
            assert_eq!(is_json(&headers(header::CONTENT_TYPE, content_type)), taken, "{content_type}");
        }
        assert!(!is_json(&HeaderMap::new()));
        let mut twice = headers(header::CONTENT_TYPE, "application/json");
        twice.append(header::CONTENT_TYPE, "text/plain".parse().unwrap());
        assert!(!is_json(&twice));
    }
}
