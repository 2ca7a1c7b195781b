//! GraphiQL's page: it needs no other host, and runs under a policy that allows none.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::Response;

use crate::harness::Door;

/// What scripts say of other hosts without asking them: links that a person may follow, and names of namespaces.
const SAID: [&str; 8] = [
    "http://www.w3.org/",
    "https://codemirror.net/5/doc/manual.html",
    "https://commonmark.org/",
    "https://en.wikipedia.org/wiki/",
    "https://github.com/graphql/graphiql",
    "https://github.com/jonschlinkert",
    "https://reactjs.org/docs/error-decoder.html",
    "https://reactjs.org/link/",
];

/// A file as a browser gets it: policy, type, and the text of the body.
async fn get(door: &Door, path: &str) -> (String, String, String) {
    let request = door.http.get(format!("{}{path}", door.url)).header("accept-encoding", "gzip, deflate");
    let response: Response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let header = |name: &str| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let (policy, media) = (header("content-security-policy"), header("content-type"));
    let is_gzip = header("content-encoding") == "gzip";
    assert_eq!(header("vary") == "accept-encoding", is_gzip, "{path}");
    let body = response.bytes().await.unwrap();
    let mut text = String::new();
    if is_gzip {
        GzDecoder::new(body.as_ref()).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(body.to_vec()).unwrap();
    }
    (policy, media, text)
}

/// The values of an attribute in a page.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    page.split(&format!(" {attribute}=\"")).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// Every absolute URL in a text. A scheme alone is put before the links that somebody writes into a description.
fn urls(text: &str) -> BTreeSet<&str> {
    let starts = text.match_indices("http://").chain(text.match_indices("https://"));
    starts
        .map(|(start, _)| {
            let rest = &text[start..];
            let end = rest.find(|c: char| c.is_whitespace() || "\"'`<>()\\".contains(c));
            &rest[..end.unwrap_or(rest.len())]
        })
        .filter(|url| !url.ends_with("://"))
        .collect()
}

#[tokio::test]
async fn f39_graphiql_is_whole_without_another_host() {
    let door = Door::open_with(&["--dev"]).await;
    let (_, media, page) = get(&door, "/graphiql").await;
    assert_eq!(media, "text/html; charset=utf-8");
    assert_eq!(urls(&page), BTreeSet::new());
    assert_eq!(values(&page, "style"), [""; 0], "a style of an element is refused by the policy");
    let (scripts, links) = (values(&page, "src"), values(&page, "href"));
    assert_eq!(
        scripts.len(),
        page.matches("<script").count(),
        "a script without a file is refused by the policy"
    );

    for path in &scripts {
        let (_, media, text) = get(&door, path).await;
        assert_eq!(media, "text/javascript; charset=utf-8", "{path}");
        for wanted in ["importScripts", "import(", "eval(", "new Function("] {
            assert!(!text.contains(wanted), "{path} has {wanted}");
        }
        // Licences name the homes of the packages.
        let code = if text.starts_with("/*!") { text.split_once("*/").unwrap().1 } else { &text };
        let unknown: Vec<_> =
            urls(code).into_iter().filter(|url| !SAID.iter().any(|said| url.starts_with(said))).collect();
        assert_eq!(unknown, [""; 0], "{path}");
    }
    let styles: Vec<_> = links.into_iter().filter(|link| *link != "data:,").collect();
    assert_eq!((scripts.len(), styles.len()), (2, 2));
    for path in styles {
        let (_, media, text) = get(&door, path).await;
        assert_eq!(media, "text/css; charset=utf-8", "{path}");
        assert!(!text.contains("@import"), "{path}");
        for rest in text.split("url(").skip(1) {
            assert!(rest.trim_start_matches(['"', '\'']).starts_with("data:image/"), "{path}: {rest:.60}");
        }
    }
}

#[tokio::test]
async fn f39_the_policy_of_graphiql_names_no_other_host_and_no_inline_script() {
    let door = Door::open_with(&["--dev"]).await;
    let (policy, _, page) = get(&door, "/graphiql").await;
    for directive in policy.split(';').map(str::trim) {
        let mut words = directive.split(' ');
        let name = words.next().unwrap();
        for source in words {
            let allowed = ["'self'", "'none'"].contains(&source) || (name, source) == ("img-src", "data:");
            assert!(allowed, "{directive}");
        }
    }
    for wanted in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"] {
        assert!(policy.split(';').any(|directive| directive.trim() == wanted), "{policy}");
    }
    for path in values(&page, "src") {
        assert_eq!(get(&door, path).await.0, policy, "{path}");
    }
}

#[tokio::test]
async fn f39_a_client_without_gzip_is_told_so() {
    let door = Door::open_with(&["--dev"]).await;
    let url = format!("{}/graphiql/graphiql.js", door.url);
    let response = door.http.get(&url).header("accept-encoding", "identity").send().await.unwrap();
    assert_eq!(response.status(), 406);
    assert!(response.text().await.unwrap().contains("gzip"));
}

#[tokio::test]
async fn f39_the_files_of_graphiql_exist_in_development_alone() {
    let door = Door::open().await;
    for path in ["/graphiql", "/graphiql/start.js", "/graphiql/graphiql.js", "/graphiql/graphiql.css"] {
        assert_eq!(
            door.http.get(format!("{}{path}", door.url)).send().await.unwrap().status(),
            404,
            "{path}"
        );
    }
}
