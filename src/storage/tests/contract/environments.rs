//! Contract of `storage::environments`: environments of a Space, and which instances run in them.

use ipack_domain::{
    catalogue::{Classification, Environment},
    effects::new_id,
    ids::ConnectionKey,
};
use ipack_storage::{
    Database, details,
    environments::{self, AfterEnvironment, Attachment},
};
use ipack_testing::records::{
    ACCOUNT, SPACE, add_instance, add_space, at, attach, attachment_id, key, new_details, stand_up, uuid,
};

on_both!(
    a_second_put_renames_and_reclassifies,
    an_environment_first_met_is_a_test_by_its_id,
    an_environment_needs_its_space,
    a_space_is_paged_by_id,
    what_can_be_attached_is_paged_without_what_is,
    an_instance_is_attached_once,
    an_attachment_needs_both_ends,
    environments_of_an_instance_come_by_name,
    attachments_of_a_space_come_by_environment,
    an_attachment_is_found_and_ended_with_what_was_saved_there,
);

fn environment(id: &str, name: &str, classification: Classification) -> Environment {
    Environment { id: id.to_owned(), name: name.to_owned(), classification }
}

async fn all(database: &Database, space: &str) -> Vec<Environment> {
    read_now!(database, db => environments::list(db, space, "", 1_000))
}

async fn a_second_put_renames_and_reclassifies(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    let first = environment("e", "First", Classification::Test);
    let second = environment("e", "Zürich 🏔", Classification::Prod);
    let other = environment("f", "First", Classification::Test);
    for put in [&first, &other, &second] {
        write_now!(database, db => environments::put(db, SPACE, put, at(0)));
    }
    assert_eq!(all(&database, SPACE).await, [second, other]);
}

async fn an_environment_first_met_is_a_test_by_its_id(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    let known = environment("known", "Production", Classification::Prod);
    write_now!(database, db => environments::put(db, SPACE, &known, at(0)));
    for id in ["known", "new", "new"] {
        write_now!(database, db => environments::register(db, SPACE, id, at(1)));
    }
    assert_eq!(all(&database, SPACE).await, [known, environment("new", "new", Classification::Test)]);
}

async fn an_environment_needs_its_space(database: Database) {
    let new = environment("e", "E", Classification::Prod);
    assert_refused!(database, Reference, db => environments::put(db, "nowhere", &new, at(0)));
    assert_refused!(database, Reference, db => environments::register(db, "nowhere", "e", at(0)));
}

async fn a_space_is_paged_by_id(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    add_space(&database, ACCOUNT, "space-2").await;
    // In the order of their bytes, whatever the language of the server.
    let ids = ["1", "10", "9", "B", "a", "a b", "a-b", "aa", "ab", "b", "Å", "ä", "é", "日", "😀"];
    for id in ids.iter().rev() {
        write_now!(database, db => environments::register(db, SPACE, id, at(0)));
        write_now!(database, db => environments::register(db, "space-2", &format!("{id}!"), at(0)));
    }
    for size in [1, 2, 7, 15, 16] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = read_now!(database, db => environments::list(db, SPACE, &after, size));
            assert!(page.len() <= usize::try_from(size).expect("small"));
            let Some(last) = page.last() else { break };
            after = last.id.clone();
            seen.extend(page.into_iter().map(|environment| environment.id));
            assert!(seen.len() <= ids.len(), "again and again: {seen:?}");
        }
        assert_eq!(seen, ids, "pages of {size}");
    }
    // A page goes on after an id that is no longer there.
    let page = read_now!(database, db => environments::list(db, SPACE, "aaa", 2));
    assert_eq!(page.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["ab", "b"]);
}

async fn an_instance_with_environments(database: &Database, ids: &[&str]) {
    add_space(database, ACCOUNT, SPACE).await;
    add_instance(database, SPACE, "i", "Instance").await;
    for id in ids {
        write_now!(database, db => environments::register(db, SPACE, id, at(0)));
    }
}

async fn what_can_be_attached_is_paged_without_what_is(database: Database) {
    stand_up(&database, &key()).await;
    add_instance(&database, &key().space, "elsewhere", "Elsewhere").await;
    for id in ["a", "b", "c", "d"] {
        write_now!(database, db => environments::register(db, &key().space, id, at(0)));
    }
    attach(&database, &key().space, &key().instance, "b").await;
    attach(&database, &key().space, "elsewhere", "c").await;
    let page = async |instance: &str, after: &str, limit| -> Vec<String> {
        let found = read_now!(database, db =>
            environments::attachable(db, &key().space, instance, after, limit));
        found.into_iter().map(|environment| environment.id).collect()
    };
    assert_eq!(page(&key().instance, "", 2).await, ["a", "c"]);
    assert_eq!(page(&key().instance, "c", 2).await, ["d"]);
    assert_eq!(page("elsewhere", "", 3).await, ["a", "b", "d"]);
}

async fn an_instance_is_attached_once(database: Database) {
    an_instance_with_environments(&database, &["e"]).await;
    assert!(write_now!(database, db => environments::attach(db, uuid(1), SPACE, "i", "e", at(0))));
    assert!(!write_now!(database, db => environments::attach(db, uuid(2), SPACE, "i", "e", at(1))), "it is");
    let expected = Attachment { id: uuid(1), environment_id: "e".to_owned(), instance_id: "i".to_owned() };
    assert_eq!(read_now!(database, db => environments::attachments(db, SPACE, "", "z")), [expected]);
}

