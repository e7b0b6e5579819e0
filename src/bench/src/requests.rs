//! What is asked, of the program and of the bare handler, and what the right answer is.

use super::{
    Result,
    data::{ACCOUNT, Prepared, SPACE, TOKEN_OF, key, seed_key},
    http::{Answer, Connection},
    servers::{Server, Target},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ipack_domain::ids::ConnectionKey;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Which key is meant, for the bare handler, which reads no GraphQL. The program reads over it.
pub const KEY_HEADER: &str = "x-bench-key";
/// How many different keys are asked for where they are spread.
const SPREAD: u32 = 1_000;
/// As many queries: each has a text of its own, of which the Node server keeps 1,024 parsed.
const QUERIES: u32 = 5_000;
/// Stands where each request has a number of its own.
const NUMBER: &str = "0000000000";

/// The next number: every save of a run saves something else.
static NEXT: AtomicU64 = AtomicU64::new(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A save of a known connection, each with another parameter.
    Mutation,
    /// The first save of a connection of a known instance.
    First,
    Query,
    Page,
}

impl Kind {
    /// What the bare handler answers too.
    pub const ALL: [Self; 3] = [Self::Mutation, Self::Query, Self::Page];
    /// What the Node server answers too.
    pub const API: [Self; 3] = [Self::Mutation, Self::First, Self::Query];

    pub fn told(self) -> &'static str {
        match self {
            Self::Mutation => "saves of known connections",
            Self::First => "saves of new connections",
            Self::Query => "queries",
            Self::Page => "pages",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Mutation => "mutation",
            Self::First => "first",
            Self::Query => "query",
            Self::Page => "page",
        }
    }
}

/// Whose details are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The seed's, in the seed's own words.
    Seed,
    /// Those of many keys, from all over the database.
    Spread,
}

struct Request {
    bytes: Vec<u8>,
    /// Where its number stands.
    numbers: Vec<usize>,
    right: Right,
}

impl Request {
    fn new(bytes: Vec<u8>, right: Right) -> Self {
        let is_number = |at: &usize| bytes[*at..].starts_with(NUMBER.as_bytes());
        let numbers = (0..bytes.len()).filter(is_number).collect();
        Self { bytes, numbers, right }
    }

    /// Puts the next number into a copy, where it has any.
    fn numbered(&self) -> (Vec<u8>, String) {
        let mut bytes = self.bytes.clone();
        let number = format!("{:010}", NEXT.fetch_add(1, Ordering::Relaxed));
        for at in &self.numbers {
            bytes[*at..*at + NUMBER.len()].copy_from_slice(number.as_bytes());
        }
        (bytes, number)
    }
}

/// What the body of an answer must be.
enum Right {
    Exactly(Vec<u8>),
    /// It holds the number of its request, and no error.
    Numbered,
    /// A page: it has a nonce of its own each time.
    PageWith(String),
    /// Compressed, and not shorter than this.
    AtLeast(usize),
}

pub struct Work(Vec<Request>);

impl Work {
    /// Asks for each once, to know the right answers and that they are right.
    pub async fn new(kind: Kind, prepared: &Prepared, sign: Sign, server: &Server) -> Result<Arc<Self>> {
        let mut connection = Connection::open(server.address).await?;
        let jwt = match (server.target, kind) {
            (Target::Program, Kind::Mutation | Kind::First | Kind::Query) => {
                jwt(&mut connection, prepared).await?
            }
            _ => "none".to_owned(),
        };
        let numbers: Vec<Option<u32>> = match sign {
            Sign::Seed => vec![None],
            // Evenly over all, each at another place within its share.
            Sign::Spread => {
                let keys = if kind == Kind::Query { QUERIES } else { SPREAD };
                let share = (prepared.count / keys).max(1);
                (0..keys).map(|number| Some(number * share + number * 7_919 % share)).collect()
            }
        };
        let mut requests = Vec::new();
        for number in numbers {
            let key = number.map_or_else(seed_key, key);
            let bytes = match (kind, server.target) {
                (Kind::Page, Target::Bare) => page("/page", &prepared.cookie, "", number),
                (Kind::Page, _) => page(&key.form_path(), &prepared.cookie, "", number),
                (_, Target::Bare) => graphql(&format!("/{}", kind.name()), &jwt, &text(kind, &key), number),
                _ => graphql("/graphql", &jwt, &text(kind, &key), number),
            };
            let mut request = Request::new(bytes, Right::Numbered);
            // The Node server's table begins empty.
            if kind == Kind::Query && server.target == Target::Node {
                let save = Request::new(
                    graphql("/graphql", &jwt, &text(Kind::Mutation, &key), number),
                    Right::Numbered,
                );
                connection.ask(&save.bytes).await?.expect(200, "the Node server's save")?;
            }
            let (bytes, _) = request.numbered();
            let answer = connection.ask(&bytes).await?.expect(200, kind.name())?;
            request.right = match (server.target, kind) {
                // It answers what was recorded for one of the keys.
                (Target::Bare, _) => Right::Exactly(answer.body.to_vec()),
                (_, Kind::Mutation | Kind::First) => Right::Numbered,
                _ => right(kind, &key, &answer)?,
            };
            requests.push(request);
        }
        Ok(Arc::new(Self(requests)))
    }

