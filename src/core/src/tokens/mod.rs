//! Access tokens: obtained at an identity provider, kept fresh, read by runtimes, revoked.

pub mod access_token;
pub mod authorization;
pub(crate) mod authorization_return;
pub(crate) mod exchange;
pub mod refresh;
pub(crate) mod revocation;
pub(crate) mod source;
