//! Contract of `storage::lines` about tokens: what a line tells of one, and which lines come first.

use crate::overview::{add_pack, install, listed, oauth_lines, oauth_lines_of};
use ipack_domain::{catalogue::Classification, ids::ConnectionKey};
use ipack_storage::{
    Database,
    audit_log::{self, Event, Kind},
    client_secrets::{self, Slot},
    details::{self, NewDetails},
    lines::{self, Line, LineOfInstance, ProcessInEnvironment, StatusLine},
    tokens::{self, Failed, Token},
};
use ipack_testing::records::{
    ACCOUNT, SPACE, add_data_key, add_space, at, failed, json, key, new_details, provider, secret, stand_up,
    token, uuid,
};

const DAY: i64 = 24 * 3_600;

type Change = fn(&mut Token);

on_both!(
    lines_tell_what_a_state_depends_on,
    what_needs_somebody_comes_before_a_limit_cuts,
    status_lines_come_by_key
);

async fn lines_tell_what_a_state_depends_on(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    add_data_key(&database, SPACE, 1, 1).await;
    add_pack(&database, &["none", "partly", "token", "yes"].map(|id| ("p", id, id, true))).await;
    install(&database, &["e", "f"].map(|id| (id, id, Classification::Test))).await;
    let of = |connection: &str| ConnectionKey {
        environment: "e".to_owned(),
        process: "p".to_owned(),
        connection: connection.to_owned(),
        ..key()
    };
    for (number, connection, complete) in [(1, "partly", false), (2, "token", true), (3, "yes", true)] {
        let (text, choice) = (format!("details of {connection}"), provider("the provider"));
        let new = NewDetails { complete, provider: Some(&choice), ..new_details(&text, "saver") };
        write_now!(database, db => details::upsert(db, uuid(number), &of(connection), new, at(60)));
    }
    let kept = Token { failure: Some("no answer".to_owned()), ..token(1, &of("token")) };
    write_now!(database, db => tokens::put(db, &kept));
    for (number, slot) in [(1, Slot::Current), (2, Slot::Replacement), (3, Slot::Password)] {
        for connection in ["token", "yes"] {
            let number = number + if connection == "yes" { 10 } else { 0 };
            let secret = secret(number, slot);
            write_now!(database, db => client_secrets::put(db, &of(connection), slot, &secret));
        }
    }
    let lines = oauth_lines(&database, uuid(1), 100).await;
    let line = |id: &str| {
        lines.iter().find(|line| line.environment_id == "e" && line.connection_id == id).expect("listed")
    };
    let found = line("token");
    let (text, shown) = (|text: &str| Some(text.to_owned()), |text: &str| Some(json(text)));
    assert_eq!(found.oauth_connector_details, text("details of token"));
    assert_eq!(found.provider, Some(provider("the provider")));
    assert_eq!(
        (found.obtained_at, found.refreshed_at, found.expires_at, found.refresh_at),
        (Some(at(0)), None, Some(at(60)), Some(at(0)))
    );
    assert_eq!((found.is_broken, &found.configuration), (Some(false), &shown("configuration 1")));
    assert_eq!((&found.requested_scope, &found.granted_scope), (&text("a b"), &text("a")));
    assert_eq!(found.company_id, text("company ü"));
    assert_eq!(found.secret, shown("destination 1"));
    assert_eq!((&found.replacement, &found.password), (&shown("destination 2"), &shown("destination 3")));
    // Details are read where the state depends on them, and nowhere else.
    assert_eq!(line("partly").oauth_connector_details, text("details of partly"));
    for without in ["none", "partly", "yes"].map(line) {
        assert!(without.connection_id == "partly" || without.oauth_connector_details.is_none());
        assert_eq!((without.obtained_at, without.is_broken, &without.secret), (None, None, &None));
    }
    // One line each: neither several secrets nor another environment make more of them.
    assert_eq!(lines.len(), 8);
    assert!(lines.iter().filter(|line| line.environment_id == "f").all(|line| line.obtained_at.is_none()));
}

