//! Large inputs: as much more as there is, so much longer it takes, whatever it looks like.

use axum::{body::Body, http::Method};
use ipack_domain::{
    details::Details,
    form::{FormContent, Parameter},
    merge::merge_rows,
    validation::validate,
};
use ipack_storage::Database;
use ipack_testing::browser::{Form, call, encode};
use ipack_testing::growth::{Growth, assert_linear, process_time};
use ipack_testing::world::{ANN, World, key, open};

on_both!(alone: a_form_with_many_rows_is_kept_and_shown, a_form_with_many_problems_is_shown);

/// `count` pieces with commas between them.
fn list(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().join(",")
}

type Shape = (&'static str, fn(usize) -> String);

const DETAILS: [Shape; 14] = [
    ("a long key over a long list", |n| {
        format!(r#"{{"{}":[{}]}}"#, "k".repeat(n), list(n / 2, |_| "0".into()))
    }),
    ("a long key over many keys", |n| {
        format!(r#"{{"{}":{{{}}}}}"#, "k".repeat(n), list(n / 8, |i| format!(r#""{i}":0"#)))
    }),
    ("long keys, each in the other", |n| {
        let open = format!(r#"{{"{}":"#, "k".repeat(n / 100));
        format!("{}0{}", open.repeat(100), "}".repeat(100))
    }),
    ("lists and keys in turn", |n| {
        let open = format!(r#"{{"{}":["#, "k".repeat(n / 60));
        format!("{}{}{}", open.repeat(60), list(n / 2, |_| "0".into()), "]}".repeat(60))
    }),
    ("deeper than is read", |n| "[".repeat(n)),
    ("a secret below a long key", |n| {
        format!(r#"{{"{}":[{}{{"client_secret":0}}]}}"#, "k".repeat(n), "0,".repeat(n / 2))
    }),
    ("a key twice, far apart", |n| format!(r#"{{"a":0,{},"a":0}}"#, list(n / 8, |i| format!(r#""{i}":0"#)))),
    ("keys with one beginning", |n| {
        format!("{{{}}}", list(n / 64, |i| format!(r#""{}{i}":0"#, "p".repeat(56))))
    }),
    ("almost a secret's key", |n| format!(r#"{{"{}clientSecre":0}}"#, "_".repeat(n))),
    ("parameters", |n| format!(r#"{{"authParams":{{{}}}}}"#, list(n / 12, |i| format!(r#""k{i}":"v""#)))),
    ("parameters that are no strings", |n| {
        format!(r#"{{"accessTokenParams":{{"k":"v",{}}}}}"#, list(n / 8, |i| format!(r#""k{i}":[]"#)))
    }),
    ("keys of many scripts, escaped", |n| {
        format!("{{{}}}", list(n / 32, |i| format!(r#""é漢😀\u00e9\n{i}":"\ud83d\ude00""#)))
    }),
    ("a long number", |n| format!(r#"{{"n":{}.{}e-5}}"#, "1".repeat(n / 2), "7".repeat(n / 2))),
    ("cut off", |n| format!(r#"{{"a":[{}"#, list(n / 4, |_| "{}".into()))),
];

#[test]
fn details_are_read_and_written() {
    for (what, shape) in DETAILS {
        assert_linear(what, 10_000, shape, |text| match Details::parse(text) {
            Ok(details) => {
                let content = FormContent { base_url: "https://other.example".into(), ..details.content() };
                details.with(&content)
            }
            Err(error) => error.to_string(),
        });
    }
}

/// Kept rows, posted rows, and what the page had seen.
type Tables = (Vec<Parameter>, Vec<Parameter>, Vec<Parameter>);

fn rows(count: usize, key: impl Fn(usize) -> String, value: &str) -> Vec<Parameter> {
    (0..count).map(|number| Parameter::new(key(number), value)).collect()
}

/// A name, and the tables with so many rows.
type NamedTables = (&'static str, fn(usize) -> Tables);

const TABLES: [NamedTables; 11] = [
    ("every value changed on both sides", |n| {
        let key = |i| format!("key-{i}");
        (rows(n, key, "kept"), rows(n, key, "posted"), rows(n, key, "seen"))
    }),
    ("every value changed elsewhere", |n| {
        let key = |i| format!("key-{i}");
        (rows(n, key, "kept"), rows(n, key, "seen"), rows(n, key, "seen"))
    }),
    ("nothing seen", |n| {
        let key = |i| format!("key-{i}");
        (rows(n, key, "kept"), rows(n, key, "posted"), Vec::new())
    }),
    ("nothing in common", |n| {
        (rows(n, |i| format!("a{i}"), ""), rows(n, |i| format!("b{i}"), ""), rows(n, |i| format!("c{i}"), ""))
    }),
    ("the other way round", |n| {
        let kept = rows(n, |i| format!("key-{i}"), "v");
        let posted = rows(n, |i| format!("key-{}", n - 1 - i), "v");
        (kept.clone(), posted, kept)
    }),
    ("all deleted", |n| {
        let kept = rows(n, |i| format!("key-{i}"), "v");
        (kept.clone(), Vec::new(), kept)
    }),
    ("all deleted elsewhere", |n| {
        let seen = rows(n, |i| format!("key-{i}"), "v");
        (Vec::new(), seen.clone(), seen)
    }),
    ("one row many times", |n| {
        let same = rows(n, |_| "key".into(), "v");
        (same.clone(), same.clone(), same)
    }),
    ("one key with many values", |n| {
        let key = |_| "key".to_owned();
        let values = |side: &str| -> Vec<Parameter> {
            rows(n, key, "")
                .into_iter()
                .enumerate()
                .map(|(i, row)| Parameter::new(row.key, format!("{side}{i}")))
                .collect()
        };
        (values("kept"), values("seen"), values("seen"))
    }),
    ("blank rows", |n| (rows(n, |_| String::new(), ""), rows(n, |_| String::new(), " "), Vec::new())),
    ("keys of many scripts, line breaks", |n| {
        let key = |i| format!("é漢😀\n{i}");
        (rows(n, key, "v"), rows(n, |i| format!("é漢😀{i}"), "v"), rows(n, |i| format!("é漢😀{i}"), "v"))
    }),
];

#[test]
fn rows_are_merged_and_checked() {
    for (what, tables) in TABLES {
        assert_linear(what, 500, tables, |(kept, posted, base)| {
            let authorization = merge_rows(base, kept, posted);
            let content = FormContent { authorization, ..FormContent::default() };
            (validate(&content), content.tidied())
        });
    }
}

/// A page's post with rows in one table, as the browser's half sends it.
fn many_rows(form: &Form, count: usize, key: impl Fn(usize) -> String, value: &str, intent: &str) -> String {
    let mut fields = form.fields.clone();
    fields.retain(|(name, _)| !name.starts_with("content[authorization]"));
    for number in 0..count {
        fields.push((format!("content[authorization][{number}][key]"), key(number)));
        fields.push((format!("content[authorization][{number}][value]"), value.into()));
    }
    fields.push(("intent".into(), intent.into()));
    encode(&fields)
}

async fn a_form_with_many_rows_is_kept_and_shown(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let mut growth = Growth::of("many rows", 150);
    while let Some(count) = growth.next_size() {
        let bodies =
            ["one", "two"].map(|value| many_rows(&form, count, |i| format!("key-{i}"), value, "keep"));
        let begin = process_time();
        // The second is merged with the first.
        for body in bodies {
            let request = call(Method::POST, "/api/connector").body(Body::from(body)).expect("a request");
            let page = browser.send(request).await;
            assert_eq!(page.status, 200, "{}", page.text());
        }
        let page = browser.get(&key().form_path()).await;
        let duration = process_time() - begin;
        assert_eq!(page.text().matches("aria-label=\"Delete row").count(), count + 1);
        browser.press(&page.connector(), "discard").await;
        growth.took(duration);
    }
}

async fn a_form_with_many_problems_is_shown(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let mut growth = Growth::of("many problems", 150);
    while let Some(count) = growth.next_size() {
        let body = many_rows(&form, count, |_| "key".into(), "v", "save");
        let begin = process_time();
        let request = call(Method::POST, "/api/connector").body(Body::from(body)).expect("a request");
        let page = browser.send(request).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let page = browser.get(&key().form_path()).await;
        let duration = process_time() - begin;
        // Once above the form, once beside the row; the first of a key is fine.
        assert_eq!(page.text().matches("This key stands twice in this table</").count(), 2 * (count - 1));
        growth.took(duration);
    }
}
