//! Instances and environments, installing and uninstalling.

use ipack_storage::Database;
use ipack_testing::api::{Reply, Tenant};
use ipack_testing::sample::{ACCOUNT, FIND, FOUND, SAVE, SAVED, SPACE, find_input, save_input, with};
use ipack_testing::world::World;
use serde_json::{Value, json};

on_both! {
    instances_are_listed_with_their_packs, environments_are_listed_with_their_attachments, lists_are_paged_by_id,
    pages_that_cannot_be, a_single_install_pack_is_installed_once, a_multi_install_pack_needs_a_name,
    packs_and_instances_that_are_not_there, uninstalling_removes_all_that_the_instance_held,
    wrong_input_of_the_catalogue
}

const CATALOGUE: &str = r#"{
    "environments": [
        {"id": "env-a", "name": "Production", "classification": "PROD"},
        {"id": "env-b", "name": "Staging", "classification": "TEST"}
    ],
    "packs": [
        {"id": "single", "name": "Once", "description": "Only once.", "installationType": "SINGLE",
         "processes": [{"id": "p", "name": "P", "connections": [{"id": "c", "name": "C"}]}]},
        {"id": "multi", "name": "Often", "installationType": "MULTI"}
    ]}"#;

const INSTALL: &str = "mutation ($pack: ID!, $name: String) {
    integrationPackInstanceInstall(input: {integrationPackId: $pack, integrationPackOverrideName: $name}) {
        id integrationPackId integrationPackOverrideName } }";
const INSTALLED: &str = "integrationPackInstanceInstall";
const UNINSTALL: &str = "mutation ($id: ID!) { integrationPackInstanceUninstall(id: $id) }";
const UNINSTALLED: &str = "integrationPackInstanceUninstall";

async fn start(database: Database) -> (World, Tenant) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    app.services.import_catalogue(SPACE, CATALOGUE).await.expect("the catalogue is fine");
    (app, tenant)
}

async fn install(app: &World, tenant: &Tenant, pack: &str, name: Option<&str>) -> Reply {
    app.ask(tenant, INSTALL, json!({"pack": pack, "name": name})).await
}

async fn instances_are_listed_with_their_packs(database: Database) {
    let (app, tenant) = start(database).await;
    let single = install(&app, &tenant, "single", None).await.data(INSTALLED);
    assert_eq!(
        (&single["integrationPackId"], &single["integrationPackOverrideName"]),
        (&json!("single"), &Value::Null)
    );
    let multi = install(&app, &tenant, "multi", Some(" North ")).await.data(INSTALLED);
    assert_eq!(multi["integrationPackOverrideName"], "North");
    let query = "{ integrationPackInstances { id integrationPackOverrideName
        integrationPack { id name description installationType } } }";
    let listed = app.ask(&tenant, query, Value::Null).await.data("integrationPackInstances");
    let mut expected = vec![
        json!({"id": single["id"], "integrationPackOverrideName": null, "integrationPack":
            {"id": "single", "name": "Once", "description": "Only once.", "installationType": "SINGLE"}}),
        json!({"id": multi["id"], "integrationPackOverrideName": "North", "integrationPack":
            {"id": "multi", "name": "Often", "description": "", "installationType": "MULTI"}}),
    ];
    expected.sort_by_key(|instance| instance["id"].to_string());
    assert_eq!(listed, Value::Array(expected));
}

