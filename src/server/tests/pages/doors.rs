//! Nobody comes in without a session, from another site, or by the wrong method.

use crate::everywhere::{functions, pages, right_credentials};
use axum::{body::Body, http::Method};
use ipack_storage::Database;
use ipack_testing::browser::{HOST, call, get, post};
use ipack_testing::world::{ANN, World, key};
use leptos::server_fn::axum::server_fn_paths;

on_both!(
    s36_every_server_function_is_known_to_these_tests,
    s36_anonymous_is_401_and_writes_nothing,
    s36_an_anonymous_page_leads_to_signing_in_and_back,
    s36_cross_site_is_403_and_writes_nothing,
    s36_a_form_of_this_site_and_a_program_are_let_in,
    s36_a_get_writes_nothing,
    s36_nobody_is_signed_in_from_another_site,
    an_unknown_function_is_not_there_and_says_nothing_internal,
    arguments_that_cannot_be_read_are_the_callers_mistake,
);

async fn s36_every_server_function_is_known_to_these_tests(_: Database) {
    let mut there: Vec<_> =
        server_fn_paths().map(|(path, method)| (path.to_owned(), method.to_string())).collect();
    let mut known: Vec<_> =
        functions(&key()).into_iter().map(|one| (one.path.to_owned(), one.method.to_string())).collect();
    there.sort();
    known.sort();
    assert_eq!(there, known);
}

async fn s36_anonymous_is_401_and_writes_nothing(database: Database) {
    let world = World::new(database).await;
    let before = world.footprint().await;
    for function in functions(&key()) {
        let page = world.stranger().send(function.request()).await;
        assert_eq!(page.status, 401, "{}", function.path);
        assert!(
            page.text().contains("UNAUTHORIZED") && page.header("set-cookie").is_none(),
            "{}",
            page.text()
        );
        let page = world.stranger().send(function.form()).await;
        assert_eq!(page.status, 401, "{} as a form", function.path);
        page.form("/login");
    }
    // A session that nobody has.
    let mut browser = world.stranger();
    browser.cookies.insert("ipack_session".into(), "AAAAAAAAAAAAAAAAAAAAAA".into());
    for function in functions(&key()) {
        assert_eq!(browser.send(function.request()).await.status, 401, "{}", function.path);
    }
    assert_eq!(world.footprint().await, before);
}

async fn s36_an_anonymous_page_leads_to_signing_in_and_back(database: Database) {
    let world = World::new(database).await;
    for path in pages(&key()).into_iter().chain(["/no/such/page".into()]) {
        let mut browser = world.stranger();
        let page = browser.send(get(&path).body(Body::empty()).expect("a request")).await;
        assert_eq!(page.status, 303, "{path}");
        assert!(page.header("location").is_some_and(|to| to.starts_with("/login?next=%2F")), "{path}");
        let form = browser
            .get(&path)
            .await
            .form("/login")
            .with("email", ANN)
            .with("password", ipack_testing::world::PASSWORD);
        assert_eq!(browser.press(&form, "").await.path, path);
    }
    // A program that wants no page.
    let page = world.stranger().send(call(Method::GET, "/").body(Body::empty()).expect("a request")).await;
    assert_eq!(page.status, 401);
}

async fn s36_cross_site_is_403_and_writes_nothing(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let before = world.footprint().await;
    let lies = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "http://127.0.0.1:3001"),
        ("origin", "null"),
    ];
    for function in functions(&key()).into_iter().filter(|one| one.method == Method::POST) {
        for (name, value) in lies {
            for accept in ["text/html", "application/json"] {
                let mut request = function.request();
                request.headers_mut().remove("sec-fetch-site");
                request.headers_mut().insert("accept", accept.parse().expect("a header"));
                request.headers_mut().insert(name, value.parse().expect("a header"));
                let page = browser.send(request).await;
                assert_eq!(page.status, 403, "{} with {name}: {value}", function.path);
            }
        }
    }
    let mut request = post("/logout").body(Body::empty()).expect("a request");
    request.headers_mut().insert("sec-fetch-site", "cross-site".parse().expect("a header"));
    assert_eq!(browser.send(request).await.status, 403);
    assert_eq!(browser.get("/").await.status, 200, "still signed in");
    assert_eq!(world.footprint().await, before);
}

async fn s36_a_form_of_this_site_and_a_program_are_let_in(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let function = functions(&key()).pop().expect("the connector's");
    let origin = format!("http://{HOST}");
    for (name, value) in [("sec-fetch-site", "same-origin"), ("origin", &*origin), ("user-agent", "curl")] {
        let mut request = function.request();
        request.headers_mut().remove("sec-fetch-site");
        request
            .headers_mut()
            .insert(axum::http::HeaderName::from_static(name), value.parse().expect("a header"));
        assert_eq!(browser.send(request).await.status, 200, "{name}: {value}");
    }
}

async fn s36_a_get_writes_nothing(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let before = world.footprint().await;
    for function in functions(&key()) {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::PATCH] {
            let is_its_own = method == function.method;
            let mut request = function.by(&method);
            if !is_its_own {
                // The arguments in the address too, where a GET would look for them.
                let uri = format!("{}?{}", function.path, function.arguments);
                *request.uri_mut() = uri.parse().expect("an address");
            }
            let status = browser.send(request).await.status;
            assert_eq!(status, if is_its_own { 200 } else { 405 }, "{method} {}", function.path);
        }
        if function.method == Method::GET {
            assert_eq!(browser.send(function.by(&Method::POST)).await.status, 405, "{}", function.path);
        }
    }
    for path in pages(&key()) {
        browser.get(&path).await;
    }
    assert_eq!(browser.get("/logout").await.status, 405);
    assert_eq!(world.footprint().await, before);
}

async fn s36_nobody_is_signed_in_from_another_site(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.stranger();
    let mut request = post("/login").body(Body::from(right_credentials())).expect("a request");
    request.headers_mut().insert("sec-fetch-site", "cross-site".parse().expect("a header"));
    assert_eq!(browser.send(request).await.status, 403);
    assert!(browser.cookies.is_empty());
}

async fn an_unknown_function_is_not_there_and_says_nothing_internal(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    for path in ["/api/none", "/api/connector/", "/api/connector/x", "/api/%00"] {
        let page = browser.send(call(Method::POST, path).body(Body::empty()).expect("a request")).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(!page.text().contains("register"), "{}", page.text());
    }
}

async fn arguments_that_cannot_be_read_are_the_callers_mistake(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    for body in
        ["", "key=1", "key[space]=a", "%FF=%FF", "intent=save&content[authorization]=x", "{\"key\":{}}"]
    {
        let page = browser
            .send(call(Method::POST, "/api/connector").body(Body::from(body)).expect("a request"))
            .await;
        assert_eq!(page.status, 400, "{body}: {}", page.text());
        assert!(page.text().contains("BAD_USER_INPUT"), "{}", page.text());
    }
    let page = browser
        .send(call(Method::GET, "/api/instance?space=x").body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(page.status, 400);
    for intent in ["", "none", "add-x", "delete-authorization", "delete-authorization--1", "add-client_id"] {
        let form = ipack_testing::world::open(&mut browser).await.connector();
        let fields: Vec<_> = form.fields.iter().cloned().chain([("intent".into(), intent.into())]).collect();
        let body = ipack_testing::browser::encode(&fields);
        let page = browser
            .send(call(Method::POST, "/api/connector").body(Body::from(body)).expect("a request"))
            .await;
        assert_eq!(page.status, 400, "{intent}");
    }
    assert_eq!(world.count("drafts").await, 0);
}
