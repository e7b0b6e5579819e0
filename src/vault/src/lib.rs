//! The vault: seals secrets before they are stored and opens them for the few that use them. It knows no database
//! and no use case; `ipack-core` decides who may ask, `ipack-storage` keeps what comes out.
//!
//! Envelope encryption, in two layers:
//!
//! ```text
//! keyring file          v1 ── v2 (the highest seals)            never in the database
//!                              │ wraps
//! one data key a scope         ▼  [1][master version][nonce][data key + tag]
//!                              │ seals
//! each secret                  ▼  [1][data-key version][nonce][secret + tag]
//! ```
//!
//! The database alone opens nothing, and so does the keyring alone. A new master key means wrapping the few data
//! keys again; the many sealed values stay as they are. Each layer names the version of its key in the clear, so
//! that old and new are read side by side while a rotation runs.
//!
//! The cipher is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, on RFC 8439): its nonce of 24 bytes may be random
//! for every value without counting. The place of a value (table, row, column) is authenticated with it: moved
//! elsewhere, it does not open.
//!
//! The ciphers are the RustCrypto crates'. The envelope around them is written here, because the crates that have one
//! (`cocoon`, `age`, the key services' clients) seal files or call a service: none binds a value to its row, keeps the
//! key's version readable beside it, or opens thousands of values a second with one data key.
//!
//! To seal one more column:
//! 1. add it as `BLOB` or `BYTEA`, and name its place by a function in `ipack-core`'s `secrets::sealing`:
//!    `SealContext { table: "tokens", row: id.as_bytes(), column: "refresh_token" }`. The row is what identifies it for
//!    ever, best its UUID: a value whose place is renamed must be opened in the old and sealed in the new one.
//! 2. write what [`DataKey::seal`] answers, and read it by [`DataKey::open_text`], with the key whose version
//!    [`key_version_of`] tells;
//! 3. add the column to what a rotation of data keys walks over, `SEALED` in `ipack-storage`'s `data_keys`.
//!
//! A change of the layout of sealed bytes is a new format number in `sealed`, which goes on opening the old ones.

mod keyring;
mod keyring_file;
mod sealed;

#[cfg(test)]
mod keyring_tests;
#[cfg(test)]
mod sealed_tests;

pub use keyring::{Keyring, KeyringError};
pub use sealed::{DataKey, MasterKey, OpenError, SealContext, key_version_of};
