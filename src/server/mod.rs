//! The HTTP server: one router of pages, server functions, the API, files and health, and the layers around them.
//!
//! A new page is a route in `app.rs`, a new server function registers itself. Anything else gets a handler in a file
//! here and a line in [`router`].

pub mod assets;
pub mod door;
pub mod health;
pub mod limits;
pub mod lone_page;
pub mod middleware;
pub mod oauth;
pub mod shell;
pub mod sign_in;
pub mod sign_in_limits;
pub mod state;

use crate::{
    app::App, auth::session_store::DatabaseSessions, config::Config, error::AppError, graphql,
    services::Services,
};
use assets::Assets;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, Method, StatusCode, header::ALLOW},
    middleware::{Next, from_fn, from_fn_with_state, map_request},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use leptos::{
    config::LeptosOptions,
    prelude::*,
    server_fn::{
        axum::server_fn_paths,
        error::{FromServerFnError, ServerFnErrorErr},
    },
};
use leptos_axum::{LeptosRoutes, generate_route_list};
use limits::CallerLimits;
use lone_page::{failure, too_large};
use middleware::{RequestIds, error_response};
use shell::shell;
use sign_in_limits::SignInLimits;
use state::AppState;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tower_http::{
    compression::CompressionLayer,
    csrf::CsrfLayer,
    request_id::{PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::TimeoutLayer,
    trace::TraceLayer,
};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How long a request may take, its body's arrival included.
const REQUEST_TIME: Duration = Duration::from_secs(60);
/// How long calls to identity providers that are under way may take to end: what they bring cannot be had twice.
const LAST_CALLS: Duration = Duration::from_secs(30);
/// How often tokens that are due are looked for.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How long requests have to end once the process is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// The whole application. Needs [`axum::extract::ConnectInfo`] to tell callers apart by address.
pub fn router(services: Services, config: Arc<Config>) -> Router {
    health::start_counting();
    let leptos = LeptosOptions::builder().output_name("ipack-connect").build();
    let state = AppState {
        services: services.clone(),
        config: config.clone(),
        assets: Arc::new(Assets::new()),
        sign_ins: Arc::new(SignInLimits::new(services.clock.clone())),
        leptos,
    };
    let api = graphql::router(
        services.clone(),
        graphql::Settings {
            body_limit: config.body_limit,
            limits: Arc::new(CallerLimits::from_rate(config.rate_limit)),
        },
    );
    let health = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .with_state(state.clone());
    let files = Router::new()
        .route("/pkg/{*file}", get(assets::file))
        .route("/icons/{*file}", get(assets::file))
        .route("/favicon.svg", get(assets::file))
        .with_state(state.clone());

    Router::new()
        .merge(api)
        .merge(pages(&state))
        .merge(health)
        .merge(files)
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIME))
        .layer(from_fn(health::count))
        .layer(from_fn_with_state(state.clone(), middleware::security_headers))
        .layer(from_fn_with_state(state, middleware::client_address))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(middleware::request_span)
                .on_request(())
                .on_response(middleware::log_response)
                .on_failure(()),
        )
        .layer(SetRequestIdLayer::new(REQUEST_ID, RequestIds(services.clock)))
        .layer(map_request(middleware::plain_request_id))
}

/// Everything that a browser's session is for.
fn pages(state: &AppState) -> Router {
    let context = {
        let state = state.clone();
        move || provide_context(state.clone())
    };
    let routes = generate_route_list(App);
    Router::new()
        .leptos_routes_with_context(state, routes, context, || shell(view! { <App /> }))
        // A form that is carried through signing in is escaped a second time.
        .route(
            "/login",
            post(sign_in::sign_in).layer(DefaultBodyLimit::max(state.config.form_limit().saturating_mul(2))),
        )
        .route("/logout", post(sign_in::sign_out))
        .route("/oauth/callback/{account}/{provider}", get(oauth::callback))
        .route("/oauth/attempts/{id}", get(oauth::attempt))
        .fallback(no_such_page)
        .with_state(state.clone())
        .layer(DefaultBodyLimit::max(state.config.form_limit()))
        .layer(from_fn_with_state(state.clone(), around_server_functions))
        .layer(from_fn_with_state(state.clone(), middleware::identify))
        .layer(session_layer(&state.services, &state.config))
        // Origin and Sec-Fetch-Site of everything that is not a read.
        .layer(CsrfLayer::new())
        .layer(CompressionLayer::new().quality(tower_http::CompressionLevel::Fastest))
}

fn session_layer(services: &Services, config: &Config) -> SessionManagerLayer<DatabaseSessions> {
    let store = DatabaseSessions::new(services.database.clone(), services.clock.clone());
    SessionManagerLayer::new(store)
        .with_name(if config.is_https() { "__Host-ipack_session" } else { "ipack_session" })
        .with_secure(config.is_https())
        .with_http_only(true)
        // Lax, so that a link to a form from a mail or a chat finds the session; posts are guarded by their origin.
        .with_same_site(SameSite::Lax)
        .with_path("/")
        // The row outlives the idle time; whether the session does is decided by its last use.
        .with_expiry(Expiry::OnInactivity(time::Duration::seconds(config.session_absolute_seconds)))
}

