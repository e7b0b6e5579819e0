//! Guessing passwords is slow, and no header makes it faster.

use crate::everywhere::credentials;
use axum::body::Body;
use ipack_server::config::Config;
use ipack_storage::Database;
use ipack_testing::browser::{Browser, Page, post};
use ipack_testing::world::{ANN, BEN, PASSWORD, World};

on_both!(
    s38_a_guesser_waits_and_is_told_how_long,
    s38_a_forged_forwarded_header_does_not_help,
    s38_behind_a_trusted_proxy_callers_are_told_apart,
    s38_many_at_once_are_not_each_the_first,
    s38_the_email_is_counted_however_it_is_written,
    s38_signing_in_often_is_no_guessing,
    s39_refusals_are_in_the_audit_log_and_no_password_typed_as_an_email,
);

async fn attempt(browser: &mut Browser, email: &str, password: &str, forwarded: Option<&str>) -> Page {
    let mut builder = post("/login");
    if let Some(forwarded) = forwarded {
        builder = builder.header("x-forwarded-for", forwarded);
    }
    browser.send(builder.body(Body::from(credentials(email, password))).expect("a request")).await
}

async fn s38_a_guesser_waits_and_is_told_how_long(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.stranger();
    for _ in 0..10 {
        assert_eq!(attempt(&mut browser, ANN, "wrong", None).await.status, 401);
    }
    let page = attempt(&mut browser, ANN, PASSWORD, None).await;
    assert_eq!((page.status.as_u16(), page.header("retry-after")), (429, Some("30")), "the right one too");
    page.assert_shows("Too many attempts. Try again in 30 seconds.");
    assert!(browser.cookies.is_empty());
    assert_eq!(page.form("/login").value("email"), ANN);
    // Neither the owner elsewhere nor somebody else here has to wait.
    let mut away = world.stranger();
    away.address = [198, 51, 100, 1].into();
    assert_eq!(attempt(&mut away, ANN, PASSWORD, None).await.status, 303);
    assert_eq!(attempt(&mut browser.clone(), BEN, PASSWORD, None).await.status, 303);
    world.advance(30);
    assert_eq!(attempt(&mut browser, ANN, PASSWORD, None).await.status, 303);
}

async fn s38_a_forged_forwarded_header_does_not_help(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.stranger();
    for guess in 0..10 {
        let forged = format!("198.51.100.{guess}");
        assert_eq!(attempt(&mut browser, ANN, "wrong", Some(&forged)).await.status, 401);
    }
    assert_eq!(attempt(&mut browser, ANN, PASSWORD, Some("198.51.100.99")).await.status, 429);
}

async fn s38_behind_a_trusted_proxy_callers_are_told_apart(database: Database) {
    let proxies = vec!["192.0.2.0/24".parse().expect("a network")];
    let world = World::builder(database)
        .config(Config { trusted_proxies: proxies, ..Config::default() })
        .build()
        .await;
    let mut proxy = world.stranger();
    for guess in 0..10 {
        // What the caller made up stands left of what the proxy added.
        for forged in
            [format!("198.51.100.{guess}, 203.0.113.9"), format!("198.51.100.{guess}, x, 203.0.113.9")]
        {
            if guess < 5 {
                assert_eq!(attempt(&mut proxy, ANN, "wrong", Some(&forged)).await.status, 401);
            } else {
                assert_eq!(attempt(&mut proxy, ANN, PASSWORD, Some(&forged)).await.status, 429, "{forged}");
            }
        }
    }
    assert_eq!(attempt(&mut proxy, ANN, PASSWORD, Some("203.0.113.10")).await.status, 303);
}

async fn s38_many_at_once_are_not_each_the_first(database: Database) {
    let world = World::new(database).await;
    let attempts = (0..40).map(|_| {
        let mut browser = world.stranger();
        async move { attempt(&mut browser, ANN, "wrong", None).await.status.as_u16() }
    });
    let statuses = futures::future::join_all(attempts).await;
    let looked_at = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!((looked_at, statuses.iter().filter(|status| **status == 429).count()), (10, 30));
}

async fn s38_the_email_is_counted_however_it_is_written(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.stranger();
    for email in [ANN, " ann@example.com", "ANN@example.com", "Ann@Example.COM "].into_iter().cycle().take(10)
    {
        assert_eq!(attempt(&mut browser, email, "wrong", None).await.status, 401);
    }
    assert_eq!(attempt(&mut browser, "aNN@example.com", PASSWORD, None).await.status, 429);
}

async fn s38_signing_in_often_is_no_guessing(database: Database) {
    let world = World::new(database).await;
    for _ in 0..12 {
        assert_eq!(attempt(&mut world.stranger(), ANN, PASSWORD, None).await.status, 303);
    }
}

async fn s39_refusals_are_in_the_audit_log_and_no_password_typed_as_an_email(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.stranger();
    for email in ["c@nary horse", "c@nary\0", "\u{1b}[31mc@nary"] {
        assert_eq!(attempt(&mut browser, email, "wrong", None).await.status, 401, "{email:?}");
    }
    for _ in 0..2 {
        assert_eq!(attempt(&mut browser, ANN, "c@nary", None).await.status, 401);
    }
    world.services.write_uses().await.expect("written");
    for (who, times) in [
        ("actor = 'somebody unknown' AND account_id IS NULL", 3),
        ("actor = 'ann@example.com' AND account_id = 'account-1'", 2),
    ] {
        let entry = format!("timeline WHERE kind = 'sign_in_refused' AND times = {times} AND {who}");
        assert_eq!(world.count(&entry).await, 1, "{entry}");
    }
    assert_eq!(world.count("timeline WHERE actor LIKE '%nary%' OR detail LIKE '%nary%'").await, 0);
    world.browser(ANN).await;
    assert_eq!(world.count("timeline WHERE kind = 'signed_in'").await, 1);
}