async fn what_needs_somebody_comes_before_a_limit_cuts(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    add_data_key(&database, SPACE, 1, 1).await;
    let now = at(100 * DAY);
    let fine = |key: &ConnectionKey| Token {
        granted_scope: None,
        obtained_at: at(99 * DAY),
        expires_at: Some(now.plus_seconds(60)),
        refresh_at: Some(now),
        ..token(1, key)
    };
    // By what their names say, in the order that is expected; their ids run the other way, and the fine ones are many.
    let with_token: [(&str, Change); 8] = [
        ("broken", |token| (token.is_broken, token.refresh_at) = (true, None)),
        ("ran out", |token| (token.expires_at, token.refresh_at) = (Some(at(100 * DAY)), None)),
        ("failing", |token| token.failure = Some("no answer".to_owned())),
        ("failing, and over", |token| {
            (token.failure, token.expires_at) = (Some("no answer".to_owned()), Some(at(99 * DAY)));
        }),
        ("expiring", |token| (token.expires_at, token.refresh_at) = (Some(at(107 * DAY)), None)),
        ("granted less", |token| token.granted_scope = Some("a".to_owned())),
        ("saved since", |token| token.obtained_at = at(0)),
        ("zfine", |_| ()),
    ];
    let expected = [
        "broken",
        "ran out",
        "failing",
        "failing, and over",
        "expiring",
        "no token",
        "granted less",
        "saved since",
        "incomplete",
        "nothing saved",
    ];
    let mut connections: Vec<(String, String)> = expected
        .iter()
        .enumerate()
        .map(|(n, name)| (format!("z{:02}", 50 - n), (*name).to_owned()))
        .collect();
    connections.extend((0..20).map(|n| (format!("a{n:02}"), format!("a fine {n:02}"))));
    let in_pack: Vec<_> =
        connections.iter().map(|(id, name)| ("p", id.as_str(), name.as_str(), true)).collect();
    add_pack(&database, &in_pack).await;
    install(&database, &[("e", "E", Classification::Prod)]).await;
    for (number, (id, name)) in (1..).zip(&connections) {
        let key = ConnectionKey {
            environment: "e".to_owned(),
            process: "p".to_owned(),
            connection: id.clone(),
            ..key()
        };
        if name != "nothing saved" {
            let new = NewDetails { complete: name != "incomplete", ..new_details("{}", "saver") };
            write_now!(database, db => details::upsert(db, uuid(number), &key, new, at(98 * DAY)));
        }
        let found =
            with_token.iter().find(|(known, _)| known == name || name.contains("fine") && *known == "zfine");
        if let Some((_, change)) = found {
            let mut row = Token { id: uuid(number), ..fine(&key) };
            change(&mut row);
            write_now!(database, db => tokens::put(db, &row));
            // A new token is never broken or failing: that comes later.
            if row.is_broken || row.failure.is_some() {
                let owner = uuid(1_000);
                assert!(write_now!(database, db => tokens::lease(db, row.id, 1, owner, now, at(0))));
                let again_at = row.refresh_at;
                write_now!(database, db => tokens::failed(db, row.id, owner, Failed { is_broken: row.is_broken, again_at, ..failed("no answer") }));
            }
        }
    }
    let instance = key().instance;
    let place = ProcessInEnvironment { space: SPACE, instance: &instance, environment: "e", process: "p" };
    for limit in [1, 5, 10, 12, 100] {
        let names =
            |lines: Vec<Line>| -> Vec<_> { lines.into_iter().map(|line| line.connection_name).collect() };
        let all = names(oauth_lines_of(&database, &[listed(SPACE, &instance)], uuid(1), now, limit).await);
        let limit_of_expected = expected.len().min(usize::try_from(limit).expect("small"));
        assert_eq!(all[..limit_of_expected], expected[..limit_of_expected]);
        assert_eq!(all.len(), usize::try_from(limit.min(30)).expect("small"));
        assert!(all[limit_of_expected..].iter().is_sorted(), "{all:?}");
        let here = read_now!(database, db => lines::process_lines(db, place, uuid(1), now, None, limit));
        let here = names(here.into_iter().map(|one| one.line).collect());
        assert_eq!(here, all);
    }
}

/// What programs are told of, from page to page.
async fn status_lines_come_by_key(database: Database) {
    let of = |instance: &str, connection: &str, environment: &str| ConnectionKey {
        instance: instance.to_owned(),
        connection: connection.to_owned(),
        environment: environment.to_owned(),
        ..key()
    };
    let keys = [("a", "x", "1"), ("a", "x", "2"), ("a", "y", "1"), ("a", "y", "2"), ("b", "w", "1")];
    let keys = keys.map(|(instance, connection, environment)| of(instance, connection, environment));
    for key in keys.iter().rev() {
        stand_up(&database, key).await;
    }
    let elsewhere = ConnectionKey { space: "space-2".to_owned(), ..keys[0].clone() };
    stand_up(&database, &elsewhere).await;
    let sql = "UPDATE connections SET uses_oauth = FALSE WHERE instance_id = 'b'";
    ipack_testing::tables::execute(&database, sql).await;
    let key_of = |row: StatusLine| of(&row.instance_id, &row.line.connection_id, &row.line.environment_id);
    for size in 1..=5 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = read_now!(database, db => lines::status_lines(db, SPACE, after.as_ref(), size));
            assert!(page.len() as i64 <= size);
            let Some(last) = page.last() else { break };
            after = Some(key_of(last.clone()));
            seen.extend(page.into_iter().map(key_of));
        }
        assert_eq!(seen, keys[..4], "pages of {size}");
    }
    // Of all Spaces, for whoever counts them.
    let all: Vec<_> = keys[..4].iter().chain([&elsewhere]).cloned().collect();
    for size in 1..=6 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = read_now!(database, db => lines::all_oauth_lines(db, after.as_ref(), size));
            assert!(page.len() as i64 <= size);
            let Some(last) = page.last() else { break };
            after = Some(last.clone().key());
            seen.extend(page.into_iter().map(LineOfInstance::key));
        }
        seen.sort_by_key(|key| key.space != SPACE);
        assert_eq!(seen, all, "batches of {size}");
    }

    add_data_key(&database, SPACE, 1, 1).await;
    write_now!(database, db => tokens::put(db, &token(1, &keys[0])));
    for (number, key, kind, seconds) in [
        (1, &keys[0], Kind::TokenRead, 5),
        (2, &keys[0], Kind::TokenRead, 7),
        (3, &keys[0], Kind::TokenRefreshed, 9),
        (4, &keys[1], Kind::TokenRead, 8),
    ] {
        let event = Event { account: ACCOUNT, key, kind, actor: "runtime", changed: &[], detail: None };
        write_now!(database, db => audit_log::add(db, uuid(number), event, at(seconds)));
    }
    let line = async |key: &ConnectionKey| read_now!(database, db => lines::status_line(db, key));
    let found = line(&keys[0]).await.expect("it is there");
    assert_eq!((found.read_at, found.line.obtained_at), (Some(at(7)), Some(at(0))));
    let without_token = line(&keys[1]).await.expect("it is there");
    assert_eq!((without_token.read_at, without_token.line.obtained_at), (None, None));
    for absent in [&keys[4], &of("a", "z", "1"), &of("a", "x", "3")] {
        assert!(line(absent).await.is_none(), "{absent:?}");
    }
}
