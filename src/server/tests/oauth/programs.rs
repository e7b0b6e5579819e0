//! What the form does and programs can do too: set a provider, ask for the state, refresh, revoke, and read the token.

use axum::{body::Body, http::Request};
use ipack_domain::rights::{Right, Rights};
use ipack_storage::{
    Database,
    audit_log::{self, Kind},
};
use ipack_testing::api::{Reply, Tenant};
use ipack_testing::browser::Browser;
use ipack_testing::flow::{get_token, secrets, set_up, tenant, token, told};
use ipack_testing::provider::{Provider, field};
use ipack_testing::sample::{READ_TOKEN, REFRESH, REVOKE, SET_PROVIDER, STATUS};
use ipack_testing::world::{ACCOUNT, ANN, SPACE, World, in_environment, key};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

on_both!(
    the_status_tells_what_is_known_of_a_connection,
    statuses_are_paged_and_filtered_by_state,
    a_provider_is_set_field_by_field_with_the_forms_history,
    a_provider_of_every_environment_is_set_in_each,
    what_the_form_would_refuse_is_refused_by_the_fields_name,
    a_token_is_refreshed_and_revoked_on_demand,
    a_rejected_token_is_refreshed_once_however_many_say_so,
    a_minimum_is_met_where_a_new_token_would_meet_it,
    a_script_reads_the_token_with_a_get,
);

fn input() -> Value {
    json!({"integrationPackInstanceId": "instance-1", "envId": "env-1", "processId": "process-1",
        "connectionId": "connection-1", "catalogGuid": SPACE})
}

fn setting(provider: Value) -> Value {
    let mut input = input();
    input["provider"] = provider;
    json!({ "input": input })
}

async fn start(database: Database) -> (World, Provider, Browser, Tenant) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    let client = tenant(&world, ACCOUNT, SPACE, true).await;
    (world, provider, browser, client)
}

async fn status(world: &World, client: &Tenant) -> Value {
    world.ask(client, STATUS, json!({"input": input()})).await.data("iPackInstanceOauthStatus")
}

async fn the_status_tells_what_is_known_of_a_connection(database: Database) {
    let (world, provider, mut browser, client) = start(database).await;
    let fresh = status(&world, &client).await;
    let expected = json!({"id": key().form_path(), "integrationPackInstanceId": "instance-1", "envId": "env-1",
        "processId": "process-1", "connectionId": "connection-1", "catalogGuid": SPACE, "state": "NOT_CONFIGURED",
        "reason": "Nothing is saved yet.", "since": null, "expiresAt": null, "nextRefreshAt": null,
        "requestedScopes": [], "grantedScopes": [], "changedFields": [], "lastReadAt": null,
        "provider": {"provider": null, "scopes": null, "withoutPkce": false}});
    assert_eq!(fresh, expected);
    let mut unknown = input();
    unknown["connectionId"] = "never-met".into();
    let reply = world.ask(&client, STATUS, json!({"input": unknown})).await;
    assert_eq!(reply.data("iPackInstanceOauthStatus"), Value::Null);

    provider.rules(|rules| rules.scope = Some("read".into()));
    get_token(&mut browser, &key(), &provider).await;
    let kept = token(&world, &key()).await.expect("a token");
    let found = status(&world, &client).await;
    assert_eq!((&found["state"], &found["reason"]), (&json!("OK"), &Value::Null));
    assert_eq!(found["since"], kept.obtained_at.iso());
    assert_eq!(found["expiresAt"], kept.expires_at.expect("an expiry").iso());
    assert_eq!(found["nextRefreshAt"], kept.refresh_at.expect("it can be refreshed").iso());
    assert_eq!((&found["grantedScopes"], &found["lastReadAt"]), (&json!(["read"]), &Value::Null));

    world.ask(&client, READ_TOKEN, json!({"input": input()})).await.data("iPackInstanceOauthAccessToken");
    world.services.write_uses().await.expect("written");
    assert!(status(&world, &client).await["lastReadAt"].is_string());

    world.ask(&client, SET_PROVIDER, setting(json!({"scopes": "read  write"}))).await;
    let found = status(&world, &client).await;
    assert_eq!(
        (&found["state"], &found["changedFields"]),
        (&json!("CHANGED"), &json!(["Identity provider"]))
    );
    assert_eq!(found["provider"]["scopes"], "read write");
}

