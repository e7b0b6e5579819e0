//! The provider that a form chooses: what it is called, where it is, and how redirect URIs name it.
//!
//! Known before a client is: a redirect URI is registered to get a client id.

use crate::{
    callback::Callback,
    endpoints::{ConfigurationError, Endpoints},
    presets::{self, Preset, Region},
};
use ipack_domain::form::FormContent;
use sha2::{Digest, Sha256};
use url::Url;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedProvider {
    /// The provider's name in redirect URIs: a preset's id, or host and digest, so that it is another one for each
    /// provider (security: S05).
    pub slug: String,
    /// How a person calls the provider.
    pub name: String,
    pub preset: Option<&'static Preset>,
    /// Issuers to discover, the likeliest first; empty where the endpoints are known.
    pub issuers: Vec<String>,
    pub endpoints: Option<Endpoints>,
    /// What a secret is bound to: the issuer, or all endpoints that a secret is sent to.
    pub identity: String,
}

/// # Errors
/// With a sentence for the admin, where the form does not say enough.
pub fn resolve_provider(content: &FormContent) -> Result<ResolvedProvider, ConfigurationError> {
    let content = content.tidied();
    let choice = &content.provider;
    let base_url = content.base_url.trim().trim_end_matches('/');
    if choice.is_discovered() {
        let issuers = issuers(some(&choice.issuer).as_deref(), base_url)?;
        let identity = issuers.first().cloned().unwrap_or_default();
        return Ok(ResolvedProvider {
            slug: slug(&identity, &identity),
            name: host_of(&identity),
            preset: None,
            issuers,
            endpoints: None,
            identity,
        });
    }
    let preset = match choice.preset() {
        Some(id) => {
            Some(presets::find(id).ok_or_else(|| ConfigurationError::UnknownProvider(id.to_owned()))?)
        }
        None => None,
    };
    let region = preset.map(|preset| region(preset, &choice.region)).transpose()?.flatten();
    let endpoints = match preset {
        Some(preset) => preset_endpoints(preset, region, base_url, content.company_id.trim())?,
        None => Endpoints {
            authorization: some(&choice.authorization_endpoint),
            token: choice.token_endpoint.clone(),
            revocation: some(&choice.revocation_endpoint),
            issuer: None,
            announces_issuer: false,
        },
    };
    if endpoints.token.is_empty() {
        return Err(ConfigurationError::Missing("The token endpoint"));
    }
    let or_none = |endpoint: &Option<String>| endpoint.clone().unwrap_or_else(|| "-".to_owned());
    let identity = format!(
        "{} {} {}",
        or_none(&endpoints.authorization),
        endpoints.token,
        or_none(&endpoints.revocation)
    );
    let slug = match preset {
        Some(preset) if !preset.is_on_the_customers_host() => match region {
            Some(region) if *region != preset.regions[0] => format!("{}-{}", preset.id, region.id),
            _ => preset.id.clone(),
        },
        Some(preset) => format!("{}-{}", preset.id, digest(&endpoints.token)),
        None => slug(&endpoints.token, &format!("{} {}", or_none(&endpoints.authorization), endpoints.token)),
    };
    Ok(ResolvedProvider {
        slug,
        name: preset.map_or_else(|| host_of(&endpoints.token), |preset| preset.name.clone()),
        preset,
        issuers: Vec::new(),
        endpoints: Some(endpoints),
        identity,
    })
}

pub(super) fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The region that is chosen, or the usual one; none where the provider has none.
fn region<'a>(preset: &'a Preset, id: &str) -> Result<Option<&'a Region>, ConfigurationError> {
    if preset.regions.is_empty() {
        return Ok(None);
    }
    let unknown = || ConfigurationError::UnknownRegion(preset.name.clone());
    preset.region(id).ok_or_else(unknown).map(Some)
}

