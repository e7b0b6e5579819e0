//! Saving: what is written, what is left alone, and what the API makes of it.

use ipack_domain::{ids::ConnectionKey, rights::Rights};
use ipack_storage::Database;
use ipack_testing::world::{ANN, BEN, World, in_environment, key, open};

on_both!(
    what_the_form_saves_the_api_reads,
    unknown_keys_survive_with_their_bytes,
    the_apis_own_client_id_is_kept_where_it_differed,
    the_apis_client_id_follows_where_it_was_the_same,
    every_environment_gets_the_values_and_the_choice_is_remembered,
    every_environment_keeps_what_is_others_own,
    values_used_before_are_offered_again,
    the_history_says_who_saved_what,
    a_save_without_a_change_is_no_save,
    defaults_stand_in_the_form_until_something_is_saved,
    a_client_secret_has_no_place_in_a_table,
);

async fn what_the_form_saves_the_api_reads(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let form = form
        .content("base_url", " https://service.example/ü?a=b#c ")
        .content("company_id", "9341\"\\")
        .content("client_id", "c")
        .row("authorization", 0, "audience", "x y&z=+%")
        .row("access_token", 0, "scope", "");
    let page = browser.press(&form, "save").await;
    assert_eq!(page.path, key().form_path());
    page.assert_shows(&format!("Saved by {ANN} "));
    assert!(!page.shows("Draft") && !page.has_button("discard"));
    let expected = concat!(
        r#"{"baseURL":"https://service.example/ü?a=b#c","companyId":"9341\"\\","clientId":"c","#,
        r#""authParams":{"audience":"x y&z=+%"},"accessTokenParams":{"scope":""}}"#
    );
    assert_eq!(world.api_read(&key()).await, Some((expected.into(), "c".into())));
    let form = open(&mut browser).await.connector();
    assert_eq!(form.value("content[company_id]"), "9341\"\\");
    assert_eq!(form.rows("authorization"), ["audience=x y&z=+%"]);
}

