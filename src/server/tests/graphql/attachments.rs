//! Attaching instances to environments, and ending that.

use ipack_domain::ids::ConnectionKey;
use ipack_storage::Database;
use ipack_testing::api::{Reply, Tenant};
use ipack_testing::sample::{ACCOUNT, FIND, FOUND, SAVE, SAVED, SPACE, find_input, save_input};
use ipack_testing::world::World;
use serde_json::{Value, json};

on_both! {
    attaching_twice_answers_the_same_attachment, what_cannot_be_attached_attaches_nothing,
    attachments_are_listed_by_environment, what_was_saved_there_goes_with_the_attachment,
    which_attachment_is_meant_must_be_clear, processes_are_those_of_the_instance
}

const ATTACH: &str = "mutation ($input: IntegrationPackEnvironmentAttachmentInput!) {
    integrationPackInstanceEnvironmentAttachmentAttach(input: $input) { id environmentId integrationPackInstanceId } }";
const ATTACHED: &str = "integrationPackInstanceEnvironmentAttachmentAttach";
const UNATTACH: &str =
    "mutation ($id: ID!) { integrationPackInstanceEnvironmentAttachmentUnattach(id: $id) }";
const UNATTACHED: &str = "integrationPackInstanceEnvironmentAttachmentUnattach";
const LIST: &str = "query ($instance: String, $environments: [String]) {
    integrationPackEnvironmentAttachments(ipackInstanceId: $instance, environmentIds: $environments) { id environmentId } }";
const LISTED: &str = "integrationPackEnvironmentAttachments";

/// The seed's connection, and two more environments.
async fn start(database: Database) -> (World, Tenant) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    app.ask(&tenant, SAVE, json!({"input": save_input()})).await.data(SAVED);
    let catalogue = r#"{"environments": [{"id": "a", "name": "A", "classification": "PROD"},
        {"id": "b", "name": "B", "classification": "TEST"}]}"#;
    app.services.import_catalogue(SPACE, catalogue).await.expect("the catalogue is fine");
    (app, tenant)
}

async fn attach(app: &World, tenant: &Tenant, environments: Value) -> Reply {
    let input = json!({"integrationPackInstanceId": "test-101", "environmentIds": environments});
    app.ask(tenant, ATTACH, json!({"input": input})).await
}

async fn attaching_twice_answers_the_same_attachment(database: Database) {
    let (app, tenant) = start(database).await;
    let attached = attach(&app, &tenant, json!(["b", "a"])).await.data(ATTACHED);
    let environments: Vec<_> =
        attached.as_array().into_iter().flatten().map(|one| &one["environmentId"]).collect();
    assert_eq!(environments, ["b", "a"]);
    assert_eq!(attach(&app, &tenant, json!(["b", "a"])).await.data(ATTACHED), attached);
    // One value stands for a list of one.
    assert_eq!(attach(&app, &tenant, json!("a")).await.data(ATTACHED), json!([attached[1]]));
    assert_eq!(attach(&app, &tenant, json!([])).await.data(ATTACHED), json!([]));
    assert_eq!(app.count("timeline WHERE kind = 'environment_attached'").await, 2);
}

async fn what_cannot_be_attached_attaches_nothing(database: Database) {
    let (app, tenant) = start(database).await;
    let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    for (environments, message) in [
        (json!(["a", "unknown"]), "environmentIds names an environment that is not there."),
        (json!(["a", ""]), "environmentIds must not be empty."),
        (json!(["a", "\0"]), "environmentIds must not contain control characters."),
        (json!(["a", null]), "environmentIds must be a list of IDs."),
        (json!(["a", 1.5]), "environmentIds must be an ID."),
        (json!({"a": 1}), "environmentIds must be an ID."),
        (json!(many), "environmentIds must not name more than 100."),
        (Value::Null, "environmentIds must not be null."),
    ] {
        let error = attach(&app, &tenant, environments.clone()).await.error();
        let expected = ("BAD_USER_INPUT".into(), Some("environmentIds".into()), message.into());
        assert_eq!(error, expected, "{environments}");
    }
    let input = json!({"integrationPackInstanceId": "unknown", "environmentIds": ["a"]});
    assert_eq!(app.ask(&tenant, ATTACH, json!({"input": input})).await.code(), "IPACK_INSTANCE_ID_INVALID");
    assert_eq!(app.count("attachments").await, 1, "the seed's own");
}

