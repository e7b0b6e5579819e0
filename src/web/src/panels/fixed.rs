//! The choices of the form's menus, and the values that its inputs offer. What does not follow from the chosen provider
//! never changes on a page.

use super::html;
use crate::compose::provider_facts::known_providers;
use crate::form::FixedParts;
use crate::views::{ConnectorView, ProviderOption};
use ipack_domain::{
    fields::MenuField,
    provider::{ENDPOINTS, Grant},
    suggestions::{Suggestion, SuggestionField},
};
use leptos::prelude::*;
use std::{array::from_fn, sync::LazyLock};
use strum::VariantArray;

pub fn fixed_parts(view: &ConnectorView) -> FixedParts {
    FixedParts {
        environment: view.names.environment.clone(),
        options: from_fn(|index| match MenuField::VARIANTS[index] {
            MenuField::Provider => providers(view),
            MenuField::Grant | MenuField::Region => String::new(),
            field => options(field, view, |_| true),
        }),
    }
}

fn providers(view: &ConnectorView) -> String {
    let chosen = view.base.content.menu(MenuField::Provider);
    // The names are the presets' own, which need no escaping.
    NO_PROVIDER_CHOSEN.replacen(&format!("value=\"{chosen}\""), &format!("value=\"{chosen}\" selected"), 1)
}

/// By far the longest part of the page, and the same on each but for what is chosen.
static NO_PROVIDER_CHOSEN: LazyLock<String> = LazyLock::new(|| {
    let plain = [("", "Discover the endpoints"), (ENDPOINTS, "Enter the endpoints")];
    let plain = plain.map(|(name, label)| option(name.to_owned(), label.to_owned(), false));
    let known = known_providers().into_iter().map(|provider| option(provider.id, provider.name, false));
    html(view! {
        {plain.into_iter().collect::<Vec<_>>()}
        <optgroup label="Known providers">{known.collect::<Vec<_>>()}</optgroup>
    })
});

/// The grants that the chosen provider can do and the operator allows. What was chosen before stays to be seen.
pub fn grants(view: &ConnectorView) -> String {
    let chosen = view.base.content.menu(MenuField::Grant);
    let known = &view.credentials.facts.grants;
    let is_allowed = |name: &str| !Grant::parse(name).takes_password() || view.credentials.allows_password;
    let is_known = |name: &str| name.is_empty() || known.is_empty() || known.iter().any(|one| one == name);
    options(MenuField::Grant, view, |name| name == chosen || is_allowed(name) && is_known(name))
}

pub fn regions(view: &ConnectorView) -> String {
    let chosen = view.base.content.menu(MenuField::Region);
    let regions = view.credentials.facts.regions.iter().cloned();
    let option = |region: ProviderOption| {
        let is_chosen = region.id == chosen;
        option(region.id, region.name, is_chosen)
    };
    html(regions.map(option).collect::<Vec<_>>())
}

fn options(field: MenuField, view: &ConnectorView, is_offered: impl Fn(&str) -> bool) -> String {
    let chosen = view.base.content.menu(field);
    let options = field.options().into_iter().filter(|(name, _)| is_offered(name));
    let option = |(name, label): (&str, &str)| option(name.to_owned(), label.to_owned(), name == chosen);
    html(options.map(option).collect::<Vec<_>>())
}

fn option(name: String, label: String, is_chosen: bool) -> impl IntoView {
    view! {
        <option value=name selected=is_chosen>
            {label}
        </option>
    }
}

/// The values an account used before, for the `list` of inputs.
#[component]
pub fn Suggestions(suggestions: Vec<Suggestion>) -> impl IntoView {
    let list = |field: SuggestionField| {
        let of_field = suggestions.iter().filter(|suggestion| suggestion.field == field);
        let options = of_field.map(|suggestion| view! { <option value=suggestion.value.clone()></option> });
        view! { <datalist id=field.list()>{options.collect::<Vec<_>>()}</datalist> }
    };
    SuggestionField::all().map(list).collect::<Vec<_>>()
}
