//! Everything that can be wrong with the input of the details operations: each has its own message with the field's
//! name, and nothing is stored.

use ipack_storage::Database;
use ipack_testing::api::Reply;
use ipack_testing::sample::{ACCOUNT, FIND, FOUND, SAVE, SAVED, SPACE, find_input, save_input, with};
use ipack_testing::world::World;
use serde_json::{Value, json};

on_both! {
    each_field_missing_null_empty_or_of_the_wrong_type, each_field_of_the_wrong_type_in_a_variable_of_its_own,
    fields_of_the_query_missing_null_empty_or_of_the_wrong_type, details_that_cannot_be_kept,
    ids_that_cannot_be_kept, the_header_names_another_space, the_input_itself, a_body_over_the_limit
}

const FIELDS: [&str; 9] = [
    "integrationPackInstanceId",
    "isTokenGenerated",
    "oauthConnectorDetails",
    "processId",
    "envId",
    "connectionId",
    "catalogGuid",
    "clientId",
    "clientSecret",
];

/// What can stand in a field (`None`: nothing) and what is said about it.
fn wrong_values(field: &str) -> Vec<(Option<Value>, &'static str)> {
    let mut cases = vec![(None, "is missing"), (Some(Value::Null), "must not be null")];
    if field == "isTokenGenerated" {
        let values = [json!("true"), json!(""), json!(1), json!([true]), json!({"a": true})];
        cases.extend(values.map(|value| (Some(value), "must be a Boolean")));
    } else {
        cases.extend(["", "  "].map(|empty| (Some(empty.into()), "must not be empty")));
        let values = [json!(1), json!(1.5), json!(true), json!(["x"]), json!({"a": "x"})];
        cases.extend(values.map(|value| (Some(value), "must be a String")));
    }
    cases
}

fn assert_refused(reply: &Reply, field: &str, message: &str, what: &str) {
    assert_eq!(reply.status, 200, "{what}");
    let expected = ("BAD_USER_INPUT".to_owned(), Some(field.to_owned()), format!("{field} {message}."));
    assert_eq!(reply.error(), expected, "{what}");
}

/// An input object as a literal of a query.
fn literal(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}: {}", literal(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

async fn each_field_missing_null_empty_or_of_the_wrong_type(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    for field in FIELDS {
        for (value, message) in wrong_values(field) {
            let input = with(save_input(), field, value.clone());
            let what = format!("{field}: {value:?}");
            let reply = app.ask(&tenant, SAVE, json!({"input": input})).await;
            assert_refused(&reply, field, message, &format!("{what} in a variable"));
            let query = format!("mutation {{ {SAVED}(input: {}) {{ id }} }}", literal(&input));
            assert_refused(
                &app.ask(&tenant, &query, Value::Null).await,
                field,
                message,
                &format!("{what} in the query"),
            );
        }
    }
    app.assert_nothing_stored("each was refused").await;
}

async fn each_field_of_the_wrong_type_in_a_variable_of_its_own(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    for field in FIELDS {
        let type_name = if field == "isTokenGenerated" { "Boolean" } else { "String" };
        let literal = literal(&with(save_input(), field, None));
        let rest = literal.trim_end_matches('}');
        let query =
            format!("mutation ($it: {type_name}) {{ {SAVED}(input: {rest}, {field}: $it}}) {{ id }} }}");
        for (value, message) in wrong_values(field) {
            // A variable that may be null and has no value is null.
            let (variables, message) = match value {
                Some(value) => (json!({ "it": value }), message),
                None => (json!({}), "must not be null"),
            };
            let reply = app.ask(&tenant, &query, variables.clone()).await;
            assert_refused(&reply, field, message, &format!("{field}: {variables}"));
        }
        let wrongly_declared = query.replace(&format!("$it: {type_name}"), "$it: Int");
        let reply = app.ask(&tenant, &wrongly_declared, json!({"it": 7})).await;
        assert_eq!(reply.code(), "BAD_USER_INPUT", "{field}");
    }
    // One without a value does not hide what is wrong with another.
    let input = "{integrationPackInstanceId: $absent, clientId: 5}";
    let query = format!("mutation ($absent: String) {{ {SAVED}(input: {input}) {{ id }} }}");
    let reply = app.ask(&tenant, &query, json!({})).await;
    assert_refused(&reply, "integrationPackInstanceId", "must not be null", "absent");
    app.assert_nothing_stored("each was refused").await;
}

