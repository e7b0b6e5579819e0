//! Contract of `storage::api_tokens`: what an account's programs prove themselves with.

use ipack_domain::rights::{Right, Rights};
use ipack_storage::{
    Database, accounts,
    api_tokens::{self, ApiToken},
};
use ipack_testing::records::{ACCOUNT, at, uuid};

on_both!(
    a_token_comes_back_with_its_digest,
    a_user_name_is_taken_once,
    a_token_needs_its_account,
    a_token_is_revoked_once_and_by_its_account_alone,
    a_token_from_before_there_were_rights_keeps_what_it_had,
    a_token_gets_other_rights_from_its_account_alone,
    the_latest_use_of_a_token_stays,
    tokens_of_an_account_are_paged_by_user_name,
);

fn token(number: u8, username: &str, account: &str) -> ApiToken {
    ApiToken {
        id: uuid(u128::from(number)),
        account_id: account.to_owned(),
        name: format!("Token {number}"),
        username: username.to_owned(),
        digest: [0, 255, number].repeat(11)[..32].to_vec(),
        rights: if number.is_multiple_of(2) { Rights::all() } else { Rights::usual() },
        created_at: at(number.into()),
        revoked_at: None,
        expires_at: number.is_multiple_of(2).then(|| at(1_000)),
        used_at: None,
    }
}

async fn two_accounts(database: &Database) {
    write_now!(database, db => accounts::ensure(db, ACCOUNT, at(0)));
    write_now!(database, db => accounts::ensure(db, "account-2", at(0)));
}

async fn a_token_comes_back_with_its_digest(database: Database) {
    two_accounts(&database).await;
    let tokens =
        [token(1, "BOOMI_TOKEN.a@example.com", ACCOUNT), token(2, "BOOMI_TOKEN.b@example.com", "account-2")];
    for token in &tokens {
        write_now!(database, db => api_tokens::add(db, token));
    }
    for token in tokens {
        assert_eq!(read_now!(database, db => api_tokens::find(db, &token.username)), Some(token));
    }
    assert_eq!(read_now!(database, db => api_tokens::find(db, "BOOMI_TOKEN.c@example.com")), None);
}

async fn a_user_name_is_taken_once(database: Database) {
    two_accounts(&database).await;
    let first = token(1, "BOOMI_TOKEN.a", ACCOUNT);
    write_now!(database, db => api_tokens::add(db, &first));
    assert_refused!(database, Exists, db => api_tokens::add(db, &token(2, "BOOMI_TOKEN.a", "account-2")));
    assert_eq!(read_now!(database, db => api_tokens::find(db, "BOOMI_TOKEN.a")), Some(first));
}

async fn a_token_needs_its_account(database: Database) {
    assert_refused!(database, Reference, db => api_tokens::add(db, &token(1, "t", "nobody")));
    assert_eq!(read_now!(database, db => api_tokens::find(db, "t")), None);
}

async fn a_token_is_revoked_once_and_by_its_account_alone(database: Database) {
    two_accounts(&database).await;
    let (one, two) = (token(1, "one", ACCOUNT), token(2, "two", ACCOUNT));
    write_now!(database, db => api_tokens::add(db, &one));
    write_now!(database, db => api_tokens::add(db, &two));
    for other in ["account-0", "account-2"] {
        let revoked = write_now!(database, db => api_tokens::revoke(db, other, "one", at(1)));
        assert!(!revoked, "not its account");
    }
    assert_eq!(read_now!(database, db => api_tokens::find(db, "one")), Some(one.clone()));
    assert!(write_now!(database, db => api_tokens::revoke(db, ACCOUNT, "one", at(2))));
    assert!(!write_now!(database, db => api_tokens::revoke(db, ACCOUNT, "one", at(3))), "no longer in force");
    let expected = ApiToken { revoked_at: Some(at(2)), ..one };
    assert_eq!(
        read_now!(database, db => api_tokens::find(db, "one")),
        Some(expected),
        "the first moment stays"
    );
    assert_eq!(read_now!(database, db => api_tokens::find(db, "two")), Some(two));
    assert!(!write_now!(database, db => api_tokens::revoke(db, ACCOUNT, "three", at(2))), "no such token");
}

