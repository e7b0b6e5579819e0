//! S27: whatever holds something secret shows nothing of it, whoever prints it.

use crate::sealed::{Sealed, key};
use ipack_core::tokens::access_token::AccessToken;
use ipack_domain::tokens::TypedSecret;
use ipack_oauth::{
    advice::Redactor, authentication::ClientCredentials, callback::Callback, outbound::Answer,
    token_answer::Granted,
};
use ipack_storage::Database;
use ipack_testing::world::setup_of;
use ipack_vault::Keyring;
use secrecy::SecretString;
use std::{fmt::Debug, fs};

on_both!(s27_services_show_no_key_and_no_token);

const CANARY: &str = "canary-6d1f";

#[track_caller]
fn assert_hides(value: &impl Debug, secrets: &[&str]) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!text.is_empty());
        for secret in secrets {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

fn secret() -> SecretString {
    SecretString::from(CANARY.to_owned())
}

#[test]
fn s27_tokens_and_secrets_on_their_way_show_nothing() {
    let token = AccessToken {
        token: secret(),
        token_type: "Bearer".into(),
        expires_at: None,
        scope: "a b".into(),
        extra: Some(secret()),
    };
    let granted = Granted {
        access_token: secret(),
        refresh_token: Some(secret()),
        token_type: "Bearer".into(),
        expires_in: Some(60),
        refresh_expires_in: None,
        scope: None,
        extra: Some(secret()),
        asked_at: ipack_domain::time::Timestamp(0),
    };
    assert!(!granted.summary().contains(CANARY));
    let proof =
        ClientCredentials { authorization: Some(secret()), parameters: vec![("client_secret", secret())] };
    let callback = Callback::parse(&format!("code={CANARY}&state={CANARY}")).expect("a callback");
    assert_eq!(callback.code(), Some(CANARY));
    let answer = Answer::made_up(200, "application/json", format!("{{\"access_token\":\"{CANARY}\"}}"));
    assert_hides(&token, &[CANARY]);
    assert_hides(&granted, &[CANARY]);
    assert_hides(&proof, &[CANARY]);
    assert_hides(&callback, &[CANARY]);
    assert_hides(&answer, &[CANARY]);
    assert_hides(&TypedSecret::new(CANARY.into()), &[CANARY]);
    assert_hides(&Some(vec![secret()]), &[CANARY]);
    // What a provider says is shown to people, without what it was told.
    assert!(!Redactor::new([&secret()]).shown(&format!("I do not like {CANARY}!")).contains(CANARY));
}

async fn s27_services_show_no_key_and_no_token(database: Database) {
    let world = Sealed::new(database).await;
    let key = key("one");
    world.seal(&key).await;
    // Opened, and so in memory.
    world.assert_opens(&world.services, &key).await;
    let text = fs::read_to_string(&world.file).expect("readable");
    let master = text.lines().find_map(|line| line.strip_prefix("v1:")).expect("a key");
    let secrets = [master, "secret of one", "access token of one", "refresh token of one"];
    assert_hides(&world.services, &secrets);
    assert_hides(&setup_of(&world.file), &secrets);
    assert_hides(&Keyring::read(&world.file).expect("a keyring"), &secrets);
    assert_hides(&*world.services.signing_key, &secrets);
    assert_hides(&*world.services.opened, &secrets);
    assert_hides(&*world.services.data_keys, &secrets);
    assert_hides(&world.encrypt(&world.services, &key).await, &secrets);
}