async fn statuses_are_paged_and_filtered_by_state(database: Database) {
    let (world, provider, mut browser, client) = start(database).await;
    for environment in ["env-0", "env-2"] {
        world.place(ACCOUNT, &in_environment(environment)).await;
    }
    get_token(&mut browser, &key(), &provider).await;
    let ask = async |arguments: &str| {
        let query = format!("{{ iPackInstanceOauthStatuses{arguments} {{ id envId state }} }}");
        world.ask(&client, &query, Value::Null).await
    };
    let listed = async |arguments: &str| {
        let listed = ask(arguments).await.data("iPackInstanceOauthStatuses");
        let one = |one: &Value| format!("{} {}", one["envId"], one["state"]).replace('"', "");
        listed.as_array().into_iter().flatten().map(one).collect::<Vec<_>>()
    };
    let all = ["env-0 NOT_CONFIGURED", "env-1 OK", "env-2 NOT_CONFIGURED"];
    assert_eq!(listed("").await, all);
    assert_eq!(listed("(first: 2)").await, all[..2]);
    let after = format!("(first: 1, after: \"{}\")", in_environment("env-0").form_path());
    assert_eq!(listed(&after).await, all[1..2]);
    let after = format!("(after: \"{}\")", key().form_path());
    assert_eq!(listed(&after).await, all[2..]);
    assert_eq!(listed("(state: OK)").await, all[1..2]);
    assert_eq!(listed("(state: [NOT_CONFIGURED, BROKEN], first: 1)").await, all[..1]);
    assert_eq!(listed("(state: [OK, NOT_CONFIGURED])").await, all);
    assert_eq!(listed("(state: [])").await, Vec::<String>::new());
    for (arguments, field) in [
        ("(first: 0)", "first"),
        ("(first: 1001)", "first"),
        ("(after: \"env-1\")", "after"),
        ("(state: Broken)", "state"),
        ("(state: [OK, \"x\"])", "state"),
    ] {
        let error = ask(arguments).await.error();
        assert_eq!((error.0.as_str(), error.1.as_deref()), ("BAD_USER_INPUT", Some(field)), "{arguments}");
    }
    // Another account's Space has none of them.
    let other = tenant(&world, "account-2", "space-2", true).await;
    let reply = world.ask(&other, "{ iPackInstanceOauthStatuses { id } }", Value::Null).await;
    assert_eq!(reply.data("iPackInstanceOauthStatuses"), json!([]));
}

async fn a_provider_is_set_field_by_field_with_the_forms_history(database: Database) {
    let (world, _, mut browser, client) = start(database).await;
    let set = async |provider: Value| {
        let reply = world.ask(&client, SET_PROVIDER, setting(provider)).await;
        reply.data("setIPackInstanceOauthProvider")["provider"].clone()
    };
    let whole = json!({"provider": "endpoints", "authorizationEndpoint": "https://a.example/authorize",
        "tokenEndpoint": "https://a.example/token", "revocationEndpoint": "https://a.example/revoke",
        "grant": "JWT_BEARER", "scopes": "read write", "clientAuthentication": "PRIVATE_KEY_JWT", "withoutPkce": true,
        "subject": "s", "keyId": "k", "audience": "a", "scopeSeparator": ",", "tokenLifetime": "60",
        "companyParameter": "realmId", "issuer": "https://issuer.example", "region": null});
    assert_eq!(set(whole.clone()).await, whole);
    // What is not given stays, and null clears.
    let mut expected = whole.clone();
    for (name, value) in [
        ("scopes", Value::Null),
        ("grant", Value::Null),
        ("withoutPkce", json!(false)),
        ("keyId", json!("k2")),
    ] {
        expected[name] = value;
    }
    assert_eq!(
        set(json!({"scopes": null, "grant": null, "withoutPkce": null, "keyId": " k2 "})).await,
        expected
    );
    assert_eq!(set(json!({})).await, expected);
    assert_eq!(told(&world, &key(), Kind::PkceSwitched).await, ["off", "on"]);
    let entries = read_now!(world.database, db => audit_log::latest(db, &key(), 100));
    let saves: Vec<_> = entries.iter().filter(|entry| entry.kind == Some(Kind::DetailsSaved)).collect();
    assert_eq!(saves.len(), 2, "nothing is written where nothing changes");
    assert!(
        saves.iter().all(|save| save.actor == "API token runtime" && save.changed == ["Identity provider"])
    );
    browser.get(&key().form_path()).await.assert_shows("API token runtime");
    let form = browser.get(&key().form_path()).await.connector();
    assert_eq!(form.value("content[provider][tokenEndpoint]"), "https://a.example/token");
}

async fn a_provider_of_every_environment_is_set_in_each(database: Database) {
    let (world, provider, mut browser, client) = start(database).await;
    world.place(ACCOUNT, &in_environment("env-2")).await;
    let form = ipack_testing::flow::form(&mut browser, &key()).await;
    let form = ipack_testing::flow::filled(form, &provider).content("every_environment", "true");
    browser.press(&form, "save").await;
    world
        .ask(&client, SET_PROVIDER, setting(json!({"scopes": "read"})))
        .await
        .data("setIPackInstanceOauthProvider");
    let query = "{ iPackInstanceOauthStatuses { provider { scopes } } }";
    let scopes = json!({"provider": {"scopes": "read"}});
    let listed = world.ask(&client, query, Value::Null).await.data("iPackInstanceOauthStatuses");
    assert_eq!(listed, json!([scopes, scopes]));
}

