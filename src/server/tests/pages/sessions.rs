//! A session begins with signing in, ends in four ways, and its cookie keeps to itself.

use axum::{body::Body, http::Method};
use ipack_server::{config::Config, session_store::DatabaseSessions};
use ipack_storage::Database;
use ipack_testing::browser::{Browser, Page, call, get, post};
use ipack_testing::world::{ANN, BEN, PASSWORD, World, key};
use std::collections::HashMap;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
};

on_both!(
    s34_the_id_changes_at_every_sign_in,
    s34_an_id_from_outside_is_never_taken_up,
    s34_signing_out_ends_the_session_itself,
    s34_a_request_under_way_does_not_undo_signing_out,
    s34_a_request_under_way_does_not_bring_it_back,
    s34_idle_time_ends_it_and_use_prolongs_it,
    s34_absolute_time_ends_it_however_it_is_used,
    s34_a_password_change_ends_every_session_of_that_admin,
    s34_another_admin_in_the_same_browser_takes_the_session_over,
    s35_cookies_over_http,
    s35_cookies_over_https,
    what_is_stored_is_not_the_cookie,
    a_wrong_password_keeps_the_email_and_where_to_go,
    signing_out_without_a_session_leads_to_signing_in,
    s16_next_leads_only_to_pages_of_this_site,
);

const COOKIE: &str = "ipack_session";

async fn is_signed_in(browser: &mut Browser) -> bool {
    // Without following, and as a program: 200 or 401.
    browser.send(call(Method::GET, "/api/signed-in").body(Body::empty()).expect("a request")).await.status
        == 200
}

async fn s34_the_id_changes_at_every_sign_in(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let mut old = browser.clone();
    let first = browser.cookies[COOKIE].clone();
    browser.sign_in(ANN, PASSWORD).await;
    assert_ne!(browser.cookies[COOKIE], first);
    assert!(is_signed_in(&mut browser).await);
    assert!(!is_signed_in(&mut old).await, "the id from before is worth nothing");
    assert_eq!(world.count("sessions").await, 1);
}

async fn s34_an_id_from_outside_is_never_taken_up(database: Database) {
    let world = World::new(database).await;
    for planted in ["AAAAAAAAAAAAAAAAAAAAAA", "not an id", ""] {
        let mut browser = world.stranger();
        browser.cookies.insert(COOKIE.into(), planted.into());
        browser.sign_in(ANN, PASSWORD).await;
        assert_ne!(browser.cookies[COOKIE], planted);
        let mut attacker = world.stranger();
        attacker.cookies.insert(COOKIE.into(), planted.into());
        assert!(is_signed_in(&mut browser).await);
        assert!(!is_signed_in(&mut attacker).await, "{planted:?}");
    }
}

async fn s34_signing_out_ends_the_session_itself(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let mut copy = browser.clone();
    let form = browser.get("/").await.form("/logout");
    let page = browser.press(&form, "").await;
    assert_eq!(page.path, "/login");
    assert!(!browser.cookies.contains_key(COOKIE), "the cookie is taken back");
    assert!(!is_signed_in(&mut copy).await, "a copy of the cookie too");
    assert_eq!(world.count("sessions").await, 0);
}

async fn s34_a_request_under_way_does_not_bring_it_back(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let mut slow = browser.clone();
    // Late enough that its last use is written again, at the end of a request whose body takes its time.
    world.advance(60);
    let (told, wait) = tokio::sync::oneshot::channel::<()>();
    let body = futures::stream::once(async {
        let _ = wait.await;
        Ok::<_, std::io::Error>("intent=keep")
    });
    let request = call(Method::POST, "/api/connector").body(Body::from_stream(body)).expect("a request");
    let slow = tokio::spawn(async move { (slow.send(request).await, slow) });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    browser.send(post("/logout").body(Body::empty()).expect("a request")).await;
    assert_eq!(world.count("sessions").await, 0);
    told.send(()).expect("it waits");
    let (page, mut slow) = slow.await.expect("no panic");
    assert_eq!(page.status, 400, "it was let in");
    assert_eq!(world.count("sessions").await, 0);
    assert!(!is_signed_in(&mut slow).await);
}

