//! The macros of tests: which databases they run on, and one repository function at a time.

/// Makes two tests of each function: `sqlite::name` and `postgres::name`, each on a new database of its own.
///
/// With `empty:` in front the functions take the address of a database that nobody has opened yet; with `alone:` each
/// test is a process of its own, in which [`logs::watch`](crate::logs::watch) sees everything and nothing else.
#[macro_export]
macro_rules! on_both {
    (empty: $($name:ident),+ $(,)?) => { $crate::on_both!(@tests on_empty $($name)+); };
    (alone: $($name:ident),+ $(,)?) => { $crate::on_both!(@tests on_open_alone $($name)+); };
    // The body is as small as can be: what it calls is compiled once, with this crate.
    (@tests $run:ident $($name:ident)+) => {
        mod sqlite {
            $(
                #[test]
                fn $name() {
                    let name = concat!(module_path!(), "::", stringify!($name));
                    $crate::databases::$run(name, $crate::databases::Kind::Sqlite, |on| Box::pin(super::$name(on)));
                }
            )+
        }
        mod postgres {
            $(
                #[test]
                fn $name() {
                    let name = concat!(module_path!(), "::", stringify!($name));
                    $crate::databases::$run(name, $crate::databases::Kind::Postgres, |on| Box::pin(super::$name(on)));
                }
            )+
        }
    };
    ($($name:ident),+ $(,)?) => { $crate::on_both!(@tests on_open $($name)+); };
}

/// Runs one repository function in a transaction of its own, committed where it succeeds. The value is its result, or
/// what the database says to the transaction.
#[macro_export]
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
#[macro_export]
macro_rules! write_now {
    ($database:expr, $db:ident => $work:expr) => {
        $crate::attempt!($database, $db => $work).expect("the write succeeds")
    };
}

/// Runs one repository function that has to succeed, on a connection for reading.
#[macro_export]
macro_rules! read_now {
    ($database:expr, $db:ident => $work:expr) => {{
        let mut reader = $database.reader().await.expect("a connection is free");
        let $db = reader.connection();
        $work.await.expect("the read succeeds")
    }};
}

/// Holds that a repository function is refused with this [`StorageError`](ipack_storage::StorageError).
#[macro_export]
macro_rules! assert_refused {
    ($database:expr, $error:ident, $db:ident => $work:expr) => {
        match $crate::attempt!($database, $db => $work) {
            Err(ipack_storage::StorageError::$error) => {}
            other => panic!("expected {}, got {other:?}", stringify!($error)),
        }
    };
}

/// Looks again and again until there is something, for what goes on in the background.
#[macro_export]
macro_rules! eventually {
    ($look:expr) => {{
        let mut looks = 0;
        loop {
            if let Some(found) = $look {
                break found;
            }
            looks += 1;
            assert!(looks < 200, "it does not happen: {}", stringify!($look));
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }};
}