async fn unknown_keys_survive_with_their_bytes(database: Database) {
    let world = World::new(database).await;
    let before = r#"{ "x" : [1.50e3, {"y" : null}], "clientId":"c", "big":123456789012345678901234567890}"#;
    world.api_save(&key(), before, "c").await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().content("base_url", "https://x");
    browser.press(&form, "save").await;
    let expected = r#"{"x":[1.50e3, {"y" : null}],"clientId":"c","big":123456789012345678901234567890,"baseURL":"https://x"}"#;
    assert_eq!(world.api_read(&key()).await.expect("saved").0, expected);
    // And a save through the API is in the form at the next load.
    world.api_save(&key(), r#"{"clientId":"from the API"}"#, "c").await;
    let page = open(&mut browser).await;
    assert_eq!(page.connector().value("content[client_id]"), "from the API");
    page.assert_shows("API token ci");
}

async fn the_apis_own_client_id_is_kept_where_it_differed(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"clientId":"inside"}"#, "outside").await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().content("client_id", "typed");
    browser.press(&form, "save").await;
    let (details, outside) = world.api_read(&key()).await.expect("saved");
    assert_eq!((details.as_str(), outside.as_str()), (r#"{"clientId":"typed"}"#, "outside"));
}

async fn the_apis_client_id_follows_where_it_was_the_same(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"clientId":"same"}"#, "same").await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().content("client_id", "typed");
    browser.press(&form, "save").await;
    assert_eq!(world.api_read(&key()).await.expect("saved").1, "typed");
}

async fn every_environment_gets_the_values_and_the_choice_is_remembered(database: Database) {
    let world = World::new(database).await;
    let (second, third) = (in_environment("env-2"), in_environment("env-3"));
    for other in [&second, &third] {
        world.place("account-1", other).await;
    }
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    assert_eq!(form.value("content[every_environment]"), "false");
    let form = form.content("client_id", "everywhere").content("every_environment", "true");
    browser.press(&form, "save").await;
    for key in [&key(), &second, &third] {
        assert_eq!(world.api_read(key).await.expect("saved").1, "everywhere", "{}", key.environment);
        let form = browser.get(&key.form_path()).await.connector();
        assert_eq!(form.value("content[every_environment]"), "true");
        assert_eq!(form.value("content[client_id]"), "everywhere");
    }
    // Back to one alone: from then on the others keep their own.
    let form = browser.get(&second.form_path()).await.connector();
    browser.press(&form.content("client_id", "second").content("every_environment", "false"), "save").await;
    assert_eq!(world.api_read(&second).await.expect("saved").1, "second");
    assert_eq!(world.api_read(&third).await.expect("saved").1, "everywhere");
    assert_eq!(open(&mut browser).await.connector().value("content[every_environment]"), "false");
}

async fn every_environment_keeps_what_is_others_own(database: Database) {
    let world = World::new(database).await;
    let second = in_environment("env-2");
    let elsewhere = ConnectionKey { connection: "connection-2".into(), ..second.clone() };
    world.api_save(&second, r#"{"clientId":"inside","x":1}"#, "outside").await;
    world.api_save(&elsewhere, r#"{"clientId":"untouched"}"#, "untouched").await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let form = form.content("client_id", "typed").content("every_environment", "true");
    browser.press(&form, "save").await;
    let (details, client_id) = world.api_read(&second).await.expect("saved");
    assert_eq!((details.as_str(), client_id.as_str()), (r#"{"clientId":"typed","x":1}"#, "outside"));
    assert_eq!(world.api_read(&elsewhere).await.expect("saved").1, "untouched");
}

async fn values_used_before_are_offered_again(database: Database) {
    let world = World::new(database).await;
    let other = ConnectionKey { connection: "connection-2".into(), ..key() };
    world.place("account-1", &other).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let form =
        form.content("base_url", "https://used.example").row("authorization", 0, "used-key", "used-value");
    browser.press(&form.clone().content("client_id", "only typed"), "keep").await;
    browser.press(&form.content("client_id", "used-client"), "save").await;
    let page = browser.get(&other.form_path()).await;
    let offered: Vec<String> = page
        .elements()
        .iter()
        .filter(|one| one.path.last().is_some_and(|parent| parent == "datalist"))
        .filter_map(|one| one.attribute("value").map(str::to_owned))
        .collect();
    for value in ["https://used.example", "used-client", "used-key", "used-value"] {
        assert!(offered.iter().any(|one| one == value), "{value} in {offered:?}");
    }
    assert!(!offered.iter().any(|one| one == "only typed"));
}

async fn the_history_says_who_saved_what(database: Database) {
    let world = World::new(database).await;
    let (mut ann, mut ben) = (world.browser(ANN).await, world.browser(BEN).await);
    open(&mut ann).await.assert_shows("Nothing has been saved yet.");
    let form = open(&mut ann).await.connector().content("base_url", "https://x").content("client_id", "c");
    ann.press(&form, "save").await;
    world.advance(60);
    let form = open(&mut ben).await.connector().row("authorization", 0, "secretive", "value");
    let page = ben.press(&form, "save").await;
    page.assert_shows("saved Authorization Parameters");
    page.assert_shows("saved Base URL and Client ID");
    page.assert_shows(&format!("Saved by {BEN} "));
    let timeline = "timeline WHERE kind = 'details_saved' AND changed LIKE '%value%'";
    assert_eq!(world.count(timeline).await, 0, "labels, never values");
}

async fn a_save_without_a_change_is_no_save(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{ "clientId":"c" }"#, "c").await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let before = world.footprint().await;
    browser.press(&form, "save").await;
    assert_eq!(world.footprint().await, before);
    assert_eq!(world.api_read(&key()).await.expect("saved").0, r#"{ "clientId":"c" }"#, "byte for byte");
}

async fn defaults_stand_in_the_form_until_something_is_saved(database: Database) {
    let world = World::new(database).await;
    let catalogue = r#"{"environments":[{"id":"env-1","name":"Production","classification":"PROD"}],
        "packs":[{"id":"p","name":"P","installationType":"SINGLE","processes":[{"id":"orders","name":"Orders",
        "connections":[{"id":"crm","name":"CRM","defaults":{"baseURL":"https://crm.example","authParams":{"a":"1"}}}]}]}]}"#;
    let services = &world.services;
    services.import_catalogue(ipack_testing::world::SPACE, catalogue).await.expect("imported");
    let client = ipack_core::access::Client {
        account: "account-1".into(),
        name: "c".into(),
        username: "c".into(),
        rights: Rights::all(),
    };
    let instance =
        services.install(&client, Some(ipack_testing::world::SPACE), "p", None).await.expect("installed");
    let mut browser = world.browser(ANN).await;
    let page =
        browser.get(&ipack_domain::ids::instance_path(ipack_testing::world::SPACE, &instance.id)).await;
    let page = browser.press(&page.form("/api/attach"), "").await;
    assert_eq!(page.status, 200);
    let link =
        page.links().into_iter().find(|link| link.ends_with("/connections/crm")).expect("a link to the form");
    let page = browser.get(&link).await;
    assert_eq!(page.heading(), "CRM");
    for name in ["Production", "PROD", "Orders", "First Space"] {
        page.assert_shows(name);
    }
    let form = page.connector();
    assert_eq!(form.value("content[base_url]"), "https://crm.example");
    assert_eq!(form.rows("authorization"), ["a=1"]);
    let page = browser.press(&form.row("authorization", 0, "", ""), "save").await;
    assert_eq!(page.connector().rows("authorization"), ["="], "the default is gone for good");
}

async fn a_client_secret_has_no_place_in_a_table(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    for name in ["client_secret", "clientSecret", " Client-Secret "] {
        let form = open(&mut browser).await.connector().row("access_token", 0, name, "hush");
        browser.press(&form, "save").await.assert_shows(
            "A client secret has no place here: these parameters are readable by everybody who can open the form",
        );
        assert_eq!(world.api_read(&key()).await, None, "{name}");
    }
}