async fn fields_of_the_query_missing_null_empty_or_of_the_wrong_type(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    for field in find_input().as_object().expect("an object").keys() {
        for (value, message) in wrong_values(field) {
            let input = with(find_input(), field, value.clone());
            let reply = app.ask(&tenant, FIND, json!({"input": input})).await;
            assert_refused(&reply, field, message, &format!("{field}: {value:?}"));
        }
    }
}

async fn details_that_cannot_be_kept(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let deep = format!("{}{}", "{\"a\":".repeat(200), "}".repeat(200));
    let secret =
        |path: &str| format!("has a secret at {path}: a client secret has no place in the connector details");
    let mut messages = Vec::new();
    for (text, message) in [
        ("[]", "must be a JSON object".to_owned()),
        ("\"text\"", "must be a JSON object".to_owned()),
        ("null", "must be a JSON object".to_owned()),
        ("7", "must be a JSON object".to_owned()),
        (r#"{"baseURL":1}"#, "has a baseURL that is not a string".to_owned()),
        (r#"{"companyId":null}"#, "has a companyId that is not a string".to_owned()),
        (r#"{"clientId":["x"]}"#, "has a clientId that is not a string".to_owned()),
        (r#"{"authParams":"x"}"#, "has a authParams that is not an object of strings".to_owned()),
        (r#"{"authParams":{"k":1}}"#, "has a authParams.k that is not an object of strings".to_owned()),
        (
            r#"{"accessTokenParams":[]}"#,
            "has a accessTokenParams that is not an object of strings".to_owned(),
        ),
        (r#"{"clientSecret":"s"}"#, secret("clientSecret")),
        (r#"{"client_secret":"s"}"#, secret("client_secret")),
        (r#"{"authParams":{"clientSecret":"s"}}"#, secret("authParams.clientSecret")),
        (r#"{"a":[{},{"b":{"client_secret":"s"}}]}"#, secret("a[1].b.client_secret")),
        (r#"{"\u0063lientSecret":"s"}"#, secret("clientSecret")),
        (r#"{"a":1,"a":2}"#, "has the key a twice".to_owned()),
        (r#"{"authParams":{"k":"1","k":"2"}}"#, "has the key authParams.k twice".to_owned()),
    ] {
        let input = with(save_input(), "oauthConnectorDetails", Some(text.into()));
        let reply = app.ask(&tenant, SAVE, json!({"input": input})).await;
        assert_refused(&reply, "oauthConnectorDetails", &message, text);
        messages.push(message);
    }
    messages.dedup();
    assert_eq!(messages.len(), 14, "what differs is said differently");
    for text in ["{", "{}x", "{'a':1}", "not JSON", &deep] {
        let input = with(save_input(), "oauthConnectorDetails", Some(text.into()));
        let (code, field, message) = app.ask(&tenant, SAVE, json!({"input": input})).await.error();
        assert_eq!(
            (code.as_str(), field.as_deref()),
            ("BAD_USER_INPUT", Some("oauthConnectorDetails")),
            "{text}"
        );
        assert!(message.starts_with("oauthConnectorDetails is not JSON: "), "{message}");
        assert!(message.contains("line 1 column"), "{message}");
    }
    app.assert_nothing_stored("each was refused").await;
}

async fn ids_that_cannot_be_kept(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let long = "x".repeat(513);
    for (id, message) in [
        ("a\0b", "must not contain control characters"),
        ("a\nb", "must not contain control characters"),
        ("..", "must not be a dot or two dots alone"),
        (&long, "must not be longer than 512 bytes"),
    ] {
        for field in ["integrationPackInstanceId", "envId", "processId", "connectionId"] {
            let input = with(save_input(), field, Some(id.into()));
            assert_refused(&app.ask(&tenant, SAVE, json!({"input": input})).await, field, message, id);
        }
    }
    let input = with(save_input(), "clientId", Some("a\0b".into()));
    let reply = app.ask(&tenant, SAVE, json!({"input": input})).await;
    assert_refused(&reply, "clientId", "must not contain a NUL character", "clientId");
    app.assert_nothing_stored("each was refused").await;
}

async fn the_header_names_another_space(database: Database) {
    let app = World::empty(database).await;
    let mut tenant = app.tenant(ACCOUNT, SPACE).await;
    app.services.create_space(ACCOUNT, "second", "Second").await.expect("a second Space");
    tenant.space = "second".into();
    for (query, input) in [(SAVE, save_input()), (FIND, find_input())] {
        let reply = app.ask(&tenant, query, json!({"input": input})).await;
        assert_refused(&reply, "catalogGuid", "must equal the header SPACE_GUID", query);
    }
    tenant.space = "unknown".into();
    let reply = app.ask(&tenant, SAVE, json!({"input": save_input()})).await;
    assert_eq!(reply.code(), "SPACE_NOT_FOUND");
    assert_eq!(reply.json()["data"], json!({SAVED: null}));
    for empty in ["", " "] {
        tenant.space = empty.into();
        assert_eq!(app.ask(&tenant, SAVE, json!({"input": save_input()})).await.code(), "MISSING_SPACE_ID");
    }
    app.assert_nothing_stored("each was refused").await;
}

async fn the_input_itself(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    for (variables, message) in [
        (json!({}), "The variable $input must have a value."),
        (json!({"input": null}), "The variable $input must have a value."),
        (json!({"input": "text"}), "input must be a SaveIPackInstanceOauthConnectorDetailsInput."),
        (
            json!({"input": with(save_input(), "other", Some("x".into()))}),
            "input has a field that is not known.",
        ),
    ] {
        let (code, field, said) = app.ask(&tenant, SAVE, variables.clone()).await.error();
        assert_eq!((code.as_str(), field.as_deref()), ("BAD_USER_INPUT", Some("input")), "{variables}");
        assert_eq!(said, message);
    }
    for (operation, field, message) in [
        (SAVED, "input", "input is missing."),
        (FOUND, "input", "input is missing."),
        ("integrationPackInstanceUninstall", "id", "id is missing."),
    ] {
        let kind = if operation == FOUND { "query" } else { "mutation" };
        let selection = if field == "id" { "" } else { "{ id }" };
        let reply = app.ask(&tenant, &format!("{kind} {{ {operation} {selection} }}"), Value::Null).await;
        assert_eq!(reply.error(), ("BAD_USER_INPUT".into(), Some(field.into()), message.into()));
        assert!(reply.json().get("data").is_none(), "nothing was executed: {}", reply.text);
    }
    app.assert_nothing_stored("each was refused").await;
}

async fn a_body_over_the_limit(database: Database) {
    let app = World::builder(database).empty().body_limit(4_096).build().await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let input = with(
        save_input(),
        "oauthConnectorDetails",
        Some(format!("{{\"a\":\"{}\"}}", "x".repeat(4_096)).into()),
    );
    let reply = app.ask(&tenant, SAVE, json!({"input": input})).await;
    assert_eq!(reply.status, 413);
    assert_eq!(
        reply.error(),
        ("BAD_USER_INPUT".into(), None, "The request is larger than 4096 bytes.".into())
    );
    app.assert_nothing_stored("it was refused").await;
    app.ask(&tenant, SAVE, json!({"input": save_input()})).await.data(SAVED);
}
