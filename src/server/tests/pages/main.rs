//! Pages, sessions and server functions as a browser without JavaScript meets them, through the whole router, on both
//! databases.
//!
//! To add a test: an `async fn` that takes a [`Database`](ipack_storage::Database), named in its file's `on_both!`,
//! with the number of the security requirement in its name where it shows one. A new server function or page gets a
//! line in `everywhere`, which the tests of doors and headers go through.

#[macro_use]
extern crate ipack_testing;

mod everywhere;

mod addresses;
mod assets;
mod carried;
mod choices;
mod concurrency;
mod conflicts;
mod doors;
mod drafts;
mod escaping;
mod headers;
mod operations;
mod paging;
mod providers;
mod rows;
mod saving;
mod sessions;
mod sign_in_limits;
mod tabs;
mod tenancy;
