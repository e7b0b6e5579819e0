//! Presets compared with nothing but themselves: what a typing error, or a fact that contradicts another, would break.

use crate::presets::{Pkce, Preset, Revocation, Term, all, fits};
use ipack_domain::provider::{
    ClientAuthentication, ENDPOINTS, Grant, RESERVED_AUTHORIZATION, RESERVED_TOKEN,
};
use std::collections::HashSet;
use url::Url;

/// A template with its placeholders filled, once for each region, as URLs.
fn filled(preset: &Preset, template: &str) -> Vec<Url> {
    let regions: Vec<&str> = preset.regions.iter().map(|region| region.value.as_str()).collect();
    let regions = if regions.is_empty() { vec!["{region}"] } else { regions };
    let fill = |region: &str| {
        let text = template.replace("{base_url}", "https://tenant.example.com");
        let text = text.replace("{company_id}", "42").replace("{region}", region);
        assert!(!text.contains(['{', '}']), "{}: an unknown placeholder: {template}", preset.id);
        Url::parse(&text).unwrap_or_else(|error| panic!("{}: {template}: {error}", preset.id))
    };
    regions.into_iter().map(fill).collect()
}

fn endpoints(preset: &Preset) -> impl Iterator<Item = &String> {
    let optional = [&preset.authorization_endpoint, &preset.revocation_endpoint, &preset.issuer];
    [&preset.token_endpoint].into_iter().chain(optional.into_iter().flatten())
}

/// The last two labels of a host.
fn site(url: &Url) -> String {
    let host = url.host_str().expect("a host");
    let labels: Vec<&str> = host.rsplitn(3, '.').take(2).collect();
    labels.join(".")
}

fn terms(preset: &Preset) -> [&Term; 4] {
    let terms = &preset.terms;
    [&terms.base_url, &terms.company_id, &terms.client_id, &terms.client_secret]
}

#[test]
fn quickbooks_comes_first_with_its_sandbox_and_the_large_ones_are_there() {
    assert!(all()[..2].iter().all(|preset| preset.id.starts_with("quickbooks-online")));
    for name in [
        "salesforce",
        "netsuite",
        "hubspot",
        "xero",
        "shopify",
        "microsoft",
        "google",
        "slack",
        "dynamics",
        "zendesk",
        "servicenow",
        "stripe",
    ] {
        assert!(all().iter().any(|preset| preset.id.contains(name)), "{name}");
    }
}

#[test]
fn ids_are_words_that_a_path_can_hold_and_each_is_there_once() {
    let is_word = |id: &str| {
        let is_of_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !id.is_empty() && id.bytes().all(is_of_word)
    };
    let (mut ids, mut names) = (HashSet::new(), HashSet::new());
    for preset in all() {
        assert!(is_word(&preset.id) && preset.id != ENDPOINTS, "{}", preset.id);
        assert!(ids.insert(&preset.id), "{} twice", preset.id);
        assert!(!preset.name.trim().is_empty() && names.insert(&preset.name), "{}", preset.name);
        let mut regions = HashSet::new();
        for region in &preset.regions {
            assert!(is_word(&region.id) && !region.name.trim().is_empty(), "{}: {region:?}", preset.id);
            assert!(regions.insert(&region.id), "{}: {} twice", preset.id, region.id);
            assert!(regions.insert(&region.value), "{}: {} twice", preset.id, region.value);
        }
    }
}

#[test]
fn every_address_is_https_and_every_fact_has_its_page() {
    for preset in all() {
        let id = &preset.id;
        let pages = preset.registration.iter().map(|registration| &registration.page);
        let verify = preset.verify.iter().map(|verify| &verify.address);
        let base_urls = preset.regions.iter().filter_map(|region| region.base_url.as_ref());
        let addresses = endpoints(preset).chain(pages).chain(verify).chain(base_urls);
        for address in addresses.chain([&preset.documentation]).chain(preset.sources.values()) {
            for url in filled(preset, address) {
                assert_eq!(url.scheme(), "https", "{id}: {address}");
                assert!(url.username().is_empty() && url.port().is_none(), "{id}: {address}");
            }
        }
        for endpoint in endpoints(preset) {
            assert!(filled(preset, endpoint).iter().all(|url| url.fragment().is_none()), "{id}: {endpoint}");
        }
        for base_url in &preset.base_urls {
            assert!(base_url.starts_with("https://") && !base_url.ends_with('/'), "{id}: {base_url}");
        }
    }
}

/// `sources` names keys that stand in the same table, as they are written there.
#[test]
fn a_page_is_named_for_a_key_that_is_there() {
    for text in crate::presets::FILES {
        let file: toml::Table = toml::from_str(text).expect("TOML");
        for provider in file["provider"].as_array().expect("tables") {
            let sources = provider.get("sources").and_then(toml::Value::as_table);
            for key in sources.into_iter().flat_map(toml::Table::keys) {
                assert!(provider.get(key).is_some(), "{:?}: {key}", provider["id"]);
            }
        }
    }
}

