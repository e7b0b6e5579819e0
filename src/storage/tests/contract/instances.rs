//! Contract of `storage::instances`: what is installed. Removal is held by `uninstall`, a pack's words by `packs`.

use ipack_domain::{catalogue::Classification, ids::ConnectionKey};
use ipack_storage::{
    Database, accounts, environments,
    instances::{self, ConnectionInPlace, Instance, NewInstance, Registered},
    packs::{self, InstallationType, Pack, PackConnection},
};
use ipack_testing::records::{
    ACCOUNT, SPACE, add_instance, add_space, at, attach, key, new_instance, provider, stand_up,
};

on_both!(
    an_instance_comes_back_with_its_pack,
    an_id_is_taken_once_in_its_space,
    a_single_install_pack_is_installed_once_in_an_account,
    an_instance_needs_its_space_account_and_pack,
    a_space_is_paged_by_id,
    instances_of_a_pack_are_told_by_id,
    adopting_a_pack_keeps_what_is_there,
    a_connection_first_met_in_a_save_is_registered,
    what_is_registered_is_told_part_by_part,
    processes_come_by_name,
    a_connection_is_shown_where_it_is_attached,
    every_environment_is_remembered_for_one_connection,
);

async fn add_pack(database: &Database, space: &str, id: &str) {
    let pack = Pack {
        id: id.to_owned(),
        name: format!("Pack {id}"),
        description: "What it does".to_owned(),
        installation_type: InstallationType::Single,
    };
    write_now!(database, db => packs::put(db, space, &pack, at(0)));
}

async fn adopt(database: &Database, instance: &str, pack: &str) {
    write_now!(database, db => instances::adopt_pack(db, SPACE, instance, pack));
}

async fn process_names(database: &Database, instance: &str) -> Vec<(String, String)> {
    let found = read_now!(database, db => instances::processes(db, SPACE, instance));
    found.into_iter().map(|process| (process.id, process.name)).collect()
}

fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect()
}

async fn an_instance_comes_back_with_its_pack(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    add_pack(&database, SPACE, "a").await;
    let with_pack = NewInstance {
        pack: Some("a"),
        override_name: Some("Übername"),
        pack_name: "Pack a",
        single_pack: Some("a"),
        ..new_instance(SPACE, "1", "Zürich 🏔")
    };
    write_now!(database, db => instances::add(db, with_pack, at(0)));
    write_now!(database, db => instances::add(db, new_instance(SPACE, "2", "Bare"), at(0)));
    let expected = Instance {
        space_guid: SPACE.to_owned(),
        id: "1".to_owned(),
        name: "Zürich 🏔".to_owned(),
        override_name: Some("Übername".to_owned()),
        pack_id: Some("a".to_owned()),
        pack_name: Some("Pack a".to_owned()),
        pack_description: Some("What it does".to_owned()),
        installation_type: Some(InstallationType::Single),
    };
    assert_eq!(read_now!(database, db => instances::find(db, SPACE, "1")), Some(expected));
    let bare = read_now!(database, db => instances::find(db, SPACE, "2")).expect("it is there");
    assert_eq!((bare.pack_id, bare.pack_name, bare.installation_type), (None, None, None));
    assert_eq!(read_now!(database, db => instances::find(db, SPACE, "3")), None);
}

async fn an_id_is_taken_once_in_its_space(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    add_space(&database, ACCOUNT, "space-2").await;
    add_instance(&database, SPACE, "1", "First").await;
    assert_refused!(database, Exists, db => instances::add(db, new_instance(SPACE, "1", "Second"), at(1)));
    add_instance(&database, "space-2", "1", "Elsewhere").await;
    let found = read_now!(database, db => instances::find(db, SPACE, "1")).expect("it is there");
    assert_eq!(found.name, "First");
}

async fn a_single_install_pack_is_installed_once_in_an_account(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    write_now!(database, db => accounts::ensure(db, "account-2", at(0)));
    for pack in ["a", "b"] {
        add_pack(&database, SPACE, pack).await;
    }
    let single =
        |id, pack| NewInstance { pack: Some(pack), single_pack: Some(pack), ..new_instance(SPACE, id, id) };
    write_now!(database, db => instances::add(db, single("1", "a"), at(0)));
    assert_refused!(database, Exists, db => instances::add(db, single("2", "a"), at(0)));
    write_now!(database, db => instances::add(db, single("3", "b"), at(0)));
    let elsewhere = NewInstance { account: "account-2", ..single("4", "a") };
    write_now!(database, db => instances::add(db, elsewhere, at(0)));
    // Packs without that limit: as often as wanted.
    for id in ["5", "6"] {
        let multi = NewInstance { single_pack: None, ..single(id, "a") };
        write_now!(database, db => instances::add(db, multi, at(0)));
    }
    assert_eq!(read_now!(database, db => instances::of_pack(db, SPACE, "a")), ["1", "4", "5", "6"]);
}

