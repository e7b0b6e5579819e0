//! The headers that keep browsers on their guard, on every answer there is.

use crate::everywhere::{functions, pages};
use axum::{
    body::Body,
    http::{Method, Request},
};
use ipack_server::config::Config;
use ipack_storage::Database;
use ipack_testing::browser::{Browser, Page, call, get, post};
use ipack_testing::world::{ANN, World, key};
use std::collections::HashSet;

on_both!(
    s37_every_answer_has_the_headers,
    s37_pages_have_a_nonce_that_differs_and_that_their_scripts_carry,
    s37_no_page_has_inline_styles_or_handlers,
    s37_hsts_only_with_https,
);

/// Every page, with its errors.
async fn all_pages(world: &World) -> Vec<Page> {
    let mut browser = world.browser(ANN).await;
    let mut all = vec![world.stranger().get("/login").await];
    for path in pages(&key()) {
        all.push(browser.get(&path).await);
    }
    all.push(browser.get("/no/such/page").await);
    all.push(browser.get("/spaces/none/instances/none").await);
    all.push(world.stranger().sign_in(ANN, "wrong").await);
    for function in functions(&key()).into_iter().filter(|one| one.method == Method::POST) {
        all.push(world.stranger().send(function.form()).await);
    }
    let statuses: HashSet<u16> = all.iter().map(|page| page.status.as_u16()).collect();
    assert_eq!(statuses, HashSet::from([200, 401, 404]));
    all
}

/// Answers that are no pages, one of each kind.
async fn all_others(world: &World, browser: &mut Browser) -> Vec<Page> {
    let request = |builder: axum::http::request::Builder| builder.body(Body::empty()).expect("a request");
    let mut others: Vec<Request<Body>> = functions(&key()).iter().map(|one| one.request()).collect();
    for path in ["/healthz", "/readyz", "/metrics", "/favicon.svg", "/pkg/none.js", "/pkg/ipack-connect.css"]
    {
        others.push(request(get(path)));
    }
    others.push(request(post("/")));
    others.push(request(get("/graphql")));
    others.push(request(get("/logout")));
    others.push(request(call(Method::PUT, "/login")));
    others.push(request(call(Method::POST, "/api/none")));
    others.push(request(call(Method::POST, "/api/connector")));
    let mut cross_site = request(post("/api/connector"));
    cross_site.headers_mut().insert("sec-fetch-site", "cross-site".parse().expect("a header"));
    others.push(cross_site);
    others.push(request(call(Method::POST, "/graphql")));
    others.push(request(get("/auth/jwt/generate/x")));
    let mut answers = Vec::new();
    for request in others {
        answers.push(browser.send(request).await);
    }
    answers.push(world.stranger().send(request(get("/"))).await);
    answers.push(world.stranger().send(request(call(Method::GET, "/"))).await);
    let statuses: HashSet<u16> = answers.iter().map(|page| page.status.as_u16()).collect();
    for status in [200, 303, 400, 401, 403, 404, 405] {
        assert!(statuses.contains(&status), "no answer with {status}");
    }
    answers
}

async fn s37_every_answer_has_the_headers(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let mut all = all_pages(&world).await;
    all.extend(all_others(&world, &mut browser).await);
    for page in all {
        let what = format!("{} {}", page.status, page.path);
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{what}");
        assert_eq!(page.header("referrer-policy"), Some("same-origin"), "{what}");
        assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"), "{what}");
        assert!(page.header("cache-control").is_some(), "{what}");
        assert!(page.header("x-request-id").is_some_and(|id| id.len() == 32), "{what}");
        let policy = page.header("content-security-policy").unwrap_or_else(|| panic!("no policy: {what}"));
        for part in ["frame-ancestors 'none'", "base-uri 'none'", "form-action"] {
            assert!(policy.contains(part), "{what}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{what}: {policy}");
        assert_eq!(page.headers.get_all("content-security-policy").iter().count(), 1, "{what}");
    }
}

async fn s37_pages_have_a_nonce_that_differs_and_that_their_scripts_carry(database: Database) {
    let world = World::new(database).await;
    let mut seen = HashSet::new();
    for page in all_pages(&world).await.into_iter().chain(all_pages(&world).await) {
        let what = format!("{} {}", page.status, page.path);
        assert_eq!(page.header("cache-control"), Some("no-store"), "{what}");
        let policy = page.header("content-security-policy").expect("a policy");
        let nonce = policy.split("'nonce-").nth(1).unwrap_or_else(|| panic!("no nonce: {what}: {policy}"));
        let nonce = nonce.split('\'').next().expect("it ends");
        assert!(nonce.len() >= 20 && seen.insert(nonce.to_owned()), "{what}: {nonce}");
        for script in page.elements().into_iter().filter(|one| one.name == "script") {
            assert_eq!(script.attribute("nonce"), Some(nonce), "{what}: {script:?}");
        }
        if page.path == key().form_path() {
            assert!(page.elements().iter().any(|one| one.name == "script"), "the form wakes up");
        }
    }
}

async fn s37_no_page_has_inline_styles_or_handlers(database: Database) {
    let world = World::new(database).await;
    for page in all_pages(&world).await {
        for element in page.elements() {
            assert_ne!(element.name, "style", "{}", page.path);
            for (name, value) in &element.attributes {
                assert!(name != "style" && !name.starts_with("on"), "{}: {element:?}", page.path);
                let is_address = matches!(name.as_str(), "href" | "src" | "action");
                assert!(!is_address || value.starts_with(['/', '?', '#']), "{}: {value}", page.path);
            }
        }
    }
}

async fn s37_hsts_only_with_https(database: Database) {
    let world = World::new(database.clone()).await;
    for page in all_pages(&world).await {
        assert_eq!(page.header("strict-transport-security"), None, "{}", page.path);
    }
    let config = Config { public_url: Some("https://ipack.example".into()), ..Config::default() };
    let secure = world.another_router(config);
    for path in ["/login", "/", "/healthz", "/pkg/none.js", "/graphql"] {
        let page = Browser::new(secure.clone()).send(get(path).body(Body::empty()).expect("a request")).await;
        let age = page.header("strict-transport-security");
        assert!(age.is_some_and(|age| age.starts_with("max-age=")), "{path}");
    }
}
