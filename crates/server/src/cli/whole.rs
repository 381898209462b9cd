//! Lists that a command prints or looks through as a whole.

use vestibule_core::{
    domain::page::{Page, PageRequest},
    usecase::error::AdminResult,
};

use super::CliError;

/// All that is on the pages of a list, however many there are.
pub(super) async fn whole<T, O: Clone + Default>(
    mut list: impl AsyncFnMut(PageRequest<O>) -> AdminResult<Page<T>>,
) -> Result<Vec<T>, CliError> {
    let mut request = PageRequest { size: 1000, ..PageRequest::default() };
    let mut all = Vec::new();
    loop {
        let page = list(request.clone()).await?;
        let is_last = page.items.len() < request.size as usize;
        all.extend(page.items);
        if is_last {
            return Ok(all);
        }
        request.page += 1;
    }
}
