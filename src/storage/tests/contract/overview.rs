//! Contract of `storage::overview`: instances by name, and the lines of one instance. Searching is held by `search`, what
//! lines tell of their tokens by `connection_states`.

use ipack_domain::{
    catalogue::{Classification, Environment},
    form::FormContent,
    ids::ConnectionKey,
    time::Timestamp,
};
use ipack_storage::{
    Database,
    details::{self, NewDetails},
    drafts::{self, Draft},
    environments,
    instances::{self, NewInstance},
    lines::{self, AfterLine, Line, ProcessInEnvironment},
    overview::{self, After, InstanceInList},
    packs::{self, InstallationType, Pack, PackConnection},
};
use ipack_testing::records::{
    ACCOUNT, SPACE, add_admin, add_instance, add_space, at, attach, key, new_details, new_instance, uuid,
};
use uuid::Uuid;

on_both!(
    instances_are_paged_by_name_space_and_id,
    an_account_sees_its_own_instances,
    an_instance_is_listed_with_its_space_and_pack,
    oauth_lines_come_by_environment_process_and_connection,
    a_page_of_instances_is_asked_about_at_once,
    lines_tell_what_is_configured_and_drafted,
    the_lines_of_a_process_are_its_own,
);

async fn page(database: &Database, account: Option<&str>, after: &After, limit: i64) -> Vec<InstanceInList> {
    read_now!(database, db => overview::instances(db, account, "", after, limit))
}

async fn all_ids(database: &Database, account: Option<&str>) -> Vec<String> {
    page(database, account, &After::default(), 1_000).await.into_iter().map(|instance| instance.id).collect()
}

async fn instances_are_paged_by_name_space_and_id(database: Database) {
    for space in ["space-1", "space-2"] {
        add_space(&database, ACCOUNT, space).await;
    }
    // In the order expected: names by their bytes; of one name, by Space; of one Space, by id.
    let expected = [
        ("Alpha", "space-1", "9"),
        ("Same", "space-1", "1"),
        ("Same", "space-1", "10"),
        ("Same", "space-1", "2"),
        ("Same", "space-2", "0"),
        ("Same", "space-2", "1"),
        ("Same name", "space-1", "3"),
        ("alpha", "space-1", "4"),
        ("Ähre", "space-1", "5"),
        ("日本", "space-1", "6"),
        ("😀", "space-1", "7"),
    ];
    for (name, space, id) in expected.iter().rev() {
        add_instance(&database, space, id, name).await;
    }
    for account in [None, Some(ACCOUNT)] {
        for size in [1, 2, 3, 11, 12] {
            let (mut seen, mut after) = (Vec::new(), After::default());
            loop {
                let page = page(&database, account, &after, size).await;
                assert!(page.len() <= usize::try_from(size).expect("small"));
                let Some(last) = page.last().cloned() else { break };
                after = After { name: last.name, space: last.space_guid, id: last.id };
                seen.extend(page);
                assert!(seen.len() <= expected.len(), "again and again: {seen:?}");
            }
            let seen: Vec<_> =
                seen.iter().map(|i| (i.name.as_str(), i.space_guid.as_str(), i.id.as_str())).collect();
            assert_eq!(seen, expected, "{account:?}, pages of {size}");
        }
    }
}

async fn an_account_sees_its_own_instances(database: Database) {
    add_space(&database, ACCOUNT, "space-1").await;
    add_space(&database, "account-2", "space-2").await;
    add_instance(&database, "space-1", "one's", "Same").await;
    let new = NewInstance { account: "account-2", ..new_instance("space-2", "two's", "Same") };
    write_now!(database, db => instances::add(db, new, at(0)));
    assert_eq!(all_ids(&database, Some(ACCOUNT)).await, ["one's"]);
    assert_eq!(all_ids(&database, Some("account-2")).await, ["two's"]);
    assert_eq!(all_ids(&database, Some("nobody")).await, [""; 0]);
    assert_eq!(all_ids(&database, None).await, ["one's", "two's"]);
}

pub(super) async fn add_pack(database: &Database, connections: &[(&str, &str, &str, bool)]) {
    let pack = Pack {
        id: "pack".to_owned(),
        name: "The pack".to_owned(),
        description: String::new(),
        installation_type: InstallationType::Multi,
    };
    write_now!(database, db => packs::put(db, SPACE, &pack, at(0)));
    for (process, id, name, uses_oauth) in connections {
        let process_name = format!("Process {process}");
        write_now!(database, db => packs::put_process(db, SPACE, "pack", process, &process_name));
        let new =
            PackConnection { process, id, name, uses_oauth: *uses_oauth, defaults: None, provider: None };
        write_now!(database, db => packs::put_connection(db, SPACE, "pack", new));
    }
}

