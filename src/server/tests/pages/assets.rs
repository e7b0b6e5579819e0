//! The site's files, as `make build` left them in `target/site`.

use axum::body::Body;
use ipack_storage::Database;
use ipack_testing::browser::{Page, get};
use ipack_testing::world::{ANN, World, key};

on_both!(
    files_have_their_types_and_codings,
    what_was_seen_is_not_sent_again,
    only_the_current_version_is_kept_for_good,
    the_pages_ask_for_the_current_version,
    what_is_no_file_is_404,
);

async fn ask(world: &World, path: &str, headers: &[(&'static str, &str)]) -> Page {
    let mut builder = get(path);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    world.stranger().send(builder.body(Body::empty()).expect("a request")).await
}

async fn files_have_their_types_and_codings(database: Database) {
    let world = World::new(database).await;
    for (path, media) in [
        ("/pkg/ipack-connect.css", "text/css; charset=utf-8"),
        ("/pkg/ipack-connect.js", "text/javascript; charset=utf-8"),
        ("/pkg/ipack-connect.wasm", "application/wasm"),
        ("/favicon.svg", "image/svg+xml"),
        ("/icons/plus.svg", "image/svg+xml"),
    ] {
        let plain = ask(&world, path, &[]).await;
        assert_eq!(plain.status, 200, "{path}: `make build` makes it");
        assert_eq!(
            (plain.header("content-type"), plain.header("content-encoding")),
            (Some(media), None),
            "{path}"
        );
        assert!(!plain.bytes.is_empty());
        for (accepted, coding) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("br", Some("br")),
            ("gzip", Some("gzip")),
            ("GZIP;q=0.5,\tbr;q=0", Some("gzip")),
            ("br;q=0.001", Some("br")),
            ("*", Some("br")),
            ("br;q=0, *;q=0.1", Some("gzip")),
            ("*;q=0, gzip", Some("gzip")),
            ("*;q=0", None),
            ("br;q=0.0,gzip;q=0", None),
            ("br;level=4", None),
            ("identity", None),
            ("brotli", None),
        ] {
            let page = ask(&world, path, &[("accept-encoding", accepted)]).await;
            assert_eq!(page.header("content-encoding"), coding, "{path} for {accepted}");
            assert_eq!(
                (page.header("content-type"), page.header("vary")),
                (Some(media), Some("accept-encoding"))
            );
            match coding {
                Some("gzip") => assert_eq!(page.bytes[..2], [0x1f, 0x8b], "{path}"),
                Some(_) => assert_ne!(page.bytes, plain.bytes, "{path}"),
                None => assert_eq!(page.bytes, plain.bytes, "{path}"),
            }
        }
    }
}

async fn what_was_seen_is_not_sent_again(database: Database) {
    let world = World::new(database).await;
    let first = ask(&world, "/pkg/ipack-connect.js", &[]).await;
    let etag = first.header("etag").expect("a tag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'));
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    let again = ask(&world, "/pkg/ipack-connect.js", &[("if-none-match", &etag)]).await;
    assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0));
    assert_eq!(again.header("etag"), Some(&*etag));
    let other = ask(&world, "/pkg/ipack-connect.js", &[("if-none-match", "\"other\"")]).await;
    assert_eq!(other.status, 200);
    let css = ask(&world, "/pkg/ipack-connect.css", &[("if-none-match", &etag)]).await;
    assert_eq!(css.status, 200);
}

/// What the pages put behind `?v=`.
async fn version(world: &World) -> String {
    let page = world.stranger().get("/login").await;
    let style =
        page.elements().into_iter().find(|one| one.is("link", "rel", "stylesheet")).expect("a style sheet");
    style.attribute("href").and_then(|href| href.split("?v=").nth(1)).expect("a version").to_owned()
}

async fn only_the_current_version_is_kept_for_good(database: Database) {
    let world = World::new(database).await;
    let version = version(&world).await;
    let cached = async |query: &str| {
        ask(&world, &format!("/pkg/ipack-connect.js{query}"), &[])
            .await
            .header("cache-control")
            .map(str::to_owned)
    };
    let for_good = Some("public, max-age=31536000, immutable".to_owned());
    assert_eq!(cached(&format!("?v={version}")).await, for_good);
    for query in ["", "?v=", "?v=old", &format!("?v={version}x"), &format!("?x=1&v={version}")] {
        assert_eq!(cached(query).await.as_deref(), Some("no-cache"), "{query}");
    }
}

async fn the_pages_ask_for_the_current_version(database: Database) {
    let world = World::new(database).await;
    let version = version(&world).await;
    let page = world.browser(ANN).await.get(&key().form_path()).await;
    let script = page.elements().into_iter().find(|one| one.name == "script").expect("a script");
    for file in ["ipack-connect.js", "ipack-connect.wasm"] {
        assert!(script.text.contains(&format!("/pkg/{file}?v={version}")), "{}", script.text);
    }
}

async fn what_is_no_file_is_404(database: Database) {
    let world = World::new(database).await;
    for path in [
        "/pkg/none.js",
        "/pkg/../favicon.svg/x",
        "/pkg/%2e%2e/%2e%2e/Cargo.toml",
        "/pkg/../../Cargo.toml",
        "/icons/..%2f..%2f..%2fCargo.toml",
        "/pkg//etc/passwd",
    ] {
        let page = ask(&world, path, &[]).await;
        assert_eq!((page.status.as_u16(), page.bytes.len()), (404, 0), "{path}");
    }
}
