//! What whoever runs the server looks at, and what an error tells the outside.

use crate::everywhere::{functions, pages, right_credentials};
use axum::{
    body::Body,
    http::{Method, Request},
};
use ipack_domain::effects::Clock;
use ipack_server::config::Config;
use ipack_storage::Database;
use ipack_testing::browser::{Browser, Page, call, get, post};
use ipack_testing::tables::execute;
use ipack_testing::world::{ANN, World, key};
use std::sync::Arc;

on_both!(
    health_and_metrics_answer_anybody,
    s41_readiness_follows_the_database,
    s41_an_error_says_its_request_and_nothing_internal,
    s41_a_request_id_from_outside_stays_only_if_it_is_plain,
    callers_cannot_make_metrics_grow,
    s41_a_panic_is_an_error_with_its_request,
);

async fn ask(world: &World, path: &str) -> Page {
    world.stranger().send(get(path).body(Body::empty()).expect("a request")).await
}

async fn health_and_metrics_answer_anybody(database: Database) {
    let world = World::new(database).await;
    for (path, text) in [("/healthz", "ok\n"), ("/readyz", "ready\n"), ("/readyz/read", "ready\n")] {
        let page = ask(&world, path).await;
        assert_eq!((page.status.as_u16(), page.text()), (200, text));
    }
    world.browser(ANN).await.get(&key().form_path()).await;
    let page = ask(&world, "/metrics").await;
    assert!(page.header("content-type").is_some_and(|media| media.starts_with("text/plain")));
    let route = "/spaces/{space}/instances/{instance}/environments/{environment}/processes/{process}/connections/{connection}";
    let is_it = |line: &str| {
        line.starts_with("http_requests_total") && line.contains(route) && line.contains("status=\"200\"")
    };
    assert!(page.text().lines().any(is_it), "{}", page.text());
    assert!(page.text().contains("http_request_duration_seconds_bucket"));
    assert!(!page.text().contains("instance-1"), "routes, not addresses");
}

async fn s41_readiness_follows_the_database(database: Database) {
    let world = World::new(database).await;
    world.database.close().await;
    let page = ask(&world, "/readyz").await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("cannot be read"), "{}", page.text());
    assert_eq!(ask(&world, "/readyz/read").await.status, 503);
    assert_eq!(ask(&world, "/healthz").await.status, 200);
}

async fn s41_an_error_says_its_request_and_nothing_internal(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    execute(&world.database, "ALTER TABLE admins RENAME TO lost_admins").await;
    assert_told(&mut browser, 500, "Something went wrong").await;
    world.database.close().await;
    assert_told(&mut browser, 503, "Not available at the moment").await;
    let page = browser.send(post("/logout").body(Body::empty()).expect("a request")).await;
    assert_eq!(page.status, 503, "nobody is signed out yet");
}

/// Every page and function answers this status, names its request, and keeps what is internal to itself.
async fn assert_told(browser: &mut Browser, status: u16, heading: &str) {
    let mut requests: Vec<Request<Body>> = functions(&key()).iter().map(|one| one.request()).collect();
    requests.extend(functions(&key()).iter().filter(|one| one.method == Method::POST).map(|one| one.form()));
    requests.extend(pages(&key()).iter().map(|path| get(path).body(Body::empty()).expect("a request")));
    requests.push(post("/login").body(Body::from(right_credentials())).expect("a request"));
    for request in requests {
        let wants_page = request.headers()["accept"].to_str().is_ok_and(|accept| accept.contains("html"));
        let is_read = request.method() == Method::GET;
        let page = browser.send(request).await;
        let what = format!("{} {}", page.path, page.text());
        assert_eq!(page.status, status, "{what}");
        assert_eq!(page.header("retry-after").is_some(), status == 503, "{what}");
        let id = page.header("x-request-id").expect("an id");
        assert!(page.text().contains(id), "{id}: {what}");
        if wants_page && is_read {
            assert_eq!(page.heading(), heading, "{what}");
        }
        let text = page.text().to_lowercase();
        for word in ["sqlx", "pool", "sqlite", "postgres", "storage", "panicked", "src/"] {
            assert!(!text.contains(word), "{word}: {what}");
        }
        assert_eq!(page.header("set-cookie"), None, "the session is not what failed: {what}");
    }
}

async fn s41_a_request_id_from_outside_stays_only_if_it_is_plain(database: Database) {
    let world = World::new(database).await;
    let id_for = async |given: &str| {
        let request = call(Method::GET, "/healthz").header("x-request-id", given.as_bytes());
        let page = world.stranger().send(request.body(Body::empty()).expect("a request")).await;
        page.header("x-request-id").expect("an id").to_owned()
    };
    assert_eq!(id_for("trace-1.2_3").await, "trace-1.2_3");
    for given in ["", "a b", "<script>", "é", &"x".repeat(65)] {
        let id = id_for(given).await;
        assert!(id != given && id.len() == 32, "{given:?}: {id}");
    }
}

async fn callers_cannot_make_metrics_grow(database: Database) {
    let world = World::new(database).await;
    for word in ["MADEUP", "MADEUPTOO"] {
        let method = Method::from_bytes(word.as_bytes()).expect("a token");
        for path in ["/", "/madeup/path", "/healthz"] {
            world.stranger().send(call(method.clone(), path).body(Body::empty()).expect("a request")).await;
        }
    }
    let metrics = ask(&world, "/metrics").await;
    assert!(!metrics.text().to_lowercase().contains("madeup"), "{}", metrics.text());
}

async fn s41_a_panic_is_an_error_with_its_request(database: Database) {
    let world = World::new(database).await;
    let mut services = world.services.clone();
    services.clock = Clock::new(|| panic!("canary"));
    let mut browser = Browser::new(ipack_server::router::router(services, Arc::new(Config::default())));
    let jwt =
        Request::post("/graphql").header("authorization", "Bearer x").header("accept", "application/json");
    for (request, code) in [
        (get("/"), None),
        (call(Method::GET, "/api/signed-in"), Some("/code")),
        (jwt, Some("/errors/0/extensions/code")),
    ] {
        let request = request.header("x-request-id", "request-of-a-test").body(Body::empty());
        let page = browser.send(request.expect("a request")).await;
        assert_eq!((page.status.as_u16(), page.header("x-request-id")), (500, Some("request-of-a-test")));
        assert!(
            page.text().contains("request-of-a-test") && !page.text().contains("canary"),
            "{}",
            page.text()
        );
        match code {
            None => page.assert_shows("Something went wrong on the server."),
            Some(place) => {
                let answer: serde_json::Value = serde_json::from_str(page.text()).expect("JSON");
                assert_eq!(answer.pointer(place), Some(&"GENERIC_SYSTEM_ERROR".into()), "{answer}");
            }
        }
    }
}
