//! What the audit log has of whoever runs the program's commands.

use ipack_storage::{Database, open::open};
use ipack_testing::{
    process::{program, started},
    tables::count,
};
use ipack_vault::Keyring;
use std::{io::Write, path::Path, process::Stdio};
use tempfile::TempDir;

on_both!(empty: s39_what_the_command_line_did_is_in_the_audit_log);

/// Runs a command to its end; what it wrote.
fn run(address: &str, keyring: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = program(env!("CARGO_BIN_EXE_ipack-connect"), address, keyring, arguments);
    command.stdin(Stdio::piped());
    let mut child = started(command);
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("read");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

async fn s39_what_the_command_line_did_is_in_the_audit_log(address: String) {
    let folder = TempDir::new().expect("a folder");
    let (keyring, catalogue) = (folder.path().join("master.key"), folder.path().join("catalogue.json"));
    Keyring::create(&keyring).expect("a keyring");
    std::fs::write(&catalogue, "{}").expect("written");
    let run = |arguments: &[&str], input| run(&address, &keyring, arguments, input);
    run(&["migrate"], "");
    run(&["migrate"], "");
    run(&["space", "create", "--account", "a", "--guid", "g", "--name", "N"], "");
    let made = run(&["token", "create", "--account", "a", "--name", "ci"], "");
    let made: serde_json::Value = serde_json::from_str(&made).expect("JSON");
    let username = made["username"].as_str().expect("a username");
    run(&["token", "rights", "--account", "a", "--username", username, "--allow", "details:read"], "");
    run(&["token", "revoke", "--account", "a", "--username", username], "");
    run(&["admin", "create", "--email", "a@x", "--account", "a"], "canary-1");
    run(&["admin", "password", "--email", "a@x"], "canary-2");
    run(&["catalogue", "import", "--space", "g", catalogue.to_str().expect("a path")], "");
    run(&["keys", "rotate"], "");
    run(&["keys", "add"], "");
    run(&["keys", "rotate"], "");
    run(&["keys", "retire", "1"], "");
    let database: Database = open(&address).await.expect("it opens");
    for (kind, detail, times) in [
        ("space_created", "g, N", 1),
        ("api_token_created", &format!("{username}, which may %"), 1),
        ("api_token_changed", &format!("{username}, which may details:read from now on"), 1),
        ("api_token_revoked", username, 1),
        ("admin_created", "a@x", 1),
        ("password_changed", "a@x", 1),
        ("catalogue_imported", "into g: 0 environments, 0 packs", 1),
        ("database_migrated", "% migrations", 1),
        ("key_added", "v2", 1),
        ("keys_rotated", "under v%", 2),
        ("key_retired", "v1", 1),
    ] {
        let entry = format!(
            "timeline WHERE kind = '{kind}' AND detail LIKE '{detail}' AND actor = 'the command line'"
        );
        assert_eq!(count(&database, &entry).await, times, "{entry}");
    }
    assert_eq!(count(&database, "timeline WHERE detail LIKE '%canary%'").await, 0);
    database.close().await;
}
