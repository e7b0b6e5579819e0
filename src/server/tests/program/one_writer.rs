//! SQLite has one writer: nothing that is only read, parsed or rendered holds it, or waits for it.

use ipack_core::connector::submission::Submission;
use ipack_domain::{
    button::Button,
    form::FormContent,
    post::{Base, Choices, Outcome},
};
use ipack_storage::{
    Database, StorageError, Writer,
    details::{self, NewDetails},
    instances,
};
use ipack_testing::world::{ACCOUNT, ANN, World, in_environment, key, open};
use ipack_web::compose::connector::show_submitted;
use uuid::Uuid;

on_both!(
    forms_and_posts_that_change_nothing_do_not_wait_for_a_writer,
    what_stands_beside_a_form_is_read_after_its_post_is_committed,
);

async fn forms_and_posts_that_change_nothing_do_not_wait_for_a_writer(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let before = world.footprint().await;
    let hold = async |mut db: Writer| {
        instances::lock_connection(db.lend(), &key()).await?;
        let page = open(&mut browser.clone()).await;
        page.assert_shows("Client ID");
        let page = browser.clone().press(&form, "keep").await;
        assert!(page.status == 200 && page.path == key().form_path(), "{} {}", page.status, page.path);
        Ok::<_, StorageError>(())
    };
    world.database.write_once(hold).await.expect("nothing is written");
    assert_eq!(world.footprint().await, before);
}

async fn what_stands_beside_a_form_is_read_after_its_post_is_committed(database: Database) {
    let world = World::new(database).await;
    let other = in_environment("env-2");
    world.place(ACCOUNT, &other).await;
    let unreadable = NewDetails {
        is_token_generated: false,
        oauth_connector_details: "not JSON",
        client_id: "c",
        complete: false,
        saved_by: "nobody",
        provider: None,
    };
    let now = world.services.clock.now();
    write_now!(world.database, db => details::upsert(db, Uuid::from_u128(1), &other, unreadable, now));
    let (services, ann) = (&world.services, world.admin(ANN).await);
    let record = services.connector(&ann, &key()).await.expect("the form");
    let submission = Submission {
        button: Button::Keep,
        choices: Choices::default(),
        base: Base {
            version: record.base_version(),
            content: record.shown().clone(),
            others: Default::default(),
        },
        content: FormContent { client_id: "typed".into(), ..record.shown().clone() },
    };
    let submitted = services.submit(&ann, &key(), submission).await.expect("it is kept");
    assert_eq!(submitted.outcome, Outcome::Kept);
    assert_eq!(submitted.record.shown().client_id, "typed");
    assert_eq!(world.count("drafts").await, 1);
    show_submitted(services, submitted).await.expect_err("the other environment cannot be read");
    assert_eq!(world.count("drafts").await, 1, "what was typed stays");
}
