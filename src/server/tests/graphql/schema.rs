//! The schema is a snapshot that reviewers read; this holds it to what is served.

use ipack_api::schema::build;
use ipack_core::Services;
use ipack_domain::effects::Clock;
use ipack_storage::Database;
use ipack_testing::world::{oauth, setup};

on_both! { the_schema_is_the_committed_one }

async fn the_schema_is_the_committed_one(database: Database) {
    let services =
        Services::new(database, Clock::system(), setup(oauth())).await.expect("the services start");
    let actual = build(services).sdl();
    insta::assert_snapshot!("schema", actual);
    for line in actual.lines().filter(|line| line.starts_with("type ") || line.starts_with("input ")) {
        let at = actual.find(line).unwrap_or_default();
        assert!(actual[..at].ends_with("\"\"\"\n"), "{line} has no description");
    }
}
