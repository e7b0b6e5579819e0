//! The two operations on connector details, from the seed's sample onwards.

use ipack_storage::Database;
use ipack_testing::sample::{ACCOUNT, FIND, FOUND, SAVE, SAVED, SEED, SPACE, find_input, save_input, with};
use ipack_testing::world::World;
use serde_json::{Value, json};

on_both! {
    the_sample_persists_and_answers_the_samples_shape, a_second_save_keeps_the_id, what_is_saved_is_found_again,
    nothing_saved_is_null, each_part_of_the_key_isolates, details_come_back_byte_for_byte,
    clients_may_declare_nullable_variables, what_a_save_meets_first_is_listed, fields_come_in_the_order_of_the_query,
    a_failed_field_is_null_beside_the_others
}

async fn the_sample_persists_and_answers_the_samples_shape(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let reply = app.ask(&tenant, SEED, Value::Null).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    let id = reply.data(SAVED)["id"].as_str().expect("an id").to_owned();
    assert!(uuid::Uuid::parse_str(&id).is_ok(), "{id}");
    insta::assert_snapshot!("answer_to_the_sample", reply.text.replace(&id, "ID"));
    assert_eq!(app.count("connector_details").await, 1);
}

async fn a_second_save_keeps_the_id(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let first = app.ask(&tenant, SEED, Value::Null).await.data(SAVED);
    let changed = with(save_input(), "oauthConnectorDetails", Some("{\"baseURL\":\"https://b\"}".into()));
    let changed = with(changed, "isTokenGenerated", Some(true.into()));
    let second = app.ask(&tenant, SAVE, json!({"input": changed})).await.data(SAVED);
    assert_eq!(second["id"], first["id"]);
    assert_eq!(second["isTokenGenerated"], true);
    let found = app.ask(&tenant, FIND, json!({"input": find_input()})).await.data(FOUND);
    assert_eq!(found, second);
    assert_eq!(app.count("connector_details").await, 1);
}

async fn what_is_saved_is_found_again(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let saved = app.ask(&tenant, SEED, Value::Null).await.data(SAVED);
    let query = format!(
        "query getIPackOAuthConnectorDetails {{ IPackInstanceOAuthConnectorDetails(input: {{integrationPackInstanceId: \
         \"test-101\", envId: \"2\", processId: \"1\", connectionId: \"3\", catalogGuid: \"{SPACE}\"}}) {{ id \
         integrationPackInstanceId envId isTokenGenerated connectionId processId oauthConnectorDetails catalogGuid }} }}"
    );
    assert_eq!(app.ask(&tenant, &query, Value::Null).await.data(FOUND), saved);
}

async fn nothing_saved_is_null(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let reply = app.ask(&tenant, FIND, json!({"input": find_input()})).await;
    assert_eq!(reply.text, format!("{{\"data\":{{\"{FOUND}\":null}}}}"));
}

async fn each_part_of_the_key_isolates(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let other_space = app.tenant("another", "another-space").await;
    let own = app.ask(&tenant, SEED, Value::Null).await.data(SAVED);
    let parts = ["integrationPackInstanceId", "envId", "processId", "connectionId"];
    let mut ids = vec![own["id"].clone()];
    for part in parts {
        let elsewhere = json!({"input": with(find_input(), part, Some("other".into()))});
        assert_eq!(app.ask(&tenant, FIND, elsewhere.clone()).await.data(FOUND), Value::Null, "{part}");
        let text = format!("{{\"baseURL\":\"https://{part}\"}}");
        let input = with(save_input(), part, Some("other".into()));
        let input = with(input, "oauthConnectorDetails", Some(text.clone().into()));
        ids.push(app.ask(&tenant, SAVE, json!({"input": input})).await.data(SAVED)["id"].clone());
        assert_eq!(
            app.ask(&tenant, FIND, elsewhere).await.data(FOUND)["oauthConnectorDetails"],
            text,
            "{part}"
        );
    }
    let input = with(save_input(), "catalogGuid", Some(other_space.space.clone().into()));
    ids.push(app.ask(&other_space, SAVE, json!({"input": input})).await.data(SAVED)["id"].clone());
    assert_eq!(app.ask(&tenant, FIND, json!({"input": find_input()})).await.data(FOUND), own);
    let all = ids.len();
    ids.sort_by_key(Value::to_string);
    ids.dedup();
    assert_eq!((ids.len(), all), (6, 6));
}

