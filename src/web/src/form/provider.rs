//! Where the connection gets its tokens: the provider, its endpoints, and how the client goes about it.
//!
//! Which inputs are asked for depends on the menus; the style sheet shows and hides them, so that it works without
//! scripts too.

use crate::form::{
    erased,
    fields::{MenuInput, SwitchInput, texts},
    panels::Slot,
    state::FormState,
    view::Panel,
};
use ipack_domain::{
    about::Section,
    fields::{Field, MenuField, SwitchField},
    form::FormContent,
};
use leptos::prelude::*;
use strum::VariantArray;

#[component]
pub fn Provider(state: FormState) -> impl IntoView {
    // What the provider itself decides is known by the server alone.
    let signs = move || state.view.with(|view| view.tokens.has_private_key);
    let acts_for = move || state.view.with(|view| view.tokens.acts_for_subject);
    erased(view! {
        <section class="card provider" class:signs=signs class:acts-for=acts_for aria-labelledby="provider">
            <h2 id="provider" tabindex="-1">
                "Identity provider"
            </h2>
            <div class="fields">
                <MenuInput state=state field=MenuField::Provider />
                <MenuInput state=state field=MenuField::Region />
                <Slot state=state panel=Panel::ProviderFacts />
                {texts(state, Section::Provider)}
            </div>
            <Advanced state=state />
            <Slot state=state panel=Panel::RedirectUri />
        </section>
    })
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
    erased(view! {
        <details class="advanced" open=is_open>
            <summary>"Grant, client authentication and more"</summary>
            <div class="fields">
                <MenuInput state=state field=MenuField::Grant />
                <MenuInput state=state field=MenuField::ClientAuthentication />
                {texts(state, Section::Advanced)}
                {switches(state, Section::Advanced)}
            </div>
        </details>
        <details class="advanced" open=is_special>
            <summary>"For providers that need something special"</summary>
            <div class="fields">
                <MenuInput state=state field=MenuField::Algorithm />
                {texts(state, Section::Special)}
                {switches(state, Section::Special)}
            </div>
        </details>
    })
}

fn switches(state: FormState, section: Section) -> impl IntoView {
    let switches = SwitchField::VARIANTS.iter().copied();
    let switches = switches.filter(|switch| switch.about().section == section);
    switches.map(|field| view! { <SwitchInput state=state field=field /> }).collect::<Vec<_>>()
}
