//! `ipack-connect keys …` as the program itself runs it.

use crate::sealed::{SPACE, Sealed, key};
use ipack_storage::open::open;
use ipack_testing::databases::{Kind, on_empty};
use ipack_testing::process::started;
use ipack_vault::Keyring;
use sqlx::{Connection, SqliteConnection};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

mod a_process {
    on_both!(empty: s25_keys_are_added_rotated_and_retired_by_commands, s26_a_command_with_a_wrong_key_changes_nothing);
    use super::{
        s25_keys_are_added_rotated_and_retired_by_commands, s26_a_command_with_a_wrong_key_changes_nothing,
    };
}

/// The program with these arguments, on a database and a keyring.
pub fn program(address: &str, keyring: &Path, arguments: &[&str]) -> Command {
    ipack_testing::process::program(env!("CARGO_BIN_EXE_ipack-connect"), address, keyring, arguments)
}

/// Whether it succeeded, and what it wrote.
async fn run(program: Command) -> (bool, String) {
    let waiting = tokio::task::spawn_blocking(move || started(program).wait_with_output());
    let output = waiting.await.expect("it is waited for").expect("it ends");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.success(), text.concat())
}

#[track_caller]
fn assert_told((succeeded, text): &(bool, String), expected: bool, words: &[&str]) {
    assert_eq!(*succeeded, expected, "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text}");
    }
}

async fn s25_keys_are_added_rotated_and_retired_by_commands(address: String) {
    let database = open(&address).await.expect("it opens");
    let world = Sealed::new(database.clone()).await;
    world.seal(&key("one")).await;
    let keys = |arguments: &[&str]| {
        let arguments = [&["keys"], arguments].concat();
        run(program(&address, &world.file, &arguments))
    };
    let file = world.file.to_str().expect("text");
    assert_told(
        &keys(&["status"]).await,
        true,
        &["v1  seals, 2 data keys", &format!("Space {SPACE}  data key 1")],
    );
    assert_told(&keys(&["retire", "1"]).await, false, &["v1 is the key in use"]);
    assert_told(&keys(&["add"]).await, true, &["Added v2", file]);
    assert_told(&keys(&["status"]).await, true, &["v2  not used yet"]);
    assert_told(&keys(&["rotate"]).await, true, &["under v2", "3 values were sealed anew"]);
    assert_told(&keys(&["status"]).await, true, &["v1  nothing needs it", "v2  seals, 2 data keys"]);
    assert_told(&keys(&["retire", "2"]).await, false, &["v2 is the key in use"]);
    assert_told(&keys(&["retire", "7"]).await, false, &["no version 7"]);
    assert_told(&keys(&["retire", "1"]).await, true, &["Retired v1"]);
    assert_told(&keys(&["retire", "1"]).await, false, &["no version 1"]);
    let status = keys(&["status"]).await;
    assert_told(&status, true, &["v2  seals"]);
    assert!(!status.1.contains("v1"), "{}", status.1);
    assert_eq!(Keyring::read(&world.file).expect("a keyring").versions(), [2]);
    world.assert_opens(&world.replica().await, &key("one")).await;
    // Nobody's terminal has a key on it.
    let held = fs::read_to_string(&world.file).expect("readable");
    let secret = held.lines().find_map(|line| line.strip_prefix("v2:")).expect("a key");
    assert!(!status.1.contains(secret));
    database.close().await;
}