async fn what_the_form_would_refuse_is_refused_by_the_fields_name(database: Database) {
    let (world, _, _, client) = start(database).await;
    for (provider, field, message) in [
        (json!({"provider": "nobody"}), "provider", "names a provider that is not known"),
        (json!({"region": "mars"}), "region", "names no region of the provider"),
        (json!({"provider": "endpoints"}), "tokenEndpoint", "cannot be used: Enter a URL"),
        (json!({"issuer": "no address"}), "issuer", "cannot be used: Enter a URL"),
        (json!({"tokenLifetime": "soon"}), "tokenLifetime", "cannot be used: "),
        (json!({"scopes": "a\0"}), "scopes", "must not contain control characters"),
        (json!({"scopes": 1}), "scopes", "must be a String"),
        (json!({"withoutPkce": "yes"}), "withoutPkce", "must be a Boolean"),
        (json!({"grant": "password"}), "grant", "must be one of AUTHORIZATION_CODE, "),
        (json!({"clientAuthentication": 1}), "clientAuthentication", "must be one of CLIENT_SECRET_BASIC, "),
        (json!({"other": 1}), "provider", "has a field that is not known"),
    ] {
        let error = world.ask(&client, SET_PROVIDER, setting(provider.clone())).await.error();
        assert_eq!(
            (error.0.as_str(), error.1.as_deref()),
            ("BAD_USER_INPUT", Some(field)),
            "{provider}: {error:?}"
        );
        assert!(error.2.starts_with(&format!("{field} {message}")), "{provider}: {}", error.2);
    }
    let mut unknown = setting(json!({"scopes": "a"}));
    unknown["input"]["connectionId"] = "never-met".into();
    assert_eq!(world.ask(&client, SET_PROVIDER, unknown).await.code(), "CONFLICT");
    assert_eq!(world.count("connector_details").await, 0);
}

async fn a_token_is_refreshed_and_revoked_on_demand(database: Database) {
    let (world, provider, mut browser, client) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let variables = json!({"input": input()});
    for query in [REFRESH, REVOKE] {
        assert_eq!(world.ask(&client, query, variables.clone()).await.code(), "CONFLICT");
    }
    ipack_testing::flow::generate(&mut browser, &key(), &provider).await;
    let refreshed =
        world.ask(&client, REFRESH, variables.clone()).await.data("refreshIPackInstanceOauthToken");
    assert_eq!((&refreshed["state"], provider.token_calls().len()), (&json!("OK"), 2));
    provider.answers_next(ipack_testing::hostile::Reply::new(503, "text/plain", ""));
    let failed = world.ask(&client, REFRESH, variables.clone()).await;
    assert_eq!(failed.code(), "CONFLICT");
    assert!(failed.message().starts_with("The access token was not refreshed: "), "{}", failed.text);
    assert_eq!(status(&world, &client).await["state"], "REFRESH_FAILING");

    let revoked = world.ask(&client, REVOKE, variables.clone()).await.data("revokeIPackInstanceOauthToken");
    assert_eq!((&revoked["state"], &revoked["expiresAt"]), (&json!("NO_TOKEN"), &Value::Null));
    let call = eventually!(provider.revocations().pop());
    assert!(field(&call, "token").is_some_and(|token| token.starts_with("refresh-")));
    assert!(token(&world, &key()).await.is_none() && secrets(&world, &key()).await.len() == 1);
    assert_eq!(world.ask(&client, REVOKE, variables).await.code(), "CONFLICT");
}

fn sha256(token: &Value) -> String {
    hex::encode(Sha256::digest(token.as_str().expect("a token")))
}

async fn wanting(world: &World, client: &Tenant, arguments: &str) -> Reply {
    let query = READ_TOKEN.replace("(input: $input)", &format!("(input: $input, {arguments})"));
    world.ask(client, &query, json!({"input": input()})).await
}