fn preset_endpoints(
    preset: &Preset,
    region: Option<&Region>,
    base_url: &str,
    company_id: &str,
) -> Result<Endpoints, ConfigurationError> {
    let company_id = if company_id.is_empty() {
        preset.company_id_default.as_deref().unwrap_or_default()
    } else {
        company_id
    };
    let base_url = host_of_the_customer(preset, base_url);
    let fill = |template: &String| {
        if template.contains("{company_id}") && company_id.is_empty() {
            return Err(ConfigurationError::Missing(
                "Company ID, which is part of the provider’s addresses,",
            ));
        }
        if template.contains("{base_url}") && base_url.is_empty() {
            return Err(ConfigurationError::Missing("Base URL"));
        }
        // In one host label or path segment, whatever somebody typed.
        let company_id: String = url::form_urlencoded::byte_serialize(company_id.as_bytes()).collect();
        let region = region.map_or("", |region| region.value.as_str());
        let filled = template.replace("{region}", region).replace("{base_url}", &base_url);
        Ok(filled.replace("{company_id}", &company_id))
    };
    Ok(Endpoints {
        authorization: preset.authorization_endpoint.as_ref().map(fill).transpose()?,
        token: fill(&preset.token_endpoint)?,
        revocation: preset.revocation_endpoint.as_ref().map(fill).transpose()?,
        issuer: preset.issuer.as_ref().map(fill).transpose()?,
        announces_issuer: false,
    })
}

/// The endpoints of the region that a provider names on the way back: one of the preset's own, or `None`. What else stands
/// there is nobody's to choose (security: S08).
pub fn endpoints_in_region(preset: &str, callback: &Callback) -> Option<Endpoints> {
    let preset = presets::find(preset)?;
    let named: Vec<&str> =
        preset.region_parameters.iter().filter_map(|name| callback.parameter(name)).collect();
    let endpoints = |region| preset_endpoints(preset, Some(region), "", "").ok();
    let is_named = |(region, endpoints): &(&Region, Endpoints)| {
        let server = Url::parse(&endpoints.token).ok().map(|url| url.origin());
        named.iter().any(|named| {
            *named == region.id || Url::parse(named).is_ok_and(|url| Some(url.origin()) == server)
        })
    };
    let mut regions = preset.regions.iter().filter_map(|region| Some((region, endpoints(region)?)));
    regions.find(is_named).map(|(_, endpoints)| endpoints)
}

/// What of a Base URL the endpoints are under: the host alone, since its path is the API's. What a customer runs may be
/// under a path as a whole.
fn host_of_the_customer(preset: &Preset, base_url: &str) -> String {
    let is_run_by_the_customer = preset.base_urls.iter().any(|url| url.contains("<your-"));
    match Url::parse(base_url) {
        Ok(url) if !is_run_by_the_customer => url.origin().ascii_serialization(),
        _ => base_url.to_owned(),
    }
}

/// Where to look for metadata: what was given, or the Base URL and then its origin.
fn issuers(given: Option<&str>, base_url: &str) -> Result<Vec<String>, ConfigurationError> {
    if let Some(issuer) = given {
        let issuer = issuer_of(issuer);
        let url = Url::parse(&issuer).map_err(|_| ConfigurationError::NotUrl("The issuer"))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ConfigurationError::IssuerWithQuery);
        }
        return Ok(vec![issuer]);
    }
    let base_url = issuer_of(base_url);
    let base_url = base_url.as_str();
    let url = Url::parse(base_url).map_err(|_| ConfigurationError::NotUrl("Base URL"))?;
    let origin = url.origin().ascii_serialization();
    let mut issuers = vec![base_url.to_owned()];
    if origin != base_url && url.path() != "/" {
        issuers.push(origin);
    }
    Ok(issuers)
}

