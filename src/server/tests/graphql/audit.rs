//! What the audit log has of clients that were refused, by kind, client and hour, and never what a stranger sent.

use axum::{body::Body, http::Request};
use base64::{Engine, engine::general_purpose::STANDARD};
use ipack_storage::Database;
use ipack_testing::api::Tenant;
use ipack_testing::sample::{FIND, find_input};
use ipack_testing::world::World;
use serde_json::json;
use tower::ServiceExt;

on_both!(s39_refusals_and_denials_are_counted_in_the_audit_log);

async fn status(world: &World, request: axum::http::request::Builder) -> u16 {
    let request = request.body(Body::empty()).expect("a request");
    world.router().oneshot(request).await.expect("a router does not fail").status().as_u16()
}

async fn s39_refusals_and_denials_are_counted_in_the_audit_log(database: Database) {
    let world = World::empty(database).await;
    let tenant = world.tenant("account-1", "space-1").await;
    let label = format!("actor LIKE 'API token %' AND detail LIKE '{}%'", tenant.username);
    let elsewhere = Tenant { space: "space-of-others".into(), ..tenant.clone() };
    for _ in 0..3 {
        let reply = world.ask(&elsewhere, FIND, json!({"input": find_input()})).await;
        assert_eq!(reply.code(), "SPACE_NOT_FOUND");
    }
    let basic = |username: &str| STANDARD.encode(format!("{username}:canary"));
    for credentials in [basic(&tenant.username), basic("BOOMI_TOKEN.canary"), basic("canary")] {
        let path = "/auth/jwt/generate/account-1";
        let request = Request::get(path).header("authorization", format!("Basic {credentials}"));
        assert_eq!(status(&world, request).await, 401);
    }
    let ask = |jwt: &str| Request::post("/graphql").header("authorization", format!("Bearer {jwt}"));
    assert_eq!(status(&world, ask("canary")).await, 401);
    world.advance(301);
    assert_eq!(status(&world, ask(&tenant.jwt)).await, 401);
    assert_eq!(world.count("timeline WHERE times IS NOT NULL").await, 0, "strangers write nothing");
    world.services.write_uses().await.expect("written");
    let stranger = "actor = 'somebody unknown' AND account_id IS NULL";
    for (kind, who, times) in [
        ("api_denied", label.as_str(), 3),
        ("api_token_refused", &label, 1),
        ("api_token_refused", stranger, 2),
        ("jwt_refused", stranger, 1),
        ("jwt_refused", &label, 1),
    ] {
        let entry = format!("timeline WHERE kind = '{kind}' AND times = {times} AND {who}");
        assert_eq!(world.count(&entry).await, 1, "{entry}");
    }
    assert_eq!(world.count("timeline WHERE actor LIKE '%canary%' OR detail LIKE '%canary%'").await, 0);
}
