//! Where a secret and a code may go: to what they were entered and asked for, whatever is edited meanwhile.

use ipack_storage::Database;
use ipack_testing::browser::{Browser, Form};
use ipack_testing::flow::{
    CLIENT, SECRET, attempt, begin, come_back, encrypt, form, generate, press_generate, provider_field,
    secrets, token, with_endpoints,
};
use ipack_testing::provider::{Provider, basic, field};
use ipack_testing::world::{ACCOUNT, ANN, World, in_environment, key};

on_both!(
    s08_an_edit_during_an_attempt_never_sends_code_or_secret_to_the_new_endpoint,
    s08_another_secret_during_an_attempt_goes_to_neither_endpoint,
    s08_a_reset_during_an_attempt_sends_the_code_nowhere,
    s08_a_token_is_refreshed_where_it_came_from,
    s09_a_change_of_where_the_secret_goes_demands_it_again,
    s09_a_save_through_the_api_demands_it_again_too,
);

type Change = fn(Form, &Provider) -> Form;

/// Everything that says where a code and a secret go, and for whom.
const CHANGES: [(&str, Change); 3] = [
    ("Base URL", |form, new| form.content("base_url", &new.issuer())),
    ("Identity provider", |form, new| provider_field(form, "tokenEndpoint", &new.at("/token"))),
    ("Client ID", |form, _| form.content("client_id", "client-2")),
];

async fn start(database: Database) -> (World, Provider, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let browser = world.browser(ANN).await;
    (world, Provider::start().await, Provider::start().await, browser)
}

async fn s08_an_edit_during_an_attempt_never_sends_code_or_secret_to_the_new_endpoint(database: Database) {
    let (world, old, new, mut browser) = start(database).await;
    for (number, (label, change)) in CHANGES.into_iter().enumerate() {
        let key = in_environment(&format!("env-{number}"));
        world.place(ACCOUNT, &key).await;
        let filled = with_endpoints(form(&mut browser, &key).await, &old);
        encrypt(&mut browser, filled, SECRET).await;
        let began = begin(&mut browser, &key).await;
        let edited = change(form(&mut browser, &key).await, &new);
        browser
            .press(&edited, "save")
            .await
            .assert_shows(&format!("Enter the secret again: {label} changed"));
        come_back(&mut browser, &old.agree(&began.url)).await;
        let calls = old.token_calls();
        assert_eq!(calls.len(), number + 1, "{label}");
        assert_eq!(basic(&calls[number]), Some((CLIENT.into(), SECRET.into())), "{label}");
        assert!(token(&world, &key).await.is_some(), "{label}");
    }
    assert!(new.requests().is_empty(), "{:?}", new.requests());
}

async fn s08_another_secret_during_an_attempt_goes_to_neither_endpoint(database: Database) {
    let (world, old, new, mut browser) = start(database).await;
    for (number, (label, change)) in CHANGES.into_iter().enumerate() {
        let key = in_environment(&format!("env-{number}"));
        world.place(ACCOUNT, &key).await;
        let filled = with_endpoints(form(&mut browser, &key).await, &old);
        encrypt(&mut browser, filled, SECRET).await;
        let began = begin(&mut browser, &key).await;
        let edited = change(form(&mut browser, &key).await, &new);
        encrypt(&mut browser, edited, "the other secret").await;
        come_back(&mut browser, &old.agree(&began.url)).await;
        let with = |provider: &Provider| -> Vec<_> {
            provider.token_calls().iter().filter_map(|call| Some(basic(call)?.1)).collect()
        };
        assert!(with(&old).iter().all(|secret| secret == SECRET), "{label}: the old one or none");
        assert!(new.requests().is_empty(), "{label}: {:?}", new.requests());
    }
}

