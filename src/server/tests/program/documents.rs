//! What the documents say and the program knows: held together here.

use clap::{Args, Parser};
use ipack_server::{
    cli::Cli,
    config::{ADMIN_PASSWORD, Config, MASTER_KEY},
};
use std::{fs, path::Path};

const OPERATING: &str = include_str!("../../../../docs/operating.md");
const API: &str = include_str!("../../../../docs/api.md");

/// The rows of the table under a heading, as cells.
fn table(heading: &str) -> Vec<Vec<String>> {
    let section = OPERATING.split(&format!("\n## {heading}\n")).nth(1).expect("the heading is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().replace('`', "")).collect())
        .collect()
}

#[test]
fn the_configuration_table_is_the_programs() {
    let command = Config::augment_args(clap::Command::new("serve"));
    let mut known: Vec<(String, Option<String>)> = command
        .get_arguments()
        .map(|arg| {
            let name = arg.get_env().expect("every setting has a variable").to_string_lossy().into_owned();
            (name, arg.get_default_values().first().map(|default| default.to_string_lossy().into_owned()))
        })
        .collect();
    // Read from the environment alone: on a command line everybody would see it.
    let email = known.iter().position(|(name, _)| name == "IPACK_ADMIN_EMAIL").expect("it is there");
    known.insert(email + 1, (ADMIN_PASSWORD.into(), None));
    let file = known.iter().position(|(name, _)| name == "IPACK_MASTER_KEY_FILE").expect("it is there");
    known.insert(file + 1, (MASTER_KEY.into(), None));
    // Read by the logs.
    known.push(("IPACK_LOG".into(), Some("info".into())));
    let table = table("Configuration");
    let documented: Vec<&str> = table.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(documented, known.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
    for (row, (name, default)) in table.iter().zip(&known) {
        match default {
            Some(default) => assert_eq!(&row[1], default, "{name}"),
            None => assert!(row[1] == "none" || name == "IPACK_PUBLIC_URL", "{name} has no default"),
        }
    }
}

/// The texts of the files below a folder of the sources.
fn sources(folder: &str) -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(fs::read_to_string(&path).expect("a text")),
            }
        }
    }
    files
}

/// The compiler does not say it, for the members are public.
#[test]
fn something_is_done_with_every_setting() {
    let sources = sources("server/src");
    let command = Config::augment_args(clap::Command::new("serve"));
    for setting in command.get_arguments() {
        let used = format!(".{}", setting.get_id());
        assert!(sources.iter().any(|text| text.contains(&used)), "nothing is done with {used}");
    }
}

/// Nor does it say this, for a component is never unused.
#[test]
fn every_page_has_a_route() {
    let (app, pages) = (include_str!("../../../web/src/app.rs"), sources("web/src/pages"));
    let pages: Vec<&str> = pages
        .iter()
        .flat_map(|text| text.split("#[component]\npub fn ").skip(1))
        .filter_map(|component| component.split('(').next().filter(|name| name.ends_with("Page")))
        .collect();
    assert!(pages.contains(&"OverviewPage"), "{pages:?}");
    for page in pages {
        let is_shown =
            ["view", "fallback"].iter().any(|attribute| app.contains(&format!("{attribute}={page}")));
        assert!(is_shown, "{page} has no route");
    }
}

#[test]
fn what_the_documents_link_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let documents = [
        "CHANGELOG.md",
        "README.md",
        "docs/api.md",
        "docs/architecture.md",
        "docs/contributing.md",
        "docs/operating.md",
        "docs/providers.md",
    ];
    for document in documents {
        let file = root.join(document);
        let text = fs::read_to_string(&file).expect("a document");
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            let path = link.split('#').next().unwrap_or_default();
            assert!(file.with_file_name("").join(path).exists(), "{document} links to {link}");
        }
    }
}

#[test]
fn the_documented_commands_are_the_programs() {
    let commands: Vec<_> =
        API.lines().filter_map(|line| line.strip_prefix("target/release/ipack-connect ")).collect();
    for command in &commands {
        let words = command.split(' ').map(|word| word.trim_matches('"'));
        if let Err(error) = Cli::try_parse_from(std::iter::once("ipack-connect").chain(words)) {
            panic!("{command}: {error}");
        }
    }
    for name in ["create", "list", "rights", "revoke"] {
        assert!(commands.iter().any(|command| command.starts_with(&format!("token {name} "))), "{name}");
    }
}

#[test]
fn the_sample_request_is_the_apis_own() {
    let sample = include_str!("../../../testing/src/seed_request.graphql").trim();
    assert!(API.contains(sample), "the documented request differs from the one that is tested");
}
