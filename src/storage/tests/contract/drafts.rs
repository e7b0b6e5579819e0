//! Contract of `storage::drafts`: what an admin has typed and not saved. Keys and admins are held apart by
//! `isolation`.

use ipack_domain::{
    form::{FormContent, Parameter},
    ids::ConnectionKey,
    provider::{ClientAuthentication, Grant, ProviderChoice},
};
use ipack_storage::{
    Database, Reader, StorageError,
    drafts::{self, Draft},
    environments,
};
use ipack_testing::records::{SPACE, add_admin, at, key, stand_up, uuid};

on_both!(
    everything_typed_comes_back,
    a_later_draft_takes_the_place_of_the_earlier,
    a_draft_is_removed_once,
    a_draft_needs_its_admin_connection_and_attachment,
    a_draft_that_cannot_be_read_is_named_corrupt,
);

/// Typing of every kind: rows in order, blank rows, keys twice, control characters, NUL too.
fn typed() -> Draft {
    let row = Parameter::new;
    Draft {
        base_version: i64::MAX,
        base: FormContent {
            base_url: "https://example.com/ü?q=%20#f".to_owned(),
            company_id: " two  blanks ".to_owned(),
            client_id: "e\u{301} é 😀 \u{10ffff} \u{202e}".to_owned(),
            authorization: vec![row("z", "1"), row("a", "2"), row("z", "3"), row("", "")],
            access_token: vec![row("", "value without a key"), row("line\r\nbreak\ttab", "\u{feff}'\"\\")],
            provider: ProviderChoice {
                provider: "endpoints".to_owned(),
                token_endpoint: "not an address \0".to_owned(),
                grant: Grant::JwtBearer,
                scopes: " b  a ".to_owned(),
                client_authentication: ClientAuthentication::PrivateKeyJwt,
                without_pkce: true,
                ..ProviderChoice::default()
            },
            every_environment: true,
        },
        content: FormContent {
            base_url: "not an address \0 with NUL".to_owned(),
            access_token: (0..500).map(|n| Parameter::new(format!("key {n}"), "x".repeat(n))).collect(),
            ..FormContent::default()
        },
        attempted: true,
        updated_at: at(7),
    }
}

fn blank() -> Draft {
    Draft {
        base_version: 0,
        base: FormContent::default(),
        content: FormContent::default(),
        attempted: false,
        updated_at: at(8),
    }
}

async fn find(database: &Database, admin: uuid::Uuid) -> Option<Draft> {
    read_now!(database, db => drafts::find(db, &key(), admin))
}

async fn everything_typed_comes_back(database: Database) {
    let admin = add_admin(&database, 1).await;
    stand_up(&database, &key()).await;
    assert_eq!(find(&database, admin).await, None);
    write_now!(database, db => drafts::keep(db, &key(), admin, &typed()));
    assert_eq!(find(&database, admin).await, Some(typed()));
}

async fn a_later_draft_takes_the_place_of_the_earlier(database: Database) {
    let admin = add_admin(&database, 1).await;
    stand_up(&database, &key()).await;
    for draft in [typed(), blank(), typed()] {
        write_now!(database, db => drafts::keep(db, &key(), admin, &draft));
        assert_eq!(find(&database, admin).await, Some(draft));
    }
}

async fn a_draft_is_removed_once(database: Database) {
    let admin = add_admin(&database, 1).await;
    stand_up(&database, &key()).await;
    assert!(!write_now!(database, db => drafts::remove(db, &key(), admin)), "there is none yet");
    write_now!(database, db => drafts::keep(db, &key(), admin, &blank()));
    assert!(write_now!(database, db => drafts::remove(db, &key(), admin)));
    assert_eq!(find(&database, admin).await, None);
    assert!(!write_now!(database, db => drafts::remove(db, &key(), admin)), "it is gone");
}

async fn a_draft_needs_its_admin_connection_and_attachment(database: Database) {
    let admin = add_admin(&database, 1).await;
    stand_up(&database, &key()).await;
    write_now!(database, db => environments::register(db, SPACE, "not attached", at(0)));
    assert_refused!(database, Reference, db => drafts::keep(db, &key(), uuid(2), &blank()));
    let unattached = ConnectionKey { environment: "not attached".to_owned(), ..key() };
    let unknown = ConnectionKey { connection: "unknown".to_owned(), ..key() };
    for key in [unattached, unknown] {
        assert_refused!(database, Reference, db => drafts::keep(db, &key, admin, &blank()));
        assert_eq!(read_now!(database, db => drafts::find(db, &key, admin)), None);
    }
}

async fn a_draft_that_cannot_be_read_is_named_corrupt(database: Database) {
    let admin = add_admin(&database, 1).await;
    stand_up(&database, &key()).await;
    write_now!(database, db => drafts::keep(db, &key(), admin, &blank()));
    for column in ["base_content", "content"] {
        write_now!(database, db => drafts::keep(db, &key(), admin, &blank()));
        let sql = format!("UPDATE drafts SET {column} = '{{'");
        ipack_testing::tables::execute(&database, &sql).await;
        let mut reader: Reader = database.reader().await.expect("a connection is free");
        let outcome = drafts::find(reader.connection(), &key(), admin).await;
        assert!(
            matches!(&outcome, Err(StorageError::Corrupt(name)) if *name == column),
            "{column}: {outcome:?}"
        );
    }
}