async fn details_come_back_byte_for_byte(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let long = format!("{{\"long\":\"{}\"}}", "ü".repeat(400_000));
    for text in [
        r#"{ "z" : 1.50e3,  "a":{"deep": [ 1 ,2]},"baseURL":"\u0000\ud83d\ude00 😀 e\u0301" }"#,
        "\n\t{}\r\n",
        &long,
    ] {
        let input = with(save_input(), "oauthConnectorDetails", Some(text.into()));
        assert_eq!(
            app.ask(&tenant, SAVE, json!({"input": input})).await.data(SAVED)["oauthConnectorDetails"],
            text
        );
        let found = app.ask(&tenant, FIND, json!({"input": find_input()})).await;
        assert_eq!(found.data(FOUND)["oauthConnectorDetails"], text);
    }
}

async fn clients_may_declare_nullable_variables(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let names: Vec<String> = save_input().as_object().expect("an object").keys().cloned().collect();
    let of = |name: &str| if name == "isTokenGenerated" { "Boolean" } else { "String" };
    for bang in ["", "!"] {
        let declared: Vec<String> = names.iter().map(|name| format!("${name}: {}{bang}", of(name))).collect();
        let used: Vec<String> = names.iter().map(|name| format!("{name}: ${name}")).collect();
        let query = format!(
            "mutation ({}) {{ {SAVED}(input: {{{}}}) {{ envId }} }}",
            declared.join(" "),
            used.join(" ")
        );
        assert_eq!(app.ask(&tenant, &query, save_input()).await.data(SAVED)["envId"], "2");
    }
}

async fn what_a_save_meets_first_is_listed(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    app.ask(&tenant, SEED, Value::Null).await.data(SAVED);
    let query = "{ integrationPackInstances { id integrationPackOverrideName integrationPack { id } }
        environments { id name integrationPackEnvironmentAttachment { environmentId integrationPackInstanceId } } }";
    let reply = app.ask(&tenant, query, Value::Null).await;
    assert_eq!(
        reply.data("integrationPackInstances"),
        json!([{"id": "test-101", "integrationPackOverrideName": null, "integrationPack": null}])
    );
    let attachment = json!({"environmentId": "2", "integrationPackInstanceId": "test-101"});
    assert_eq!(
        reply.data("environments"),
        json!([{"id": "2", "name": "2", "integrationPackEnvironmentAttachment": [attachment]}])
    );
}

async fn fields_come_in_the_order_of_the_query(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let query = "{ b: environments { id } ...rest a: integrationPackInstances { id } skipped: __typename @skip(if: true) }
        fragment rest on Query { t: __typename b: environments { name } z: environments { id } }";
    let reply = app.ask(&tenant, query, Value::Null).await;
    assert_eq!(reply.text, r#"{"data":{"b":[],"t":"Query","z":[],"a":[]}}"#);
    let nothing = app.ask(&tenant, "{ __typename @skip(if: true) }", Value::Null).await;
    assert_eq!(nothing.text, r#"{"data":{}}"#);
}

async fn a_failed_field_is_null_beside_the_others(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let reply =
        app.ask(&tenant, "{ a: environments { id } b: environments(first: 0) { id } }", Value::Null).await;
    assert_eq!(reply.json()["data"], json!({"a": [], "b": null}));
    assert_eq!(reply.json()["errors"][0]["path"], json!(["b"]));
    assert_eq!(reply.error().1.as_deref(), Some("first"));
}
