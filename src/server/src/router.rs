//! One router of pages, server functions, the API, files and health, and the layers around them.

use crate::{
    assets::{self, Assets},
    carry,
    config::Config,
    error_page::{error_response, failure, too_large},
    health,
    middleware::{self, REQUEST_ID, RequestIds},
    oauth_pages,
    session_store::DatabaseSessions,
    sign_in,
    sign_in_limits::SignInLimits,
    state::{AppState, Shared},
    unsaved::unsaved,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, StatusCode, header::ALLOW},
    middleware::{Next, from_fn, from_fn_with_state, map_request},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ipack_core::Services;
use ipack_core::caller_limits::CallerLimits;
use ipack_domain::error::AppError;
use ipack_web::app::App;
use ipack_web::{
    error::RequestError,
    request_context::{self, FailedPost},
    shell::shell,
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
use std::{sync::Arc, time::Duration};
use tower_http::{
    compression::CompressionLayer,
    csrf::CsrfLayer,
    request_id::{PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::TimeoutLayer,
    trace::TraceLayer,
};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};

/// How long a request may take, its body's arrival included.
const REQUEST_TIME: Duration = Duration::from_secs(60);

/// The whole application. Needs [`axum::extract::ConnectInfo`] to tell callers apart by address.
pub fn router(services: Services, config: Arc<Config>) -> Router {
    health::start_counting();
    let leptos = LeptosOptions::builder().output_name("ipack-connect").build();
    let state = AppState::new(Shared {
        services: services.clone(),
        config: config.clone(),
        assets: Arc::new(Assets::new()),
        sign_ins: Arc::new(SignInLimits::new(services.clock.clone())),
        leptos,
    });
    let api = ipack_api::router(
        services.clone(),
        ipack_api::Settings {
            body_limit: config.body_limit,
            limits: Arc::new(CallerLimits::from_rate(config.rate_limit.0)),
        },
    );
    let health = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/readyz/read", get(health::ready_to_read))
        .route("/metrics", get(health::metrics))
        .with_state(state.clone());
    let files = Router::new()
        .route("/pkg/{*file}", get(assets::file))
        .route("/icons/{*file}", get(assets::file))
        .route("/favicon.svg", get(assets::file))
        .with_state(state.assets.clone());

    Router::new()
        .merge(api)
        .merge(pages(&state))
        .merge(health)
        .merge(files)
        .layer(from_fn_with_state(state.clone(), middleware::catch_panic))
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
        move || provide_context(state.web_context())
    };
    let routes = generate_route_list(App);
    Router::new()
        .leptos_routes_with_context(state, routes, context, || shell(view! { <App /> }))
        .route("/login", post(sign_in::sign_in).layer(DefaultBodyLimit::max(carry::SIGN_IN_LIMIT)))
        .route("/logout", post(sign_in::sign_out))
        .route("/oauth/callback/{account}/{provider}", get(oauth_pages::callback))
        .route("/oauth/attempts/{id}", get(oauth_pages::attempt))
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
    let is_page = request_context::wants_html(&parts);
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
    let request_id = request_context::request_id(&parts);
    let (action, posted, failed) = (parts.uri.path().to_owned(), body.clone(), FailedPost::default());
    let mut request = Request::from_parts(parts, Body::from(body));
    if is_page {
        request.extensions_mut().insert(failed.clone());
    }
    let answer = next.run(request).await;
    match failed.error() {
        Some(error) => unsaved(state, error.clone(), &action, &posted).await,
        None => with_its_status(answer, &request_id).await,
    }
}

/// What goes wrong before a server function begins, Leptos answers with a 500, whatever it is.
async fn with_its_status(response: Response, request_id: &str) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
    let error = serde_json::from_slice(&body);
    let RequestError(mut error) = error
        .unwrap_or_else(|_| RequestError::from_server_fn_error(ServerFnErrorErr::Response(String::new())));
    if error.code.status() >= 500 {
        error.request_id = Some(request_id.to_owned());
    }
    error_response(error)
}

/// The application itself says that there is nothing.
async fn no_such_page(State(state): State<AppState>, request: Request) -> Response {
    let render = leptos_axum::render_app_async_with_context(
        move || provide_context(state.web_context()),
        || shell(view! { <App /> }),
    );
    render(request).await
}
