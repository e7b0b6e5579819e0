//! The state of a connection, as both lists and the form's header show it.
//!
//! Each state comes about here as it does in life: by what the provider answers, by time, and by what an admin saves.
//! How it follows from what is known is held by `domain::connection_state`.

use ipack_domain::{
    connection_state::ConnectionState,
    ids::{ConnectionKey, instance_path, segment},
};
use ipack_storage::Database;
use ipack_testing::browser::{Browser, Page};
use ipack_testing::flow::{SECRET, encrypt, filled, form, generate, get_token, provider_field, set_up};
use ipack_testing::hostile::Reply;
use ipack_testing::provider::Provider;
use ipack_testing::world::{ACCOUNT, ANN, World, in_environment, key};
use serde_json::json;

on_both!(
    s12_a_token_that_was_refused_is_broken_everywhere,
    a_token_that_ran_out_and_nothing_refreshes_is_broken,
    a_refresh_that_fails_is_told_with_why_and_since_when,
    a_token_that_nothing_refreshes_expires,
    without_a_token_it_is_told_what_is_next,
    a_secret_that_must_be_entered_again_is_no_token,
    an_edit_since_the_token_and_a_smaller_grant_are_changes,
    what_needs_somebody_stands_first_and_is_never_cut_off,
    lists_programs_and_metrics_count_the_same_states,
);

const DAY: i64 = 24 * 3_600;

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

/// The word in the form's header.
#[track_caller]
pub fn state_in_header(page: &Page) -> String {
    let elements = page.elements();
    let mut header = elements.iter().filter(|one| one.path.contains(&"header".to_owned()));
    let status = header.find(|one| is_state(one.attribute("class")));
    status.unwrap_or_else(|| panic!("no state: {}", page.text())).text.clone()
}

fn is_state(class: Option<&str>) -> bool {
    class.is_some_and(|class| class.starts_with("status "))
}

/// Environment, connection and state of the overview's lines, from the top.
async fn overview(browser: &mut Browser) -> Vec<(String, String, String)> {
    let page = browser.get("/").await;
    let mut lines = Vec::new();
    for element in page.elements() {
        if element.attribute("class") == Some("connection") {
            let path = element.attribute("href").expect("a link").to_owned();
            let part = |name: &str| {
                let after = path.split(&format!("/{name}/")).nth(1).expect("a form's address");
                after.split('/').next().expect("a part").to_owned()
            };
            lines.push((part("environments"), part("connections"), String::new()));
        } else if is_state(element.attribute("class"))
            && element.path.contains(&"a".to_owned())
            && let Some(line) = lines.last_mut()
        {
            line.2 = element.text;
        }
    }
    lines
}

/// Connection, state and reason of the lines of the key's process, from the top.
async fn instance(browser: &mut Browser, key: &ConnectionKey) -> Vec<(String, String, String)> {
    let at = instance_path(&key.space, &key.instance);
    let (environment, process) = (segment(&key.environment), segment(&key.process));
    let page = browser.get(&format!("{at}?environment={environment}&process={process}")).await;
    let mut lines: Vec<(String, String, String)> = Vec::new();
    for element in page.elements().into_iter().filter(|one| one.path.contains(&"tbody".to_owned())) {
        if element.is("th", "scope", "row") {
            lines.push((element.text, String::new(), String::new()));
        } else if let Some(line) = lines.last_mut() {
            match element.attribute("class") {
                Some("reason") => line.2 = element.text,
                class if is_state(class) => line.1 = element.text,
                _ => {}
            }
        }
    }
    lines
}