async fn a_rejected_token_is_refreshed_once_however_many_say_so(database: Database) {
    let (world, provider, mut browser, client) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let read = |reply: Reply| reply.data("iPackInstanceOauthAccessToken")["accessToken"].clone();
    let first = read(world.ask(&client, READ_TOKEN, json!({"input": input()})).await);
    let rejecting = format!("rejectedToken: \"{}\"", sha256(&first));
    let all = futures::future::join_all((0..8).map(|_| wanting(&world, &client, &rejecting))).await;
    let all: Vec<_> = all.into_iter().map(read).collect();
    assert!(all.iter().all(|token| *token == all[0] && *token != first), "{all:?}");
    assert_eq!(provider.token_calls().len(), 2);
    assert_eq!(read(wanting(&world, &client, &rejecting).await), all[0], "that one is gone already");
    assert_eq!(provider.token_calls().len(), 2);

    // One that cannot be refreshed is not handed out again.
    provider.answers_next(ipack_testing::hostile::Reply::new(503, "text/plain", ""));
    let rejecting = format!("rejectedToken: \"{}\"", sha256(&all[0]).to_uppercase());
    let refused = wanting(&world, &client, &rejecting).await;
    assert_eq!(refused.code(), "CONFLICT");
    assert!(refused.message().starts_with("The access token was refused by the API: "), "{}", refused.text);
    assert_eq!(read(world.ask(&client, READ_TOKEN, json!({"input": input()})).await), all[0]);
    for wrong in [all[0].as_str().expect("a token"), "", &"0".repeat(63), &"g".repeat(64)] {
        let error = wanting(&world, &client, &format!("rejectedToken: \"{wrong}\"")).await.error();
        assert_eq!(error.1.as_deref(), Some("rejectedToken"));
        assert!(wrong.is_empty() || !error.2.contains(wrong), "{}", error.2);
    }
}

async fn a_minimum_is_met_where_a_new_token_would_meet_it(database: Database) {
    let (world, provider, mut browser, client) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    world.advance(100);
    for (seconds, calls) in [(3_400, 1), (3_599, 2), (3_600, 2), (86_400, 2)] {
        wanting(&world, &client, &format!("minimumSeconds: {seconds}"))
            .await
            .data("iPackInstanceOauthAccessToken");
        assert_eq!(provider.token_calls().len(), calls, "{seconds}");
    }
    for wrong in ["-1", "86401"] {
        let error = wanting(&world, &client, &format!("minimumSeconds: {wrong}")).await.error();
        assert_eq!(error.2, "minimumSeconds must be between 0 and 86400.");
    }
}

async fn a_script_reads_the_token_with_a_get(database: Database) {
    let (world, provider, mut browser, client) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let get = async |client: &Tenant, parameters: &str| {
        let request = Request::get(format!("/api/v1/access-token?{parameters}"))
            .header("authorization", format!("Bearer {}", client.jwt));
        world.send(request.body(Body::empty()).expect("a request")).await
    };
    let ids = format!(
        "integrationPackInstanceId=instance-1&envId=env-1&processId=process-1&connectionId=connection-1&catalogGuid={SPACE}"
    );
    let found = get(&client, &ids).await;
    assert_eq!((found.status.as_u16(), found.header("content-type")), (200, Some("application/json")));
    assert_eq!(found.header("cache-control"), Some("no-store"));
    let by_graphql = world.ask(&client, READ_TOKEN, json!({"input": input()})).await;
    let by_graphql = by_graphql.data("iPackInstanceOauthAccessToken");
    for name in ["accessToken", "tokenType", "expiresAt", "scope"] {
        assert_eq!(found.json()[name], by_graphql[name], "{name}");
    }
    assert!(found.json().get("extra").is_some(), "{}", found.text);
    let rejecting = format!("{ids}&minimumSeconds=10&rejectedToken={}", sha256(&found.json()["accessToken"]));
    assert_ne!(get(&client, &rejecting).await.json()["accessToken"], found.json()["accessToken"]);

    let writer = world.token_with(ACCOUNT, SPACE, Rights::all().without(Right::TokensRead)).await;
    let other = tenant(&world, "account-2", "space-2", true).await;
    let nobody = Tenant { jwt: "x".into(), ..client.clone() };
    let elsewhere = ids.replace(SPACE, "nobodys-space");
    for (client, parameters, status, code, field) in [
        (&nobody, &ids, 401, "UNAUTHORIZED", None),
        (&writer, &ids, 403, "FORBIDDEN", None),
        (&other, &ids, 404, "SPACE_NOT_FOUND", None),
        (&client, &elsewhere, 404, "SPACE_NOT_FOUND", None),
        (&client, &ids.replace("env-1", "env-9"), 409, "CONFLICT", None),
        (&client, &ids.replace("envId", "x"), 400, "BAD_USER_INPUT", Some("envId")),
        (&client, &ids.replace("env-1", ""), 400, "BAD_USER_INPUT", Some("envId")),
        (&client, &format!("{ids}&minimumSeconds=x"), 400, "BAD_USER_INPUT", Some("minimumSeconds")),
        (&client, &format!("{ids}&rejectedToken=x"), 400, "BAD_USER_INPUT", Some("rejectedToken")),
    ] {
        let reply = get(client, parameters).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()["code"].as_str()),
            (status, Some(code)),
            "{parameters}"
        );
        assert_eq!(reply.json()["field"].as_str(), field, "{parameters}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert!(!reply.text.contains("access-"), "{}", reply.text);
    }
}
