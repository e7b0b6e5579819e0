//! `GET /auth/jwt/generate/{accountId}`: an API token in, a JWT out, both in plain text.
//!
//! Whatever is wrong with the credentials gets the same answer.
//!
//! Another way in is a route in [`crate::router`] and a handler here that fails in the same words.

use crate::{ApiContext, caller_address, request_id};
use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ipack_core::ServiceError;
use ipack_domain::error::{AppError, ErrorCode};

pub async fn generate(
    State(context): State<ApiContext>,
    account: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    if let Err(seconds) =
        context.settings.limits.check(&format!("address {}", caller_address(&parts.extensions)))
    {
        let message = format!("Too many requests. Try again in {seconds} seconds.");
        let mut response = plain(StatusCode::TOO_MANY_REQUESTS, message);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        return response;
    }
    let made = match (account, credentials(&parts.headers)) {
        (Ok(Path(account)), Some((username, token))) => {
            context.services.generate_jwt(&account, &username, &token).await
        }
        _ => Err(ServiceError::Unauthorized),
    };
    match made {
        Ok(jwt) => plain(StatusCode::OK, jwt),
        Err(ServiceError::Unauthorized) => {
            let message = "The account, the username or the token is not right.".to_owned();
            let mut response = plain(StatusCode::UNAUTHORIZED, message);
            let challenge = HeaderValue::from_static("Basic realm=\"API tokens\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            response
        }
        Err(error) => failed(error.into_app_error(&request_id(&parts))),
    }
}

/// Username and token of a Basic header.
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (username, token) = decoded.split_once(':')?;
    Some((username.to_owned(), token.to_owned()))
}

fn failed(error: AppError) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let AppError { code, mut message, request_id, .. } = error;
    if let (ErrorCode::GenericSystemError | ErrorCode::Busy, Some(id)) = (code, request_id) {
        message = format!("{message} Request {id}.");
    }
    plain(status, message)
}

fn plain(status: StatusCode, text: String) -> Response {
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (status, headers, text).into_response()
}