async fn an_instance_needs_its_space_account_and_pack(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    add_space(&database, ACCOUNT, "space-2").await;
    add_pack(&database, "space-2", "elsewhere").await;
    let fine = new_instance(SPACE, "1", "One");
    let wrong = [
        NewInstance { space: "nowhere", ..fine },
        NewInstance { account: "nobody", ..fine },
        NewInstance { pack: Some("unknown"), ..fine },
        NewInstance { pack: Some("elsewhere"), ..fine },
    ];
    for new in wrong {
        assert_refused!(database, Reference, db => instances::add(db, new, at(0)));
    }
    assert_eq!(read_now!(database, db => instances::list(db, SPACE, "", 10)), []);
    write_now!(database, db => instances::add(db, fine, at(0)));
}

async fn a_space_is_paged_by_id(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    add_space(&database, ACCOUNT, "space-2").await;
    let ids = ["1", "10", "9", "B", "a", "a b", "a-b", "aa", "b", "Å", "ä", "日", "😀"];
    for id in ids.iter().rev() {
        // Names run the other way, so that an order by name would show.
        let name = format!("{:?}", id.bytes().map(|byte| 255 - byte).collect::<Vec<_>>());
        add_instance(&database, SPACE, id, &name).await;
        add_instance(&database, "space-2", &format!("{id}!"), "Elsewhere").await;
    }
    for size in [1, 2, 5, 13, 14] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = read_now!(database, db => instances::list(db, SPACE, &after, size));
            assert!(page.len() <= usize::try_from(size).expect("small"));
            let Some(last) = page.last() else { break };
            after = last.id.clone();
            seen.extend(page.into_iter().map(|instance| instance.id));
            assert!(seen.len() <= ids.len(), "again and again: {seen:?}");
        }
        assert_eq!(seen, ids, "pages of {size}");
    }
}

async fn instances_of_a_pack_are_told_by_id(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    for pack in ["a", "b"] {
        add_pack(&database, SPACE, pack).await;
    }
    for (id, pack) in [("3", "a"), ("1", "a"), ("2", "b")] {
        let new = NewInstance { pack: Some(pack), ..new_instance(SPACE, id, id) };
        write_now!(database, db => instances::add(db, new, at(0)));
    }
    assert_eq!(read_now!(database, db => instances::of_pack(db, SPACE, "a")), ["1", "3"]);
    assert_eq!(read_now!(database, db => instances::of_pack(db, "space-2", "a")), [""; 0]);
}

async fn adopting_a_pack_keeps_what_is_there(database: Database) {
    // An instance that was first met in a save, and whose pack comes later.
    stand_up(&database, &key()).await;
    write_now!(database, db => instances::set_every_environment(db, &key(), true));
    let shown = provider("slack");
    add_pack(&database, SPACE, "a").await;
    write_now!(database, db => packs::put_process(db, SPACE, "a", &key().process, "Orders"));
    write_now!(database, db => packs::put_process(db, SPACE, "a", "process-2", "Invoices"));
    for id in [key().connection.as_str(), "connection-2"] {
        let process = &key().process;
        let new = PackConnection {
            process,
            id,
            name: "Shop",
            uses_oauth: true,
            defaults: Some("{}"),
            provider: Some(&shown),
        };
        write_now!(database, db => packs::put_connection(db, SPACE, "a", new));
    }
    add_instance(&database, SPACE, "neighbour", "Neighbour").await;
    adopt(&database, &key().instance, "a").await;
    let expected = named(&[("process-2", "Invoices"), ("process-1", "Orders")]);
    assert_eq!(process_names(&database, &key().instance).await, expected);
    assert_eq!(process_names(&database, "neighbour").await, []);
    let first = read_now!(database, db => instances::connection(db, &key())).expect("it is there");
    assert_eq!((first.name.as_str(), first.defaults.as_deref()), ("Shop", Some("{}")));
    assert_eq!(first.provider, Some(shown));
    assert!(first.every_environment, "the admin's choice stays");
    let second = ConnectionKey { connection: "connection-2".to_owned(), ..key() };
    let second = read_now!(database, db => instances::connection(db, &second)).expect("it is there");
    assert!(!second.every_environment);
}

