//! Contract of `storage::details`: what is saved for one connection key, and its version. The bytes are held by
//! `bytes`, tasks at once by `races`, the key's parts by `isolation`.

use ipack_domain::{ids::ConnectionKey, provider::ProviderChoice, time::Timestamp};
use ipack_storage::{
    Database,
    details::{self, NewDetails, OtherEnvironment, OwnedDetails, StoredDetails},
    environments, instances, tokens,
};
use ipack_testing::records::{
    ACCOUNT, add_data_key, at, attach, key, new_details, provider, stand_up, token, uuid,
};

on_both!(
    a_second_save_keeps_the_id_and_raises_the_version,
    every_field_of_a_save_comes_back,
    a_save_without_a_provider_leaves_the_one_that_is_there,
    a_replacement_needs_something_to_replace,
    a_stale_version_replaces_nothing,
    a_first_save_gives_way_to_what_is_there,
    details_need_the_connection_and_the_attachment,
    details_are_found_with_their_account_and_whether_there_is_a_token,
    the_other_environments_are_listed_with_what_is_saved_there,
    what_is_shared_is_listed_as_it_was_saved_last,
);

async fn find(database: &Database) -> Option<StoredDetails> {
    read_now!(database, db => details::find(db, &key()))
}

async fn a_second_save_keeps_the_id_and_raises_the_version(database: Database) {
    stand_up(&database, &key()).await;
    assert_eq!(find(&database).await, None);
    for version in 1..=3_u8 {
        // Each save brings an id of its own, as a client that knows nothing of the row does.
        let (id, text) = (uuid(u128::from(version)), format!("{{\"save\":{version}}}"));
        let new = new_details(&text, "saver");
        let saved = write_now!(database, db => details::upsert(db, id, &key(), new, at(i64::from(version))));
        let expected = StoredDetails {
            id: uuid(1),
            version: i64::from(version),
            is_token_generated: false,
            oauth_connector_details: text.clone(),
            client_id: "client".to_owned(),
            saved_by: "saver".to_owned(),
            updated_at: at(i64::from(version)),
            provider: None,
        };
        assert_eq!(saved, expected);
        assert_eq!(find(&database).await, Some(expected));
    }
}

/// Two sets of values that differ in every field; the second has this provider.
fn contrasting<'a>(default: &'a ProviderChoice, provider: &'a ProviderChoice) -> [NewDetails<'a>; 2] {
    [
        NewDetails {
            is_token_generated: true,
            oauth_connector_details: "{}",
            client_id: "",
            complete: false,
            saved_by: "API token “ops”",
            provider: Some(default),
        },
        NewDetails {
            is_token_generated: false,
            oauth_connector_details: r#"{"base_url":"https://example.com"}"#,
            client_id: "क्लाइंट 🗝",
            complete: true,
            saved_by: "a@example.com",
            provider: Some(provider),
        },
    ]
}

fn assert_holds(saved: &StoredDetails, new: NewDetails<'_>, version: i64, updated_at: Timestamp) {
    assert_eq!(saved.is_token_generated, new.is_token_generated);
    assert_eq!(saved.oauth_connector_details, new.oauth_connector_details);
    assert_eq!(saved.client_id, new.client_id);
    assert_eq!(saved.saved_by, new.saved_by);
    assert_eq!(saved.provider.as_ref(), new.provider);
    assert_eq!((saved.id, saved.version, saved.updated_at), (uuid(1), version, updated_at));
}

async fn every_field_of_a_save_comes_back(database: Database) {
    stand_up(&database, &key()).await;
    let slack = ProviderChoice { scopes: "a ü".to_owned(), ..provider("slack") };
    let default = ProviderChoice::default();
    let [one, two] = contrasting(&default, &slack);
    let saved = write_now!(database, db => details::insert_first(db, uuid(1), &key(), one, at(1)));
    assert_holds(&saved.expect("nothing was there"), one, 1, at(1));
    let saved = write_now!(database, db => details::upsert(db, uuid(2), &key(), two, at(2)));
    assert_holds(&saved, two, 2, at(2));
    let saved = write_now!(database, db => details::upsert(db, uuid(3), &key(), one, at(3)));
    assert_holds(&saved, one, 3, at(3));
    let saved = write_now!(database, db => details::replace_version(db, &key(), 3, two, at(4)));
    assert_holds(&saved.expect("the version held"), two, 4, at(4));
    assert_holds(&find(&database).await.expect("it is there"), two, 4, at(4));
}

