//! What belongs to another tenant is not told apart from what does not exist.

use crate::everywhere::{functions_of, pages};
use ipack_domain::{ids::ConnectionKey, rights::Rights};
use ipack_storage::Database;
use ipack_testing::browser::{Browser, Page};
use ipack_testing::world::{ANN, EVE, ROOT, SPACE, World, key};

on_both!(
    s31_pages_of_another_tenant_are_absent_byte_for_byte,
    s31_server_functions_of_another_tenant_are_absent_byte_for_byte,
    s31_lists_and_suggestions_hold_only_ones_own,
    s31_who_sees_every_account_sees_both,
    a_connection_without_oauth_has_no_form,
    each_of_the_five_ids_isolates,
);

/// Another tenant's key, and one of the same lengths that nobody has.
fn theirs_and_nobodys() -> (ConnectionKey, ConnectionKey) {
    let theirs = key();
    let nobodys = ConnectionKey { space: "space-9".into(), ..key() };
    assert_eq!(theirs.space.len(), nobodys.space.len());
    (theirs, nobodys)
}

/// The answer without what differs between any two requests.
fn essence(page: &Page) -> String {
    let mut text = format!("{}\n", page.status);
    let mut names: Vec<_> = page.headers.keys().collect();
    names.sort_by_key(|name| name.as_str());
    for name in names {
        let value = page.header(name.as_str()).expect("a header");
        text += &match name.as_str() {
            "x-request-id" | "content-security-policy" => format!("{name}: {} bytes\n", value.len()),
            _ => format!("{name}: {value}\n"),
        };
    }
    let policy = page.header("content-security-policy").unwrap_or_default();
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or("no nonce");
    text + &page.text().replace(nonce, "NONCE")
}

async fn s31_pages_of_another_tenant_are_absent_byte_for_byte(database: Database) {
    let world = World::new(database).await;
    let mut eve = world.browser(EVE).await;
    let (theirs, nobodys) = theirs_and_nobodys();
    for (there, absent) in pages(&theirs).into_iter().zip(pages(&nobodys)).skip(2) {
        let (there, absent) = (eve.get(&there).await, eve.get(&absent).await);
        assert_eq!(there.status, 404);
        assert_eq!(there.heading(), "There is nothing here");
        assert_eq!(essence(&there), essence(&absent));
    }
    // What she has is still not what others have under the same ids.
    let own = ConnectionKey { space: "space-2".into(), ..key() };
    world.place("account-2", &own).await;
    assert_eq!(eve.get(&own.form_path()).await.status, 200);
    assert_eq!(eve.get(&theirs.form_path()).await.status, 404);
}

async fn s31_server_functions_of_another_tenant_are_absent_byte_for_byte(database: Database) {
    let world = World::new(database).await;
    let mut eve = world.browser(EVE).await;
    let before = world.footprint().await;
    let (theirs, nobodys) = theirs_and_nobodys();
    for (there, absent) in functions_of(&theirs).into_iter().zip(functions_of(&nobodys)) {
        let name = there.path;
        for (there, absent) in [(there.request(), absent.request()), (there.form(), absent.form())] {
            let (there, absent) = (eve.send(there).await, eve.send(absent).await);
            assert_eq!(essence(&there), essence(&absent), "{name}");
            assert!(!there.status.is_success(), "{name}");
        }
        assert_eq!(eve.send(there.request()).await.status, 404, "{name}");
    }
    assert_eq!(world.footprint().await, before);
}

async fn s31_lists_and_suggestions_hold_only_ones_own(database: Database) {
    let world = World::new(database).await;
    let details = r#"{"baseURL":"https://only-ann.example","clientId":"only-ann"}"#;
    world.api_save(&key(), details, "only-ann").await;
    let own = ConnectionKey { space: "space-2".into(), instance: "eves-own".into(), ..key() };
    world.place("account-2", &own).await;
    let mut eve = world.browser(EVE).await;
    for path in ["/", "/?q=instance", "/?q=First", "/?after=/", &own.form_path()] {
        let text = eve.get(path).await.text().to_owned();
        for word in ["instance-1", "First Space", "only-ann", ANN] {
            assert!(!text.contains(word), "{word} on {path}");
        }
    }
    eve.get("/").await.assert_shows("eves-own");
    let mut ann: Browser = world.browser(ANN).await;
    assert!(!ann.get("/").await.shows("eves-own"));
}

async fn s31_who_sees_every_account_sees_both(database: Database) {
    let world = World::new(database).await;
    let other = ConnectionKey { space: "space-2".into(), instance: "eves-own".into(), ..key() };
    world.place("account-2", &other).await;
    let mut root = world.browser(ROOT).await;
    let page = root.get("/").await;
    page.assert_shows("instance-1");
    page.assert_shows("eves-own");
    for key in [key(), other] {
        assert_eq!(root.get(&key.form_path()).await.status, 200);
    }
}

async fn a_connection_without_oauth_has_no_form(database: Database) {
    let world = World::new(database).await;
    let catalogue = r#"{"packs":[{"id":"p","name":"P","installationType":"SINGLE","processes":[{"id":"orders","name":"Orders",
        "connections":[{"id":"files","name":"Files","oauth":false}]}]}]}"#;
    world.services.import_catalogue(SPACE, catalogue).await.expect("imported");
    let client = ipack_core::access::Client {
        account: "account-1".into(),
        name: "c".into(),
        username: "c".into(),
        rights: Rights::all(),
    };
    let instance = world.services.install(&client, Some(SPACE), "p", None).await.expect("installed");
    let ann = world.admin(ANN).await;
    world.services.attach(&ann, SPACE, &instance.id, "env-1").await.expect("attached");
    let mut browser = world.browser(ANN).await;
    let page = browser.get(&ipack_domain::ids::instance_path(SPACE, &instance.id)).await;
    page.assert_shows("No OAuth");
    let files = ConnectionKey {
        instance: instance.id,
        process: "orders".into(),
        connection: "files".into(),
        ..key()
    };
    assert_eq!(browser.get(&files.form_path()).await.status, 404);
}

async fn each_of_the_five_ids_isolates(database: Database) {
    let world = World::new(database).await;
    world.services.create_space("account-1", "space-3", "Third").await.expect("a Space");
    let others = [
        ConnectionKey { space: "space-3".into(), ..key() },
        ConnectionKey { instance: "instance-2".into(), ..key() },
        ConnectionKey { environment: "env-2".into(), ..key() },
        ConnectionKey { process: "process-2".into(), ..key() },
        ConnectionKey { connection: "connection-2".into(), ..key() },
    ];
    let mut browser = world.browser(ANN).await;
    for other in &others {
        world.place("account-1", other).await;
    }
    let form = ipack_testing::world::open(&mut browser).await.connector().content("client_id", "here alone");
    assert!(!browser.press(&form, "save").await.has_button("discard"));
    for (other, intent) in others.iter().zip(["keep", "save"].into_iter().cycle()) {
        let form = browser.get(&other.form_path()).await.connector();
        assert_eq!(form.value("content[client_id]"), "", "{other:?}");
        assert_eq!(browser.press(&form.content("client_id", "elsewhere"), intent).await.status, 200);
    }
    let form = ipack_testing::world::open(&mut browser).await.connector();
    assert_eq!(form.value("content[client_id]"), "here alone");
}
