//! The sign-in page's other half: plain form posts and sessions.

use crate::session_store::ADMIN_ID;
use crate::{
    carry,
    error_page::{error_page, failure, status_of},
    state::AppState,
};
use axum::{
    Extension, Form,
    extract::State,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Redirect, Response},
};
use ipack_core::caller_limits::ClientAddress;
use ipack_core::{ServiceError, Services, access::Admin};
use ipack_domain::{
    error::{AppError, ErrorCode},
    time::Timestamp,
};
use ipack_web::pages::sign_in::{SignInAttempt, SignInView};
use ipack_web::request_context::{CurrentAdmin, id_text};
use leptos::prelude::*;
use serde::Deserialize;
use tower_http::request_id::RequestId;
use tower_sessions::{Session, session, session_store};
use uuid::Uuid;

const SIGNED_IN_AT: &str = "signed_in_at";
const LAST_SEEN_AT: &str = "last_seen_at";
/// A session's last use is written at most this often: reading pages should not write.
const LAST_SEEN_STEP_SECONDS: i64 = 30;

/// The admin whose session this is, if it is neither idle for too long nor too old.
pub async fn current_admin(
    state: &AppState,
    session: &Session,
    request_id: &str,
) -> Result<Option<Admin>, AppError> {
    let session_error = |error| session_error(&error, request_id);
    let now = state.services.clock.now();
    let found = session_facts(session).await.map_err(session_error)?;
    let Some((id, signed_in_at, last_seen_at)) = found else { return Ok(None) };
    let too_old = now >= signed_in_at.plus_seconds(state.config.session_absolute_seconds);
    let too_idle = now >= last_seen_at.plus_seconds(state.config.session_idle_seconds);
    let admin = match state.services.admin_of_session(id, signed_in_at).await {
        Ok(admin) if !too_old && !too_idle => admin,
        Ok(_) | Err(ServiceError::Unauthorized) => {
            // It is over whether its row can be removed or not.
            if let Err(error) = session.flush().await {
                tracing::warn!(request_id, error = %error, "a session that is over could not be removed");
            }
            return Ok(None);
        }
        Err(error) => return Err(error.into_app_error(request_id)),
    };
    let step = LAST_SEEN_STEP_SECONDS.min(state.config.session_idle_seconds / 4);
    if now >= last_seen_at.plus_seconds(step) {
        session.insert(LAST_SEEN_AT, now).await.map_err(session_error)?;
    }
    Ok(Some(admin))
}

type Facts = (Uuid, Timestamp, Timestamp);

async fn session_facts(session: &Session) -> Result<Option<Facts>, session::Error> {
    let id = session.get::<String>(ADMIN_ID).await?.and_then(|id| Uuid::parse_str(&id).ok());
    let signed_in_at = session.get(SIGNED_IN_AT).await?;
    let last_seen_at = session.get(LAST_SEEN_AT).await?;
    Ok(id.zip(signed_in_at).zip(last_seen_at).map(|((id, signed_in), seen)| (id, signed_in, seen)))
}

fn session_error(error: &session::Error, request_id: &str) -> AppError {
    tracing::error!(request_id, error = %error, "a session could not be read or written");
    let error = match error {
        session::Error::Store(session_store::Error::Backend(_)) => AppError::new(
            ErrorCode::TemporarilyUnavailable,
            "The database cannot be written to or reached at the moment. Try again later.",
        ),
        _ => AppError::new(ErrorCode::GenericSystemError, "Something went wrong on the server."),
    };
    AppError { request_id: Some(request_id.to_owned()), ..error }
}

#[derive(Deserialize)]
pub struct SignInForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
    /// What `carry` put there.
    #[serde(default)]
    carried: String,
}