async fn environments_are_listed_with_their_attachments(database: Database) {
    let (app, tenant) = start(database).await;
    let input = with(save_input(), "envId", Some("env-b".into()));
    app.ask(&tenant, SAVE, json!({"input": input})).await.data(SAVED);
    let query = "{ environments { id name classification
        integrationPackEnvironmentAttachment { id environmentId integrationPackInstanceId } } }";
    let listed = app.ask(&tenant, query, Value::Null).await.data("environments");
    let attachment = &listed[1]["integrationPackEnvironmentAttachment"][0];
    assert!(attachment["id"].as_str().is_some_and(|id| uuid::Uuid::parse_str(id).is_ok()), "{attachment}");
    let attachment =
        json!({"id": attachment["id"], "environmentId": "env-b", "integrationPackInstanceId": "test-101"});
    assert_eq!(
        listed,
        json!([
            {"id": "env-a", "name": "Production", "classification": "PROD", "integrationPackEnvironmentAttachment": []},
            {"id": "env-b", "name": "Staging", "classification": "TEST",
             "integrationPackEnvironmentAttachment": [attachment]},
        ])
    );
}

async fn lists_are_paged_by_id(database: Database) {
    let (app, tenant) = start(database).await;
    for instance in ["c", "a", "b"] {
        let input = with(save_input(), "integrationPackInstanceId", Some(instance.into()));
        app.ask(&tenant, SAVE, json!({"input": input})).await.data(SAVED);
    }
    let query = "query ($first: Int, $after: ID) {
        integrationPackInstances(first: $first, after: $after) { id } environments(first: $first, after: $after) { id } }";
    let ids = |list: Value| -> Vec<String> {
        let list = list.as_array().cloned().unwrap_or_default();
        list.iter().map(|one| one["id"].as_str().unwrap_or_default().to_owned()).collect()
    };
    for (variables, instances, environments) in [
        (json!({}), vec!["a", "b", "c"], vec!["2", "env-a", "env-b"]),
        (json!({"first": null, "after": null}), vec!["a", "b", "c"], vec!["2", "env-a", "env-b"]),
        (json!({"first": 2}), vec!["a", "b"], vec!["2", "env-a"]),
        (json!({"first": 2, "after": "b"}), vec!["c"], vec!["env-a", "env-b"]),
        (json!({"first": 1, "after": 1}), vec!["a"], vec!["2"]),
        (json!({"after": "zzz"}), vec![], vec![]),
    ] {
        let reply = app.ask(&tenant, query, variables.clone()).await;
        assert_eq!(ids(reply.data("integrationPackInstances")), instances, "{variables}");
        assert_eq!(ids(reply.data("environments")), environments, "{variables}");
    }
}

async fn pages_that_cannot_be(database: Database) {
    let (app, tenant) = start(database).await;
    for list in ["integrationPackInstances", "environments"] {
        let query =
            format!("query ($first: Int, $after: ID) {{ {list}(first: $first, after: $after) {{ id }} }}");
        for (variables, field, message) in [
            (json!({"first": 0}), "first", "first must be between 1 and 1000."),
            (json!({"first": -1}), "first", "first must be between 1 and 1000."),
            (json!({"first": 1001}), "first", "first must be between 1 and 1000."),
            (json!({"first": "1"}), "first", "first must be an Int."),
            (json!({"first": 5_000_000_000_i64}), "first", "first must be an Int."),
            (json!({"after": 1.5}), "after", "after must be an ID."),
            (json!({"after": "a\0"}), "after", "after must not contain a NUL character."),
        ] {
            let error = app.ask(&tenant, &query, variables.clone()).await.error();
            assert_eq!(error, ("BAD_USER_INPUT".into(), Some(field.into()), message.into()), "{variables}");
        }
    }
}

async fn a_single_install_pack_is_installed_once(database: Database) {
    let (app, tenant) = start(database).await;
    let first = install(&app, &tenant, "single", None).await.data(INSTALLED);
    for name in [None, Some("Another")] {
        assert_eq!(install(&app, &tenant, "single", name).await.code(), "CONFLICT");
    }
    assert_eq!(app.count("instances").await, 1);
    app.ask(&tenant, UNINSTALL, json!({"id": first["id"]})).await.data(UNINSTALLED);
    install(&app, &tenant, "single", None).await.data(INSTALLED);
}

