//! Contract of `storage::packs`: what can be installed, with its processes and connections. Those are read through
//! the instances that adopt them.

use ipack_domain::{catalogue::Named, ids::ConnectionKey};
use ipack_storage::{
    Database, environments,
    instances::{self, ConnectionInPlace, NewInstance},
    packs::{
        self,
        InstallationType::{self, Multi, Single},
        Pack, PackConnection, PackOfSpace,
    },
};
use ipack_testing::records::{ACCOUNT, SPACE, add_space, at, attach, key, new_instance, provider};

on_both!(
    a_second_put_gives_a_pack_new_words,
    a_pack_needs_its_space,
    a_process_needs_its_pack_and_a_connection_its_process,
    a_second_put_changes_processes_and_connections,
    packs_of_an_accounts_spaces_come_by_space_and_id,
);

fn pack(id: &str, name: &str, installation_type: InstallationType) -> Pack {
    Pack {
        id: id.to_owned(),
        name: name.to_owned(),
        description: format!("What {name} does"),
        installation_type,
    }
}

fn connection<'a>(
    id: &'a str,
    name: &'a str,
    uses_oauth: bool,
    defaults: Option<&'a str>,
) -> PackConnection<'a> {
    PackConnection { process: "p", id, name, uses_oauth, defaults, provider: None }
}

async fn a_second_put_gives_a_pack_new_words(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    add_space(&database, ACCOUNT, "space-2").await;
    let (first, second) = (pack("a", "First", Single), pack("a", "Zürich 🏔", Multi));
    write_now!(database, db => packs::put(db, SPACE, &first, at(0)));
    write_now!(database, db => packs::put(db, "space-2", &first, at(0)));
    write_now!(database, db => packs::put(db, SPACE, &second, at(1)));
    assert_eq!(read_now!(database, db => packs::find(db, SPACE, "a")), Some(second));
    assert_eq!(read_now!(database, db => packs::find(db, "space-2", "a")), Some(first));
    assert_eq!(read_now!(database, db => packs::find(db, SPACE, "b")), None);
}

async fn a_pack_needs_its_space(database: Database) {
    assert_refused!(database, Reference, db => packs::put(db, "nowhere", &pack("a", "A", Multi), at(0)));
}

async fn a_process_needs_its_pack_and_a_connection_its_process(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    write_now!(database, db => packs::put(db, SPACE, &pack("a", "A", Multi), at(0)));
    assert_refused!(database, Reference, db => packs::put_process(db, SPACE, "b", "p", "P"));
    let new = connection("c", "C", true, None);
    assert_refused!(database, Reference, db => packs::put_connection(db, SPACE, "a", new));
    write_now!(database, db => packs::put_process(db, SPACE, "a", "p", "P"));
    write_now!(database, db => packs::put_connection(db, SPACE, "a", new));
}

/// Adopts pack `a` in the instance of [`key`], and tells the processes and the connection `c` of process `p`.
async fn adopted(database: &Database) -> (Vec<(String, String)>, Option<ConnectionInPlace>) {
    write_now!(database, db => instances::adopt_pack(db, SPACE, &key().instance, "a"));
    let processes = read_now!(database, db => instances::processes(db, SPACE, &key().instance));
    let of_pack = ConnectionKey { process: "p".to_owned(), connection: "c".to_owned(), ..key() };
    let connection = read_now!(database, db => instances::connection(db, &of_pack));
    (processes.into_iter().map(|Named { id, name }| (id, name)).collect(), connection)
}

async fn a_second_put_changes_processes_and_connections(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    for id in ["a", "b"] {
        write_now!(database, db => packs::put(db, SPACE, &pack(id, id, Multi), at(0)));
        write_now!(database, db => packs::put_process(db, SPACE, id, "p", &format!("Process of {id}")));
        let provider = provider(&format!("of {id}"));
        let new = PackConnection { provider: Some(&provider), ..connection("c", id, true, Some("{ }")) };
        write_now!(database, db => packs::put_connection(db, SPACE, id, new));
    }
    let key = key();
    let instance = NewInstance { pack: Some("a"), ..new_instance(SPACE, &key.instance, "Instance") };
    write_now!(database, db => instances::add(db, instance, at(0)));
    write_now!(database, db => environments::register(db, SPACE, &key.environment, at(0)));
    attach(&database, SPACE, &key.instance, &key.environment).await;

    let (processes, connection_then) = adopted(&database).await;
    assert_eq!(processes, [("p".to_owned(), "Process of a".to_owned())]);
    let connection_then = connection_then.expect("adopted");
    assert_eq!((connection_then.name.as_str(), connection_then.uses_oauth), ("a", true));
    assert_eq!(connection_then.defaults.as_deref(), Some("{ }"));
    assert_eq!(connection_then.provider, Some(provider("of a")));

    write_now!(database, db => packs::put_process(db, SPACE, "a", "p", "Renamed"));
    write_now!(database, db => packs::put_connection(db, SPACE, "a", connection("c", "Renamed too", false, None)));
    let (processes, connection_now) = adopted(&database).await;
    assert_eq!(processes, [("p".to_owned(), "Renamed".to_owned())]);
    let expected = ConnectionInPlace {
        process_name: "Renamed".to_owned(),
        name: "Renamed too".to_owned(),
        uses_oauth: false,
        defaults: None,
        provider: None,
        ..connection_then
    };
    assert_eq!(connection_now, Some(expected));
}

async fn packs_of_an_accounts_spaces_come_by_space_and_id(database: Database) {
    for (account, space) in [(ACCOUNT, "s-1"), ("account-2", "s-2"), (ACCOUNT, "s-3"), (ACCOUNT, "s-4")] {
        add_space(&database, account, space).await;
        for id in ["b", "a"] {
            write_now!(database, db => packs::put(db, space, &pack(id, id, Single), at(0)));
        }
    }
    let of = |space: &str| {
        ["a", "b"].map(|id| PackOfSpace { space_guid: space.to_owned(), pack: pack(id, id, Single) })
    };
    for (first, last, expected) in [
        ("s-1", "s-3", [of("s-1"), of("s-3")].concat()),
        ("s-4", "s-4", of("s-4").to_vec()),
        ("s-2", "s-2", Vec::new()),
    ] {
        assert_eq!(read_now!(database, db => packs::of_spaces(db, ACCOUNT, first, last)), expected);
    }
}
