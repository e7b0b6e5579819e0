//! Contract of `storage::signing_keys`: the key that all replicas sign with.
//!
//! A new function there gets a test here, named in `on_both!`.

use super::world::at;
use crate::{
    effects::Clock,
    services::{Services, access::Client},
    storage::{Database, open::open, signing_keys},
};
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

on_both!(the_first_key_stays, any_bytes_make_a_key);

mod together {
    on_both!(empty: replicas_that_start_together_sign_with_one_key);
    use super::replicas_that_start_together_sign_with_one_key;
}

async fn the_first_key_stays(database: Database) {
    assert_eq!(read_now!(database, db => signing_keys::find(db)), None);
    write_now!(database, db => signing_keys::add(db, b"first", at(5)));
    // Whatever the clocks of the others say.
    for (secret, now) in [(b"older", 4), (b"later", 6)] {
        write_now!(database, db => signing_keys::add(db, secret, at(now)));
        assert_eq!(read_now!(database, db => signing_keys::find(db)), Some(b"first".to_vec()));
    }
}

async fn any_bytes_make_a_key(database: Database) {
    let secret: Vec<u8> = (0..=255).collect();
    write_now!(database, db => signing_keys::add(db, &secret, at(0)));
    assert_eq!(read_now!(database, db => signing_keys::find(db)), Some(secret));
}

async fn replicas_that_start_together_sign_with_one_key(address: String) {
    const REPLICAS: i64 = 6;
    let barrier = Arc::new(Barrier::new(usize::try_from(REPLICAS).expect("a small number")));
    let mut starting = JoinSet::new();
    for number in 0..REPLICAS {
        let (barrier, address) = (barrier.clone(), address.clone());
        starting.spawn(async move {
            let database = open(&address).await.expect("it opens");
            barrier.wait().await;
            // No two clocks agree.
            Services::new(database, Clock::new(move || at(-number))).await.expect("it starts")
        });
    }
    let replicas = starting.join_all().await;
    let client = Client { account: "a".into(), name: "n".into(), username: "u".into() };
    for one in &replicas {
        let jwt = one.signing_key.sign(&client, at(0)).expect("signed");
        for other in &replicas {
            assert_eq!(other.check_jwt(&jwt).expect("signed with the same key"), client);
        }
    }
    for replica in replicas {
        replica.database.close().await;
    }
}
