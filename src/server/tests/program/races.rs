//! Many tasks at once: what each may count on, whoever comes first.
//!
//! Never wait for time to pass.

use ipack_core::{ServiceError, Services, access::Client, connector::details::SaveDetails};
use ipack_domain::{effects::Clock, fields::TextField, rights::Rights, suggestions::SuggestionField};
use ipack_storage::{
    Database, StorageError, Writer, accounts,
    details::{self, NewDetails, StoredDetails},
    suggestions::{self, UsedValue},
};
use ipack_testing::records::{at, key, new_details, stand_up, uuid};
use ipack_testing::world::{oauth, setup};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{sync::Barrier, task::JoinSet};

on_both!(
    many_first_saves_of_one_key_make_one_row,
    of_many_replacements_of_one_version_exactly_one_wins,
    of_many_careful_first_saves_exactly_one_wins,
    many_blind_replacements_are_all_counted,
    one_new_account_is_added_by_exactly_one,
    readers_are_answered_while_a_transaction_is_open,
    transactions_that_wait_for_each_other_are_undone_and_begun_again,
    saves_and_uninstalling_at_once_both_succeed,
);

const TASKS: u8 = 32;

/// Runs the same work in many tasks that start together, and gives back what each made of it.
async fn at_once<T, F>(database: &Database, work: impl Fn(Database, u8) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StorageError>> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(usize::from(TASKS)));
    let mut tasks = JoinSet::new();
    for number in 1..=TASKS {
        let (barrier, work) = (barrier.clone(), work(database.clone(), number));
        tasks.spawn(async move {
            barrier.wait().await;
            work.await
        });
    }
    let outcomes = tasks.join_all().await;
    outcomes.into_iter().map(|outcome| outcome.expect("no task fails")).collect()
}

fn text(number: u8) -> String {
    format!("{{\"task\":{number}}}")
}

fn new(text: &str) -> NewDetails<'_> {
    new_details(text, "saver")
}

async fn saved(database: &Database) -> StoredDetails {
    read_now!(database, db => details::find(db, &key())).expect("it is saved")
}

async fn many_first_saves_of_one_key_make_one_row(database: Database) {
    stand_up(&database, &key()).await;
    let outcomes = at_once(&database, |database, number| async move {
        let (id, text) = (uuid(u128::from(number)), text(number));
        let saved = write_now!(database, db => details::upsert(db, id, &key(), new(&text), at(0)));
        assert_eq!(saved.oauth_connector_details, text, "each is told of its own save");
        Ok(saved)
    })
    .await;
    let mut versions: Vec<_> = outcomes.iter().map(|saved| saved.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=i64::from(TASKS)).collect::<Vec<_>>(), "no version is given twice");
    let last = saved(&database).await;
    assert_eq!(last.version, i64::from(TASKS));
    assert!(outcomes.iter().all(|saved| saved.id == last.id), "all are told one id");
    assert!(outcomes.contains(&last), "what is saved is what the last one wrote");
}

async fn of_many_replacements_of_one_version_exactly_one_wins(database: Database) {
    stand_up(&database, &key()).await;
    write_now!(database, db => details::upsert(db, uuid(1), &key(), new("base"), at(0)));
    let outcomes = at_once(&database, |database, number| async move {
        let text = text(number);
        let saved = write_now!(database, db => details::replace_version(db, &key(), 1, new(&text), at(1)));
        Ok(saved)
    })
    .await;
    let winners: Vec<_> = outcomes.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(winners[0].version, 2);
    assert_eq!(saved(&database).await, winners[0]);
}

async fn of_many_careful_first_saves_exactly_one_wins(database: Database) {
    stand_up(&database, &key()).await;
    let outcomes = at_once(&database, |database, number| async move {
        let (id, text) = (uuid(u128::from(number)), text(number));
        let saved = write_now!(database, db => details::insert_first(db, id, &key(), new(&text), at(1)));
        Ok(saved)
    })
    .await;
    let winners: Vec<_> = outcomes.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(winners[0].version, 1);
    assert_eq!(saved(&database).await, winners[0]);
}

