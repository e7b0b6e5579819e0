//! Spaces and accounts, and operations that find their Space without the header.

use ipack_storage::Database;
use ipack_testing::api::Tenant;
use ipack_testing::sample::{ACCOUNT, SAVE, SAVED, SPACE, save_input, with};
use ipack_testing::world::World;
use serde_json::{Value, json};

on_both! {
    an_account_sees_its_own_spaces, spaces_are_paged_by_guid, an_account_sees_itself_and_no_other,
    the_pack_or_the_instance_says_which_space_is_meant
}

const PACK: &str = r#"{"packs": [{"id": "pack", "name": "Pack", "installationType": "MULTI"}]}"#;
const INSTALL: &str = "mutation ($name: String) { integrationPackInstanceInstall(
    input: {integrationPackId: \"pack\", integrationPackOverrideName: $name}) { id } }";
const UNINSTALL: &str = "mutation ($id: ID!) { integrationPackInstanceUninstall(id: $id) }";

async fn an_account_sees_its_own_spaces(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let stranger = app.tenant("stranger", "strangers-space").await;
    app.services.create_space(ACCOUNT, "second", "Second").await.expect("a second Space");
    app.services.import_catalogue("second", PACK).await.expect("the catalogue is fine");
    let query = "{ spaces { id sharedIpacks { id } } }";
    let packs = |id: &str, packs: Value| json!({"id": id, "sharedIpacks": packs});
    let own = json!([packs(SPACE, json!([])), packs("second", json!([{"id": "pack"}]))]);
    assert_eq!(app.ask(&tenant, query, Value::Null).await.data("spaces"), own);
    let theirs = json!([packs("strangers-space", json!([]))]);
    assert_eq!(app.ask(&stranger, query, Value::Null).await.data("spaces"), theirs);

    let query = "query ($id: ID!) { Space(id: $id) { id name sharedIpacks { id } } }";
    let found = app.ask(&tenant, query, json!({"id": "second"})).await.data("Space");
    assert_eq!(found, json!({"id": "second", "name": "Second", "sharedIpacks": [{"id": "pack"}]}));
    for id in [SPACE, "nobodys-space"] {
        assert_eq!(app.ask(&stranger, query, json!({"id": id})).await.code(), "SPACE_NOT_FOUND");
    }
    for (id, message) in [("", "id must not be empty."), ("a\0", "id must not contain control characters.")] {
        let error = app.ask(&tenant, query, json!({"id": id})).await.error();
        assert_eq!(error, ("BAD_USER_INPUT".into(), Some("id".into()), message.into()));
    }
}

async fn spaces_are_paged_by_guid(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, "b").await;
    for guid in ["c", "a"] {
        app.services.create_space(ACCOUNT, guid, guid).await.expect("a Space");
    }
    let query = "query ($first: Int, $after: ID) { spaces(first: $first, after: $after) { id } }";
    for (variables, expected) in [
        (json!({}), json!([{"id": "a"}, {"id": "b"}, {"id": "c"}])),
        (json!({"first": 2}), json!([{"id": "a"}, {"id": "b"}])),
        (json!({"first": 2, "after": "b"}), json!([{"id": "c"}])),
    ] {
        assert_eq!(app.ask(&tenant, query, variables).await.data("spaces"), expected);
    }
    let error = app.ask(&tenant, query, json!({"first": 0})).await.error();
    assert_eq!(error.1.as_deref(), Some("first"));
}

