//! A rotation that is disturbed: dropped or killed in the middle, and with values that do not open.

use crate::commands::program;
use crate::sealed::{SPACE, Sealed, key, secret_place};
use ipack_core::{ServiceError, Services, keys::rotation::Unopenable};
use ipack_domain::{effects::new_id, ids::ConnectionKey, time::Timestamp};
use ipack_storage::{
    Database, Writer,
    client_secrets::{self, ClientSecret, Slot},
    data_keys::{self, SEALED},
    instances,
    open::open,
};
use ipack_testing::process::started;
use ipack_testing::records::json;
use ipack_testing::tables::{count, execute};
use ipack_vault::Keyring;
use std::{
    io::{BufRead, BufReader},
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::sync::Notify;

on_both!(
    s25_dropped_in_the_middle_it_goes_on_where_it_was,
    s25_what_does_not_open_is_listed_and_keeps_the_old_key,
);

mod killed {
    on_both!(empty: s25_killed_in_the_middle_it_goes_on_where_it_was);
    use super::s25_killed_in_the_middle_it_goes_on_where_it_was;
}

/// More than a few batches.
const MANY: u64 = 1_500;

/// Secrets of many connections, each sealed with the Space's data key.
async fn seal_many(world: &Sealed) -> Vec<ConnectionKey> {
    world.save(&key("0")).await;
    let services = &world.services;
    let now = services.clock.now();
    let write = async |mut db: Writer| {
        let data_key = services.data_keys.current_key(db.lend(), SPACE, now).await?;
        let mut keys = Vec::new();
        for number in 0..MANY {
            let key = key(&number.to_string());
            instances::register_process(db.lend(), &key).await?;
            instances::register_connection(db.lend(), &key).await?;
            let id = new_id(now);
            let secret = ClientSecret {
                id,
                slot: Slot::Current,
                sealed: data_key.seal(secret_place(&id), format!("secret of {number}").as_bytes()),
                data_key_version: data_key.version(),
                destination: json("nowhere"),
                sealed_by: "somebody".to_owned(),
                sealed_at: Timestamp(0),
            };
            client_secrets::put(db.lend(), &key, Slot::Current, &secret).await?;
            keys.push(key);
        }
        Ok::<_, ServiceError>(keys)
    };
    services.database.write(write).await.expect("sealed")
}

async fn left(database: &Database) -> u64 {
    let found = count(database, "client_secrets WHERE data_key_version = 1").await;
    found.unsigned_abs()
}

async fn assert_secrets_open(world: &Sealed, by: &Services, keys: &[ConnectionKey]) {
    for key in keys {
        let secrets = read_now!(by.database, db => client_secrets::of_connection(db, key));
        assert_eq!(secrets.len(), 1, "{key:?}");
        let (version, place) = (secrets[0].data_key_version, secret_place(&secrets[0].id));
        let opened = world.open(by, SPACE, version, place, &secrets[0].sealed).await.expect("it opens");
        assert_eq!(opened, format!("secret of {}", key.connection));
    }
}

/// After whatever happened: everything opens, another run does the rest, and the old key is not needed any more.
async fn assert_resumes(world: &Sealed, keys: &[ConnectionKey]) {
    let database = &world.services.database;
    let rest = left(database).await;
    assert!((1..MANY).contains(&rest), "it was not in the middle: {rest} are left");
    assert_secrets_open(world, &world.services, &keys[..20]).await;
    assert_secrets_open(world, &world.services, &keys[keys.len() - 20..]).await;
    let replica = world.replica().await;
    let Err(ServiceError::Conflict(_)) = replica.retire_key(1).await else { panic!("it is needed") };
    let resumed = replica.rotate_keys(|_| {}).await.expect("rotated");
    assert!((rest..=rest + 1).contains(&resumed.resealed), "{rest} were left: {resumed:?}");
    assert_eq!((resumed.unopenable, left(database).await), (vec![], 0));
    replica.retire_key(1).await.expect("nothing needs it");
    Keyring::remove(&world.file, 1).expect("removed");
    assert_secrets_open(world, &world.replica().await, keys).await;
}

async fn s25_dropped_in_the_middle_it_goes_on_where_it_was(database: Database) {
    let world = Sealed::new(database).await;
    let keys = seal_many(&world).await;
    Keyring::add(&world.file).expect("a key is added");
    let rotating = world.replica().await;
    let (reports, enough) = (AtomicU64::new(0), Notify::new());
    let report = |progress: &ipack_core::keys::rotation::Progress| {
        if progress.scope == SPACE && reports.fetch_add(1, Ordering::Relaxed) == 2 {
            enough.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = enough.notified() => {}
        done = rotating.rotate_keys(report) => panic!("it ended: {done:?}"),
    }
    assert_resumes(&world, &keys).await;
}

async fn s25_killed_in_the_middle_it_goes_on_where_it_was(address: String) {
    let database = open(&address).await.expect("it opens");
    let world = Sealed::new(database.clone()).await;
    let keys = seal_many(&world).await;
    Keyring::add(&world.file).expect("a key is added");
    let mut child = started(program(&address, &world.file, &["keys", "rotate"]));
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let told = tokio::task::spawn_blocking(move || {
        output.lines().map_while(Result::ok).find(|line| line.contains(SPACE) && line.contains("sealed anew"))
    });
    let told = told.await.expect("it is read");
    child.kill().expect("killed");
    let status = child.wait().expect("it is over");
    assert!(told.is_some(), "it told of no progress");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{status}");
    assert_resumes(&world, &keys).await;
    database.close().await;
}

async fn s25_what_does_not_open_is_listed_and_keeps_the_old_key(database: Database) {
    let world = Sealed::new(database.clone()).await;
    for name in ["one", "two", "three"] {
        world.seal(&key(name)).await;
    }
    let damaged = world.token(&key("two")).await;
    let nonsense = match &database {
        Database::Sqlite { .. } => "x'01'",
        Database::Postgres(_) => "'\\x01'::bytea",
    };
    execute(&database, &format!("UPDATE tokens SET refresh_token = {nonsense} WHERE connection_id = 'two'"))
        .await;
    for _ in 0..2 {
        let rotation = match read_now!(database, db => data_keys::master_keys(db)).len() {
            1 => world.rotate().await,
            _ => world.rotate_again().await,
        };
        let expected = Unopenable { scope: SPACE.into(), table: "tokens", id: damaged.id };
        assert_eq!(rotation.unopenable, [expected]);
        let Err(ServiceError::Conflict(message)) = world.services.retire_key(1).await else {
            panic!("what is damaged may be mended from a backup, and needs it then");
        };
        assert!(message.contains("still needed"), "{message}");
    }
    assert_eq!(world.token(&key("two")).await.access_token, damaged.access_token, "it stays as it is");
    assert_eq!(count(&database, "tokens WHERE data_key_version = 1").await, 1, "and nothing else does");
    for name in ["one", "three"] {
        world.assert_opens(&world.replica().await, &key(name)).await;
    }
    world.reset(&key("two")).await;
    assert_eq!(world.rotate_again().await.unopenable, []);
    world.services.retire_key(1).await.expect("nothing needs it");
    for table in SEALED {
        let old = count(&database, &format!("{} WHERE data_key_version = 1", table.name)).await;
        assert_eq!(old, 0, "{}", table.name);
    }
}
