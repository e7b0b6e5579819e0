//! The examples of `docs/api.md`, run in their order on the demo; each operation of the schema has one.

use axum::{body::Body, http::Request};
use ipack_domain::{ids::ConnectionKey, rights::Rights};
use ipack_storage::Database;
use ipack_testing::api::Tenant;
use ipack_testing::flow::generate;
use ipack_testing::provider::Provider;
use ipack_testing::sample::{ACCOUNT, SPACE};
use ipack_testing::world::{ANN, PASSWORD, World};
use serde_json::Value;

on_both!(the_documented_examples_work);

const API: &str = include_str!("../../../../docs/api.md");
/// Where the sample's provider would be.
const BASE_URL: &str = "https://baseURL.com";
const GET: &str = "http://127.0.0.1:3000/api/v1/access-token";

/// GraphQL documents, as blocks of their own and as what a shell is given, and the addresses that are read.
fn examples() -> Vec<String> {
    let (mut found, mut open): (Vec<String>, Option<(&str, String)>) = (Vec::new(), None);
    for line in API.lines() {
        open = match open.take() {
            Some((end, text)) if line == end => {
                found.push(text);
                None
            }
            Some((end, text)) => Some((end, format!("{text}{line}\n"))),
            None if line == "```graphql" => Some(("```", String::new())),
            None if line == "graphql <<'GRAPHQL'" => Some(("GRAPHQL", String::new())),
            None => {
                found.extend(line.split('"').filter(|part| part.starts_with(GET)).map(str::to_owned));
                None
            }
        };
    }
    found
}

async fn names(world: &World, client: &Tenant) -> Vec<String> {
    let query = "{ __schema { queryType { fields { name } } mutationType { fields { name } } } }";
    let schema = world.ask(client, query, Value::Null).await.data("__schema");
    let fields = ["queryType", "mutationType"].map(|root| schema[root]["fields"].as_array().cloned());
    let fields = fields.into_iter().flatten().flatten();
    fields.map(|field| field["name"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn the_documented_examples_work(database: Database) {
    let world = World::builder(database).empty().ticking().build().await;
    assert!(world.services.load_demo().await.expect("loaded"));
    world.services.create_admin(ANN, PASSWORD.into(), Some(ACCOUNT)).await.expect("an admin");
    let client = world.token_with(ACCOUNT, SPACE, Rights::all()).await;
    let examples = examples();
    for name in names(&world, &client).await {
        let has_it = |text: &String| text.split(|c: char| !c.is_alphanumeric()).any(|word| word == name);
        assert!(examples.iter().any(has_it), "{name} has no example");
    }
    let provider = Provider::start().await;
    let mut browser = world.browser(ANN).await;
    let key = ConnectionKey {
        space: SPACE.into(),
        instance: "test-101".into(),
        environment: "2".into(),
        process: "1".into(),
        connection: "3".into(),
    };
    for example in examples {
        if let Some(path) = example.strip_prefix("http://127.0.0.1:3000") {
            let request = Request::get(path).header("authorization", format!("Bearer {}", client.jwt));
            let reply = world.send(request.body(Body::empty()).expect("a request")).await;
            assert!(reply.json()["accessToken"].is_string(), "{example}: {}", reply.text);
            continue;
        }
        let query = example.replace(BASE_URL, &provider.issuer());
        let reply = world.ask(&client, &query, Value::Null).await;
        assert!(reply.json().get("errors").is_none(), "{query}: {}", reply.text);
        if query.contains("encryptIPackInstanceOauthClientSecret") {
            let page = generate(&mut browser, &key, &provider).await;
            page.assert_shows("Access Token generation successful");
        }
    }
}
