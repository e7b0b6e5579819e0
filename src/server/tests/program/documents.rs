//! What the documents say and the program knows: held together here.

use clap::{Args, CommandFactory, Parser};
use ipack_server::{
    cli::Cli,
    config::{ADMIN_PASSWORD, Config, MASTER_KEY},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

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

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Everything that people read before they run the program, or while they do.
fn documents() -> Vec<(PathBuf, String)> {
    let here = ["CHANGELOG.md", "README.md", "migrations/README.md"].map(|name| root().join(name));
    let folders =
        ["docs", "deploy"].map(|name| fs::read_dir(root().join(name)).expect("the folder is there"));
    let files = folders.into_iter().flatten().map(|entry| entry.expect("an entry").path());
    let files = here.into_iter().chain(files.filter(|path| path.is_file()));
    files.map(|path| (path.clone(), fs::read_to_string(path).expect("a document"))).collect()
}

/// The words that follow upon a text, as far as they are lower case.
fn words_after<'t>(text: &'t str, before: &'t str) -> impl Iterator<Item = Vec<&'t str>> {
    text.split(before).skip(1).map(|rest| {
        let words = rest.split([' ', '\n', '`', '"', ',', ']']);
        words
            .take_while(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
            .collect()
    })
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
    for (file, text) in documents() {
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            let path = link.split('#').next().unwrap_or_default();
            assert!(file.with_file_name("").join(path).exists(), "{} links to {link}", file.display());
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
fn each_command_is_documented_and_each_documented_one_is_there() {
    let mut command = Cli::command();
    command.build();
    let mut told = BTreeSet::new();
    for (file, text) in documents() {
        for words in words_after(&text, "ipack-connect ") {
            let Some(first) = words.first().filter(|word| !["is", "ipack-connect"].contains(word)) else {
                continue;
            };
            let found = command.find_subcommand(first);
            let found = found.unwrap_or_else(|| panic!("{}: there is no command {first}", file.display()));
            let second = words.get(1).filter(|_| found.has_subcommands());
            if let Some(second) = second.filter(|_| *first != "help") {
                assert!(
                    found.find_subcommand(second).is_some(),
                    "{}: {first} has no {second}",
                    file.display()
                );
            }
            told.insert(format!("{first} {}", second.unwrap_or(&"")).trim().to_owned());
        }
    }
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = command.get_name();
        let mut parts = command.get_subcommands().map(clap::Command::get_name).filter(|part| *part != "help");
        let all: Vec<String> = match command.has_subcommands() {
            true => parts.by_ref().map(|part| format!("{name} {part}")).collect(),
            false => vec![name.to_owned()],
        };
        for name in all {
            assert!(told.contains(&name), "{name} stands in no document");
        }
    }
}

#[test]
fn each_target_of_make_is_documented_and_each_documented_one_is_there() {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("the Makefile");
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter_map(|line| line.split_once(':').filter(|(_, rest)| rest.contains("## ")))
        .map(|(name, _)| name)
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
        .collect();
    let documents = documents();
    let told: BTreeSet<&str> = documents
        .iter()
        .filter(|(file, _)| file.extension().is_some_and(|end| end == "md"))
        .flat_map(|(_, text)| ["`make ", "\nmake ", "&& make "].map(|before| words_after(text, before)))
        .flatten()
        .filter_map(|words| words.first().copied())
        .collect();
    assert_eq!(told.difference(&targets).next(), None, "make has no such target");
    // The list itself, and what removes the rest.
    let untold: Vec<_> = targets.difference(&told).filter(|name| !["help", "clean"].contains(name)).collect();
    assert!(untold.is_empty(), "{untold:?} stand in no document");
}

#[test]
fn the_documented_files_are_there() {
    let folders = ["src", "docs", "deploy", "migrations", "end2end"].into_iter().map(str::to_owned);
    let crates = fs::read_dir(root().join("src")).expect("the crates");
    let crates = crates.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let folders: BTreeSet<String> = folders.chain(crates).collect();
    for (file, text) in documents() {
        for name in text.split('`').skip(1).step_by(2) {
            let is_of_the_project = name.split_once('/').is_some_and(|(folder, _)| folders.contains(folder));
            let is_there = ["", "src"].iter().any(|place| root().join(place).join(name).exists());
            assert!(!is_of_the_project || is_there || name.contains(' '), "{}: {name}", file.display());
        }
    }
}

#[test]
fn each_metric_is_documented() {
    let row = OPERATING.lines().find(|line| line.starts_with("| `/metrics`")).expect("its row");
    let told: BTreeSet<&str> = row
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|name| name.split('{').next())
        .filter(|n| n.contains('_'))
        .collect();
    let sources =
        [sources("server/src"), sources("core/src"), sources("web/src"), sources("api/src")].concat();
    let counted: BTreeSet<&str> = sources
        .iter()
        .flat_map(|text| text.split("metrics::").skip(1))
        .filter_map(|rest| rest.split_once("!(\"")?.1.split('"').next())
        .collect();
    assert_eq!(told, counted);
}

#[test]
fn the_sample_request_is_the_apis_own() {
    let sample = include_str!("../../../testing/src/seed_request.graphql").trim();
    assert!(API.contains(sample), "the documented request differs from the one that is tested");
}