async fn many_blind_replacements_are_all_counted(database: Database) {
    stand_up(&database, &key()).await;
    write_now!(database, db => details::upsert(db, uuid(1), &key(), new("base"), at(0)));
    let outcomes = at_once(&database, |database, number| async move {
        let text = text(number);
        let saved = write_now!(database, db => details::upsert(db, uuid(2), &key(), new(&text), at(1)));
        Ok(saved.version)
    })
    .await;
    let mut versions = outcomes;
    versions.sort_unstable();
    assert_eq!(versions, (2..=i64::from(TASKS) + 1).collect::<Vec<_>>());
    assert_eq!(saved(&database).await.version, i64::from(TASKS) + 1);
}

async fn one_new_account_is_added_by_exactly_one(database: Database) {
    let added = at_once(&database, |database, _| async move {
        Ok(write_now!(database, db => accounts::ensure(db, "new", at(0))))
    })
    .await;
    assert_eq!(added.into_iter().filter(|added| *added).count(), 1);
}

async fn readers_are_answered_while_a_transaction_is_open(database: Database) {
    stand_up(&database, &key()).await;
    write_now!(database, db => details::upsert(db, uuid(1), &key(), new("before"), at(0)));
    let write = async |mut db: Writer| {
        details::upsert(db.lend(), uuid(2), &key(), new("after"), at(1)).await?;
        assert_eq!(saved(&database).await.oauth_connector_details, "before");
        Ok::<_, StorageError>(())
    };
    database.write(write).await.expect("the write succeeds");
    assert_eq!(saved(&database).await.oauth_connector_details, "after");
}

/// Two transactions that write the same two rows in opposite orders, each after the other has its first. SQLite lets
/// only one of them begin; PostgreSQL undoes one.
async fn transactions_that_wait_for_each_other_are_undone_and_begun_again(database: Database) {
    if matches!(database, Database::Sqlite { .. }) {
        return;
    }
    for account in ["a", "b"] {
        write_now!(database, db => accounts::ensure(db, account, at(0)));
    }
    let barrier = Arc::new(Barrier::new(2));
    let undone = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for (first, second) in [("a", "b"), ("b", "a")] {
        let (database, barrier, undone) = (database.clone(), barrier.clone(), undone.clone());
        tasks.spawn(async move {
            let attempts = AtomicUsize::new(0);
            let value = UsedValue::new(SuggestionField::Text(TextField::BaseUrl), "value");
            let value = [value.expect("it is offered")];
            let write = async |mut db: Writer| {
                let is_first = attempts.fetch_add(1, Ordering::Relaxed) == 0;
                suggestions::record(db.lend(), first, &value, at(1), at(1)).await?;
                if is_first {
                    barrier.wait().await;
                }
                let outcome = suggestions::record(db.lend(), second, &value, at(1), at(1)).await;
                if matches!(outcome, Err(StorageError::Undone(_))) {
                    undone.fetch_add(1, Ordering::Relaxed);
                }
                outcome
            };
            database.write(write).await
        });
    }
    for outcome in tasks.join_all().await {
        outcome.expect("it succeeds in the end");
    }
    // How often they meet again after that is chance.
    assert!(undone.load(Ordering::Relaxed) >= 1, "they never waited for each other");
}

async fn saves_and_uninstalling_at_once_both_succeed(database: Database) {
    let key = key();
    write_now!(database, db => accounts::ensure(db, "account", at(0)));
    let services =
        Services::new(database.clone(), Clock::new(|| at(0)), setup(oauth())).await.expect("it starts");
    services.create_space("account", &key.space, "A Space").await.expect("a Space");
    let client =
        Client { account: "account".into(), name: "n".into(), username: "u".into(), rights: Rights::all() };
    let mut tasks = JoinSet::new();
    for number in 0..48 {
        let (services, client, key) = (services.clone(), client.clone(), key.clone());
        tasks.spawn(async move {
            let space = key.space.clone();
            if number % 4 == 3 {
                let gone = services.uninstall(&client, Some(&space), &key.instance).await;
                return match gone {
                    Ok(()) | Err(ServiceError::InstanceInvalid) => Ok(()),
                    Err(other) => Err(other),
                };
            }
            let save = SaveDetails {
                key,
                is_token_generated: false,
                oauth_connector_details: text(number),
                client_id: "c".into(),
            };
            services.save_details(&client, Some(&space), save).await.map(drop)
        });
    }
    for outcome in tasks.join_all().await {
        outcome.expect("neither is in the other's way");
    }
}
