//! Queries and variables that are made to take long, each kind as wide as a body may be, and as wide as the bounds let
//! in: both are answered soon, and whoever asks meanwhile is answered too.

use ipack_server::{
    config::{Config, RateLimit},
    connections::{ConnectionLimits, serve_until},
};
use ipack_storage::Database;
use ipack_testing::api::Tenant;
use ipack_testing::growth::{Growth, process_time};
use ipack_testing::sample::{ACCOUNT, SAVED, SPACE, save_input, with};
use ipack_testing::world::World;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

on_both! {
    s32_fragments_that_spread_the_next_ones_are_refused_at_once,
    s32_the_largest_that_is_let_in_is_answered_soon, s32_two_hostile_requests_leave_others_their_answers,
    s32_large_requests_that_somebody_could_mean_are_answered
}

/// As much as the default lets in, with some room for what stands around it.
const WIDTH: usize = 1_040_000;
/// Far more than it takes, and far less than what would otherwise be seconds or for ever: this machine may be busy.
const SOON: Duration = Duration::from_secs(10);

/// Thirty fragments, each spreading the next one four times, the last one spreading one that is not there.
fn layers() -> String {
    let layer = |at: usize| match at {
        29 => "fragment a29 on Query{...zz}".to_owned(),
        _ => format!("fragment a{at} on Query{{{}}}", format!("...a{} ", at + 1).repeat(4).trim_end()),
    };
    format!("query{{...a0}} {}", (0..30).map(layer).collect::<Vec<_>>().join(" "))
}

fn query(text: String) -> Value {
    json!({ "query": text })
}

/// `{ head part part … tail }` in so many bytes of JSON, where a quotation mark takes two.
fn filled(width: usize, head: &str, part: impl Fn(usize) -> String, tail: &str) -> Value {
    let mut text = head.to_owned();
    let (mut at, mut length) = (0, 0);
    while length < width {
        let part = part(at);
        length += json!(part).to_string().len() - 2;
        text.push_str(&part);
        at += 1;
    }
    query(text + tail)
}

fn same(part: &str) -> impl Fn(usize) -> String {
    move |_| part.to_owned()
}

