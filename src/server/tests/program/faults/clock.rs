//! F08: the clock jumps by 400 seconds, more than a JWT lives. What `docs/operating.md` says of it holds, and a clock that
//! was set back locks nobody out.

use crate::faults::{figures, rounds};
use axum::{body::Body, http::Method};
use ipack_storage::Database;
use ipack_testing::{
    browser::{Browser, call},
    flow::{get_token, read, runtime, token},
    provider::Provider,
    world::{ACCOUNT, ANN, PASSWORD, World, key},
};
use serde_json::Value;

on_both!(
    f08_a_jwt_lives_longer_or_shorter_by_the_jump_and_the_next_one_is_right,
    f08_sessions_and_passwords_outlive_a_clock_that_was_set_back,
    f08_failed_sign_ins_are_forgiven_after_a_clock_was_set_back,
    f08_refreshes_come_early_or_late_by_the_jump_and_never_twice,
);

const JUMP: i64 = 400;

async fn f08_a_jwt_lives_longer_or_shorter_by_the_jump_and_the_next_one_is_right(database: Database) {
    let world = World::new(database).await;
    let tenant = world.another_token(ACCOUNT, "space-1").await;
    let status = async |jwt: &str| {
        let tenant = ipack_testing::api::Tenant { jwt: jwt.to_owned(), ..tenant.clone() };
        world.ask(&tenant, "{ __typename }", Value::Null).await.status.as_u16()
    };
    let another = async || world.generate_jwt(ACCOUNT, &tenant.username, &tenant.token).await.text;
    for _ in 0..rounds(2, 50) {
        let first = another().await;
        world.advance(-JUMP);
        assert_eq!((status(&first).await, status(&another().await).await), (200, 200));
        world.advance(JUMP + 299);
        assert_eq!(status(&first).await, 200, "300 seconds after it was made, by the clock it was made with");
        world.advance(1);
        assert_eq!(status(&first).await, 401);
        let second = another().await;
        world.advance(JUMP);
        assert_eq!((status(&second).await, status(&another().await).await), (401, 200));
    }
    figures("F08", &format!("{} jumps under JWTs", 3 * rounds(2, 50)));
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    let request = call(Method::GET, "/api/signed-in").body(Body::empty()).expect("a request");
    browser.send(request).await.status == 200
}

async fn f08_sessions_and_passwords_outlive_a_clock_that_was_set_back(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    world.services.change_password(ANN, "another password".into()).await.expect("changed");
    assert!(!is_signed_in(&mut browser).await);
    for jump in [-JUMP, JUMP].into_iter().cycle().take(rounds(2, 50)) {
        browser.sign_in(ANN, "another password").await;
        assert!(is_signed_in(&mut browser).await);
        world.advance(jump);
        assert!(is_signed_in(&mut browser).await, "a jump by {jump}");
    }
}

async fn f08_failed_sign_ins_are_forgiven_after_a_clock_was_set_back(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.stranger();
    for _ in 0..rounds(2, 20) {
        let mut refusals = 0;
        while browser.sign_in(ANN, "wrong").await.status != 429 {
            refusals += 1;
            assert!(refusals < 50, "nobody counts");
        }
        world.advance(-JUMP);
        assert_eq!(
            browser.sign_in(ANN, PASSWORD).await.status,
            429,
            "nothing is forgiven by the jump itself"
        );
        world.advance(30);
        assert_eq!(browser.sign_in(ANN, PASSWORD).await.heading(), "Installed integrations");
        browser = world.stranger();
        // One that goes forwards forgives early, as much as it jumps.
        world.advance(JUMP);
        assert_eq!(browser.sign_in(ANN, PASSWORD).await.heading(), "Installed integrations");
        browser = world.stranger();
    }
    figures("F08", &format!("{} jumps under sign-in limits", 2 * rounds(2, 20)));
}

async fn f08_refreshes_come_early_or_late_by_the_jump_and_never_twice(database: Database) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let mut browser = world.browser(ANN).await;
    get_token(&mut browser, &key(), &provider).await;
    let client = runtime(&world).await;
    for round in 0..rounds(2, 30) {
        // Due in 3,300 seconds.
        world.advance(2_950);
        assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
        world.advance(JUMP);
        assert_eq!(world.services.refresh_due().await.expect("looked"), 1, "early");
        world.advance(-JUMP);
        assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
        world.advance(3_301);
        assert_eq!(world.services.refresh_due().await.expect("looked"), 0, "late");
        let latest = format!("access-{}", 3 + 2 * round);
        assert_eq!(read(&world, &client, &key()).await, Ok(latest), "and handed out until then");
        world.advance(JUMP);
        assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
        assert_eq!((provider.token_calls().len(), provider.revoked_families()), (3 + 2 * round, 0));
        assert_eq!(token(&world, &key()).await.map(|token| token.failures), Some(0));
    }
    figures("F08", &format!("{} jumps under refreshes", 3 * rounds(2, 30)));
}
