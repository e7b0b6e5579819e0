//! `POST /graphql` as GraphQL over HTTP has it: who is let in, which status and media type an answer has.
//!
//! The checks stand in [`let_in`] in their order; whoever has no token learns nothing else.

use crate::{
    ApiContext,
    check::check,
    document::{self, Refused},
    documents::Parsed,
    errors,
    media::{Media, is_json},
    request::{self, Body, GraphQlRequest, Malformed},
    request_id,
    schema::Caller,
    size::measure,
};
use async_graphql::{
    Name, Request as Execution, Response as Executed, ServerError, Value, Variables, indexmap::IndexMap,
    parser::types::ExecutableDocument,
};
use axum::{
    body::Bytes,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use headers::{Authorization, HeaderMapExt, authorization::Bearer};
use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use ipack_core::access::Client;
use ipack_domain::error::{AppError, ErrorCode};
use serde::Serialize;
use std::{borrow::Cow, sync::Arc};

/// Names the Space that a request is about.
const SPACE_GUID: HeaderName = HeaderName::from_static("space_guid");

/// An answer without any execution.
pub struct Refusal {
    pub status: StatusCode,
    pub error: Box<AppError>,
    pub header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { status, error: Box::new(AppError::new(code, message)), header: None }
    }

    fn of_input(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, ErrorCode::BadUserInput, message)
    }

    fn with(self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    fn too_many(seconds: u64) -> Self {
        let message = format!("Too many requests. Try again in {seconds} seconds.");
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message);
        refusal.with(RETRY_AFTER, HeaderValue::from(seconds))
    }

    fn into_response(self, media: Media) -> Response {
        let answer = Answer { data: None, errors: vec![errors::server_error(*self.error, None)] };
        let mut response = respond(self.status, media, &answer);
        response.headers_mut().extend(self.header);
        response
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        let mut refusal = Self::of_input(StatusCode::BAD_REQUEST, malformed.message);
        refusal.error.field = malformed.field.map(Into::into);
        refusal
    }
}

/// `data` is missing where nothing was executed.
#[derive(Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ServerError>,
}

/// An error as the API answers it, to a request with these headers.
pub fn error_response(headers: &HeaderMap, error: AppError) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let refusal = Refusal { status, error: Box::new(error), header: None };
    refusal.into_response(Media::wanted(headers).unwrap_or(Media::Json))
}

pub async fn method_not_allowed(request: Request) -> Response {
    let media = Media::wanted(request.headers()).unwrap_or(Media::Json);
    Refusal::of_input(StatusCode::METHOD_NOT_ALLOWED, "GraphQL is asked by POST.")
        .with(ALLOW, HeaderValue::from_static("POST"))
        .into_response(media)
}

pub async fn graphql(State(context): State<Arc<ApiContext>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let media = Media::wanted(&parts.headers);
    match answer(&context, &parts, media, body).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(media.unwrap_or(Media::Json)),
    }
}

async fn answer(
    context: &ApiContext,
    parts: &Parts,
    media: Option<Media>,
    body: axum::body::Body,
) -> Result<Response, Refusal> {
    let (client, media) = let_in(context, &parts.headers, media)?;
    let bytes = read_body(body, context.settings.body_limit).await?;
    let body = request::read(&bytes)?;
    drop(bytes);
    // The first was counted before the body was read.
    for _ in 1..body.len() {
        count(context, &client)?;
    }
    let space = parts.headers.get(SPACE_GUID).map(|guid| String::from_utf8_lossy(guid.as_bytes()));
    let space = space.filter(|guid| !guid.trim().is_empty()).map(Cow::into_owned);
    let caller = Caller { client, space, request_id: request_id(parts) };
    match body {
        Body::One(request) => {
            let answer = execute(context, &caller, request).await;
            let refused = answer.data.is_none() && media == Media::GraphQl;
            let status = match refused {
                true => StatusCode::BAD_REQUEST,
                false => status_of([&answer]),
            };
            Ok(respond(status, media, &answer))
        }
        Body::Batch(batch) => {
            let mut answers = Vec::with_capacity(batch.len());
            // One after the other: a later one may build on what an earlier one wrote.
            for request in batch {
                answers.push(execute(context, &caller, request).await);
                // Ten large ones take ten times as long; others have their turn in between.
                tokio::task::yield_now().await;
            }
            Ok(respond(status_of(&answers), media, &answers))
        }
    }
}

