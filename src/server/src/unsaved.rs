//! What becomes of a plain form whose post could not be taken in, for reasons of ours: a page with all that was typed,
//! but for secrets, from which it is sent again.

use crate::{
    error_page::{error_page, status_of},
    state::AppState,
};
use axum::response::Response;
use ipack_domain::{error::AppError, ids::unsegment, tokens::SecretField};
use ipack_web::pages::unsaved::{UnsavedForm, UnsavedView};
use leptos::prelude::*;

/// Where the connector form is posted to.
pub const CONNECTOR_POST: &str = "/api/connector";

/// The sign-in page's.
const PASSWORD: &str = "password";

/// Answers a form that was posted to `action` and not taken in.
pub async fn unsaved(state: AppState, error: AppError, action: &str, posted: &[u8]) -> Response {
    let form = form(action, posted);
    error_page(state, status_of(&error), move || {
        view! { <UnsavedView error=error.clone() form=form.clone() /> }
    })
    .await
}

fn form(action: &str, posted: &[u8]) -> UnsavedForm {
    let posted = String::from_utf8_lossy(posted);
    let mut form = UnsavedForm { action: action.to_owned(), fields: Vec::new(), secrets: Vec::new() };
    for (name, value) in posted.split('&').filter(|pair| !pair.is_empty()).map(form_pair) {
        match SecretField::ALL.into_iter().find(|secret| secret.input() == name) {
            Some(_) if value.is_empty() => {}
            Some(secret) => form.secrets.push(secret),
            None if name == PASSWORD => {}
            None => form.fields.push((name, value)),
        }
    }
    form
}

/// Name and value of one pair of `application/x-www-form-urlencoded`; what is no text is empty.
pub fn form_pair(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let plain = |text: &str| unsegment(&text.replace('+', " ")).unwrap_or_default();
    (plain(name), plain(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s22_what_is_shown_again_is_what_was_typed_without_secrets() {
        let posted = b"content%5Bbase_url%5D=a+b%26%C3%A9&client%5Fsecret=canary&user_password=&password=canary&intent=save";
        let UnsavedForm { action, fields, secrets } = form("/there", posted);
        let expected = [("content[base_url]", "a b&\u{e9}"), ("intent", "save")];
        assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((action.as_str(), secrets), ("/there", vec![SecretField::ClientSecret]));
    }
}
