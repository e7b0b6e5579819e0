//! Proofs of identity: passwords, API tokens, JWTs, and the store of browser sessions.
//!
//! Cryptography only; who may do what is decided in `services`. A new kind of proof is a file here.

pub mod api_token;
pub mod jwt;
pub mod passwords;
pub mod session_store;
