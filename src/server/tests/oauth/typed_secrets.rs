//! What is typed into the form's inputs for secrets: every button that saves seals it, and where it is not sealed the
//! page says so at the input. A secret typed into a table is kept nowhere.

use ipack_storage::{Database, audit_log::Kind};
use ipack_testing::browser::{Browser, Form, Page};
use ipack_testing::flow::{
    SECRET, begin, come_back, encrypt, filled, form, provider_field, secrets, set_up, token, told,
};
use ipack_testing::logs::{self, CANARY};
use ipack_testing::provider::{Provider, basic, field};
use ipack_testing::stored::everything_stored;
use ipack_testing::world::{ANN, BEN, World, key};

on_both!(
    a_save_seals_what_was_typed_and_a_blank_one_does_what_it_always_did,
    a_save_beside_a_sealed_secret_is_a_replacement,
    generating_seals_first,
    resolving_a_conflict_seals,
    a_password_is_sealed_by_the_same_buttons,
    a_refused_save_seals_nothing_and_says_so_at_the_input,
    a_secret_that_cannot_be_sealed_is_told_and_no_form_is_said_to_be_all_saved,
    a_button_that_saves_nothing_says_so_too,
    no_words_of_an_address_get_onto_the_page,
    s22_a_value_whose_key_becomes_a_secrets_is_dropped_from_the_draft,
);

const NOT_SAVED: &str = "Not encrypted, because the form was not saved. It is kept nowhere: enter it again.";

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

/// What stands under an input for a secret.
fn beside(page: &Page, input: &str) -> Option<String> {
    let id = format!("{input}-error");
    page.elements().into_iter().find(|one| one.is("p", "id", &id)).map(|one| one.text)
}

fn status(page: &Page) -> String {
    let found = page.elements().into_iter().find(|one| one.is("p", "id", "keep-status"));
    found.expect("the form has a status").text
}

#[track_caller]
fn assert_not_sealed(page: &Page, input: &str) {
    assert_eq!(beside(page, input).as_deref(), Some(NOT_SAVED), "{}", page.path);
    assert!(page.path.ends_with(&format!("#{input}")), "{}", page.path);
    let typed = page.elements().into_iter().find(|one| one.is("input", "id", input)).expect("it is there");
    assert_eq!((typed.attribute("aria-invalid"), typed.attribute("value")), (Some("true"), None));
    assert!(!page.text().contains(SECRET));
    assert!(!status(page).starts_with("Saved"), "{}", status(page));
}

async fn a_save_seals_what_was_typed_and_a_blank_one_does_what_it_always_did(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let blank = filled(form(&mut browser, &key()).await, &provider);
    for blank in [blank.clone(), blank.with("client_secret", " \t ")] {
        let page = browser.press(&blank, "save").await;
        assert!(page.path == key().form_path() && secrets(&world, &key()).await.is_empty(), "{}", page.path);
        assert!(status(&page).starts_with("Saved") && beside(&page, "client_secret").is_none());
    }
    // Enter presses the first button of the form.
    let page = browser.get(&key().form_path()).await;
    let first = page.elements().into_iter().find(|one| one.is("button", "name", "intent"));
    assert!(first.is_some_and(|first| first.is("button", "value", "save")));
    let page = browser.press(&page.connector().with("client_secret", &format!(" {SECRET}\n")), "save").await;
    page.assert_shows(&format!("Encrypted by {ANN} "));
    assert!(page.path == key().form_path() && status(&page).starts_with("Saved"), "{}", page.path);
    assert!(!page.text().contains(SECRET));
    assert_eq!(told(&world, &key(), Kind::SecretEncrypted).await, ["the client secret"]);
    let began = begin(&mut browser, &key()).await;
    come_back(&mut browser, &provider.agree(&began.url)).await.assert_shows("generation successful");
    assert_eq!(basic(&provider.token_calls()[0]).expect("it proved itself").1, SECRET);
}

