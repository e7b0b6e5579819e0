//! What most contracts need around them: an account, a Space, and a connection key whose every part is there.
//!
//! Moments and ids are given, never drawn.

use crate::{read_now, write_now};
use ipack_domain::{ids::ConnectionKey, provider::ProviderChoice, time::Timestamp};
use ipack_storage::{
    Database,
    accounts::{self, Space},
    admins::{self, Admin},
    attempts::{Attempt, Status},
    client_secrets::{ClientSecret, Slot},
    columns::JsonText,
    data_keys::{self, DataKeyRow},
    details::NewDetails,
    environments,
    instances::{self, NewInstance},
    revocations::Revocation,
    tokens::{Failed, Token},
};
use std::sync::LazyLock;
use uuid::Uuid;

pub const ACCOUNT: &str = "account-1";
pub const SPACE: &str = "space-1";

/// A moment so many seconds after the first.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp(1_700_000_000_123_456).plus_seconds(seconds)
}

pub fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub fn key() -> ConnectionKey {
    ConnectionKey {
        space: SPACE.to_owned(),
        instance: "instance-1".to_owned(),
        environment: "environment-1".to_owned(),
        process: "process-1".to_owned(),
        connection: "connection-1".to_owned(),
    }
}

/// Details that show who wrote them.
pub fn new_details<'a>(oauth_connector_details: &'a str, saved_by: &'a str) -> NewDetails<'a> {
    NewDetails {
        is_token_generated: false,
        oauth_connector_details,
        client_id: "client",
        complete: true,
        saved_by,
        provider: None,
    }
}

pub fn new_instance<'a>(space: &'a str, id: &'a str, name: &'a str) -> NewInstance<'a> {
    NewInstance {
        space,
        id,
        account: ACCOUNT,
        pack: None,
        name,
        override_name: None,
        pack_name: "",
        single_pack: None,
    }
}

/// A Space of [`ACCOUNT`] (or of another), unless it is there.
pub async fn add_space(database: &Database, account: &str, guid: &str) {
    write_now!(database, db => accounts::ensure(db, account, at(0)));
    if read_now!(database, db => accounts::find_space(db, guid)).is_none() {
        let space = Space {
            guid: guid.to_owned(),
            account_id: account.to_owned(),
            name: format!("Name of {guid}"),
            created_at: at(0),
        };
        write_now!(database, db => accounts::add_space(db, &space));
    }
}

/// An instance of [`ACCOUNT`] by this name, in a Space that is there.
pub async fn add_instance(database: &Database, space: &str, id: &str, name: &str) {
    write_now!(database, db => instances::add(db, new_instance(space, id, name), at(0)));
}

/// Everything that details or drafts of a key refer to, unless it is there.
pub async fn stand_up(database: &Database, key: &ConnectionKey) {
    add_space(database, ACCOUNT, &key.space).await;
    write_now!(database, db => environments::register(db, &key.space, &key.environment, at(0)));
    if read_now!(database, db => instances::find(db, &key.space, &key.instance)).is_none() {
        add_instance(database, &key.space, &key.instance, &key.instance).await;
    }
    attach(database, &key.space, &key.instance, &key.environment).await;
    write_now!(database, db => instances::register_process(db, key));
    write_now!(database, db => instances::register_connection(db, key));
}

/// Attaches an instance to an environment; the attachment's id comes from the three names.
pub async fn attach(database: &Database, space: &str, instance: &str, environment: &str) {
    let id = attachment_id(space, instance, environment);
    write_now!(database, db => environments::attach(db, id, space, instance, environment, at(0)));
}

pub fn attachment_id(space: &str, instance: &str, environment: &str) -> Uuid {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (space, instance, environment).hash(&mut hasher);
    uuid(u128::from(hasher.finish()))
}

