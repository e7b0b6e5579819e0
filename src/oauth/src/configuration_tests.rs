//! What a form asks for, as a configuration.

use super::*;
use crate::presets;
use ipack_domain::provider::{ENDPOINTS, ProviderChoice};

fn content(base_url: &str, provider: ProviderChoice) -> FormContent {
    FormContent { base_url: base_url.into(), client_id: "client".into(), provider, ..FormContent::default() }
}

fn planned(content: &FormContent) -> RequestedConfiguration {
    requested_configuration(content, Allowed::default()).expect("a plan")
}

#[test]
fn a_connection_first_met_discovers_from_its_base_url_with_code_and_pkce() {
    let plan = planned(&content("https://api.example.com/v3/", ProviderChoice::default()));
    assert_eq!(plan.provider.issuers, ["https://api.example.com/v3", "https://api.example.com"]);
    assert_eq!((plan.grant(), plan.configuration.pkce), (Grant::AuthorizationCode, true));
    let slug = &plan.provider.slug;
    assert!(plan.known().is_none() && slug.starts_with("api.example.com-"), "{slug}");
}

#[test]
fn a_preset_brings_its_endpoints_and_what_the_admin_typed_outranks_it() {
    let choice = ProviderChoice { provider: "quickbooks-online".into(), ..ProviderChoice::default() };
    let mut form = content("https://quickbooks.api.intuit.com", choice);
    let preset = presets::find("quickbooks-online").expect("it is there");
    let configuration = planned(&form).known().expect("nothing to discover");
    assert_eq!(configuration.endpoints.token, preset.token_endpoint);
    assert_eq!(configuration.scopes, preset.scopes);
    form.provider.scopes = "one two".into();
    assert_eq!(planned(&form).configuration.scopes, ["one", "two"]);
}

#[test]
fn s02_pkce_is_on_unless_it_is_switched_off_or_refused() {
    let chosen = |provider: &str, without_pkce| {
        let choice = ProviderChoice { provider: provider.into(), without_pkce, ..Default::default() };
        let form = FormContent { company_id: "1".into(), ..content("https://a.example", choice) };
        requested_configuration(&form, Allowed::default()).map(|plan| plan.configuration.pkce)
    };
    for preset in presets::all().iter().filter(|preset| preset.grants[0] == Grant::AuthorizationCode) {
        assert_eq!(chosen(&preset.id, false), Ok(preset.pkce != Pkce::Refused), "{}", preset.id);
        let off = chosen(&preset.id, true);
        let is_required = preset.pkce == Pkce::Required;
        assert_eq!(off.is_err(), is_required, "{}: {off:?}", preset.id);
    }
}

#[test]
fn a_private_key_is_never_a_client_secret() {
    for way in [ClientAuthentication::ClientSecretBasic, ClientAuthentication::ClientSecretPost] {
        let choice =
            ProviderChoice { grant: Grant::JwtBearer, client_authentication: way, ..Default::default() };
        let refused = requested_configuration(&content("https://a.example", choice), Allowed::default());
        assert_eq!(refused, Err(ConfigurationError::SecretBesideKey));
    }
}

#[test]
fn what_was_kept_by_an_earlier_version_can_be_read() {
    let kept: Configuration =
        serde_json::from_str(r#"{"client_id":"c"}"#).expect("every field has a default");
    assert_eq!(kept.client_id, "c");
    let _: Destination = serde_json::from_str("{}").expect("every field has a default");
}

#[test]
fn s11_the_password_grant_is_off_unless_the_operator_allows_it() {
    let form = content("https://a.example", ProviderChoice { grant: Grant::Password, ..Default::default() });
    assert_eq!(requested_configuration(&form, Allowed::default()), Err(ConfigurationError::PasswordGrantOff));
    requested_configuration(&form, Allowed { password_grant: true }).expect("allowed");
}

#[test]
fn s09_base_url_client_and_endpoints_are_what_a_secret_is_bound_to() {
    let endpoints = ProviderChoice {
        provider: ENDPOINTS.into(),
        authorization_endpoint: "https://id.example/a".into(),
        token_endpoint: "https://id.example/t".into(),
        ..ProviderChoice::default()
    };
    let form = content("https://a.example", endpoints);
    let bound = planned(&form).destination().clone();
    let after = |change: &dyn Fn(&mut FormContent)| {
        let mut form = form.clone();
        change(&mut form);
        bound.changed_to(planned(&form).destination())
    };
    assert_eq!(after(&|form| form.company_id = "new".into()), [""; 0]);
    assert_eq!(after(&|form| form.base_url = "https://b.example".into()), ["Base URL"]);
    assert_eq!(after(&|form| form.client_id = "new".into()), ["Client ID"]);
    assert_eq!(
        after(&|form| form.provider.token_endpoint = "https://b.example/t".into()),
        ["Identity provider"]
    );
    let evil = "https://b.example/r";
    assert_eq!(after(&|form| form.provider.revocation_endpoint = evil.into()), ["Identity provider"]);
    let signed = ClientAuthentication::PrivateKeyJwt;
    assert_eq!(after(&|form| form.provider.client_authentication = signed), ["Client authentication"]);
    assert_eq!(after(&|form| form.base_url = "https://a.example/".into()), [""; 0]);

    let discovered = |base_url: &str, issuer: &str| {
        let provider = ProviderChoice { issuer: issuer.into(), ..ProviderChoice::default() };
        planned(&content(base_url, provider)).destination().clone()
    };
    let bound = discovered("https://a.example", "");
    assert_eq!(bound.changed_to(&discovered("https://b.example", "")), ["Base URL"]);
    let evil = "https://evil.example";
    assert_eq!(bound.changed_to(&discovered("https://a.example", evil)), ["Identity provider"]);
}
