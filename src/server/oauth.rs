//! The pages that a browser sees on its way to an identity provider and back.
//!
//! ```text
//! form ─▶ /oauth/attempts/{id} ─▶ provider ─▶ /oauth/callback/{account}/{provider} ─▶ /oauth/attempts/{id} ─▶ form
//! ```
//!
//! They are told apart from everybody else's by a cookie of the browser that began the attempt; it is Lax, because the
//! provider's answer comes from another site. Nobody has to be signed in: a session may end while a person is there.
//! Another page of this way gets its route in `server::pages` and its path in [`is_open`].

use super::{
    door::{CurrentAdmin, id_text},
    lone_page::{failure, lone_page},
    state::AppState,
};
use crate::{
    domain::tokens::Stage,
    error::{AppError, ErrorCode},
    pages::attempt::AttemptProgress,
    services::{
        ServiceError,
        authorization::{AttemptPage, Returned, attempt_path},
    },
};
use axum::{
    Extension,
    extract::{Path, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{COOKIE, REFERRER_POLICY},
    },
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use tower_http::request_id::RequestId;
use uuid::Uuid;

/// Days that a browser keeps the cookie: it tells browsers apart and lets nobody in.
const COOKIE_SECONDS: u32 = 30 * 24 * 3_600;

fn cookie_name(is_https: bool) -> &'static str {
    if is_https { "__Host-ipack_flow" } else { "ipack_flow" }
}

/// The value of the browser's cookie for these flows, where it has one that we could have given.
pub fn flow_cookie(headers: &HeaderMap, is_https: bool) -> Option<String> {
    let name = cookie_name(is_https);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
        .filter(|value| {
            value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        })
}

/// The header that gives a browser this cookie.
pub fn set_flow_cookie(value: &str, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    format!(
        "{}={value}; HttpOnly; SameSite=Lax{secure}; Path=/; Max-Age={COOKIE_SECONDS}",
        cookie_name(is_https)
    )
}

/// Whether a path is on this way, where nobody has to be signed in.
pub fn is_open(path: &str) -> bool {
    path.starts_with("/oauth/callback/") || path.starts_with("/oauth/attempts/")
}

/// What the provider brings back. The code leaves the address at once: the answer sends the browser on.
pub async fn callback(
    State(state): State<AppState>,
    Extension(admin): Extension<CurrentAdmin>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let browser = flow_cookie(&parts.headers, state.config.is_https());
    let returned = Returned {
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        browser: browser.as_deref(),
        admin: admin.0.as_ref(),
    };
    let response = match state.services.authorization_returned(returned).await {
        Ok(id) => Redirect::to(&attempt_path(id)).into_response(),
        Err(ServiceError::NotFound) => failure(state, true, lost()).await,
        Err(error) => failure(state, true, error.into_app_error(&id_text(&request_id))).await,
    };
    guarded(response)
}

/// The page of an attempt: sends the browser to the provider, shows progress, and leads back to the form.
pub async fn attempt(
    State(state): State<AppState>,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let browser = flow_cookie(&headers, state.config.is_https());
    let Ok(id) = Uuid::parse_str(&id) else { return guarded(failure(state, true, lost()).await) };
    let page = match state.services.attempt_page(id, browser.as_deref()).await {
        Ok(page) => page,
        Err(ServiceError::NotFound) => return guarded(failure(state, true, lost()).await),
        Err(error) => {
            return guarded(failure(state, true, error.into_app_error(&id_text(&request_id))).await);
        }
    };
    if page.stage.is_over() && !page.is_in_window {
        return guarded(Redirect::to(&format!("{}#token", page.key.form_path())).into_response());
    }
    guarded(progress(state, page).await)
}

async fn progress(state: AppState, page: AttemptPage) -> Response {
    // Where to, and after how many seconds.
    let refresh = match page.stage {
        Stage::Opening => page.authorization_url.as_ref().map(|url| format!("0; url={url}")),
        Stage::Initializing => Some("1".to_owned()),
        Stage::Succeeded | Stage::Failed => None,
    };
    let mut response = lone_page(state, StatusCode::OK, move || {
        view! { <AttemptProgress page=page.clone() /> }
    })
    .await;
    if let Some(value) = refresh.and_then(|value| HeaderValue::from_str(&value).ok()) {
        response.headers_mut().insert("refresh", value);
    }
    response
}

/// S15: neither the code nor the state goes to anybody in a referrer. That nothing is stored is every page's rule.
fn guarded(mut response: Response) -> Response {
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn lost() -> AppError {
    AppError::new(
        ErrorCode::BadUserInput,
        "This answer of an identity provider belongs to no attempt of this browser: it ran out, was used before, or \
         began elsewhere. Go back to the connection’s form and generate the token again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s35_the_cookie_is_for_this_host_alone_and_no_script() {
        let value = "a".repeat(43);
        let set = set_flow_cookie(&value, true);
        for part in ["__Host-ipack_flow=", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/;"] {
            assert!(set.contains(part), "{set} lacks {part}");
        }
        assert!(!set_flow_cookie(&value, false).contains("Secure"));
        let headers = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_str(text).expect("a header"));
            headers
        };
        assert_eq!(flow_cookie(&headers(&format!("a=b; ipack_flow={value}")), false), Some(value.clone()));
        assert_eq!(flow_cookie(&headers(&format!("ipack_flow={value}")), true), None);
        for bad in ["short", &"é".repeat(30), &" ".repeat(43)] {
            assert_eq!(flow_cookie(&headers(&format!("ipack_flow={bad}")), false), None, "{bad}");
        }
    }
}
