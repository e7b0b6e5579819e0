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
) -> Result<InstanceView, RequestError> {
    let context = crate::request_context::RequestContext::of_request()?;
    let found = context.services.instance(
        &context.admin,
        &space,
        &instance,
        environment.as_deref(),
        process.as_deref(),
    );
    context.answer(found.await.map(crate::compose::catalogue::compose_instance))
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
