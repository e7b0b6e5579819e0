//! Tokens, sealed: one for each connection key, with what is needed to keep it fresh.
//!
//! A refresh is made by whoever holds the lease, which is given by one `UPDATE` and runs out by itself.

use crate::{
    Connection, Result,
    columns::{Column, JsonText, KeyColumns, bind_key, key_columns, of_key},
    execute, on_connection,
};
use ipack_domain::{ids::ConnectionKey, time::Timestamp};
use sqlx::FromRow;
use std::time::Duration;
use uuid::Uuid;

#[derive(Debug, Clone, FromRow)]
pub struct Token {
    pub id: Uuid,
    #[sqlx(flatten, try_from = "KeyColumns")]
    pub key: ConnectionKey,
    /// One more each time its values change.
    pub version: i64,
    pub access_token: Vec<u8>,
    pub refresh_token: Option<Vec<u8>>,
    /// What else came with the access token.
    pub extra: Option<Vec<u8>>,
    #[sqlx(try_from = "Column<u32>")]
    pub data_key_version: u32,
    pub token_type: String,
    pub requested_scope: String,
    pub granted_scope: Option<String>,
    /// Endpoints, client and grant that it came from.
    #[sqlx(try_from = "Column<JsonText>")]
    pub origin: JsonText,
    /// A fingerprint of each part of the configuration it came from.
    #[sqlx(try_from = "Column<JsonText>")]
    pub configuration: JsonText,
    pub company_id: Option<String>,
    pub obtained_by: String,
    #[sqlx(try_from = "Column<Timestamp>")]
    pub obtained_at: Timestamp,
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub refreshed_at: Option<Timestamp>,
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub expires_at: Option<Timestamp>,
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub refresh_at: Option<Timestamp>,
    #[sqlx(try_from = "Column<u32>")]
    pub failures: u32,
    pub failure: Option<String>,
    /// The likely causes of the failure.
    #[sqlx(try_from = "Column<Option<JsonText>>")]
    pub advice: Option<JsonText>,
    pub is_broken: bool,
    pub lease_owner: Option<Uuid>,
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub lease_until: Option<Timestamp>,
}

impl Token {
    /// It can be refreshed, now or later: the provider gave the means, and has not refused them for good.
    pub fn is_refreshable(&self) -> bool {
        self.refresh_at.is_some() && !self.is_broken
    }

    /// Somebody is refreshing it.
    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| until > now)
    }

    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether it had more to live when it came.
    pub fn lives_for_more_than(&self, span: Duration) -> bool {
        let since = self.refreshed_at.unwrap_or(self.obtained_at);
        self.expires_at.is_none_or(|at| at > since.plus(span))
    }
}

macro_rules! columns {
    () => {
        concat!(
            "id, ",
            key_columns!(),
            ", version, access_token, refresh_token, extra, data_key_version, token_type, requested_scope, granted_scope, origin, configuration,
                 company_id, obtained_by, obtained_at, refreshed_at, expires_at, refresh_at, failures, failure, advice,
                 is_broken, lease_owner, lease_until "
        )
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), "FROM tokens ", $rest)
    };
}

pub async fn find(db: Connection<'_>, key: &ConnectionKey) -> Result<Option<Token>> {
    let sql = of_key!(select!(""));
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, Token>(sql), key).fetch_optional(executor))
}

/// The token of a connection key, and what it takes to answer a client about it.
#[derive(Debug, Clone, FromRow)]
pub struct OwnedToken {
    #[sqlx(flatten)]
    pub token: Token,
    /// The account that has the Space.
    pub account_id: String,
}

pub async fn find_owned(db: Connection<'_>, key: &ConnectionKey) -> Result<Option<OwnedToken>> {
    let sql = of_key!(concat!(
        "SELECT ",
        columns!(),
        ", (SELECT account_id FROM spaces WHERE guid = tokens.space_guid) AS account_id FROM tokens"
    ));
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, OwnedToken>(sql), key).fetch_optional(executor))
}