async fn an_attachment_needs_both_ends(database: Database) {
    an_instance_with_environments(&database, &["e"]).await;
    // The other Space has an environment that this one has not.
    add_space(&database, ACCOUNT, "space-2").await;
    write_now!(database, db => environments::register(db, "space-2", "elsewhere", at(0)));
    for (instance, environment) in [("unknown", "e"), ("i", "unknown"), ("i", "elsewhere")] {
        let attach = attempt_attach(&database, instance, environment).await;
        assert!(matches!(attach, Err(ipack_storage::StorageError::Reference)), "{instance} {environment}");
    }
    assert_eq!(read_now!(database, db => environments::attachments(db, SPACE, "", "z")), []);
}

async fn attempt_attach(
    database: &Database,
    instance: &str,
    environment: &str,
) -> ipack_storage::Result<bool> {
    attempt!(database, db => environments::attach(db, uuid(1), SPACE, instance, environment, at(0)))
}

async fn environments_of_an_instance_come_by_name(database: Database) {
    an_instance_with_environments(&database, &["1", "2", "3", "4"]).await;
    let named = [
        environment("3", "Alpha", Classification::Prod),
        environment("1", "Beta", Classification::Test),
        environment("2", "Beta", Classification::Prod),
    ];
    for environment in &named {
        write_now!(database, db => environments::put(db, SPACE, environment, at(0)));
        attach(&database, SPACE, "i", &environment.id).await;
    }
    add_instance(&database, SPACE, "j", "Other").await;
    attach(&database, SPACE, "j", "4").await;
    let page = async |instance: &str, after: &AfterEnvironment, limit| read_now!(database, db => environments::of_instance(db, SPACE, instance, after, limit));
    assert_eq!(page("i", &AfterEnvironment::default(), 9).await, named);
    assert_eq!(page("i", &AfterEnvironment::default(), 2).await, named[..2]);
    let second = AfterEnvironment { name: "Beta".to_owned(), id: "1".to_owned() };
    assert_eq!(page("i", &second, 2).await, named[2..]);
    assert_eq!(page("unknown", &AfterEnvironment::default(), 9).await, []);
    for (instance, id, expected) in [("i", "1", true), ("i", "4", false), ("j", "4", true), ("x", "1", false)]
    {
        let is_attached = read_now!(database, db => environments::is_attached(db, SPACE, instance, id));
        assert_eq!(is_attached, expected, "{instance} {id}");
    }
}

async fn attachments_of_a_space_come_by_environment(database: Database) {
    an_instance_with_environments(&database, &["a", "b"]).await;
    add_instance(&database, SPACE, "j", "Other").await;
    add_space(&database, ACCOUNT, "space-2").await;
    add_instance(&database, "space-2", "i", "Namesake").await;
    write_now!(database, db => environments::register(db, "space-2", "a", at(0)));
    attach(&database, "space-2", "i", "a").await;
    let mut expected = Vec::new();
    for (environment, instance) in [("b", "i"), ("a", "i"), ("a", "j")] {
        attach(&database, SPACE, instance, environment).await;
        expected.push(Attachment {
            id: attachment_id(SPACE, instance, environment),
            environment_id: environment.to_owned(),
            instance_id: instance.to_owned(),
        });
    }
    expected.sort_by(|a, b| (&a.environment_id, a.id).cmp(&(&b.environment_id, b.id)));
    assert_eq!(read_now!(database, db => environments::attachments(db, SPACE, "", "z")), expected);
    for (first, last, count) in [("a", "a", 2), ("b", "b", 1), ("a", "b", 3), ("aa", "az", 0), ("b", "a", 0)]
    {
        let found = read_now!(database, db => environments::attachments(db, SPACE, first, last));
        assert_eq!(found.len(), count, "{first} to {last}");
        assert!(found.iter().all(|one| (first..=last).contains(&one.environment_id.as_str())));
    }
}

async fn an_attachment_is_found_and_ended_with_what_was_saved_there(database: Database) {
    let elsewhere = ConnectionKey { environment: "another".to_owned(), ..key() };
    let in_space_2 = ConnectionKey { space: "space-2".to_owned(), ..key() };
    for key in [&key(), &elsewhere, &in_space_2] {
        stand_up(&database, key).await;
        let new = new_details("{}", "ann");
        write_now!(database, db => details::upsert(db, new_id(at(0)), key, new, at(0)));
    }
    let attachment = |key: &ConnectionKey| Attachment {
        id: attachment_id(&key.space, &key.instance, &key.environment),
        environment_id: key.environment.clone(),
        instance_id: key.instance.clone(),
    };
    let (here, there) = (attachment(&key()), attachment(&elsewhere));
    let of_instance = async |limit| read_now!(database, db => environments::attachments_of_instance(db, SPACE, &key().instance, limit));
    let mut both = vec![here.clone(), there.clone()];
    both.sort_by(|a, b| a.environment_id.cmp(&b.environment_id));
    assert_eq!(of_instance(10).await, both);
    assert_eq!(of_instance(1).await, both[..1]);
    let (instance, environment) = (key().instance, key().environment);
    let to = read_now!(database, db => environments::attachment_to(db, SPACE, &instance, &environment));
    assert_eq!(to.as_ref(), Some(&here));
    assert_eq!(read_now!(database, db => environments::attachment_to(db, SPACE, &instance, "unknown")), None);
    assert_eq!(read_now!(database, db => environments::attachment(db, SPACE, here.id)), to);
    assert_eq!(read_now!(database, db => environments::attachment(db, "space-2", here.id)), None);

    write_now!(database, db => environments::lock_attachment(db, here.id));
    assert!(write_now!(database, db => environments::unattach(db, here.id)));
    assert!(!write_now!(database, db => environments::unattach(db, here.id)), "once");
    assert_eq!(of_instance(10).await, [there]);
    assert_eq!(read_now!(database, db => details::find(db, &key())), None);
    for key in [&elsewhere, &in_space_2] {
        assert!(read_now!(database, db => details::find(db, key)).is_some());
    }
}