    /// The access token of one connection, as a runtime asks for it; and the details of the same, to compare.
    pub async fn token_and_details(prepared: &Prepared, server: &Server) -> Result<[Arc<Self>; 2]> {
        let mut connection = Connection::open(server.address).await?;
        let jwt = jwt(&mut connection, prepared).await?;
        let key = key(TOKEN_OF);
        let details = text(Kind::Query, &key);
        let token = details
            .replace("IPackInstanceOAuthConnectorDetails", "iPackInstanceOauthAccessToken")
            .replace(DETAILS_FIELDS, "accessToken tokenType expiresAt scope");
        let mut works = Vec::new();
        for text in [token, details] {
            let bytes = graphql("/graphql", &jwt, &text, None);
            let answer = connection.ask(&bytes).await?.expect(200, "the token")?;
            if std::str::from_utf8(answer.body)?.contains("errors") {
                return Err(format!("a wrong answer: {}", String::from_utf8_lossy(answer.body)).into());
            }
            let right = Right::Exactly(answer.body.to_vec());
            works.push(Arc::new(Self(vec![Request::new(bytes, right)])));
        }
        works.try_into().map_err(|_| "two works".into())
    }

    /// The seed's page, as browsers ask for it.
    pub async fn compressed_page(prepared: &Prepared, server: &Server) -> Result<Arc<Self>> {
        let accept = "accept-encoding: gzip, deflate, br, zstd\r\n";
        let bytes = page(&seed_key().form_path(), &prepared.cookie, accept, None);
        let mut connection = Connection::open(server.address).await?;
        let answer = connection.ask(&bytes).await?.expect(200, "the compressed page")?;
        answer.header("content-encoding").ok_or("the page is not compressed")?;
        let right = Right::AtLeast(answer.body.len() * 9 / 10);
        Ok(Arc::new(Self(vec![Request::new(bytes, right)])))
    }

    pub async fn ask(&self, connection: &mut Connection, number: usize) -> Result<()> {
        let request = &self.0[number % self.0.len()];
        let (bytes, number) = request.numbered();
        let answer = connection.ask(&bytes).await?;
        let is_right = answer.status == 200
            && match &request.right {
                Right::Exactly(body) => answer.body == body,
                Right::Numbered => {
                    let answer = std::str::from_utf8(answer.body)?;
                    answer.contains(&number) && !answer.contains("\"errors\"")
                }
                Right::PageWith(part) => {
                    let page = std::str::from_utf8(answer.body)?;
                    page.contains(part) && page.contains("</html>")
                }
                Right::AtLeast(length) => answer.body.len() >= *length,
            };
        if is_right {
            return Ok(());
        }
        let begin: String = String::from_utf8_lossy(answer.body).chars().take(500).collect();
        Err(format!("a wrong answer: {} {begin}", answer.status).into())
    }
}

fn right(kind: Kind, key: &ConnectionKey, answer: &Answer<'_>) -> Result<Right> {
    let body = std::str::from_utf8(answer.body)?;
    if kind == Kind::Page {
        return Ok(Right::PageWith(format!("data-connection=\"{}\"", key.form_path())));
    }
    let json: serde_json::Value = serde_json::from_str(body)?;
    let field = json["data"].as_object().and_then(|data| data.values().next()).unwrap_or(&json);
    let echoes = field["integrationPackInstanceId"] == key.instance
        && field["connectionId"] == key.connection
        && field["oauthConnectorDetails"].as_str().is_some_and(|details| details.starts_with("{\"baseURL\""));
    if echoes && json.get("errors").is_none() {
        return Ok(Right::Exactly(answer.body.to_vec()));
    }
    Err(format!("a wrong answer: {body}").into())
}

