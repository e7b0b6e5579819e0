//! The use cases behind the commands, and what they refuse.

use ipack_core::ServiceError;
use ipack_domain::rights::Rights;
use ipack_storage::{BATCH, Database, Writer, sessions};
use ipack_testing::world::{ACCOUNT, ANN, PASSWORD, ROOT, SPACE, World};

on_both!(
    a_space_is_created_once,
    an_admin_needs_a_real_email_a_long_password_and_a_known_account,
    a_token_needs_a_known_account_and_can_be_revoked_once,
    a_password_is_changed_for_somebody_known,
    the_first_admin_is_made_once,
    the_demo_comes_into_an_empty_database_only,
    housekeeping_forgets_only_what_is_over,
    housekeeping_forgets_batch_after_batch,
);

fn is_bad(error: &ServiceError, field: &str) -> bool {
    matches!(error, ServiceError::BadInput { field: named, .. } if named == field)
}

async fn a_space_is_created_once(database: Database) {
    let world = World::new(database).await;
    let services = &world.services;
    for account in [ACCOUNT, "account-2", "account-new"] {
        let error = services.create_space(account, SPACE, "Again").await.expect_err("it is there");
        assert!(matches!(&error, ServiceError::Conflict(message) if message.contains(SPACE)), "{error:?}");
    }
    assert_eq!(world.count("accounts").await, 2, "no account is left behind");
    services.create_space(ACCOUNT, "space-new", "Another").await.expect("a second one of an account");
    for (account, guid, name, field) in [
        ("", "g", "N", "account"),
        ("a", " ", "N", "guid"),
        ("a", "..", "N", "guid"),
        ("a", "g", "", "name"),
        ("a", "g", "a\nb", "name"),
    ] {
        let error = services.create_space(account, guid, name).await.expect_err("refused");
        assert!(is_bad(&error, field), "{field}: {error:?}");
    }
}

async fn an_admin_needs_a_real_email_a_long_password_and_a_known_account(database: Database) {
    let world = World::new(database).await;
    let services = &world.services;
    for email in ["", "x", "@x", "x@", "a b@x", "a\0@x", &format!("{}@x", "a".repeat(254))] {
        let error = services.create_admin(email, PASSWORD.into(), Some(ACCOUNT)).await.expect_err(email);
        assert!(is_bad(&error, "email"), "{email:?}: {error:?}");
    }
    for password in ["", "1234567", &"x".repeat(257)] {
        let error =
            services.create_admin("new@x", password.into(), Some(ACCOUNT)).await.expect_err("refused");
        assert!(is_bad(&error, "password"), "{error:?}");
        assert!(password.is_empty() || !error.to_string().contains(password), "the password is not repeated");
    }
    let error = services.create_admin("new@x", PASSWORD.into(), Some("none")).await.expect_err("unknown");
    assert!(is_bad(&error, "account") && error.to_string().contains("none"), "{error:?}");
    for email in [ANN, "ANN@example.com", " ann@example.com "] {
        let error = services.create_admin(email, PASSWORD.into(), Some(ACCOUNT)).await.expect_err("taken");
        assert!(matches!(error, ServiceError::Conflict(_)), "{error:?}");
    }
    services.create_admin("Üser@x", "8 chars!".into(), Some(ACCOUNT)).await.expect("fine");
    services.sign_in("üSER@x", "8 chars!".into()).await.expect("whatever the case");
}

async fn a_token_needs_a_known_account_and_can_be_revoked_once(database: Database) {
    let world = World::new(database).await;
    let services = &world.services;
    let error = services
        .create_token("none", "ci", Rights::usual(), None)
        .await
        .map(drop)
        .expect_err("unknown account");
    assert!(is_bad(&error, "account"), "{error:?}");
    let error =
        services.create_token(ACCOUNT, " ", Rights::usual(), None).await.map(drop).expect_err("no name");
    assert!(is_bad(&error, "name"), "{error:?}");
    let token = services.create_token(ACCOUNT, "ci", Rights::usual(), None).await.expect("made");
    assert!(!services.revoke_token("account-2", &token.username).await.expect("asked"), "not theirs");
    services.generate_jwt(ACCOUNT, &token.username, &token.token).await.expect("in force");
    assert!(services.revoke_token(ACCOUNT, &token.username).await.expect("asked"));
    assert!(!services.revoke_token(ACCOUNT, &token.username).await.expect("asked"), "only once");
}

async fn a_password_is_changed_for_somebody_known(database: Database) {
    let world = World::new(database).await;
    let services = &world.services;
    let error = services.change_password("nobody@x", PASSWORD.into()).await.expect_err("unknown");
    assert!(is_bad(&error, "email"), "{error:?}");
    let error = services.change_password(ANN, "short".into()).await.expect_err("short");
    assert!(is_bad(&error, "password"), "{error:?}");
    services.sign_in(ANN, PASSWORD.into()).await.expect("the old one still holds");
    services.change_password(" ANN@example.com", "a new password".into()).await.expect("changed");
    services.sign_in(ANN, PASSWORD.into()).await.expect_err("the old one is over");
    services.sign_in(ANN, "a new password".into()).await.expect("the new one holds");
}

async fn the_first_admin_is_made_once(database: Database) {
    let app = World::empty(database).await;
    let error = app.services.ensure_first_admin("admin@localhost", Some("short".into())).await.map(drop);
    assert!(is_bad(&error.expect_err("a weak password"), "password"));
    let made =
        app.services.ensure_first_admin("Admin@localhost", None).await.expect("made").expect("the first");
    let password = made.made_password.expect("a password of its own");
    let admin = app.services.sign_in("admin@localhost", password).await.expect("it opens");
    assert_eq!(admin.account, None, "sees every account");
    for password in [None, Some(PASSWORD.to_owned())] {
        let again = app.services.ensure_first_admin("other@localhost", password).await.expect("asked");
        assert!(again.is_none());
    }
    assert_eq!(app.count("admins").await, 1);
}

async fn the_demo_comes_into_an_empty_database_only(database: Database) {
    let app = World::empty(database).await;
    assert!(app.services.load_demo().await.expect("loaded"));
    let (instances, environments) = (app.count("instances").await, app.count("environments").await);
    assert!(instances >= 3 && environments >= 2);
    assert!(!app.services.load_demo().await.expect("asked"), "there is an account");
    assert_eq!(app.count("instances").await, instances);
}

async fn housekeeping_forgets_only_what_is_over(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ROOT).await;
    world.services.tidy().await.expect("tidied");
    assert_eq!(browser.get("/").await.heading(), "Installed integrations");
    world.advance(401 * 24 * 3_600);
    world.services.tidy().await.expect("tidied");
    assert_eq!((world.count("sessions").await, world.count("timeline").await), (0, 0));
}

async fn housekeeping_forgets_batch_after_batch(database: Database) {
    let app = World::empty(database).await;
    let now = app.services.clock.now();
    let write = async |mut db: Writer| {
        for number in 0..=2 * BATCH {
            sessions::put(db.lend(), &number.to_le_bytes(), None, "{}", now).await?;
        }
        sessions::remove_expired(db.lend(), now).await
    };
    let removed = app.database.write(write).await.expect("removed");
    assert_eq!(removed, BATCH.unsigned_abs(), "no more at a time");
    app.services.tidy().await.expect("tidied");
    assert_eq!(app.count("sessions").await, 0);
}
