//! The contract of the storage layer: what every repository function does, on SQLite and on PostgreSQL, from one
//! text. It stands in for checking the statements while they are compiled.
//!
//! To add a test: an `async fn` that takes a [`Database`](ipack_storage::Database), named in its file's
//! `on_both!`; left out there, the compiler calls it unused. To add an aggregate: a file here, named like the one
//! in `src/storage`, in the list at the end. PostgreSQL's half needs `IPACK_TEST_POSTGRES` (`make test` sets it).

/// Makes two tests of each function: `sqlite::name` and `postgres::name`, each on a new database of its own.
/// With `empty:` in front the functions take the address of a database that nobody has opened yet.
macro_rules! on_both {
    (empty: $($name:ident),+ $(,)?) => {
        on_both!(@tests run $($name)+);
    };
    (@tests $run:ident $($name:ident)+) => {
        mod sqlite {
            use crate::support::databases::{$run, Empty};
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    $run(Empty::sqlite(), super::$name).await;
                }
            )+
        }
        mod postgres {
            use crate::support::databases::{$run, Empty};
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    $run(Empty::postgres().await, super::$name).await;
                }
            )+
        }
    };
    ($($name:ident),+ $(,)?) => {
        on_both!(@tests run_open $($name)+);
    };
}

/// Runs one repository function in a transaction of its own, committed where it succeeds. The value is its result, or
/// what the database says to the transaction.
macro_rules! attempt {
    ($database:expr, $db:ident => $work:expr) => {{
        let write = async |mut writer: ipack_storage::Writer| {
            let $db = writer.lend();
            $work.await
        };
        $database.write_once(write).await
    }};
}

/// Runs one repository function that has to succeed, and commits it.
macro_rules! write_now {
    ($database:expr, $db:ident => $work:expr) => {
        attempt!($database, $db => $work).expect("the write succeeds")
    };
}

/// Runs one repository function that has to succeed, on a connection for reading.
macro_rules! read_now {
    ($database:expr, $db:ident => $work:expr) => {{
        let mut reader = $database.reader().await.expect("a connection is free");
        let $db = reader.connection();
        $work.await.expect("the read succeeds")
    }};
}

/// Holds that a repository function is refused with this [`StorageError`](ipack_storage::StorageError).
macro_rules! assert_refused {
    ($database:expr, $error:ident, $db:ident => $work:expr) => {
        match attempt!($database, $db => $work) {
            Err(ipack_storage::StorageError::$error) => {}
            other => panic!("expected {}, got {other:?}", stringify!($error)),
        }
    };
}

pub mod world;

// The macros above are known in these by standing before them.
mod accounts;
mod admins;
mod api_tokens;
mod attempts;
mod audit_log;
mod bytes;
mod client_secrets;
mod connection_states;
mod data_keys;
mod details;
mod drafts;
mod environments;
mod instances;
mod isolation;
mod open;
mod overview;
mod packs;
mod races;
pub mod schema;
mod search;
mod sessions;
mod signing_keys;
mod suggestions;
mod token_leases;
mod tokens;
mod transactions;
mod uninstall;
