//! What is stored sealed: bound to its place, named after its key, and damaged one by one.

use crate::sealed::{
    ACCOUNT, SPACE, Sealed, access_place, in_space, is_unopenable, key, refresh_place, secret_place,
};
use ipack_core::{ServiceError, Services};
use ipack_domain::ids::ConnectionKey;
use ipack_storage::{
    Database,
    client_secrets::{self, ClientSecret},
    data_keys::{self, INSTALLATION, SEALED, SealedTable},
    signing_keys,
    tokens::Token,
};
use ipack_testing::tables::execute;
use ipack_vault::{SealContext, key_version_of};
use uuid::Uuid;

on_both!(
    s23_a_flipped_byte_is_an_error_of_that_row_alone,
    s23_a_flipped_byte_of_a_data_key_is_an_error_of_that_space_alone,
    s23_a_value_that_does_not_open_can_be_reset,
    s23_what_is_moved_to_another_row_or_column_does_not_open,
    s24_the_same_secret_twice_gives_two_values,
    s24_every_stored_value_names_its_key_version,
);

async fn secret_of(database: &Database, key: &ConnectionKey) -> ClientSecret {
    read_now!(database, db => client_secrets::of_connection(db, key)).remove(0)
}

/// A few bytes of a sealed value: its format, key version, nonce, ciphertext and tag.
fn positions(sealed: &[u8]) -> [usize; 7] {
    [0, 1, 4, 5, 28, 29, sealed.len() - 1]
}

fn flipped(sealed: &[u8], position: usize) -> Vec<u8> {
    let mut wrong = sealed.to_vec();
    wrong[position] ^= 1;
    wrong
}

/// Writes one sealed column of a token.
async fn overwrite(database: &Database, column: &str, id: Uuid, bytes: &[u8]) {
    let (bytes, id) = (literal(database, bytes), literal(database, id.as_bytes()));
    let id = match database {
        Database::Sqlite { .. } => id,
        Database::Postgres(_) => format!("encode({id}, 'hex')::uuid"),
    };
    execute(database, &format!("UPDATE tokens SET {column} = {bytes} WHERE id = {id}")).await;
}

fn literal(database: &Database, bytes: &[u8]) -> String {
    let hex = hex::encode(bytes);
    match database {
        Database::Sqlite { .. } => format!("x'{hex}'"),
        Database::Postgres(_) => format!("'\\x{hex}'::bytea"),
    }
}

async fn s23_a_flipped_byte_is_an_error_of_that_row_alone(database: Database) {
    let world = Sealed::new(database.clone()).await;
    let (damaged, fine) = (key("damaged"), key("fine"));
    for key in [&damaged, &fine] {
        world.seal(key).await;
    }
    let token = world.token(&damaged).await;
    for position in positions(&token.access_token) {
        overwrite(&database, "access_token", token.id, &flipped(&token.access_token, position)).await;
        // One that has not opened it before, and so cannot remember it.
        let replica = world.replica().await;
        let outcome = world.access_token(&replica, &damaged).await;
        assert!(is_unopenable(&outcome), "byte {position}: {outcome:?}");
        world.assert_opens(&replica, &fine).await;
    }
    let short = &token.access_token[..token.access_token.len() - 1];
    for cut in [short, &token.access_token[..20], &[]] {
        overwrite(&database, "access_token", token.id, cut).await;
        let outcome = world.access_token(&world.replica().await, &damaged).await;
        assert!(is_unopenable(&outcome), "{} bytes: {outcome:?}", cut.len());
    }
    // What stands beside it opens, and it does too once it is whole again.
    overwrite(&database, "access_token", token.id, &token.access_token).await;
    world.assert_opens(&world.replica().await, &damaged).await;
    let refresh = token.refresh_token.expect("it has one");
    let secret = secret_of(&database, &damaged).await;
    for (place, sealed) in [(refresh_place(&token.id), refresh), (secret_place(&secret.id), secret.sealed)] {
        for position in positions(&sealed) {
            let wrong = flipped(&sealed, position);
            let outcome = world.open(&world.services, SPACE, 1, place, &wrong).await;
            assert!(is_unopenable(&outcome), "{place:?}, byte {position}: {outcome:?}");
        }
    }
}

async fn s23_a_flipped_byte_of_a_data_key_is_an_error_of_that_space_alone(database: Database) {
    let world = Sealed::new(database.clone()).await;
    world.services.create_space(ACCOUNT, "space-2", "Another").await.expect("a Space");
    let (damaged, fine) = (key("damaged"), in_space("space-2", "fine"));
    for key in [&damaged, &fine] {
        world.seal(key).await;
    }
    let row = read_now!(database, db => data_keys::current(db, SPACE)).expect("it is there");
    for position in positions(&row.wrapped) {
        let wrong = literal(&database, &flipped(&row.wrapped, position));
        execute(&database, &format!("UPDATE data_keys SET wrapped = {wrong} WHERE scope = '{SPACE}'")).await;
        let replica = world.replica().await;
        let outcome = world.access_token(&replica, &damaged).await;
        assert!(is_unopenable(&outcome), "byte {position}: {outcome:?}");
        let outcome = world.encrypt(&replica, &damaged).await;
        assert!(is_unopenable(&outcome), "nothing is sealed with it either: {outcome:?}");
        world.assert_opens(&replica, &fine).await;
    }
}

