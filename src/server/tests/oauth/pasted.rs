//! What admins paste and what providers want to be sent, from public reports: tried on the form, and seen at the provider.

use ipack_storage::Database;
use ipack_testing::browser::{Browser, Form};
use ipack_testing::flow::{
    CLIENT, SECRET, begin, come_back, encrypt, filled, form, generate, get_token, press_generate,
    provider_field, tenant, with_endpoints,
};
use ipack_testing::hostile::{Reply, Request};
use ipack_testing::provider::{Provider, basic, field};
use ipack_testing::world::{ACCOUNT, ANN, SPACE, World, key};
use serde_json::{Value, json};

on_both!(
    scopes_are_as_many_as_were_pasted,
    scopes_go_with_the_separator_and_blanks_as_percent_20,
    what_may_be_repeated_is_sent_as_often_as_it_was_typed,
    a_parameter_is_sent_or_refused_beside_its_row,
    a_refresh_repeats_what_the_provider_wants,
    a_token_request_is_json_by_choice,
    the_client_proves_itself_as_chosen_or_as_the_metadata_say,
    an_issuer_is_understood_as_it_is_pasted,
    what_is_around_an_id_or_a_secret_is_taken_off_alike,
    a_lifetime_is_whole_seconds_or_never,
    a_very_long_authorization_url_is_in_no_header,
);

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

fn last(provider: &Provider) -> Request {
    provider.token_calls().pop().expect("a call")
}

/// With these rows in a table, as a page posts them that has so many.
fn with_rows(mut form: Form, table: &str, rows: &[(&str, &str)]) -> Form {
    form.fields.retain(|(name, _)| !name.starts_with(&format!("content[{table}]")));
    for (index, (key, value)) in rows.iter().enumerate() {
        form.fields.push((format!("content[{table}][{index}][key]"), (*key).to_owned()));
        form.fields.push((format!("content[{table}][{index}][value]"), (*value).to_owned()));
    }
    form
}

fn all(request: &Request, name: &str) -> Vec<String> {
    request.form().into_iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect()
}

/// Asks for a token that needs nobody; what was sent.
async fn asked_directly(browser: &mut Browser, provider: &Provider, form: Form) -> Request {
    let form = provider_field(form, "grant", "client_credentials");
    encrypt(browser, form, SECRET).await;
    press_generate(browser, &key()).await.assert_shows("Access Token generation successful");
    last(provider)
}

async fn scopes_are_as_many_as_were_pasted(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    for pasted in [
        "a:x b/y",
        "a:x\r\nb/y",
        "a:x\nb/y\n",
        "a:x\tb/y",
        "a:x\u{a0}b/y",
        "a:x,b/y",
        " a:x , b/y, ",
        " a:x ; b/y",
        "[\"a:x\", \"b/y\"]",
        "\"a:x\" \"b/y\"",
        "\u{feff}a:x\u{200b} b/y\u{200b}",
    ] {
        let filled = filled(form(&mut browser, &key()).await, &provider);
        // Kept first, as a browser does while somebody types, and posted again as its page shows it.
        let kept = browser.press(&provider_field(filled, "scopes", pasted), "keep").await.connector();
        let shown = kept.value("content[provider][scopes]").to_owned();
        assert!(!shown.contains(['\r', '\n']), "{shown:?}");
        let call = asked_directly(&mut browser, &provider, kept).await;
        assert_eq!(field(&call, "scope").as_deref(), Some("a:x b/y"), "{pasted:?}");
    }
}

async fn scopes_go_with_the_separator_and_blanks_as_percent_20(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    let filled = provider_field(filled(form(&mut browser, &key()).await, &provider), "scopes", "a+b c");
    encrypt(&mut browser, filled.row("authorization", 0, "hint", "two words"), SECRET).await;
    let url = begin(&mut browser, &key()).await.url;
    assert!(url.as_str().contains("scope=a%2Bb%20c") && url.as_str().contains("hint=two%20words"), "{url}");
    let separated = form(&mut browser, &key()).await;
    let separated = provider_field(separated, "scopeSeparator", ",");
    browser.press(&separated, "save").await;
    let url = begin(&mut browser, &key()).await.url;
    assert!(url.as_str().contains("scope=a%2Bb%2Cc"), "{url}");
}

