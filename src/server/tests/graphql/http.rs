//! GraphQL over HTTP: methods, media types and statuses.

use axum::{
    body::Body,
    http::{Method, Request},
};
use ipack_storage::Database;
use ipack_testing::api::{Tenant, request};
use ipack_testing::sample::{ACCOUNT, SAVE, SAVED, SPACE, save_input};
use ipack_testing::world::World;
use serde_json::{Value, json};

on_both! {
    s33_only_post_is_answered, s33_only_json_is_read, answers_have_the_type_that_was_asked_for,
    statuses_follow_the_specification, bodies_that_are_no_requests, a_byte_order_mark_before_the_body_is_skipped,
    operations_are_chosen_by_name,
    batches_are_answered_in_their_order
}

const JSON: &str = "application/json; charset=utf-8";
const GRAPHQL: &str = "application/graphql-response+json; charset=utf-8";

/// A request with these headers beside token and Space.
fn with_headers(tenant: &Tenant, headers: &[(&str, &str)], body: &Value) -> Request<Body> {
    let bare = Request::post("/graphql")
        .header("space_guid", &tenant.space)
        .header("authorization", format!("Bearer {}", tenant.jwt));
    let request = headers.iter().fold(bare, |request, (name, value)| request.header(*name, *value));
    request.body(Body::from(body.to_string())).expect("a request")
}

async fn s33_only_post_is_answered(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let mutation = "/graphql?query=mutation%7BintegrationPackInstanceUninstall(id%3A%221%22)%7D";
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::HEAD] {
        for path in ["/graphql", mutation, "/graphql?query=%7B__typename%7D"] {
            let mut request = request(&tenant).body(Body::empty()).expect("a request");
            *request.method_mut() = method.clone();
            *request.uri_mut() = path.parse().expect("an address");
            let reply = app.send(request).await;
            assert_eq!(
                (reply.status.as_u16(), reply.header("allow")),
                (405, Some("POST")),
                "{method} {path}"
            );
            assert_eq!(reply.headers.get_all("allow").iter().count(), 1);
        }
    }
}

async fn s33_only_json_is_read(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let body = json!({"query": SAVE, "variables": {"input": save_input()}});
    for content_type in [
        None,
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("text/plain"),
        Some("application/graphql"),
        Some("application/json; charset=utf-16"),
    ] {
        let mut headers = vec![("accept", "application/json")];
        headers.extend(content_type.map(|value| ("content-type", value)));
        let reply = app.send(with_headers(&tenant, &headers, &body)).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (415, "BAD_USER_INPUT"),
            "{content_type:?}"
        );
    }
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    assert_eq!(app.send(with_headers(&tenant, &headers, &body)).await.status, 415);
    app.assert_nothing_stored("each was refused").await;
    let headers = [("content-type", "application/json; charset=UTF-8")];
    app.send(with_headers(&tenant, &headers, &body)).await.data(SAVED);
}

async fn answers_have_the_type_that_was_asked_for(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let body = json!({"query": "{ __typename }"});
    for (accept, status, content_type) in [
        (None, 200, GRAPHQL),
        (Some("*/*"), 200, GRAPHQL),
        (Some("application/json"), 200, JSON),
        (Some("application/json; charset=utf-8"), 200, JSON),
        (Some("application/graphql-response+json"), 200, GRAPHQL),
        (Some("application/graphql-response+json, application/json;q=0.9"), 200, GRAPHQL),
        (Some("application/graphql-response+json;q=0.5, application/json;q=0.9"), 200, JSON),
        (Some("text/html"), 406, JSON),
        (Some("application/xml"), 406, JSON),
        (Some("application/json;q=0"), 406, JSON),
    ] {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(accept.map(|value| ("accept", value)));
        let reply = app.send(with_headers(&tenant, &headers, &body)).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-type")),
            (status, Some(content_type)),
            "{accept:?}"
        );
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        if status == 406 {
            assert_eq!(reply.code(), "BAD_USER_INPUT");
        }
    }
}

async fn statuses_follow_the_specification(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let two = "query a { __typename } query b { __typename }";
    // What is sent, whether there is data, and the status where the answer is GraphQL's own type.
    for (body, has_data, status) in [
        (json!({"query": "{ __typename }"}), true, 200),
        (json!({"query": "{ environments(first: 0) { id } }"}), true, 200),
        (json!({"query": "{"}), false, 400),
        (json!({"query": ""}), false, 400),
        (json!({"query": "{ unknown }"}), false, 400),
        (json!({"query": "{ environments }"}), false, 400),
        (json!({"query": "subscription { a }"}), false, 400),
        (json!({"query": two, "operationName": "c"}), false, 400),
        (json!({"query": two}), false, 400),
        (json!({"query": "query ($a: ID!) { environments(after: $a) { id } }"}), false, 400),
        (
            json!({"query": "query ($a: Int) { environments(first: $a) { id } }", "variables": {"a": "x"}}),
            false,
            400,
        ),
        (json!({"query": "fragment a on Query { __typename }"}), false, 400),
    ] {
        for (accept, expected, content_type) in
            [("application/json", 200, JSON), ("application/graphql-response+json", status, GRAPHQL)]
        {
            let headers = [("content-type", "application/json"), ("accept", accept)];
            let reply = app.send(with_headers(&tenant, &headers, &body)).await;
            assert_eq!(reply.status, expected, "{accept} {body}");
            assert_eq!(reply.header("content-type"), Some(content_type), "{body}");
            let json = reply.json();
            assert_eq!(json.get("data").is_some(), has_data, "{json}");
            for error in json["errors"].as_array().into_iter().flatten() {
                assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{json}");
                assert!(error["message"].as_str().is_some_and(|message| message.ends_with('.')), "{json}");
            }
        }
    }
    let broken = app.ask(&tenant, "{\n  environments { id } )", Value::Null).await;
    assert_eq!(broken.message(), "The query has a syntax error at line 2, column 23.");
    assert_eq!(broken.json()["errors"][0]["locations"], json!([{"line": 2, "column": 23}]));
    let unknown = app.ask(&tenant, "{ __typename\n  environments { id other } }", Value::Null).await;
    assert_eq!(unknown.message(), "Environment has no field of that name.");
    assert_eq!(unknown.json()["errors"][0]["locations"], json!([{"line": 2, "column": 21}]));
}

