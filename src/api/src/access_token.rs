//! `GET /api/v1/access-token`: the access token of a connection, for shell scripts and runtimes without GraphQL.
//!
//! The same as `iPackInstanceOauthAccessToken`, with its arguments as parameters of the address and its answer as JSON.
//! What goes wrong is JSON too, with the code, the sentence and the field that GraphQL has.

use crate::{
    ApiContext, errors, http, request_id,
    schema::{
        inputs::{FindInput, Given, wanted},
        objects::AccessToken,
    },
};
use axum::{
    Json,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderName, HeaderValue, StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use ipack_core::access::Client;
use ipack_domain::error::AppError;
use serde::Serialize;
use std::{collections::HashMap, sync::Arc};

type Parameters = HashMap<String, String>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

pub async fn read(
    State(context): State<Arc<ApiContext>>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let client = match http::authenticate(&context, &parts.headers) {
        Ok(client) => client,
        Err(refusal) => return failed(refusal.status, *refusal.error, refusal.header),
    };
    let read = match parameters {
        Ok(Query(parameters)) => token(&context, &client, parameters).await,
        Err(_) => {
            Err(ipack_core::ServiceError::bad_input("the address", "has parameters that cannot be read"))
        }
    };
    match read {
        Ok(token) => respond(StatusCode::OK, &token),
        Err(error) => {
            let error = errors::in_words(error, &request_id(&parts));
            let status =
                StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            failed(status, error, None)
        }
    }
}

async fn token(
    context: &ApiContext,
    client: &Client,
    mut parameters: Parameters,
) -> ipack_core::Result<AccessToken> {
    let minimum = match parameters.remove("minimumSeconds").map(|text| text.parse()) {
        None => Given::Missing,
        Some(Ok(seconds)) => Given::Value(seconds),
        Some(Err(_)) => Given::WrongType,
    };
    let wanted = wanted(minimum, parameters.remove("rejectedToken").map_or(Given::Missing, Given::Value))?;
    let key = FindInput::of(|name| parameters.remove(name)).checked()?;
    let token = context.services.access_token(client, Some(&key.space), &key, &wanted).await?;
    Ok(AccessToken::new(token))
}

fn failed(status: StatusCode, error: AppError, header: Option<(HeaderName, HeaderValue)>) -> Response {
    let AppError { code, message, field, request_id } = error;
    let mut response = respond(status, &Failure { code: code.as_str(), message, field, request_id });
    response.headers_mut().extend(header);
    response
}

fn respond(status: StatusCode, answer: &impl Serialize) -> Response {
    (status, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(answer)).into_response()
}
