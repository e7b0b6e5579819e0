//! `catalogue import`: what is wrong with a file is said with its place, and nothing of it is kept.

use ipack_core::{ServiceError, access::Client};
use ipack_domain::{rights::Rights, time::Timestamp};
use ipack_storage::{Database, accounts};
use ipack_testing::world::{ANN, SPACE, World};
use std::sync::atomic::{AtomicBool, Ordering};

on_both!(
    what_is_wrong_is_named_and_nothing_is_kept,
    a_second_import_brings_names_up_to_date_and_removes_nothing,
    an_unknown_space_is_named,
    a_large_file_is_imported_whole_and_lets_others_write_in_between,
);

fn with_connection(connection: &str) -> String {
    format!(
        r#"{{"environments":[{{"id":"e","name":"E","classification":"PROD"}}],"packs":[{{"id":"p","name":"P",
        "installationType":"SINGLE","processes":[{{"id":"q","name":"Q","connections":[{connection}]}}]}}]}}"#
    )
}

async fn what_is_wrong_is_named_and_nothing_is_kept(database: Database) {
    let world = World::new(database).await;
    let (environments, packs) = (world.count("environments").await, world.count("packs").await);
    let long = format!(r#"{{"id":"{}","name":"C"}}"#, "x".repeat(513));
    for (json, words) in [
        (String::new(), vec!["the file", "is not a catalogue"]),
        ("[]".into(), vec!["is not a catalogue"]),
        ("{".into(), vec!["is not a catalogue", "line 1"]),
        (r#"{"enviroments":[]}"#.into(), vec!["enviroments"]),
        (r#"{"environments":[{"id":"e","name":"E"}]}"#.into(), vec!["classification"]),
        (r#"{"environments":[{"id":"e","name":"E","classification":"prod"}]}"#.into(), vec!["prod", "PROD"]),
        (
            r#"{"environments":[{"id":"","name":"E","classification":"PROD"}]}"#.into(),
            vec!["environment", "empty"],
        ),
        (r#"{"environments":[{"id":"..","name":"E","classification":"PROD"}]}"#.into(), vec!["\"..\""]),
        (
            r#"{"environments":[{"id":"e","name":" ","classification":"PROD"}]}"#.into(),
            vec!["name of environment \"e\""],
        ),
        (r#"{"packs":[{"id":"p","name":"P","installationType":"TWICE"}]}"#.into(), vec!["TWICE"]),
        (
            r#"{"packs":[{"id":"p","name":"P\u0000","installationType":"SINGLE"}]}"#.into(),
            vec!["name of pack \"p\"", "NUL"],
        ),
        (
            r#"{"packs":[{"id":"p","name":"P","description":"a\u0000b","installationType":"SINGLE"}]}"#
                .into(),
            vec!["description of pack \"p\"", "NUL"],
        ),
        (with_connection(r#"{"id":"c"}"#), vec!["name"]),
        (with_connection(&long), vec!["connection", "512"]),
        (with_connection(r#"{"id":"c","name":"C","secret":"x"}"#), vec!["secret"]),
        (
            with_connection(r#"{"id":"c","name":"C","defaults":[]}"#),
            vec!["defaults of connection c", "object"],
        ),
        (
            with_connection(r#"{"id":"c","name":"C","defaults":{"baseURL":1}}"#),
            vec!["defaults of connection c", "baseURL"],
        ),
        (with_connection(r#"{"id":"c","name":"C","defaults":{"clientSecret":"x"}}"#), vec!["clientSecret"]),
        (with_connection(r#"{"id":"c","name":"C","defaults":{"a":1,"a":2}}"#), vec!["twice"]),
    ] {
        let error = world.services.import_catalogue(SPACE, &json).await.expect_err(&json);
        assert!(matches!(error, ServiceError::BadInput { .. }), "{json}: {error:?}");
        for word in words {
            assert!(error.to_string().contains(word), "{word} in {error}");
        }
    }
    assert_eq!(world.count("environments").await, environments);
    assert_eq!(world.count("packs").await, packs);
}

async fn a_second_import_brings_names_up_to_date_and_removes_nothing(database: Database) {
    let world = World::new(database).await;
    let services = &world.services;
    services
        .import_catalogue(SPACE, &with_connection(r#"{"id":"c","name":"Before"}"#))
        .await
        .expect("imported");
    let client =
        Client { account: "account-1".into(), name: "c".into(), username: "c".into(), rights: Rights::all() };
    let instance = services.install(&client, Some(SPACE), "p", None).await.expect("installed");
    services.attach(&world.admin(ANN).await, SPACE, &instance.id, "e").await.expect("attached");
    let second = with_connection(
        r#"{"id":"c","name":"After","defaults":{"baseURL":"https://new"}},{"id":"d","name":"New"}"#,
    );
    for json in [second.as_str(), "{}", second.as_str()] {
        services.import_catalogue(SPACE, json).await.expect("imported");
    }
    let mut browser = world.browser(ANN).await;
    let page = browser.get(&ipack_domain::ids::instance_path(SPACE, &instance.id)).await;
    for name in ["After", "New"] {
        page.assert_shows(name);
    }
    assert!(!page.shows("Before"));
    let link = page.links().into_iter().find(|link| link.ends_with("/connections/c")).expect("a link");
    assert_eq!(browser.get(&link).await.connector().value("content[base_url]"), "https://new");
}

async fn an_unknown_space_is_named(database: Database) {
    let world = World::new(database).await;
    let error = world.services.import_catalogue("none", "{}").await.expect_err("no such Space");
    assert!(matches!(error, ServiceError::SpaceNotFound), "{error:?}");
}

async fn a_large_file_is_imported_whole_and_lets_others_write_in_between(database: Database) {
    const CONNECTIONS: i64 = 1_500;
    let world = World::new(database).await;
    let connections: Vec<_> = (0..CONNECTIONS).map(|n| format!(r#"{{"id":"{n}","name":"C {n}"}}"#)).collect();
    let json = with_connection(&connections.join(","));
    let has_been_let_in = AtomicBool::new(false);
    let import = async { world.services.import_catalogue(SPACE, &json).await.expect("imported") };
    let others = async {
        for number in 0.. {
            write_now!(world.database, db => accounts::ensure(db, &number.to_string(), Timestamp(0)));
            let imported = world.count("pack_connections WHERE pack_id = 'p'").await;
            has_been_let_in.fetch_or((1..CONNECTIONS).contains(&imported), Ordering::Relaxed);
        }
    };
    tokio::select! { () = import => {}, () = others => unreachable!() }
    assert!(has_been_let_in.into_inner(), "others waited for the whole import");
    assert_eq!(world.count("pack_connections WHERE pack_id = 'p'").await, CONNECTIONS);
}