async fn s08_a_reset_during_an_attempt_sends_the_code_nowhere(database: Database) {
    let (world, old, new, mut browser) = start(database).await;
    let filled = with_endpoints(form(&mut browser, &key()).await, &old);
    encrypt(&mut browser, filled, SECRET).await;
    let began = begin(&mut browser, &key()).await;
    let reset = form(&mut browser, &key()).await;
    browser.press(&reset, "reset-secret").await;
    assert!(secrets(&world, &key()).await.is_empty());
    let filled = with_endpoints(form(&mut browser, &key()).await, &new);
    encrypt(&mut browser, filled, "the other secret").await;
    let page = come_back(&mut browser, &old.agree(&began.url)).await;
    assert!(!page.shows("Access Token generation successful"), "{}", page.text());
    let after = attempt(&world, &key()).await;
    assert!(after.is_none_or(|(status, _)| status == "failed"));
    assert!(old.token_calls().is_empty() && new.requests().is_empty());
    assert!(token(&world, &key()).await.is_none());
}

async fn s08_a_token_is_refreshed_where_it_came_from(database: Database) {
    let (world, old, new, mut browser) = start(database).await;
    let filled = with_endpoints(form(&mut browser, &key()).await, &old);
    encrypt(&mut browser, filled, SECRET).await;
    generate(&mut browser, &key(), &old).await;
    let edited = provider_field(form(&mut browser, &key()).await, "tokenEndpoint", &new.at("/token"));
    let page = browser.press(&edited, "save").await;
    page.assert_shows("The token is older than the form: Identity provider changed since");
    let filled = form(&mut browser, &key()).await;
    encrypt(&mut browser, filled, "the other secret").await;
    world.advance(3_400);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    let calls = old.token_calls();
    assert_eq!(field(&calls[1], "grant_type").as_deref(), Some("refresh_token"));
    assert_eq!(basic(&calls[1]), Some((CLIENT.into(), SECRET.into())));
    assert!(new.requests().is_empty());
}

async fn s09_a_change_of_where_the_secret_goes_demands_it_again(database: Database) {
    let (world, old, new, mut browser) = start(database).await;
    let filled = with_endpoints(form(&mut browser, &key()).await, &old);
    encrypt(&mut browser, filled, SECRET).await;
    for (label, change) in CHANGES {
        let before = form(&mut browser, &key()).await;
        let page = browser.press(&change(before, &new), "save").await;
        page.assert_shows(&format!("Enter the secret again: {label} changed since {ANN} encrypted it."));
        let generate = page.elements().into_iter().find(|one| one.is("button", "value", "generate"));
        assert!(generate.expect("a button").attribute("disabled").is_some(), "{label}");
        page.assert_shows(&format!("Enter the client secret again: {label} changed since it was encrypted."));
        // Pressed all the same.
        let page = press_generate(&mut browser, &key()).await;
        assert!(page.path.starts_with(&key().form_path()), "{}", page.path);
        assert_eq!(attempt(&world, &key()).await, None, "{label}");
        // As it was, it is bound again, and nobody has to type anything.
        let back = with_endpoints(form(&mut browser, &key()).await, &old);
        let page = browser.press(&back, "save").await;
        page.assert_shows("Encrypted by ");
        let generate = page.elements().into_iter().find(|one| one.is("button", "value", "generate"));
        assert!(generate.expect("a button").attribute("disabled").is_none(), "{label}");
    }
    assert!(new.requests().is_empty() && old.requests().is_empty());
    generate(&mut browser, &key(), &old).await.assert_shows("Access Token generation successful");
}

async fn s09_a_save_through_the_api_demands_it_again_too(database: Database) {
    let (world, old, new, mut browser) = start(database).await;
    ipack_testing::flow::set_up(&mut browser, &key(), &old).await;
    for (base_url, client, label) in
        [(new.issuer(), CLIENT, "Base URL"), (old.issuer(), "client-2", "Client ID")]
    {
        let details = serde_json::json!({ "baseURL": base_url, "clientId": client });
        world.api_save(&key(), &details.to_string(), client).await;
        let page = browser.get(&key().form_path()).await;
        page.assert_shows(&format!("Enter the secret again: {label} changed since"));
        press_generate(&mut browser, &key()).await;
        assert_eq!(attempt(&world, &key()).await, None, "{label}");
    }
    assert_eq!(new.token_calls().len() + old.token_calls().len(), 0);
    let details = serde_json::json!({ "baseURL": old.issuer(), "clientId": CLIENT });
    world.api_save(&key(), &details.to_string(), CLIENT).await;
    generate(&mut browser, &key(), &old).await.assert_shows("Access Token generation successful");
}
