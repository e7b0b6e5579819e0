//! The overview and the instance's page.

use crate::error::RequestError;
use crate::views::{InstanceView, Overview};
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// Instances whose name or pack's name contains `search`, by name, from `after` on.
#[server(name = GetOverview, prefix = "/api", endpoint = "overview", input = GetUrl)]
pub async fn overview(
    #[server(default)] search: String,
    #[server(default)] after: Option<String>,
) -> Result<Overview, RequestError> {
    use crate::compose::catalogue::{compose_overview, read_cursor};
    let context = crate::request_context::RequestContext::of_request()?;
    let after = after.and_then(|text| read_cursor(&text)).unwrap_or_default();
    let listed = context.services.overview(&context.admin, &search, &after).await;
    context.answer(listed.map(compose_overview))
}

/// One instance, with the connections of the chosen process in the chosen environment.
#[server(name = GetInstance, prefix = "/api", endpoint = "instance", input = GetUrl)]
pub async fn instance(
    space: String,
    instance: String,
    #[server(default)] environment: Option<String>,
    #[server(default)] process: Option<String>,
    #[server(default)] after: Option<String>,
    #[server(default)] environments_after: Option<String>,
    #[server(default)] attach_after: Option<String>,
) -> Result<InstanceView, RequestError> {
    use crate::compose::catalogue::{compose_instance, read_environment_cursor, read_line_cursor};
    use ipack_core::catalogue::overview::InstanceChoice;
    let context = crate::request_context::RequestContext::of_request()?;
    let after = after.and_then(|text| read_line_cursor(&text));
    let after_environment = environments_after.and_then(|text| read_environment_cursor(&text));
    let choice = InstanceChoice {
        environment: environment.as_deref(),
        process: process.as_deref(),
        after: after.as_ref(),
        after_environment: after_environment.as_ref(),
        after_attachable: attach_after.as_deref().filter(|id| !id.contains('\0')).unwrap_or_default(),
    };
    let found = context.services.instance(&context.admin, &space, &instance, choice);
    context.answer(found.await.map(compose_instance))
}

/// Attaches an instance to an environment, then shows the instance there.
#[server(name = AttachEnvironment, prefix = "/api", endpoint = "attach")]
pub async fn attach_environment(
    space: String,
    instance: String,
    environment: String,
) -> Result<(), RequestError> {
    use ipack_domain::ids::{instance_path, segment};
    let context = crate::request_context::RequestContext::of_request()?;
    context.answer(context.services.attach(&context.admin, &space, &instance, &environment).await)?;
    let page = instance_path(&space, &instance);
    leptos_axum::redirect(&format!("{page}?environment={}", segment(&environment)));
    Ok(())
}
