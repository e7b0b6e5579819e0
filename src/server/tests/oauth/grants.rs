//! Grants that need nobody's browser, and clients that prove themselves with a key.

use ipack_storage::Database;
use ipack_testing::browser::Browser;
use ipack_testing::flow::{
    CLIENT, SECRET, begin, come_back, encrypt, filled, form, press_generate, provider_field, read, runtime,
    token, with_endpoints,
};
use ipack_testing::hostile::{Reply, Request};
use ipack_testing::provider::{Provider, basic, field};
use ipack_testing::world::{ANN, World, key};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

on_both!(
    client_credentials_need_no_browser_and_are_asked_for_again,
    a_jwt_bearer_assertion_verifies_with_the_public_key,
    private_key_jwt_proves_the_client,
    a_public_client_has_pkce_and_no_secret,
    what_is_no_private_key_is_refused_beside_the_field,
    a_direct_grant_that_is_refused_says_so_at_once,
    private_keys_are_taken_as_they_are_pasted,
);

const PRIVATE: &str = include_str!("../../../oauth/test-data/ec_key.pem");
const PUBLIC: &[u8] = include_bytes!("../../../oauth/test-data/ec_public_key.pem");

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

/// The claims of a JWT that was signed with the private key; its time is the caller's business.
fn verified(jwt: &str, audience: &str) -> Value {
    let key = DecodingKey::from_ec_pem(PUBLIC).expect("a public key");
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[audience]);
    validation.validate_exp = false;
    let header = jsonwebtoken::decode_header(jwt).expect("a header");
    assert_eq!(header.kid.as_deref(), Some("key-1"));
    jsonwebtoken::decode::<Value>(jwt, &key, &validation).expect("the signature is right").claims
}

fn assert_fresh(claims: &Value, world: &World) {
    let now = world.services.clock.now().seconds();
    assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(now - 10), Some(now + 300)));
    assert_eq!(claims["jti"].as_str().map(str::len), Some(32));
}

fn only(provider: &Provider) -> Request {
    let [call] = &provider.token_calls()[..] else { panic!("one call: {:?}", provider.requests()) };
    call.clone()
}

async fn client_credentials_need_no_browser_and_are_asked_for_again(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let form = filled(form(&mut browser, &key()).await, &provider);
    let form = provider_field(provider_field(form, "grant", "client_credentials"), "scopes", "a b");
    let page = encrypt(&mut browser, form, SECRET).await;
    assert!(!page.elements().iter().any(|one| one.is("input", "id", "redirect-uri")), "there is no redirect");
    let page = press_generate(&mut browser, &key()).await;
    assert!(page.path.starts_with(&key().form_path()), "{}", page.path);
    page.assert_shows("Access Token generation successful");
    let call = only(&provider);
    let fields: Vec<_> = call.form().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(fields, ["grant_type=client_credentials", "scope=a b"]);
    assert_eq!(basic(&call), Some((CLIENT.into(), SECRET.into())));
    let client = runtime(&world).await;
    assert_eq!(read(&world, &client, &key()).await, Ok("access-1".into()));
    world.advance(3_301);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    assert_eq!(field(&provider.token_calls()[1], "grant_type").as_deref(), Some("client_credentials"));
    assert_eq!(read(&world, &client, &key()).await, Ok("access-2".into()));
}

