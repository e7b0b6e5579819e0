//! The schema is a file that reviewers and clients read; this holds it to what is served.

use crate::support::app::{oauth, setup};
use ipack_api::schema::build;
use ipack_core::Services;
use ipack_domain::effects::Clock;
use ipack_storage::Database;
use std::{env, fs, path::Path};

on_both! { the_schema_is_the_committed_one }

async fn the_schema_is_the_committed_one(database: Database) {
    let services =
        Services::new(database, Clock::system(), setup(oauth())).await.expect("the services start");
    let actual = build(services).sdl();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/src/schema.graphql");
    if env::var_os("UPDATE_SCHEMA").is_some_and(|wish| wish == "1") {
        fs::write(&file, &actual).expect("the file can be written");
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        actual, committed,
        "src/graphql/schema.graphql is out of date: UPDATE_SCHEMA=1 cargo test --features ssr the_schema_is"
    );
    for line in actual.lines().filter(|line| line.starts_with("type ") || line.starts_with("input ")) {
        let at = actual.find(line).unwrap_or_default();
        assert!(actual[..at].ends_with("\"\"\"\n"), "{line} has no description");
    }
}
