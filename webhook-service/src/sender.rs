//! Sends one event to one receiver.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use secrecy::SecretSlice;
use service_kit::causes::Causes;
use time::OffsetDateTime;

use crate::connector::GuardedConnector;
use crate::networks::Networks;
use crate::signature::sign;

/// The program's name and version, as receivers see it.
const AGENT: &str = concat!("muster/", env!("CARGO_PKG_VERSION"));
/// For how long a connection without deliveries is kept.
const IDLE: Duration = Duration::from_secs(30);
/// How much of an answer's body is read, and how long, so that the connection can be used again. What it says doesn't
/// matter.
const READ_BODY: usize = 64 * 1024;
const READ_FOR: Duration = Duration::from_secs(1);
/// Longest error that is kept.
const LONGEST_ERROR: usize = 500;

/// What is sent, and where to.
pub(crate) struct OutgoingEvent {
    pub(crate) url: String,
    pub(crate) content_type: &'static str,
    pub(crate) event_id: String,
    pub(crate) body: Bytes,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The receiver has it.
    Arrived(StatusCode),
    /// The receiver says that it is gone for good.
    Gone(StatusCode),
    /// It did not arrive, or nobody knows.
    Failed(Option<StatusCode>, String),
}

/// Sends events. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Sender {
    client: Client<HttpsConnector<GuardedConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Sender {
    /// A sender that trusts the certificate authorities of the system. It follows no redirects, and knows no proxy.
    pub(crate) fn new(networks: Networks, timeout: Duration) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        let (_, unusable) = roots.add_parsable_certificates(found.certs);
        for error in &found.errors {
            tracing::warn!(%error, "certificate authorities of the system can't be read");
        }
        if roots.is_empty() {
            tracing::warn!(
                unusable,
                "the system knows no certificate authority, so no webhook can be sent over https"
            );
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the cipher suites of TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(GuardedConnector::new(networks, timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self { client, timeout }
    }

    /// How long a send takes at most.
    pub(crate) fn longest(&self) -> Duration {
        self.timeout + READ_FOR
    }

    /// Sends an event, signed for this moment.
    pub(crate) async fn send(&self, message: OutgoingEvent, secrets: &[SecretSlice<u8>]) -> Sent {
        let request = match request(message, secrets, OffsetDateTime::now_utc().unix_timestamp()) {
            Ok(request) => request,
            Err(error) => return Sent::Failed(None, error),
        };
        let content_type = request.headers()[CONTENT_TYPE].clone();
        let answer = match tokio::time::timeout(self.timeout, self.client.request(request)).await {
            Err(_) => {
                let seconds = self.timeout.as_secs_f64();
                return Sent::Failed(None, format!("no answer within {seconds} s"));
            }
            Ok(Err(error)) => return Sent::Failed(None, shortened(Causes(&error).to_string())),
            Ok(Ok(answer)) => answer,
        };
        let (head, mut body) = answer.into_parts();
        let read = async {
            let mut read = 0;
            while let Some(Ok(frame)) = body.frame().await {
                read += frame.data_ref().map_or(0, Bytes::len);
                if read > READ_BODY {
                    break;
                }
            }
        };
        // Only the status counts, so an answer that never ends is cut off.
        tokio::time::timeout(READ_FOR, read).await.ok();
        judged(head.status, &content_type)
    }
}

fn request(
    message: OutgoingEvent,
    secrets: &[SecretSlice<u8>],
    timestamp: i64,
) -> Result<Request<Full<Bytes>>, String> {
    let OutgoingEvent { url, content_type, event_id, body } = message;
    let signature = sign(secrets, &event_id, timestamp, &body);
    Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(CONTENT_TYPE, HeaderValue::from_static(content_type))
        .header(USER_AGENT, AGENT)
        .header("webhook-id", event_id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(Full::new(body))
        .map_err(|error| format!("the request can't be made: {error}"))
}

fn judged(status: StatusCode, content_type: &HeaderValue) -> Sent {
    if status.is_success() {
        return Sent::Arrived(status);
    }
    if status == StatusCode::GONE {
        return Sent::Gone(status);
    }
    let hint = match status {
        _ if status.is_redirection() => ": redirects are not followed".to_owned(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            let sent = content_type.to_str().unwrap_or_default();
            format!(": the receiver does not read {sent}; the webhook's contentType can be changed")
        }
        _ => String::new(),
    };
    Sent::Failed(Some(status), format!("{status}{hint}"))
}

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST_ERROR {
        let end = (0..=LONGEST_ERROR).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_headers_of_standard_webhooks_and_a_bare_content_type() {
        let message = OutgoingEvent {
            url: "https://example.com/hook?a=b".to_owned(),
            content_type: "application/cloudevents+json",
            event_id: "0199".to_owned(),
            body: Bytes::from_static(b"{}"),
        };
        let request = request(message, &[vec![7; 33].into()], 1_700_000_000).unwrap();
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "application/cloudevents+json");
        assert_eq!((header("webhook-id"), header("webhook-timestamp")), ("0199".into(), "1700000000".into()));
        let signature = header("webhook-signature");
        assert!(signature.starts_with("v1,") && !signature.contains(' '), "{signature}");
        assert_eq!(request.headers().get_all("webhook-signature").iter().count(), 1);
    }

    #[test]
    fn every_status_is_judged_and_a_failure_names_it() {
        let json = HeaderValue::from_static("application/cloudevents+json");
        let judged = |status: u16| judged(StatusCode::from_u16(status).unwrap(), &json);
        assert!(matches!(judged(204), Sent::Arrived(_)));
        assert!(matches!(judged(410), Sent::Gone(_)));
        for (status, part) in [(302, "302 Found: redirects"), (415, "415 Unsupported"), (500, "500 Internal")]
        {
            let Sent::Failed(Some(_), error) = judged(status) else { panic!("{status}") };
            assert!(error.starts_with(part), "{error}");
        }
        assert!(matches!(judged(100), Sent::Failed(..)));
    }
}
