//! The portals: which page a path gives, how files are sent, and under which host.

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HOST, IF_NONE_MATCH, LOCATION,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode};

use crate::harness::Door;

async fn get(door: &Door, path: &str, headers: &[(reqwest::header::HeaderName, &str)]) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut request = client.get(format!("{}{path}", door.url));
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.send().await.unwrap()
}

fn page() -> (reqwest::header::HeaderName, &'static str) {
    (ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
}

/// The address of a script in a page.
fn script(page: &str) -> &str {
    let (_, rest) = page.split_once(" src=\"").expect("a page has a script");
    rest.split('"').next().expect("an attribute ends")
}

#[tokio::test]
async fn every_page_of_a_portal_is_its_one_document() {
    let door = Door::open().await;
    let user = get(&door, "/", &[]).await;
    let policy = user.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(
        policy.contains("script-src 'self'; style-src 'self'") && policy.contains("trusted-types 'none'")
    );
    assert!(!policy.contains("unsafe"));
    assert_eq!(user.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    assert_eq!(user.headers()[CACHE_CONTROL], "no-cache");
    let (user, admin) = (user.text().await.unwrap(), get(&door, "/admin/", &[]).await.text().await.unwrap());
    assert!(user.contains("<title>Muster</title>") && admin.contains("<title>Muster admin</title>"));
    for (path, document) in
        [("/tokens", &user), ("/register", &user), ("/admin/users", &admin), ("/admin/a/b", &admin)]
    {
        assert_eq!(get(&door, path, &[page()]).await.text().await.unwrap(), *document, "{path}");
        // A program that looks for something else is not told that it is there.
        let program = get(&door, path, &[(ACCEPT, "application/json")]).await;
        assert_eq!(program.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(program.headers()[CONTENT_TYPE], "application/problem+json", "{path}");
    }
    let redirect = get(&door, "/admin", &[page()]).await;
    assert_eq!(
        (redirect.status(), &redirect.headers()[LOCATION]),
        (StatusCode::PERMANENT_REDIRECT, &"/admin/".parse().unwrap())
    );
    let posted = door.http.request(Method::POST, format!("{}/", door.url)).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_asset_is_kept_and_sent_in_the_form_that_weighs_least() {
    let door = Door::open().await;
    let document = get(&door, "/", &[]).await.text().await.unwrap();
    let path = script(&document);
    let plain = get(&door, path, &[]).await;
    assert_eq!(plain.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert_eq!(plain.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert!(!plain.headers().contains_key(CONTENT_ENCODING));
    let tag = plain.headers()[ETAG].to_str().unwrap().to_owned();
    let length = plain.bytes().await.unwrap().len();
    let mut sizes = vec![length];
    for coding in ["gzip", "br"] {
        let taken = if coding == "br" { "gzip, deflate, br" } else { coding };
        let compressed = get(&door, path, &[(ACCEPT_ENCODING, taken)]).await;
        assert_eq!(compressed.headers()[CONTENT_ENCODING], coding);
        assert_ne!(compressed.headers()[ETAG], tag);
        sizes.push(compressed.bytes().await.unwrap().len());
    }
    assert!(sizes.is_sorted_by(|a, b| a > b), "{sizes:?}");
    let known = get(&door, path, &[(IF_NONE_MATCH, &tag)]).await;
    assert_eq!((known.status(), known.bytes().await.unwrap().len()), (StatusCode::NOT_MODIFIED, 0));
    let missing = get(&door, "/assets/none.js", &[page()]).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_portal_with_a_host_is_served_under_no_other() {
    let door = Door::open_with(&["--admin-host=admin.example", "--user-host=portal.example"]).await;
    for (host, path, status) in [
        ("admin.example", "/admin/", StatusCode::OK),
        ("admin.example:8443", "/admin/users", StatusCode::OK),
        ("admin.example", "/", StatusCode::PERMANENT_REDIRECT),
        ("admin.example", "/tokens", StatusCode::NOT_FOUND),
        ("portal.example", "/", StatusCode::OK),
        ("PORTAL.example", "/tokens", StatusCode::OK),
        ("portal.example", "/admin/", StatusCode::NOT_FOUND),
        ("portal.example", "/admin", StatusCode::NOT_FOUND),
        ("portal.example", "/admin/index.html", StatusCode::NOT_FOUND),
        ("other.example", "/", StatusCode::NOT_FOUND),
        ("other.example", "/admin/", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(get(&door, path, &[(HOST, host), page()]).await.status(), status, "{host}{path}");
    }
    // As a page, whatever stands in its address: the user portal's.
    let twice = get(&door, "//admin/index.html", &[(HOST, "portal.example"), page()]).await;
    let document = get(&door, "/", &[(HOST, "portal.example")]).await.text().await.unwrap();
    assert_eq!(twice.text().await.unwrap(), document);
    for (host, status) in [("portal.example", StatusCode::OK), ("other.example", StatusCode::NOT_FOUND)] {
        assert_eq!(get(&door, script(&document), &[(HOST, host)]).await.status(), status, "{host}");
    }
}

#[tokio::test]
async fn without_portals_there_is_the_api_alone() {
    let door = Door::open_with(&["--no-portals"]).await;
    for path in ["/", "/admin", "/admin/", "/index.html", "/tokens"] {
        assert_eq!(get(&door, path, &[page()]).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}
