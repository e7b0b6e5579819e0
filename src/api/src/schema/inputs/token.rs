//! What clients want of tokens and statuses.

use crate::schema::{
    enums,
    inputs::{Given, Id},
};
use ipack_core::{Result, ServiceError, catalogue::page::MAX_PAGE, tokens::access_token::Wanted};
use ipack_domain::{connection_state::ConnectionState, ids::ConnectionKey};
use std::time::Duration;

/// The longest life that can be wanted: a day.
const MAX_MINIMUM_SECONDS: i32 = 24 * 3_600;

/// # Errors
/// `BadInput` for the first argument that will not do.
pub fn wanted(minimum_seconds: Given<i32>, rejected_token: Given<String>) -> Result<Wanted> {
    let minimum = minimum_seconds.optional("minimumSeconds")?;
    if minimum.is_some_and(|seconds| !(0..=MAX_MINIMUM_SECONDS).contains(&seconds)) {
        let message = format!("must be between 0 and {MAX_MINIMUM_SECONDS}");
        return Err(ServiceError::bad_input("minimumSeconds", message));
    }
    let rejected = rejected_token.optional("rejectedToken")?.map(|text| {
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest).map(|()| digest).map_err(|_| {
            let message = "must be the SHA-256 of the token in 64 hexadecimal digits, not the token";
            ServiceError::bad_input("rejectedToken", message)
        })
    });
    let minimum = minimum.map(|seconds| Duration::from_secs(seconds.unsigned_abs().into()));
    Ok(Wanted { minimum, rejected: rejected.transpose()? })
}

/// A page of statuses.
pub struct StatusPage {
    pub states: Option<Vec<ConnectionState>>,
    pub first: i64,
    pub after: Option<ConnectionKey>,
}

impl StatusPage {
    /// # Errors
    /// `BadInput` for the first argument that will not do.
    pub fn checked(
        state: Given<Vec<enums::ConnectionState>>,
        first: Given<i32>,
        after: Given<Id>,
    ) -> Result<Self> {
        let states = state.optional("state")?;
        let after = after.optional("after")?.map(|id| {
            let key = ConnectionKey::of_form_path(&id.0);
            key.ok_or_else(|| ServiceError::bad_input("after", "must be an id that the list has"))
        });
        Ok(Self {
            states: states.map(|states| states.into_iter().map(Into::into).collect()),
            first: first.optional("first")?.map_or(MAX_PAGE, i64::from),
            after: after.transpose()?,
        })
    }
}