/// The issuer whose discovery address somebody may have pasted, without slashes that are too many.
fn issuer_of(pasted: &str) -> String {
    const OPENID: &str = "/.well-known/openid-configuration";
    const OAUTH: &str = "/.well-known/oauth-authorization-server";
    let (scheme, rest) = pasted.split_once("://").unwrap_or(("", pasted));
    let mut rest = rest.to_owned();
    while rest.contains("//") {
        rest = rest.replace("//", "/");
    }
    let trimmed = rest.trim_end_matches('/');
    let rest = match (trimmed.strip_suffix(OPENID), rest.split_once(OAUTH)) {
        (Some(issuer), _) => issuer.to_owned(),
        // In front of the issuer's path (RFC 8414, section 3.1).
        (None, Some((host, path))) => format!("{host}{path}"),
        (None, None) => rest,
    };
    if scheme.is_empty() { rest } else { format!("{scheme}://{rest}") }
}

fn host_of(address: &str) -> String {
    let url = Url::parse(address).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// Host and digest: readable, and another one for another provider on the same host.
fn slug(address: &str, provider: &str) -> String {
    let host = host_of(address).replace(['[', ']', ':'], "-");
    format!("{}-{}", host.trim_matches('-'), digest(provider))
}

fn digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..4])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipack_domain::provider::ProviderChoice;

    fn chosen(
        base_url: &str,
        provider: &str,
        company_id: &str,
    ) -> Result<ResolvedProvider, ConfigurationError> {
        resolve_provider(&FormContent {
            base_url: base_url.into(),
            company_id: company_id.into(),
            provider: ProviderChoice { provider: provider.into(), ..ProviderChoice::default() },
            ..FormContent::default()
        })
    }

    #[test]
    fn s05_two_providers_have_two_slugs() {
        for (one, two) in [
            (
                chosen("https://id.example.com/realms/a", "", ""),
                chosen("https://id.example.com/realms/b", "", ""),
            ),
            (
                chosen("https://one.zendesk.com", "zendesk", ""),
                chosen("https://two.zendesk.com", "zendesk", ""),
            ),
            (chosen("https://x.example", "google", ""), chosen("https://x.example", "hubspot", "")),
        ] {
            assert_ne!(one.expect("enough").slug, two.expect("enough").slug);
        }
    }

    #[test]
    fn a_preset_has_its_slug_before_anything_is_typed() {
        assert_eq!(
            chosen("", "quickbooks-online", "").map(|chosen| chosen.slug),
            Ok("quickbooks-online".into())
        );
    }

    #[test]
    fn a_region_leads_to_its_own_server_and_has_its_own_slug() {
        let in_region = |provider: &str, region: &str| {
            resolve_provider(&FormContent {
                base_url: "https://x.example".into(),
                provider: ProviderChoice {
                    provider: provider.into(),
                    region: region.into(),
                    ..ProviderChoice::default()
                },
                ..FormContent::default()
            })
        };
        for preset in presets::all().iter().filter(|preset| !preset.regions.is_empty()) {
            let usual = in_region(&preset.id, "").expect("enough");
            assert_eq!(
                (&usual.slug, &usual),
                (&preset.id, &in_region(&preset.id, &preset.regions[0].id).expect("it"))
            );
            let mut slugs = std::collections::HashSet::new();
            for region in &preset.regions {
                let chosen = in_region(&preset.id, &region.id).expect("one of its own");
                let token = chosen.endpoints.expect("known").token;
                assert_eq!(token, preset.token_endpoint.replace("{region}", &region.value));
                assert!(slugs.insert(chosen.slug), "{} {}", preset.id, region.id);
            }
            let unknown = in_region(&preset.id, "moon");
            assert_eq!(unknown, Err(ConfigurationError::UnknownRegion(preset.name.clone())));
        }
        in_region("hubspot", "eu").expect("left over from another provider, it means nothing");
    }

    #[test]
    fn endpoints_are_under_the_host_of_the_base_url() {
        let token = |base_url: &str, preset: &str| {
            chosen(base_url, preset, "realm").expect("enough").endpoints.expect("known").token
        };
        for base_url in
            ["https://one.zendesk.com", "https://one.zendesk.com/", "https://one.zendesk.com/api/v2/"]
        {
            assert_eq!(token(base_url, "zendesk"), "https://one.zendesk.com/oauth/tokens", "{base_url}");
        }
        let keycloak = token("https://sso.example/auth/", "keycloak");
        assert_eq!(keycloak, "https://sso.example/auth/realms/realm/protocol/openid-connect/token");
    }

    #[test]
    fn s08_a_region_is_followed_only_where_it_is_one_of_the_presets_own() {
        let follow = |preset: &str, query: &str| {
            let callback = Callback::parse(query).expect("a query");
            endpoints_in_region(preset, &callback).map(|endpoints| endpoints.token)
        };
        for region in &presets::find("zoho").expect("it is there").regions {
            let server = format!("https://accounts.{}", region.value);
            for named in [
                format!("location={}", region.id),
                format!("accounts-server={}", server.replace(':', "%3A").replace('/', "%2F")),
                format!("accounts-server={server}/&location={}", region.id),
                format!("accounts-server={server}/oauth/v2/elsewhere"),
            ] {
                assert_eq!(follow("zoho", &named), Some(format!("{server}/oauth/v2/token")), "{named}");
            }
        }
        for named in [
            "code=c",
            "accounts-server=https%3A%2F%2Fevil.example",
            "accounts-server=https%3A%2F%2Faccounts.zoho.in.evil.example",
            "accounts-server=https%3A%2F%2Faccounts.zoho.in%40evil.example",
            "accounts-server=https%3A%2F%2Fevil.example%2Faccounts.zoho.in",
            "accounts-server=http%3A%2F%2Faccounts.zoho.in",
            "accounts-server=https%3A%2F%2Faccounts.zoho.in%3A8443",
            "accounts-server=accounts.zoho.in",
            "location=moon",
            "location=zoho.in",
            "Accounts-Server=https%3A%2F%2Faccounts.zoho.in",
        ] {
            assert_eq!(follow("zoho", named), None, "{named}");
        }
        for preset in ["", "zoho-eu", "slack", "moon"] {
            assert_eq!(follow(preset, "location=in"), None, "{preset}");
        }
    }

    #[test]
    fn an_issuer_is_understood_as_it_is_pasted() {
        let issuer = |pasted: &str| {
            let provider = ProviderChoice { issuer: pasted.into(), ..ProviderChoice::default() };
            let content =
                FormContent { base_url: "https://x.example".into(), provider, ..FormContent::default() };
            resolve_provider(&content).map(|found| found.issuers)
        };
        for (pasted, expected) in [
            ("https://id.example/a", "https://id.example/a"),
            ("https://id.example/", "https://id.example/"),
            ("https://id.example//", "https://id.example/"),
            ("https://id.example//a", "https://id.example/a"),
            ("https://id.example/a/.well-known/openid-configuration", "https://id.example/a"),
            ("https://id.example/.well-known/openid-configuration/", "https://id.example"),
            ("https://id.example/.well-known/oauth-authorization-server/a", "https://id.example/a"),
            ("https://id.example/.well-known/oauth-authorization-server", "https://id.example"),
        ] {
            assert_eq!(issuer(pasted), Ok(vec![expected.to_owned()]), "{pasted}");
        }
        for pasted in ["https://id.example/?p=signin", "https://id.example/#a"] {
            assert_eq!(issuer(pasted), Err(ConfigurationError::IssuerWithQuery), "{pasted}");
        }
    }

    #[test]
    fn a_company_id_stays_in_its_place() {
        assert!(matches!(chosen("https://x.example", "netsuite", ""), Err(ConfigurationError::Missing(_))));
        let netsuite = chosen("https://x.example", "netsuite", "evil.example/?").expect("enough");
        let token = netsuite.endpoints.expect("known").token;
        // Refused as a host, or still under the provider's domain.
        let host = Url::parse(&token).map(|url| url.host_str().map(str::to_owned));
        assert!(
            host.is_err() || host.is_ok_and(|host| host.is_some_and(|host| host.ends_with(".netsuite.com")))
        );
    }
}
