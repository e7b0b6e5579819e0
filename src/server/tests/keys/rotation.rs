//! A rotation beside running servers: nothing is unreadable at any moment, and afterwards the old key can go.
//!
//! What a rotation must go through besides is listed in `storage::data_keys`; how it is disturbed, in
//! `rotation_faults`.

use crate::sealed::{ACCOUNT, SPACE, Sealed, in_space, key};
use ipack_core::{
    ServiceError,
    access::Client,
    keys::rotation::{MasterStatus, Rotation},
};
use ipack_domain::{rights::Rights, time::Timestamp};
use ipack_storage::{Database, data_keys};
use ipack_vault::Keyring;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::task::JoinSet;

on_both!(
    s25_afterwards_the_old_key_can_be_retired_and_everything_opens,
    s25_servers_go_on_sealing_and_reading_meanwhile,
    s25_two_rotations_at_once_do_it_together,
    s25_what_is_rotated_is_left_alone_by_the_next_run,
    s25_the_key_in_use_and_one_that_is_needed_are_not_retired,
    s25_the_status_tells_what_is_left_to_do,
    a_signing_key_from_before_there_was_a_vault_is_sealed_at_the_start,
);

async fn s25_afterwards_the_old_key_can_be_retired_and_everything_opens(database: Database) {
    let world = Sealed::new(database.clone()).await;
    world.services.create_space(ACCOUNT, "space-2", "Another").await.expect("a Space");
    let keys = [key("one"), key("two"), in_space("space-2", "one")];
    for key in &keys {
        world.seal(key).await;
    }
    let client =
        Client { account: ACCOUNT.into(), name: "n".into(), username: "u".into(), rights: Rights::all() };
    let jwt = world.services.signing_key.sign(&client, None, world.services.clock.now()).expect("signed");
    let rotation = world.rotate().await;
    // A secret and a token (two values in one row) for each key, and the signing key.
    assert_eq!(rotation, Rotation { master_version: 2, resealed: 7, unopenable: vec![] });
    for row in read_now!(database, db => data_keys::list(db)) {
        assert_eq!((row.version, row.master_version), (2, 2), "{}", row.scope);
    }
    world.services.retire_key(1).await.expect("nothing needs it");
    Keyring::remove(&world.file, 1).expect("removed");
    let replica = world.replica().await;
    for key in &keys {
        world.assert_opens(&replica, key).await;
        world.assert_opens(&world.services, key).await;
    }
    assert_eq!(replica.check_jwt(&jwt).expect("signed with the same key"), client);
}

async fn s25_servers_go_on_sealing_and_reading_meanwhile(database: Database) {
    const WRITERS: usize = 3;
    let world = Arc::new(Sealed::new(database.clone()).await);
    for number in 0..40 {
        world.seal(&key(&format!("old {number}"))).await;
    }
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        // Started with the old keyring, and nobody restarts them.
        let (world, over, replica) = (world.clone(), over.clone(), world.replica().await);
        tasks.spawn(async move {
            let mut written = Vec::new();
            while !over.load(Ordering::Relaxed) || written.len() < 5 {
                let key = key(&format!("new {writer} {}", written.len()));
                world.save(&key).await;
                world.encrypt(&replica, &key).await?;
                world.put_token(&replica, &key).await?;
                world.assert_opens(&replica, &key).await;
                let old = crate::sealed::key(&format!("old {}", written.len() % 40));
                world.assert_opens(&replica, &old).await;
                written.push(key);
            }
            Ok::<_, ServiceError>(written)
        });
    }
    Keyring::add(&world.file).expect("a key is added");
    let rotating = world.replica().await;
    let rotation = rotating.rotate_keys(|_| {}).await.expect("rotated");
    assert_eq!(rotation.unopenable, []);
    over.store(true, Ordering::Relaxed);
    let mut keys: Vec<_> = (0..40).map(|number| key(&format!("old {number}"))).collect();
    for written in tasks.join_all().await {
        keys.extend(written.expect("sealed meanwhile"));
    }
    // What was sealed in the moment that the old key was taken out of use is done by another run.
    rotating.rotate_keys(|_| {}).await.expect("rotated");
    rotating.retire_key(1).await.expect("nothing needs it");
    Keyring::remove(&world.file, 1).expect("removed");
    let replica = world.replica().await;
    for key in &keys {
        world.assert_opens(&replica, key).await;
    }
}

async fn s25_two_rotations_at_once_do_it_together(database: Database) {
    let world = Sealed::new(database.clone()).await;
    let keys: Vec<_> = (0..30).map(|number| key(&number.to_string())).collect();
    for key in &keys {
        world.seal(key).await;
    }
    Keyring::add(&world.file).expect("a key is added");
    let (one, two) = (world.replica().await, world.replica().await);
    let (first, second) = tokio::join!(one.rotate_keys(|_| {}), two.rotate_keys(|_| {}));
    let (first, second) = (first.expect("rotated"), second.expect("rotated"));
    assert_eq!((&first.unopenable, &second.unopenable), (&vec![], &vec![]));
    assert_eq!(first.resealed + second.resealed, 61, "each value once, by either");
    one.retire_key(1).await.expect("nothing needs it");
    Keyring::remove(&world.file, 1).expect("removed");
    let replica = world.replica().await;
    for key in &keys {
        world.assert_opens(&replica, key).await;
    }
}

