//! The error of a server function: what a person may see, and what went wrong on the way to the server or back.

use ipack_domain::error::{AppError, ErrorCode};
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::Deref};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestError(pub AppError);

impl Deref for RequestError {
    type Target = AppError;
    fn deref(&self) -> &AppError {
        &self.0
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<AppError> for RequestError {
    fn from(error: AppError) -> Self {
        Self(error)
    }
}

impl FromServerFnError for RequestError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self(match error {
            ServerFnErrorErr::Request(_) => {
                AppError::new(ErrorCode::Unreachable, "The server cannot be reached.")
            }
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                AppError::new(ErrorCode::BadUserInput, "The request does not have the form's fields.")
            }
            _ => AppError::new(ErrorCode::GenericSystemError, "Something went wrong on the way."),
        })
    }
}
