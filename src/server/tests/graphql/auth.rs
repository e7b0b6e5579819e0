//! API tokens, JWTs, and how often one may ask.

use axum::{body::Body, http::Request};
use ipack_core::caller_limits::CallerLimits;
use ipack_storage::Database;
use ipack_testing::api::{REQUEST_ID, Reply, Tenant};
use ipack_testing::sample::{ACCOUNT, SAVE, SPACE, save_input};
use ipack_testing::tables::execute;
use ipack_testing::world::World;
use serde_json::{Value, json};

on_both! {
    s28_a_token_makes_a_jwt_and_anything_else_fails_alike, s28_tokens_are_stored_hashed, s29_a_jwt_opens_for_300_seconds,
    s29_no_token_opens_nothing, s30_a_revoked_token_makes_no_further_jwt, too_many_requests_of_one_token,
    too_many_jwts_for_one_address, every_request_of_a_batch_counts, s41_what_fails_inside_stays_inside,
    a_database_that_is_away_is_no_fault_of_ours
}

async fn s28_a_token_makes_a_jwt_and_anything_else_fails_alike(database: Database) {
    let app = World::empty(database).await;
    let account = "a/ü %41";
    let tenant = app.tenant(account, SPACE).await;
    let other = app.tenant("other", "other-space").await;
    let segment = "a%2F%C3%BC%20%2541";
    let made = app.generate_jwt(segment, &tenant.username, &tenant.token).await;
    assert_eq!((made.status.as_u16(), made.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let with_jwt = Tenant { jwt: made.text, ..tenant.clone() };
    assert_eq!(app.ask(&with_jwt, "{ __typename }", Value::Null).await.data("__typename"), "Query");

    let mut refused: Vec<Reply> = Vec::new();
    for (account, username, token) in [
        (segment, tenant.username.as_str(), "wrong"),
        (segment, tenant.username.as_str(), ""),
        (segment, "BOOMI_TOKEN.unknown", tenant.token.as_str()),
        (segment, "BOOMI_TOKEN.nul\0", tenant.token.as_str()),
        (segment, tenant.username.trim_start_matches("BOOMI_TOKEN."), tenant.token.as_str()),
        (segment, other.username.as_str(), tenant.token.as_str()),
        ("other", tenant.username.as_str(), tenant.token.as_str()),
        ("unknown", tenant.username.as_str(), tenant.token.as_str()),
        ("%FF", tenant.username.as_str(), tenant.token.as_str()),
        ("%00", tenant.username.as_str(), tenant.token.as_str()),
    ] {
        refused.push(app.generate_jwt(account, username, token).await);
    }
    let path = format!("/auth/jwt/generate/{segment}");
    for authorization in [None, Some("Basic"), Some("Basic !"), Some("Basic eA=="), Some("Bearer x")] {
        let request = authorization
            .iter()
            .fold(Request::get(&path), |request, value| request.header("authorization", *value));
        refused.push(app.send(request.body(Body::empty()).expect("a request")).await);
    }
    for reply in &refused {
        assert_eq!(
            (reply.status, &reply.text, &reply.headers),
            (refused[0].status, &refused[0].text, &refused[0].headers)
        );
    }
    assert_eq!(refused[0].status, 401);
    assert!(refused[0].header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Basic ")));
}

async fn s28_tokens_are_stored_hashed(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let sql = "SELECT digest FROM api_tokens";
    let mut reader = app.database.reader().await.expect("a connection is free");
    let digest: Vec<u8> =
        ipack_storage::on_connection!(reader.connection(), executor => sqlx::query_scalar(sql).fetch_one(executor))
            .expect("the token is there");
    assert_eq!(digest, ipack_core::accounts::api_token::digest(&tenant.token));
    assert!(tenant.token.len() >= 43, "256 bits");
}

async fn s29_a_jwt_opens_for_300_seconds(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    app.advance(299);
    assert_eq!(app.ask(&tenant, "{ __typename }", Value::Null).await.status, 200);
    app.advance(1);
    let late = app.ask(&tenant, "{ __typename }", Value::Null).await;
    assert_eq!((late.status.as_u16(), late.code().as_str()), (401, "UNAUTHORIZED"));
}

async fn s29_no_token_opens_nothing(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let (header, rest) = tenant.jwt.split_once('.').expect("three parts");
    let (claims, signature) = rest.split_once('.').expect("three parts");
    // {"alg":"none","typ":"JWT"}
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let unsigned = format!("{header}.{claims}.");
    let swapped = format!("{header}.{}.{signature}", claims.chars().rev().collect::<String>());
    let mut refused = Vec::new();
    for jwt in ["", "garbage", &none, &unsigned, &swapped, &tenant.token] {
        let stranger = Tenant { jwt: jwt.into(), ..tenant.clone() };
        refused.push(app.ask(&stranger, SAVE, json!({"input": save_input()})).await);
        refused.push(app.ask(&stranger, "{ __schema { queryType { name } } }", Value::Null).await);
        refused.push(app.post(&stranger, &Value::Null).await);
    }
    for authorization in [None, Some("Bearer"), Some("Basic eA==")] {
        let bare = Request::post("/graphql").header("accept", "application/json");
        let bare = authorization.iter().fold(bare, |request, value| request.header("authorization", *value));
        refused.push(app.send(bare.body(Body::from("{")).expect("a request")).await);
    }
    for reply in refused {
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (401, "UNAUTHORIZED"), "{}", reply.text);
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        assert!(reply.json().get("data").is_none());
    }
    app.assert_nothing_stored("nobody was let in").await;
}

async fn s30_a_revoked_token_makes_no_further_jwt(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let second = app.another_token(ACCOUNT, SPACE).await;
    assert_eq!(app.generate_jwt(ACCOUNT, &tenant.username, &tenant.token).await.status, 200);
    assert!(app.services.revoke_token(ACCOUNT, &tenant.username).await.expect("it is revoked"));
    let refused = app.generate_jwt(ACCOUNT, &tenant.username, &tenant.token).await;
    let wrong = app.generate_jwt(ACCOUNT, &tenant.username, "wrong").await;
    assert_eq!((refused.status.as_u16(), &refused.text), (401, &wrong.text));
    assert_eq!(app.generate_jwt(ACCOUNT, &second.username, &second.token).await.status, 200);
}

/// Three at once and the next an hour later: no test runs so long.
fn three() -> CallerLimits {
    CallerLimits::new(1.0 / 3_600.0, 3)
}

fn assert_too_many(reply: &Reply) {
    assert_eq!(reply.status, 429, "{}", reply.text);
    let seconds: u64 = reply.header("retry-after").and_then(|text| text.parse().ok()).expect("whole seconds");
    assert!((1..=3 * 3_600).contains(&seconds), "{seconds}");
}

async fn too_many_requests_of_one_token(database: Database) {
    let app = World::builder(database).empty().limits(three()).build().await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let other = app.another_token(ACCOUNT, SPACE).await;
    for _ in 0..3 {
        app.ask(&tenant, "{ __typename }", Value::Null).await.data("__typename");
    }
    let refused = app.ask(&tenant, SAVE, json!({"input": save_input()})).await;
    assert_too_many(&refused);
    assert_eq!(refused.code(), "TOO_MANY_REQUESTS");
    assert!(refused.json().get("data").is_none());
    app.assert_nothing_stored("it was one too many").await;
    // Neither another token nor a request without one is held back by it.
    app.ask(&other, "{ __typename }", Value::Null).await.data("__typename");
    let nobody = Tenant { jwt: String::new(), ..tenant };
    assert_eq!(app.ask(&nobody, "{ __typename }", Value::Null).await.status, 401);
}

async fn too_many_jwts_for_one_address(database: Database) {
    let app = World::builder(database).empty().limits(three()).build().await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    for _ in 0..3 {
        assert_eq!(app.generate_jwt(ACCOUNT, &tenant.username, "wrong").await.status, 401);
    }
    assert_too_many(&app.generate_jwt(ACCOUNT, &tenant.username, &tenant.token).await);
    app.ask(&tenant, "{ __typename }", Value::Null).await.data("__typename");
}

async fn every_request_of_a_batch_counts(database: Database) {
    let app = World::builder(database).empty().limits(three()).build().await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let four = json!(vec![json!({"query": SAVE, "variables": {"input": save_input()}}); 4]);
    assert_too_many(&app.post(&tenant, &four).await);
    app.assert_nothing_stored("the whole batch was refused").await;
}

async fn s41_what_fails_inside_stays_inside(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    for table in ["spaces", "api_tokens"] {
        execute(&app.database, &format!("ALTER TABLE {table} RENAME TO lost_{table}")).await;
    }
    let reply = app.ask(&tenant, SAVE, json!({"input": save_input()})).await;
    assert_eq!(reply.status, 200);
    let expected = json!({"code": "GENERIC_SYSTEM_ERROR", "requestId": REQUEST_ID});
    assert_eq!(reply.json()["errors"][0]["extensions"], expected);
    assert_eq!(reply.message(), "Something went wrong on the server.");
    let jwt = app.generate_jwt(ACCOUNT, &tenant.username, &tenant.token).await;
    assert_eq!(jwt.status, 500);
    assert_eq!(jwt.text, format!("Something went wrong on the server. Request {REQUEST_ID}."));
}

async fn a_database_that_is_away_is_no_fault_of_ours(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    app.database.close().await;
    let save = json!({"query": SAVE, "variables": {"input": save_input()}});
    for (body, error) in [(save.clone(), "/errors/0"), (json!([save]), "/0/errors/0")] {
        let reply = app.post(&tenant, &body).await;
        assert_eq!(reply.status, 503);
        let expected = json!({"code": "TEMPORARILY_UNAVAILABLE", "requestId": REQUEST_ID});
        assert_eq!(reply.json().pointer(error).expect("an error")["extensions"], expected);
    }
    assert_eq!(app.generate_jwt(ACCOUNT, &tenant.username, &tenant.token).await.status, 503);
}