/// `POST /login`
pub async fn sign_in(
    State(state): State<AppState>,
    Extension(address): Extension<ClientAddress>,
    Extension(request_id): Extension<RequestId>,
    session: Session,
    Form(form): Form<SignInForm>,
) -> Response {
    let attempt = SignInAttempt {
        email: form.email.clone(),
        next: local_path(&form.next),
        carried: form.carried.clone(),
        message: None,
    };
    let request_id = id_text(&request_id);
    let email = form.email.trim().to_lowercase();
    if let Err(seconds) = state.sign_ins.begin(address.0, &email) {
        let message = format!("Too many attempts. Try again in {seconds} seconds.");
        let mut response = page(state, attempt.with_message(message), StatusCode::TOO_MANY_REQUESTS).await;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        return response;
    }
    let outcome = state.services.sign_in(&email, form.password).await;
    if !matches!(outcome, Err(ServiceError::Unauthorized)) {
        state.sign_ins.did_not_fail(address.0, &email);
    }
    let admin = match outcome {
        Ok(admin) => admin,
        Err(ServiceError::Unauthorized) => {
            let message = "That email and password do not match.".to_owned();
            return page(state, attempt.with_message(message), StatusCode::UNAUTHORIZED).await;
        }
        Err(error) => return not_at_the_moment(state, attempt, error.into_app_error(&request_id)).await,
    };
    if let Err(error) = begin_session(&state.services, &session, &admin).await {
        return not_at_the_moment(state, attempt, session_error(&error, &request_id)).await;
    }
    match carry::deliver(&state, &admin, &form.carried).await {
        Ok(Some(key)) => Redirect::to(&key.form_path()).into_response(),
        Ok(None) => Redirect::to(&attempt.next).into_response(),
        // The page still carries what was typed.
        Err(error) => not_at_the_moment(state, attempt, error.into_app_error(&request_id)).await,
    }
}

/// Signing in goes wrong on our side; what was typed, but for the password, is still there.
async fn not_at_the_moment(state: AppState, attempt: SignInAttempt, error: AppError) -> Response {
    let status = status_of(&error);
    let message = format!("{} Request {}.", error.message, error.request_id.unwrap_or_default());
    page(state, attempt.with_message(message), status).await
}

/// A new id at each sign-in, so that one known from before is worth nothing.
async fn begin_session(services: &Services, session: &Session, admin: &Admin) -> Result<(), session::Error> {
    let now = services.clock.now();
    session.clear().await;
    session.cycle_id().await?;
    session.insert(ADMIN_ID, admin.id.to_string()).await?;
    // A password that was changed before the clock was set back is not newer than this.
    session.insert(SIGNED_IN_AT, now.max(admin.password_changed_at)).await?;
    session.insert(LAST_SEEN_AT, now).await?;
    // Now, and not with the answer: where it cannot be kept, that has to be said.
    session.save().await
}

/// `POST /logout`
pub async fn sign_out(
    State(state): State<AppState>,
    Extension(CurrentAdmin(admin)): Extension<CurrentAdmin>,
    Extension(request_id): Extension<RequestId>,
    session: Session,
) -> Response {
    let request_id = id_text(&request_id);
    if let Err(error) = session.flush().await {
        return failure(state, true, session_error(&error, &request_id)).await;
    }
    if let Some(admin) = admin
        && let Err(error) = state.services.signed_out(&admin).await
    {
        return failure(state, true, error.into_app_error(&request_id)).await;
    }
    Redirect::to("/login").into_response()
}

/// Answers a post without a session that has nothing worth carrying.
pub async fn ended(state: AppState) -> Response {
    let message = Some("Your session ended. Sign in to go on.".to_owned());
    let attempt = SignInAttempt { next: "/".to_owned(), message, ..SignInAttempt::default() };
    page(state, attempt, StatusCode::UNAUTHORIZED).await
}

/// Only paths of this site: `/…`, but neither `//host` nor anything a browser would read as one.
fn local_path(next: &str) -> String {
    let fine = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.bytes().all(|byte| byte.is_ascii_graphic());
    if fine { next.to_owned() } else { "/".to_owned() }
}

pub(crate) async fn page(state: AppState, attempt: SignInAttempt, status: StatusCode) -> Response {
    error_page(state, status, move || view! { <SignInView attempt=attempt.clone() /> }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s16_only_paths_of_this_site_are_gone_back_to() {
        for bad in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:1",
            "/a\r\nb",
            "/a b",
        ] {
            assert_eq!(local_path(bad), "/", "{bad:?}");
        }
        assert_eq!(local_path("/spaces/a%2Fb/instances/1?x=1"), "/spaces/a%2Fb/instances/1?x=1");
    }
}
