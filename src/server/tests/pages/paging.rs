//! Lists without an end have pages: each entry is on one of them, and no form reads what is saved everywhere else.

use ipack_domain::ids::ConnectionKey;
use ipack_storage::{Database, Writer, environments, instances};
use ipack_testing::{
    browser::{Browser, Page},
    world::{ACCOUNT, ANN, SPACE, World, in_environment, instance_page, key, open},
};
use std::collections::BTreeSet;

on_both!(
    a_process_of_many_connections_has_pages,
    a_space_of_many_environments_has_pages,
    an_instance_in_many_environments_has_pages,
    a_form_names_few_of_many_environments_and_counts_the_others,
);

const MANY: usize = 450;

/// The pages that the link with this text leads through, the first included.
async fn pages(browser: &mut Browser, first: &str, link: &str) -> Vec<Page> {
    let mut pages = vec![browser.get(first).await];
    loop {
        let last = pages.last().expect("there is one");
        assert_eq!(last.status, 200);
        let found = last.elements().into_iter().find(|one| one.name == "a" && one.text.contains(link));
        let Some(more) = found else { return pages };
        let address = more.attribute("href").expect("an address").split('#').next().unwrap_or_default();
        let next = browser.get(&format!("{}{address}", instance_page())).await;
        pages.push(next);
        assert!(pages.len() < 10, "it ends");
    }
}

async fn a_process_of_many_connections_has_pages(database: Database) {
    let world = World::new(database).await;
    let write = async |mut db: Writer| {
        for number in 0..MANY {
            let key = ConnectionKey { connection: format!("many-{number:03}"), ..key() };
            instances::register_connection(db.lend(), &key).await?;
        }
        Ok::<_, ipack_storage::StorageError>(())
    };
    world.database.write(write).await.expect("registered");
    let mut browser = world.browser(ANN).await;
    let pages = pages(&mut browser, &instance_page(), "More connections").await;
    assert_eq!(pages.len(), 3);
    let forms = pages.iter().flat_map(Page::links).filter(|link| link.contains("/connections/"));
    let forms: Vec<String> = forms.collect();
    assert_eq!(forms.len(), MANY + 1, "each once");
    assert_eq!(forms.iter().collect::<BTreeSet<_>>().len(), MANY + 1);
    for cursor in ["x", "0/a", "x/a/b", "0/a/%00"] {
        assert_eq!(browser.get(&format!("{}?after={cursor}", instance_page())).await.status, 200, "{cursor}");
    }
}

async fn a_space_of_many_environments_has_pages(database: Database) {
    let world = World::new(database).await;
    let now = world.services.clock.now();
    let write = async |mut db: Writer| {
        for number in 0..MANY {
            environments::register(db.lend(), SPACE, &format!("many-{number:03}"), now).await?;
        }
        Ok::<_, ipack_storage::StorageError>(())
    };
    world.database.write(write).await.expect("registered");
    let mut browser = world.browser(ANN).await;
    let pages = pages(&mut browser, &instance_page(), "More environments").await;
    assert_eq!(pages.len(), 3);
    let options = pages.iter().flat_map(Page::elements).filter(|one| one.name == "option");
    let values: Vec<String> = options.filter_map(|one| one.attribute("value").map(str::to_owned)).collect();
    let offered: BTreeSet<_> = values.into_iter().filter(|value| value.starts_with("many-")).collect();
    assert_eq!(offered.len(), MANY);
    let last = pages.last().expect("there is one").form("/api/attach").with("environment", "many-449");
    assert_eq!(browser.press(&last, "").await.status, 200);
    assert_eq!(world.count("attachments WHERE environment_id = 'many-449'").await, 1);
}

async fn an_instance_in_many_environments_has_pages(database: Database) {
    let world = World::new(database).await;
    let now = world.services.clock.now();
    let write = async |mut db: Writer| {
        for number in 0..MANY {
            let environment = format!("many-{number:03}");
            environments::register(db.lend(), SPACE, &environment, now).await?;
            let id = ipack_domain::effects::new_id(now);
            environments::attach(db.lend(), id, SPACE, &key().instance, &environment, now).await?;
        }
        Ok::<_, ipack_storage::StorageError>(())
    };
    world.database.write(write).await.expect("attached");
    let mut browser = world.browser(ANN).await;
    let pages = pages(&mut browser, &instance_page(), "More attached environments").await;
    assert_eq!(pages.len(), 3);
    let choices = |page: &Page| -> Vec<String> {
        let links = page.links().into_iter().filter(|link| link.contains("environment=many-"));
        links.collect()
    };
    let links: Vec<String> = pages.iter().flat_map(choices).collect();
    assert_eq!(links.len(), MANY, "each once");
    assert_eq!(links.iter().collect::<BTreeSet<_>>().len(), MANY);
    // One of the last page is shown there, with its connections.
    let last = links.last().expect("there is one");
    let page = browser.get(&format!("{}{last}", instance_page())).await;
    assert!(choices(&page).contains(last), "its page of the list stays");
    assert!(page.links().iter().any(|link| link.contains("/environments/many-449/")), "{}", page.text());
    // Chosen without the list's page it is the one that is shown too.
    let page = browser.get(&format!("{}?environment=many-449", instance_page())).await;
    assert!(page.links().iter().any(|link| link.contains("/environments/many-449/")));
    for cursor in ["x", "a/b/c", "a/%00", "%ff/a"] {
        let page = browser.get(&format!("{}?environments_after={cursor}", instance_page())).await;
        assert_eq!(page.status, 200, "{cursor}");
    }
}

async fn a_form_names_few_of_many_environments_and_counts_the_others(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"clientId":"here"}"#, "c").await;
    for number in 0..40 {
        let key = in_environment(&format!("other-{number:02}"));
        world.place(ACCOUNT, &key).await;
        // The first has the same in other words, the last to the letter.
        let details = match number {
            0 => r#"{ "clientId": "here" }"#.to_owned(),
            39 => r#"{"clientId":"here"}"#.to_owned(),
            _ => format!(r#"{{"clientId":"{number}"}}"#),
        };
        world.api_save(&key, &details, "c").await;
    }
    let mut browser = world.browser(ANN).await;
    let page = open(&mut browser).await;
    let names: Vec<String> = (1..16).map(|number| format!("other-{number:02}")).collect();
    page.assert_shows(&format!("what is saved now for {}, up to 23 more.", names.join(", ")));
    // Saved everywhere, it is the same everywhere.
    let form = page.connector().content("every_environment", "true").content("client_id", "everywhere");
    browser.press(&form, "save").await;
    for environment in ["other-00", "other-20", "other-39"] {
        let saved = world.api_read(&in_environment(environment)).await.expect("saved").0;
        assert!(saved.contains("everywhere"), "{environment}: {saved}");
    }
    open(&mut browser).await.assert_shows("Saving writes the same values everywhere it is attached.");
}