async fn s26_a_command_with_a_wrong_key_changes_nothing(address: String) {
    let database = open(&address).await.expect("it opens");
    let world = Sealed::new(database.clone()).await;
    world.seal(&key("one")).await;
    let other = world.file.with_file_name("other.key");
    Keyring::create(&other).expect("another keyring");
    let before = (world.token(&key("one")).await.access_token, fs::read(&other).expect("readable"));
    for arguments in [&["keys", "status"][..], &["keys", "rotate"], &["keys", "retire", "1"]] {
        let outcome = run(program(&address, &other, arguments)).await;
        assert_told(&outcome, false, &["is not the one that the database was sealed with"]);
    }
    fs::set_permissions(&other, fs::Permissions::from_mode(0o644)).expect("changed");
    for arguments in
        [&["keys", "status"][..], &["keys", "add"], &["keys", "rotate"], &["keys", "retire", "1"]]
    {
        assert_told(&run(program(&address, &other, arguments)).await, false, &["chmod 600"]);
    }
    let gone = world.file.with_file_name("gone.key");
    for arguments in
        [&["keys", "status"][..], &["keys", "add"], &["keys", "rotate"], &["keys", "retire", "1"]]
    {
        assert_told(&run(program(&address, &gone, arguments)).await, false, &["there is no keyring at"]);
        assert!(!gone.exists(), "{arguments:?} made one");
    }
    let after = (world.token(&key("one")).await.access_token, fs::read(&other).expect("readable"));
    assert_eq!(before, after);
    world.assert_opens(&world.replica().await, &key("one")).await;
    // In a variable it is nobody's to write but the operator's.
    for arguments in [&["keys", "add"][..], &["keys", "retire", "1"]] {
        let mut command = program(&address, &world.file, arguments);
        command.env("IPACK_MASTER_KEY", fs::read_to_string(&world.file).expect("readable"));
        assert_told(&run(command).await, false, &["IPACK_MASTER_KEY"]);
    }
    let mut command = program(&address, &gone, &["keys", "status"]);
    command.env("IPACK_MASTER_KEY", fs::read_to_string(&world.file).expect("readable"));
    assert_told(&run(command).await, true, &["v1  seals"]);
    database.close().await;
}

#[test]
fn a_backup_is_checked_with_the_keys_that_it_needs() {
    on_empty("a_backup_is_checked_with_the_keys_that_it_needs", Kind::Sqlite, |address| {
        Box::pin(check_backups(address))
    });
}

async fn check_backups(address: String) {
    let database = open(&address).await.expect("it opens");
    let world = Sealed::new(database.clone()).await;
    world.seal(&key("one")).await;
    let file = world.file.with_file_name("backup.db");
    let name = file.to_str().expect("text");
    let run_with = |keyring: &Path, arguments: &[&str]| run(program(&address, keyring, arguments));
    assert_told(&run_with(&world.file, &["backup", name]).await, true, &[]);
    let bytes = fs::read(&file).expect("readable");
    let check = ["check", name];
    assert_told(&run_with(&world.file, &check).await, true, &["is whole", "open all 3 sealed values"]);
    let other = world.file.with_file_name("other.key");
    Keyring::create(&other).expect("another keyring");
    let wrong = "is not the one that the database was sealed with";
    assert_told(&run_with(&other, &check).await, false, &[wrong]);
    assert_eq!(fs::read(&file).expect("readable"), bytes, "it is only looked at");
    // One that is used has part of itself beside it.
    let used = address.trim_start_matches("sqlite://");
    assert_told(&run_with(&world.file, &["check", used]).await, false, &["is in use"]);
    database.close().await;

    let mut connection = SqliteConnection::connect(&format!("sqlite://{name}")).await.expect("it opens");
    let damage = "UPDATE tokens SET access_token = x'00'";
    sqlx::raw_sql(damage).execute(&mut connection).await.expect("it runs");
    connection.close().await.expect("it closes");
    let told = ["does not open: tokens", "1 sealed values do not open"];
    assert_told(&run_with(&world.file, &check).await, false, &told);
    let names = fs::read_dir(file.parent().expect("a folder")).expect("a folder");
    let mut left = names.map(|name| name.expect("a name").file_name().to_string_lossy().into_owned());
    assert!(left.all(|name| !name.contains(".checking")), "a copy is left");
    fs::write(&file, &bytes[..bytes.len() / 2]).expect("written");
    assert_told(&run_with(&world.file, &check).await, false, &["cut off or damaged"]);
    let postgres = program("postgres://u:hush@h/db", &world.file, &["backup", "later.db"]);
    let told = run(postgres).await;
    assert_told(&told, false, &["pg_dump --format=custom --file=later.db"]);
    assert!(!told.1.contains("hush"), "{}", told.1);
}
