//! A program that reads the feeds with a token.

use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::portal::Portal;

/// The token of a reader, and where the feeds are.
pub(crate) struct FeedReader {
    portal: Portal,
    client: reqwest::Client,
    pub(crate) token: String,
    secret: String,
}

/// An event stream that is being read.
pub(crate) struct EventStream {
    response: Response,
    text: String,
}

impl FeedReader {
    /// A reader with a token of this user, issued by an administrator.
    pub(crate) async fn of(administrator: &Portal, user: &str) -> Self {
        let input = json!({ "userId": user, "name": "reader", "scopes": ["EVENTS"] });
        let issued = administrator.must("issueAuthToken", input, "secret authToken { id }").await;
        Self {
            portal: administrator.clone(),
            client: reqwest::Client::new(),
            token: issued["authToken"]["id"].as_str().unwrap().to_owned(),
            secret: issued["secret"].as_str().unwrap().to_owned(),
        }
    }

    /// The same reader after a restart.
    pub(crate) fn at(self, deployment: &Deployment) -> Self {
        Self { portal: deployment.portal.nobody(), ..self }
    }

    pub(crate) async fn get(&self, path: &str, accept: &str, last_id: Option<&str>) -> Response {
        let request = self.client.get(format!("{}{path}", self.portal.base)).header("accept", accept);
        let request = request.basic_auth(&self.token, Some(&self.secret));
        let request = last_id.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        request.send().await.unwrap()
    }

    /// Every event up to the present end.
    pub(crate) async fn lines(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path, "application/x-ndjson", None).await;
        assert_eq!(answer.status(), 200, "{path}");
        let text = answer.text().await.unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) async fn stream(&self, path: &str, last_id: Option<&str>) -> EventStream {
        let response = self.get(path, "text/event-stream", last_id).await;
        assert_eq!(response.status(), 200, "{path}");
        let mut stream = EventStream { response, text: String::new() };
        // The first frame says where the stream begins. What happens from here on is in it.
        stream.frame().await.unwrap();
        stream
    }
}

impl EventStream {
    /// The next frame; `None` at the end of the stream.
    pub(crate) async fn frame(&mut self) -> Option<String> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(frame);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.response.chunk()).await;
            match chunk.expect("a frame comes in time") {
                Ok(Some(chunk)) => self.text.push_str(std::str::from_utf8(&chunk).unwrap()),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// The next events.
    pub(crate) async fn events(&mut self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        while events.len() < count {
            let frame = self.frame().await.expect("the stream goes on");
            if frame.contains("event: muster.position") {
                continue;
            }
            let data = frame.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
            events.push(serde_json::from_str(data).unwrap());
        }
        events
    }
}