/// The state is the same in all three places; the reason, and the form.
async fn state_of(browser: &mut Browser, key: &ConnectionKey) -> (String, String, Page) {
    let page = browser.get(&key.form_path()).await;
    let header = state_in_header(&page);
    let here = instance(browser, key).await;
    let (_, state, reason) = here.into_iter().find(|line| line.0 == key.connection).expect("listed");
    assert_eq!(state, header, "the instance's page and the form");
    let lines = overview(browser).await;
    let line = lines.iter().find(|line| (&line.0, &line.1) == (&key.environment, &key.connection));
    assert_eq!(line.expect("listed").2, header, "the overview and the form");
    if header != "OK" {
        // Nothing on the form says then that all is well with the token: neither a state nor what went well once.
        let is_good = |one: &ipack_testing::html::Element| {
            let in_summary = ["header", "dl"].iter().any(|name| one.path.contains(&(*name).to_owned()));
            one.attribute("class") == Some("message good")
                || (in_summary && one.attribute("class") == Some("status configured"))
        };
        let elements = page.elements();
        let good = elements.iter().find(|one| is_good(one));
        assert!(good.is_none(), "{header}, and {good:?}");
    }
    (header, reason, page)
}

/// What is on the form of the key's connection now.
async fn assert_state(browser: &mut Browser, key: &ConnectionKey, state: &str, reason: &str) -> Page {
    let (is, because, page) = state_of(browser, key).await;
    assert_eq!((is.as_str(), because.as_str()), (state, reason));
    page
}

/// So much later everybody has to sign in again.
async fn later(world: &World, seconds: i64) -> Browser {
    world.advance(seconds);
    world.browser(ANN).await
}

/// What is due a token's lifetime later is refreshed, and fails.
async fn fail_refresh(world: &World, provider: &Provider, reply: Reply) -> Browser {
    provider.answers_next(reply);
    let browser = later(world, 3_301).await;
    assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
    browser
}

fn refusal() -> Reply {
    Reply::json(400, &json!({"error": "invalid_grant"}))
}

async fn s12_a_token_that_was_refused_is_broken_everywhere(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    assert_state(&mut browser, &key(), "OK", "").await;
    let mut browser = fail_refresh(&world, &provider, refusal()).await;
    // The access token is good for minutes yet, and the page says when it ends, then since when it is over.
    let (state, reason, page) = state_of(&mut browser, &key()).await;
    assert!(state == "Broken" && reason.contains("invalid_grant"), "{state}: {reason}");
    page.assert_shows(" (in 4 minutes)");
    assert!(!page.shows("generation successful") && !page.shows("Next refresh"), "{}", page.text());
    world.advance(360);
    let (state, _, page) = state_of(&mut browser, &key()).await;
    assert_eq!(state, "Broken");
    page.assert_shows(" (1 minute ago)");
    assert!(!page.shows("(in "), "{}", page.text());
    generate(&mut browser, &key(), &provider).await.assert_shows("Access Token generation successful");
    assert_state(&mut browser, &key(), "OK", "").await;
}

async fn a_token_that_ran_out_and_nothing_refreshes_is_broken(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    provider.rules(|rules| rules.gives_refresh_tokens = false);
    get_token(&mut browser, &key(), &provider).await;
    let mut browser = later(&world, 3_600).await;
    let (state, reason, page) = state_of(&mut browser, &key()).await;
    assert_eq!(state, "Broken");
    assert!(reason.starts_with("It ran out ") && reason.ends_with(" and cannot be refreshed."), "{reason}");
    page.assert_shows(" ago)");
    page.assert_shows("Not possible: the provider gave no refresh token");
    assert!(!page.shows("generation successful"));
}

async fn a_refresh_that_fails_is_told_with_why_and_since_when(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let down = Reply::json(503, &json!({"error": "temporarily_unavailable"}));
    let mut browser = fail_refresh(&world, &provider, down).await;
    let (state, reason, page) = state_of(&mut browser, &key()).await;
    assert_eq!(state, "Refresh failing");
    assert!(reason.starts_with("No refresh has worked since ") && reason.contains("503"), "{reason}");
    page.assert_shows(" (in 4 minutes)");
    world.advance(600);
    let (state, reason, page) = state_of(&mut browser, &key()).await;
    assert_eq!(state, "Refresh failing");
    assert!(reason.starts_with("It ran out ") && reason.contains("503"), "{reason}");
    page.assert_shows(" (5 minutes ago)");
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    assert_state(&mut browser, &key(), "OK", "").await;
}