async fn what_is_registered_is_told_part_by_part(database: Database) {
    let registered = async || read_now!(database, db => instances::registered(db, &key()));
    let key = key();
    let mut expected = Registered::default();
    assert_eq!(registered().await, expected);
    add_space(&database, ACCOUNT, &key.space).await;
    expected.account_id = Some(ACCOUNT.to_owned());
    assert_eq!(registered().await, expected);
    write_now!(database, db => environments::register(db, &key.space, &key.environment, at(0)));
    expected.environment = true;
    assert_eq!(registered().await, expected);
    add_instance(&database, &key.space, &key.instance, "I").await;
    expected.instance = true;
    assert_eq!(registered().await, expected);
    attach(&database, &key.space, &key.instance, &key.environment).await;
    expected.attachment = true;
    assert_eq!(registered().await, expected);
    write_now!(database, db => instances::register_process(db, &key));
    expected.process = true;
    assert_eq!(registered().await, expected);
    write_now!(database, db => instances::register_connection(db, &key));
    expected.connection = true;
    assert_eq!(registered().await, expected);
    ipack_testing::tables::execute(&database, "UPDATE connections SET uses_oauth = FALSE").await;
    expected.connection = false;
    assert_eq!(registered().await, expected, "one that uses no OAuth is to be registered");
}

async fn a_connection_first_met_in_a_save_is_registered(database: Database) {
    stand_up(&database, &key()).await;
    let expected = ConnectionInPlace {
        instance_name: key().instance,
        environment_name: key().environment,
        classification: Classification::Test,
        process_name: key().process,
        name: key().connection,
        uses_oauth: true,
        defaults: None,
        every_environment: false,
        provider: None,
    };
    assert_eq!(read_now!(database, db => instances::connection(db, &key())), Some(expected.clone()));
    // Met again it stays as it is, but for this: what has details uses OAuth.
    add_pack(&database, SPACE, "a").await;
    write_now!(database, db => packs::put_process(db, SPACE, "a", &key().process, "Orders"));
    let (process, id, shown) = (&key().process, &key().connection, provider("slack"));
    let new = PackConnection {
        process,
        id,
        name: "Shop",
        uses_oauth: false,
        defaults: Some("{}"),
        provider: Some(&shown),
    };
    write_now!(database, db => packs::put_connection(db, SPACE, "a", new));
    adopt(&database, &key().instance, "a").await;
    write_now!(database, db => instances::set_every_environment(db, &key(), true));
    stand_up(&database, &key()).await;
    let expected = ConnectionInPlace {
        process_name: "Orders".to_owned(),
        name: "Shop".to_owned(),
        defaults: Some("{}".to_owned()),
        every_environment: true,
        provider: Some(shown.clone()),
        ..expected
    };
    assert_eq!(read_now!(database, db => instances::connection(db, &key())), Some(expected));
}

async fn processes_come_by_name(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    add_pack(&database, SPACE, "a").await;
    add_instance(&database, SPACE, "i", "I").await;
    for (id, name) in [("2", "Beta"), ("1", "Beta"), ("3", "Alpha"), ("4", "alpha")] {
        write_now!(database, db => packs::put_process(db, SPACE, "a", id, name));
    }
    adopt(&database, "i", "a").await;
    let expected = named(&[("3", "Alpha"), ("1", "Beta"), ("2", "Beta"), ("4", "alpha")]);
    assert_eq!(process_names(&database, "i").await, expected);
    assert_eq!(process_names(&database, "unknown").await, []);
}

async fn a_connection_is_shown_where_it_is_attached(database: Database) {
    stand_up(&database, &key()).await;
    write_now!(database, db => environments::register(db, SPACE, "not attached", at(0)));
    let mut elsewhere = [key(), key(), key(), key(), key()];
    elsewhere[0].space = "unknown".to_owned();
    elsewhere[1].instance = "unknown".to_owned();
    elsewhere[2].environment = "not attached".to_owned();
    elsewhere[3].process = "unknown".to_owned();
    elsewhere[4].connection = "unknown".to_owned();
    for key in elsewhere {
        assert_eq!(read_now!(database, db => instances::connection(db, &key)), None, "{key:?}");
    }
}

async fn every_environment_is_remembered_for_one_connection(database: Database) {
    let mut keys = [key(), key(), key(), key()];
    keys[1].connection = "connection-2".to_owned();
    keys[2].process = "process-2".to_owned();
    keys[3].instance = "instance-2".to_owned();
    for key in &keys {
        stand_up(&database, key).await;
    }
    for every in [true, false] {
        write_now!(database, db => instances::set_every_environment(db, &keys[0], every));
        for key in &keys {
            let found = read_now!(database, db => instances::connection(db, key)).expect("it is there");
            assert_eq!(found.every_environment, every && key == &keys[0], "{key:?}");
        }
    }
}
