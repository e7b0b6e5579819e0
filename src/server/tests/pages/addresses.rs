//! Ids are any text, and each leads to its form and posts back.

use axum::body::Body;
use ipack_domain::ids::{ConnectionKey, instance_path, segment};
use ipack_storage::Database;
use ipack_testing::browser::get;
use ipack_testing::world::{ANN, PASSWORD, SPACE, World, key};

on_both!(
    every_id_leads_to_its_form_and_posts_back,
    every_id_is_found_again_after_signing_in,
    ids_that_cannot_be_lead_to_nothing,
    names_in_addresses_can_be_ids,
    a_long_list_goes_on_where_it_ended,
);

const IDS: [&str; 12] =
    ["a/b", "100%", "%41", "%2F", "%252F", "what?", "#hash", "a+b", "a b", "ü 日本 🗝", "a&b=c;d", "..."];

fn keys() -> impl Iterator<Item = ConnectionKey> {
    IDS.into_iter().map(|id| ConnectionKey {
        space: SPACE.into(),
        instance: id.into(),
        environment: id.into(),
        process: id.into(),
        connection: id.into(),
    })
}

async fn every_id_leads_to_its_form_and_posts_back(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    for key in keys() {
        world.place("account-1", &key).await;
    }
    for key in keys() {
        let id = &key.instance;
        // By hand over the overview, the instance's page and its links.
        let link = instance_path(SPACE, id);
        assert!(browser.get("/").await.links().contains(&link), "{id}");
        let page = browser.get(&link).await;
        assert_eq!(page.heading(), *id);
        let environment =
            page.links().into_iter().find(|link| link.starts_with("?environment=")).expect("a link");
        let page = browser.get(&format!("{link}{environment}")).await;
        assert!(page.links().contains(&key.form_path()), "{id}: {:?}", page.links());
        let page = browser.get(&key.form_path()).await;
        assert_eq!((page.status.as_u16(), page.heading()), (200, id.clone()));
        let page = browser.press(&page.connector().content("client_id", id), "save").await;
        assert_eq!(page.path, key.form_path());
        assert_eq!(world.api_read(&key).await.expect("saved").1, *id);
    }
}

async fn every_id_is_found_again_after_signing_in(database: Database) {
    let world = World::new(database).await;
    for key in keys() {
        world.place("account-1", &key).await;
        let chosen = format!(
            "{}?environment={}&process={}",
            instance_path(SPACE, &key.instance),
            segment(&key.environment),
            segment(&key.process)
        );
        for path in [key.form_path(), chosen] {
            let mut browser = world.stranger();
            let form = browser.get(&path).await.form("/login");
            assert_eq!(form.value("next"), path);
            let page = browser.press(&form.with("email", ANN).with("password", PASSWORD), "").await;
            assert_eq!((page.status.as_u16(), page.path.as_str()), (200, path.as_str()));
        }
    }
}

async fn ids_that_cannot_be_lead_to_nothing(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let long = "x".repeat(513);
    for id in ["%00", "a%00b", "..", "%2E%2E", ".", "%0A", "%FF", "%C3", "%20", long.as_str(), "none"] {
        for path in [
            format!("/spaces/{id}/instances/instance-1"),
            format!("/spaces/{SPACE}/instances/{id}"),
            key().form_path().replace("env-1", id),
            key().form_path().replace("process-1", id),
            key().form_path().replace("connection-1", id),
        ] {
            let page = browser.send(get(&path).body(Body::empty()).expect("a request")).await;
            assert_eq!(page.status, 404, "{path}");
            assert_eq!(page.heading(), "There is nothing here", "{path}");
        }
    }
    for path in ["//", "/spaces", "/spaces//instances/", "/spaces/space-1/instances/instance-1/", "/login/x"]
    {
        let status = browser.send(get(path).body(Body::empty()).expect("a request")).await.status.as_u16();
        assert!(matches!(status, 404 | 200 | 308), "{path}: {status}");
    }
}

async fn names_in_addresses_can_be_ids(database: Database) {
    let world = World::new(database).await;
    let key = ConnectionKey {
        space: SPACE.into(),
        instance: "environments".into(),
        environment: "processes".into(),
        process: "connections".into(),
        connection: "spaces".into(),
    };
    world.place("account-1", &key).await;
    let mut browser = world.browser(ANN).await;
    let page = browser.get(&key.form_path()).await;
    assert_eq!((page.status.as_u16(), page.heading()), (200, "spaces".into()));
    assert_eq!(browser.get(&instance_path(SPACE, "environments")).await.heading(), "environments");
}

async fn a_long_list_goes_on_where_it_ended(database: Database) {
    let world = World::new(database).await;
    for number in 0..45 {
        let instance = format!("{} {number:02} /%+?", if number % 2 == 0 { "Even" } else { "Odd ü" });
        world.place("account-1", &ConnectionKey { instance, ..key() }).await;
    }
    let mut browser = world.browser(ANN).await;
    for (start, expected) in
        [("/", 46), ("/?q=even", 23), ("/?q=%C3%BC", 22), ("/?q=%2F%25%2B%3F", 45), ("/?q=%25%2B_", 0)]
    {
        let (mut path, mut found) = (start.to_owned(), Vec::new());
        loop {
            let page = browser.get(&path).await;
            assert_eq!(page.status, 200, "{path}");
            let is_instance = |link: &String| link.starts_with("/spaces/") && !link.contains("/connections/");
            found.extend(page.links().into_iter().filter(is_instance));
            let Some(next) = page.links().into_iter().find(|link| link.contains("after=")) else { break };
            path = next;
        }
        let all = found.len();
        found.sort();
        found.dedup();
        assert_eq!((found.len(), all), (expected, expected), "{start}");
    }
}
