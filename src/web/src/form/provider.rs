//! Where the connection gets its tokens: the provider, its endpoints, and how the client goes about it.
//!
//! Which inputs are asked for depends on the menus; the style sheet shows and hides them, so that it works without
//! scripts too.

use crate::form::{
    browser::copy_from,
    fields::{MenuInput, MenuOption, OwnWord, SwitchInput, texts},
    state::FormState,
};
use crate::views::ProviderOption;
use ipack_domain::{
    fields::{Field, MenuField, Section, SwitchField, TextField},
    form::FormContent,
    provider::{ENDPOINTS, Grant},
};
use leptos::prelude::*;
use std::time::Duration;
use strum::VariantArray;

#[component]
pub fn Provider(state: FormState, providers: Vec<ProviderOption>) -> impl IntoView {
    let plain = [("", "Discover the endpoints"), (ENDPOINTS, "Enter the endpoints")];
    let plain = plain.map(|(name, label)| MenuOption::new(name, label));
    let known = providers.into_iter();
    let known =
        known.map(|provider| MenuOption { name: provider.id, label: provider.name, is_known_provider: true });
    let options = plain.into_iter().chain(known).collect();
    // What the provider itself decides is known by the server alone.
    let signs = move || state.view.with(|view| view.credentials.has_private_key);
    let acts_for = move || state.view.with(|view| view.credentials.acts_for_subject);
    view! {
        <section class="card provider" class:signs=signs class:acts-for=acts_for aria-labelledby="provider">
            <h2 id="provider" tabindex="-1">
                "Identity provider"
            </h2>
            <div class="fields">
                <MenuInput state=state field=MenuField::Provider options=options />
                <Facts state=state />
                <Region state=state />
                {texts(state, Section::Provider)}
            </div>
            <Advanced state=state />
            <RedirectUri state=state />
        </section>
    }
    .into_any()
}

/// How the client goes about getting a token: right as it is for most, so it stands folded away.
#[component]
fn Advanced(state: FormState) -> impl IntoView {
    let (empty, first) = (FormContent::default(), state.untracked_content());
    let is_used = |section: Section| {
        Field::all()
            .filter(|field| field.section() == Some(section))
            .any(|field| !first.has_same(&empty, field))
    };
    let (is_open, is_special) = (is_used(Section::Advanced), is_used(Section::Special));
    let allows_password = state.view.with_untracked(|view| view.credentials.allows_password)
        || first.provider.grant == Grant::Password;
    let grants = Memo::new(move |_| state.view.with(|view| view.credentials.facts.grants.clone()));
    let grant = move || {
        // What was chosen before stays to be seen.
        let chosen = state.inputs.menu(MenuField::Grant).get_untracked();
        let is_offered = |name: &str| {
            name == chosen
                || (name != Grant::Password.name() || allows_password)
                    && grants.with(|grants| {
                        name.is_empty() || grants.is_empty() || grants.iter().any(|one| one == name)
                    })
        };
        let options = MenuField::Grant.options().into_iter().filter(|(name, _)| is_offered(name));
        let options = options.map(|(name, label)| MenuOption::new(name, label)).collect();
        view! { <MenuInput state=state field=MenuField::Grant options=options /> }
    };
    view! {
        <details class="advanced" open=is_open>
            <summary>"Grant, client authentication and more"</summary>
            <div class="fields">
                {grant} {menu(state, MenuField::ClientAuthentication)} {texts(state, Section::Advanced)}
                {switches(state, Section::Advanced)}
            </div>
        </details>
        <details class="advanced" open=is_special>
            <summary>"For providers that need something special"</summary>
            <div class="fields">
                {menu(state, MenuField::Algorithm)} {texts(state, Section::Special)}
                {switches(state, Section::Special)}
            </div>
        </details>
    }
    .into_any()
}

fn menu(state: FormState, field: MenuField) -> impl IntoView {
    let options = field.options().into_iter().map(|(name, label)| MenuOption::new(name, label)).collect();
    view! { <MenuInput state=state field=field options=options /> }
}