/// Installs the pack as the instance of [`key`], in these environments.
pub(super) async fn install(database: &Database, environments: &[(&str, &str, Classification)]) {
    let key = key();
    let new = NewInstance { pack: Some("pack"), ..new_instance(SPACE, &key.instance, "Installed") };
    write_now!(database, db => instances::add(db, new, at(0)));
    write_now!(database, db => instances::adopt_pack(db, SPACE, new.id, "pack"));
    for (id, name, classification) in environments {
        let environment =
            Environment { id: (*id).to_owned(), name: (*name).to_owned(), classification: *classification };
        write_now!(database, db => environments::put(db, SPACE, &environment, at(0)));
        attach(database, SPACE, new.id, id).await;
    }
}

async fn an_instance_is_listed_with_its_space_and_pack(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    add_pack(&database, &[]).await;
    install(&database, &[]).await;
    add_instance(&database, SPACE, "bare", "Bare").await;
    let line = |id: &str, name: &str, pack: Option<&str>| InstanceInList {
        space_guid: SPACE.to_owned(),
        space_name: format!("Name of {SPACE}"),
        id: id.to_owned(),
        name: name.to_owned(),
        pack_name: pack.map(str::to_owned),
    };
    let expected = [line("bare", "Bare", None), line(&key().instance, "Installed", Some("The pack"))];
    assert_eq!(page(&database, None, &After::default(), 10).await, expected);
    assert_eq!(page(&database, Some(ACCOUNT), &After::default(), 10).await, expected);
}

/// As the list has it, as far as lines ask.
pub(super) fn listed(space: &str, id: &str) -> InstanceInList {
    let (space_guid, id) = (space.to_owned(), id.to_owned());
    InstanceInList { space_guid, id, space_name: String::new(), name: String::new(), pack_name: None }
}

pub(super) async fn oauth_lines_of(
    database: &Database,
    instances: &[InstanceInList],
    admin: Uuid,
    now: Timestamp,
    limit: i64,
) -> Vec<Line> {
    let lines = read_now!(database, db => lines::oauth_lines(db, instances, admin, now, limit));
    lines.into_iter().map(|one| one.line).collect()
}

pub(super) async fn oauth_lines(database: &Database, admin: Uuid, limit: i64) -> Vec<Line> {
    oauth_lines_of(database, &[listed(SPACE, &key().instance)], admin, at(0), limit).await
}

async fn oauth_lines_come_by_environment_process_and_connection(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    let connections = [
        ("b", "1", "Shop", true),
        ("a", "2", "Shop", true),
        ("a", "1", "Bank", true),
        ("a", "3", "Mail", false),
    ];
    add_pack(&database, &connections).await;
    let environments = [
        ("2", "Alpha", Classification::Test),
        ("1", "Beta", Classification::Prod),
        ("3", "Alpha", Classification::Prod),
    ];
    install(&database, &environments).await;
    add_instance(&database, SPACE, "neighbour", "Neighbour").await;
    attach(&database, SPACE, "neighbour", "1").await;
    // Production first, then by name.
    let mut expected = Vec::new();
    for (environment, environment_name) in [("3", "Alpha"), ("1", "Beta"), ("2", "Alpha")] {
        for (process, connection, name) in [("a", "1", "Bank"), ("a", "2", "Shop"), ("b", "1", "Shop")] {
            expected.push([environment, environment_name, process, connection, name]);
        }
    }
    let told = |lines: Vec<Line>| -> Vec<[String; 5]> {
        let told = |line: Line| {
            assert!(line.uses_oauth && line.complete.is_none() && line.saved_by.is_none() && !line.draft);
            assert_eq!(line.process_name, format!("Process {}", line.process_id));
            [
                line.environment_id,
                line.environment_name,
                line.process_id,
                line.connection_id,
                line.connection_name,
            ]
        };
        lines.into_iter().map(told).collect()
    };
    assert_eq!(told(oauth_lines(&database, uuid(1), 100).await), expected);
    assert_eq!(told(oauth_lines(&database, uuid(1), 4).await), expected[..4]);
    let page = [listed(SPACE, &key().instance), listed(SPACE, "neighbour"), listed(SPACE, "unknown")];
    let counts = read_now!(database, db => overview::count_oauth_connections(db, &page));
    let counts: Vec<_> = counts.into_iter().map(|one| (one.instance_id, one.count)).collect();
    assert_eq!(counts, [(key().instance, 3)]);
    let environments = read_now!(database, db => overview::environments(db, &page));
    let told: Vec<_> = environments
        .into_iter()
        .map(|one| (one.instance_id, Environment::from(one.environment).id))
        .collect();
    let attached = |instance: &str, id: &str| (instance.to_owned(), id.to_owned());
    let here = key().instance;
    let mut expected =
        [attached(&here, "2"), attached(&here, "3"), attached(&here, "1"), attached("neighbour", "1")];
    expected.sort_by_key(|(instance, _)| instance.clone());
    assert_eq!(told, expected, "by instance, then by name and id");
}