/// Whether there is a token, whatever its state.
pub async fn exists(db: Connection<'_>, key: &ConnectionKey) -> Result<bool> {
    let sql = of_key!("SELECT COUNT(*) FROM tokens");
    let count: i64 =
        on_connection!(db, executor => bind_key!(sqlx::query_scalar(sql), key).fetch_one(executor))?;
    Ok(count > 0)
}

/// What it takes to begin a refresh.
#[derive(Debug, Clone, FromRow)]
pub struct DueToken {
    pub id: Uuid,
    #[sqlx(flatten, try_from = "KeyColumns")]
    pub key: ConnectionKey,
    pub version: i64,
    #[sqlx(try_from = "Column<u32>")]
    pub failures: u32,
    #[sqlx(try_from = "Column<Timestamp>")]
    pub refresh_at: Timestamp,
    #[sqlx(try_from = "Column<JsonText>")]
    pub origin: JsonText,
}

/// Tokens whose refresh is due and which nobody is refreshing, those that wait longest first; a page of them, after the
/// one with this moment and id.
pub async fn due(
    db: Connection<'_>,
    now: Timestamp,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<DueToken>> {
    let (moment, id) = after.unwrap_or((Timestamp(i64::MIN), Uuid::nil()));
    let sql = concat!(
        "SELECT id, ",
        key_columns!(),
        ", version, failures, refresh_at, origin FROM tokens
         WHERE refresh_at <= $1 AND (lease_until IS NULL OR lease_until <= $1) AND (refresh_at, id) > ($2, $3)
         ORDER BY refresh_at, id LIMIT $4 + 0"
    );
    on_connection!(db, executor => sqlx::query_as::<_, DueToken>(sql)
        .bind(now.0)
        .bind(moment.0)
        .bind(id)
        .bind(limit)
        .fetch_all(executor))
}

/// Puts a new token into a connection key's place, whatever was there.
///
/// # Errors
/// `Reference` where the connection, the environment's attachment or the data key is not there.
pub async fn put(db: Connection<'_>, token: &Token) -> Result<()> {
    let sql = concat!(
        "INSERT INTO tokens (",
        key_columns!(),
        ", id, version, access_token, refresh_token, data_key_version, token_type, requested_scope, granted_scope, origin,
             configuration, company_id, obtained_by, obtained_at, expires_at, refresh_at, extra, failures, is_broken)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, 0, FALSE)
         ON CONFLICT (",
        key_columns!(),
        ") DO UPDATE
         SET id = excluded.id, version = excluded.version, access_token = excluded.access_token,
             refresh_token = excluded.refresh_token, data_key_version = excluded.data_key_version,
             token_type = excluded.token_type, requested_scope = excluded.requested_scope,
             granted_scope = excluded.granted_scope, origin = excluded.origin, configuration = excluded.configuration,
             company_id = excluded.company_id, obtained_by = excluded.obtained_by,
             obtained_at = excluded.obtained_at, refreshed_at = NULL, expires_at = excluded.expires_at,
             refresh_at = excluded.refresh_at, extra = excluded.extra, failures = 0, failure = NULL, advice = NULL,
             is_broken = FALSE, lease_owner = NULL, lease_until = NULL"
    );
    execute!(
        db, sql, &token.key; token.id, token.version, &token.access_token, &token.refresh_token,
        i64::from(token.data_key_version), &token.token_type, &token.requested_scope, &token.granted_scope,
        token.origin.as_str(), token.configuration.as_str(), &token.company_id, &token.obtained_by,
        token.obtained_at.0, token.expires_at.map(|at| at.0), token.refresh_at.map(|at| at.0), &token.extra
    )?;
    Ok(())
}

/// Takes the lease of a token that still has this version, unless somebody else holds it. The answer is whether it
/// is ours until `until`; whoever does not know whether it was given takes it again.
pub async fn lease(
    db: Connection<'_>,
    id: Uuid,
    version: i64,
    owner: Uuid,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let sql = "UPDATE tokens SET lease_owner = $3, lease_until = $4
         WHERE id = $1 AND version = $2 AND NOT is_broken
             AND (lease_until IS NULL OR lease_until <= $5 OR lease_owner = $3)";
    Ok(execute!(db, sql, id, version, owner, until.0, now.0)? == 1)
}

