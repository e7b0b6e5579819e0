//! Who is signed in.

use crate::error::RequestError;
use crate::views::SignedIn;
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// The person whose session this is.
#[server(name = GetSignedIn, prefix = "/api", endpoint = "signed-in", input = GetUrl)]
pub async fn signed_in() -> Result<SignedIn, RequestError> {
    let context = crate::request_context::RequestContext::of_request()?;
    Ok(SignedIn { email: context.admin.email, admin: context.admin.id.simple().to_string() })
}