async fn what_may_be_repeated_is_sent_as_often_as_it_was_typed(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let filled = filled(form(&mut browser, &key()).await, &provider);
    let (one, two) = ("https://one.example", "https://two.example");
    let rows = [("resource", one), ("resource", two), ("x", "1"), ("audience", one), ("audience", two)];
    let filled = with_rows(with_rows(filled, "access_token", &rows), "authorization", &rows);
    encrypt(&mut browser, filled, SECRET).await;
    let began = begin(&mut browser, &key()).await;
    let asked = |name: &str| {
        let pairs = began.url.query_pairs().filter(|(key, _)| key == name);
        pairs.map(|(_, value)| value.into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (asked("resource"), asked("audience")),
        (vec![one.into(), two.into()], vec![one.into(), two.into()])
    );
    come_back(&mut browser, &provider.agree(&began.url)).await.assert_shows("generation successful");
    assert_eq!(all(&last(&provider), "resource"), [one, two]);
    assert_eq!(all(&last(&provider), "audience"), [one, two]);
    // Details have each key once, and the form shows a row for each.
    let (details, _) = world.api_read(&key()).await.expect("saved");
    let details: Value = serde_json::from_str(&details).expect("JSON");
    assert_eq!(details["accessTokenParams"]["resource"], format!("{one}\n{two}"));
    let rows = form(&mut browser, &key()).await.rows("access_token");
    assert_eq!(rows.iter().filter(|row| row.contains("https://two.example")).count(), 2, "{rows:?}");
}

async fn a_parameter_is_sent_or_refused_beside_its_row(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    for (name, value, why) in [
        ("code", "x", "iPack Connect sets this itself"),
        ("refresh_token", "x", "iPack Connect sets this itself"),
        ("assertion", "x", "iPack Connect sets this itself"),
        ("client_id", "another", "another one than the Client ID above"),
        ("grant_type", "implicit", "The grant is chosen under Identity provider"),
        ("scope", "b", "Scopes are entered under Identity provider already"),
    ] {
        let filled = provider_field(filled(form(&mut browser, &key()).await, &provider), "scopes", "a");
        let page = browser.press(&filled.row("access_token", 0, name, value), "save").await;
        page.assert_shows(why);
        browser.press(&page.connector(), "discard").await;
    }
    // What was pasted into the wrong place is refused beside its row; the row before it is not, and nothing is dropped.
    for (table, name, value, why) in [
        ("authorization", "access_type=offline&prompt=consent", "", "This is a query string"),
        ("access_token", "?resource=a", "", "This is a query string"),
        ("access_token", "", "consent", "This value has no key"),
        ("authorization", "\u{200b}", "consent", "This value has no key"),
        ("authorization", " state ", "x", "state is set by iPack Connect itself"),
    ] {
        let filled = filled(form(&mut browser, &key()).await, &provider);
        let page =
            browser.press(&with_rows(filled, table, &[("fine", "a=1&b=2"), (name, value)]), "save").await;
        let beside = page.beside(&format!("content[{table}]["), "][key]");
        assert!(beside[1].contains(why) && !beside[0].contains(why), "{name}: {beside:?}");
        assert_eq!(world.api_read(&key()).await, None);
        browser.press(&page.connector(), "discard").await;
    }
    let redirect_uri = "https://me.example/cb";
    let filled = filled(form(&mut browser, &key()).await, &provider);
    let rows = [("redirect_uri", redirect_uri), ("client_id", CLIENT), ("scope", "a b")];
    let filled = with_rows(provider_field(filled, "scopes", ""), "access_token", &rows);
    encrypt(&mut browser, filled, SECRET).await;
    generate(&mut browser, &key(), &provider).await.assert_shows("generation successful");
    let exchange = last(&provider);
    assert!(field(&exchange, "redirect_uri").is_some_and(|uri| uri != redirect_uri), "ours, once");
    let sent = |name| field(&exchange, name);
    assert_eq!((sent("client_id").as_deref(), sent("scope").as_deref()), (Some(CLIENT), Some("a b")));
    world.advance(3_301);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    let refresh = last(&provider);
    for (name, value) in [("redirect_uri", redirect_uri), ("client_id", CLIENT), ("scope", "a b")] {
        assert_eq!(field(&refresh, name).as_deref(), Some(value), "{name}");
    }
    // A provider's own name for the grant.
    let mut browser = world.browser(ANN).await;
    let rows = [("grant_type", "account_credentials"), ("account_id", "7")];
    let form = with_rows(form(&mut browser, &key()).await, "access_token", &rows);
    provider.answers_next(Reply::json(200, &json!({"access_token": "a"})));
    let call = asked_directly(&mut browser, &provider, form).await;
    assert_eq!(all(&call, "grant_type"), ["account_credentials"]);
}

async fn a_refresh_repeats_what_the_provider_wants(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let filled = provider_field(filled(form(&mut browser, &key()).await, &provider), "scopes", "a b");
    let filled = ["scopeAtRefresh", "redirectUriAtRefresh"].into_iter().fold(filled, |form, name| {
        ipack_testing::flow::and(form, &format!("content[provider][{name}]"), "true")
    });
    encrypt(&mut browser, filled, SECRET).await;
    generate(&mut browser, &key(), &provider).await.assert_shows("generation successful");
    let redirect_uri = field(&last(&provider), "redirect_uri");
    world.advance(3_301);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    let refresh = last(&provider);
    assert_eq!(field(&refresh, "scope").as_deref(), Some("a b"));
    assert!(redirect_uri.is_some() && field(&refresh, "redirect_uri") == redirect_uri);
}

async fn a_token_request_is_json_by_choice(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    let form = with_endpoints(form(&mut browser, &key()).await, &provider);
    let form = provider_field(form, "clientAuthentication", "client_secret_post");
    let form = provider_field(form, "grant", "client_credentials");
    let form = with_rows(form, "access_token", &[("resource", "one"), ("resource", "two")]);
    encrypt(&mut browser, ipack_testing::flow::and(form, "content[provider][jsonBody]", "true"), SECRET)
        .await;
    provider.answers_next(Reply::json(200, &json!({"access_token": "a"})));
    press_generate(&mut browser, &key()).await.assert_shows("Access Token generation successful");
    let call = last(&provider);
    assert_eq!(call.header("content-type"), Some("application/json"));
    let body: Value = serde_json::from_str(&call.body).expect("JSON");
    let expected = json!({"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, "resource": ["one", "two"]});
    assert_eq!(body, expected);
}

async fn the_client_proves_itself_as_chosen_or_as_the_metadata_say(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    let secret = "a+/=:% b";
    for (offered, chosen, in_body) in [
        (None, "", false),
        (Some(vec!["client_secret_post"]), "", true),
        (Some(vec!["client_secret_post", "private_key_jwt"]), "", true),
        (Some(vec!["client_secret_post", "client_secret_basic"]), "", false),
        (Some(vec!["client_secret_post"]), "client_secret_basic", false),
        (Some(vec!["client_secret_basic"]), "client_secret_post", true),
    ] {
        provider.rules(|rules| {
            rules.client_authentications =
                offered.clone().map(|ways| ways.into_iter().map(str::to_owned).collect());
        });
        let form = provider_field(
            filled(form(&mut browser, &key()).await, &provider),
            "clientAuthentication",
            chosen,
        );
        let call = asked_directly(&mut browser, &provider, form).await;
        assert_eq!(field(&call, "client_secret").is_some(), in_body, "{offered:?} {chosen}");
        assert_eq!(call.header("authorization").is_none(), in_body, "{offered:?} {chosen}");
    }
    let form = form(&mut browser, &key()).await;
    let form = provider_field(form, "clientAuthentication", "client_secret_basic_plain");
    encrypt(&mut browser, form, secret).await;
    press_generate(&mut browser, &key()).await.assert_shows("Access Token generation successful");
    let encoded = last(&provider).header("authorization").expect("a header").to_owned();
    use base64::{Engine, engine::general_purpose::STANDARD};
    let pair = STANDARD.decode(encoded.strip_prefix("Basic ").expect("Basic")).expect("Base64");
    assert_eq!(String::from_utf8(pair).expect("a text"), format!("{CLIENT}:{secret}"));
    assert!(basic(&last(&provider)).is_some());
}

async fn an_issuer_is_understood_as_it_is_pasted(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    let address = provider.issuer();
    for pasted in [
        format!("{address}/.well-known/openid-configuration"),
        format!("{address}/.well-known/openid-configuration/"),
        format!("{address}//"),
        format!("\u{200b}{address} "),
        format!("{address}/.well-known/oauth-authorization-server"),
    ] {
        for (base_url, issuer) in [("https://api.example.com", &*pasted), (&*pasted, "")] {
            let form = filled(form(&mut browser, &key()).await, &provider).content("base_url", base_url);
            encrypt(&mut browser, provider_field(form, "issuer", issuer), SECRET).await;
            assert_eq!(begin(&mut browser, &key()).await.url.path(), "/authorize", "{base_url} {issuer}");
        }
    }
    let no_url = "Enter a URL that starts with https";
    let too_much = "An issuer has neither a query nor a fragment";
    for (pasted, why) in [
        ("id.example", no_url),
        ("ftp://id.example", no_url),
        ("https://", no_url),
        ("https://me:hush@id.example", no_url),
        ("https://id.example/a b", no_url),
        ("https://id.example/?p=signin", too_much),
        ("https://id.example/.well-known/openid-configuration?appid=7", too_much),
        ("https://id.example/#/login", too_much),
    ] {
        let form = provider_field(form(&mut browser, &key()).await, "issuer", pasted);
        let page = browser.press(&form, "save").await;
        let beside = page.beside("content[provider][issuer]", "");
        assert!(beside[0].contains(why), "{pasted}: {beside:?}");
        assert_eq!(page.connector().value("content[provider][issuer]"), pasted);
    }
}

async fn what_is_around_an_id_or_a_secret_is_taken_off_alike(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let caller = tenant(&world, ACCOUNT, SPACE, false).await;
    for around in ["\n", "  ", "\u{a0}", "\u{200b}", "\u{feff} ", "\u{2060} ", "\u{200e}\u{200f}", "\r\n\t"] {
        let around_it = |text: &str| format!("{around}{text}{around}");
        let form = form(&mut browser, &key())
            .await
            .content("base_url", &around_it(&provider.issuer()))
            .content("company_id", &around_it("42"))
            .content("client_id", &around_it(CLIENT));
        let form = provider_field(form, "scopes", &around_it("a b"));
        let form = with_rows(form, "access_token", &[(&around_it("hint"), "x")]);
        encrypt(&mut browser, form, &around_it("from the form")).await;
        let began = begin(&mut browser, &key()).await;
        assert_eq!(began.parameter("scope").as_deref(), Some("a b"), "{around:?}");
        come_back(&mut browser, &provider.agree(&began.url)).await.assert_shows("generation successful");
        assert_eq!(basic(&last(&provider)), Some((CLIENT.into(), "from the form".into())), "{around:?}");
        assert_eq!(field(&last(&provider), "hint").as_deref(), Some("x"), "{around:?}");
        let (details, _) = world.api_read(&key()).await.expect("saved");
        let details: Value = serde_json::from_str(&details).expect("JSON");
        assert_eq!(
            (&details["baseURL"], &details["companyId"]),
            (&json!(provider.issuer()), &json!("42")),
            "{around:?}"
        );
        let encrypt = "mutation ($input: EncryptIPackInstanceOauthClientSecretInput!) {
            encryptIPackInstanceOauthClientSecret(input: $input) { isClientSecretEncrypted } }";
        let input = json!({"integrationPackInstanceId": "instance-1", "envId": "env-1", "processId": "process-1",
            "connectionId": "connection-1", "catalogGuid": SPACE, "clientSecret": around_it("from the API")});
        world
            .ask(&caller, encrypt, json!({"input": input}))
            .await
            .data("encryptIPackInstanceOauthClientSecret");
        generate(&mut browser, &key(), &provider).await.assert_shows("generation successful");
        assert_eq!(basic(&last(&provider)), Some((CLIENT.into(), "from the API".into())), "{around:?}");
    }
}

async fn a_lifetime_is_whole_seconds_or_never(database: Database) {
    let (_world, _provider, mut browser) = start(database).await;
    for (pasted, is_fine) in [
        ("1 hour", false),
        ("0", false),
        ("-5", false),
        ("3600.5", false),
        ("1e3", false),
        (" 3600 ", true),
        ("Never", true),
        ("\u{200b}never", true),
    ] {
        let form = provider_field(form(&mut browser, &key()).await, "tokenLifetime", pasted);
        let page = browser.press(&form, "save").await;
        let beside = page.beside("content[provider][tokenLifetime]", "");
        assert_eq!(beside[0].contains("Enter whole seconds, or never"), !is_fine, "{pasted:?}: {beside:?}");
        let shown = page.connector().value("content[provider][tokenLifetime]").to_owned();
        assert_eq!(shown, pasted.trim_matches([' ', '\u{200b}']), "nothing is lost");
    }
}

async fn a_very_long_authorization_url_is_in_no_header(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    let scopes: Vec<String> =
        (0..300).map(|n| format!("https://www.googleapis.com/auth/scope-{n}")).collect();
    let filled =
        provider_field(filled(form(&mut browser, &key()).await, &provider), "scopes", &scopes.join("\n"));
    encrypt(&mut browser, filled, SECRET).await;
    let page = press_generate(&mut browser, &key()).await;
    let headers: usize = page.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    assert!(headers < 4_000 && page.header("refresh").is_none(), "{headers} bytes of headers");
    let elements = page.elements();
    let meta =
        elements.iter().find(|one| one.is("meta", "http-equiv", "refresh")).expect("the page leads on");
    let url = meta.attribute("content").and_then(|to| to.strip_prefix("0; url=")).expect("an address");
    assert!(url.len() > 8_000, "{}", url.len());
    let url = url.parse().expect("a URL");
    come_back(&mut browser, &provider.agree(&url)).await.assert_shows("generation successful");
    let preflight = browser.get(&format!("{}/preflight", key().form_path())).await;
    preflight.assert_shows("many servers take no more than 8000");
}