async fn a_save_beside_a_sealed_secret_is_a_replacement(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let typed = form(&mut browser, &key()).await.with("client_secret", "a better secret");
    browser.press(&typed, "save").await.assert_shows(&format!("{ANN} encrypted a replacement "));
    let mut slots: Vec<_> = secrets(&world, &key()).await.into_iter().map(|one| one.slot.name()).collect();
    slots.sort_unstable();
    assert_eq!(slots, ["current", "replacement"]);
    // Saved again, there is nothing left to seal.
    let again = form(&mut browser, &key()).await;
    browser.press(&again, "save").await;
    assert_eq!(told(&world, &key(), Kind::SecretReplaced).await.len(), 1);
}

async fn generating_seals_first(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let typed = filled(form(&mut browser, &key()).await, &provider).with("client_secret", SECRET);
    let page = browser.press(&typed, "generate").await;
    let url = page.header("refresh").and_then(|value| value.strip_prefix("0; url="));
    let url = url::Url::parse(url.unwrap_or_else(|| panic!("{}", page.text()))).expect("an address");
    come_back(&mut browser, &provider.agree(&url)).await.assert_shows("generation successful");
    assert_eq!(basic(&provider.token_calls()[0]).expect("it proved itself").1, SECRET);
    let first = token(&world, &key()).await.expect("a token").id;
    // What cannot be sealed stops it.
    let typed = form(&mut browser, &key()).await.with("client_secret", &"x".repeat(16 * 1_024 + 1));
    let page = browser.press(&typed, "generate").await;
    assert_eq!(
        beside(&page, "client_secret").as_deref(),
        Some("This is too long for a secret: 16 KiB is the most.")
    );
    assert_eq!((provider.token_calls().len(), token(&world, &key()).await.expect("a token").id), (1, first));
}

/// Ann's form after Ben has saved another client id.
async fn conflicting(world: &World, ann: &mut Browser) -> Form {
    let typed = form(ann, &key()).await.content("company_id", "ann's");
    let mut ben = world.browser(BEN).await;
    let bens = form(&mut ben, &key()).await.content("company_id", "ben's");
    ben.press(&bens, "save").await;
    typed
}

async fn resolving_a_conflict_seals(database: Database) {
    let (world, provider, mut ann) = start(database).await;
    let first = filled(form(&mut ann, &key()).await, &provider);
    ann.press(&first, "save").await;
    let typed = conflicting(&world, &mut ann).await.with("client_secret", SECRET);
    let page = ann.press(&typed, "save").await;
    assert_not_sealed(&page, "client_secret");
    assert!(page.has_button("resolve") && secrets(&world, &key()).await.is_empty());
    let page = ann.press(&page.connector().with("client_secret", SECRET), "resolve").await;
    page.assert_shows(&format!("Encrypted by {ANN} "));
    assert!(!page.has_button("resolve") && secrets(&world, &key()).await.len() == 1);
}

async fn a_password_is_sealed_by_the_same_buttons(database: Database) {
    let (mut world, provider, _) = start(database).await;
    world = world.with_oauth(|oauth| oauth.allowed.password_grant = true);
    let mut browser = world.browser(ANN).await;
    let typed = filled(form(&mut browser, &key()).await, &provider);
    let typed = provider_field(typed, "grant", "password");
    let page = browser.press(&provider_field(typed, "subject", "robot"), "save").await;
    assert!(secrets(&world, &key()).await.is_empty());
    let typed = page.connector().with("client_secret", SECRET).with("user_password", "pass word");
    let refused = browser.press(&typed.content("base_url", "nowhere"), "save").await;
    assert_eq!(beside(&refused, "client_secret").as_deref(), Some(NOT_SAVED));
    assert!(secrets(&world, &key()).await.is_empty());
    // Each is told for itself, and one does not keep the other from being sealed.
    let endless = "x".repeat(16 * 1_024 + 1);
    let typed = filled(refused.connector(), &provider).with("client_secret", SECRET);
    let page = browser.press(&typed.with("user_password", &endless), "save").await;
    assert!(beside(&page, "user_password").is_some_and(|told| told.starts_with("This is too long")));
    assert!(page.path.ends_with("#user_password") && beside(&page, "client_secret").is_none());
    assert_eq!(secrets(&world, &key()).await.len(), 1);
    let page = browser.press(&page.connector().with("user_password", "pass word"), "generate").await;
    page.assert_shows("Access Token generation successful");
    let [call] = &provider.token_calls()[..] else { panic!("one call") };
    assert_eq!(field(call, "password").as_deref(), Some("pass word"));
    assert_eq!(basic(call).expect("it proved itself").1, SECRET);
}