async fn a_multi_install_pack_needs_a_name(database: Database) {
    let (app, tenant) = start(database).await;
    for name in [None, Some(""), Some("  ")] {
        let (code, field, _) = install(&app, &tenant, "multi", name).await.error();
        assert_eq!(
            (code.as_str(), field.as_deref()),
            ("BAD_USER_INPUT", Some("integrationPackOverrideName"))
        );
    }
    assert_eq!(app.count("instances").await, 0);
    for name in ["North", "South"] {
        install(&app, &tenant, "multi", Some(name)).await.data(INSTALLED);
    }
    assert_eq!(app.count("instances").await, 2);
}

async fn packs_and_instances_that_are_not_there(database: Database) {
    let (app, tenant) = start(database).await;
    assert_eq!(install(&app, &tenant, "unknown", None).await.code(), "IPACK_NOT_FOUND_IN_SPACE");
    for id in ["unknown", "7665cc47-6acf-4e39-82c0-08821"] {
        let reply = app.ask(&tenant, UNINSTALL, json!({"id": id})).await;
        assert_eq!(reply.code(), "IPACK_INSTANCE_ID_INVALID");
        assert_eq!(reply.json()["data"], json!({UNINSTALLED: null}));
    }
}

async fn uninstalling_removes_all_that_the_instance_held(database: Database) {
    let (app, tenant) = start(database).await;
    app.ask(&tenant, SAVE, json!({"input": save_input()})).await.data(SAVED);
    let other = with(save_input(), "integrationPackInstanceId", Some("other".into()));
    app.ask(&tenant, SAVE, json!({"input": other})).await.data(SAVED);
    let reply = app.ask(&tenant, UNINSTALL, json!({"id": "test-101"})).await;
    assert_eq!(reply.text, format!("{{\"data\":{{\"{UNINSTALLED}\":\"test-101\"}}}}"));
    assert_eq!(app.ask(&tenant, FIND, json!({"input": find_input()})).await.data(FOUND), Value::Null);
    for table in ["instances", "processes", "connections", "connector_details", "attachments"] {
        assert_eq!(app.count(table).await, 1, "{table} keeps the other instance's row only");
    }
    assert_eq!(
        app.ask(&tenant, UNINSTALL, json!({"id": "test-101"})).await.code(),
        "IPACK_INSTANCE_ID_INVALID"
    );
}

async fn wrong_input_of_the_catalogue(database: Database) {
    let (app, tenant) = start(database).await;
    let input = |input: Value| json!({ "input": input });
    let install = "mutation ($input: IntegrationPackInstanceInstallInput!) {
        integrationPackInstanceInstall(input: $input) { id } }";
    let name = "integrationPackOverrideName";
    for (query, variables, field, message) in [
        (install, input(json!({})), "integrationPackId", "integrationPackId is missing."),
        (
            install,
            input(json!({"integrationPackId": ""})),
            "integrationPackId",
            "integrationPackId must not be empty.",
        ),
        (
            install,
            input(json!({"integrationPackId": 1.5})),
            "integrationPackId",
            "integrationPackId must be an ID.",
        ),
        (
            install,
            input(json!({"integrationPackId": "multi", name: 1})),
            name,
            "integrationPackOverrideName must be a String.",
        ),
        (
            install,
            input(json!({"integrationPackId": "multi", name: "a\0b"})),
            name,
            "integrationPackOverrideName must not contain a NUL character.",
        ),
        (UNINSTALL, json!({}), "id", "The variable $id must have a value."),
        (UNINSTALL, json!({"id": ""}), "id", "id must not be empty."),
        (UNINSTALL, json!({"id": ["x"]}), "id", "id must be an ID."),
    ] {
        let error = app.ask(&tenant, query, variables.clone()).await.error();
        assert_eq!(error, ("BAD_USER_INPUT".into(), Some(field.into()), message.into()), "{variables}");
    }
    assert_eq!(app.count("instances").await, 0);
}
