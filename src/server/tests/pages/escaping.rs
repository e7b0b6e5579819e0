//! Values that are markup, on every page that shows them.

use ipack_domain::ids::{ConnectionKey, instance_path, segment};
use ipack_storage::Database;
use ipack_testing::browser::Page;
use ipack_testing::html::Element;
use ipack_testing::world::{ANN, SPACE, World, open};
use ipack_web::form::{ConnectorStart, START};

on_both!(
    hostile_names_stay_names_on_every_page,
    hostile_values_stay_values_in_the_form,
    hostile_questions_stay_text,
    the_forms_start_can_be_read_back,
    a_hostile_sign_in_stays_text,
);

const HOSTILE: [&str; 6] = [
    "\"><script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "</textarea></title></select><b>",
    "' onfocus='x",
    "&lt;&quot;&amp;",
    "a\u{2028}b\u{2029}<!--",
];

/// What a page of ours consists of; whatever else turns up came out of a value.
fn assert_only_ours(page: &Page) -> Vec<Element> {
    let elements = page.elements();
    for element in &elements {
        assert!(!matches!(element.name.as_str(), "b" | "textarea" | "iframe" | "base"), "{element:?}");
        assert!(element.name != "img" || element.attribute("src") == Some("/favicon.svg"), "{element:?}");
        assert!(element.attributes.iter().all(|(name, _)| !name.starts_with("on")), "{element:?}");
        assert!(!element.text.contains("alert(1)") || element.name != "script", "{element:?}");
    }
    assert!(page.text().matches("<title>").count() == 1 && page.text().matches("</title>").count() == 1);
    elements
}

async fn hostile_names_stay_names_on_every_page(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    for (number, name) in HOSTILE.into_iter().enumerate() {
        let key = ConnectionKey {
            space: SPACE.into(),
            instance: name.into(),
            environment: format!("{name}{number}"),
            process: name.into(),
            connection: name.into(),
        };
        world.place("account-1", &key).await;
        let instance = instance_path(SPACE, name);
        let chosen =
            format!("{instance}?environment={}&process={}", segment(&key.environment), segment(name));
        for path in ["/".to_owned(), instance, chosen, key.form_path()] {
            let page = browser.get(&path).await;
            assert_eq!(page.status, 200, "{path}");
            assert_only_ours(&page);
            page.assert_shows(name);
        }
        let page = browser.get(&key.form_path()).await;
        assert_eq!(page.heading(), name);
        let title = page.elements().into_iter().find(|one| one.name == "title").expect("a title");
        assert_eq!(title.text, format!("{name} · iPack Connect"));
    }
}

async fn hostile_values_stay_values_in_the_form(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    for value in HOSTILE {
        let form = open(&mut browser).await.connector();
        let form = form
            .content("base_url", value)
            .content("company_id", value)
            .content("client_id", value)
            .row("authorization", 0, value, value)
            .row("access_token", 0, value, value);
        for (form, intent) in [(form.clone(), "save"), (form.content("base_url", ""), "save")] {
            let page = browser.press(&form, intent).await;
            assert_only_ours(&page);
            let shown = page.connector();
            assert_eq!(shown.value("content[client_id]"), value);
            assert_eq!(shown.rows("authorization"), [format!("{value}={value}")]);
        }
        // Beside each other in a conflict, and among what is offered again.
        let stale = open(&mut browser).await.connector().content("client_id", &format!("{value} mine"));
        world
            .api_save(
                &ipack_testing::world::key(),
                &serde_json::json!({"clientId": value, "companyId": "x"}).to_string(),
                value,
            )
            .await;
        let page = browser.press(&stale, "save").await;
        assert!(page.has_button("resolve"));
        assert_only_ours(&page);
        page.assert_shows(value);
        browser.press(&page.connector(), "discard").await;
    }
}

async fn hostile_questions_stay_text(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    for text in HOSTILE.into_iter().chain(["%", "_", "\\", "100%41", "a+b", "\0"]) {
        for path in [
            format!("/?q={}", segment(text)),
            format!("/?after={}", segment(text)),
            format!("/?q={0}&after={0}", segment(text)),
            format!("{}?environment={}", ipack_testing::world::instance_page(), segment(text)),
            format!("{}?environment=env-1&process={}", ipack_testing::world::instance_page(), segment(text)),
        ] {
            let page = browser.get(&path).await;
            assert_eq!(page.status, 200, "{path}");
            assert_only_ours(&page);
        }
        let page = browser.get(&format!("/?q={}", segment(text))).await;
        let search = page.elements().into_iter().find(|one| one.is("input", "name", "q")).expect("a field");
        assert_eq!(search.attribute("value"), Some(text));
        let page = browser.get(&format!("/no/{}", segment(text))).await;
        assert_eq!(page.status, 404);
        assert_only_ours(&page);
    }
    assert_eq!(browser.get("/?q=%FF").await.status, 200);
    assert_eq!(browser.get("/%FF").await.status, 404);
}

async fn the_forms_start_can_be_read_back(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let all = HOSTILE.concat();
    let form =
        open(&mut browser).await.connector().content("client_id", &all).row("access_token", 0, &all, &all);
    let page = browser.press(&form, "keep").await;
    let elements = assert_only_ours(&page);
    let start = elements.iter().find_map(|one| one.attribute(START)).expect("the start");
    let start: ConnectorStart = serde_json::from_str(start).expect("JSON");
    assert_eq!(start.view.base.content.client_id, all);
    assert_eq!(start.view.base.content.access_token[0].value, all);
}

async fn a_hostile_sign_in_stays_text(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.stranger();
    for text in HOSTILE {
        let page = browser.get(&format!("/login?next={}", segment(text))).await;
        assert_only_ours(&page);
        assert_eq!(page.form("/login").value("next"), text);
        let mut form = page.form("/login").with("email", text).with("password", text);
        form.fields.push(("carried".into(), text.into()));
        let page = browser.press(&form, "").await;
        assert_eq!(page.status, 401);
        assert_only_ours(&page);
        let form = page.form("/login");
        assert_eq!((form.value("email"), form.value("carried"), form.value("next")), (text, text, "/"));
    }
}