async fn a_refused_save_seals_nothing_and_says_so_at_the_input(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    for button in ["save", "encrypt-secret", "generate"] {
        let typed = filled(form(&mut browser, &key()).await, &provider).content("base_url", "ftp://nowhere");
        let page = browser.press(&typed.with("client_secret", SECRET), button).await;
        assert_not_sealed(&page, "client_secret");
        page.assert_shows("1 thing to put right before saving");
        assert!(secrets(&world, &key()).await.is_empty(), "{button}");
        // It is told of that one request.
        assert_eq!(beside(&browser.get(&key().form_path()).await, "client_secret"), None);
    }
    // Without a secret it leads to what is wrong, as ever.
    let refused = form(&mut browser, &key()).await;
    assert!(browser.press(&refused, "save").await.path.ends_with("#errors"));
    let typed = filled(form(&mut browser, &key()).await, &provider);
    encrypt(&mut browser, typed, SECRET).await;
}

async fn a_secret_that_cannot_be_sealed_is_told_and_no_form_is_said_to_be_all_saved(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let endless = "x".repeat(16 * 1_024 + 1);
    let all = filled(form(&mut browser, &key()).await, &provider);
    for (typed, why) in [
        (
            all.clone().content("client_id", ""),
            "Not encrypted: Client ID is missing. It is kept nowhere: enter it again.",
        ),
        (all.clone().with("client_secret", &endless), "This is too long for a secret: 16 KiB is the most."),
    ] {
        let typed =
            if typed.value("client_secret").is_empty() { typed.with("client_secret", SECRET) } else { typed };
        let page = browser.press(&typed, "save").await;
        assert_eq!(beside(&page, "client_secret").as_deref(), Some(why));
        assert!(page.path.ends_with("#client_secret"), "{}", page.path);
        assert_eq!(status(&page), "The secret is not encrypted yet; all else is saved");
        assert!(secrets(&world, &key()).await.is_empty());
        let fresh = form(&mut browser, &key()).await;
        browser.press(&filled(fresh, &provider), "save").await;
    }
}

async fn a_button_that_saves_nothing_says_so_too(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    for button in ["add-authorization", "delete-authorization-0", "preflight", "discard-replacement", "keep"]
    {
        let typed = filled(form(&mut browser, &key()).await, &provider).with("client_secret", SECRET);
        let page = browser.press(&typed, button).await;
        assert_not_sealed(&page, "client_secret");
        assert!(secrets(&world, &key()).await.is_empty(), "{button}");
    }
    // What is discarded is meant to be gone.
    let typed = form(&mut browser, &key()).await.with("client_secret", SECRET);
    let page = browser.press(&typed, "discard").await;
    assert!(beside(&page, "client_secret").is_none() && secrets(&world, &key()).await.is_empty());
    // A question is asked all the same.
    ipack_testing::flow::get_token(&mut browser, &key(), &provider).await;
    let typed = form(&mut browser, &key()).await.with("client_secret", "another");
    let page = browser.press(&typed, "reset-secret").await;
    assert!(
        page.has_button("reset-secret-confirmed") && page.path.ends_with("#credentials"),
        "{}",
        page.path
    );
    assert_eq!(beside(&page, "client_secret").as_deref(), Some(NOT_SAVED));
    assert_eq!(secrets(&world, &key()).await.len(), 1);
}

