//! Another tenant's credentials get every operation the same answer as for what does not exist.

use crate::operations::{Operation, SPACES, assert_complete, needs_token, operations};
use ipack_domain::rights::Rights;
use ipack_storage::Database;
use ipack_testing::sample::{ACCOUNT, FIND, FOUND, SAVE, SAVED, SPACE, find_input, save_input};
use ipack_testing::world::World;
use serde_json::{Value, json};

on_both! { s31_another_tenants_space_is_as_if_absent, s31_the_same_ids_in_another_space_are_others }

async fn s31_another_tenants_space_is_as_if_absent(database: Database) {
    let app = World::empty(database).await;
    app.tenant(ACCOUNT, SPACE).await;
    let catalogue = r#"{"packs": [{"id": "pack", "name": "Pack", "installationType": "SINGLE"}]}"#;
    app.services.import_catalogue(SPACE, catalogue).await.expect("the catalogue is fine");
    app.tenant("stranger", "strangers-space").await;
    let owner = app.token_with(ACCOUNT, SPACE, Rights::all()).await;
    let stranger = app.token_with("stranger", "strangers-space", Rights::all()).await;
    assert_complete(&app, &owner).await;

    app.ask(&owner, SAVE, json!({"input": save_input()})).await.data(SAVED);
    let saved = app.ask(&owner, FIND, json!({"input": find_input()})).await.data(FOUND);
    for Operation { query, variables, .. } in operations() {
        let mut intruder = stranger.clone();
        intruder.space = SPACE.into();
        let denied = app.ask(&intruder, query, variables.clone()).await;
        if query == SPACES {
            assert_eq!(denied.data("spaces"), json!([{"id": "strangers-space"}]));
            continue;
        }
        assert_eq!(denied.code(), "SPACE_NOT_FOUND", "{query}");
        assert!(!denied.text.contains("test-101"), "{}", denied.text);
        // The same for a Space that nobody has.
        let nowhere = "nobodys-space";
        intruder.space = nowhere.into();
        let there = serde_json::from_str(&variables.to_string().replace(SPACE, nowhere)).expect("still JSON");
        let absent = app.ask(&intruder, query, there).await;
        assert_eq!(
            (denied.status, &denied.text, &denied.headers),
            (absent.status, &absent.text, &absent.headers)
        );
    }
    assert_eq!(app.ask(&owner, FIND, json!({"input": find_input()})).await.data(FOUND), saved);
    assert_eq!((app.count("instances").await, app.count("connector_details").await), (1, 1));
    for Operation { query, variables, .. } in operations() {
        let reply = app.ask(&owner, query, variables).await;
        if needs_token(query) {
            assert_eq!(reply.code(), "CONFLICT");
            continue;
        }
        assert!(reply.json().get("errors").is_none(), "{query}: {}", reply.text);
    }
}

async fn s31_the_same_ids_in_another_space_are_others(database: Database) {
    let app = World::empty(database).await;
    let owner = app.tenant(ACCOUNT, SPACE).await;
    let stranger = app.tenant("stranger", "strangers-space").await;
    app.ask(&owner, SAVE, json!({"input": save_input()})).await.data(SAVED);
    let mut input = find_input();
    input["catalogGuid"] = stranger.space.clone().into();
    assert_eq!(app.ask(&stranger, FIND, json!({"input": input})).await.data(FOUND), Value::Null);
    assert_eq!(
        app.ask(&stranger, "{ integrationPackInstances { id } }", Value::Null)
            .await
            .data("integrationPackInstances"),
        json!([])
    );
    let uninstall = "mutation { integrationPackInstanceUninstall(id: \"test-101\") }";
    assert_eq!(app.ask(&stranger, uninstall, Value::Null).await.code(), "IPACK_INSTANCE_ID_INVALID");
    // The header's Space is the caller's own, the input's is not.
    let reply = app.ask(&stranger, FIND, json!({"input": find_input()})).await;
    assert_eq!(reply.error().1.as_deref(), Some("catalogGuid"));
    assert_eq!(app.count("connector_details").await, 1);
}