async fn s34_idle_time_ends_it_and_use_prolongs_it(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    for _ in 0..4 {
        world.advance(1_799);
        assert!(is_signed_in(&mut browser).await);
    }
    world.advance(1_800);
    let mut copy = browser.clone();
    assert!(!is_signed_in(&mut browser).await);
    assert!(!is_signed_in(&mut copy).await);
    assert_eq!(world.count("sessions").await, 0);
    let page = browser.get(&key().form_path()).await;
    page.form("/login");
}

async fn s34_absolute_time_ends_it_however_it_is_used(database: Database) {
    let config = Config { session_absolute_seconds: 3_600, ..Config::default() };
    let world = World::builder(database).config(config).build().await;
    let mut browser = world.browser(ANN).await;
    for _ in 0..3 {
        world.advance(1_000);
        assert!(is_signed_in(&mut browser).await);
    }
    world.advance(599);
    assert!(is_signed_in(&mut browser).await);
    world.advance(1);
    assert!(!is_signed_in(&mut browser).await);
}

async fn s34_a_password_change_ends_every_session_of_that_admin(database: Database) {
    let world = World::new(database).await;
    let (mut one, mut two, mut other) =
        (world.browser(ANN).await, world.browser(ANN).await, world.browser(BEN).await);
    world.advance(5);
    world.services.change_password(ANN, "another long one".into()).await.expect("changed");
    assert!(!is_signed_in(&mut one).await && !is_signed_in(&mut two).await);
    assert!(is_signed_in(&mut other).await);
    assert_eq!(one.sign_in(ANN, PASSWORD).await.status, 401);
    assert_eq!(one.sign_in(ANN, "another long one").await.status, 200);
}

async fn s34_another_admin_in_the_same_browser_takes_the_session_over(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    browser.sign_in(BEN, PASSWORD).await;
    let page = browser.get("/").await;
    page.assert_shows(BEN);
    assert!(!page.shows(ANN));
    world.services.change_password(ANN, "another long one".into()).await.expect("changed");
    assert!(is_signed_in(&mut browser).await, "it is no longer hers");
}

async fn sign_in_over(database: Database, public_url: &str) -> (World, Page) {
    let world = World::builder(database)
        .config(Config { public_url: Some(public_url.into()), ..Config::default() })
        .build()
        .await;
    let body = crate::everywhere::right_credentials();
    let page = world.stranger().send(post("/login").body(Body::from(body)).expect("a request")).await;
    assert_eq!(page.status, 303);
    (world, page)
}

fn flags(page: &Page) -> (String, Vec<String>) {
    let cookie = page.header("set-cookie").expect("a cookie").to_owned();
    let mut parts = cookie.split("; ").map(str::to_owned);
    let name = parts.next().expect("a pair").split('=').next().expect("a name").to_owned();
    (name, parts.map(|flag| flag.to_lowercase()).collect())
}

async fn s35_cookies_over_http(database: Database) {
    let (_world, page) = sign_in_over(database, "http://ipack.example").await;
    let (name, flags) = flags(&page);
    assert_eq!(name, "ipack_session");
    for flag in ["httponly", "samesite=lax", "path=/", "max-age=43200"] {
        assert!(flags.iter().any(|one| one == flag), "{flag} in {flags:?}");
    }
    assert!(!flags.iter().any(|one| one == "secure" || one.starts_with("domain")), "{flags:?}");
}

