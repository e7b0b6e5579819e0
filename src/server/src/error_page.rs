//! Pages that no route of the application renders: signing in, and what went wrong before there could be a page.

use crate::state::AppState;
use axum::{
    Json,
    body::Body,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ipack_domain::error::{AppError, ErrorCode};
use ipack_web::pages::frame::Failure;
use ipack_web::shell::shell;
use leptos::prelude::*;

/// One view in the document that all pages share.
pub async fn error_page<V: IntoView + 'static>(
    state: AppState,
    status: StatusCode,
    view: impl Fn() -> V + Clone + Send + Sync + 'static,
) -> Response {
    let context = move || provide_context(state.web_context());
    let render = leptos_axum::render_app_async_with_context(context, move || shell(view()));
    let mut response = render(Request::new(Body::empty())).await;
    *response.status_mut() = status;
    response
}

pub fn status_of(error: &AppError) -> StatusCode {
    StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// An error as JSON, with its status.
pub fn error_response(error: AppError) -> Response {
    (status_of(&error), Json(error)).into_response()
}

/// An error as a page for who asked for one, as JSON for everybody else.
pub async fn failure(state: AppState, is_page: bool, error: AppError) -> Response {
    if !is_page {
        return error_response(error);
    }
    error_page(state, status_of(&error), move || {
        view! {
            <main class="page" id="main">
                <Failure error=error.clone() />
            </main>
        }
    })
    .await
}

/// A form beyond the limit.
pub async fn too_large(state: AppState, is_page: bool) -> Response {
    let error = AppError::new(ErrorCode::BadUserInput, "The form is too large to be kept.");
    let mut response = failure(state, is_page, error).await;
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}