async fn a_page_of_instances_is_asked_about_at_once(database: Database) {
    let spaces = ["space-1", "space-2"];
    for space in spaces {
        add_space(&database, ACCOUNT, space).await;
    }
    assert_eq!(oauth_lines_of(&database, &[], uuid(1), at(0), 10).await, []);
    // The same ids in both Spaces, as many as a page has.
    let mut page = Vec::new();
    for number in 0..overview::PAGE {
        let (space, id) = (spaces[number % 2], format!("{:02}", number / 2));
        add_instance(&database, space, &id, &id).await;
        for connection in 0..=number {
            let key = ConnectionKey {
                space: space.to_owned(),
                instance: id.clone(),
                environment: "e".to_owned(),
                process: "p".to_owned(),
                connection: format!("{space} {connection:02}"),
            };
            write_now!(database, db => instances::register_process(db, &key));
            write_now!(database, db => instances::register_connection(db, &key));
        }
        write_now!(database, db => environments::register(db, space, "e", at(0)));
        attach(&database, space, &id, "e").await;
        page.push(listed(space, &id));
    }
    for size in [1, 2, 19, 20] {
        let lines = read_now!(database, db => lines::oauth_lines(db, &page[..size], uuid(1), at(0), 3));
        let mut expected = Vec::new();
        for (number, instance) in page[..size].iter().enumerate() {
            for connection in 0..(number + 1).min(3) {
                let name = format!("{} {connection:02}", instance.space_guid);
                expected.push((instance.space_guid.clone(), instance.id.clone(), name));
            }
        }
        expected.sort();
        let told: Vec<_> =
            lines.into_iter().map(|one| (one.space_guid, one.instance_id, one.line.connection_id)).collect();
        assert_eq!(told, expected, "{size} instances");
        let counts = read_now!(database, db => overview::count_oauth_connections(db, &page[..size]));
        assert_eq!(counts.iter().map(|one| one.count as usize).sum::<usize>(), size * (size + 1) / 2);
    }
}

fn draft() -> Draft {
    let content = FormContent::default();
    Draft { base_version: 0, base: content.clone(), content, attempted: false, updated_at: at(0) }
}

