//! Access tokens: obtained at an identity provider, kept fresh, read by runtimes, revoked.

pub mod access_token;
pub mod attempt;
pub mod authorization;
pub mod authorization_return;
pub(crate) mod due;
pub(crate) mod exchange;
pub(crate) mod expiry;
pub mod management;
mod manual_refresh;
pub mod memory;
pub mod refresh;
pub(crate) mod revocation;
pub mod source;
