//! `GET /auth/jwt/generate/{accountId}`: an API token in, a JWT out, both in plain text.
//!
//! Whatever is wrong with the credentials gets the same answer.

use crate::{ApiContext, caller_address, request_id};
use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use headers::{Authorization, HeaderMapExt, authorization::Basic};
use ipack_core::ServiceError;
use ipack_domain::error::{AppError, ErrorCode};
use std::sync::Arc;

pub async fn generate(
    State(context): State<Arc<ApiContext>>,
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
    let made = match (account, parts.headers.typed_get::<Authorization<Basic>>()) {
        (Ok(Path(account)), Some(Authorization(basic))) => {
            context.services.generate_jwt(&account, basic.username(), basic.password()).await
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

fn failed(error: AppError) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let AppError { code, mut message, request_id, .. } = error;
    if let (ErrorCode::GenericSystemError | ErrorCode::TemporarilyUnavailable, Some(id)) = (code, request_id)
    {
        message = format!("{message} Request {id}.");
    }
    plain(status, message)
}

fn plain(status: StatusCode, text: String) -> Response {
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (status, headers, text).into_response()
}