async fn bodies_that_are_no_requests(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    for (body, field) in [
        ("", None),
        ("{", None),
        ("nonsense", None),
        ("null", None),
        ("\"{ __typename }\"", None),
        ("[]", None),
        ("[1]", None),
        ("{}", Some("query")),
        ("{\"query\": null}", Some("query")),
        ("{\"query\": 1}", Some("query")),
        ("{\"query\": \"{ __typename }\", \"variables\": []}", Some("variables")),
        ("{\"query\": \"{ __typename }\", \"variables\": \"{}\"}", Some("variables")),
        ("{\"query\": \"{ __typename }\", \"operationName\": 1}", Some("operationName")),
        ("{\"query\": \"{ __typename }\", \"extensions\": 1}", Some("extensions")),
        ("[{\"query\": \"{ __typename }\"}, {}]", Some("query")),
    ] {
        for accept in ["application/json", "application/graphql-response+json"] {
            let mut request = request(&tenant).body(Body::from(body)).expect("a request");
            request.headers_mut().insert("accept", accept.parse().expect("a header"));
            let reply = app.send(request).await;
            assert_eq!(reply.status, 400, "{body}");
            let (code, said, _) = reply.error();
            assert_eq!((code.as_str(), said.as_deref()), ("BAD_USER_INPUT", field), "{body}");
        }
    }
    let bytes = Body::from(b"{\"query\": \"\xff\"}".as_slice());
    assert_eq!(app.send(request(&tenant).body(bytes).expect("a request")).await.status, 400);
}

async fn a_byte_order_mark_before_the_body_is_skipped(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let send =
        async |body: Vec<u8>| app.send(request(&tenant).body(Body::from(body)).expect("a request")).await;
    let save = json!({"query": SAVE, "variables": {"input": save_input()}});
    send(format!("\u{feff}{save}").into()).await.data(SAVED);
    let find = json!({"query": "{ integrationPackInstances { id } }", "operationName": ""});
    let found = json!({"data": {"integrationPackInstances": [{"id": "test-101"}]}});
    for (body, expected) in [
        (format!("\u{feff}{find}"), &found),
        (format!("\u{feff}\r\n {find}\n"), &found),
        (format!("\u{feff}[{find},{find}]"), &json!([found, found])),
    ] {
        let reply = send(body.clone().into()).await;
        assert_eq!((reply.status.as_u16(), &reply.json()), (200, expected), "{body:?}");
    }
    // A second one, one elsewhere, one alone, and those of other encodings.
    let utf_16 = |bytes: fn(u16) -> [u8; 2]| {
        let units = std::iter::once(0xfeff).chain(find.to_string().encode_utf16().collect::<Vec<_>>());
        units.flat_map(bytes).collect::<Vec<u8>>()
    };
    for body in [
        format!("\u{feff}\u{feff}{find}").into_bytes(),
        format!(" \u{feff}{find}").into_bytes(),
        format!("{find}\u{feff}").into_bytes(),
        "\u{feff}".into(),
        utf_16(u16::to_le_bytes),
        utf_16(u16::to_be_bytes),
    ] {
        let reply = send(body.clone()).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (400, "BAD_USER_INPUT"), "{body:?}");
    }
}

async fn operations_are_chosen_by_name(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let query = "query a { a: __typename } query b { b: __typename }";
    let reply = app.post(&tenant, &json!({"query": query, "operationName": "b", "extensions": {}})).await;
    assert_eq!(reply.text, r#"{"data":{"b":"Query"}}"#);
    let one = json!({"query": "query a { a: __typename }", "operationName": null, "variables": null});
    assert_eq!(app.post(&tenant, &one).await.text, r#"{"data":{"a":"Query"}}"#);
}

async fn batches_are_answered_in_their_order(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let find = json!({"query": "{ integrationPackInstances { id } }"});
    let save = json!({"query": SAVE, "variables": {"input": save_input()}});
    let reply = app.post(&tenant, &json!([find, {"query": "{"}, save, find])).await;
    assert_eq!(reply.status, 200);
    let answers = reply.json();
    assert_eq!(answers[0], json!({"data": {"integrationPackInstances": []}}));
    assert_eq!(answers[1]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    assert_eq!(answers[2]["data"][SAVED]["envId"], "2");
    assert_eq!(answers[3], json!({"data": {"integrationPackInstances": [{"id": "test-101"}]}}));
}