async fn lines_tell_what_is_configured_and_drafted(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    let (admin, other) = (add_admin(&database, 1).await, add_admin(&database, 2).await);
    let ids = ["no", "partly", "yes"];
    add_pack(&database, &ids.map(|id| ("p", id, id, true))).await;
    install(&database, &["e", "f"].map(|id| (id, id, Classification::Test))).await;
    let of = |environment: &str, connection: &str| ConnectionKey {
        environment: environment.to_owned(),
        process: "p".to_owned(),
        connection: connection.to_owned(),
        ..key()
    };
    for (number, (connection, complete)) in [(1, ("partly", false)), (2, ("yes", true))] {
        let saver = format!("saver of {connection}");
        let new = NewDetails { complete, ..new_details("{}", &saver) };
        write_now!(database, db => details::upsert(db, uuid(number), &of("e", connection), new, at(60)));
    }
    write_now!(database, db => drafts::keep(db, &of("e", "no"), admin, &draft()));
    write_now!(database, db => drafts::keep(db, &of("f", "yes"), admin, &draft()));
    write_now!(database, db => drafts::keep(db, &of("e", "yes"), other, &draft()));
    // By place, whoever needs somebody.
    let by_place = |mut lines: Vec<Line>| {
        lines.sort_by_key(|line| (line.environment_id.clone(), line.connection_id.clone()));
        lines
    };
    let all = by_place(oauth_lines(&database, admin, 100).await);
    let saved = |by: &str| (Some(by.to_owned()), Some(at(60)));
    let none = (None, None);
    let expected =
        [none.clone(), saved("saver of partly"), saved("saver of yes"), none.clone(), none.clone(), none];
    assert_eq!(all.into_iter().map(|line| (line.saved_by, line.updated_at)).collect::<Vec<_>>(), expected);
    let tell = |lines: Vec<Line>| -> Vec<_> {
        let told = |line: Line| (line.environment_id + " " + &line.connection_id, line.complete, line.draft);
        by_place(lines).into_iter().map(told).collect()
    };
    let line = |name: &str, complete, draft| (name.to_owned(), complete, draft);
    let in_e = |mine: [bool; 3]| {
        [
            line("e no", None, mine[0]),
            line("e partly", Some(false), mine[1]),
            line("e yes", Some(true), mine[2]),
        ]
    };
    let in_f =
        |drafted| [line("f no", None, false), line("f partly", None, false), line("f yes", None, drafted)];
    for (who, e, f) in [
        (admin, in_e([true, false, false]), in_f(true)),
        (other, in_e([false, false, true]), in_f(false)),
        (uuid(3), in_e([false; 3]), in_f(false)),
    ] {
        let all = tell(oauth_lines(&database, who, 100).await);
        assert_eq!(all, [e.clone(), f.clone()].concat());
        for (environment, expected) in [("e", e), ("f", f)] {
            let (instance, process) = (&key().instance, "p");
            let place = ProcessInEnvironment { space: SPACE, instance, environment, process };
            let lines = read_now!(database, db => lines::process_lines(db, place, who, at(0), None, 100));
            assert_eq!(tell(lines.into_iter().map(|one| one.line).collect()), expected);
        }
    }
}

async fn the_lines_of_a_process_are_its_own(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    // With OAuth and without; their ids run the other way.
    let ids = ["8", "7", "6", "5", "4", "3", "2", "1"];
    let names = ["1", "10", "9", "B", "a", "b", "ä", "😀"];
    let connections: Vec<_> =
        ids.iter().zip(names).enumerate().map(|(n, (id, name))| ("p", *id, name, n % 2 == 0)).collect();
    add_pack(&database, &connections).await;
    add_pack(&database, &[("q", "1!", "Elsewhere", true)]).await;
    install(&database, &[("e", "E", Classification::Test), ("f", "F", Classification::Test)]).await;
    let instance = key().instance;
    let place = ProcessInEnvironment { space: SPACE, instance: &instance, environment: "e", process: "p" };
    // Nothing is saved for those with OAuth; the others need nobody.
    let expected: Vec<_> = [true, false]
        .into_iter()
        .flat_map(|uses| connections.iter().filter(move |(_, _, _, uses_oauth)| *uses_oauth == uses))
        .collect();
    for size in [1, 3, 8, 9] {
        let (mut told, mut after) = (Vec::new(), None);
        loop {
            let lines = read_now!(database, db =>
                lines::process_lines(db, place, uuid(1), at(0), after.as_ref(), size));
            assert!(lines.len() <= usize::try_from(size).expect("small"), "{size}");
            let Some(last) = lines.last() else { break };
            after = Some(AfterLine {
                urgency: last.urgency,
                name: last.line.connection_name.clone(),
                connection: last.line.connection_id.clone(),
            });
            told.extend(lines.into_iter().map(|one| one.line));
        }
        assert!(told.iter().all(|line| line.environment_id == "e" && line.environment_name == "E"));
        let told: Vec<_> = told
            .iter()
            .map(|l| {
                (l.process_id.as_str(), l.connection_id.as_str(), l.connection_name.as_str(), l.uses_oauth)
            })
            .collect();
        assert!(told.iter().eq(expected.iter().copied()), "{size}: {told:?}");
    }
    for nowhere in [
        ProcessInEnvironment { environment: "unknown", ..place },
        ProcessInEnvironment { process: "unknown", ..place },
        ProcessInEnvironment { instance: "unknown", ..place },
        ProcessInEnvironment { space: "unknown", ..place },
    ] {
        assert_eq!(
            read_now!(database, db => lines::process_lines(db, nowhere, uuid(1), at(0), None, 10)),
            []
        );
    }
}