async fn no_words_of_an_address_get_onto_the_page(database: Database) {
    let (_world, _provider, mut browser) = start(database).await;
    for crafted in
        ["secret.%3Cb%3E", "secret.not-savedx", "%3Cb%3E.empty", "secret", ",", "token.words,of.somebody"]
    {
        let page = browser.get(&format!("{}?problem={crafted}", key().form_path())).await;
        assert!(page.status == 200 && beside(&page, "client_secret").is_none(), "{crafted}");
        assert!(!page.text().contains("somebody"), "{crafted}");
    }
    let page = browser.get(&format!("{}?problem=x,secret.not-saved", key().form_path())).await;
    assert_eq!(beside(&page, "client_secret").as_deref(), Some(NOT_SAVED));
}

const TOLD: &str = "Enter it as Client Secret; its value is not kept here";

mod in_the_log {
    on_both!(alone: s22_a_client_secret_in_a_table_is_kept_nowhere);
    use super::s22_a_client_secret_in_a_table_is_kept_nowhere;
}

async fn s22_a_client_secret_in_a_table_is_kept_nowhere(database: Database) {
    let log = logs::watch();
    let world = World::new(database.clone()).await;
    let mut browser = world.browser(ANN).await;
    // A draft beside it, so that there is something to keep.
    let names = ["client_secret", "clientSecret", " Client-Secret ", "CLIENT SECRET"];
    let buttons = [
        "keep",
        "save",
        "add-authorization",
        "delete-access-token-0",
        "resolve",
        "generate",
        "encrypt-secret",
        "preflight",
        "reset-secret",
        "revoke",
        "discard-replacement",
    ];
    for (number, button) in buttons.into_iter().enumerate() {
        let name = names[number % names.len()];
        let typed = form(&mut browser, &key())
            .await
            .content("company_id", button)
            .row("authorization", 0, name, CANARY)
            .row("access_token", 0, name, CANARY);
        let page = browser.press(&typed, button).await;
        assert!(!page.text().contains(CANARY), "{button}");
        let page = browser.get(&key().form_path()).await;
        page.assert_shows(TOLD);
        let form = page.connector();
        assert_eq!(form.value("content[company_id]"), button);
        assert_eq!(form.rows("authorization")[0], format!("{name}="), "{button}");
        assert_eq!(world.api_read(&key()).await, None, "{button}");
        browser.press(&form, "discard").await;
    }
    // Where nothing but the value was typed, there is nothing to keep.
    let typed = form(&mut browser, &key()).await.row("authorization", 0, "client_secret", "");
    let kept = browser.press(&typed, "keep").await.connector();
    browser.press(&kept.row("authorization", 0, "client_secret", CANARY), "keep").await;
    let all = everything_stored(&database).await;
    assert!(all.contains(ANN) && all.contains("client_secret") && !all.contains(CANARY));
    log.assert_clean();
}

async fn s22_a_value_whose_key_becomes_a_secrets_is_dropped_from_the_draft(database: Database) {
    let world = World::new(database.clone()).await;
    let mut browser = world.browser(ANN).await;
    let holding = |table: &str, column: &str| format!("{table} WHERE {column} LIKE '%typed-first%'");
    let typed = form(&mut browser, &key()).await.row("access_token", 0, "client_", "typed-first");
    let page = browser.press(&typed, "keep").await;
    assert_eq!(world.count(&holding("drafts", "content")).await, 1);
    assert!(!page.shows(TOLD), "nobody knew");
    let typed = page.connector().row("access_token", 0, "client_secret", "typed-first");
    let page = browser.press(&typed, "keep").await;
    page.assert_shows(TOLD);
    assert_eq!(page.connector().rows("access_token"), ["client_secret="]);
    for (table, column) in [
        ("drafts", "content"),
        ("drafts", "base_content"),
        ("suggestions", "value"),
        ("timeline", "changed"),
        ("timeline", "detail"),
        ("connector_details", "oauth_connector_details"),
    ] {
        assert_eq!(world.count(&holding(table, column)).await, 0, "{table} {column}");
    }
    // With another key it is a parameter like any other.
    let typed = page.connector().row("access_token", 0, "client_secret_expires", "typed-first");
    browser.press(&typed, "save").await;
    assert_eq!(world.count(&holding("connector_details", "oauth_connector_details")).await, 1);
}
