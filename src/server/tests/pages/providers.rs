//! What the form shows of a known provider: where to register, its own words, its regions, and the grants it can do.

use axum::{body::Body, http::Method};
use ipack_oauth::presets;
use ipack_storage::Database;
use ipack_testing::browser::{Browser, Page, call, encode};
use ipack_testing::world::{ANN, World, open};

on_both!(
    the_form_says_where_to_register_and_what_the_provider_calls_things,
    what_looks_unlike_the_providers_own_is_said_beside_it,
    a_region_is_chosen_from_the_providers_list,
    only_grants_that_can_be_done_are_offered,
    the_menu_has_quickbooks_first_and_every_other_provider_by_name,
    the_list_of_providers_goes_with_the_page_and_with_no_answer,
);

const PROVIDER: &str = "content[provider][provider]";
const REGION: &str = "content[provider][region]";
const GRANT: &str = "content[provider][grant]";

async fn choose(browser: &mut Browser, provider: &str) -> Page {
    let form = open(browser).await.connector().with(PROVIDER, provider);
    browser.press(&form, "keep").await
}

/// The values that a menu offers; none where it is not there.
fn options(page: &Page, menu: &str) -> Vec<String> {
    let mut is_within = false;
    let mut values = Vec::new();
    for element in page.elements() {
        match element.name.as_str() {
            "select" => is_within = element.attribute("name") == Some(menu),
            "option" if is_within => values.extend(element.attribute("value").map(str::to_owned)),
            _ => {}
        }
    }
    values
}

fn redirect_uri(page: &Page) -> String {
    let elements = page.elements();
    let input = elements.iter().find(|one| one.is("input", "id", "redirect-uri")).expect("the redirect URI");
    input.attribute("value").expect("its value").to_owned()
}

async fn the_form_says_where_to_register_and_what_the_provider_calls_things(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    for id in ["salesforce", "zendesk", "docusign-demo"] {
        let preset = presets::find(id).expect("known");
        let registration = preset.registration.as_ref().expect("known");
        let page = choose(&mut browser, id).await;
        assert!(page.links().contains(&registration.page), "{:?}", page.links());
        for step in &registration.steps {
            page.assert_shows(step);
        }
        // Where the provider is on the customer's host, there is no redirect URI before there is a Base URL.
        let redirect_uri = registration.redirect_uri.as_ref().filter(|_| !preset.is_on_the_customers_host());
        let terms = &preset.terms;
        let own = [terms.client_id.name.as_ref(), terms.client_secret.name.as_ref(), redirect_uri];
        for word in own.into_iter().flatten() {
            page.assert_shows(&format!("{} calls it {word}.", preset.name));
        }
    }
    let page = choose(&mut browser, "").await;
    assert!(!page.shows("calls it") && !page.shows("Register an application"), "{}", page.text());
}

async fn what_looks_unlike_the_providers_own_is_said_beside_it(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = choose(&mut browser, "stripe-connect").await.connector();
    for (typed, is_unlike) in
        [("", false), ("ca_1", false), (" ca_1 ", false), ("acct_1", true), ("ca_", true)]
    {
        let page = browser.press(&form.clone().content("client_id", typed), "keep").await;
        page.assert_shows("It looks like ca_<characters>.");
        assert_eq!(page.shows("What stands here looks different."), is_unlike, "{typed}");
    }
}

async fn a_region_is_chosen_from_the_providers_list(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    assert_eq!(options(&choose(&mut browser, "hubspot").await, REGION), [""; 0]);
    let page = choose(&mut browser, "zoho").await;
    let regions = &presets::find("zoho").expect("known").regions;
    let offered = options(&page, REGION);
    assert_eq!((offered[0].as_str(), offered.len()), ("", regions.len()));
    assert!(redirect_uri(&page).ends_with("/zoho"), "{}", redirect_uri(&page));

    let form = page.connector().content("base_url", "https://www.zohoapis.eu").content("client_id", "1000.A");
    let page = browser.press(&form.clone().with(REGION, "eu"), "save").await;
    assert_eq!(page.connector().value(REGION), "eu");
    assert!(redirect_uri(&page).ends_with("/zoho-eu"), "another server, another address");
    let page = open(&mut browser).await;
    assert_eq!(page.connector().value(REGION), "eu");

    let page = browser.press(&form.with(REGION, "moon"), "keep").await;
    page.assert_shows("Zoho has no such region: choose one");
}

async fn only_grants_that_can_be_done_are_offered(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let page = open(&mut browser).await;
    let all = ["", "authorization_code", "client_credentials", "jwt_bearer"];
    assert_eq!(options(&page, GRANT), all, "of a provider that is discovered nothing is known");
    assert_eq!(options(&choose(&mut browser, "quickbooks-online").await, GRANT), ["", "authorization_code"]);
    assert_eq!(options(&choose(&mut browser, "zuora").await, GRANT), ["", "client_credentials"]);
    // What was chosen before stays to be seen.
    let form = open(&mut browser).await.connector().with(GRANT, "client_credentials");
    let page = browser.press(&form.with(PROVIDER, "quickbooks-online"), "keep").await;
    assert_eq!(page.connector().value(GRANT), "client_credentials");
}

async fn the_menu_has_quickbooks_first_and_every_other_provider_by_name(database: Database) {
    let world = World::new(database).await;
    let page = open(&mut world.browser(ANN).await).await;
    let mut known: Vec<_> = presets::all().iter().collect();
    known[2..].sort_by_key(|preset| preset.name.to_lowercase());
    let known = known.into_iter().map(|preset| preset.id.as_str());
    let expected: Vec<_> = ["", "endpoints"].into_iter().chain(known).collect();
    assert_eq!(options(&page, PROVIDER), expected);
}

async fn the_list_of_providers_goes_with_the_page_and_with_no_answer(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let page = open(&mut browser).await;
    assert!(page.text().contains("quickbooks-online-sandbox"));
    let mut fields = page.connector().fields;
    fields.push(("intent".into(), "keep".into()));
    let request = call(Method::POST, "/api/connector").body(Body::from(encode(&fields)));
    let answer = browser.send(request.expect("a request")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("credentials") && !answer.text().contains("quickbooks-online-sandbox"));
}
