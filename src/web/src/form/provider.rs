//! Where the connection gets its tokens: the provider, its endpoints, and how the client goes about it.
//!
//! Which inputs are asked for depends on the menus; the style sheet shows and hides them, so that it works without
//! scripts too.

use crate::form::{
    browser::{copy_from, provider_id},
    input_error::InputError,
    problems::FormProblems,
    provider_advanced::Advanced,
    provider_text::{Text, change},
    state::FormState,
};
use ipack_domain::{
    form::{Part, ProblemLocation},
    provider::ENDPOINTS,
};
use leptos::prelude::*;
use std::time::Duration;

#[component]
pub fn Provider(state: FormState) -> impl IntoView {
    let problems = FormProblems::of_form();
    let problem = Memo::new(move |_| problems.message_at(ProblemLocation::Field(Part::Provider)));
    let chosen = move || state.provider.with(|choice| choice.provider.clone());
    let first = state.provider.get_untracked().provider;
    let providers = state.view.with_untracked(|view| view.credentials.providers.clone());
    let options = providers.into_iter().map(move |provider| {
        let is_first = provider.id == first;
        view! {
            <option value=provider.id selected=is_first>
                {provider.name}
            </option>
        }
    });
    let first = state.provider.get_untracked();
    // What the provider itself decides is known by the server alone.
    let signs = move || state.view.with(|view| view.credentials.has_private_key);
    let acts_for = move || state.view.with(|view| view.credentials.acts_for_subject);
    view! {
        <section class="card provider" class:signs=signs class:acts-for=acts_for aria-labelledby="provider">
            <h2 id="provider" tabindex="-1">
                "Identity provider"
            </h2>
            <div class="fields">
                <div class="field wide">
                    <label for=provider_id("provider")>"Provider"</label>
                    <p class="hint" id="provider-hint">
                        "Where tokens come from. Without a choice, the endpoints are discovered from the address above."
                    </p>
                    <select
                        id=provider_id("provider")
                        name="content[provider][provider]"
                        aria-describedby=move || {
                            if problem.get().is_some() {
                                "provider-hint provider-error"
                            } else {
                                "provider-hint"
                            }
                        }
                        aria-invalid=move || problem.get().map(|_| "true")
                        prop:value=chosen
                        on:change=move |event| change(
                            state,
                            |choice| choice.provider = event_target_value(&event),
                        )
                    >
                        <option value="" selected=first.is_discovered()>
                            "Discover the endpoints"
                        </option>
                        <option value=ENDPOINTS selected=first.has_endpoints()>
                            "Enter the endpoints"
                        </option>
                        <optgroup label="Known providers">{options.collect::<Vec<_>>()}</optgroup>
                    </select>
                    <InputError id="provider" problem=problem />
                </div>
                <Facts state=state />
                <div class="field wide if-discovered">
                    <Text
                        state=state
                        field="issuer"
                        label="Issuer"
                        hint="Only where it is not the address above: the exact issuer identifier."
                        read=|choice| &choice.issuer
                        write=|choice, text| choice.issuer = text
                    />
                </div>
                <div class="field wide if-endpoints">
                    <Text
                        state=state
                        field="authorizationEndpoint"
                        label="Authorization endpoint"
                        hint="The page where a person agrees."
                        read=|choice| &choice.authorization_endpoint
                        write=|choice, text| choice.authorization_endpoint = text
                    />
                </div>
                <div class="field if-endpoints">
                    <Text
                        state=state
                        field="tokenEndpoint"
                        label="Token endpoint"
                        hint="Where codes are traded for tokens."
                        read=|choice| &choice.token_endpoint
                        write=|choice, text| choice.token_endpoint = text
                    />
                </div>
                <div class="field if-endpoints">
                    <Text
                        state=state
                        field="revocationEndpoint"
                        label="Revocation endpoint"
                        hint="If there is one (RFC 7009)."
                        read=|choice| &choice.revocation_endpoint
                        write=|choice, text| choice.revocation_endpoint = text
                    />
                </div>
                <div class="field wide">
                    <Text
                        state=state
                        field="scopes"
                        label="Scopes"
                        hint="Separated by blanks. Left empty, the provider’s usual ones."
                        read=|choice| &choice.scopes
                        write=|choice, text| choice.scopes = text
                    />
                </div>
            </div>
            <Advanced state=state />
            <RedirectUri state=state />
        </section>
    }
    .into_any()
}

/// What the chosen provider brings along.
#[component]
fn Facts(state: FormState) -> impl IntoView {
    let facts = Memo::new(move |_| {
        let is_preset = state.provider.with(|choice| choice.preset().is_some());
        is_preset.then(|| state.view.with(|view| view.credentials.facts.clone()))
    });
    move || {
        facts.get().filter(|facts| !facts.lines.is_empty()).map(|facts| {
            let lines = facts.lines.into_iter().map(|line| view! { <li>{line}</li> });
            view! {
                <div class="wide facts-box">
                    {facts.note.map(|note| view! { <p>{note}</p> })} <ul>{lines.collect::<Vec<_>>()}</ul>
                    {facts
                        .base_url
                        .filter(|url| state.base_url.with(|typed| typed.trim() != url))
                        .map(|url| {
                            let take = move |_| {
                                state.base_url.set(url.clone());
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
