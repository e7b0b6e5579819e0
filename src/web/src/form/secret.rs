//! The client secret: typed once, encrypted, never shown again; replaced and reset.
//!
//! What is typed into these inputs is no part of the form that is kept: it stays here until a button that saves has
//! sealed it.

use crate::components::labels::When;
use crate::form::{fields::OwnWord, input_error::InputError, question::Question, state::FormState};
use crate::views::{Encrypted, SecretState};
use ipack_domain::{
    button::Button,
    post::Outcome,
    tokens::{CredentialField, SecretField},
};
use leptos::{either::EitherOf4, prelude::*};

#[component]
pub fn ClientSecret(state: FormState) -> impl IntoView {
    let credentials = Memo::new(move |_| state.view.with(|view| view.credentials.clone()));
    let secret = Memo::new(move |_| credentials.with(|view| view.secret.clone()));
    let needs_secret = Memo::new(move |_| credentials.with(|view| view.needs_secret));
    let has_private_key = Memo::new(move |_| credentials.with(|view| view.has_private_key));
    let has_token = Memo::new(move |_| credentials.with(|view| view.token.is_some()));
    let asks = Memo::new(move |_| {
        has_token.get() && state.view.with(|view| view.outcome == Outcome::ResetToConfirm)
    });
    let hint = move || match (needs_secret.get(), has_private_key.get()) {
        (false, _) => "This client needs none: it proves itself by PKCE.",
        (true, true) => "The private key, as PEM text (PKCS#8). Encrypted once, and never shown again.",
        (true, false) => "Encrypted once, and never shown again, to anyone.",
    };
    view! {
        <div class="field wide secret" id="credentials" tabindex="-1">
            {move || match secret.get() {
                SecretState::Missing if !needs_secret.get() => {
                    EitherOf4::D(
                        view! {
                            <p class="label">"Client secret"</p>
                            <p class="hint">{hint()}</p>
                        },
                    )
                }
                SecretState::Missing => {
                    EitherOf4::A(
                        view! {
                            <SecretInput state=state hint=hint().to_owned() />
                            <div class="buttons">
                                <button
                                    class="button"
                                    type="submit"
                                    name="intent"
                                    value=Button::EncryptSecret.to_string()
                                >
                                    "Encrypt Client Secret"
                                </button>
                            </div>
                        },
                    )
                }
                SecretState::Encrypted(encrypted) => {
                    EitherOf4::B(
                        view! {
                            <p class="label">"Client secret"</p>
                            <EncryptedBy encrypted=encrypted />
                            <div class="buttons">
                                <button
                                    class="button"
                                    type="submit"
                                    name="intent"
                                    value=Button::ResetSecret.to_string()
                                >
                                    "Reset Client Secret"
                                </button>
                            </div>
                            {move || asks.get().then(|| view! { <ConfirmReset state=state /> })}
                            <Replacement state=state />
                        },
                    )
                }
                SecretState::Unbound { encrypted, changed } => {
                    let what = match changed.as_slice() {
                        [] => "where it may be sent".to_owned(),
                        [only] => only.clone(),
                        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
                    };
                    EitherOf4::C(
                        view! {
                            <div class="notice warn" id="unbound">
                                <p>
                                    {format!(
                                        "Enter the secret again: {what} changed since {} encrypted it. A secret is sent only to where it was entered for.",
                                        encrypted.by,
                                    )}
                                </p>
                            </div>
                            <SecretInput state=state hint=hint().to_owned() />
                            <div class="buttons">
                                <button
                                    class="button"
                                    type="submit"
                                    name="intent"
                                    value=Button::EncryptSecret.to_string()
                                >
                                    "Encrypt Client Secret"
                                </button>
                                <button
                                    class="button quiet"
                                    type="submit"
                                    name="intent"
                                    value=Button::ResetSecret.to_string()
                                >
                                    "Reset Client Secret"
                                </button>
                            </div>
                            {move || asks.get().then(|| view! { <ConfirmReset state=state /> })}
                        },
                    )
                }
            }}
        </div>
        <UserPassword state=state />
    }
    .into_any()
}

/// What is wrong with a secret, beside its input.
fn problem_of(state: FormState, field: SecretField) -> Memo<Option<String>> {
    let field = CredentialField::Secret(field);
    Memo::new(move |_| {
        state.view.with(|view| {
            let problem = view.credentials.problems.iter().find(|problem| problem.field == field);
            problem.map(|problem| problem.message.clone())
        })
    })
}