const DETAILS_FIELDS: &str =
    "id integrationPackInstanceId envId isTokenGenerated connectionId processId oauthConnectorDetails";

/// The seed's request with another key's ids.
fn text(kind: Kind, key: &ConnectionKey) -> String {
    const MUTATION: &str = include_str!("../../testing/src/seed_request.graphql");
    const QUERY: &str = "query getIPackOAuthConnectorDetails {
  IPackInstanceOAuthConnectorDetails(input: {integrationPackInstanceId: \"test-101\", envId: \"2\",
    processId: \"1\", connectionId: \"3\", catalogGuid: \"796eeeb4-1b2f-4965-898a-7e443\"}) {
    id integrationPackInstanceId envId isTokenGenerated connectionId processId oauthConnectorDetails } }
";
    let text = if kind == Kind::Query { QUERY } else { MUTATION };
    let (value, connection) = match kind {
        Kind::Mutation => (NUMBER, &*key.connection),
        Kind::First => ("value", NUMBER),
        Kind::Query | Kind::Page => ("value", &*key.connection),
    };
    text.replacen(r#"{\"key\":\"value\"}"#, &format!(r#"{{\"key\":\"{value}\"}}"#), 1)
        .replace("\"test-101\"", &format!("{:?}", key.instance))
        .replace("envId: \"2\"", &format!("envId: {:?}", key.environment))
        .replace("processId: \"1\"", &format!("processId: {:?}", key.process))
        .replace("connectionId: \"3\"", &format!("connectionId: {connection:?}"))
}

fn graphql(path: &str, jwt: &str, text: &str, number: Option<u32>) -> Vec<u8> {
    let body = serde_json::json!({ "query": text }).to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nspace_guid: {SPACE}\r\nauthorization: Bearer {jwt}\r\n\
         accept: application/json\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{}\r\n",
        body.len(),
        key_header(number),
    );
    (head + &body).into_bytes()
}

fn page(path: &str, cookie: &str, more: &str, number: Option<u32>) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/html\r\ncookie: {cookie}\r\n{more}{}\r\n",
        key_header(number),
    )
    .into_bytes()
}

fn key_header(number: Option<u32>) -> String {
    number.map(|number| format!("{KEY_HEADER}: {number}\r\n")).unwrap_or_default()
}

/// A new one for each load: they live for five minutes.
async fn jwt(connection: &mut Connection, prepared: &Prepared) -> Result<String> {
    let basic = STANDARD.encode(format!("{}:{}", prepared.username, prepared.token));
    let request = format!(
        "GET /auth/jwt/generate/{ACCOUNT} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Basic {basic}\r\n\r\n"
    );
    let answer = connection.ask(request.as_bytes()).await?.expect(200, "the JWT")?;
    Ok(std::str::from_utf8(answer.body)?.to_owned())
}

/// Signs in and answers the session's cookie.
pub async fn sign_in(connection: &mut Connection, email: &str, password: &str) -> Result<String> {
    let body = format!("email={email}&password={password}&next=%2F");
    let request = format!(
        "POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\nsec-fetch-site: same-origin\r\naccept: text/html\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = connection.ask(request.as_bytes()).await?.expect(303, "signing in")?;
    let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
    Ok(cookie.ok_or("signing in set no cookie")?.to_owned())
}

/// How often the program opened an access token, as its metrics say.
pub async fn tokens_opened(server: &Server) -> Result<u64> {
    let mut connection = Connection::open(server.address).await?;
    let answer = connection.ask(b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await?;
    let answer = answer.expect(200, "the metrics")?;
    let text = std::str::from_utf8(answer.body)?;
    let line = text.lines().find_map(|line| line.strip_prefix("vault_access_tokens_opened_total "));
    Ok(line.ok_or("the metrics do not count opened tokens")?.trim().parse()?)
}

/// One answer of the program as it went over the wire, without the seams of its chunks.
pub async fn record(kind: Kind, prepared: &Prepared, sign: Sign, server: &Server) -> Result<Vec<u8>> {
    let work = Work::new(kind, prepared, sign, server).await?;
    let mut connection = Connection::open(server.address).await?;
    let answer = connection.ask(&work.0[0].numbered().0).await?.expect(200, kind.name())?;
    Ok([answer.head.as_bytes(), answer.body].concat())
}