async fn s35_cookies_over_https(database: Database) {
    let (world, page) = sign_in_over(database, "https://ipack.example").await;
    let (name, flags) = flags(&page);
    assert_eq!(name, "__Host-ipack_session");
    for flag in ["secure", "httponly", "samesite=lax", "path=/"] {
        assert!(flags.iter().any(|one| one == flag), "{flag} in {flags:?}");
    }
    assert!(!flags.iter().any(|one| one.starts_with("domain")), "{flags:?}");
    // The name without the prefix, which a neighbouring host could set, counts for nothing.
    let mut browser = world.browser(ANN).await;
    let id = browser.cookies.remove("__Host-ipack_session").expect("signed in");
    browser.cookies.insert(COOKIE.into(), id);
    assert!(!is_signed_in(&mut browser).await);
    // Taking the cookie back carries the same flags, or a browser would not.
    let mut browser = world.browser(ANN).await;
    let page = browser.send(post("/logout").body(Body::empty()).expect("a request")).await;
    let cookie = page.header("set-cookie").expect("a removal").to_lowercase();
    assert!(cookie.starts_with("__host-ipack_session=;") && cookie.contains("path=/"), "{cookie}");
}

async fn what_is_stored_is_not_the_cookie(database: Database) {
    let world = World::new(database).await;
    let browser = world.browser(ANN).await;
    let id = browser.cookies[COOKIE].clone();
    let in_table = format!("sessions WHERE data LIKE '%{id}%'");
    assert_eq!(world.count(&in_table).await, 0);
    assert_eq!(world.count("sessions WHERE admin_id IS NOT NULL").await, 1);
}

async fn a_wrong_password_keeps_the_email_and_where_to_go(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.stranger();
    let form = browser.get("/login?next=%2Fsomewhere%3Fa%3D1%2B1").await.form("/login");
    assert_eq!(form.value("next"), "/somewhere?a=1+1");
    let page = browser.press(&form.with("email", "Ann@Example.com").with("password", "wrong"), "").await;
    assert_eq!(page.status, 401);
    page.assert_shows("That email and password do not match.");
    let form = page.form("/login");
    assert_eq!((form.value("email"), form.value("next")), ("Ann@Example.com", "/somewhere?a=1+1"));
    assert_eq!(form.value("password"), "");
    for nobody in ["nobody@example.com", "a\0b@example.com", "", "x"] {
        let form =
            browser.get("/login").await.form("/login").with("email", nobody).with("password", PASSWORD);
        assert_eq!(browser.press(&form, "").await.status, 401, "{nobody:?}");
    }
    assert_eq!(browser.press(&form.with("password", PASSWORD), "").await.path, "/somewhere?a=1+1");
}

async fn signing_out_without_a_session_leads_to_signing_in(database: Database) {
    let world = World::new(database).await;
    let page = world.stranger().send(post("/logout").body(Body::empty()).expect("a request")).await;
    assert_eq!((page.status.as_u16(), page.header("location")), (303, Some("/login")));
}

async fn s16_next_leads_only_to_pages_of_this_site(database: Database) {
    let world = World::new(database).await;
    let bad = [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\t//evil.example",
        "/\t/evil.example",
    ];
    for next in bad {
        let mut browser = world.stranger();
        let address = format!("/login?next={}", ipack_domain::ids::segment(next));
        let form = browser.send(get(&address).body(Body::empty()).expect("a request")).await.form("/login");
        let page = browser.press_only(&form.with("email", ANN).with("password", PASSWORD), "").await;
        assert_eq!((page.status.as_u16(), page.header("location")), (303, Some("/")), "{next:?}");
    }
}

async fn s34_a_request_under_way_does_not_undo_signing_out(database: Database) {
    let world = World::new(database.clone()).await;
    let store = DatabaseSessions::new(database, world.services.clock.clone());
    let expiry_date = time::OffsetDateTime::from_unix_timestamp(32_000_000_000).expect("a moment");
    let mut record = Record { id: Id::default(), data: HashMap::new(), expiry_date };
    store.create(&mut record).await.expect("a session");
    let under_way = store.load(&record.id).await.expect("loaded").expect("it is there");
    store.delete(&record.id).await.expect("signed out");
    store.save(&under_way).await.expect("nothing to complain about");
    assert_eq!(store.load(&record.id).await.expect("asked"), None);
}