async fn an_account_sees_itself_and_no_other(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    app.tenant("childaccount-other", "other-space").await;
    let query = "query ($criteria: SpaceAccountCriteria) { spaceAccounts(criteria: $criteria) { id name } }";
    let itself = json!([{"id": ACCOUNT, "name": ACCOUNT}]);
    for (criteria, expected) in [
        (Value::Null, &itself),
        (json!({}), &itself),
        (json!({"operator": "CONTAINS", "argument": "account-zf"}), &itself),
        (json!({"operator": "STARTSWITH", "argument": "childaccount"}), &itself),
        (json!({"operator": "STARTSWITH", "argument": "account"}), &json!([])),
        (json!({"operator": "CONTAINS", "argument": "other"}), &json!([])),
    ] {
        let found = app.ask(&tenant, query, json!({"criteria": criteria})).await.data("spaceAccounts");
        assert_eq!(found, *expected, "{criteria}");
    }
    for (criteria, field, message) in [
        (json!({"argument": "a"}), "operator", "operator is missing."),
        (
            json!({"operator": "ENDSWITH", "argument": "a"}),
            "operator",
            "operator must be one of CONTAINS, STARTSWITH.",
        ),
        (
            json!({"operator": 1, "argument": "a"}),
            "operator",
            "operator must be one of CONTAINS, STARTSWITH.",
        ),
        (json!({"operator": "CONTAINS", "argument": 1}), "argument", "argument must be a String."),
        (json!([1]), "criteria", "criteria must be a SpaceAccountCriteria."),
    ] {
        let error = app.ask(&tenant, query, json!({"criteria": criteria})).await.error();
        assert_eq!(error, ("BAD_USER_INPUT".into(), Some(field.into()), message.into()), "{criteria}");
    }
    let literal = "{ spaceAccounts(criteria: {operator: STARTSWITH, argument: \"child\"}) { id } }";
    assert_eq!(app.ask(&tenant, literal, Value::Null).await.data("spaceAccounts"), json!([{"id": ACCOUNT}]));
    let nowhere = Tenant { space: String::new(), ..tenant };
    assert_eq!(app.ask(&nowhere, literal, Value::Null).await.code(), "MISSING_SPACE_ID");
}

async fn the_pack_or_the_instance_says_which_space_is_meant(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let without = Tenant { space: String::new(), ..tenant.clone() };
    let stranger = app.tenant("stranger", "strangers-space").await;
    app.services.import_catalogue("strangers-space", PACK).await.expect("the catalogue is fine");
    let install = |name: &str| json!({ "name": name });
    assert_eq!(app.ask(&without, INSTALL, install("A")).await.code(), "IPACK_NOT_FOUND_IN_SPACE");
    app.services.import_catalogue(SPACE, PACK).await.expect("the catalogue is fine");
    let installed = app.ask(&without, INSTALL, install("A")).await.data("integrationPackInstanceInstall");
    assert_eq!(app.count(&format!("instances WHERE space_guid = '{SPACE}'")).await, 1);

    app.services.create_space(ACCOUNT, "second", "Second").await.expect("a second Space");
    app.services.import_catalogue("second", PACK).await.expect("the catalogue is fine");
    let several = "Several Spaces have this: the header SPACE_GUID must say which is meant.";
    let error = app.ask(&without, INSTALL, install("B")).await.error();
    assert_eq!(error, ("MISSING_SPACE_ID".into(), None, several.into()));
    let second = Tenant { space: "second".into(), ..tenant.clone() };
    app.ask(&second, INSTALL, install("B")).await.data("integrationPackInstanceInstall");

    // Another account's instance is as good as absent.
    let strangely = Tenant { space: String::new(), ..stranger };
    let reply = app.ask(&strangely, UNINSTALL, json!({"id": installed["id"]})).await;
    assert_eq!(reply.code(), "IPACK_INSTANCE_ID_INVALID");
    let reply = app.ask(&without, UNINSTALL, json!({"id": installed["id"]})).await;
    assert_eq!(reply.data("integrationPackInstanceUninstall"), installed["id"]);
    for space in [SPACE, "second"] {
        let there = Tenant { space: space.into(), ..tenant.clone() };
        let input = with(save_input(), "catalogGuid", Some(space.into()));
        app.ask(&there, SAVE, json!({"input": input})).await.data(SAVED);
    }
    let error = app.ask(&without, UNINSTALL, json!({"id": "test-101"})).await.error();
    assert_eq!(error, ("MISSING_SPACE_ID".into(), None, several.into()));
    app.ask(&second, UNINSTALL, json!({"id": "test-101"})).await.data("integrationPackInstanceUninstall");
    app.ask(&without, UNINSTALL, json!({"id": "test-101"})).await.data("integrationPackInstanceUninstall");
}
