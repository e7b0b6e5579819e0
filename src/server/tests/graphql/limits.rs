//! What a request may be at most. Each limit trips with its own message, and what is just within passes.

use ipack_storage::Database;
use ipack_testing::sample::{ACCOUNT, SPACE};
use ipack_testing::world::World;
use serde_json::{Value, json};
use std::time::Duration;

on_both! {
    s32_each_limit_trips_with_a_message_of_its_own, s32_what_unfolds_without_end_is_refused_at_once,
    s32_a_batch_has_ten_requests_at_most, s33_introspection_passes_the_limits_with_a_token_only
}

/// `{ __type { ofType { … name } } }`, so many fields deep.
fn deep(fields: usize) -> String {
    let (open, close) = ("ofType { ".repeat(fields - 2), " }".repeat(fields));
    format!("{{ __type(name: \"Query\") {{ {open}name{close}")
}

fn repeated(count: usize, text: impl Fn(usize) -> String) -> String {
    format!("{{ {} }}", (0..count).map(text).collect::<Vec<_>>().join(" "))
}

/// A chain of fragments, each spreading the next, the last one a field.
fn chain(length: usize) -> String {
    let links = (0..length).map(|at| format!("fragment f{at} on Query {{ ...f{} }}", at + 1));
    let links: Vec<String> = links.collect();
    format!("{{ ...f0 }} {} fragment f{length} on Query {{ __typename }}", links.join(" "))
}

async fn s32_each_limit_trips_with_a_message_of_its_own(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let plain = |_| "__typename".to_owned();
    let alias = |at| format!("a{at}: __typename");
    let directive = |_| "__typename @include(if: true)".to_owned();
    let inline = |count: usize| format!("{{ {}__typename{} }}", "... { ".repeat(count), " }".repeat(count));
    for (within, over, message) in [
        (deep(15), deep(16), "The query is nested too deeply: fields in one another; 15 are allowed."),
        (
            repeated(1_000, plain),
            repeated(1_001, plain),
            "The query is too complex: fields, in fragments each time they are used; 1000 are allowed.",
        ),
        (repeated(30, alias), repeated(31, alias), "The query has too many aliases; 30 are allowed."),
        (
            repeated(30, directive),
            repeated(31, directive),
            "The query has too many directives; 30 are allowed.",
        ),
        (inline(32), inline(33), "The query has more than 32 selections in one another, fragments included."),
        (chain(31), chain(32), "The query has more than 32 selections in one another, fragments included."),
        (
            format!("{{ environments(after: {}1{}) {{ id }} }}", "[".repeat(62), "]".repeat(62)),
            format!("{{ environments(after: {}1{}) {{ id }} }}", "[".repeat(63), "]".repeat(63)),
            "The query opens more than 64 brackets in one another.",
        ),
    ] {
        let reply = app.ask(&tenant, &within, Value::Null).await;
        assert!(!reply.text.contains(message), "{within}: {}", reply.text);
        let reply = app.ask(&tenant, &over, Value::Null).await;
        assert_eq!(reply.error(), ("BAD_USER_INPUT".into(), None, message.into()), "{over}");
        assert!(reply.json().get("data").is_none());
    }
    for fine in [
        deep(15),
        repeated(1_000, plain),
        repeated(30, alias),
        repeated(30, directive),
        inline(32),
        chain(31),
    ] {
        let reply = app.ask(&tenant, &fine, Value::Null).await;
        assert!(reply.json().get("errors").is_none(), "{fine}: {}", reply.text);
    }
}

async fn s32_what_unfolds_without_end_is_refused_at_once(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    // 2³⁰ fields out of thirty lines.
    let double = |at: usize| format!("fragment f{at} on Query {{ ...f{0} ...f{0} }}", at + 1);
    let doubling: Vec<String> = (0..30).map(double).collect();
    let doubling = format!("{} fragment f30 on Query {{ __typename }}", doubling.join(" "));
    for query in [
        format!("{{ ...f0 }} {doubling}"),
        format!("{{ __typename }} {doubling}"),
        "{ ...a } fragment a on Query { ...a ...a ...a }".to_owned(),
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned(),
        chain(20_000),
        "{".repeat(500_000),
        format!("{{ environments(after: {}", "[".repeat(500_000)),
        format!("query ($a: {}", "[".repeat(500_000)),
        format!("{{ environments(after: {}", "{a: ".repeat(200_000)),
        "{ __typename ".to_owned() + &"@a".repeat(200_000) + "}",
    ] {
        let asked = app.ask(&tenant, &query, Value::Null);
        // A bound for what would otherwise never end, not a measurement.
        let reply = tokio::time::timeout(Duration::from_secs(60), asked)
            .await
            .expect("it is refused without unfolding it");
        assert_eq!(reply.code(), "BAD_USER_INPUT", "{}", &query[..50.min(query.len())]);
    }
    let nested = format!("{{\"query\": \"{{ __typename }}\", \"variables\": {}", "[".repeat(500_000));
    let request = ipack_testing::api::request(&tenant).body(nested.into()).expect("a request");
    assert_eq!(app.send(request).await.status, 400);
    // Brackets in strings and comments are none.
    let brackets = "[".repeat(100);
    let query = format!(
        "{{ # {brackets}\n environments(after: \"\\\"{brackets}\") {{ id }} b: environments(after: \"\"\"{brackets}\"\"\") {{ id }} }}"
    );
    assert_eq!(app.ask(&tenant, &query, Value::Null).await.data("b"), json!([]));
}

async fn s32_a_batch_has_ten_requests_at_most(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let one = json!({"query": "{ __typename }"});
    let ten = app.post(&tenant, &json!(vec![one.clone(); 10])).await;
    assert_eq!((ten.status.as_u16(), ten.json().as_array().map(Vec::len)), (200, Some(10)));
    let eleven = app.post(&tenant, &json!(vec![one; 11])).await;
    let expected = ("BAD_USER_INPUT".into(), None, "The batch has 11 requests; 10 are allowed.".into());
    assert_eq!((eleven.status.as_u16(), eleven.error()), (400, expected));
}

async fn s33_introspection_passes_the_limits_with_a_token_only(database: Database) {
    let app = World::empty(database).await;
    let mut tenant = app.tenant(ACCOUNT, SPACE).await;
    let query = include_str!("introspection.graphql");
    let schema = app.ask(&tenant, query, Value::Null).await.data("__schema");
    assert_eq!(schema["mutationType"]["name"], "Mutation");
    tenant.jwt.clear();
    let refused = app.ask(&tenant, query, Value::Null).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (401, "UNAUTHORIZED"));
    assert!(!refused.text.contains("Mutation"));
}