/// What a refresh brought.
#[derive(Debug, Clone, Copy)]
pub struct Refreshed<'a> {
    pub access_token: &'a [u8],
    /// The old one again, newly sealed, where the answer brought none.
    pub refresh_token: Option<&'a [u8]>,
    /// Of this answer; `None` where there was nothing else in it, and what came earlier is not kept.
    pub extra: Option<&'a [u8]>,
    pub data_key_version: u32,
    pub token_type: &'a str,
    pub granted_scope: Option<&'a str>,
    pub expires_at: Option<Timestamp>,
    pub refresh_at: Option<Timestamp>,
}

/// Writes what a refresh brought and gives the lease back, in one statement; `false` where the lease was lost.
pub async fn refreshed(
    db: Connection<'_>,
    id: Uuid,
    owner: Uuid,
    new: Refreshed<'_>,
    now: Timestamp,
) -> Result<bool> {
    let sql = "UPDATE tokens SET version = version + 1, access_token = $3, refresh_token = $4, data_key_version = $5,
             token_type = $6, granted_scope = COALESCE($7, granted_scope), expires_at = $8, refresh_at = $9,
             refreshed_at = $10, extra = $11, failures = 0, failure = NULL, advice = NULL, lease_owner = NULL, lease_until = NULL
         WHERE id = $1 AND lease_owner = $2";
    let rows = execute!(
        db,
        sql,
        id,
        owner,
        new.access_token,
        new.refresh_token,
        i64::from(new.data_key_version),
        new.token_type,
        new.granted_scope,
        new.expires_at.map(|at| at.0),
        new.refresh_at.map(|at| at.0),
        now.0,
        new.extra
    )?;
    Ok(rows == 1)
}

/// Why a refresh failed.
#[derive(Debug, Clone, Copy)]
pub struct Failed<'a> {
    pub failure: &'a str,
    /// Its likely causes.
    pub advice: &'a JsonText,
    /// For good.
    pub is_broken: bool,
    /// When it is tried again.
    pub again_at: Option<Timestamp>,
}

/// Notes a refresh that failed and gives the lease back; `false` where the lease was lost.
pub async fn failed(db: Connection<'_>, id: Uuid, owner: Uuid, why: Failed<'_>) -> Result<bool> {
    let sql = "UPDATE tokens SET failures = failures + 1, failure = $3, is_broken = $4, refresh_at = $5, advice = $6,
             lease_owner = NULL, lease_until = NULL
         WHERE id = $1 AND lease_owner = $2";
    let Failed { failure, advice, is_broken, again_at } = why;
    Ok(execute!(db, sql, id, owner, failure, is_broken, again_at.map(|at| at.0), advice.as_str())? == 1)
}

/// Has a refresh that failed tried again at once: what stood in its way may be put right.
pub async fn retry(db: Connection<'_>, key: &ConnectionKey, now: Timestamp) -> Result<()> {
    let sql = concat!(of_key!("UPDATE tokens SET refresh_at = $6"), "AND failures > 0 AND NOT is_broken");
    execute!(db, sql, key; now.0)?;
    Ok(())
}

/// Takes a connection key's token out, as it is at that moment.
pub async fn take(db: Connection<'_>, key: &ConnectionKey) -> Result<Option<Token>> {
    let sql = of_key!("DELETE FROM tokens", "RETURNING ", columns!());
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, Token>(sql), key).fetch_optional(executor))
}

/// Takes out every token of an instance, or of its attachment to one environment.
pub async fn take_of_instance(
    db: Connection<'_>,
    space: &str,
    instance: &str,
    environment: Option<&str>,
) -> Result<Vec<Token>> {
    let sql = concat!(
        "DELETE FROM tokens WHERE space_guid = $1 AND instance_id = $2
             AND environment_id = COALESCE($3, environment_id) RETURNING ",
        columns!()
    );
    on_connection!(db, executor => sqlx::query_as::<_, Token>(sql)
        .bind(space)
        .bind(instance)
        .bind(environment)
        .fetch_all(executor))
}