async fn s25_what_is_rotated_is_left_alone_by_the_next_run(database: Database) {
    let world = Sealed::new(database.clone()).await;
    world.seal(&key("one")).await;
    let before = world.token(&key("one")).await;
    // Without a new key there is nothing to do.
    let rotation = world.rotate_again().await;
    assert_eq!(rotation, Rotation { master_version: 1, resealed: 0, unopenable: vec![] });
    assert_eq!(world.token(&key("one")).await.access_token, before.access_token);
    assert_eq!(world.rotate().await.resealed, 3);
    let after = world.token(&key("one")).await;
    assert_ne!(after.access_token, before.access_token);
    assert_eq!((after.version, after.data_key_version), (before.version, 2), "it is the same token");
    let again = world.rotate_again().await;
    assert_eq!(again, Rotation { master_version: 2, resealed: 0, unopenable: vec![] });
    assert_eq!(world.token(&key("one")).await.access_token, after.access_token);
}

async fn s25_the_key_in_use_and_one_that_is_needed_are_not_retired(database: Database) {
    let world = Sealed::new(database.clone()).await;
    world.seal(&key("one")).await;
    let refused = |version| {
        let services = &world.services;
        async move {
            match services.retire_key(version).await {
                Err(ServiceError::Conflict(message)) => message,
                other => panic!("v{version}: {other:?}"),
            }
        }
    };
    assert!(refused(1).await.contains("in use"));
    // Known by now, and nothing is rotated yet.
    write_now!(database, db => data_keys::add_master_key(db, 2, b"check", Timestamp(0)));
    assert!(refused(1).await.contains("still needed"));
    assert!(refused(2).await.contains("in use"));
    world.assert_opens(&world.services, &key("one")).await;
    assert_eq!(read_now!(database, db => data_keys::master_keys(db)).len(), 2);
}

async fn s25_the_status_tells_what_is_left_to_do(database: Database) {
    let world = Sealed::new(database.clone()).await;
    world.seal(&key("one")).await;
    let master =
        |version, is_known, data_keys| MasterStatus { version, is_in_keyring: true, is_known, data_keys };
    assert_eq!(world.services.key_status().await.expect("asked").masters, [master(1, true, 2)]);
    Keyring::add(&world.file).expect("a key is added");
    let replica = world.replica().await;
    let status = replica.key_status().await.expect("asked");
    assert_eq!(status.masters, [master(1, true, 2), master(2, false, 0)]);
    let scopes = |status: &ipack_core::keys::rotation::KeyStatus| -> Vec<_> {
        let scopes = status.scopes.iter();
        scopes.map(|one| (one.scope.clone(), one.data_key_version, one.master_version, one.values)).collect()
    };
    assert_eq!(scopes(&status), [(String::new(), 1, 1, 1), (SPACE.to_owned(), 1, 1, 2)]);
    replica.rotate_keys(|_| {}).await.expect("rotated");
    let status = replica.key_status().await.expect("asked");
    assert_eq!(status.masters, [master(1, true, 0), master(2, true, 2)]);
    assert_eq!(scopes(&status), [(String::new(), 2, 2, 1), (SPACE.to_owned(), 2, 2, 2)]);
    replica.retire_key(1).await.expect("nothing needs it");
    let status = replica.key_status().await.expect("asked");
    assert_eq!(status.masters, [master(1, false, 0), master(2, true, 2)]);
}

async fn a_signing_key_from_before_there_was_a_vault_is_sealed_at_the_start(database: Database) {
    use ipack_storage::signing_keys;
    use ipack_testing::tables::execute;
    let secret = match &database {
        Database::Sqlite { .. } => "x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'",
        Database::Postgres(_) => {
            "'\\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'::bytea"
        }
    };
    let sql = format!("INSERT INTO signing_keys (purpose, secret, created_at) VALUES ('jwt', {secret}, 0)");
    execute(&database, &sql).await;
    let world = Sealed::new(database.clone()).await;
    let row = read_now!(database, db => signing_keys::find(db)).expect("it is there");
    assert_eq!(row.data_key_version, Some(1));
    assert_ne!(row.secret, (0..32).collect::<Vec<u8>>());
    // JWTs that were signed with it are still good.
    let client =
        Client { account: ACCOUNT.into(), name: "n".into(), username: "u".into(), rights: Rights::all() };
    let old = ipack_core::accounts::jwt::SigningKey::new(&(0..32).collect::<Vec<u8>>());
    let jwt = old.sign(&client, None, world.services.clock.now()).expect("signed");
    assert_eq!(world.services.check_jwt(&jwt).expect("the same key"), client);
    assert_eq!(world.replica().await.check_jwt(&jwt).expect("the same key"), client);
}