/// Leptos routes server functions by itself, reads their bodies without asking axum for a limit, and speaks to
/// developers where there is none.
async fn around_server_functions(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let is_page = door::wants_html(&parts);
    let methods: Vec<Method> =
        server_fn_paths().filter(|(path, _)| *path == parts.uri.path()).map(|(_, method)| method).collect();
    if methods.is_empty() {
        return failure(state, is_page, AppError::not_found()).await;
    }
    if !methods.contains(&parts.method) {
        let allow = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, allow)]).into_response();
    }
    let Ok(body) = to_bytes(body, state.config.form_limit()).await else {
        return too_large(state, is_page).await;
    };
    let request_id = door::request_id(&parts);
    let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
    with_its_status(answer, &request_id).await
}

/// What goes wrong before a server function begins, Leptos answers with a 500, whatever it is.
async fn with_its_status(response: Response, request_id: &str) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
    let error = serde_json::from_slice(&body);
    let mut error: AppError =
        error.unwrap_or_else(|_| AppError::from_server_fn_error(ServerFnErrorErr::Response(String::new())));
    if error.code.status() >= 500 {
        error.request_id = Some(request_id.to_owned());
    }
    error_response(error)
}

/// The application itself says that there is nothing.
async fn no_such_page(State(state): State<AppState>, request: Request) -> Response {
    let render = leptos_axum::render_app_async_with_context(
        move || provide_context(state.clone()),
        || shell(view! { <App /> }),
    );
    render(request).await
}

/// Takes the address.
///
/// # Errors
/// With a sentence that names it.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    let taken = TcpListener::bind(address).await;
    taken.map_err(|error| {
        format!("{address} cannot be listened on ({error}); IPACK_LISTEN says which address and port to use")
    })
}

/// Serves until the process is told to stop, then lets running requests end.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    services: Services,
    config: Arc<Config>,
    listener: TcpListener,
    started: impl FnOnce(),
) -> std::io::Result<()> {
    let app = router(services.clone(), config);
    let tidying = tokio::spawn(tidy_now_and_then(services.clone()));
    let renewing = tokio::spawn(renew_now_and_then(services.clone()));
    started();
    serve_until(told_to_stop(), DRAIN, listener, app).await?;
    tidying.abort();
    renewing.abort();
    // Tokens that are on their way are kept, and reads that were counted are written down.
    services.stopping.cancel();
    services.background.close();
    let _ = tokio::time::timeout(LAST_CALLS, services.background.wait()).await;
    if let Err(error) = services.write_uses().await {
        tracing::warn!(error = %error, "the last reads of tokens were not written down");
    }
    // A request that was left behind may hold a connection.
    let _ = tokio::time::timeout(DRAIN, services.database.close()).await;
    Ok(())
}

/// Once it is to stop, requests have so long to end; those that do not, and clients that never finish what they
/// began to send, are left behind.
pub(crate) async fn serve_until(
    stop: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
    listener: TcpListener,
    app: Router,
) -> std::io::Result<()> {
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let stop = async move {
        stop.await;
        let _ = stopping.send(());
    };
    let overdue = async move {
        let _ = stopped.await;
        tokio::time::sleep(drain).await;
    };
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        served = axum::serve(listener, app).with_graceful_shutdown(stop).into_future() => served,
        () = overdue => {
            tracing::warn!("some requests have not ended; they are left behind");
            Ok(())
        }
    }
}

async fn tidy_now_and_then(services: Services) {
    let mut hourly = tokio::time::interval(Duration::from_secs(3_600));
    loop {
        hourly.tick().await;
        if let Err(error) = services.tidy().await {
            tracing::warn!(error = %error, "housekeeping failed; it is tried again in an hour");
        }
    }
}

/// Keeps tokens fresh, and writes down who read them.
async fn renew_now_and_then(services: Services) {
    let mut often = tokio::time::interval(RENEW_EVERY);
    often.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        often.tick().await;
        // On its own: a renewal goes on to its end although the server stops meanwhile, and a provider that takes its
        // time holds up nobody else. What is under way already is left alone.
        let renewing = services.clone();
        services.background.spawn(async move {
            match renewing.refresh_due().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "tokens renewed"),
                Err(error) => tracing::warn!(error = %error, "tokens could not be looked up for renewal"),
            }
        });
        if let Err(error) = services.write_uses().await {
            tracing::warn!(error = %error, "reads of tokens could not be written down; they are tried again");
        }
    }
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(error) => {
            tracing::warn!(error = %error, "SIGTERM cannot be listened for");
            let _ = interrupt.await;
        }
    }
    tracing::info!("stopping: running requests may end");
}
