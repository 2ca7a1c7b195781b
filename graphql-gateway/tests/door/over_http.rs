//! GraphQL over HTTP: the status, media type and code of each kind of request.

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::Door;

const NEWER: &str = "application/graphql-response+json";
const OLDER: &str = "application/json";

/// Sends a body unchanged. Returns the status, the media type, and the code of the first error.
async fn send(
    door: &Door,
    accept: &str,
    content_type: &str,
    body: impl Into<reqwest::Body>,
) -> (u16, String, Value) {
    let request = door.http.post(format!("{}/graphql", door.url)).header(ACCEPT, accept);
    let response = request.header(CONTENT_TYPE, content_type).body(body).send().await.unwrap();
    let media = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert!(status == 200 || body.get("data").is_none(), "{body}");
    let code = body.pointer("/errors/0/extensions/code").cloned().unwrap_or_default();
    (status, media, code)
}

#[tokio::test]
async fn the_status_says_whether_a_request_was_executed() {
    let door = Door::open().await;
    let query = |query: &str| json!({ "query": query }).to_string();
    let aliases: String = (0..60).map(|n| format!("a{n}: __typename ")).collect::<Vec<_>>().concat();
    for (body, newer, older, code) in [
        (query("{ __typename }"), 200, 200, None),
        (query("{ viewer { id } }"), 200, 200, None),
        (query("{"), 400, 200, Some("GRAPHQL_PARSE_FAILED")),
        (query("{ nonsense }"), 400, 200, Some("GRAPHQL_VALIDATION_FAILED")),
        (query("query A { viewer { id } } query B { viewer { id } }"), 400, 200, Some("BAD_REQUEST")),
        (query("query($id: ID!) { node(id: $id) { id } }"), 400, 200, Some("BAD_REQUEST")),
        (
            query("{ users(first: 99999999999) { nodes { id } } }"),
            400,
            200,
            Some("GRAPHQL_VALIDATION_FAILED"),
        ),
        (query(&format!("{{ {aliases} }}")), 400, 200, Some("QUERY_TOO_COMPLEX")),
        (
            query(
                "{ users(first: 100) { nodes { agentRules { nodes { name } } authTokens { nodes { name scopes } } history { nodes { id } } } } }",
            ),
            400,
            200,
            Some("QUERY_TOO_COMPLEX"),
        ),
        (query(&("{ a ".repeat(100) + &"}".repeat(100))), 400, 200, Some("QUERY_TOO_COMPLEX")),
        (r#"{"query":"{ __typename }","operationName":"Nobody"}"#.to_owned(), 400, 200, Some("BAD_REQUEST")),
        (
            r#"{"query":"{ __typename }","operationName":"","variables":null,"extensions":null}"#.to_owned(),
            200,
            200,
            None,
        ),
        (r#"{"query":"{ __typename }","extensions":{"a":1}}"#.to_owned(), 200, 200, None),
        ("{".to_owned(), 400, 400, Some("BAD_REQUEST")),
        (String::new(), 400, 400, Some("BAD_REQUEST")),
        ("[]".to_owned(), 400, 400, Some("BAD_REQUEST")),
        (r#"[{"query":"{ __typename }"}]"#.to_owned(), 400, 400, Some("BAD_REQUEST")),
        ("{}".to_owned(), 400, 400, Some("BAD_REQUEST")),
        (r#"{"query":1}"#.to_owned(), 400, 400, Some("BAD_REQUEST")),
        (r#"{"query":"{ __typename }","variables":[1]}"#.to_owned(), 400, 400, Some("BAD_REQUEST")),
        (r#"{"query":"{ __typename }","operationName":{}}"#.to_owned(), 400, 400, Some("BAD_REQUEST")),
    ] {
        let code = code.map_or(Value::Null, Value::from);
        let (status, media, found) = send(&door, NEWER, OLDER, body.clone()).await;
        assert_eq!((status, &found), (newer, &code), "{body:.80}");
        assert!(media.starts_with(NEWER), "{media}");
        let (status, media, found) = send(&door, OLDER, OLDER, body.clone()).await;
        assert_eq!((status, &found), (older, &code), "{body:.80}");
        assert!(media.starts_with(OLDER), "{media}");
    }
}

#[tokio::test]
async fn variables_are_checked_before_anything_runs() {
    let door = Door::open().await;
    let mutation = "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }";
    for (query, variables) in [
        (mutation, json!({})),
        (mutation, json!({ "input": null })),
        (mutation, json!({ "input": 1 })),
        (mutation, json!({ "input": { "username": "alice" } })),
        (mutation, json!({ "input": { "username": "alice", "password": null } })),
        (mutation, json!({ "input": { "username": "alice", "password": 1 } })),
        (mutation, json!({ "input": { "username": "alice", "password": "x", "more": 1 } })),
        ("query($n: Int) { users(first: $n) { nodes { id } } }", json!({ "n": 2_147_483_648_i64 })),
        ("query($n: Int) { users(first: $n) { nodes { id } } }", json!({ "n": "1" })),
        (
            "query($f: UserFilter) { users(filter: $f) { nodes { id } } }",
            json!({ "f": { "state": ["NOWHERE"] } }),
        ),
        (
            "query($f: UserFilter) { users(filter: $f) { nodes { id } } }",
            json!({ "f": { "registeredAfter": "yesterday" } }),
        ),
        (
            "mutation($r: AgentRuleInput!) { addAgentRule(input: { userId: \"x\", rule: $r }) { userErrors { code } } }",
            json!({ "r": {} }),
        ),
        (
            "mutation($r: AgentRuleInput!) { addAgentRule(input: { userId: \"x\", rule: $r }) { userErrors { code } } }",
            json!({ "r": { "upload": { "name": "a", "ackMode": "NONE" }, "download": { "name": "b", "mailbox": "c" } } }),
        ),
    ] {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let (status, _, code) = send(&door, NEWER, OLDER, body.clone()).await;
        assert_eq!((status, code), (400, json!("BAD_REQUEST")), "{body}");
    }
    assert!(door.owner.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_document_that_can_not_run_to_its_end_writes_nothing() {
    let door = Door::open().await;
    let token = door.administrator().await;
    let query = "mutation($n: String) { a: createGroup(input: { name: \"north\" }) { userErrors { code } } \
        b: createGroup(input: { name: $n }) { userErrors { code } } }";
    for variables in [json!({}), json!({ "n": null }), json!({ "n": "south" })] {
        let body = json!({ "query": query, "variables": variables });
        let response = door.post(&body).bearer_auth(&token).header(ACCEPT, NEWER).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body}");
    }
    assert!(door.owner.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_nul_in_what_is_looked_for_is_a_bad_request() {
    let door = Door::open().await;
    let token = door.administrator().await;
    for query in [
        "{ users(filter: { search: \"a\\u0000\" }) { nodes { id } } }",
        "{ groups(filter: { search: \"a\\u0000\" }) { nodes { id } } }",
        "{ auditLog(filter: { action: [\"a\\u0000\"] }) { nodes { id } } }",
        "{ user(username: \"a\\u0000\") { id } }",
    ] {
        let answer = door.ask(Some(&token), query, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{query}: {answer}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_a_timeout_in_the_form_of_graphql() {
    let door = Door::open_with(&["--request-timeout=100ms"]).await;
    let mut stream = TcpStream::connect(door.url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
        content-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let mut length = 0;
    while !String::from_utf8_lossy(&answer[..length]).contains("\"errors\"") {
        let read = stream.read(&mut answer[length..]).await.unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer[..length]));
        length += read;
    }
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains(NEWER), "{answer}");
}

#[tokio::test]
async fn only_json_by_post_is_taken() {
    let door = Door::open().await;
    let body = r#"{"query":"{ __typename }"}"#;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    {
        assert_eq!(send(&door, NEWER, content_type, body).await.0, 415, "{content_type}");
    }
    assert_eq!(send(&door, "text/html", OLDER, body).await.0, 406);
    assert_eq!(send(&door, NEWER, OLDER, format!("{{\"query\":\"{}\"}}", " ".repeat(140_000))).await.0, 413);
    let url = format!("{}/graphql?query=%7B__typename%7D", door.url);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let response = door.http.request(method.clone(), &url).send().await.unwrap();
        assert_eq!(response.status(), 405, "{method}");
        assert_eq!(response.headers()["allow"], "POST");
    }
}

#[tokio::test]
async fn queries_by_get_work_where_they_are_switched_on_and_mutations_never() {
    let door = Door::open_with(&["--graphql-get"]).await;
    let get = async |query: &str, more: &str| {
        let url = format!("{}/graphql?query={query}{more}", door.url);
        door.http.get(url).send().await.unwrap().status().as_u16()
    };
    assert_eq!(get("%7B__typename%7D", "").await, 200);
    assert_eq!(
        get("query(%24id:ID!)%7Bnode(id:%24id)%7Bid%7D%7D", "&variables=%7B%22id%22:%22x%22%7D").await,
        200
    );
    assert_eq!(get("mutation%7BsignOut%7BuserErrors%7Bcode%7D%7D%7D", "").await, 405);
    assert_eq!(get("%7B__typename%7D", "&variables=nonsense").await, 400);
    assert_eq!(get("%7B__typename%7D", "&variables=&extensions=&operationName=").await, 200);
    assert_eq!(get("%7B__typename%7D", "&variables=null&extensions=null").await, 200);
    assert_eq!(get("", "").await, 400);
}

#[tokio::test]
async fn every_answer_carries_its_request_id_and_says_what_browsers_may_do() {
    let door = Door::open().await;
    for path in ["/graphql", "/access/verify", "/nowhere", "/graphiql", "/schema.graphql"] {
        let response =
            door.http.get(format!("{}{path}", door.url)).header("x-request-id", "abc").send().await.unwrap();
        let headers = response.headers();
        assert_eq!(headers["x-request-id"], "abc", "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["cache-control"], "no-store");
        assert!(headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
        assert!(!headers.contains_key("access-control-allow-origin"));
        let media = headers[CONTENT_TYPE].to_str().unwrap();
        assert_eq!(media.starts_with("application/problem+json"), path != "/graphql", "{path}: {media}");
    }
}

#[tokio::test]
async fn introspection_and_its_pages_exist_in_development_alone() {
    let introspect = json!({ "query": "{ __schema { queryType { name } } }" });
    let dev = Door::open_with(&["--dev"]).await;
    let answer: Value = dev.post(&introspect).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["__schema"]["queryType"]["name"], "Query");
    for (path, part) in [("/graphiql", "GraphiQL"), ("/schema.graphql", "type Query {")] {
        let page = dev.http.get(format!("{}{path}", dev.url)).send().await.unwrap().text().await.unwrap();
        assert!(page.contains(part), "{path}");
    }
    let public = Door::open().await;
    for query in [
        "{ __schema { queryType { name } } }",
        "{ ...F } fragment F on Query { a: __type(name: \"User\") { name } }",
    ] {
        let response = public.post(&json!({ "query": query })).header(ACCEPT, NEWER).send().await.unwrap();
        assert_eq!(response.status(), 400);
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
        assert!(answer.get("data").is_none());
    }
    let typo = json!({ "query": "{ viewr { id } }" });
    let text = public.post(&typo).send().await.unwrap().text().await.unwrap();
    assert!(!text.contains("viewer"), "{text}");
    for path in ["/graphiql", "/schema.graphql"] {
        assert_eq!(public.http.get(format!("{}{path}", public.url)).send().await.unwrap().status(), 404);
    }
}