/// Whatever part of it could not be done at the moment, that is what a client must not overlook.
fn status_of<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> StatusCode {
    let mut errors = answers.into_iter().flat_map(|answer| &answer.errors);
    if errors.any(errors::is_unavailable) { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
}

fn let_in(
    context: &ApiContext,
    headers: &HeaderMap,
    media: Option<Media>,
) -> Result<(Client, Media), Refusal> {
    let client = authenticate(context, headers)?;
    let media = media.ok_or_else(|| {
        let message =
            "Answers are application/graphql-response+json or application/json; Accept allows neither.";
        Refusal::of_input(StatusCode::NOT_ACCEPTABLE, message)
    })?;
    if !is_json(headers) {
        let message = "A request must be application/json in UTF-8, not compressed.";
        return Err(Refusal::of_input(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    Ok((client, media))
}

/// The client of a valid JWT, whose request is counted.
pub fn authenticate(context: &ApiContext, headers: &HeaderMap) -> Result<Client, Refusal> {
    let bearer = headers.typed_get::<Authorization<Bearer>>();
    let client = bearer.and_then(|jwt| context.services.check_jwt(jwt.token()).ok()).ok_or_else(|| {
        let message = "A valid token is needed: Authorization: Bearer, with what /auth/jwt/generate answers.";
        Refusal::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message)
            .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    })?;
    count(context, &client)?;
    Ok(client)
}

fn count(context: &ApiContext, client: &Client) -> Result<(), Refusal> {
    context.settings.limits.check(&format!("token {}", client.username)).map_err(Refusal::too_many)
}

async fn read_body(body: axum::body::Body, limit: usize) -> Result<Bytes, Refusal> {
    Limited::new(body, limit).collect().await.map(Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            let message = format!("The request is larger than {limit} bytes.");
            Refusal::of_input(StatusCode::PAYLOAD_TOO_LARGE, message)
        } else {
            Refusal::of_input(StatusCode::BAD_REQUEST, "The body broke off.")
        }
    })
}

async fn execute(context: &ApiContext, caller: &Caller, request: GraphQlRequest) -> Answer {
    let refuse = |refused| Answer { data: None, errors: vec![errors::refused(refused)] };
    let GraphQlRequest { query, operation_name, variables } = request;
    let mut parsed = match context.documents.parse(query).await {
        Ok(parsed) => parsed,
        Err(refused) => return refuse(refused),
    };
    let keys = match accept(&parsed.document, operation_name.as_deref(), &variables) {
        Ok(keys) => keys,
        Err(mut refused) => {
            parsed.shape.to_original(&mut refused.at);
            return refuse(refused);
        }
    };
    context.documents.keep(&mut parsed);
    let Parsed { document, shape, .. } = parsed;
    // The text is not needed any more, and not handed on.
    let mut execution = Execution::new("").variables(variables).data(caller.clone());
    execution.operation_name = operation_name;
    execution.set_parsed_query(document);
    let mut executed = context.api.execute(execution).await;
    shape.to_original(executed.errors.iter_mut().flat_map(|error| &mut error.locations));
    in_order(&keys, executed)
}

/// The keys of the answer's `data`, where a document is within its bounds and fits the schema.
fn accept(
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    variables: &Variables,
) -> Result<Vec<Name>, Refused> {
    measure(document, variables)?;
    let operation = document::operation(document, operation_name)?;
    check(document, operation, variables)?;
    Ok(document::response_keys(document, operation))
}

/// The library answers the fields of a query in the order in which they were found; the specification, and this, in
/// the order of the query.
fn in_order(keys: &[Name], executed: Executed) -> Answer {
    let mut found = match executed.data {
        Value::Object(found) => found,
        // Every field of the roots can be null, so this is validation.
        _ if !executed.errors.is_empty() => {
            return Answer { data: None, errors: vec![errors::invalid(executed.errors)] };
        }
        // Every field was skipped.
        _ => IndexMap::new(),
    };
    let data = keys.iter().filter_map(|key| found.swap_remove_entry(key)).collect();
    let errors = executed.errors.into_iter().map(errors::of_field).collect();
    Answer { data: Some(Value::Object(data)), errors }
}

fn respond(status: StatusCode, media: Media, answer: &impl Serialize) -> Response {
    match serde_json::to_vec(answer) {
        Ok(bytes) => {
            let no_store = HeaderValue::from_static("no-store");
            (status, [(CONTENT_TYPE, media.header()), (CACHE_CONTROL, no_store)], bytes).into_response()
        }
        Err(error) => {
            tracing::error!(error = %error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
