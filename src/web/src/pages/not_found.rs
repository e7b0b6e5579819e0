//! The page of an address that leads nowhere.

use crate::pages::frame::{Failure, Frame};
use ipack_domain::error::AppError;
use leptos::prelude::*;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Frame title="There is nothing here">
            <Failure error=AppError::not_found() />
        </Frame>
    }
}
