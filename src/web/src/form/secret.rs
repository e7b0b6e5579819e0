//! The inputs for secrets: typed once, encrypted, never shown again.
//!
//! What is typed into these inputs is no part of the form that is kept: it stays here until a button that saves has
//! sealed it. What is known of a secret that is there is a panel.

use crate::form::{
    erased,
    fields::OwnWord,
    input_error::InputError,
    panels::Slot,
    state::FormState,
    view::{Panel, SecretPrompt},
};
use ipack_domain::{button::Button, tokens::SecretField};
use leptos::prelude::*;

#[component]
pub fn ClientSecret(state: FormState) -> impl IntoView {
    let field = SecretField::ClientSecret;
    let prompt = Memo::new(move |_| state.prompt(field));
    let is_folded = move || prompt.with(|prompt| prompt.as_ref().is_some_and(|prompt| prompt.is_folded));
    // What was typed before somebody else encrypted one is in view, too; it does not fold away while it is typed in.
    let is_open =
        move || !is_folded() || state.secret_problem(field).is_some() || untrack(|| state.is_unsealed(field));
    erased(view! {
        <div class="field wide secret" id="credentials" tabindex="-1">
            <Slot state=state panel=Panel::ClientSecret />
            <details
                class=move || if is_folded() { "advanced" } else { "advanced unfolded" }
                open=is_open
                hidden=move || prompt.with(Option::is_none)
            >
                <summary>{move || is_folded().then_some("Replace it")}</summary>
                <SecretInput state=state field=field button=Button::EncryptSecret />
            </details>
        </div>
        <UserPassword state=state />
    })
}

/// The user's password, for the password grant alone.
#[component]
fn UserPassword(state: FormState) -> impl IntoView {
    let is_needed = Memo::new(move |_| state.prompt(SecretField::Password).is_some());
    move || {
        is_needed.get().then(|| {
            view! {
                <div class="field wide secret">
                    <SecretInput state=state field=SecretField::Password button=Button::EncryptPassword />
                    <Slot state=state panel=Panel::Password />
                </div>
            }
        })
    }
}

/// One input for each secret, whatever is asked for in it: what was typed stays.
#[component]
fn SecretInput(state: FormState, field: SecretField, button: Button) -> impl IntoView {
    let (id, value) = (field.input(), state.secret(field));
    let words = move |of: fn(SecretPrompt) -> String| state.prompt(field).map(of);
    let problem = Memo::new(move |_| state.secret_problem(field));
    let is_unsealed = Memo::new(move |_| state.is_unsealed(field));
    let described_by = move || {
        let mut ids = format!("{id}-hint");
        for (is_there, name) in [(is_unsealed.get(), "unsealed"), (problem.with(Option::is_some), "error")] {
            if is_there {
                ids.push_str(&format!(" {id}-{name}"));
            }
        }
        ids
    };
    erased(view! {
        <label for=id>{move || words(|prompt| prompt.label)}</label>
        <p class="hint" id=format!("{id}-hint")>
            {move || words(|prompt| prompt.hint)}
            <OwnWord state=state id=id />
        </p>
        <input
            id=id
            name=id
            type="password"
            prop:value=move || value.get()
            on:input=move |event| value.set(event_target_value(&event))
            aria-describedby=described_by
            aria-invalid=move || problem.with(Option::is_some).then_some("true")
            autocomplete="off"
            data-1p-ignore="true"
            data-bwignore="true"
            data-lpignore="true"
            autocapitalize="none"
            spellcheck="false"
        />
        {move || {
            is_unsealed
                .get()
                .then(|| {
                    view! {
                        <p class="status incomplete" id=format!("{id}-unsealed")>
                            "Not encrypted yet"
                        </p>
                    }
                })
        }}
        <InputError id=id.to_owned() problem=problem />
        <div class="buttons">
            <button class="button" type="submit" name="intent" value=button.to_string()>
                {move || words(|prompt| prompt.button)}
            </button>
        </div>
    })
}
