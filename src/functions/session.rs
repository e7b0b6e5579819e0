//! Who is signed in.
//!
//! What else a page's frame must know of the session is a field of the answer.

use crate::{domain::views::SignedIn, error::AppError};
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// The person whose session this is.
#[server(name = GetSignedIn, prefix = "/api", endpoint = "signed-in", input = GetUrl)]
pub async fn signed_in() -> Result<SignedIn, AppError> {
    let door = crate::server::door::Door::of_request()?;
    Ok(SignedIn { email: door.admin.email, admin: door.admin.id.simple().to_string() })
}
