//! The client secret that comes along with a save is found nowhere afterwards, whatever else is wrong with the request.

use axum::body::Body;
use ipack_storage::Database;
use ipack_testing::api::request;
use ipack_testing::logs;
use ipack_testing::sample::{ACCOUNT, SAVE, SAVED, SPACE, save_input, with};
use ipack_testing::stored::everything_stored;
use ipack_testing::world::World;
use serde_json::{Value, json};

on_both!(alone: a_saved_secret_is_found_nowhere, a_secret_in_the_wrong_place_is_not_repeated);

const CANARY: &str = logs::CANARY;

async fn a_saved_secret_is_found_nowhere(database: Database) {
    let log = logs::watch();
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let input = with(save_input(), "clientSecret", Some(CANARY.into()));
    let as_variable = app.ask(&tenant, SAVE, json!({"input": input})).await;
    as_variable.data(SAVED);
    let in_query = ipack_testing::sample::SEED.replace("dummyValue", CANARY);
    let in_query = app.ask(&tenant, &in_query, Value::Null).await;
    in_query.data(SAVED);
    for reply in [as_variable, in_query] {
        assert!(!reply.text.contains(CANARY), "{}", reply.text);
    }
    let kept = everything_stored(&app.database).await;
    assert!(kept.contains("dummyClientSecret"), "the dump shows what is stored");
    assert!(kept.contains("dummyClientId"), "the dump shows what is stored");
    assert!(!kept.contains(CANARY), "the secret is stored");
    log.assert_clean();
}

async fn a_secret_in_the_wrong_place_is_not_repeated(database: Database) {
    let log = logs::watch();
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    // What the quoted sample value becomes when somebody puts their query together wrongly.
    for wrong in [
        format!("\"{CANARY}"),
        format!("\"{CANARY}\" }}"),
        format!("\"{CANARY}\" )"),
        format!("\"a\"{CANARY}\"b\""),
        format!("\"\n{CANARY}\""),
        format!("\"\\q{CANARY}\""),
        format!("\"\"\"{CANARY}"),
        format!("'{CANARY}'"),
        CANARY.to_owned(),
        format!("${CANARY}"),
        format!("$ {CANARY}-"),
        format!("{{{CANARY}: \"{CANARY}\"}}"),
        format!("[\"{CANARY}\"]"),
        format!("{CANARY}: {CANARY}"),
        format!("\"x\", {CANARY}: \"y\""),
        format!("\"x\" }}) {{ {CANARY} }} other: {SAVED}(input: {{}}"),
        format!("\"x\" }}, {CANARY}: {{}}"),
        format!("\"x\" }}) @{CANARY} {{ id }} x: {SAVED}(input: {{}}"),
        format!("\"x\" }}) {{ ...{CANARY} }} x: {SAVED}(input: {{}}"),
        format!("\"x\" }}) {{ ... on {CANARY} {{ id }} }} x: {SAVED}(input: {{}}"),
    ] {
        let query = ipack_testing::sample::SEED.replace("\"dummyValue\"", &wrong);
        assert_ne!(query, ipack_testing::sample::SEED);
        let reply = app.ask(&tenant, &query, Value::Null).await;
        assert!(!reply.text.contains(CANARY), "{wrong}: {}", reply.text);
        assert!(reply.text.contains("BAD_USER_INPUT"), "{wrong}: {}", reply.text);
    }
    let unknown = with(save_input(), &format!("a\" {CANARY} \"b"), Some(CANARY.into()));
    for body in [
        json!({"query": SAVE, "variables": {"input": CANARY}}),
        json!({"query": SAVE, "variables": {"input": [CANARY]}}),
        json!({"query": SAVE, "variables": {"input": unknown}}),
        json!({"query": SAVE, "variables": {"input": with(save_input(), "clientSecret", Some(json!({"a": CANARY})))}}),
        json!({"query": SAVE, "variables": {"input": with(save_input(), "isTokenGenerated", Some(CANARY.into()))}}),
        json!({"query": SAVE, "variables": {CANARY: save_input()}}),
        json!({"query": SAVE, "variables": CANARY}),
        json!({"query": SAVE, "operationName": CANARY, "variables": {"input": save_input()}}),
        json!({"query": [CANARY]}),
        json!({"query": format!("query ($a: {CANARY}) {{ __typename }}")}),
        json!({"query": format!("query ($a: String = {CANARY}) {{ __typename }}")}),
        json!({"query": format!("query {CANARY} {{ a }} query {CANARY} {{ a }}")}),
        json!({"query": format!("{{ __type(name: {CANARY}) {{ name }} }}")}),
        json!({"query": format!("{{ environments(first: \"{CANARY}\") {{ id }} }}")}),
        json!({"query": "query ($a: Int) { environments(first: $a) { id } }", "variables": {"a": CANARY}}),
        json!(CANARY),
    ] {
        let reply = app.post(&tenant, &body).await;
        assert!(!reply.text.contains(CANARY), "{body}: {}", reply.text);
        assert!(reply.text.contains("BAD_USER_INPUT"), "{body}: {}", reply.text);
    }
    let broken = format!("{{\"query\": \"{CANARY}\", \"variables\": {{\"clientSecret\": \"{CANARY}\", ");
    let reply = app.send(request(&tenant).body(Body::from(broken)).expect("a request")).await;
    assert_eq!(reply.status, 400);
    assert!(!reply.text.contains(CANARY), "{}", reply.text);
    app.assert_nothing_stored("each was refused").await;
    log.assert_clean();
}