/// Requests that are refused as soon as they are large, by name, in so many bytes.
fn refused_shapes(width: usize) -> Vec<(&'static str, String)> {
    let half = width / 2;
    let queries = [
        (
            "fragments",
            filled(width, "{ ...f0 }", |at| format!("fragment f{at} on Query{{...f{} ...f{0}}}", at + 1), ""),
        ),
        (
            "fragments not used",
            filled(width, "{ __typename }", |at| format!("fragment f{at} on Query{{a}}"), ""),
        ),
        ("spreads", filled(width, "{", same("...f "), "} fragment f on Query { __typename }")),
        ("spreads of nothing", filled(width, "{", same("...f "), "}")),
        ("inline fragments", filled(width, "{", same("...{a}"), "}")),
        ("inline fragments in one another", filled(width, "", same("{..."), "")),
        ("fields", filled(width, "{", same("a "), "}")),
        ("fields in one another", filled(width, "", same("{a"), "")),
        ("aliases", filled(width, "{", |at| format!("a{at}:__typename "), "}")),
        ("one alias", filled(width, "{", same("a:b "), "}")),
        ("directives", filled(width, "{a", same("@a"), "}")),
        ("directives with arguments", filled(width, "{a", same("@include(if:true)"), "}")),
        ("arguments", filled(width, "{a(", |at| format!("a{at}:1 "), ")}")),
        ("lists", filled(width, "{a(b:[", same("[]"), "])}")),
        ("lists in one another", filled(width, "{a(b:", same("["), "")),
        ("objects", filled(width, "{a(b:[", same("{a:1}"), "])}")),
        ("objects in one another", filled(width, "{a(b:", same("{a:"), "")),
        ("keys", filled(width, "{a(b:{", |at| format!("a{at}:1 "), "})}")),
        ("numbers", filled(width, "{a(b:", same("1"), ")}")),
        ("strings", filled(width, "{a(b:[", same("\"\""), "])}")),
        ("strings that do not end", filled(width, "{a(b:", same("\"\"\"["), "")),
        ("variables", filled(width, "query (", |at| format!("$a{at}:Int"), ") { __typename }")),
        ("types in one another", filled(width, "query ($a:", same("["), "")),
        ("operations", filled(width, "", |at| format!("query a{at}{{a}}"), "")),
        ("names", filled(width, "{", same("a"), "}")),
        ("white space", filled(width, "{a", same(" \n"), "}")),
        ("comments", filled(width, "{a", same("#\n"), "}")),
        ("marks", filled(width, "", same("!"), "")),
        ("introspection", filled(width, "{", same("__schema{types{name}}"), "}")),
        (
            "introspection in circles",
            query(format!(
                "{{{0}name{1}}}",
                "__schema{types{fields{type{fields{type{fields{type{fields{type{fields{",
                "}".repeat(11)
            )),
        ),
        ("layers", query(layers())),
    ];
    let mut bodies: Vec<(&'static str, String)> =
        queries.into_iter().map(|(name, body)| (name, body.to_string())).collect();
    let list =
        |part: &str, width: usize| format!("[{}0]", format!("{part},").repeat(width / (part.len() + 1)));
    let of_variable = |value: String| {
        format!(
            "{{\"query\": \"query ($v: ID) {{ environments(after: $v) {{ id }} }}\", \"variables\": {{\"v\": {value}}}}}"
        )
    };
    let keys: Vec<String> = (0..width / 12).map(|at| format!("\"a{at}\":1")).collect();
    let deep = |open: &str, close: &str| {
        let levels = width / (open.len() + close.len());
        format!("{}0{}", open.repeat(levels), close.repeat(levels))
    };
    let uses = "__type(name:$v){name}".repeat(450);
    bodies.extend([
        ("variable: lists", of_variable(list("[]", width))),
        ("variable: numbers", of_variable(list("0", width))),
        ("variable: objects", of_variable(list("{\"a\":0}", width))),
        ("variable: keys", of_variable(format!("{{{}}}", keys.join(",")))),
        ("variable: lists in one another", of_variable(deep("[", "]"))),
        ("variable: objects in one another", of_variable(deep("{\"a\":", "}"))),
        ("variable: digits", of_variable("1".repeat(width))),
        (
            "variable: a long string used often",
            json!({"query": format!("query ($v: ID) {{ {uses} }}"), "variables": {"v": "x".repeat(width - 30_000)}})
                .to_string(),
        ),
        (
            "variable: a long list used often",
            json!({"query": format!("query ($v: ID) {{ {uses} }}"), "variables": {"v": vec![0; half.min(9_000)]}})
                .to_string(),
        ),
        (
            "variable: a long key used often",
            json!({"query": format!("query ($v: I) {{ {} }}", uses),
                "variables": {"v": {"k".repeat(width - 30_000): 0}}})
                .to_string(),
        ),
        ("extensions", format!("{{\"query\": \"{{ __typename }}\", \"extensions\": {{\"a\": {}}}}}", list("[]", width))),
    ]);
    bodies
}

/// Just within each bound, and as costly as can be found there, whether validation likes it or not.
fn largest() -> Vec<(&'static str, String)> {
    let repeated = |count: usize, part: &dyn Fn(usize) -> String| (0..count).map(part).collect::<String>();
    let long_name = |at: usize| format!("{at:a>250}");
    let details = |width: usize| format!("\"{}\"", "x".repeat(width));
    [
        ("a string", format!("{{ environments(after: {}) {{ id }} }}", details(WIDTH))),
        ("a block string", format!("{{ environments(after: \"\"{}\"\") {{ id }} }}", details(WIDTH))),
        ("lines", format!("{{ environments(after: \"\"\"{}\"\"\") {{ id }} }}", "\n a".repeat(WIDTH / 4))),
        ("white space", format!("{{ __typename {} }}", ",".repeat(130_000))),
        ("comments", format!("{{ __typename {} }}", "#\n".repeat(65_000))),
        ("fields", format!("{{ {} }}", "__typename ".repeat(1_000))),
        ("fields not there", format!("{{ {} }}", repeated(500, &|at| long_name(at) + " "))),
        ("inline fragments", format!("{{ {} }}", "...{__typename}".repeat(1_000))),
        ("inline fragments alone", format!("{{ {} }}", "...on Query{__typename}".repeat(1_000))),
        (
            "fragments",
            format!(
                "{{ {} }} {}",
                repeated(800, &|at| format!("...f{at} ")),
                repeated(800, &|at| format!("fragment f{at} on Query{{__typename}}"))
            ),
        ),
        (
            "fragments in one another",
            format!(
                "{{ {} }} {} fragment f30 on Query {{ __typename }}",
                "...f0 ".repeat(300),
                repeated(30, &|at| format!("fragment f{at} on Query{{...f{}}}", at + 1))
            ),
        ),
        (
            "a wide fragment spread often",
            format!("{{ {} }} fragment f on Query {{ {} }}", "...f ".repeat(30), "__typename ".repeat(33)),
        ),
        ("lists", format!("{{ environments(after: [{}]) {{ id }} }}", "[]".repeat(4_900))),
        ("numbers", format!("{{ environments(after: [{}]) {{ id }} }}", "1 ".repeat(9_900))),
        (
            "keys",
            format!("{{ environments(after: {{{}}}) {{ id }} }}", repeated(3_300, &|at| format!("a{at}:1 "))),
        ),
        (
            "arguments that differ",
            format!(
                "{{ {} }}",
                ["1 ", "2 "]
                    .map(|value| {
                        format!("environments({}){{id}}", repeated(1_600, &|at| format!("a{at}:{value}")))
                    })
                    .concat()
            ),
        ),
        (
            "variables that are used",
            format!(
                "query ({}) {{ environments(after: [{}]) {{ id }} }}",
                repeated(500, &|at| format!("$a{at}:Int")),
                repeated(3_900, &|at| format!("$a{} ", 499 - at % 5))
            ),
        ),
        (
            "variables that are not there",
            format!(
                "query {} {{ environments(after: [{}]) {{ id }} }}",
                long_name(0),
                repeated(4_000, &|at| format!("$a{at} "))
            ),
        ),
        (
            "operations with one fragment",
            format!(
                "{} fragment f on Query {{ environments(after: [{}]) {{ id }} }}",
                repeated(90, &|at| format!("query q{at}{{...f}}")),
                repeated(100, &|at| format!("$a{at} "))
            ),
        ),
        ("introspection", format!("{{ __schema {{ types {{ fields {{ {} }} }} }} }}", "name ".repeat(990))),
        (
            "introspection in circles",
            format!(
                "{{ __schema {{ types {{ fields {{ type {{ fields {{ {} }} }} }} }} }} }}",
                "__typename ".repeat(90)
            ),
        ),
        (
            "introspection many times",
            format!("{{ {} }}", "__schema{types{fields{args{name description}}}}".repeat(40)),
        ),
        ("one type many times", format!("{{ {} }}", "__type(name:\"__Type\"){fields{name}}".repeat(330))),
    ]
    .into_iter()
    .map(|(name, text)| (name, json!({"query": text}).to_string()))
    .collect()
}

async fn s32_fragments_that_spread_the_next_ones_are_refused_at_once(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let text = layers();
    let asked =
        tokio::time::timeout(SOON, app.ask(&tenant, &text, Value::Null)).await.expect("it is answered");
    let message = "A fragment is spread that the query does not have.";
    assert_eq!(asked.error(), ("BAD_USER_INPUT".into(), None, message.into()));
    let there = text.replace("...zz", "__typename");
    let asked =
        tokio::time::timeout(SOON, app.ask(&tenant, &there, Value::Null)).await.expect("it is answered");
    assert_eq!(
        asked.message(),
        "The query is too complex: fields, in fragments each time they are used; 1000 are allowed."
    );
    let circle = text.replace("...zz", "...a0");
    let asked =
        tokio::time::timeout(SOON, app.ask(&tenant, &circle, Value::Null)).await.expect("it is answered");
    assert_eq!(asked.message(), "A fragment contains itself.");
}

mod in_the_time_of_a_process {
    on_both!(alone: s32_a_larger_request_is_not_much_more_work);
    use super::s32_a_larger_request_is_not_much_more_work;
}

async fn timed(app: &World, tenant: &Tenant, body: &str) -> (Duration, String) {
    let request = ipack_testing::api::request(tenant).body(body.to_owned().into()).expect("a request");
    let start = Instant::now();
    let reply = app.send(request).await;
    (start.elapsed(), reply.text)
}

async fn s32_a_larger_request_is_not_much_more_work(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let (small, large) = (WIDTH / 4, WIDTH);
    for ((name, quarter), (_, whole)) in refused_shapes(small).into_iter().zip(refused_shapes(large)) {
        assert!(whole.len() <= 1_048_576, "{name}: {}", whole.len());
        let mut growth = Growth::of(name, small);
        while let Some(width) = growth.next_size() {
            let body = if width == small { &quarter } else { &whole };
            let begin = process_time();
            let (_, said) = timed(&app, &tenant, body).await;
            let took = process_time() - begin;
            let start = &said[..said.len().min(300)];
            let is_refused = said.contains("BAD_USER_INPUT") && said.len() < 1_000;
            assert!(is_refused || width == small, "{name}: {start}");
            growth.took(took);
        }
    }
}

async fn s32_the_largest_that_is_let_in_is_answered_soon(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    for (name, body) in largest() {
        let (took, said) = timed(&app, &tenant, &body).await;
        assert!(took < SOON, "{name}: {took:?}");
        let bounded =
            ["are allowed", "outside of strings", "names, values", "contains itself", "does not end"];
        assert!(!bounded.iter().any(|words| said.contains(words)), "{name} is not let in: {said}");
    }
}

/// An answer's status line and body.
async fn over_the_network(address: SocketAddr, request: String) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    // A server that has answered already may close before it has read everything.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn s32_two_hostile_requests_leave_others_their_answers(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let config = Config { rate_limit: RateLimit(None), ..Config::default() };
    let router = app.another_router(config);
    let listener = ipack_server::serve::listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let until = async move {
        let _ = stopped.await;
    };
    let limits = ConnectionLimits { drain: Duration::from_secs(1), ..ConnectionLimits::default() };
    let serving = tokio::spawn(serve_until(until, limits, listener, router));
    for (name, body) in refused_shapes(WIDTH).into_iter().chain(largest()) {
        let request = format!(
            "POST /graphql HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             SPACE_GUID: {}\r\nContent-Type: application/json\r\nAccept: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            tenant.jwt,
            tenant.space,
            body.len()
        );
        let hostile = [0, 1].map(|_| {
            tokio::spawn(tokio::time::timeout(2 * SOON, over_the_network(address, request.clone())))
        });
        while !hostile.iter().all(tokio::task::JoinHandle::is_finished) {
            let start = Instant::now();
            let healthz = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
            let answer = over_the_network(address, healthz).await;
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{name}: {answer}");
            assert!(start.elapsed() < SOON / 5, "{name}: /healthz took {:?}", start.elapsed());
        }
        for answer in hostile {
            let answer = answer.await.expect("no panic").unwrap_or_else(|_| panic!("{name} is not answered"));
            assert!(
                answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 400"),
                "{name}: {answer:.300}"
            );
        }
    }
    stop.send(()).expect("it runs");
    serving.await.expect("no panic");
}

