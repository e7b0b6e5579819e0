//! Errors in the words of the API: a sentence, `extensions.code`, and the field where there is one.
//!
//! Nothing that a client sent is repeated, for it may be a secret in the wrong place. So of what the library says about
//! a request only the places get out, never its words.

use crate::document::Refused;
use async_graphql::{Error, ErrorExtensionValues, ErrorExtensions, Pos, ServerError};
use ipack_core::ServiceError;
use ipack_domain::error::{AppError, ErrorCode};

/// Of validation: every field of a query can be wrong in several ways.
const MAX_LOCATIONS: usize = 100;

/// A document that is refused before validation.
pub fn refused(Refused { message, field, at }: Refused) -> ServerError {
    server_error(AppError { field, ..AppError::new(ErrorCode::BadUserInput, message) }, at)
}

/// What the library finds wrong with a document.
pub fn invalid(errors: impl IntoIterator<Item = ServerError>) -> ServerError {
    let mut invalid = refused(Refused::new("The query is not valid.", None));
    invalid.locations = errors.into_iter().flat_map(|error| error.locations).take(MAX_LOCATIONS).collect();
    invalid
}

/// What went wrong with one field, said by its resolver, or by the library on the way to it.
pub fn of_field(error: ServerError) -> ServerError {
    if error.extensions.is_some() {
        return error;
    }
    let path = error.path.clone();
    ServerError { path, ..invalid([error]) }
}

pub fn server_error(error: AppError, at: Option<Pos>) -> ServerError {
    let mut answer = ServerError::new(&error.message, at);
    let mut extensions = ErrorExtensionValues::default();
    extend(&error, &mut extensions);
    answer.extensions = Some(extensions);
    answer
}

/// What a use case answered instead.
pub fn of_service(error: ServiceError, request_id: &str) -> Error {
    let error = in_words(error, request_id);
    Error::new(&error.message).extend_with(|_, extensions| extend(&error, extensions))
}

/// What a use case answered instead, with the API's names for what a client sent.
pub fn in_words(error: ServiceError, request_id: &str) -> AppError {
    match error {
        ServiceError::MissingSpace => {
            AppError::new(ErrorCode::MissingSpaceId, "The header SPACE_GUID is missing.")
        }
        ServiceError::SeveralSpaces => AppError::new(
            ErrorCode::MissingSpaceId,
            "Several Spaces have this: the header SPACE_GUID must say which is meant.",
        ),
        ServiceError::Secret(code) => {
            AppError::in_field("clientSecret", format!("clientSecret: {}", code.message()))
        }
        other => other.into_app_error(request_id),
    }
}

/// Whether the same may work in a moment.
pub fn is_unavailable(error: &ServerError) -> bool {
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    code == Some(&ErrorCode::TemporarilyUnavailable.as_str().into())
}

fn extend(error: &AppError, extensions: &mut ErrorExtensionValues) {
    extensions.set("code", error.code.as_str());
    if let Some(field) = &error.field {
        extensions.set("field", field.as_str());
    }
    if let Some(id) = &error.request_id {
        extensions.set("requestId", id.as_str());
    }
}