async fn s23_a_value_that_does_not_open_can_be_reset(database: Database) {
    let world = Sealed::new(database.clone()).await;
    let key = key("damaged");
    world.seal(&key).await;
    execute(&database, &format!("UPDATE tokens SET refresh_token = {}", literal(&database, b"nonsense")))
        .await;
    execute(&database, &format!("UPDATE client_secrets SET sealed = {}", literal(&database, b"nonsense")))
        .await;
    world.reset(&key).await;
    world.seal(&key).await;
    world.assert_opens(&world.replica().await, &key).await;
}

async fn s23_what_is_moved_to_another_row_or_column_does_not_open(database: Database) {
    let world = Sealed::new(database.clone()).await;
    world.services.create_space(ACCOUNT, "space-2", "Another").await.expect("a Space");
    let keys = [key("one"), key("two"), in_space("space-2", "three")];
    for key in &keys {
        world.seal(key).await;
    }
    let mut rows: Vec<(Token, ClientSecret)> = Vec::new();
    for key in &keys {
        rows.push((world.token(key).await, secret_of(&database, key).await));
    }
    let own: Vec<(&str, SealContext<'_>, Vec<u8>)> = rows
        .iter()
        .flat_map(|(token, secret)| {
            let space = token.key.space.as_str();
            let refresh = token.refresh_token.clone().expect("it has one");
            [
                (space, access_place(&token.id), token.access_token.clone()),
                (space, refresh_place(&token.id), refresh),
                (space, secret_place(&secret.id), secret.sealed.clone()),
            ]
        })
        .collect();
    for (here, (space, place, _)) in own.iter().enumerate() {
        for (there, (_, from, sealed)) in own.iter().enumerate() {
            let outcome = world.open(&world.services, space, 1, *place, sealed).await;
            assert_eq!(outcome.is_ok(), here == there, "from {from:?} to {place:?}: {outcome:?}");
            assert!(outcome.is_ok() || is_unopenable(&outcome));
        }
    }
    // The whole way: the neighbour's token in the stead of the own one.
    overwrite(&database, "access_token", rows[0].0.id, &rows[1].0.access_token).await;
    let replica = world.replica().await;
    let outcome = world.access_token(&replica, &keys[0]).await;
    assert!(is_unopenable(&outcome), "{outcome:?}");
    assert_told_without_a_secret(&replica, outcome);
    world.assert_opens(&replica, &keys[1]).await;
}

fn assert_told_without_a_secret<T>(_by: &Services, outcome: Result<T, ServiceError>) {
    let error = outcome.map(drop).expect_err("it does not open").into_app_error("the-request");
    assert_eq!(
        (error.code.as_str(), error.request_id.as_deref()),
        ("GENERIC_SYSTEM_ERROR", Some("the-request"))
    );
    assert!(error.message.contains("cannot be opened"), "{}", error.message);
}

async fn s24_the_same_secret_twice_gives_two_values(database: Database) {
    let world = Sealed::new(database.clone()).await;
    let one = key("one");
    world.seal(&one).await;
    let (secret, token) = (secret_of(&database, &one).await, world.token(&one).await);
    world.reset(&one).await;
    world.seal(&one).await;
    let (secret_now, token_now) = (secret_of(&database, &one).await, world.token(&one).await);
    assert_ne!(secret.sealed, secret_now.sealed);
    assert_ne!(token.access_token, token_now.access_token);
    assert_ne!(token.refresh_token, token_now.refresh_token);
    // Not even a part of them: nothing tells that they hide the same.
    let tail = |sealed: &[u8]| sealed[29..].to_vec();
    assert_ne!(tail(&secret.sealed), tail(&secret_now.sealed));
    world.assert_opens(&world.services, &one).await;
}

async fn assert_named(database: &Database, table: SealedTable) -> usize {
    let all = u32::MAX;
    let rows = read_now!(database, db => data_keys::sealed_before(db, table, SPACE, all, Uuid::nil(), 1_000));
    for row in &rows {
        for sealed in row.values.iter().flatten() {
            let named = key_version_of(sealed);
            assert_eq!(named, Some(row.data_key_version), "{} {}", table.name, row.id);
        }
    }
    rows.len()
}

async fn s24_every_stored_value_names_its_key_version(database: Database) {
    let world = Sealed::new(database.clone()).await;
    for rotations in 1..=3 {
        for connection in ["one", "two"] {
            world.save(&key(connection)).await;
            world.encrypt(&world.services, &key(connection)).await.expect("encrypted");
            world.put_token(&world.services, &key(connection)).await.expect("sealed");
        }
        let mut named = 0;
        for table in SEALED {
            named += assert_named(&database, table).await;
        }
        assert!(named >= 4, "{named} values");
        for row in read_now!(database, db => data_keys::list(db)) {
            assert_eq!(key_version_of(&row.wrapped), Some(row.master_version));
            assert_eq!(row.version, rotations);
        }
        for row in read_now!(database, db => data_keys::master_keys(db)) {
            assert_eq!(key_version_of(&row.check_value), Some(row.version));
        }
        let row = read_now!(database, db => signing_keys::find(db)).expect("it is there");
        assert_eq!(key_version_of(&row.secret), row.data_key_version);
        assert_eq!(row.data_key_version, Some(rotations), "{INSTALLATION:?} is rotated too");
        world.rotate().await;
    }
}
