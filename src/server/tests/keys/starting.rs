//! A start with a master key that is not the right one: refused with the reason, and nothing is changed.

use crate::sealed::{SPACE, Sealed, key};
use ipack_core::Services;
use ipack_server::load_keyring::{KeySource, load_keyring};
use ipack_server::{
    cli,
    config::{Config, DatabaseUrl},
};
use ipack_storage::{Database, data_keys, open::open};
use ipack_testing::stored::everything_stored;
use ipack_testing::world::setup_of;
use ipack_vault::Keyring;
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

mod with_a_wrong_key {
    on_both!(
        empty: s26_the_server_refuses_to_start_and_changes_nothing,
        s26_a_key_that_is_gone_is_not_made_anew,
        s26_the_default_database_gets_a_key_for_its_user_alone,
    );
    use super::{
        s26_a_key_that_is_gone_is_not_made_anew, s26_the_default_database_gets_a_key_for_its_user_alone,
        s26_the_server_refuses_to_start_and_changes_nothing,
    };
}

async fn refusal(address: &str, file: &Path) -> String {
    let config = Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        database_url: DatabaseUrl(address.to_owned()),
        master_key_file: file.to_owned(),
        ..Config::default()
    };
    cli::serve(Arc::new(config), None, false).await.expect_err("it does not start").to_string()
}

/// Every file of a SQLite database by name, and nothing for PostgreSQL, whose rows are looked at instead.
fn files(address: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let Some(file) = address.strip_prefix("sqlite://") else { return BTreeMap::new() };
    let folder = Path::new(file).parent().expect("the file is in a folder");
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.map(|path| (path.clone(), fs::read(path).expect("readable"))).collect()
}

async fn rows(address: &str) -> String {
    match address.starts_with("postgres") {
        false => String::new(),
        true => {
            let database = open(address).await.expect("it opens");
            let rows = everything_stored(&database).await;
            database.close().await;
            rows
        }
    }
}

async fn s26_the_server_refuses_to_start_and_changes_nothing(address: String) {
    let database = open(&address).await.expect("it opens");
    let world = Sealed::new(database.clone()).await;
    world.seal(&key("one")).await;
    database.close().await;
    let held = fs::read(&world.file).expect("readable");
    let text = String::from_utf8(held.clone()).expect("text");
    let other = world.file.with_file_name("other.key");
    Keyring::create(&other).expect("another keyring");
    let other = fs::read(other).expect("readable");
    let newer = text.replace("v1:", "v2:");
    let (files_before, rows_before) = (files(&address), rows(&address).await);
    for (what, bytes, mode, reason) in [
        ("missing", None, 0o600, "there is no keyring at"),
        ("empty", Some(Vec::new()), 0o600, "holds no key"),
        ("short", Some(held[..held.len() - 20].to_vec()), 0o600, "shorter than 32 bytes"),
        ("not a keyring", Some(b"correct horse battery staple".to_vec()), 0o600, "line 1"),
        ("wrong", Some(other), 0o600, "is not the one that the database was sealed with"),
        ("of another version", Some(newer.into_bytes()), 0o600, "does not hold it"),
        ("readable for the group", Some(held.clone()), 0o640, "chmod 600"),
        ("readable for everybody", Some(held.clone()), 0o604, "chmod 600"),
        ("writable for everybody", Some(held.clone()), 0o602, "chmod 600"),
    ] {
        let file = world.file.with_file_name("given.key");
        if let Some(bytes) = &bytes {
            fs::write(&file, bytes).expect("written");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("changed");
        }
        let error = refusal(&address, &file).await;
        assert!(error.contains(reason) && error.contains("given.key"), "{what}: {error}");
        assert_eq!(fs::read(&file).ok(), bytes, "{what}: the file was changed");
        if bytes.is_some() {
            let now = fs::metadata(&file).expect("it is there").permissions().mode() & 0o777;
            assert_eq!(now, mode, "{what}");
            fs::remove_file(&file).expect("removed");
        }
        let mut files_now = files(&address);
        // A reader of SQLite leaves its index beside the file, and a log without anything in it.
        files_now.retain(|path, bytes| {
            let name = path.to_string_lossy();
            !(name.ends_with("-shm") || name.ends_with("-wal") && bytes.is_empty())
        });
        assert!(files_now.keys().eq(files_before.keys()), "{what}: {:?}", files_now.keys());
        assert!(files_now == files_before, "{what}: the database's files were changed");
        assert!(rows(&address).await == rows_before, "{what}: the database was changed");
    }
    // With the right one it starts, and everything is there.
    let database = open(&address).await.expect("it opens");
    let services = Services::new(database.clone(), crate::sealed::clock(), setup_of(&world.file)).await;
    world.assert_opens(&services.expect("it starts"), &key("one")).await;
    database.close().await;
}

/// As on the default database, whose first start makes the key.
fn source(file: PathBuf, is_default_database: bool) -> KeySource {
    KeySource { file, text: None, is_default_database }
}

async fn s26_a_key_that_is_gone_is_not_made_anew(address: String) {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let file = folder.path().join("data/master.key");
    let error = load_keyring(&source(file.clone(), false), &address)
        .await
        .map(drop)
        .expect_err("nobody asked for one");
    assert!(error.to_string().contains("there is no keyring at"), "{error}");
    assert!(!folder.path().join("data").exists());
    let database = open(&address).await.expect("it opens");
    let world = Sealed::new(database.clone()).await;
    assert_eq!(read_now!(database, db => data_keys::master_keys(db)).len(), 1);
    drop(world);
    database.close().await;
    // Whatever was made now would open nothing of what is there.
    let error = load_keyring(&source(file, true), &address).await.map(drop).expect_err("it was there once");
    assert!(error.to_string().contains("there is no keyring at"), "{error}");
    assert!(!folder.path().join("data").exists());
}

async fn s26_the_default_database_gets_a_key_for_its_user_alone(address: String) {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let file = folder.path().join("data/master.key");
    let unlocked = load_keyring(&source(file.clone(), true), &address).await.expect("made");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&folder.path().join("data"))), (0o600, 0o700));
    let names: Vec<_> = fs::read_dir(folder.path().join("data")).expect("readable").collect();
    assert_eq!(names.len(), 1, "nothing is left beside it: {names:?}");
    let made = fs::read(&file).expect("readable");
    drop(unlocked);
    let again = load_keyring(&source(file.clone(), true), &address).await.expect("read");
    assert_eq!(fs::read(&file).expect("readable"), made, "the second start takes the same");
    let database = open(&address).await.expect("it opens");
    let setup = again.with(ipack_testing::world::oauth());
    let services = Services::new(database.clone(), crate::sealed::clock(), setup).await.expect("it starts");
    services.create_space("account-1", SPACE, "A Space").await.expect("a Space");
    assert_known(&database).await;
    database.close().await;
}

async fn assert_known(database: &Database) {
    let known = read_now!(database, db => data_keys::master_keys(db));
    assert_eq!(known.iter().map(|row| row.version).collect::<Vec<_>>(), [1]);
}