#[test]
fn a_grant_is_offered_only_where_it_can_be_done() {
    for preset in all() {
        let id = &preset.id;
        let grants = &preset.grants;
        assert!(!grants.is_empty() && !grants.contains(&Grant::AsProvider), "{id}");
        assert_eq!(grants.iter().collect::<HashSet<_>>().len(), grants.len(), "{id}: a grant twice");
        let has_pages = grants.contains(&Grant::AuthorizationCode);
        assert_eq!(preset.authorization_endpoint.is_some(), has_pages, "{id}: authorization endpoint");
        assert!(
            grants.contains(&Grant::JwtBearer) || preset.assertion_audience.is_none(),
            "{id}: an audience"
        );
        assert_ne!(preset.client_authentication, ClientAuthentication::AsProvider, "{id}");
        let is_public = preset.client_authentication == ClientAuthentication::None;
        assert!(!is_public || !grants.contains(&Grant::ClientCredentials), "{id}: no secret to ask with");
        assert!(!is_public || !matches!(preset.pkce, Pkce::Refused), "{id}: neither a secret nor PKCE");
    }
}

#[test]
fn facts_agree_with_each_other() {
    for preset in all() {
        let id = &preset.id;
        assert_eq!(
            preset.revocation == Revocation::Rfc7009,
            preset.revocation_endpoint.is_some(),
            "{id}: revocation"
        );
        let lifetimes =
            [preset.access_token_seconds, preset.refresh_token_seconds, preset.client_secret_seconds];
        assert!(lifetimes.into_iter().flatten().all(|seconds| seconds > 0), "{id}: a lifetime");
        for key in preset.authorization_parameters.keys() {
            assert!(!RESERVED_AUTHORIZATION.contains(&key.as_str()), "{id}: {key}");
        }
        for key in preset.token_parameters.keys() {
            assert!(!RESERVED_TOKEN.contains(&key.as_str()), "{id}: {key}");
        }
        for scope in &preset.scopes {
            let separator = preset.scope_separator.as_str();
            assert!(!scope.contains(char::is_whitespace) && !scope.contains(separator), "{id}: {scope}");
        }
        let asks_for_region = endpoints(preset).any(|endpoint| endpoint.contains("{region}"));
        assert_eq!(asks_for_region, preset.regions.len() > 1, "{id}: regions");
        let steps = preset.registration.iter().flat_map(|registration| &registration.steps);
        for sentence in steps.chain(&preset.note) {
            assert!(sentence.ends_with('.') && sentence.len() < 200, "{id}: {sentence}");
        }
    }
}

#[test]
fn an_example_is_as_its_pattern_has_it() {
    for preset in all() {
        let has_base_urls = !preset.base_urls.is_empty();
        for term in terms(preset) {
            let said = [&term.name, &term.pattern, &term.example];
            assert!(said.into_iter().flatten().all(|text| text.trim() == text && !text.is_empty()));
            if let (Some(pattern), Some(example)) = (&term.pattern, &term.example) {
                assert!(fits(pattern, example), "{}: {example} is not {pattern}", preset.id);
            }
        }
        let base_url = &preset.terms.base_url;
        assert!(base_url.pattern.is_none(), "{}: base_urls has the pattern", preset.id);
        if let (true, Some(example)) = (has_base_urls, &base_url.example) {
            let fit = preset.base_urls.iter().any(|pattern| fits(pattern, example));
            assert!(fit, "{}: {example}", preset.id);
        }
    }
}

/// A token is shown to nobody but the provider that it is from, or the API that it is for.
#[test]
fn who_a_token_belongs_to_is_asked_on_the_providers_own_site() {
    for preset in all() {
        let Some(verify) = &preset.verify else { continue };
        let own = endpoints(preset).flat_map(|endpoint| filled(preset, endpoint));
        let readable = |base_url: &String| base_url.replace(['<', '>'], "");
        let base_urls = preset.base_urls.iter().map(readable);
        let base_urls = base_urls.chain(preset.regions.iter().filter_map(|region| region.base_url.clone()));
        let own = own.chain(base_urls.filter_map(|base_url| Url::parse(&base_url).ok()));
        let own: HashSet<String> = own.map(|url| site(&url)).collect();
        for url in filled(preset, &verify.address) {
            assert!(own.contains(&site(&url)), "{}: {url} is not on {own:?}", preset.id);
        }
        assert!(!verify.members.is_empty(), "{}", preset.id);
        assert!(verify.members.iter().all(|member| member.starts_with('/')), "{}", preset.id);
    }
}

#[test]
fn a_pattern_stands_for_what_a_person_may_write() {
    for (pattern, fit, unfit) in [
        ("ca_<id>", "ca_1", "ca_"),
        ("ca_<id>", "ca_ca_", "xca_1"),
        ("https://<store>.myshopify.com", "https://a.b.myshopify.com", "https://.myshopify.com"),
        ("https://<store>.myshopify.com", "https://a.myshopify.com", "https://a.myshopify.com/admin"),
        ("<account>-sb<number>", "123-sb1", "123-sb"),
        ("<a>--<b>", "ü--ö", "--ö"),
        ("<a>.<b>.c", "x.y.c", "x.c"),
        ("fixed", "fixed", "fixed2"),
        ("<any>", "x", ""),
    ] {
        assert!(fits(pattern, fit), "{pattern} {fit}");
        assert!(!fits(pattern, unfit), "{pattern} {unfit}");
    }
}