async fn a_jwt_bearer_assertion_verifies_with_the_public_key(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let mut form = filled(form(&mut browser, &key()).await, &provider);
    for (name, value) in
        [("grant", "jwt_bearer"), ("subject", "robot@example.com"), ("keyId", "key-1"), ("scopes", "a b")]
    {
        form = provider_field(form, name, value);
    }
    encrypt(&mut browser, form, PRIVATE).await;
    press_generate(&mut browser, &key()).await.assert_shows("Access Token generation successful");
    let call = only(&provider);
    let grant = field(&call, "grant_type");
    assert_eq!(grant.as_deref(), Some("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    let first = verified(&field(&call, "assertion").expect("an assertion"), &provider.at("/token"));
    assert_eq!(first["iss"], CLIENT);
    assert_eq!(first["sub"], "robot@example.com");
    assert_eq!(first["scope"], "a b");
    assert_fresh(&first, &world);
    assert!(field(&call, "client_secret").is_none() && call.header("authorization").is_none());
    assert!(!call.body.contains("PRIVATE"), "the key stays here");
    // Where the provider wants another audience, it is said on the form.
    let form = ipack_testing::flow::form(&mut browser, &key()).await;
    browser.press(&provider_field(form, "audience", "https://audience.example"), "save").await;
    press_generate(&mut browser, &key()).await.assert_shows("Access Token generation successful");
    world.advance(3_301);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    let second = field(&provider.token_calls()[2], "assertion").expect("an assertion");
    let second = verified(&second, "https://audience.example");
    assert_fresh(&second, &world);
    assert_ne!(first["jti"], second["jti"]);
}

async fn private_key_jwt_proves_the_client(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let form = with_endpoints(form(&mut browser, &key()).await, &provider);
    let form = provider_field(form, "clientAuthentication", "private_key_jwt");
    encrypt(&mut browser, provider_field(form, "keyId", "key-1"), PRIVATE).await;
    let began = begin(&mut browser, &key()).await;
    come_back(&mut browser, &provider.agree(&began.url))
        .await
        .assert_shows("Access Token generation successful");
    let call = only(&provider);
    let kind = field(&call, "client_assertion_type");
    assert_eq!(kind.as_deref(), Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
    assert_eq!(field(&call, "client_id").as_deref(), Some(CLIENT));
    let claims = verified(&field(&call, "client_assertion").expect("an assertion"), &provider.at("/token"));
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(CLIENT), &json!(CLIENT)));
    assert_fresh(&claims, &world);
    assert!(field(&call, "client_secret").is_none() && call.header("authorization").is_none());
    assert!(!call.body.contains("PRIVATE"), "the key stays here");
}

async fn a_public_client_has_pkce_and_no_secret(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let form = filled(form(&mut browser, &key()).await, &provider);
    let form = provider_field(form, "clientAuthentication", "none");
    browser.press(&form, "save").await;
    let began = begin(&mut browser, &key()).await;
    assert!(began.parameter("code_challenge").is_some());
    come_back(&mut browser, &provider.agree(&began.url))
        .await
        .assert_shows("Access Token generation successful");
    let call = only(&provider);
    assert_eq!(field(&call, "client_id").as_deref(), Some(CLIENT));
    assert!(field(&call, "client_secret").is_none() && call.header("authorization").is_none());
    assert!(token(&world, &key()).await.is_some());
    // Without PKCE it would have nothing to prove itself with.
    let off = ipack_testing::flow::form(&mut browser, &key()).await;
    let off = ipack_testing::flow::and(off, "content[provider][withoutPkce]", "true");
    browser
        .press(&off, "save")
        .await
        .assert_shows("A public client has nothing but PKCE to prove itself with");
}

async fn what_is_no_private_key_is_refused_beside_the_field(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let form = filled(form(&mut browser, &key()).await, &provider);
    let form = provider_field(form, "clientAuthentication", "private_key_jwt");
    for wrong in ["hush", "-----BEGIN PRIVATE KEY-----canary-----END PRIVATE KEY-----"] {
        let page = browser.press(&form.clone().with("client_secret", wrong), "encrypt-secret").await;
        let beside = page.elements().into_iter().find(|one| one.is("p", "id", "client_secret-error"));
        assert!(
            beside.is_some_and(|beside| beside.text.starts_with("This is no private key.")),
            "{}",
            page.text()
        );
        assert!(!page.text().contains("canary"));
    }
    assert!(ipack_testing::flow::secrets(&world, &key()).await.is_empty());
}

async fn a_direct_grant_that_is_refused_says_so_at_once(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let form = filled(form(&mut browser, &key()).await, &provider);
    encrypt(&mut browser, provider_field(form, "grant", "client_credentials"), SECRET).await;
    let body = json!({"error": "invalid_client", "error_description": format!("{SECRET} is wrong")});
    provider.answers_next(Reply::json(401, &body));
    let page = press_generate(&mut browser, &key()).await;
    page.assert_shows("answered HTTP 401: invalid_client (… is wrong)");
    page.assert_shows("The provider does not know this client, or not with this secret.");
    assert!(!page.text().contains(SECRET), "a secret that a provider repeats is not shown");
    assert!(token(&world, &key()).await.is_none());
}

async fn private_keys_are_taken_as_they_are_pasted(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    let signed =
        |form| provider_field(with_endpoints(form, &provider), "clientAuthentication", "private_key_jwt");
    let escaped = PRIVATE.replace('\n', "\\n");
    for pasted in [
        PRIVATE.to_owned(),
        escaped.clone(),
        format!("\"{escaped}\""),
        format!("\"{escaped}\","),
        PRIVATE.replace('\n', " "),
        PRIVATE.replace('\n', "\r\n    "),
        format!("\u{feff}\u{200b} {PRIVATE}\n\n"),
        include_str!("../../../oauth/test-data/sec1_key.pem").to_owned(),
    ] {
        let form = provider_field(signed(form(&mut browser, &key()).await), "grant", "client_credentials");
        let form = provider_field(form, "keyId", " key-1\u{200b}");
        encrypt(&mut browser, form, &pasted).await;
        press_generate(&mut browser, &key()).await.assert_shows("Access Token generation successful");
        let call = provider.token_calls().pop().expect("a call");
        verified(&field(&call, "client_assertion").expect("an assertion"), &provider.at("/token"));
    }
    for (pasted, why) in [
        (include_str!("../../../oauth/test-data/encrypted_key.pem"), "encrypted with a password"),
        (include_str!("../../../oauth/test-data/ec_public_key.pem"), "This is no private key"),
        (&PRIVATE[..PRIVATE.len() / 2], "This is no private key"),
        ("a+/=:% b", "This is no private key"),
    ] {
        let form = signed(form(&mut browser, &key()).await).with("client_secret", pasted);
        browser.press(&form, "encrypt-secret").await.assert_shows(why);
    }
    // A key of one kind does not sign as another.
    let form = provider_field(signed(form(&mut browser, &key()).await), "algorithm", "PS256");
    browser
        .press(&form.with("client_secret", PRIVATE), "encrypt-secret")
        .await
        .assert_shows("does not sign as it is configured");
    // NetSuite's and Entra ID's assertions: another algorithm, a certificate, more claims.
    let hash = "ab".repeat(32);
    let mut form = provider_field(
        signed(ipack_testing::flow::form(&mut browser, &key()).await),
        "grant",
        "client_credentials",
    );
    for (name, value) in [
        ("algorithm", "PS256"),
        ("certificate", &hash),
        ("claims", r#"{"scope":["restlets"]}"#),
        ("audience", "https://there.example"),
    ] {
        form = provider_field(form, name, value);
    }
    encrypt(&mut browser, form, include_str!("../../../oauth/test-data/rsa_key.pem")).await;
    press_generate(&mut browser, &key()).await.assert_shows("Access Token generation successful");
    let jwt =
        field(provider.token_calls().last().expect("a call"), "client_assertion").expect("an assertion");
    let part = |at: usize| -> Value {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let part = jwt.split('.').nth(at).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("Base64")).expect("JSON")
    };
    assert_eq!((&part(0)["alg"], part(0)["x5t#S256"].as_str().map(str::len)), (&json!("PS256"), Some(43)));
    assert_eq!((&part(1)["scope"], &part(1)["aud"]), (&json!(["restlets"]), &json!("https://there.example")));
}
