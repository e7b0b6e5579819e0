//! Contract of `storage::signing_keys`: the key that all replicas sign with.

use ipack_core::{Services, access::Client};
use ipack_domain::{effects::Clock, rights::Rights};
use ipack_storage::{
    Database,
    open::open,
    signing_keys::{self, SigningKeyRow},
};
use ipack_testing::records::at;
use ipack_testing::world::{oauth, setup};
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

on_both!(the_first_key_stays, any_bytes_make_a_key, a_key_is_sealed_anew_by_whoever_read_it_last);

mod together {
    on_both!(empty: replicas_that_start_together_sign_with_one_key);
    use super::replicas_that_start_together_sign_with_one_key;
}

fn row(secret: &[u8], version: u32) -> Option<SigningKeyRow> {
    Some(SigningKeyRow { secret: secret.to_vec(), data_key_version: Some(version) })
}

async fn the_first_key_stays(database: Database) {
    assert_eq!(read_now!(database, db => signing_keys::find(db)), None);
    write_now!(database, db => signing_keys::add(db, b"first", 1, at(5)));
    // Whatever the clocks of the others say.
    for (secret, now) in [(b"older", 4), (b"later", 6)] {
        write_now!(database, db => signing_keys::add(db, secret, 2, at(now)));
        assert_eq!(read_now!(database, db => signing_keys::find(db)), row(b"first", 1));
    }
}

async fn any_bytes_make_a_key(database: Database) {
    let secret: Vec<u8> = (0..=255).collect();
    write_now!(database, db => signing_keys::add(db, &secret, u32::MAX, at(0)));
    assert_eq!(read_now!(database, db => signing_keys::find(db)), row(&secret, u32::MAX));
}

async fn a_key_is_sealed_anew_by_whoever_read_it_last(database: Database) {
    let none = write_now!(database, db => signing_keys::reseal(db, b"a", b"b", 2));
    assert!(!none, "there is none");
    write_now!(database, db => signing_keys::add(db, b"a", 1, at(0)));
    assert!(write_now!(database, db => signing_keys::reseal(db, b"a", b"b", 2)));
    let late = write_now!(database, db => signing_keys::reseal(db, b"a", b"c", 3));
    assert!(!late, "it is not what was read any more");
    assert_eq!(read_now!(database, db => signing_keys::find(db)), row(b"b", 2));
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
            Services::new(database, Clock::new(move || at(-number)), setup(oauth())).await.expect("it starts")
        });
    }
    let replicas = starting.join_all().await;
    let client =
        Client { account: "a".into(), name: "n".into(), username: "u".into(), rights: Rights::all() };
    for one in &replicas {
        let jwt = one.signing_key.sign(&client, None, at(0)).expect("signed");
        for other in &replicas {
            assert_eq!(other.check_jwt(&jwt).expect("signed with the same key"), client);
        }
    }
    for replica in replicas {
        replica.database.close().await;
    }
}
