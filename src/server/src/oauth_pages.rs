//! The pages that a browser sees on its way to an identity provider and back.
//!
//! ```text
//! form ─▶ /oauth/attempts/{id} ─▶ provider ─▶ /oauth/callback/{account}/{provider} ─▶ /oauth/attempts/{id} ─▶ form
//! ```
//!
//! They are told apart from everybody else's by a cookie of the browser that began the attempt; it is Lax, because
//! the provider's answer comes from another site. Nobody has to be signed in: a session may end while a person is
//! there.

use crate::{
    error_page::{error_page, failure},
    state::AppState,
};
use axum::{
    Extension,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header::REFERRER_POLICY},
    response::{IntoResponse, Redirect, Response},
};
use ipack_core::{
    ServiceError,
    tokens::{attempt::AttemptPage, authorization_return::Returned},
};
use ipack_domain::{
    error::{AppError, ErrorCode},
    tokens::Stage,
};
use ipack_web::pages::attempt::{AttemptProgress, LONGEST_IN_HEADER, attempt_path};
use ipack_web::{
    flow_cookie::flow_cookie,
    request_context::{CurrentAdmin, id_text},
};
use leptos::prelude::*;
use tower_http::request_id::RequestId;
use uuid::Uuid;

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
        Stage::Opening => {
            let url = page.authorization_url.as_ref().filter(|url| url.len() <= LONGEST_IN_HEADER);
            url.map(|url| format!("0; url={url}"))
        }
        Stage::Initializing => Some("1".to_owned()),
        Stage::Succeeded | Stage::Failed => None,
    };
    let mut response = error_page(state, StatusCode::OK, move || {
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
