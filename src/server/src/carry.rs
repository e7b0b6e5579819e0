//! What was typed into a form while its session ended: without JavaScript it goes through signing in, and is the admin's
//! draft after it. A small form stands in the sign-in page; a large one waits in the database, where the browser is one
//! that somebody has signed in with.

use crate::{
    error_page::too_large,
    known_browser,
    sign_in::page,
    state::AppState,
    unsaved::{CONNECTOR_POST, form_pair, unsaved},
};
use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use ipack_core::{
    ServiceError,
    access::Admin,
    connector::{carried::CarriedForm, submission::Submission},
};
use ipack_domain::{
    button::Button,
    form::FormContent,
    ids::ConnectionKey,
    post::{Base, Choices},
    tokens::SECRET_FIELDS,
};
use ipack_web::{pages::sign_in::SignInAttempt, request_context};
use serde::Deserialize;

/// The largest form that the sign-in page itself carries, and that anybody may post without a session; in bytes.
const IN_PAGE: usize = 32 * 1_024;
/// The largest sign-in, in bytes: a form in it is escaped a second time, where a character can take three.
pub const SIGN_IN_LIMIT: usize = 3 * IN_PAGE + 8 * 1_024;
/// What the sign-in page carries in the place of a form that waits in the database.
const WAITING: &str = "waiting=";

/// How large a form may be, in bytes, of whose sender nothing else is known.
pub fn limit(state: &AppState, headers: &HeaderMap) -> usize {
    let limit = state.config.form_limit();
    if known_browser::last_admin(state, headers).is_some() { limit } else { IN_PAGE.min(limit) }
}

/// Answers a form that was posted without a session by the sign-in page, which carries it.
pub async fn carry(state: AppState, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let admin = known_browser::last_admin(&state, &parts.headers);
    let Ok(body) = axum::body::to_bytes(body, limit(&state, &parts.headers)).await else {
        return too_large(state, true).await;
    };
    let posted = String::from_utf8_lossy(&body);
    let has_secret = secrets_in(&posted).any(|value| !value.is_empty());
    let form = without_secrets(&posted);
    drop(posted);
    drop(body);
    let read = read(&form);
    let next = read.as_ref().map_or_else(|| "/".to_owned(), |form| form.key.form_path());
    let carried = match (admin, read) {
        (Some(admin), Some(read)) if form.len() > IN_PAGE => {
            match state.services.keep_carried_form(admin, read).await {
                Ok(handle) => format!("{WAITING}{handle}"),
                Err(error) => {
                    let request_id = request_context::request_id(&parts);
                    let error = error.into_app_error(&request_id);
                    return unsaved(state, error, CONNECTOR_POST, form.as_bytes()).await;
                }
            }
        }
        (_, _) if form.len() > IN_PAGE => return too_large(state, true).await,
        (_, _) => form,
    };
    let kept =
        if has_secret { "what you typed is kept, but for the secret" } else { "what you typed is kept" };
    let message = format!("Your session ended. Sign in to go on; {kept}.");
    let attempt = SignInAttempt { email: String::new(), next, carried, message: Some(message) };
    page(state, attempt, StatusCode::UNAUTHORIZED).await
}

/// Makes what the sign-in page carried the draft of whoever signed in; answers whose form it is. What is not theirs to
/// see is nobody's.
///
/// # Errors
/// Where it cannot be read or kept; the page still carries it then.
pub async fn deliver(
    state: &AppState,
    admin: &Admin,
    carried: &str,
) -> Result<Option<ConnectionKey>, ServiceError> {
    let services = &state.services;
    let handle = carried.strip_prefix(WAITING);
    let form = match handle {
        Some(handle) => services.carried_form(handle).await?,
        None => read(carried),
    };
    let Some(form) = form else { return Ok(None) };
    let key = form.key.clone();
    let delivered = match services.submit(admin, &key, submission(form)).await {
        Ok(_) => Some(key),
        Err(ServiceError::NotFound) => None,
        Err(error) => return Err(error),
    };
    if let Some(handle) = handle {
        services.forget_carried_form(handle).await?;
    }
    Ok(delivered)
}

/// A posted form without what was typed into its inputs for secrets: those are not written into any page.
fn without_secrets(form: &str) -> String {
    form.split('&').filter(|pair| !is_secret(pair)).collect::<Vec<_>>().join("&")
}

fn secrets_in(form: &str) -> impl Iterator<Item = &str> {
    form.split('&')
        .filter(|pair| is_secret(pair))
        .filter_map(|pair| pair.split_once('='))
        .map(|(_, value)| value)
}

/// Whether this is an input for a secret, however the characters of its name are escaped.
fn is_secret(pair: &str) -> bool {
    SECRET_FIELDS.contains(&form_pair(pair).0.as_str())
}

/// A form as a page posts it.
fn read(form: &str) -> Option<CarriedForm> {
    #[derive(Deserialize)]
    struct Posted {
        key: ConnectionKey,
        #[serde(default)]
        intent: String,
        #[serde(default)]
        base: String,
        #[serde(default)]
        content: FormContent,
    }
    let Posted { key, intent, base, content } = serde_qs::Config::new(5, false).deserialize_str(form).ok()?;
    Some(CarriedForm { key, intent, base: Base::parse(&base), content })
}

/// What a carried form asks for: to be kept. Nothing is put into effect by signing in.
fn submission(form: CarriedForm) -> Submission {
    // Whatever the button was, what was typed is kept; of buttons only those count that change what is typed.
    let button = match Button::parse(&form.intent) {
        Some(button @ (Button::AddRow(_) | Button::DeleteRow(..))) => button,
        Some(_) | None => Button::Keep,
    };
    Submission { button, choices: Choices::default(), base: form.base, content: form.content }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s22_a_secret_is_not_carried_through_signing_in() {
        let form = "intent=save&client_secret=canary&content%5Bbase_url%5D=x&client%5Fsecret=canary&user_password=canary";
        assert_eq!(without_secrets(form), "intent=save&content%5Bbase_url%5D=x");
    }
}
