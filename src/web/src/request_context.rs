//! What a server function knows of its request: who asks, and how to answer them.

use crate::{context::WebContext, error::RequestError, flow_cookie};
use axum::http::{
    HeaderValue, StatusCode,
    header::{ACCEPT, SET_COOKIE},
    request::Parts,
};
use ipack_core::{Services, access::Admin};
use ipack_domain::error::{AppError, ErrorCode};
use ipack_oauth::authorize::random_text;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use mediatype::{
    MediaType, MediaTypeList,
    names::{HTML, TEXT},
};
use std::sync::{Arc, OnceLock};
use tower_http::request_id::RequestId;

/// Who is signed in, found out once for each request by `server::middleware::identify`.
#[derive(Debug, Clone)]
pub struct CurrentAdmin(pub Option<Admin>);

/// What went wrong on our side with the post of a plain form, for whoever can show a page with what was typed.
#[derive(Debug, Clone, Default)]
pub struct FailedPost(Arc<OnceLock<AppError>>);

impl FailedPost {
    pub fn error(&self) -> Option<&AppError> {
        self.0.get()
    }
}

pub struct RequestContext {
    pub services: Services,
    pub admin: Admin,
    request_id: String,
    /// A plain form post, or a page being rendered: statuses and redirects are not ours to set.
    is_page: bool,
    is_post: bool,
    failed_post: Option<FailedPost>,
    response: Option<ResponseOptions>,
    flow_cookie: Option<String>,
    is_https: bool,
}

impl RequestContext {
    /// # Errors
    /// `Unauthorized` where nobody is signed in.
    pub fn of_request() -> Result<Self, RequestError> {
        let lost = || AppError::new(ErrorCode::GenericSystemError, "Something went wrong on the server.");
        let state = use_context::<WebContext>().ok_or_else(lost)?;
        let parts = use_context::<Parts>().ok_or_else(lost)?;
        let response = use_context::<ResponseOptions>();
        let is_page = wants_html(&parts);
        match parts.extensions.get::<CurrentAdmin>() {
            Some(CurrentAdmin(Some(admin))) => Ok(Self {
                flow_cookie: flow_cookie::flow_cookie(&parts.headers, state.is_https),
                is_https: state.is_https,
                services: state.services,
                admin: admin.clone(),
                request_id: request_id(&parts),
                is_page,
                is_post: parts.method == axum::http::Method::POST,
                failed_post: parts.extensions.get::<FailedPost>().cloned(),
                response,
            }),
            _ => {
                let error = AppError::unauthorized();
                set_status(response.as_ref().filter(|_| !is_page), &error);
                Err(error.into())
            }
        }
    }

    /// The answer of a use case, for the outside.
    pub fn answer<T>(&self, answer: ipack_core::Result<T>) -> Result<T, RequestError> {
        answer.map_err(|error| self.fail(error.into_app_error(&self.request_id)))
    }

    /// Gives the answer the error's status, where there is no page to say it.
    pub fn fail(&self, error: AppError) -> RequestError {
        set_status(self.response.as_ref().filter(|_| !self.is_page), &error);
        if let Some(FailedPost(failed)) = &self.failed_post
            && error.code.status() >= 500
        {
            failed.get_or_init(|| error.clone());
        }
        error.into()
    }

    /// What tells this browser from others while a token is being got; given where it has none yet.
    pub fn flow_cookie(&self) -> String {
        if let Some(known) = &self.flow_cookie {
            return known.clone();
        }
        let value = random_text();
        if let (Some(response), Ok(cookie)) =
            (&self.response, HeaderValue::from_str(&flow_cookie::set_flow_cookie(&value, self.is_https)))
        {
            response.append_header(SET_COOKIE, cookie);
        }
        value
    }

    /// After a post without JavaScript, shows this page.
    pub fn go_back_to(&self, path: &str) {
        if self.is_page && self.is_post {
            leptos_axum::redirect(path);
        }
    }
}

fn set_status(response: Option<&ResponseOptions>, error: &AppError) {
    if let Some(response) = response
        && let Ok(status) = StatusCode::from_u16(error.code.status())
    {
        response.set_status(status);
    }
}

pub fn wants_html(parts: &Parts) -> bool {
    let html = MediaType::new(TEXT, HTML);
    let accepted = parts.headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    accepted.flat_map(MediaTypeList::new).filter_map(Result::ok).any(|media| media.essence() == html)
}

pub fn request_id(parts: &Parts) -> String {
    parts.extensions.get::<RequestId>().map(id_text).unwrap_or_default()
}

pub fn id_text(id: &RequestId) -> String {
    id.header_value().to_str().unwrap_or_default().to_owned()
}
