//! GraphQL over HTTP, and the JWTs that it is opened with.
//!
//! Nothing is decided here. A request is let in (`http`: token, rate, media types, size), read (`request`), understood
//! (`document`; `documents` remembers queries) within the bounds of `scan` and `size`, checked against the schema
//! (`check`), and handed to it; its resolvers call one use case of `ipack-core` each. What comes back is put into the
//! words of the API (`errors`).
//!
//! To add an operation: its use case in `ipack-core`; a resolver in `schema/queries` or `schema/mutations` that
//! answers through [`schema::answer`]; its types in `schema/objects` and `schema/inputs`, arguments as
//! [`schema::inputs::Given`], so that what is wrong with them is said with the field's name; then
//! `INSTA_UPDATE=always cargo test -p ipack-server --test graphql the_schema_is` writes the schema's snapshot anew. Its
//! tests go to `src/server/tests/graphql`, another tenant's token among them.

mod access_token;
mod check;
mod document;
mod documents;
mod errors;
mod http;
mod jwt;
mod media;
mod request;
mod scan;
pub mod schema;
mod shape;
mod size;

pub use http::error_response;

use axum::{
    Router,
    http::{Extensions, request::Parts},
    routing::{get, post},
};
use documents::Documents;
use ipack_core::{
    Services,
    caller_limits::{CallerLimits, ClientAddress, address_key},
};
use schema::Api;
use std::sync::Arc;
use tower_http::request_id::RequestId;

#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest request, in bytes.
    pub body_limit: usize,
    /// GraphQL is counted by token, the making of JWTs by address.
    pub limits: Arc<CallerLimits>,
}

/// What every handler of this door shares.
struct ApiContext {
    services: Services,
    settings: Settings,
    api: Api,
    documents: Documents,
}

/// `POST /graphql`, `GET /api/v1/access-token` and `GET /auth/jwt/generate/{accountId}`.
pub fn router(services: Services, settings: Settings) -> Router {
    let api = schema::build(services.clone());
    Router::new()
        .route("/graphql", post(http::graphql).fallback(http::method_not_allowed))
        .route("/api/v1/access-token", get(access_token::read))
        .route("/auth/jwt/generate/{account}", get(jwt::generate))
        .with_state(Arc::new(ApiContext { services, settings, api, documents: Documents::default() }))
}

/// The id that the answer's header carries; errors name it, so that they are found in the log.
fn request_id(parts: &Parts) -> String {
    let id = parts.extensions.get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    id.unwrap_or("unknown").to_owned()
}

fn caller_address(extensions: &Extensions) -> String {
    extensions.get::<ClientAddress>().map_or_else(|| "unknown".to_owned(), |address| address_key(address.0))
}