/// An admin of every account; the id comes from the number.
pub async fn add_admin(database: &Database, number: u128) -> Uuid {
    let admin = Admin {
        id: uuid(number),
        email: format!("admin-{number}@example.com"),
        account_id: None,
        password_hash: "hash".to_owned(),
        password_changed_at: at(0),
    };
    write_now!(database, db => admins::add(db, &admin, at(0)));
    admin.id
}

/// A master key, unless it is there, and a scope's data key under it. What is wrapped shows whose it is.
pub async fn add_data_key(database: &Database, scope: &str, version: u32, master_version: u32) -> DataKeyRow {
    write_now!(database, db => data_keys::add_master_key(db, master_version, b"check", at(0)));
    let wrapped = format!("data key {version} of {scope}").into_bytes();
    let row = DataKeyRow { scope: scope.to_owned(), version, master_version, wrapped };
    write_now!(database, db => data_keys::add(db, &row, at(0)));
    row
}

/// JSON of a type that storage does not know.
pub fn json(text: &str) -> JsonText {
    JsonText::of(&text).expect("a text has JSON")
}

/// A choice that shows its name.
pub fn provider(name: &str) -> ProviderChoice {
    ProviderChoice { provider: name.to_owned(), ..ProviderChoice::default() }
}

/// A secret that shows its number, sealed with the Space's first data key.
pub fn secret(number: u128, slot: Slot) -> ClientSecret {
    ClientSecret {
        id: uuid(number),
        slot,
        sealed: format!("sealed {number} \0").into_bytes(),
        data_key_version: 1,
        destination: json(&format!("destination {number}")),
        sealed_by: format!("sealer {number}"),
        sealed_at: at(0),
    }
}

/// A refresh that failed for good.
pub fn failed(failure: &str) -> Failed<'_> {
    static ADVICE: LazyLock<JsonText> = LazyLock::new(|| JsonText::of(&["Look there."]).expect("JSON"));
    Failed { failure, advice: &ADVICE, is_broken: true, again_at: None }
}

/// A token that shows its number, sealed with the Space's first data key and due at the first moment.
pub fn token(number: u128, key: &ConnectionKey) -> Token {
    Token {
        id: uuid(number),
        key: key.clone(),
        version: 1,
        access_token: format!("access {number} \0").into_bytes(),
        refresh_token: Some(format!("refresh {number} \0").into_bytes()),
        extra: Some(b"sealed beside".to_vec()),
        data_key_version: 1,
        token_type: "Bearer".to_owned(),
        requested_scope: "a b".to_owned(),
        granted_scope: Some("a".to_owned()),
        origin: json(&format!("origin {number}")),
        configuration: json(&format!("configuration {number}")),
        company_id: Some("company ü".to_owned()),
        obtained_by: format!("admin {number}"),
        obtained_at: at(0),
        refreshed_at: None,
        expires_at: Some(at(60)),
        refresh_at: Some(at(0)),
        failures: 0,
        failure: None,
        advice: None,
        is_broken: false,
        lease_owner: None,
        lease_until: None,
    }
}

/// An open attempt that shows its number, sealed with the Space's first data key; it runs out after a minute.
pub fn attempt_of(number: u128, key: &ConnectionKey, admin_id: Uuid) -> Attempt {
    Attempt {
        id: uuid(number),
        key: key.clone(),
        admin_id,
        browser: format!("browser {number} \0").into_bytes(),
        is_in_window: false,
        status: Status::Opened,
        message: None,
        advice: None,
        sealed: Some(format!("begun with {number} \0").into_bytes()),
        data_key_version: Some(1),
        begun_at: at(0),
        expires_at: at(60),
    }
}

/// A revocation that shows its number, sealed with the Space's first data key.
pub fn revocation_of(number: u128, key: &ConnectionKey, due_at: Timestamp) -> Revocation {
    Revocation {
        id: uuid(number),
        key: key.clone(),
        account_id: ACCOUNT.to_owned(),
        actor: "ann@example.com".to_owned(),
        sealed: format!("revokes {number} \0").into_bytes(),
        data_key_version: 1,
        due_at,
    }
}