async fn s32_large_requests_that_somebody_could_mean_are_answered(database: Database) {
    let app = World::empty(database).await;
    let tenant = app.tenant(ACCOUNT, SPACE).await;
    let long = format!("{{\"long\":\"{}\"}}", "x".repeat(900_000));
    let input = with(save_input(), "oauthConnectorDetails", Some(long.clone().into()));
    let in_variable = app.ask(&tenant, ipack_testing::sample::SAVE, json!({ "input": input })).await;
    assert_eq!(in_variable.data(SAVED)["oauthConnectorDetails"], *long);
    let fields: Vec<String> = input
        .as_object()
        .expect("an object")
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let text =
        format!("mutation {{ {SAVED}(input: {{ {} }}) {{ id oauthConnectorDetails }} }}", fields.join("\n"));
    let in_query = app.ask(&tenant, &text, Value::Null).await;
    assert_eq!(in_query.data(SAVED)["oauthConnectorDetails"], *long);
    let save = |at: usize| {
        format!(
            "a{at}: {SAVED}(input: {{ {} }}) {{ id }}",
            fields.join(", ").replace(&long.replace('"', "\\\""), "{}")
        )
    };
    let saves: Vec<String> = (0..30).map(save).collect();
    let many = app.ask(&tenant, &format!("mutation {{ {} }}", saves.join("\n")), Value::Null).await;
    assert!(many.data("a29")["id"].is_string());
    let one = with(save_input(), "oauthConnectorDetails", Some(long.into()));
    let often: Vec<String> = (0..20).map(|at| format!("a{at}: {SAVED}(input: $input) {{ id }}")).collect();
    let text =
        format!("mutation ($input: SaveIPackInstanceOauthConnectorDetailsInput!) {{ {} }}", often.join(" "));
    assert!(app.ask(&tenant, &text, json!({ "input": one })).await.data("a19")["id"].is_string());
}
