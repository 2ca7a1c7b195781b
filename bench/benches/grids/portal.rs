//! A client of the portal API that pages through the grid and changes users.

use anyhow::{Context, Result, bail};
use bench::people::person;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::questions::{End, Question};

const CHOSEN: &str = "seven lamps along the pier";
const PAGE: u64 = 50;
const GRID: &str = "query($filter: UserFilter, $orderBy: UserOrder, $first: Int, $after: String, $last: Int) { \
    users(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last) { \
    nodes { id username firstName lastName email phone state mustChangePassword registeredAt updatedAt group { id name } } \
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }";

/// A signed-in client.
#[derive(Clone)]
pub(crate) struct Portal {
    client: reqwest::Client,
    url: String,
    session: Option<String>,
    /// How many users there were at first.
    pub(crate) users: u64,
}

/// What a page holds.
pub(crate) struct Seen {
    pub(crate) names: Vec<String>,
    pub(crate) total: u64,
}

impl Portal {
    pub(crate) async fn sign_in(url: &str, password: &str, users: u64) -> Result<Self> {
        let client = reqwest::Client::builder().tcp_nodelay(true).no_proxy().build()?;
        let nobody = Self { client, url: url.to_owned(), session: None, users };
        let enter = async |password: &str| {
            let input = json!({ "username": "administrator", "password": password });
            nobody.mutate("signIn", "SignInInput", input, "sessionToken").await
        };
        if let Ok(signed_in) = enter(CHOSEN).await {
            return nobody.with(&signed_in);
        }
        let portal = nobody.with(&enter(password).await?)?;
        let input = json!({ "currentPassword": password, "newPassword": CHOSEN });
        portal.mutate("changePassword", "ChangePasswordInput", input, "").await?;
        Ok(portal)
    }

    fn with(&self, signed_in: &Value) -> Result<Self> {
        let session = signed_in["sessionToken"].as_str().context("the password is not right")?.to_owned();
        Ok(Self { session: Some(session), ..self.clone() })
    }

    /// The variables of a question. One from the middle begins behind a user who stands somewhere in the order.
    pub(crate) async fn page_of(&self, question: &Question) -> Result<Value> {
        let mut page = json!({ "filter": question.filter, "orderBy": question.order });
        match question.end {
            End::First => page["first"] = json!(PAGE),
            End::Last => page["last"] = json!(PAGE),
            End::Middle => {
                let name = person(self.users / 2, self.users).row.username;
                let one = json!({ "filter": { "search": name }, "orderBy": question.order, "first": 1 });
                let data = self.send(GRID, &one).await?;
                let cursor = data["users"]["pageInfo"]["endCursor"].as_str().context("no such user")?;
                page["first"] = json!(PAGE);
                page["after"] = json!(cursor);
            }
        }
        Ok(page)
    }

    /// Asks for a page.
    pub(crate) async fn ask(&self, page: &Value) -> Result<Seen> {
        let data = self.send(GRID, page).await?;
        let nodes = data["users"]["nodes"].as_array().context("no page")?;
        let names = nodes.iter().filter_map(|node| node["username"].as_str()).map(str::to_owned).collect();
        Ok(Seen { names, total: data["users"]["totalCount"].as_u64().context("no count")? })
    }

    /// A group to create users in.
    pub(crate) async fn group(&self) -> Result<String> {
        let input = json!({ "name": bench::commands::run_name() });
        let made = self.mutate("createGroup", "CreateGroupInput", input, "group { id }").await?;
        Ok(made["group"]["id"].as_str().context("no group")?.to_owned())
    }

    /// Creates a user with this name, or changes the last name of a known one, by turns.
    pub(crate) async fn change(&self, group: &str, name: &str, number: u64) -> Result<()> {
        if number.is_multiple_of(2) {
            let input =
                json!({ "username": name, "groupId": group, "firstName": "Ada", "lastName": "Example" });
            return self.mutate("createUser", "CreateUserInput", input, "user { id }").await.map(drop);
        }
        let user = person(number * 7_919 % (self.users / 2), self.users).row;
        let input = json!({ "userId": user.id.to_string(), "lastName": format!("Changed{}", number % 97) });
        let changed = self.mutate("updateProfile", "UpdateProfileInput", input, "user { id }").await;
        match changed {
            // Who is deleted is not changed.
            Err(error) if error.to_string().contains("userErrors") => Ok(()),
            changed => changed.map(drop),
        }
    }

    async fn mutate(&self, name: &str, kind: &str, input: Value, fields: &str) -> Result<Value> {
        let query = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ code }} {fields} }} }}"
        );
        let mut data = self.send(&query, &json!({ "input": input })).await?;
        let payload = data[name].take();
        if payload["userErrors"] == json!([]) { Ok(payload) } else { bail!("{name}: {payload}") }
    }

    async fn send(&self, query: &str, variables: &Value) -> Result<Value> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let mut request = self.client.post(&self.url).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(session) = &self.session {
            request = request.bearer_auth(session);
        }
        let mut response: Value = serde_json::from_slice(&request.send().await?.bytes().await?)?;
        // The data may hold a made password.
        if let Some(errors) = response.get("errors") {
            bail!("{errors}");
        }
        Ok(response["data"].take())
    }
}
