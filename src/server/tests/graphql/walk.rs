//! The way through the API that the platform's documentation describes, with its samples and its headers only.

use axum::{body::Body, http::Request};
use ipack_storage::Database;
use ipack_testing::sample::{ACCOUNT, SPACE};
use ipack_testing::world::World;
use serde_json::{Value, json};

on_both! { the_documented_walk }

struct Client {
    world: World,
    jwt: String,
}

impl Client {
    /// With the header `SPACE_GUID` where the documentation has it.
    async fn ask(&self, space: Option<&Value>, query: &str) -> Value {
        let mut request = Request::post("/graphql")
            .header("authorization", format!("Bearer {}", self.jwt))
            .header("accept", "application/json")
            .header("content-type", "application/json");
        if let Some(space) = space.and_then(Value::as_str) {
            request = request.header("SPACE_GUID", space);
        }
        let body = json!({"query": query, "operationName": "", "variables": {}}).to_string();
        let reply = self.world.send(request.body(Body::from(body)).expect("a request")).await.json();
        assert!(reply.get("errors").is_none(), "{query}: {reply}");
        let fields = reply["data"].as_object().expect("an object");
        fields.values().next().expect("a field").clone()
    }
}

async fn the_documented_walk(database: Database) {
    let world = World::empty(database).await;
    let tenant = world.tenant(ACCOUNT, SPACE).await;
    let catalogue = r#"{"environments": [{"id": "2", "name": "Test", "classification": "TEST"}],
        "packs": [{"id": "pack", "name": "Books", "description": "Keeps them.", "installationType": "MULTI",
            "processes": [{"id": "1", "name": "Invoices", "connections": [{"id": "3", "name": "Ledger"}]}]}]}"#;
    world.services.import_catalogue(SPACE, catalogue).await.expect("the catalogue is fine");
    let client = Client { world, jwt: tenant.jwt };

    let spaces = client
        .ask(
            None,
            "query spaces { spaces { id name accountGroup { id name } createdDate modifiedDate modifiedByAccountId } }",
        )
        .await;
    let created = "2026-11-23T18:05:08Z";
    let nothing = Value::Null;
    let expected = json!({"id": SPACE, "name": "A Space", "accountGroup": nothing, "createdDate": created,
        "modifiedDate": nothing, "modifiedByAccountId": nothing});
    assert_eq!(spaces, json!([expected]));
    let guid = &spaces[0]["id"];

    let space = client
        .ask(
            None,
            &format!(
                "query Space {{ Space(id: {guid}) {{ id name description createdDate createdByAccountId
                modifiedDate modifiedByAccountId sharedIpacks {{ id description name installationType }}
                url theme {{ logoUrl logoAltTxt }} accountGroup {{ id name }} }} }}"
            ),
        )
        .await;
    assert_eq!(space["createdByAccountId"], ACCOUNT);
    let pack =
        json!({"id": "pack", "name": "Books", "description": "Keeps them.", "installationType": "MULTI"});
    assert_eq!(space["sharedIpacks"], json!([pack]));
    let pack = &space["sharedIpacks"][0]["id"];

    let installed = client
        .ask(
            None,
            &format!(
                "mutation installIpackInstance {{ integrationPackInstanceInstall(input: {{
                integrationPackId: {pack} integrationPackOverrideName: \"North\" }})
                {{ id integrationPackId integrationPackOverrideName }} }}"
            ),
        )
        .await;
    let instance = &installed["id"];

    let environments = client
        .ask(
            Some(guid),
            "query environments { environments { id name classification atoms { id name }
                integrationPackEnvironmentAttachment { id environmentId integrationPackInstanceId } } }",
        )
        .await;
    assert_eq!(
        environments,
        json!([{"id": "2", "name": "Test", "classification": "TEST", "atoms": [],
            "integrationPackEnvironmentAttachment": []}])
    );
    let environment = &environments[0]["id"];

    let attached = client
        .ask(
            Some(guid),
            &format!(
                "mutation attachIpackInstance {{ integrationPackInstanceEnvironmentAttachmentAttach(input: {{
                integrationPackInstanceId: {instance} environmentIds: [{environment}] }})
                {{ id environmentId integrationPackInstanceId environmentExtensions }} }}"
            ),
        )
        .await;
    let attachment = &attached[0]["id"];
    assert_eq!(
        attached,
        json!([{"id": attachment, "environmentId": environment, "integrationPackInstanceId": instance,
            "environmentExtensions": nothing}])
    );
    let attachments = client
        .ask(
            Some(guid),
            &format!(
                "query ipackEnvAttachmentDtl {{ integrationPackEnvironmentAttachments(
                ipackInstanceId: {instance} environmentIds: [{environment}])
                {{ integrationPackInstanceId environmentMapExtension environmentExtensions }} }}"
            ),
        )
        .await;
    assert_eq!(
        attachments,
        json!([{"integrationPackInstanceId": instance, "environmentMapExtension": nothing,
            "environmentExtensions": nothing}])
    );

    let processes = client
        .ask(
            Some(guid),
            &format!(
                "query process {{ integrationPackInstanceProcesses(integrationPackInstanceId: {instance}) {{
                id name integrationPack {{ integrationPackId integrationPackInstanceId }}
                processSchedules {{ id processId atomId envId
                    schedule {{ minutes hours daysOfWeek daysOfMonth months years }}
                    retry {{ schedule {{ minutes hours daysOfWeek daysOfMonth months years }} maxRetry }} }} }} }}"
            ),
        )
        .await;
    assert_eq!(
        processes,
        json!([{"id": "1", "name": "Invoices", "processSchedules": nothing,
            "integrationPack": {"integrationPackId": pack, "integrationPackInstanceId": instance}}])
    );
    let process = &processes[0]["id"];

    let names = format!(
        "integrationPackInstanceId: {instance} processId: {process} envId: {environment} connectionId: \"3\"
        catalogGuid: {guid}"
    );
    let saved = client
        .ask(
            Some(guid),
            &format!(
                "mutation {{ saveIPackInstanceOauthConnectorDetails(input: {{ {names} isTokenGenerated: false
                oauthConnectorDetails: \"{{}}\" clientId: \"A\" clientSecret: \"dummyValue\" }}) {{ id }} }}"
            ),
        )
        .await;
    let found = client
        .ask(
            Some(guid),
            &format!(
                "query {{ IPackInstanceOAuthConnectorDetails(input: {{ {names} }}) {{ id oauthConnectorDetails }} }}"
            ),
        )
        .await;
    assert_eq!(found, json!({"id": saved["id"], "oauthConnectorDetails": "{}"}));

    let unattach = format!(
        "mutation unattachIpackInstance {{ integrationPackInstanceEnvironmentAttachmentUnattach(id: {instance}) }}"
    );
    assert_eq!(client.ask(Some(guid), &unattach).await, *attachment);
    let uninstall = format!("mutation {{ integrationPackInstanceUninstall(id: {instance}) }}");
    assert_eq!(client.ask(None, &uninstall).await, *instance);
    for table in ["instances", "attachments", "connector_details"] {
        assert_eq!(client.world.count(table).await, 0, "{table}");
    }
}
