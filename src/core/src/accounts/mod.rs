//! Accounts with their Spaces, admins and API tokens, and how each proves who they are.

pub mod administration;
pub mod api_token;
pub mod jwt;
pub mod passwords;
pub(crate) mod sign_in;