async fn attachments_are_listed_by_environment(database: Database) {
    let (app, tenant) = start(database).await;
    attach(&app, &tenant, json!(["b", "a"])).await.data(ATTACHED);
    for (environments, expected) in [
        (Value::Null, vec!["2", "a", "b"]),
        (json!(["b", "2", "unknown"]), vec!["2", "b"]),
        (json!("a"), vec!["a"]),
        (json!([]), vec![]),
    ] {
        let variables = json!({"instance": "test-101", "environments": environments});
        let listed = app.ask(&tenant, LIST, variables).await.data(LISTED);
        let found: Vec<_> =
            listed.as_array().into_iter().flatten().map(|one| &one["environmentId"]).collect();
        assert_eq!(found, expected, "{environments}");
    }
    let unknown = app.ask(&tenant, LIST, json!({"instance": "unknown"})).await;
    assert_eq!(unknown.code(), "IPACK_INSTANCE_ID_INVALID");
    let error = app.ask(&tenant, LIST, json!({})).await.error();
    assert_eq!(
        error,
        ("BAD_USER_INPUT".into(), Some("ipackInstanceId".into()), "ipackInstanceId must not be null.".into())
    );
}

async fn what_was_saved_there_goes_with_the_attachment(database: Database) {
    let (app, tenant) = start(database).await;
    let mut elsewhere = save_input();
    elsewhere["envId"] = "a".into();
    app.ask(&tenant, SAVE, json!({"input": elsewhere})).await.data(SAVED);
    let attachments = app.ask(&tenant, LIST, json!({"instance": "test-101"})).await.data(LISTED);
    let id = &attachments[0]["id"];
    assert_eq!(app.ask(&tenant, UNATTACH, json!({"id": id})).await.data(UNATTACHED), *id);
    assert_eq!(app.ask(&tenant, FIND, json!({"input": find_input()})).await.data(FOUND), Value::Null);
    assert_eq!((app.count("attachments").await, app.count("connector_details").await), (1, 1));
    assert_eq!(app.count("instances").await, 1, "the instance stays");
    let noted =
        "timeline WHERE kind = 'environment_unattached' AND environment_id = '2' AND actor = 'API token ci'";
    assert_eq!(app.count(noted).await, 1);
    // Attached again it begins anew.
    attach(&app, &tenant, json!(["2"])).await.data(ATTACHED);
    assert_eq!(app.ask(&tenant, FIND, json!({"input": find_input()})).await.data(FOUND), Value::Null);
    let again = app.ask(&tenant, UNATTACH, json!({"id": id})).await;
    assert_eq!(again.code(), "IPACK_INSTANCE_ID_INVALID", "the old attachment is over");
}

async fn which_attachment_is_meant_must_be_clear(database: Database) {
    let (app, tenant) = start(database).await;
    attach(&app, &tenant, json!(["a"])).await.data(ATTACHED);
    let unattach = async |id: &str| app.ask(&tenant, UNATTACH, json!({"id": id})).await;
    let error = unattach("test-101").await.error();
    let message = "id names an instance with several attachments: it must be the attachment's.";
    assert_eq!(error, ("BAD_USER_INPUT".into(), Some("id".into()), message.into()));
    let attachments = app.ask(&tenant, LIST, json!({"instance": "test-101"})).await.data(LISTED);
    unattach(attachments[1]["id"].as_str().expect("an id")).await.data(UNATTACHED);
    assert_eq!(unattach("test-101").await.data(UNATTACHED), attachments[0]["id"]);
    assert_eq!(unattach("test-101").await.code(), "CONFLICT", "it is attached nowhere");
    for unknown in ["unknown", "7665cc47-6acf-4e39-82c0-088210000000"] {
        assert_eq!(unattach(unknown).await.code(), "IPACK_INSTANCE_ID_INVALID");
    }
    // An attachment of another Space, by its id.
    let other = app.tenant("other", "other-space").await;
    let key = ConnectionKey {
        space: "other-space".into(),
        instance: "theirs".into(),
        environment: "e".into(),
        process: "p".into(),
        connection: "c".into(),
    };
    app.place("other", &key).await;
    let theirs = app.ask(&other, LIST, json!({"instance": "theirs"})).await.data(LISTED);
    let reply = unattach(theirs[0]["id"].as_str().expect("an id")).await;
    assert_eq!(reply.code(), "IPACK_INSTANCE_ID_INVALID");
    assert_eq!(app.count("attachments").await, 1);
}

async fn processes_are_those_of_the_instance(database: Database) {
    let (app, tenant) = start(database).await;
    let query = "query ($id: ID) { integrationPackInstanceProcesses(integrationPackInstanceId: $id) {
        id name integrationPack { integrationPackId integrationPackInstanceId } processSchedules { id } } }";
    let found = app.ask(&tenant, query, json!({"id": "test-101"})).await;
    let pack = json!({"integrationPackId": null, "integrationPackInstanceId": "test-101"});
    let expected = json!([{"id": "1", "name": "1", "integrationPack": pack, "processSchedules": null}]);
    assert_eq!(found.data("integrationPackInstanceProcesses"), expected);
    assert_eq!(app.ask(&tenant, query, json!({"id": "unknown"})).await.code(), "IPACK_INSTANCE_ID_INVALID");
    let error = app.ask(&tenant, query, json!({"id": " "})).await.error();
    assert_eq!(error.1.as_deref(), Some("integrationPackInstanceId"));
}
