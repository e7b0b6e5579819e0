//! The contract of the storage layer: what every repository function does, on SQLite and on PostgreSQL, from one
//! text. It stands in for checking the statements while they are compiled.
//!
//! To add a test: an `async fn` that takes a [`Database`](ipack_storage::Database), named in its file's
//! `on_both!`; left out there, the compiler calls it unused. To add an aggregate: a file here, named like the one
//! in `src/storage`, in the list at the end. PostgreSQL's half needs `IPACK_TEST_POSTGRES` (`make test` sets it).

#[macro_use]
extern crate ipack_testing;

mod accounts;
mod admins;
mod api_tokens;
mod attempts;
mod audit_log;
mod bytes;
mod carried_forms;
mod client_secrets;
mod connection_states;
mod data_keys;
mod details;
mod drafts;
mod environments;
mod group_commit;
mod instances;
mod isolation;
mod open;
mod overview;
mod packs;
mod revocations;
mod saves;
mod schema;
mod search;
mod sessions;
mod suggestions;
mod token_leases;
mod tokens;
mod transactions;
mod uninstall;