async fn a_save_without_a_provider_leaves_the_one_that_is_there(database: Database) {
    stand_up(&database, &key()).await;
    let (one, two) = (provider("one"), provider("two"));
    let with = |provider| NewDetails { provider, ..new_details("{}", "saver") };
    let saved = write_now!(database, db => details::upsert(db, uuid(1), &key(), with(None), at(0)));
    assert_eq!(saved.provider, None);
    let saved = write_now!(database, db => details::upsert(db, uuid(1), &key(), with(Some(&one)), at(1)));
    assert_eq!(saved.provider.as_ref(), Some(&one));
    let saved = write_now!(database, db => details::upsert(db, uuid(1), &key(), with(None), at(2)));
    assert_eq!(saved.provider.as_ref(), Some(&one));
    let saved = write_now!(database, db => details::replace_version(db, &key(), 3, with(None), at(3)));
    assert_eq!(saved.expect("the version held").provider.as_ref(), Some(&one));
    let saved = write_now!(database, db => details::replace_version(db, &key(), 4, with(Some(&two)), at(4)));
    assert_eq!(saved.expect("the version held").provider.as_ref(), Some(&two));
}

async fn a_replacement_needs_something_to_replace(database: Database) {
    stand_up(&database, &key()).await;
    let new = new_details("{}", "saver");
    for version in [0, 1] {
        let replaced = write_now!(database, db => details::replace_version(db, &key(), version, new, at(1)));
        assert_eq!(replaced, None);
    }
    assert_eq!(find(&database).await, None);
}

async fn details_are_found_with_their_account_and_whether_there_is_a_token(database: Database) {
    let elsewhere = ConnectionKey { environment: "environment-2".to_owned(), ..key() };
    for (id, key) in [(1, &key()), (2, &elsewhere)] {
        stand_up(&database, key).await;
        assert_eq!(read_now!(database, db => details::find_owned(db, key)), None);
        let new = new_details("{}", "saver");
        write_now!(database, db => details::upsert(db, uuid(id), key, new, at(0)));
    }
    add_data_key(&database, &key().space, 1, 1).await;
    write_now!(database, db => tokens::put(db, &token(1, &key())));
    for (key, has_token) in [(&key(), true), (&elsewhere, false)] {
        let owned = read_now!(database, db => details::find_owned(db, key)).expect("it is saved");
        let details = read_now!(database, db => details::find(db, key)).expect("it is saved");
        assert_eq!(owned, OwnedDetails { details, account_id: ACCOUNT.to_owned(), has_token });
    }
}

async fn a_stale_version_replaces_nothing(database: Database) {
    stand_up(&database, &key()).await;
    write_now!(database, db => details::upsert(db, uuid(1), &key(), new_details("first", "a"), at(1)));
    write_now!(database, db => details::upsert(db, uuid(1), &key(), new_details("second", "b"), at(2)));
    let before = find(&database).await;
    for stale in [1, 0, 3, -1] {
        let new = new_details("mine", "c");
        let replaced = write_now!(database, db => details::replace_version(db, &key(), stale, new, at(3)));
        assert_eq!(replaced, None, "version {stale}");
    }
    assert_eq!(find(&database).await, before);
    let new = new_details("third", "c");
    let replaced = write_now!(database, db => details::replace_version(db, &key(), 2, new, at(3)));
    assert_eq!(replaced.map(|saved| saved.version), Some(3));
}

async fn a_first_save_gives_way_to_what_is_there(database: Database) {
    stand_up(&database, &key()).await;
    let first = new_details("first", "a");
    let saved = write_now!(database, db => details::insert_first(db, uuid(1), &key(), first, at(1)));
    assert_eq!(saved.as_ref().map(|saved| saved.version), Some(1));
    let late = new_details("late", "b");
    assert_eq!(write_now!(database, db => details::insert_first(db, uuid(2), &key(), late, at(2))), None);
    assert_eq!(find(&database).await, saved);
}