fn switches(state: FormState, section: Section) -> Vec<AnyView> {
    let switches = SwitchField::VARIANTS.iter().copied();
    let switches = switches.filter(|switch| switch.about().section == section);
    switches.map(|field| view! { <SwitchInput state=state field=field /> }.into_any()).collect()
}

/// What the chosen provider brings along.
#[component]
fn Facts(state: FormState) -> impl IntoView {
    let facts = Memo::new(move |_| {
        let is_preset =
            state.inputs.menu(MenuField::Provider).with(|name| !matches!(name.as_str(), "" | ENDPOINTS));
        is_preset.then(|| state.view.with(|view| view.credentials.facts.clone()))
    });
    move || {
        facts.get().filter(|facts| !facts.lines.is_empty()).map(|facts| {
            let lines = facts.lines.into_iter().map(|line| view! { <li>{line}</li> });
            view! {
                <div class="wide facts-box">
                    {facts.note.map(|note| view! { <p>{note}</p> })} <ul>{lines.collect::<Vec<_>>()}</ul>
                    {facts
                        .registration
                        .map(|(page, steps)| {
                            let steps: Vec<_> = steps
                                .into_iter()
                                .map(|step| view! { <li>{step}</li> })
                                .collect();
                            view! {
                                <p>
                                    <a href=page rel="noreferrer" target="_blank">
                                        "Register an application"
                                    </a>
                                </p>
                                {(!steps.is_empty()).then(|| view! { <ol>{steps}</ol> })}
                            }
                        })}
                    {facts
                        .base_url
                        .filter(|url| state.inputs.text(TextField::BaseUrl).with(|typed| typed.trim() != url))
                        .map(|url| {
                            let take = move |_| {
                                state.inputs.text(TextField::BaseUrl).set(url.clone());
                                state.typed();
                            };
                            view! {
                                <button class="button needs-script" type="button" on:click=take>
                                    "Use its Base URL"
                                </button>
                            }
                        })}
                    {facts
                        .documentation
                        .map(|page| {
                            view! {
                                <a href=page rel="noreferrer" target="_blank">
                                    "The provider’s documentation"
                                </a>
                            }
                        })}
                </div>
            }
        })
    }
}

/// The regions of the chosen provider, where it has some.
#[component]
fn Region(state: FormState) -> impl IntoView {
    let regions = Memo::new(move |_| state.view.with(|view| view.credentials.facts.regions.clone()));
    move || {
        let options = regions.get().into_iter().map(|region| MenuOption::new(region.id, region.name));
        let options: Vec<_> = options.collect();
        (!options.is_empty())
            .then(|| view! { <MenuInput state=state field=MenuField::Region options=options /> })
    }
}

#[component]
fn RedirectUri(state: FormState) -> impl IntoView {
    let is_copied = RwSignal::new(false);
    let uri = Memo::new(move |_| state.view.with(|view| view.credentials.redirect_uri.clone()));
    move || {
        uri.get().map(|uri| {
            view! {
                <div class="field redirect-uri">
                    <label for="redirect-uri">"Redirect URI"</label>
                    <p class="hint" id="redirect-uri-hint">
                        "Register it with the provider, exactly as it stands. Another provider address gives another one."
                        <OwnWord state=state id="redirect-uri" />
                    </p>
                    <div class="with-button">
                        <input
                            id="redirect-uri"
                            type="text"
                            readonly
                            value=uri
                            aria-describedby="redirect-uri-hint"
                        />
                        <button
                            class="button needs-script"
                            type="button"
                            aria-live="polite"
                            on:click=move |_| {
                                copy_from("redirect-uri");
                                is_copied.set(true);
                                set_timeout(move || is_copied.set(false), Duration::from_secs(2));
                            }
                        >
                            {move || if is_copied.get() { "Copied" } else { "Copy" }}
                        </button>
                    </div>
                </div>
            }
        })
    }
}