#[component]
fn SecretInput(
    state: FormState,
    #[prop(into)] hint: String,
    #[prop(default = "Client Secret")] label: &'static str,
    #[prop(default = SecretField::ClientSecret)] field: SecretField,
) -> impl IntoView {
    let (id, value) = (field.input(), state.secret(field));
    let problem = problem_of(state, field);
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
    view! {
        <label for=id>{label}</label>
        <p class="hint" id=format!("{id}-hint")>
            {hint}
            <OwnWord state=state id=id />
        </p>
        <input
            id=id
            name=id
            type="password"
            prop:value=move || value.get()
            on:input=move |event| value.set(event_target_value(&event))
            aria-describedby=described_by
            aria-invalid=move || problem.get().map(|_| "true")
            autocomplete="new-password"
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
    }
    .into_any()
}

#[component]
fn EncryptedBy(encrypted: Encrypted) -> impl IntoView {
    view! {
        <p class="status configured">
            <span>{format!("Encrypted by {} ", encrypted.by)} <When moment=encrypted.at /></span>
        </p>
    }
    .into_any()
}

#[component]
fn ConfirmReset(state: FormState) -> impl IntoView {
    let can_be_revoked = state
        .view
        .with_untracked(|view| view.credentials.token.as_ref().is_some_and(|token| token.can_be_revoked));
    let (what, label) = if can_be_revoked {
        (
            "The secret is forgotten, and the token is revoked at the provider and forgotten too. Integrations that use it stop working until another token is generated.",
            "Reset and revoke",
        )
    } else {
        (
            "The secret and the token are forgotten; the provider has no way to revoke the token, so it stays valid there until it runs out. Integrations stop getting it from here.",
            "Reset and forget",
        )
    };
    view! {
        <Question
            state=state
            id="confirm-reset"
            what=what
            button=Button::ResetSecretConfirmed
            label=label
            place="#credentials"
        />
    }
}

/// Another secret beside the one in use.
#[component]
fn Replacement(state: FormState) -> impl IntoView {
    let waiting = Memo::new(move |_| state.view.with(|view| view.credentials.replacement.clone()));
    let field = SecretField::ClientSecret;
    let problem = problem_of(state, field);
    // What was typed before somebody else encrypted one is in view, too; it does not fold away while it is typed in.
    let is_open = move || problem.with(Option::is_some) || untrack(|| state.is_unsealed(field));
    view! {
        {move || {
            waiting
                .get()
                .map(|waiting| {
                    view! {
                        <div class="notice">
                            <p>
                                {format!("{} encrypted a replacement ", waiting.by)}
                                <When moment=waiting.at />
                                ". The next token verifies it; until then the one in use stays."
                            </p>
                            <div class="buttons">
                                <button
                                    class="button quiet"
                                    type="submit"
                                    name="intent"
                                    value=Button::DiscardReplacement.to_string()
                                >
                                    "Discard the replacement"
                                </button>
                            </div>
                        </div>
                    }
                })
        }}
        <details class="advanced" open=is_open>
            <summary>"Replace it"</summary>
            <SecretInput
                state=state
                label="New secret"
                hint="Waits until a token has been generated with it, and then takes the place of the one in use."
            />
            <div class="buttons">
                <button class="button" type="submit" name="intent" value=Button::EncryptSecret.to_string()>
                    "Encrypt replacement"
                </button>
            </div>
        </details>
    }
    .into_any()
}

/// The user's password, for the password grant alone.
#[component]
fn UserPassword(state: FormState) -> impl IntoView {
    let is_needed = Memo::new(move |_| state.view.with(|view| view.credentials.needs_password));
    let password = Memo::new(move |_| state.view.with(|view| view.credentials.password.clone()));
    move || {
        is_needed.get().then(|| {
            let encrypted = match password.get() {
                SecretState::Encrypted(encrypted) => Some(view! { <EncryptedBy encrypted=encrypted /> }),
                _ => None,
            };
            view! {
                <div class="field wide secret">
                    <SecretInput
                        state=state
                        label="User’s password"
                        field=SecretField::Password
                        hint="Of the person or service account named as subject. Encrypted once, and never shown again."
                    />
                    {encrypted}
                    <div class="buttons">
                        <button
                            class="button"
                            type="submit"
                            name="intent"
                            value=Button::EncryptPassword.to_string()
                        >
                            "Encrypt password"
                        </button>
                    </div>
                </div>
            }
        })
    }
}
