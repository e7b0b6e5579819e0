//! What API tokens may do: each operation needs its right and no other.

use crate::operations::{assert_complete, needs_token, operations};
use ipack_domain::rights::{Right, Rights};
use ipack_storage::Database;
use ipack_testing::api::Tenant;
use ipack_testing::sample::{ACCOUNT, ENCRYPT, READ_TOKEN, SAVE, SAVED, SPACE, find_input, save_input, with};
use ipack_testing::world::World;
use serde_json::{Value, json};

on_both! {
    each_operation_needs_its_right, other_rights_come_with_the_next_jwt, a_token_ends_at_its_end_date,
    the_last_use_of_a_token_is_noted
}

async fn each_operation_needs_its_right(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let catalogue = r#"{"packs": [{"id": "pack", "name": "Pack", "installationType": "SINGLE"}]}"#;
    app.services.import_catalogue(SPACE, catalogue).await.expect("the catalogue is fine");
    assert_complete(&app, &tenant).await;
    let mut tokens = Vec::new();
    for right in [
        Right::DetailsRead,
        Right::DetailsWrite,
        Right::TokensRead,
        Right::TokensManage,
        Right::CatalogueWrite,
    ] {
        let without = app.token_with(ACCOUNT, SPACE, Rights::all().without(right)).await;
        let only = app.token_with(ACCOUNT, SPACE, Rights::default().with(right)).await;
        tokens.push((right, without, only));
    }
    let nothing = app.token_with(ACCOUNT, SPACE, Rights::default()).await;
    let of = |right| tokens.iter().find(|(one, ..)| *one == right).expect("each right has its tokens");
    for operation in operations() {
        let Some(right) = operation.right else { continue };
        for token in [&of(right).1, &nothing] {
            let reply = app.ask(token, operation.query, operation.variables.clone()).await;
            assert_eq!(reply.code(), "FORBIDDEN", "{}", operation.query);
        }
    }
    app.assert_nothing_stored("each was forbidden").await;
    for operation in operations() {
        let token = operation.right.map_or(&nothing, |right| &of(right).2);
        let reply = app.ask(token, operation.query, operation.variables).await;
        if needs_token(operation.query) {
            assert_eq!(reply.code(), "CONFLICT", "{}: {}", operation.query, reply.text);
        } else {
            assert!(reply.json().get("errors").is_none(), "{}: {}", operation.query, reply.text);
        }
    }
}

async fn other_rights_come_with_the_next_jwt(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let services = &app.services;
    app.ask(&tenant, SAVE, json!({"input": save_input()})).await.data(SAVED);
    let rights = Rights::default().with(Right::TokensRead);
    assert!(!services.set_token_rights("other", &tenant.username, &rights).await.expect("asked"));
    assert!(services.set_token_rights(ACCOUNT, &tenant.username, &rights).await.expect("asked"));
    let jwt = app.generate_jwt(ACCOUNT, &tenant.username, &tenant.token).await.text;
    let later = Tenant { jwt, ..tenant.clone() };
    assert_eq!(app.ask(&later, SAVE, json!({"input": save_input()})).await.code(), "FORBIDDEN");
    assert_eq!(app.ask(&later, READ_TOKEN, json!({"input": find_input()})).await.code(), "CONFLICT");
    // The JWT from before says what it said; tokens and secrets are asked for of the database.
    app.ask(&tenant, SAVE, json!({"input": save_input()})).await.data(SAVED);
    for (query, variables) in [
        (READ_TOKEN, json!({"input": find_input()})),
        (ENCRYPT, json!({"input": with(find_input(), "clientSecret", Some("hush".into()))})),
    ] {
        assert_eq!(app.ask(&tenant, query, variables).await.code(), "FORBIDDEN", "{query}");
    }
    assert_eq!(app.count("client_secrets").await, 0);
}

async fn a_token_ends_at_its_end_date(database: Database) {
    let app = World::empty(database).await;
    app.tenant(ACCOUNT, SPACE).await;
    let (services, now) = (&app.services, app.services.clock.now());
    let over = services.create_token(ACCOUNT, "ci", Rights::all(), Some(now)).await.map(drop);
    assert!(over.is_err_and(|error| error.to_string() == "the end date must not be over"));
    let ends = Some(now.plus_seconds(100));
    let token = services.create_token(ACCOUNT, "ci", Rights::all(), ends).await.expect("made");
    let jwt = app.generate_jwt(ACCOUNT, &token.username, &token.token).await.text;
    let tenant = Tenant { space: SPACE.into(), username: token.username, token: token.token, jwt };
    app.advance(99);
    assert_eq!(
        app.ask(&tenant, "{ environments { id } }", Value::Null).await.data("environments"),
        json!([])
    );
    app.advance(1);
    assert_eq!(app.ask(&tenant, "{ environments { id } }", Value::Null).await.code(), "UNAUTHORIZED");
    assert_eq!(app.generate_jwt(ACCOUNT, &tenant.username, &tenant.token).await.status, 401);
}

async fn the_last_use_of_a_token_is_noted(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let used = async || {
        let tokens = app.services.tokens(ACCOUNT, "").await.expect("listed");
        tokens.into_iter().find(|token| token.username == tenant.username).and_then(|token| token.used_at)
    };
    let first = eventually!(used().await);
    assert_eq!(first, app.services.clock.now());
    // Within a minute nothing is written.
    app.advance(59);
    app.generate_jwt(ACCOUNT, &tenant.username, &tenant.token).await;
    app.advance(1);
    app.generate_jwt(ACCOUNT, &tenant.username, &tenant.token).await;
    let second = eventually!(used().await.filter(|at| *at != first));
    assert_eq!(second, app.services.clock.now());
}
