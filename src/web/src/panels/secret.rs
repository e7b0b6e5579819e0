//! What is known of the client secret and the user's password: who encrypted them, what waits, what is asked for now.

use super::{html, question::Question};
use crate::components::labels::When;
use crate::form::view::SecretPrompt;
use crate::views::{ConnectorView, CredentialsView, Encrypted, SecretState};
use ipack_domain::{button::Button, post::Outcome};
use leptos::prelude::*;

pub fn client_secret(view: &ConnectorView) -> String {
    let credentials = &view.credentials;
    let question = || asks_to_reset(view).then(|| view! { <ConfirmReset view=view.clone() /> });
    match credentials.secret.clone() {
        SecretState::Missing if !credentials.needs_secret => html(view! {
            <p class="label">"Client secret"</p>
            <p class="hint">"This client needs none: it proves itself by PKCE."</p>
        }),
        SecretState::Missing => String::new(),
        SecretState::Encrypted(encrypted) => html(view! {
            <p class="label">"Client secret"</p>
            <EncryptedBy encrypted=encrypted />
            <div class="buttons">
                <ResetButton class="button" />
            </div>
            {question()}
            {credentials.replacement.clone().map(|waiting| view! { <Replacement waiting=waiting /> })}
        }),
        SecretState::Unbound { encrypted, changed } => {
            let what = match changed.as_slice() {
                [] => "where it may be sent".to_owned(),
                [only] => only.clone(),
                [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
            };
            html(view! {
                <div class="notice warn" id="unbound">
                    <p>
                        {format!(
                            "Enter the secret again: {what} changed since {} encrypted it. A secret is sent only to where it was entered for.",
                            encrypted.by,
                        )}
                    </p>
                    <div class="buttons">
                        <ResetButton class="button quiet" />
                    </div>
                </div>
                {question()}
            })
        }
    }
}

pub fn client_secret_prompt(credentials: &CredentialsView) -> Option<SecretPrompt> {
    const FOR_NOW: &str = "Encrypted once, and never shown again, to anyone.";
    const KEY: &str = "The private key, as PEM text (PKCS#8). Encrypted once, and never shown again.";
    const LATER: &str =
        "Waits until a token has been generated with it, and then takes the place of the one in use.";
    let is_folded = matches!(credentials.secret, SecretState::Encrypted(_));
    let is_asked = credentials.needs_secret || !matches!(credentials.secret, SecretState::Missing);
    let (label, hint, button) = match is_folded {
        true => ("New secret", LATER, "Encrypt replacement"),
        false => {
            let hint = if credentials.has_private_key { KEY } else { FOR_NOW };
            ("Client Secret", hint, "Encrypt Client Secret")
        }
    };
    is_asked.then(|| prompt(label, hint, button, is_folded))
}

pub fn password(credentials: &CredentialsView) -> String {
    match &credentials.password {
        SecretState::Encrypted(encrypted) if credentials.needs_password => {
            html(view! { <EncryptedBy encrypted=encrypted.clone() /> })
        }
        _ => String::new(),
    }
}

pub fn password_prompt(credentials: &CredentialsView) -> Option<SecretPrompt> {
    const HINT: &str =
        "Of the person or service account named as subject. Encrypted once, and never shown again.";
    credentials.needs_password.then(|| prompt("User’s password", HINT, "Encrypt password", false))
}

fn prompt(label: &str, hint: &str, button: &str, is_folded: bool) -> SecretPrompt {
    SecretPrompt { label: label.to_owned(), hint: hint.to_owned(), button: button.to_owned(), is_folded }
}

fn asks_to_reset(view: &ConnectorView) -> bool {
    view.outcome == Outcome::ResetToConfirm && view.credentials.token.is_some()
}

#[component]
fn EncryptedBy(encrypted: Encrypted) -> impl IntoView {
    view! {
        <p class="status configured">
            <span>{format!("Encrypted by {} ", encrypted.by)} <When moment=encrypted.at /></span>
        </p>
    }
}

#[component]
fn ResetButton(class: &'static str) -> impl IntoView {
    view! {
        <button class=class type="submit" name="intent" value=Button::ResetSecret.to_string()>
            "Reset Client Secret"
        </button>
    }
}

#[component]
fn ConfirmReset(view: ConnectorView) -> impl IntoView {
    let can_be_revoked = view.credentials.token.as_ref().is_some_and(|token| token.can_be_revoked);
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
    let back = format!("{}#credentials", view.key.form_path());
    view! { <Question id="confirm-reset" what=what button=Button::ResetSecretConfirmed label=label back=back /> }
}

/// Another secret beside the one in use.
#[component]
fn Replacement(waiting: Encrypted) -> impl IntoView {
    view! {
        <div class="notice">
            <p>
                {format!("{} encrypted a replacement ", waiting.by)} <When moment=waiting.at />
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
}
