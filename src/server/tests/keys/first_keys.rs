//! Data keys are made when the first value of a Space is sealed: what is sealed by one replica opens for all of them,
//! whatever became of the transaction that made the key.

use crate::sealed::{SPACE, Sealed, key};
use ipack_core::ServiceError;
use ipack_storage::{Database, Writer, data_keys};
use tokio::task::JoinSet;

on_both!(a_data_key_that_was_rolled_back_seals_nothing, replicas_that_seal_first_seal_with_one_key,);

async fn a_data_key_that_was_rolled_back_seals_nothing(database: Database) {
    let world = Sealed::new(database.clone()).await;
    let (services, key) = (&world.services, key("one"));
    let now = services.clock.now();
    for _ in 0..2 {
        let write = async |mut db: Writer| {
            for _ in 0..2 {
                services.data_keys.current_key(db.lend(), SPACE, now).await.expect("a key");
            }
            Err::<(), _>(ServiceError::Internal("rolled back"))
        };
        database.write(write).await.expect_err("rolled back");
        assert_eq!(read_now!(database, db => data_keys::current(db, SPACE)), None);
    }
    world.seal(&key).await;
    world.assert_opens(services, &key).await;
    world.assert_opens(&world.replica().await, &key).await;
    // And where another replica was first in the end.
    let other = crate::sealed::in_space("space-2", "two");
    services.create_space(crate::sealed::ACCOUNT, "space-2", "Another").await.expect("a Space");
    let write = async |mut db: Writer| {
        services.data_keys.current_key(db.lend(), "space-2", now).await.expect("a key");
        Err::<(), _>(ServiceError::Internal("rolled back"))
    };
    database.write(write).await.expect_err("rolled back");
    let replica = world.replica().await;
    world.save(&other).await;
    world.encrypt(&replica, &other).await.expect("encrypted");
    world.put_token(&replica, &other).await.expect("sealed");
    world.assert_opens(services, &other).await;
    world.encrypt(services, &other).await.expect("encrypted");
    world.assert_opens(&replica, &other).await;
}

async fn replicas_that_seal_first_seal_with_one_key(database: Database) {
    let world = Sealed::new(database.clone()).await;
    let keys: Vec<_> = (0..6).map(|number| key(&format!("connection {number}"))).collect();
    let mut replicas = Vec::new();
    for key in &keys {
        world.save(key).await;
        replicas.push(world.replica().await);
    }
    let world = std::sync::Arc::new(world);
    let mut tasks = JoinSet::new();
    for (key, replica) in keys.iter().cloned().zip(replicas.iter().cloned()) {
        let world = world.clone();
        tasks.spawn(async move {
            world.encrypt(&replica, &key).await?;
            world.put_token(&replica, &key).await?;
            Ok::<(), ServiceError>(())
        });
    }
    for outcome in tasks.join_all().await {
        outcome.expect("sealed");
    }
    assert_eq!(
        read_now!(database, db => data_keys::list(db)).iter().filter(|row| row.scope == SPACE).count(),
        1
    );
    for key in &keys {
        world.assert_opens(&replicas[0], key).await;
        world.assert_opens(&replicas[5], key).await;
    }
}
