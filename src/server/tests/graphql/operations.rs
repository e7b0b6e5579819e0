//! Every operation of the API, with input that works for the seed's own tenant and the right that it needs: what holds for
//! all of them goes through this list, and an operation that is not in it fails [`assert_complete`].

use ipack_domain::rights::Right::{
    self, CatalogueWrite, DetailsRead, DetailsWrite, TokensManage, TokensRead,
};
use ipack_testing::api::Tenant;
use ipack_testing::sample::{
    ENCRYPT, FIND, READ_TOKEN, REFRESH, RESET, REVOKE, SAVE, SET_PROVIDER, SPACE, STATUS, find_input,
    save_input, with,
};
use ipack_testing::world::World;
use serde_json::{Value, json};

pub struct Operation {
    pub query: &'static str,
    pub variables: Value,
    /// `None` where any API token will do.
    pub right: Option<Right>,
}

/// The operation that answers a list of what is the caller's own, whatever the header says.
pub const SPACES: &str = "{ spaces { id } }";

/// In an order in which each works; but for those about a token, which is not there.
pub fn operations() -> Vec<Operation> {
    let key = json!({"input": find_input()});
    let list: Vec<(&str, Value, Option<Right>)> = vec![
        (SAVE, json!({"input": save_input()}), Some(DetailsWrite)),
        (FIND, key.clone(), Some(DetailsRead)),
        (STATUS, key.clone(), Some(DetailsRead)),
        ("{ iPackInstanceOauthStatuses { id } }", Value::Null, Some(DetailsRead)),
        (
            SET_PROVIDER,
            json!({"input": with(find_input(), "provider", Some(json!({"scopes": "read"})))}),
            Some(DetailsWrite),
        ),
        (
            ENCRYPT,
            json!({"input": with(find_input(), "clientSecret", Some("hush".into()))}),
            Some(TokensManage),
        ),
        (READ_TOKEN, key.clone(), Some(TokensRead)),
        (REFRESH, key.clone(), Some(TokensManage)),
        (REVOKE, key.clone(), Some(TokensManage)),
        (RESET, key, Some(TokensManage)),
        (SPACES, Value::Null, None),
        ("query ($id: ID!) { Space(id: $id) { id name } }", json!({"id": SPACE}), None),
        ("{ spaceAccounts { id } }", Value::Null, None),
        ("{ integrationPackInstances { id } }", Value::Null, None),
        ("{ environments { id } }", Value::Null, None),
        (
            "mutation { integrationPackInstanceInstall(input: {integrationPackId: \"pack\"}) { id } }",
            Value::Null,
            Some(CatalogueWrite),
        ),
        (
            "{ integrationPackInstanceProcesses(integrationPackInstanceId: \"test-101\") { id } }",
            Value::Null,
            None,
        ),
        (
            "{ integrationPackEnvironmentAttachments(ipackInstanceId: \"test-101\") { id } }",
            Value::Null,
            None,
        ),
        (
            "mutation { integrationPackInstanceEnvironmentAttachmentAttach(
                input: {integrationPackInstanceId: \"test-101\", environmentIds: [\"2\"]}) { id } }",
            Value::Null,
            Some(CatalogueWrite),
        ),
        (
            "mutation { integrationPackInstanceEnvironmentAttachmentUnattach(id: \"test-101\") }",
            Value::Null,
            Some(CatalogueWrite),
        ),
        (
            "mutation { integrationPackInstanceUninstall(id: \"test-101\") }",
            Value::Null,
            Some(CatalogueWrite),
        ),
    ];
    list.into_iter().map(|(query, variables, right)| Operation { query, variables, right }).collect()
}

/// The one about a token that is not there.
pub fn needs_token(query: &str) -> bool {
    [READ_TOKEN, REFRESH, REVOKE].contains(&query)
}

/// The names of all fields of the two roots.
pub async fn names(world: &World, tenant: &Tenant) -> Vec<String> {
    let query = "{ __schema { types { name fields { name } } } }";
    let schema = world.ask(tenant, query, Value::Null).await.data("__schema");
    let types = schema["types"].as_array().expect("types");
    let roots = types.iter().filter(|one| one["name"] == "Query" || one["name"] == "Mutation");
    let fields = roots.flat_map(|root| root["fields"].as_array().into_iter().flatten());
    fields.filter_map(|field| field["name"].as_str().map(str::to_owned)).collect()
}

pub fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|one| one == word)
}

pub async fn assert_complete(world: &World, tenant: &Tenant) {
    let (names, operations) = (names(world, tenant).await, operations());
    for name in &names {
        let is_listed = operations.iter().any(|operation| has_word(operation.query, name));
        assert!(is_listed, "{name} is in no list");
    }
    assert_eq!(operations.len(), names.len());
}
