//! What the chosen provider brings along, in words for the form.

use crate::views::{ProviderFacts, ProviderOption};
use ipack_domain::{
    fields::TextField,
    form::FormContent,
    provider::{ClientAuthentication, Grant},
    time::in_words,
    tokens::SecretField,
};
use ipack_oauth::presets::{self, Pkce, Preset, Refresh, Term, fits};

/// The known providers for the menu: QuickBooks with its sandbox, then by name.
pub fn known_providers() -> Vec<ProviderOption> {
    let option = |preset: &Preset| ProviderOption { id: preset.id.clone(), name: preset.name.clone() };
    let mut options: Vec<_> = presets::all().iter().map(option).collect();
    options[2..].sort_by_cached_key(|option| option.name.to_lowercase());
    options
}

pub(super) fn compose_facts(content: &FormContent) -> ProviderFacts {
    let Some(preset) = content.provider.preset().and_then(presets::find) else {
        return ProviderFacts::default();
    };
    let region = preset.region(&content.provider.region);
    let base_url = region.and_then(|region| region.base_url.as_ref()).or(preset.base_urls.first());
    // What is for a person to complete cannot be taken over as it is.
    let to_take_over = base_url.filter(|url| !url.contains('<')).cloned();
    ProviderFacts {
        documentation: Some(preset.documentation.clone()),
        note: preset.note.clone(),
        base_url: to_take_over,
        lines: lines(preset, base_url),
        registration: preset.registration.clone().map(|registration| (registration.page, registration.steps)),
        regions: regions(preset, &content.provider.region),
        grants: preset.grants.iter().map(|grant| grant.name().to_owned()).collect(),
        words: words(preset, content),
    }
}

/// `Grant: Authorization code`, a line each.
fn lines(preset: &Preset, base_url: Option<&String>) -> Vec<String> {
    let grant = preset.grants.first().copied().unwrap_or(Grant::AuthorizationCode);
    let pkce = match preset.pkce {
        Pkce::Required => "required",
        Pkce::Supported => "supported",
        Pkce::Unsupported => "not documented, sent all the same",
        Pkce::Refused => "not sent to this provider",
    };
    let refresh = preset.refresh.map(|refresh| match refresh {
        Refresh::Rotates => "a new refresh token each time",
        Refresh::Keeps => "the refresh token stays",
        Refresh::None => "no refresh tokens",
    });
    let authentication = match preset.client_authentication {
        ClientAuthentication::AsProvider => ClientAuthentication::ClientSecretBasic,
        known => known,
    };
    let lasting = |what: &str, seconds: Option<i64>| {
        seconds.map(|seconds| format!("{what}: {}", in_words(seconds.saturating_mul(1_000_000))))
    };
    let scopes = (!preset.scopes.is_empty()).then(|| format!("Scopes: {}", preset.scopes.join(" ")));
    let company_id = preset.terms.company_id.name.as_ref().map(|name| format!("Company ID: {name}"));
    [
        Some(format!("Grant: {}", grant.label())),
        scopes,
        Some(format!("Client authentication: {}", authentication.label())),
        Some(format!("PKCE: {pkce}")),
        refresh.map(|refresh| format!("Refresh: {refresh}")),
        lasting("Refresh tokens last", preset.refresh_token_seconds),
        lasting("Client secrets last at most", preset.client_secret_seconds),
        base_url.map(|base_url| format!("Base URL: {base_url}")),
        company_id,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The first goes by the empty name, as a form that says nothing has it.
fn regions(preset: &Preset, chosen: &str) -> Vec<ProviderOption> {
    let regions = preset.regions.iter().enumerate();
    let option = |(index, region): (usize, &presets::Region)| {
        let id = if index == 0 && region.id != chosen { String::new() } else { region.id.clone() };
        ProviderOption { id, name: region.name.clone() }
    };
    regions.map(option).collect()
}

/// What the provider calls the fields, by the ids of their inputs.
fn words(preset: &Preset, content: &FormContent) -> Vec<(String, String)> {
    let terms = &preset.terms;
    let redirect_uri = Term {
        name: preset.registration.as_ref().and_then(|registration| registration.redirect_uri.clone()),
        ..Term::default()
    };
    let text = |field: TextField| (field.about().id(), field.about().label, content.text(field));
    [
        (text(TextField::BaseUrl), &terms.base_url),
        (text(TextField::CompanyId), &terms.company_id),
        (text(TextField::ClientId), &terms.client_id),
        ((SecretField::ClientSecret.input().to_owned(), "Client Secret", ""), &terms.client_secret),
        (("redirect-uri".to_owned(), "Redirect URI", ""), &redirect_uri),
    ]
    .into_iter()
    .filter_map(|((id, label, typed), term)| Some((id, word(preset, label, term, typed.trim())?)))
    .collect()
}

fn word(preset: &Preset, label: &str, term: &Term, typed: &str) -> Option<String> {
    let name = term.name.as_ref().filter(|name| *name != label);
    let named = name.map(|name| format!("{} calls it {name}.", preset.name));
    let like = term.example.as_ref().or(term.pattern.as_ref()).map(|like| format!("It looks like {like}."));
    let is_other = term.pattern.as_ref().is_some_and(|pattern| !typed.is_empty() && !fits(pattern, typed));
    let other = is_other.then(|| "What stands here looks different.".to_owned());
    let sentences: Vec<String> = [named, like, other].into_iter().flatten().collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}