async fn a_token_from_before_there_were_rights_keeps_what_it_had(database: Database) {
    two_accounts(&database).await;
    for (number, reads) in [(1, true), (2, false)] {
        let username = format!("old-{number}");
        write_now!(database, db => api_tokens::add(db, &token(number, &username, ACCOUNT)));
        let sql = format!(
            "UPDATE api_tokens SET rights = NULL, reads_access_tokens = {reads} WHERE username = '{username}'"
        );
        ipack_testing::tables::execute(&database, &sql).await;
        let found = read_now!(database, db => api_tokens::find(db, &username)).expect("it is there");
        assert_eq!(found.rights, if reads { Rights::all() } else { Rights::usual() });
    }
}

async fn a_token_gets_other_rights_from_its_account_alone(database: Database) {
    two_accounts(&database).await;
    let (one, two) = (token(1, "one", ACCOUNT), token(2, "two", ACCOUNT));
    for token in [&one, &two] {
        write_now!(database, db => api_tokens::add(db, token));
    }
    let rights = Rights::default().with(Right::TokensRead);
    for (account, username, is_set) in
        [("account-2", "one", false), (ACCOUNT, "three", false), (ACCOUNT, "one", true)]
    {
        assert_eq!(
            write_now!(database, db => api_tokens::set_rights(db, account, username, &rights)),
            is_set
        );
    }
    let expected = ApiToken { rights, ..one };
    assert_eq!(read_now!(database, db => api_tokens::find(db, "one")), Some(expected));
    assert_eq!(read_now!(database, db => api_tokens::find(db, "two")), Some(two));
    // The version before asks the older column.
    let reads = "api_tokens WHERE username = 'one' AND reads_access_tokens";
    assert_eq!(ipack_testing::tables::count(&database, reads).await, 1);
}

async fn the_latest_use_of_a_token_stays(database: Database) {
    two_accounts(&database).await;
    let (one, two) = (token(1, "one", ACCOUNT), token(2, "two", ACCOUNT));
    for token in [&one, &two] {
        write_now!(database, db => api_tokens::add(db, token));
    }
    for (now, used_at) in [(at(5), at(5)), (at(9), at(9)), (at(7), at(9))] {
        write_now!(database, db => api_tokens::used(db, one.id, now));
        let found = read_now!(database, db => api_tokens::find(db, "one")).expect("it is there");
        assert_eq!(found.used_at, Some(used_at));
    }
    assert_eq!(read_now!(database, db => api_tokens::find(db, "two")), Some(two));
}

async fn tokens_of_an_account_are_paged_by_user_name(database: Database) {
    two_accounts(&database).await;
    for (number, username, account) in
        [(1, "b", ACCOUNT), (2, "c", ACCOUNT), (3, "a", ACCOUNT), (4, "d", "account-2")]
    {
        write_now!(database, db => api_tokens::add(db, &token(number, username, account)));
    }
    for (after, limit, expected) in [("", 10, &["a", "b", "c"][..]), ("", 2, &["a", "b"]), ("b", 2, &["c"])] {
        let page = read_now!(database, db => api_tokens::list(db, ACCOUNT, after, limit));
        assert_eq!(page.iter().map(|token| token.username.as_str()).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_token_is_in_force_until_it_ends_or_is_revoked() {
    let endless = token(1, "t", ACCOUNT);
    let ending = token(2, "t", ACCOUNT);
    let revoked = ApiToken { revoked_at: Some(at(1)), ..endless.clone() };
    assert!(endless.is_in_force(at(i64::from(u32::MAX))) && ending.is_in_force(at(999)));
    assert!(!ending.is_in_force(at(1_000)) && !revoked.is_in_force(at(0)));
}
