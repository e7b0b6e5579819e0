//! What the program is measured against: axum alone, with answers recorded from the program. A save is one upsert, which
//! shares its commit as the program's do; a query and a page run the statements of the use cases. It has a database of
//! its own with the same settings.

use super::{
    Result,
    data::{DETAILS, SPACE, key, seed_key},
    prepare::ADMIN_EMAIL,
    requests::{KEY_HEADER, Kind},
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ipack_domain::{
    effects::{Clock, new_id},
    ids::ConnectionKey,
};
use ipack_storage::{
    Database, StorageError, Writer, accounts, admins, audit_log,
    details::{self, NewDetails},
    drafts, instances,
    open::open,
    sessions, suggestions,
};
use std::{fs, net::SocketAddr, path::Path, sync::Arc};
use uuid::Uuid;

const SESSION: [u8; 32] = [7; 32];
const SIGNED_BY: &str = "API token bench";
const HISTORY_LENGTH: i64 = 20;

struct Bare {
    database: Database,
    clock: Clock,
    admin: Uuid,
    account: String,
    mutation: Recorded,
    query: Recorded,
    page: Recorded,
}

#[derive(Clone)]
struct Recorded {
    headers: HeaderMap,
    body: Bytes,
}

impl Recorded {
    fn read(answers: &Path, kind: Kind) -> Result<Self> {
        let bytes = fs::read(answers.join(kind.name()))?;
        let head_end = bytes.windows(4).position(|end| end == b"\r\n\r\n").ok_or("a broken recording")? + 4;
        let head = std::str::from_utf8(&bytes[..head_end])?;
        let mut headers = HeaderMap::new();
        for (name, value) in head.lines().skip(1).filter_map(|line| line.split_once(": ")) {
            // hyper writes those itself.
            if !["date", "content-length", "transfer-encoding"].contains(&name) {
                headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
            }
        }
        Ok(Self { headers, body: Bytes::copy_from_slice(&bytes[head_end..]) })
    }
}

impl IntoResponse for Recorded {
    fn into_response(self) -> Response {
        (self.headers, self.body).into_response()
    }
}

/// What went wrong, as a status: the benchmark ends with it.
struct Failed(StorageError);

impl From<StorageError> for Failed {
    fn from(error: StorageError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0.to_string()).into_response()
    }
}

pub async fn serve(listen: SocketAddr, database: &str, answers: &Path) -> Result<()> {
    let database = open(database).await?;
    let clock = Clock::system();
    let mut reader = database.reader().await?;
    let admin = admins::find_by_email(reader.connection(), ADMIN_EMAIL).await?.ok_or("no admin")?.id;
    let account = accounts::find_space(reader.connection(), SPACE).await?.ok_or("no Space")?.account_id;
    drop(reader);
    let data = format!(
        r#"{{"admin_id":"{admin}","signed_in_at":1795457108000000,"last_seen_at":1795457108000000}}"#
    );
    let expires_at = clock.now().plus_seconds(43_200);
    let put = async |mut db: Writer| sessions::put(db.lend(), &SESSION, Some(admin), &data, expires_at).await;
    database.write(put).await?;
    let recorded = |kind| Recorded::read(answers, kind);
    let bare = Bare {
        database,
        clock,
        admin,
        account,
        mutation: recorded(Kind::Mutation)?,
        query: recorded(Kind::Query)?,
        page: recorded(Kind::Page)?,
    };
    let router = Router::new()
        .route("/login", get(|| async { "ready" }))
        .route("/mutation", post(mutation))
        .route("/query", post(query))
        .route("/page", get(page))
        .with_state(Arc::new(bare));
    Ok(axum::serve(tokio::net::TcpListener::bind(listen).await?, router).await?)
}

fn asked_key(headers: &HeaderMap) -> ConnectionKey {
    let number = headers.get(KEY_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
    number.map_or_else(seed_key, key)
}

/// The least that a save can be.
async fn mutation(
    State(bare): State<Arc<Bare>>,
    headers: HeaderMap,
    _body: Bytes,
) -> std::result::Result<Recorded, Failed> {
    let key = asked_key(&headers);
    let now = bare.clock.now();
    let new = NewDetails {
        is_token_generated: false,
        oauth_connector_details: DETAILS,
        client_id: "dummyClientId",
        complete: true,
        saved_by: SIGNED_BY,
        provider: None,
    };
    let save = async |mut db: Writer| details::upsert(db.lend(), new_id(now), &key, new, now).await;
    bare.database.write(save).await?;
    Ok(bare.mutation.clone())
}

/// `Services::find_details`
async fn query(
    State(bare): State<Arc<Bare>>,
    headers: HeaderMap,
    _body: Bytes,
) -> std::result::Result<Recorded, Failed> {
    let key = asked_key(&headers);
    let mut reader = bare.database.reader().await?;
    details::find_owned(reader.connection(), &key).await?;
    Ok(bare.query.clone())
}

/// The session, its admin, and `Services::connector`, each on the connection that it borrows for itself.
async fn page(State(bare): State<Arc<Bare>>, headers: HeaderMap) -> std::result::Result<Recorded, Failed> {
    let key = asked_key(&headers);
    let mut reader = bare.database.reader().await?;
    sessions::find(reader.connection(), &SESSION, bare.clock.now()).await?;
    drop(reader);
    let mut reader = bare.database.reader().await?;
    admins::find(reader.connection(), bare.admin).await?;
    drop(reader);
    let mut reader = bare.database.reader().await?;
    accounts::find_space(reader.connection(), &key.space).await?;
    instances::connection(reader.connection(), &key).await?;
    details::find(reader.connection(), &key).await?;
    drafts::find(reader.connection(), &key, bare.admin).await?;
    details::other_environments(reader.connection(), &key).await?;
    suggestions::latest(reader.connection(), &bare.account).await?;
    audit_log::latest(reader.connection(), &key, HISTORY_LENGTH).await?;
    Ok(bare.page.clone())
}