async fn details_need_the_connection_and_the_attachment(database: Database) {
    stand_up(&database, &key()).await;
    write_now!(database, db => environments::register(db, &key().space, "not attached", at(0)));
    let new = new_details("{}", "saver");
    let mut unknown = [key(), key(), key(), key(), key()];
    unknown[0].space = "unknown".to_owned();
    unknown[1].instance = "unknown".to_owned();
    unknown[2].environment = "not attached".to_owned();
    unknown[3].process = "unknown".to_owned();
    unknown[4].connection = "unknown".to_owned();
    for key in unknown {
        assert_refused!(database, Reference, db => details::upsert(db, uuid(1), &key, new, at(1)));
        assert_refused!(database, Reference, db => details::insert_first(db, uuid(1), &key, new, at(1)));
        assert_eq!(read_now!(database, db => details::find(db, &key)), None);
    }
}

async fn the_other_environments_are_listed_with_what_is_saved_there(database: Database) {
    stand_up(&database, &key()).await;
    let in_environment = |id: &str| ConnectionKey { environment: id.to_owned(), ..key() };
    for environment in ["b", "a", "c"] {
        stand_up(&database, &in_environment(environment)).await;
    }
    // None of these is one of this connection's other environments.
    write_now!(database, db => environments::register(db, &key().space, "not attached", at(0)));
    let neighbour = ConnectionKey { connection: "connection-2".to_owned(), ..in_environment("a") };
    stand_up(&database, &neighbour).await;
    stand_up(&database, &ConnectionKey { instance: "instance-2".to_owned(), ..in_environment("d") }).await;
    attach(&database, &key().space, "instance-2", "a").await;
    for (number, (saved_for, text)) in
        [(key(), "own"), (in_environment("b"), "in b"), (neighbour, "neighbour's")].iter().enumerate()
    {
        let choice = provider(text);
        let new =
            NewDetails { is_token_generated: true, provider: Some(&choice), ..new_details(text, "saver") };
        let id = uuid(number as u128);
        write_now!(database, db => details::upsert(db, id, saved_for, new, at(1)));
    }
    let others = || async { read_now!(database, db => details::other_environments(db, &key())) };
    let seen = |others: &[OtherEnvironment]| -> Vec<(String, String, Option<i64>, bool)> {
        let one = |o: &OtherEnvironment| (o.environment_id.clone(), o.name.clone(), o.version, o.is_same);
        others.iter().map(one).collect()
    };
    let expected = |version, is_same| {
        [("a", None, false), ("b", Some(version), is_same), ("c", None, false)]
            .map(|(id, version, is_same)| (id.to_owned(), id.to_owned(), version, is_same))
    };
    assert_eq!(seen(&others().await), expected(1, false));
    // The same text, from another provider, and then all the same.
    for (version, choice, is_same) in [(2, provider("in b"), false), (3, provider("own"), true)] {
        let new = NewDetails { provider: Some(&choice), ..new_details("own", "saver") };
        write_now!(database, db => details::upsert(db, uuid(9), &in_environment("b"), new, at(1)));
        assert_eq!(seen(&others().await), expected(version, is_same));
    }
}

async fn what_is_shared_is_listed_as_it_was_saved_last(database: Database) {
    let here = key();
    let there = ConnectionKey { environment: "shared-there".into(), ..key() };
    let alone = ConnectionKey { connection: "not-shared".into(), ..key() };
    for one in [&here, &there, &alone] {
        stand_up(&database, one).await;
    }
    let listed = || async { read_now!(database, db => details::shared(db, &here.space, &here.instance)) };
    for (seconds, one, text) in [(1, &here, "{\"a\":1}"), (3, &there, "{\"a\":3}"), (2, &alone, "{\"a\":2}")]
    {
        let new = new_details(text, "saver");
        write_now!(database, db => details::upsert(db, uuid(100 + seconds as u128), one, new, at(seconds)));
    }
    assert_eq!(listed().await, [], "nothing is shared yet");
    write_now!(database, db => instances::set_every_environment(db, &here, true));
    let found = listed().await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].connection_id, here.connection);
    assert_eq!(found[0].oauth_connector_details, "{\"a\":3}");
}