async fn a_token_that_nothing_refreshes_expires(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    provider.rules(|rules| (rules.gives_refresh_tokens, rules.expires_in) = (false, Some(7 * DAY + 1_800)));
    get_token(&mut browser, &key(), &provider).await;
    assert_state(&mut browser, &key(), "OK", "").await;
    let mut browser = later(&world, 3_600).await;
    let (state, reason, _) = state_of(&mut browser, &key()).await;
    assert_eq!(state, "Expiring");
    assert!(reason.starts_with("It ends ") && reason.ends_with(" and cannot be refreshed."), "{reason}");
    // One that names no end is good until somebody says otherwise.
    provider.rules(|rules| rules.expires_in = None);
    generate(&mut browser, &key(), &provider).await;
    let mut browser = later(&world, DAY).await;
    assert_state(&mut browser, &key(), "OK", "").await;
}

async fn without_a_token_it_is_told_what_is_next(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    assert_state(&mut browser, &key(), "Not configured", "Nothing is saved yet.").await;
    world.api_save(&key(), r#"{"baseURL":"https://only.example"}"#, "api's").await;
    assert_state(&mut browser, &key(), "Not configured", "Missing: Client ID.").await;
    world.api_save(&key(), "{}", "api's").await;
    assert_state(&mut browser, &key(), "Not configured", "Missing: Base URL, Client ID.").await;
    let form = filled(form(&mut browser, &key()).await, &provider);
    browser.press(&form, "save").await;
    assert_state(&mut browser, &key(), "No token", "Generate a token.").await;
    set_up(&mut browser, &key(), &provider).await;
    assert_state(&mut browser, &key(), "No token", "Generate a token.").await;
    generate(&mut browser, &key(), &provider).await;
    assert_state(&mut browser, &key(), "OK", "").await;
    // Typing alone changes nothing that is saved: the form shows what is typed, the lists do not.
    let typed = ipack_testing::flow::form(&mut browser, &key()).await.content("company_id", "typed");
    let page = browser.press(&typed, "keep").await;
    assert_eq!(state_in_header(&page), "Changed");
    assert_eq!(instance(&mut browser, &key()).await[0].1, "OK");
}

async fn a_secret_that_must_be_entered_again_is_no_token(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let form = form(&mut browser, &key()).await.content("client_id", "another client");
    browser.press(&form, "save").await;
    let again = "Enter the client secret again: Client ID changed since it was encrypted.";
    let page = assert_state(&mut browser, &key(), "No token", again).await;
    page.assert_shows(again);
    assert!(!page.shows("Valid"));
    // Entered: what is left is a token that is older than the form.
    let form = ipack_testing::flow::form(&mut browser, &key()).await;
    encrypt(&mut browser, form, SECRET).await;
    let edited = "Edited since the token was generated: Client ID.";
    assert_state(&mut browser, &key(), "Changed", edited).await;
    generate(&mut browser, &key(), &provider).await;
    assert_state(&mut browser, &key(), "OK", "").await;
    drop(world);
}

async fn an_edit_since_the_token_and_a_smaller_grant_are_changes(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let edited = form(&mut browser, &key()).await.content("company_id", "4711");
    browser.press(&edited, "save").await;
    let why = "Edited since the token was generated: Company ID.";
    assert_state(&mut browser, &key(), "Changed", why).await;
    let back = form(&mut browser, &key()).await.content("company_id", "");
    browser.press(&back, "save").await;
    assert_state(&mut browser, &key(), "OK", "").await;
    provider.rules(|rules| rules.scope = Some("read".into()));
    let form = provider_field(form(&mut browser, &key()).await, "scopes", "read write");
    browser.press(&form, "save").await;
    generate(&mut browser, &key(), &provider).await;
    assert_state(&mut browser, &key(), "Changed", "Not granted: write.").await;
    drop(world);
}

async fn what_needs_somebody_stands_first_and_is_never_cut_off(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    // Names run against the order of the states; the card has room for twelve.
    let of = |connection: &str| ConnectionKey { connection: connection.to_owned(), ..key() };
    let fine: Vec<String> = (0..13).map(|n| format!("a-{n:02}")).collect();
    for name in fine.iter().map(String::as_str).chain(["x-changed", "y-failing", "z-broken"]) {
        world.place(ACCOUNT, &of(name)).await;
    }
    get_token(&mut browser, &of("z-broken"), &provider).await;
    let mut browser = fail_refresh(&world, &provider, refusal()).await;
    get_token(&mut browser, &of("y-failing"), &provider).await;
    let down = Reply::new(502, "text/html", "<h1>Bad gateway</h1>");
    let mut browser = fail_refresh(&world, &provider, down).await;
    for name in fine.iter().map(String::as_str).chain(["x-changed"]) {
        get_token(&mut browser, &of(name), &provider).await;
    }
    let edited = form(&mut browser, &of("x-changed")).await.content("company_id", "4711");
    browser.press(&edited, "save").await;

    let mut expected = vec![
        ("z-broken", "Broken"),
        ("y-failing", "Refresh failing"),
        ("x-changed", "Changed"),
        ("connection-1", "Not configured"),
    ];
    expected.extend(fine.iter().map(|name| (name.as_str(), "OK")));
    let here = instance(&mut browser, &key()).await;
    assert!(
        here.iter().map(|line| (line.0.as_str(), line.1.as_str())).eq(expected.iter().copied()),
        "{here:?}"
    );
    let lines = overview(&mut browser).await;
    let shown = &expected[..12];
    assert!(
        lines.iter().map(|line| (line.1.as_str(), line.2.as_str())).eq(shown.iter().copied()),
        "{lines:?}"
    );
    browser.get("/").await.assert_shows("5 more connections");

    // Another environment comes first as soon as it holds what is worst, and not before.
    world.place(ACCOUNT, &ConnectionKey { ..in_environment("a-first-by-name") }).await;
    let lines = overview(&mut browser).await;
    assert_eq!((lines[0].0.as_str(), lines[0].1.as_str()), ("env-1", "z-broken"));
    generate(&mut browser, &of("z-broken"), &provider).await;
    generate(&mut browser, &of("y-failing"), &provider).await;
    generate(&mut browser, &of("x-changed"), &provider).await;
    let lines = overview(&mut browser).await;
    assert_eq!((lines[0].0.as_str(), lines[0].2.as_str()), ("a-first-by-name", "Not configured"));
}

async fn lists_programs_and_metrics_count_the_same_states(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    for environment in ["env-2", "env-3"] {
        world.place("account-1", &in_environment(environment)).await;
    }
    get_token(&mut browser, &key(), &provider).await;
    set_up(&mut browser, &in_environment("env-2"), &provider).await;
    let mut browser = fail_refresh(&world, &provider, refusal()).await;
    let listed = overview(&mut browser).await;
    let counts = world.services.count_states().await.expect("counted");
    ipack_server::health::count_connections(&world.services).await.expect("counted");
    let metrics = world.stranger().get("/metrics").await;
    let mut all = 0;
    for (state, count) in &counts {
        let in_list = listed.iter().filter(|(_, _, word)| word == state.words()).count() as u64;
        assert_eq!(*count, in_list, "{}", state.words());
        let metric = format!("ipack_connections{{state=\"{}\"}} {count}", state.name());
        assert!(metrics.text().lines().any(|line| line == metric), "{metric}: {}", metrics.text());
        all += count;
    }
    assert_eq!((all, counts.len()), (listed.len() as u64, 7));
    let broken = counts.get(&ConnectionState::Broken);
    assert_eq!((broken, counts.get(&ConnectionState::NoToken)), (Some(&1), Some(&1)));
}
