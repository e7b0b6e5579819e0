//! Contract of `storage::api_tokens`: what an account's programs prove themselves with.

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
    only_a_token_made_for_it_reads_access_tokens,
);

fn token(number: u8, username: &str, account: &str) -> ApiToken {
    ApiToken {
        id: uuid(u128::from(number)),
        account_id: account.to_owned(),
        name: format!("Token {number}"),
        username: username.to_owned(),
        digest: [0, 255, number].repeat(11)[..32].to_vec(),
        revoked_at: None,
        reads_access_tokens: number.is_multiple_of(2),
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
        write_now!(database, db => api_tokens::add(db, token, at(0)));
    }
    for token in tokens {
        assert_eq!(read_now!(database, db => api_tokens::find(db, &token.username)), Some(token));
    }
    assert_eq!(read_now!(database, db => api_tokens::find(db, "BOOMI_TOKEN.c@example.com")), None);
}

async fn a_user_name_is_taken_once(database: Database) {
    two_accounts(&database).await;
    let first = token(1, "BOOMI_TOKEN.a", ACCOUNT);
    write_now!(database, db => api_tokens::add(db, &first, at(0)));
    assert_refused!(database, Exists, db => api_tokens::add(db, &token(2, "BOOMI_TOKEN.a", "account-2"), at(1)));
    assert_eq!(read_now!(database, db => api_tokens::find(db, "BOOMI_TOKEN.a")), Some(first));
}

async fn a_token_needs_its_account(database: Database) {
    assert_refused!(database, Reference, db => api_tokens::add(db, &token(1, "t", "nobody"), at(0)));
    assert_eq!(read_now!(database, db => api_tokens::find(db, "t")), None);
}

async fn a_token_is_revoked_once_and_by_its_account_alone(database: Database) {
    two_accounts(&database).await;
    let (one, two) = (token(1, "one", ACCOUNT), token(2, "two", ACCOUNT));
    write_now!(database, db => api_tokens::add(db, &one, at(0)));
    write_now!(database, db => api_tokens::add(db, &two, at(0)));
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

async fn only_a_token_made_for_it_reads_access_tokens(database: Database) {
    two_accounts(&database).await;
    for reads_access_tokens in [false, true] {
        let name = reads_access_tokens.to_string();
        let number = u8::from(reads_access_tokens);
        let new = ApiToken { reads_access_tokens, ..token(number, &name, ACCOUNT) };
        write_now!(database, db => api_tokens::add(db, &new, at(0)));
        let found = read_now!(database, db => api_tokens::find(db, &name)).expect("it is there");
        assert_eq!(found.reads_access_tokens, reads_access_tokens);
    }
    // One from before there was the permission does not have it.
    let sql = "INSERT INTO api_tokens (id, account_id, name, username, digest, created_at)
         SELECT digest, account_id, name, 'old', digest, created_at FROM api_tokens WHERE username = 'true'";
    let sql = match &database {
        Database::Sqlite { .. } => sql.replace("SELECT digest", "SELECT randomblob(16)"),
        Database::Postgres(_) => sql.replace("SELECT digest", "SELECT gen_random_uuid()"),
    };
    ipack_testing::tables::execute(&database, &sql).await;
    assert!(
        !read_now!(database, db => api_tokens::find(db, "old")).expect("it is there").reads_access_tokens
    );
}
